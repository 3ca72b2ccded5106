//! What a fitted model says about its parameters: estimates, standard errors, intervals, information criteria.

mod credible;
mod discrete;
mod held;
mod information;
mod kinds;
mod linear;
mod parametrisation;

use serde::Serialize;

pub use self::credible::CredibleParameter;
use self::information::observed_information;
pub(crate) use self::parametrisation::Link;
use self::parametrisation::{Group, Parametrisation};
use crate::any_model::AnyModel;
use crate::{Error, Result, Sequence, deviations_of};

/// How a summary is made.
#[derive(Debug, Clone, PartialEq)]
pub struct SummarySettings {
    /// The probability of the intervals.
    pub level: f64,
    /// Parameters that are held, by the beginning of their names: `transition` holds all of it.
    pub hold: Vec<String>,
    /// Parameters that the fit which the model is from did not learn, by the beginning of their names; they are held as well.
    pub not_learned: Vec<String>,
    /// Names of parameters of a linear-Gaussian model that are one number: they have one standard error.
    pub tied: Vec<Vec<String>>,
    /// How many that fit chose; if none, what the model tells ([`AnyModel::free_parameters`]). Those of `hold` are taken off.
    pub free_parameters: Option<usize>,
}

impl Default for SummarySettings {
    /// Intervals of 95 %, nothing held but what is structure.
    fn default() -> Self {
        Self {
            level: 0.95,
            hold: Vec::new(),
            not_learned: Vec::new(),
            tied: Vec::new(),
            free_parameters: None,
        }
    }
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParameterEstimate {
    /// The key of a model file, with entries counted from 1.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its standard error; none for one that is held, or that the data do not identify.
    pub standard_error: Option<f64>,
    /// Its interval, on the scale where it is unbounded: positive numbers have positive ends, probabilities lie in [0, 1].
    pub interval: Option<[f64; 2]>,
    /// Why it has no standard error.
    pub remark: Option<&'static str>,
}

/// A model beside the data that it was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The parameters, in the order of a file.
    pub estimates: Vec<ParameterEstimate>,
    /// The probability of the intervals.
    pub level: f64,
    /// Observations that were seen.
    pub observations: usize,
    /// ln p of all of them, in nats.
    pub log_evidence: f64,
    /// What the evidence is of: `exact`, or how it is computed.
    pub evidence: &'static str,
    /// Parameters that can be chosen freely.
    pub free_parameters: usize,
    /// Akaike's criterion, 2k − 2 ln p.
    pub aic: f64,
    /// Schwarz's criterion, k ln n − 2 ln p.
    pub bic: f64,
    /// ½ gᵀI⁻¹g: how much ln p is short of its maximum, to second order; small at an optimum. Not a number where ln p curves up
    /// in some direction: that is no maximum either.
    pub shortfall: f64,
}

/// The remarks.
pub(crate) const HELD: &str = "held";
pub(crate) const BOUNDARY: &str = "at the boundary";
pub(crate) const UNIDENTIFIED: &str = "not identified by these data";

impl AnyModel {
    /// The parameters with standard errors from the observed information I = −∂² ln p/∂θ² of `sequences`, by central
    /// differences of the evidence in unbounded coordinates θ (logarithms of positive numbers, logits of distributions),
    /// each step a hundredth of a standard error, and carried over to the parameters p(θ) by their slopes (eq. F63):
    ///
    /// ```text
    /// Cov θ = I⁻¹,   se(p)² = (∂p/∂θ) I⁻¹ (∂p/∂θ)ᵀ
    /// ```
    ///
    /// The evidence is exact: by the filter for hidden Markov and linear-Gaussian models, on a grid for nonlinear ones of
    /// one dimension. Held are initial laws (a sequence has one draw of them), observation matrices (their scale is that of
    /// the state) and the zeros and ones that a linear-Gaussian model is built of. Entries of a covariance in a direction without
    /// variance are at the boundary: they have no standard error, and the others have theirs beside them.
    ///
    /// ```
    /// use scotopic_filtering::hmm::{Hmm, Poisson};
    /// use scotopic_filtering::{AnyModel, Sequence, SummarySettings};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = Hmm::new(vec![1.0], vec![vec![1.0]], Poisson::new(vec![vec![4.0]])?.into())?;
    /// let counts = Sequence::of_numbers([3.0, 5.0, 4.0, 4.0])?;
    /// let summary = AnyModel::Hmm(model).summary(&[counts], &SummarySettings::default())?;
    /// let rate = &summary.estimates[2];
    /// // The standard error of a mean of four counts, √(4/4), by differences whose error is h²/24 = 3e-7.
    /// assert_eq!(rate.name, "rates[1,1]");
    /// assert!((rate.standard_error.unwrap_or(0.0) - 1.0).abs() < 1e-6);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] for models of continuous time and nonlinear ones without an exact evidence,
    /// and where every parameter is held, [`Error::Setting`] for a level or held name that is none; what filters say of the observations.
    pub fn summary(&self, sequences: &[Sequence], settings: &SummarySettings) -> Result<Summary> {
        let z = deviations_of(settings.level)?;
        let given = self.inputs().len();
        let observations = sequences.iter().map(|s| s.seen(given)).sum::<usize>();
        check_seen(observations)?;
        let subject = kinds::subject(self, sequences)?;
        let mut free = subject.parametrisation;
        for name in &settings.not_learned {
            free.hold(name)?;
        }
        settings.tied.iter().try_for_each(|names| free.tie(names))?;
        let all = free.estimated();
        for name in &settings.hold {
            free.hold(name)?;
        }
        let evidence = |p: &[f64]| (subject.evidence)(&(free.build)(p)?);
        let theta = free.coordinates();
        if theta.is_empty() {
            let why = "nothing is left to estimate: every parameter is held";
            return Err(unsupported(self.described(), why));
        }
        let found =
            observed_information(&theta, &free.units(), |theta| evidence(&free.values(theta)))?;
        let slopes = free.slopes(&theta);
        let estimates = (0..free.names.len()).map(|i| {
            let slope: Vec<f64> = slopes.iter().map(|column| column[i]).collect();
            estimate(&free, i, &slope, &found, z)
        });
        let free_parameters = match settings.free_parameters {
            Some(chosen) => chosen.saturating_sub(all - free.estimated()),
            None => kinds::count(self, all, &free),
        };
        let k = free_parameters as f64;
        Ok(Summary {
            estimates: estimates.collect(),
            level: settings.level,
            observations,
            log_evidence: found.value,
            evidence: subject.described,
            free_parameters,
            aic: 2.0 * k - 2.0 * found.value,
            bic: k * (observations as f64).ln() - 2.0 * found.value,
            shortfall: found.shortfall(),
        })
    }
}

fn estimate(
    free: &Parametrisation,
    i: usize,
    slope: &[f64],
    found: &information::Information,
    z: f64,
) -> ParameterEstimate {
    let value = free.values[i];
    let mut estimate = ParameterEstimate {
        name: free.names[i].clone(),
        value,
        standard_error: None,
        interval: None,
        remark: None,
    };
    let (link, moves) = (free.link(i), slope.iter().any(|s| *s != 0.0));
    match (link, moves) {
        (None, _) if free.group(i) == Group::Boundary => estimate.remark = Some(BOUNDARY),
        (None, _) => estimate.remark = Some(HELD),
        (Some(Link::Logit), false) => estimate.remark = Some(BOUNDARY),
        (Some(_), false) => estimate.remark = Some(HELD),
        (Some(link), true) => match found.variance(slope) {
            None => estimate.remark = Some(UNIDENTIFIED),
            Some(variance) => {
                let error = variance.sqrt();
                estimate.standard_error = Some(error);
                estimate.interval = Some(link.interval(value, error, z));
            }
        },
    }
    estimate
}

/// ln p of some sequences under a model.
type Evidence<'a> = Box<dyn Fn(&AnyModel) -> Result<f64> + 'a>;

/// What a summary needs of a kind of model.
struct Subject<'a> {
    parametrisation: Parametrisation,
    /// ln p of all sequences.
    evidence: Evidence<'a>,
    described: &'static str,
}

/// Refuses data in which nothing was seen: they say nothing of any parameter.
///
/// # Errors
/// [`Error::Size`].
fn check_seen(observations: usize) -> Result<()> {
    match observations {
        0 => Err(Error::size(
            "sequences",
            "no observation",
            "at least one that was seen",
        )),
        _ => Ok(()),
    }
}

fn unsupported(what: String, why: &'static str) -> Error {
    Error::Unsupported {
        what,
        asked: "be summarised",
        why,
    }
}

#[cfg(test)]
mod tests;
