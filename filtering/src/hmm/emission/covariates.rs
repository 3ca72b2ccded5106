//! The columns that an emission is given with each observation.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The columns of a row after those that are emitted: inputs x, and last the exposure e of counts. What they are is given, not
/// predicted: nothing is learned of how they come about.
///
/// ```text
/// row = (y_1 … y_D, x_1 … x_M, e)
/// ```
///
/// [`Sequence::with_inputs`](crate::Sequence::with_inputs) makes such rows of outputs and a matrix `inputs: [time, input]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Covariates {
    /// The names of the inputs; none where they are numbered x1, x2, …
    pub inputs: Vec<String>,
    /// The name of the exposure: the time, area or number at risk that counts are of.
    pub exposure: Option<String>,
    /// p, the observations before that an autoregression depends on, which need not be given; 0 for other emissions.
    pub lags: usize,
}

impl Covariates {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.exposure.is_none() && self.lags == 0
    }

    /// Refuses any, for an emission that has none.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub(super) fn refuse(&self) -> Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => Err(Error::Unsupported {
                what: "this emission".to_owned(),
                asked: "take inputs, an exposure or lags",
                why: "inputs are of the regressions (logistic-regression, poisson-regression, linear-regression), an exposure is of \
                      poisson, negative-binomial and poisson-regression, lags are of autoregression",
            }),
        }
    }

    /// The names of the columns after the first `outputs` of `width`, the exposure last.
    pub(super) fn names(&self, outputs: usize, width: usize) -> Result<Vec<String>> {
        if self.lags > 0 {
            return Err(Error::setting(
                "lags",
                self.lags,
                "0: they are of an autoregression",
            ));
        }
        let exposure = usize::from(self.exposure.is_some());
        let Some(count) = width.checked_sub(outputs + exposure) else {
            let expected = format!("at least {} columns", outputs + exposure);
            return Err(Error::size(
                "sequences",
                format!("{width} columns"),
                expected,
            ));
        };
        let names = match self.inputs.is_empty() {
            true => (1..=count).map(|i| format!("x{i}")).collect(),
            false => self.inputs.clone(),
        };
        if names.len() != count {
            let found = format!("{} names", names.len());
            let expected = format!("{count}, a name for each column after the output");
            return Err(Error::size("inputs", found, expected));
        }
        check_names(&names, self.exposure.as_deref())
    }
}

/// All names, each once, the exposure last.
pub(super) fn check_names(inputs: &[String], exposure: Option<&str>) -> Result<Vec<String>> {
    let all: Vec<String> = inputs
        .iter()
        .map(String::as_str)
        .chain(exposure)
        .map(str::to_owned)
        .collect();
    let repeated = |i: &usize| all[*i].is_empty() || all[..*i].contains(&all[*i]);
    match (0..all.len()).find(repeated) {
        None => Ok(all),
        Some(at) => Err(Error::entry(
            "inputs",
            &[at],
            format!("`{}`", all[at]),
            "a name that no other input has",
        )),
    }
}

/// Whether any of the `outputs` is there; those are to be seen only with all `given` columns.
///
/// # Errors
/// [`Error::Observation`] for an output that was seen without an input.
pub(super) fn seen_with(outputs: &[f64], given: &[f64]) -> Result<bool> {
    if outputs.iter().all(|y| y.is_nan()) {
        return Ok(false);
    }
    match given.iter().position(|x| !x.is_finite()) {
        None => Ok(true),
        Some(at) => {
            let expected =
                "a number: what is given with an observation has to be known where that was seen";
            Err(Error::observation(
                outputs.len() + at,
                "a missing input",
                expected,
            ))
        }
    }
}

/// Refuses an exposure that is not positive; one that is missing is none.
///
/// # Errors
/// [`Error::Observation`] of entry `entry`.
pub(super) fn check_exposure(entry: usize, exposure: f64) -> Result<()> {
    match exposure > 0.0 || exposure.is_nan() {
        true => Ok(()),
        false => Err(Error::observation(entry, exposure, "an exposure above 0")),
    }
}

/// The mean exposure of the data that were last learned of, by which rates have a size: a file keeps it, so that what is read learns
/// as what was fitted, and two models that differ in it alone are equal.
#[derive(Debug, Clone)]
pub(super) struct Unit(pub(super) f64);

impl Unit {
    /// What is written of it: nothing for 1.
    pub(super) fn written(&self) -> Option<f64> {
        (self.0 != 1.0).then_some(self.0)
    }

    /// That of a file; 1 if it says none.
    ///
    /// # Errors
    /// [`Error::Entry`] unless it is positive.
    pub(super) fn read(written: Option<f64>) -> Result<Self> {
        match written {
            None => Ok(Self(1.0)),
            Some(unit) if unit > 0.0 && unit.is_finite() => Ok(Self(unit)),
            Some(unit) => {
                let expected = "a mean exposure above 0";
                Err(Error::entry("mean_exposure", &[], unit, expected))
            }
        }
    }
}

impl PartialEq for Unit {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
