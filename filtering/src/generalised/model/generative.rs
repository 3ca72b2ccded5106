//! The whole model: levels from the data upwards, and the prior of the causes above them.

use serde::{Deserialize, Serialize};

use super::{Equations, GaussianPrior, NoisePrecision, Sizes};
use crate::{Error, Result};

/// One level: its equations, the prior of its parameters, the precisions of its noises, its start.
///
/// ```text
/// v[l−1] = g(x[l], v[l], θ[l]) + z[l]        (v[0] = y, the data)
/// x[l]'  = f(x[l], v[l], θ[l]) + w[l]
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level<E> {
    /// f and g.
    pub equations: E,
    /// The prior of θ, `[parameters]`; entries without variance are known.
    pub parameters: GaussianPrior,
    /// The precision of z, `[outputs, outputs]`.
    pub output: NoisePrecision,
    /// The precision of w, `[states, states]`.
    pub motion: NoisePrecision,
    /// The states at the first bin, `[states]`.
    pub start: Vec<f64>,
}

/// The prior of the causes of the top level, v = η + noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CausePrior {
    /// η where no known input is given, `[causes]`.
    pub mean: Vec<f64>,
    /// The precision of the causes about η, `[causes, causes]`.
    pub precision: NoisePrecision,
}

/// A hierarchy of levels, the data's first, with the prior of the top causes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerativeModel<E> {
    /// The levels, that of the data first.
    pub levels: Vec<Level<E>>,
    /// The prior of the causes of the last level.
    pub cause: CausePrior,
}

impl<E: Equations> GenerativeModel<E> {
    /// One level with known parameters `theta` and scalar precisions of z, w and v, start at `start`.
    ///
    /// # Errors
    /// As [`GenerativeModel::check`].
    pub fn single(
        equations: E,
        theta: &[f64],
        output: f64,
        motion: f64,
        cause: f64,
        start: &[f64],
    ) -> Result<Self> {
        let sizes = equations.sizes();
        let model = Self {
            cause: CausePrior {
                mean: vec![0.0; sizes.causes],
                precision: NoisePrecision::scalar(sizes.causes, cause),
            },
            levels: vec![Level {
                equations,
                parameters: GaussianPrior::known(theta),
                output: NoisePrecision::scalar(sizes.outputs, output),
                motion: NoisePrecision::scalar(sizes.states, motion),
                start: start.to_vec(),
            }],
        };
        model.check()?;
        Ok(model)
    }

    /// Checks that every size fits, that the levels fit each other, and that the precisions are positive
    /// definite.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Entry`], [`Error::NotPositiveDefinite`], each naming the level and the
    /// term; [`Error::Setting`] for no level.
    pub fn check(&self) -> Result<()> {
        for (l, level) in self.levels.iter().enumerate() {
            let sizes = level.equations.sizes();
            let named = |term: &str| format!("level {}: {term}", l + 1);
            level
                .parameters
                .check(&named("parameters"), sizes.parameters)?;
            level
                .output
                .check(&named("output_precision"), sizes.outputs)?;
            level
                .motion
                .check(&named("motion_precision"), sizes.states)?;
            if level.start.len() != sizes.states {
                return Err(Error::size(named("start"), level.start.len(), sizes.states));
            }
            if let Some(v) = level.start.iter().find(|v| !v.is_finite()) {
                return Err(Error::entry(named("start"), &[], v, "finite numbers"));
            }
            if let Some(above) = self.levels.get(l + 1) {
                let outputs = above.equations.sizes().outputs;
                if outputs != sizes.causes {
                    return Err(Error::size(
                        format!("level {}: outputs", l + 2),
                        outputs,
                        format!("{} (the causes of level {})", sizes.causes, l + 1),
                    ));
                }
            }
        }
        let causes = match self.levels.last() {
            Some(top) => top.equations.sizes().causes,
            None => {
                return Err(Error::setting("levels", "no level", "at least one level"));
            }
        };
        if self.cause.mean.len() != causes {
            return Err(Error::size("cause.mean", self.cause.mean.len(), causes));
        }
        self.cause.precision.check("precision of v", causes)
    }

    /// The entries of one observation.
    pub fn outputs(&self) -> usize {
        self.levels
            .first()
            .map_or(0, |level| level.equations.sizes().outputs)
    }

    /// All states, causes, outputs (of all levels, the data included) and parameters, stacked.
    pub fn totals(&self) -> Sizes {
        let mut total = Sizes {
            states: 0,
            causes: 0,
            outputs: 0,
            parameters: 0,
        };
        for level in &self.levels {
            let sizes = level.equations.sizes();
            total.states += sizes.states;
            total.causes += sizes.causes;
            total.outputs += sizes.outputs;
            total.parameters += sizes.parameters;
        }
        total
    }
}
