//! Standardised one-step residuals, and tests of what they should be: independent, normal, of one variance.

mod diagnostics;

pub use diagnostics::{Diagnostics, TestResult, autocorrelations};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::any_model::AnyModel;
use crate::math::normal::normal_quantile_of_tails;
use crate::predictive::{Law, Predictive};
use crate::{AnyFilter, Filter, Result, Sequence};

/// What is taken of a count or symbol, whose distribution function jumps at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscreteResidual {
    /// u uniform within the jump, from this seed: exactly normal under the model (P. K. Dunn, G. K. Smyth, "Randomized
    /// quantile residuals", 1996).
    Randomised(u64),
    /// The middle of the jump: nothing random, and only nearly normal.
    MidQuantile,
}

impl Default for DiscreteResidual {
    fn default() -> Self {
        Self::Randomised(0)
    }
}

/// The residuals of a sequence, a series for each entry of an observation (eq. F61).
///
/// ```text
/// z_t = Φ⁻¹(u_t),   u_t = F_t(y_t),   F_t(y) = P(Y_t ≤ y | o_1…o_{t−1}),
/// u_t = F_t(y_t − 1) + r_t p_t(y_t)   for whole numbers, r_t ~ U(0, 1) or ½
/// ```
///
/// For a linear-Gaussian model z_t = (y_t − E y_t)/sd y_t, the standardised innovation. Under the model z_1, z_2, … of
/// each entry are independent N(0, 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Residuals {
    /// z `[output][T]`; not a number where nothing was seen.
    pub standardised: Vec<Vec<f64>>,
    /// Tests of each entry's series.
    pub diagnostics: Vec<Diagnostics>,
}

/// Residuals stay within this many standard deviations: an observation that the model all but rules out has a number.
const FARTHEST: f64 = 39.0;

/// z of `y` under its predictive distribution.
fn standardised(predictive: &Predictive, y: f64, r: impl FnOnce() -> f64) -> f64 {
    if let [(_, Law::Normal { mean, variance })] = predictive.parts() {
        // Before anything is known of it there is no residual.
        return match predictive.is_known() {
            true => (y - mean) / variance.sqrt(),
            false => f64::NAN,
        };
    }
    let (below, above) = match predictive.is_discrete() {
        false => predictive.tails(y),
        true => {
            let (less, at_least) = predictive.strict_tails(y);
            let (at_most, more) = predictive.tails(y);
            let r = r();
            (
                less + r * (at_most - less).max(0.0),
                more + (1.0 - r) * (at_least - more).max(0.0),
            )
        }
    };
    normal_quantile_of_tails(below, above).clamp(-FARTHEST, FARTHEST)
}

impl AnyFilter {
    /// Takes in `sequence`, and the residuals on the way.
    ///
    /// # Errors
    /// As [`AnyFilter::predictive`] and [`Filter::update`], with the number of the observation.
    pub fn residuals(
        mut self,
        sequence: &Sequence,
        discrete: DiscreteResidual,
    ) -> Result<Vec<Vec<f64>>> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(match discrete {
            DiscreteResidual::Randomised(seed) => seed,
            DiscreteResidual::MidQuantile => 0,
        });
        let outputs = self.width() - self.inputs().len();
        let mut all = vec![Vec::with_capacity(sequence.len()); outputs];
        for row in sequence.iter() {
            match row {
                None => all.iter_mut().for_each(|z| z.push(f64::NAN)),
                // Inputs alone.
                Some(row) if row[..outputs].iter().all(|y| y.is_nan()) => {
                    all.iter_mut().for_each(|z| z.push(f64::NAN));
                }
                // A lag is missing: nothing was predicted.
                Some(_) if self.lacks_lags() => {
                    all.iter_mut().for_each(|z| z.push(f64::NAN));
                }
                Some(row) => {
                    let predictive = self.predictive_given(1, &row[outputs..])?;
                    for ((z, law), y) in all.iter_mut().zip(&predictive).zip(row) {
                        let r = || match discrete {
                            DiscreteResidual::Randomised(_) => rng.random::<f64>(),
                            DiscreteResidual::MidQuantile => 0.5,
                        };
                        // Of a row that is partly seen, the entries that are.
                        z.push(match y.is_nan() {
                            true => f64::NAN,
                            false => standardised(law, *y, r),
                        });
                    }
                }
            }
            self.update(row)?;
        }
        Ok(all)
    }
}

impl AnyModel {
    /// The residuals of a sequence under the exact filter, or the reversed factorisation where there is none, with tests
    /// over `lags` lags: `None` for min(10, T/5).
    ///
    /// ```
    /// use scotopic_filtering::gaussian::LinearGaussian;
    /// use scotopic_filtering::{AnyModel, DiscreteResidual, Sequence};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
    /// let y = Sequence::of_numbers([0.3, 0.1, 0.4, -0.2, 0.5, 0.0, 0.7, 0.2])?;
    /// let residuals = AnyModel::LinearGaussian(walk).residuals(&y, DiscreteResidual::default(), None)?;
    /// // The first is 0.3 under N(0, 1 + 1).
    /// assert!((residuals.standardised[0][0] - 0.3 / 2f64.sqrt()).abs() < 1e-15);
    /// assert!(residuals.diagnostics[0].normality.p_value > 0.05);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`AnyFilter::residuals`].
    pub fn residuals(
        &self,
        sequence: &Sequence,
        discrete: DiscreteResidual,
        lags: Option<usize>,
    ) -> Result<Residuals> {
        let filter = AnyFilter::new(self.clone(), "reversed")?;
        let standardised = filter.residuals(sequence, discrete)?;
        let diagnostics = standardised.iter().map(|z| Diagnostics::of(z, lags));
        Ok(Residuals {
            diagnostics: diagnostics.collect(),
            standardised,
        })
    }
}
