//! What can be certified: unbiased estimates of Z = p(y_1…y_T), and unbiased estimates of 1/Z from an exact posterior sample.

use rand::Rng;

use super::certificate::{LowerBound, UpperBound};
use super::settings::BoundSettings;
use crate::{Error, Result};

/// A fitted q that proposes hidden states of one series, with the model they are weighed by.
pub trait Proposal {
    /// The hidden states of the whole series.
    type States: ?Sized;

    /// ln Ẑ, in nats, Ẑ ≥ 0 with E Ẑ ≤ p(y_1…y_T), equal where q leaves no possible state out; −∞ for 0.
    fn log_estimate<R: Rng + ?Sized>(&self, particles: usize, rng: &mut R) -> f64;

    /// ln Ẑ, in nats, about one exact posterior sample: E[1/Ẑ] ≤ 1/p(y_1…y_T).
    fn log_estimate_about<R: Rng + ?Sized>(
        &self,
        states: &Self::States,
        particles: usize,
        rng: &mut R,
    ) -> f64;

    /// Whether these can be the hidden states of the series.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`] for what cannot.
    fn check(&self, states: &Self::States) -> Result<()>;
}

/// A lower bound of ln p(y_1…y_T) that holds with probability 1 − δ (eqs. F81, F82).
///
/// # Errors
/// [`Error::Setting`] for settings that make no sense, [`Error::NotFinite`] where a weight is no number.
pub fn lower_bound<P: Proposal, R: Rng + ?Sized>(
    proposal: &P,
    settings: &BoundSettings,
    rng: &mut R,
) -> Result<LowerBound> {
    settings.check()?;
    let run = |_| number(proposal.log_estimate(settings.particles, rng));
    let estimates: Vec<f64> = (0..settings.runs).map(run).collect::<Result<_>>()?;
    Ok(LowerBound::of(
        estimates,
        settings.delta,
        settings.confidence,
    ))
}

/// An upper bound of ln p(y_1…y_T) that holds with probability 1 − δ (eq. F84), from exact posterior samples: the states
/// that made the data, if the model is the one that made them. More samples than one have to be independent.
///
/// # Errors
/// As [`lower_bound`]; [`Error::Size`] without samples; what [`Proposal::check`] says of one.
pub fn upper_bound<P: Proposal, R: Rng + ?Sized>(
    proposal: &P,
    samples: &[&P::States],
    settings: &BoundSettings,
    rng: &mut R,
) -> Result<UpperBound> {
    settings.check()?;
    if samples.is_empty() {
        let expected = "at least one, the states that made the data";
        return Err(Error::size("exact posterior samples", "none", expected));
    }
    let mut runs = Vec::with_capacity(samples.len());
    for states in samples {
        proposal.check(states)?;
        let run = |_| number(proposal.log_estimate_about(states, settings.particles, rng));
        runs.push((0..settings.runs).map(run).collect::<Result<Vec<_>>>()?);
    }
    Ok(UpperBound::of(&runs, settings.delta))
}

fn number(log_estimate: f64) -> Result<f64> {
    match log_estimate.is_nan() {
        false => Ok(log_estimate),
        true => Err(Error::not_finite(0, "the weight of a particle", f64::NAN)),
    }
}
