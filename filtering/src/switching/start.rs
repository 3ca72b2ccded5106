//! Models to start a fit from.

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::model::Slds;
use crate::gaussian::LinearGaussian;
use crate::hmm::{AnyEmission, Covariates, EmissionKind, FitSettings, Hmm};
use crate::{Error, Result, Sequence};

/// p(s_t = s_{t−1}) of a start that no chain was fitted for.
const STAYS: f64 = 0.9;

/// Start `number` of a fit: 0 is of autoregressions of the smoothed states of `guess`, 1 the guess with regimes that differ in their variance, the
/// others are of autoregressions of the smoothed states of random guesses. Of one regime, the guess.
///
/// # Errors
/// As [`LinearGaussian::initial_guess`] and [`Hmm::fit_states`].
pub(super) fn start(
    number: usize,
    guess: &LinearGaussian,
    regimes: usize,
    sequences: &[Sequence],
    seed: u64,
    variance_floor: f64,
) -> Result<Slds> {
    let seed = seed.wrapping_add(number as u64);
    match number {
        _ if regimes == 1 => by_variance(guess, regimes),
        0 => by_autoregressions(guess, regimes, sequences, seed, variance_floor),
        1 => by_variance(guess, regimes),
        _ => {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let guess = LinearGaussian::random_guess(guess.states(), sequences, &mut rng)?;
            by_autoregressions(&guess, regimes, sequences, seed, variance_floor)
        }
    }
}

/// Regimes of the same dynamics, each of four times the process noise of the one before, the guess's in the middle.
fn by_variance(guess: &LinearGaussian, regimes: usize) -> Result<Slds> {
    let other = (1.0 - STAYS) / (regimes as f64 - 1.0).max(1.0);
    let row = |i: usize| -> Vec<f64> {
        let stays = if regimes == 1 { 1.0 } else { STAYS };
        (0..regimes)
            .map(|j| if i == j { stays } else { other })
            .collect()
    };
    let scaled = |k: usize| {
        let factor = 4f64.powf(k as f64 - 0.5 * (regimes as f64 - 1.0));
        let q = guess.process_noise() * factor;
        Ok(guess.with_dynamics(guess.transition().clone(), guess.bias().clone(), q))
    };
    Slds::new(
        vec![1.0 / regimes as f64; regimes],
        (0..regimes).map(row).collect(),
        (0..regimes).map(scaled).collect::<Result<_>>()?,
    )
}

/// The regimes of an autoregressive hidden Markov model of the smoothed states of a linear-Gaussian model.
fn by_autoregressions(
    guess: &LinearGaussian,
    regimes: usize,
    sequences: &[Sequence],
    seed: u64,
    variance_floor: f64,
) -> Result<Slds> {
    let n = guess.states();
    let means = |sequence: &Sequence| -> Result<Sequence> {
        let mut means = Sequence::new(n)?;
        for belief in guess.smooth(sequence)?.smoothed() {
            means.push(Some(belief.mean().as_slice()))?;
        }
        Ok(means)
    };
    let means = sequences.iter().map(means).collect::<Result<Vec<_>>>()?;
    let settings = FitSettings {
        restarts: 1,
        seed,
        threads: 1,
        variance_floor,
        covariates: Covariates {
            lags: 1,
            ..Covariates::default()
        },
        ..FitSettings::default()
    };
    let kind = EmissionKind::Autoregression;
    let chain = Hmm::fit_states(kind, regimes, &means, &settings)?.model;
    let AnyEmission::Autoregression(emission) = chain.emission() else {
        return Err(Error::setting("emission", "another", "autoregression"));
    };
    let regime = |k: usize| -> LinearGaussian {
        let weights = emission.regression(k);
        let f: DMatrix<f64> = weights.columns(1, n).into_owned();
        let b = weights.column(0).into_owned();
        guess.with_dynamics(f, b, emission.covariance(k))
    };
    Slds::from_flat(
        vec![1.0 / regimes as f64; regimes],
        chain.transition().to_vec(),
        (0..regimes).map(regime).collect(),
    )
}
