//! The model: π, A and a linear-Gaussian model for each regime.

use serde::{Deserialize, Serialize};

use crate::error::check_distribution;
use crate::gaussian::LinearGaussian;
use crate::math::cholesky::cholesky;
use crate::{Error, Result, Sequence};

/// A switching linear dynamical system (eq. F110): regime s_t of a Markov chain says by which F, b, Q the state moves to x_t, and by which
/// H, d, R it is seen.
///
/// ```text
/// p(s_1 = k) = π_k,   p(s_t = k|s_{t−1} = i) = A_ik,   x_1 ~ N(m0, P0)
/// x_t = F_k x_{t−1} + b_k + N(0, Q_k),   y_t = H_k x_t + d_k + N(0, R_k),   k = s_t
/// ```
///
/// The start of the state does not depend on the regime. Q, R and P0 must be positive definite. Where H, d and R are the same in all
/// regimes, they are one parameter: a fit keeps them the same.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::gaussian::LinearGaussian;
/// use scotopic_filtering::switching::Slds;
/// # fn main() -> scotopic_filtering::Result<()> {
/// // A level that rests, or moves fast.
/// let level = |variance: f64| LinearGaussian::from_rows(&[[1.0]], &[[variance]], &[[1.0]], &[[0.1]]);
/// let model = Slds::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], vec![level(0.01)?, level(4.0)?])?;
/// let seen = Sequence::of_numbers([0.1, -0.2, 0.0, 0.1, 3.0, 6.1, 2.0, 2.2, 2.1])?;
/// let smoothed = model.smooth(&seen)?;
/// assert!(smoothed.regimes()[2 * 2 + 1] < 0.2 && smoothed.regimes()[2 * 5 + 1] > 0.8);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "super::file::Parts", into = "super::file::Parts")]
pub struct Slds {
    initial: Vec<f64>,
    /// Row after row.
    transition: Vec<f64>,
    regimes: Vec<LinearGaussian>,
}

impl Slds {
    /// A model from π `[K]`, A `[K][K]` and K regimes, each a linear-Gaussian model, all with the same m0 and P0.
    ///
    /// # Errors
    /// [`Error::Size`] for no regime, sizes that do not go together or starts that differ; [`Error::Entry`] for what is no probability;
    /// [`Error::NotPositiveDefinite`] for a Q or P0 that is not positive definite; [`Error::Unsupported`] for a diffuse start.
    pub fn new(
        initial: Vec<f64>,
        transition: Vec<Vec<f64>>,
        regimes: Vec<LinearGaussian>,
    ) -> Result<Self> {
        let k = regimes.len();
        let other = |(_, row): &(usize, &Vec<f64>)| row.len() != k;
        if let Some((i, row)) = transition.iter().enumerate().find(other).filter(|_| k > 0) {
            let found = format!("{} entries", row.len());
            let expected = format!("{k}, one a regime");
            return Err(Error::size(format!("transition[{i}]"), found, expected));
        }
        Self::from_flat(initial, transition.concat(), regimes)
    }

    /// The same with A `[K·K]` row after row.
    pub(super) fn from_flat(
        mut initial: Vec<f64>,
        mut transition: Vec<f64>,
        regimes: Vec<LinearGaussian>,
    ) -> Result<Self> {
        let Some(first) = regimes.first() else {
            return Err(Error::size("regimes", "none", "at least one"));
        };
        let k = regimes.len();
        let one_each = |name: &str, found: usize| match found == k {
            true => Ok(()),
            false => Err(Error::size(name, found, format!("{k}, one a regime"))),
        };
        one_each("initial", initial.len())?;
        one_each("transition", transition.len() / k)?;
        check_distribution("initial", &[], &mut initial)?;
        for (i, row) in transition.chunks_exact_mut(k).enumerate() {
            check_distribution("transition", &[i], row)?;
        }
        first.check_proper("a switching model", "start diffuse")?;
        cholesky("initial_covariance", first.initial_covariance())?;
        for (i, regime) in regimes.iter().enumerate() {
            let sizes = |model: &LinearGaussian| {
                format!(
                    "a state of {} seen as {} numbers",
                    model.states(),
                    model.width()
                )
            };
            if sizes(regime) != sizes(first) {
                let name = format!("regimes[{i}]");
                return Err(Error::size(name, sizes(regime), sizes(first)));
            }
            if regime.initial_mean() != first.initial_mean()
                || regime.initial_covariance() != first.initial_covariance()
                || !regime.diffuse().is_empty()
            {
                let expected = "that of regimes[0]: the start does not depend on the regime";
                return Err(Error::size(
                    format!("regimes[{i}]"),
                    "a start of its own",
                    expected,
                ));
            }
            let name = format!("regimes[{i}].process_noise");
            cholesky(&name, regime.process_noise())?;
        }
        Ok(Self {
            initial,
            transition,
            regimes,
        })
    }

    /// K.
    pub fn regimes_len(&self) -> usize {
        self.regimes.len()
    }

    /// n, the entries of a state.
    pub fn states(&self) -> usize {
        self.start().states()
    }

    /// m, the entries of one observation.
    pub fn width(&self) -> usize {
        self.start().width()
    }

    /// π `[K]`.
    pub fn initial(&self) -> &[f64] {
        &self.initial
    }

    /// A `[K·K]`, row after row.
    pub fn transition(&self) -> &[f64] {
        &self.transition
    }

    /// F, b, Q, H, d, R of each regime, and m0 and P0, the same in all.
    pub fn regimes(&self) -> &[LinearGaussian] {
        &self.regimes
    }

    /// One that has m0 and P0.
    pub(super) fn start(&self) -> &LinearGaussian {
        // There is one: see `from_flat`.
        &self.regimes[0]
    }

    /// Whether H, d and R are the same in all regimes.
    pub fn shares_observation(&self) -> bool {
        let first = self.start();
        self.regimes.iter().all(|regime| {
            regime.observation() == first.observation()
                && regime.offset() == first.offset()
                && regime.observation_noise() == first.observation_noise()
        })
    }

    /// The numbers that the evidence of observations can tell: entries of π, A, of every F, b and, once each, Q, of H, d and R (once where
    /// they are shared), of m0 and P0, less the n² + n of basis and origin of the states.
    pub fn free_parameters(&self) -> usize {
        let (k, n, m) = (self.regimes_len(), self.states(), self.width());
        let symmetric = |n: usize| n * (n + 1) / 2;
        let seen = m * n + m + symmetric(m);
        let seen = match self.shares_observation() {
            true => seen,
            false => k * seen,
        };
        let chain = (k - 1) + k * (k - 1);
        chain + k * (n * n + n + symmetric(n)) + seen + n + symmetric(n) - (n * n + n)
    }

    /// Checks the rows of a sequence: their width, the others are finite or missing as they are in a sequence.
    pub(super) fn check_sequence(&self, sequence: &Sequence) -> Result<()> {
        self.start().check_width(sequence.width())
    }
}
