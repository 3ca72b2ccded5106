//! Samples from a model.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::root;
use super::{Simulate, StateSpace};
use crate::{Error, Result, Sequence};

/// Draws `steps` states and their observations: the states in rows `[T, n]`, and the sequence.
///
/// # Errors
/// [`Error::NotPositiveDefinite`] for matrices that are not covariances, [`Error::Observation`] where a state diverges.
pub fn simulate<M: StateSpace + Simulate, R: Rng + ?Sized>(
    model: &M,
    steps: usize,
    rng: &mut R,
) -> Result<(Vec<Vec<f64>>, Sequence)> {
    let n = model.dim();
    let factor = |name: &str, covariance: &[f64]| {
        let mut lower = covariance.to_vec();
        root::factor(name, &mut lower, n)?;
        Ok::<_, Error>(lower)
    };
    let (first, noise) = (
        factor("initial_covariance", model.initial_covariance())?,
        factor("process_noise", model.noise())?,
    );
    let mut sequence = Sequence::new(model.observed())?;
    let mut states: Vec<Vec<f64>> = Vec::with_capacity(steps);
    let mut y = vec![0.0; model.observed()];
    for _ in 0..steps {
        let mut x = vec![0.0; n];
        let lower = match states.last() {
            None => {
                x.copy_from_slice(model.initial_mean());
                &first
            }
            Some(previous) => {
                model.mean(previous, &mut x);
                &noise
            }
        };
        for j in 0..n {
            let z: f64 = StandardNormal.sample(rng);
            for i in j..n {
                x[i] += lower[i * n + j] * z;
            }
        }
        model.draw(&x, rng, &mut y);
        sequence.push(Some(&y))?;
        states.push(x);
    }
    Ok((states, sequence))
}
