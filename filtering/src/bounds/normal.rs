//! The backward chain of a q with normal kernels: linear-Gaussian and nonlinear models.

use nalgebra::{DMatrix, DVector};
use rand::Rng;

use super::density::{Component, Density, Mixture};
use super::linear::{LinearStateSpace, rows};
use super::particles::BackwardChain;
use crate::gaussian::{GaussianFactorisation, LinearGaussian};
use crate::math::cholesky::cholesky;
use crate::nonlinear::{ElboKind, NonlinearConfig, NonlinearFilter, StateSpace, Value};
use crate::{Error, Result, Sequence};

/// q of a model with normal transitions over a series, and the weights of its draws.
///
/// V_t is W_t of the reversed factorisation (eq. F6), whatever q is, up to a constant in each t that weighs all paths alike:
/// the W of a loose q misleads the particles.
///
/// ```
/// use scotopic_filtering::bounds::{BoundSettings, NormalChain, lower_bound};
/// use scotopic_filtering::nonlinear::{NonlinearConfig, models::Ar1Poisson, simulate};
/// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0)?;
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let (_, counts) = simulate(&model, 50, &mut rng)?;
/// let chain = NormalChain::nonlinear(&model, &counts, NonlinearConfig::default())?;
/// let bound = lower_bound(&chain, &BoundSettings::default(), &mut rng)?;
/// assert!(bound.nats < chain.elbo() + 1.0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct NormalChain<M> {
    model: M,
    data: Sequence,
    prior: Density,
    noise: Density,
    last: Mixture,
    /// b_2 … b_T.
    kernels: Vec<Mixture>,
    /// V_1 … V_T.
    values: Vec<Running>,
    elbo: f64,
}

/// V_t up to a constant.
#[derive(Debug, Clone)]
enum Running {
    /// ln N(x; mean, C).
    Normal(Vec<f64>, Density),
    /// As a nonlinear filter carries it.
    Carried(Value),
}

impl Running {
    fn at(&self, x: &[f64]) -> f64 {
        match self {
            Self::Normal(mean, density) => density.log(x, mean),
            Self::Carried(value) => value.at(x),
        }
    }
}

/// N(mean `[n]`, covariance `[n, n]` row by row) about a state.
struct Belief {
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

/// x_{t−1} | x_t ~ N(E x_t + f, L), E and L `[n, n]` row by row.
struct Fitted {
    gain: Vec<f64>,
    offset: Vec<f64>,
    covariance: Vec<f64>,
}

impl NormalChain<LinearStateSpace> {
    /// The q of `factorisation` over `data`, as [`LinearGaussian::posterior`] fits it.
    ///
    /// # Errors
    /// As [`LinearGaussian::posterior`] and [`LinearGaussian::smooth`]; [`Error::NotPositiveDefinite`] for a P0 or Q with a direction of no variance,
    /// [`Error::Unsupported`] for a diffuse start, [`Error::Size`] for no observation.
    pub fn linear(
        model: &LinearGaussian,
        data: &Sequence,
        factorisation: GaussianFactorisation,
    ) -> Result<Self> {
        let view = LinearStateSpace::new(model)?;
        let posterior = model.posterior(data, factorisation)?;
        let n = model.states();
        let mut kernels = posterior.kernels().to_vec();
        if kernels.is_empty() {
            // Independent states: a kernel that does not look at the next one.
            for marginal in posterior.marginals().iter().take(data.len().max(1) - 1) {
                kernels.push(crate::gaussian::GaussianKernel::new(
                    DMatrix::zeros(n, n),
                    marginal.mean().clone(),
                    marginal.covariance().clone(),
                )?);
            }
        }
        let (mut beliefs, mut values) = (Vec::new(), Vec::new());
        for filtered in model.smooth(data)?.filtered() {
            let mean = filtered.mean().as_slice().to_vec();
            let covariance = rows(filtered.covariance());
            let density = Density::new("covariance of the belief", &covariance, n)?;
            values.push(Running::Normal(mean.clone(), density));
            beliefs.push(Belief { mean, covariance });
        }
        let last = posterior.marginals().last().ok_or_else(no_data)?;
        let last = Belief {
            mean: last.mean().as_slice().to_vec(),
            covariance: rows(last.covariance()),
        };
        let fitted = kernels.iter().map(|kernel| Fitted {
            gain: rows(kernel.gain()),
            offset: kernel.offset().as_slice().to_vec(),
            covariance: rows(kernel.covariance()),
        });
        Self::of(
            view,
            data,
            last,
            fitted.collect(),
            beliefs,
            values,
            posterior.elbo(),
        )
    }
}

impl<M: StateSpace + Clone> NormalChain<M> {
    /// The q that a [`NonlinearFilter`] fits to `data`.
    ///
    /// # Errors
    /// As [`NonlinearFilter::new`] and [`NonlinearFilter::update`]; [`Error::Size`] for no observation.
    pub fn nonlinear(model: &M, data: &Sequence, config: NonlinearConfig) -> Result<Self> {
        let reversed = NonlinearConfig {
            elbo: ElboKind::Reversed,
            ..config.clone()
        };
        let mut guide = NonlinearFilter::new(model.clone(), reversed)?;
        let mut filter = NonlinearFilter::new(model.clone(), config)?;
        let (mut fitted, mut beliefs, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let belief = |filter: &NonlinearFilter<M>| Belief {
            mean: filter.mean().to_vec(),
            covariance: filter.covariance().to_vec(),
        };
        for row in data.iter() {
            filter.update(row)?;
            guide.update(row)?;
            fitted.extend(filter.kernel().map(|kernel| Fitted {
                gain: kernel.slope.clone(),
                offset: kernel.offset.clone(),
                covariance: kernel.covariance.clone(),
            }));
            values.extend(guide.value().cloned().map(Running::Carried));
            beliefs.push(belief(&guide));
        }
        let (last, elbo) = (belief(&filter), filter.elbo());
        Self::of(model.clone(), data, last, fitted, beliefs, values, elbo)
    }

    fn of(
        model: M,
        data: &Sequence,
        last: Belief,
        fitted: Vec<Fitted>,
        beliefs: Vec<Belief>,
        values: Vec<Running>,
        elbo: f64,
    ) -> Result<Self> {
        let n = model.dim();
        let newest = beliefs.last().ok_or_else(no_data)?;
        let standing = |belief: &Belief, widened: f64| -> Result<Component> {
            let covariance: Vec<f64> = belief.covariance.iter().map(|c| widened * c).collect();
            Ok(Component {
                gain: vec![0.0; n * n],
                offset: belief.mean.clone(),
                density: Density::new("covariance of the belief", &covariance, n)?,
            })
        };
        let kernels = fitted.into_iter().zip(&beliefs).map(|(kernel, belief)| {
            Ok(Mixture {
                safe: safe_kernel(&model, belief)?,
                fitted: Component {
                    gain: kernel.gain,
                    offset: kernel.offset,
                    density: Density::new("covariance of the kernel", &kernel.covariance, n)?,
                },
            })
        });
        Ok(Self {
            last: Mixture {
                fitted: standing(&last, 1.0)?,
                safe: standing(newest, WIDENED)?,
            },
            kernels: kernels.collect::<Result<_>>()?,
            prior: Density::new("initial_covariance", model.initial_covariance(), n)?,
            noise: Density::new("process_noise", model.noise(), n)?,
            data: data.clone(),
            values,
            elbo,
            model,
        })
    }

    /// L of the fitted q, in nats.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }

    /// ln p(y_t|x), 0 of a missing observation.
    fn log_likelihood(&self, t: usize, x: &[f64]) -> f64 {
        let row = self.data.get(t);
        row.map_or(0.0, |y| self.model.log_likelihood(y, x))
    }
}

/// How much wider the safe components are than the normal law they are made of, in variance: what is not normal reaches
/// further.
const WIDENED: f64 = 2.0;

/// The kernel that is optimal for a normal belief about x_{t−1} and f made linear at its mean, widened (eq. F29).
fn safe_kernel<M: StateSpace>(model: &M, belief: &Belief) -> Result<Component> {
    let n = model.dim();
    let (mut moved, mut slope) = (vec![0.0; n], vec![0.0; n * n]);
    model.mean_and_slope(&belief.mean, &mut moved, &mut slope);
    let square = |rows: &[f64]| DMatrix::from_row_slice(n, n, rows);
    let (f, p, q) = (
        square(&slope),
        square(&belief.covariance),
        square(model.noise()),
    );
    let predicted = &f * &p * f.transpose() + &q;
    let gain = cholesky("covariance of the predicted state", &predicted)?
        .solve(&(&f * &p))
        .transpose();
    let left = DMatrix::identity(n, n) - &gain * f;
    let covariance = (&left * p * left.transpose() + &gain * q * gain.transpose()) * WIDENED;
    let offset = DVector::from_column_slice(&belief.mean) - &gain * DVector::from_vec(moved);
    Ok(Component {
        density: Density::new("covariance of the kernel", &rows(&covariance), n)?,
        gain: rows(&gain),
        offset: offset.as_slice().to_vec(),
    })
}

fn no_data() -> Error {
    Error::size("observations", "none", "at least one")
}

impl<M: StateSpace + Clone> BackwardChain for NormalChain<M> {
    type State = Vec<f64>;

    fn steps(&self) -> usize {
        self.values.len()
    }

    fn draw_last<R: Rng + ?Sized>(&self, rng: &mut R) -> Vec<f64> {
        self.last.draw(&vec![0.0; self.model.dim()], rng)
    }

    fn draw_before<R: Rng + ?Sized>(&self, t: usize, after: &Vec<f64>, rng: &mut R) -> Vec<f64> {
        self.kernels[t].draw(after, rng)
    }

    fn log_weight_last(&self, last: &Vec<f64>) -> f64 {
        let newest = &self.values[self.values.len() - 1];
        newest.at(last) - self.last.log(last, &vec![0.0; last.len()])
    }

    fn log_weight(&self, t: usize, before: &Vec<f64>, after: &Vec<f64>) -> f64 {
        let mut moved = vec![0.0; before.len()];
        self.model.mean(before, &mut moved);
        self.values[t].at(before)
            + self.noise.log(after, &moved)
            + self.log_likelihood(t + 1, after)
            - self.kernels[t].log(before, after)
            - self.values[t + 1].at(after)
    }

    fn log_weight_first(&self, first: &Vec<f64>) -> f64 {
        self.prior.log(first, self.model.initial_mean()) + self.log_likelihood(0, first)
            - self.values[0].at(first)
    }

    fn check_state(&self, t: usize, state: &Vec<f64>) -> Result<()> {
        if state.len() != self.model.dim() {
            let found = format!("{} entries at time {t}", state.len());
            return Err(Error::size("states", found, self.model.dim()));
        }
        match state.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(i) => Err(Error::entry("states", &[t, i], state[i], "a finite number")),
        }
    }
}
