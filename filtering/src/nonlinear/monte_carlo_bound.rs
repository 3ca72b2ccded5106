//! A Monte Carlo estimate of the bound of a filter's q.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::noise::Noise;
use super::root;
use super::{Kernel, NonlinearFilter, StateSpace};
use crate::math::square::{dot, log_determinant, quadratic_form};
use crate::{Error, Result, Sequence};

/// The kernels of a filter, kept, so that its bound can be checked: what the recursion estimates with W fitted by a
/// quadratic, this estimates without any fit,
///
/// ```text
/// L_τ = E_q[ ln p(x_1…x_τ, y_1…y_τ) − Σ_t ln b_t(x_{t−1}|x_t) − ln q_τ(x_τ) ],
/// ```
///
/// from paths drawn backwards. Memory grows with τ: this is for checking, not for streams.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::nonlinear::{MonteCarloBound, NonlinearFilter, Representation, NonlinearConfig, models::Ar1Poisson};
/// use scotopic_filtering::rand::{SeedableRng, rngs::SmallRng};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let counts = Sequence::of_numbers([5.0, 5.0, 10.0])?;
/// let model = Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0)?;
/// let settings = NonlinearConfig { representation: Representation::table(), ..NonlinearConfig::default() };
/// let mut filter = NonlinearFilter::new(model, settings)?;
/// let mut check = MonteCarloBound::default();
/// for y in counts.iter() {
///     filter.update(y)?;
///     check.record(&filter);
/// }
/// let truth = check.elbo(&filter, &counts, 1000, &mut SmallRng::seed_from_u64(1))?;
/// assert!((truth.mean - filter.elbo()).abs() < 1e-3 + 4.0 * truth.standard_error);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MonteCarloBound {
    kernels: Vec<Kernel>,
}

/// A mean over samples, and its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean, in nats.
    pub mean: f64,
    /// The standard error of the mean.
    pub standard_error: f64,
}

impl MonteCarloBound {
    /// Keeps the newest kernel. Call it after every update, the first included.
    pub fn record<M: StateSpace>(&mut self, filter: &NonlinearFilter<M>) {
        self.kernels.extend(filter.kernel().cloned());
    }

    /// The bound of the filter's q for `sequence`, which it has seen whole, from `samples` paths. The model is that
    /// of the filter as it is now: θ must not have moved.
    ///
    /// # Errors
    /// [`Error::Size`] unless filter, records and sequence are of one length, [`Error::Setting`] for fewer than 2
    /// samples, [`Error::NotPositiveDefinite`] for a kernel without spread.
    pub fn elbo<M: StateSpace, R: Rng + ?Sized>(
        &self,
        filter: &NonlinearFilter<M>,
        sequence: &Sequence,
        samples: usize,
        rng: &mut R,
    ) -> Result<Estimate> {
        let (model, n, steps) = (filter.model(), filter.model().dim(), sequence.len());
        if steps == 0 || filter.observations() != steps as u64 || self.kernels.len() + 1 != steps {
            let found = format!(
                "{} kernels at time {}",
                self.kernels.len(),
                filter.observations()
            );
            let expected = format!("those of all {steps} observations");
            return Err(Error::size("the record", found, expected));
        }
        if samples < 2 {
            return Err(Error::setting("samples", samples, "at least 2"));
        }
        let noise = Noise::new("process_noise", model.noise(), n)?;
        let prior = Noise::new("initial_covariance", model.initial_covariance(), n)?;
        let last = Factor::new("covariance", filter.covariance(), n)?;
        let roots: Vec<Factor> = self
            .kernels
            .iter()
            .map(|kernel| Factor::new("kernel", &kernel.covariance, n))
            .collect::<Result<_>>()?;
        let (mut x, mut previous, mut mean) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let (mut sum, mut square) = (0.0, 0.0);
        let normal = |noise: &Noise, r: &[f64]| {
            -0.5 * (quadratic_form(&noise.precision, r) + noise.log_determinant)
        };
        for count in 0..samples {
            let mut value = -last.draw(filter.mean(), rng, &mut x);
            for t in (0..steps).rev() {
                if let Some(y) = sequence.get(t) {
                    value += model.log_likelihood(y, &x);
                }
                if t == 0 {
                    let start = x.iter().zip(model.initial_mean());
                    start.zip(&mut mean).for_each(|((x, m), r)| *r = x - m);
                    value += normal(&prior, &mean);
                    break;
                }
                let kernel = &self.kernels[t - 1];
                for i in 0..n {
                    mean[i] = kernel.offset[i] + dot(&kernel.slope[i * n..(i + 1) * n], &x);
                }
                value -= roots[t - 1].draw(&mean, rng, &mut previous);
                model.mean(&previous, &mut mean);
                mean.iter_mut().zip(&x).for_each(|(m, x)| *m = x - *m);
                value += normal(&noise, &mean);
                x.copy_from_slice(&previous);
            }
            // Welford's running mean and sum of squares.
            let off = value - sum;
            sum += off / (count + 1) as f64;
            square += off * (value - sum);
        }
        let count = samples as f64;
        Ok(Estimate {
            mean: sum,
            standard_error: (square / (count - 1.0) / count).sqrt(),
        })
    }
}

/// The factor of a covariance, ready to draw with.
struct Factor {
    lower: Vec<f64>,
    log_determinant: f64,
}

impl Factor {
    fn new(name: &str, covariance: &[f64], n: usize) -> Result<Self> {
        let mut lower = covariance.to_vec();
        root::factor(name, &mut lower, n)?;
        let unit = n as f64 * std::f64::consts::TAU.ln();
        Ok(Self {
            log_determinant: unit + log_determinant(&lower, n),
            lower,
        })
    }

    /// Draws x and gives the logarithm of its density.
    fn draw<R: Rng + ?Sized>(&self, mean: &[f64], rng: &mut R, into: &mut [f64]) -> f64 {
        let n = mean.len();
        into.copy_from_slice(mean);
        let mut square = 0.0;
        for j in 0..n {
            let z: f64 = StandardNormal.sample(rng);
            square += z * z;
            for i in j..n {
                into[i] += self.lower[i * n + j] * z;
            }
        }
        -0.5 * (square + self.log_determinant)
    }
}
