//! A start from the stationary distribution, which stays that of the parameters while these change.

use nalgebra::{DMatrix, DVector};

use super::driven::stationary_of_rates;
use super::gradient::GaussianGradient;
use super::model::LinearGaussian;
use super::start_kind::Start;
use crate::math::lyapunov::stationary_covariance;
use crate::{Error, Result};

impl LinearGaussian {
    /// The same with x_1 from the stationary distribution, m0 = F m0 + b and P0 = F P0 Fᵀ + Q: fits that do not learn m0 and P0
    /// keep them so, and files leave them out. A start with m0 and P0 ([`LinearGaussian::with_initial`]) ends that.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::LinearGaussian;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = LinearGaussian::from_rows(&[[0.6]], &[[1.6]], &[[1.0]], &[[1.0]])?.with_stationary_start()?;
    /// // Q/(1 − F²)
    /// assert!((model.initial_covariance()[(0, 0)] - 2.5).abs() < 1e-12);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] where F has no stationary distribution.
    pub fn with_stationary_start(self) -> Result<Self> {
        self.started(Start::Stationary)
    }

    /// The same of a model whose F and Q are rates.
    pub(super) fn with_stationary_start_of_rates(self) -> Result<Self> {
        self.started(Start::StationaryOfRates)
    }

    /// The same with m0 and P0 as those of `other` are: numbers of their own stay, a stationary start becomes that of this model.
    pub(crate) fn started_as(self, other: &Self) -> Result<Self> {
        match other.start() {
            Start::Given => Ok(self),
            start => self.started(start),
        }
    }

    fn started(self, start: Start) -> Result<Self> {
        let found = match start {
            Start::Given => return Ok(self),
            Start::Stationary => self.stationary(),
            Start::StationaryOfRates => stationary_of_rates(&self),
        };
        let (mean, covariance) = found.ok_or_else(|| {
            let expected =
                "a covariance: these dynamics have no stationary distribution to start from";
            Error::size("initial_covariance", "none", expected)
        })?;
        Ok(self.with_initial(mean, covariance)?.with_start(start))
    }

    /// Mean and covariance of the stationary distribution, if F has one: m = F m + b, P = F P Fᵀ + Q.
    pub(super) fn stationary(&self) -> Option<(DVector<f64>, DMatrix<f64>)> {
        let n = self.states();
        let covariance = stationary_covariance(self.transition(), self.process_noise())?;
        // Q may be blind to a direction that F does not shrink: the powers of F themselves must vanish.
        stationary_covariance(self.transition(), &DMatrix::identity(n, n))?;
        let left = DMatrix::identity(n, n) - self.transition();
        Some((left.lu().solve(self.bias())?, covariance))
    }

    /// The gradient by F, b and Q that m0 and P0 follow, of one in which they stand for themselves: with the slopes g by m0 and G
    /// by P0, λ = (I − F)⁻ᵀ g and Λ = FᵀΛF + G,
    ///
    /// ```text
    /// ∂b += λ,   ∂Q += Λ,   ∂F += λ m0ᵀ + 2 Λ F P0.
    /// ```
    pub(super) fn through_start(&self, by: &GaussianGradient) -> Option<GaussianGradient> {
        let (f, n) = (self.transition(), self.states());
        let left = (DMatrix::identity(n, n) - f).transpose();
        let mean = left.lu().solve(&by.initial_mean)?;
        let spread = stationary_covariance(&f.transpose(), &by.initial_covariance)?;
        let mut moved = by.clone();
        moved.transition +=
            &mean * self.initial_mean().transpose() + 2.0 * &spread * f * self.initial_covariance();
        moved.bias += mean;
        moved.process_noise += spread;
        moved.initial_mean.fill(0.0);
        moved.initial_covariance.fill(0.0);
        Some(moved)
    }
}
