//! Maximum likelihood of θ over whole sequences, by the bound of a filter.

use super::{NonlinearConfig, NonlinearFilter, StateSpace};
use crate::math::bfgs::{Limits, minimise};
use crate::{Error, Result, Sequence};

/// What [`maximum_likelihood`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct NonlinearFit<M> {
    /// The model with the best θ.
    pub model: M,
    /// L of all sequences under it, in nats.
    pub elbo: f64,
    /// Steps of the quasi-Newton method, none of which lowered L.
    pub iterations: usize,
    /// Whether the gradient has vanished.
    pub converged: bool,
}

/// The largest change of an entry of θ in one step: variances are given by their logarithms, rates by logarithms too.
const STEP: f64 = 0.5;
/// Converged where no entry of the gradient is larger, in nats per unit of θ: what is left to gain is then far below a nat.
const GRADIENT: f64 = 1e-2;
/// Half the distance of central differences, relative to entries above 1.
const DIFFERENCE: f64 = 1e-4;
/// Updates are improved until they settle to this, so that L is a smooth function of θ over such a distance.
const SETTLED: f64 = 1e-11;

/// Fits θ to sequences of observations: BFGS on L = Σ L_T of a [`NonlinearFilter`], its gradient by central differences, 2 P + 1
/// passes over the data a trial. Steps are scaled by the curvature of L; the line search takes none that lowers it. L is
/// ln p up to the gap of the filter; see [`Representation`](super::Representation) for what a quadratic W adds to that.
///
/// ```
/// use scotopic_filtering::nonlinear::{NonlinearConfig, maximum_likelihood, models::Ar1Poisson, simulate};
/// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let truth = Ar1Poisson::new(0.9, 1.0, 0.1, 0.0, 0.5)?;
/// let (_, counts) = simulate(&truth, 300, &mut Xoshiro256PlusPlus::seed_from_u64(1))?;
/// let guess = Ar1Poisson::new(0.3, 0.0, 1.0, 0.0, 0.5)?;
/// let fit = maximum_likelihood(&guess, &[counts], &NonlinearConfig::default(), 100)?;
/// assert!(fit.converged);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Unsupported`] for a model without parameters; as [`NonlinearFilter::new`] and [`NonlinearFilter::update`] under the
/// θ begun with.
pub fn maximum_likelihood<M: StateSpace + Clone>(
    model: &M,
    sequences: &[Sequence],
    config: &NonlinearConfig,
    iterations: usize,
) -> Result<NonlinearFit<M>> {
    let p = model.parameters_len();
    if p == 0 {
        return Err(Error::Unsupported {
            what: "a model without parameters".to_owned(),
            asked: "be fitted",
            why: "there is nothing to choose; StateSpace::parameters says what there is",
        });
    }
    let config = NonlinearConfig {
        tolerance: config.tolerance.min(SETTLED),
        ..config.clone()
    };
    let elbo = |model: &M| -> Result<f64> {
        let mut sum = 0.0;
        for sequence in sequences {
            let mut filter = NonlinearFilter::new(model.clone(), config.clone())?;
            for row in sequence.iter() {
                filter.update(row)?;
            }
            sum += filter.elbo();
        }
        Ok(sum)
    };
    let with = |theta: &[f64]| -> Result<M> {
        let mut other = model.clone();
        other.set_parameters(theta)?;
        Ok(other)
    };
    let mut start = vec![0.0; p];
    model.parameters(&mut start);
    let first = elbo(model)?;
    let limits = Limits {
        iterations,
        gradient: GRADIENT,
        step: STEP,
    };
    let found = minimise(&start, limits, |theta| {
        let at = |theta: &[f64]| elbo(&with(theta).ok()?).ok().filter(|l| l.is_finite());
        let value = at(theta)?;
        let slope = |i: usize| -> Option<f64> {
            let h = DIFFERENCE * theta[i].abs().max(1.0);
            let mut moved = theta.to_vec();
            moved[i] = theta[i] + h;
            let up = at(&moved)?;
            moved[i] = theta[i] - h;
            Some(-(up - at(&moved)?) / (2.0 * h))
        };
        Some((-value, (0..p).map(slope).collect::<Option<Vec<f64>>>()?))
    });
    Ok(match found {
        Some(found) => NonlinearFit {
            model: with(&found.at)?,
            elbo: -found.value,
            iterations: found.iterations,
            converged: found.converged,
        },
        None => NonlinearFit {
            model: model.clone(),
            elbo: first,
            iterations: 0,
            converged: false,
        },
    })
}
