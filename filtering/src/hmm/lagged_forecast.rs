//! Forecasts of an autoregression whose states change: moments of the lags within each state.

use nalgebra::{DMatrix, DVector};

use super::emission_rows::mixtures;
use super::lag::through;
use super::{AnyEmission, Autoregression, Hmm};
use crate::filter::unsupported;
use crate::{Error, Law, Predictive, Result};

/// z_{t+h} = (x_{t+h}, x_{t+h−1} … x_{t+h−p+1}) given what was seen up to t, in each state (eq. F95):
///
/// ```text
/// w_j = Σ_i w_i A_ij,    z⁻_j = Σ_i (w_i A_ij/w_j) m_i,    P⁻_j = Σ_i (w_i A_ij/w_j) [P_i + (m_i − z⁻_j)(m_i − z⁻_j)ᵀ]
/// m_j = F_j z⁻_j + (b_j, 0),    P_j = F_j P⁻_j F_jᵀ + diag(Σ_j, 0)
/// ```
///
/// with F_j the companion matrix of A_j1 … A_jp. Given the state these are the exact mean and covariance for every h; their law is normal
/// for h = 1, and a mixture over paths of states after that.
pub(crate) struct Ahead<'a> {
    emission: &'a Autoregression,
    transition: &'a [f64],
    /// p(s_{t+h}) `[K]`.
    weights: Vec<f64>,
    means: Vec<DVector<f64>>,
    covariances: Vec<DMatrix<f64>>,
}

impl<'a> Ahead<'a> {
    /// One step ahead of a belief about s_t, or about s_1 before the first observation.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for an emission that is no autoregression.
    pub(super) fn of(model: &'a Hmm, belief: &[f64], first: bool, lags: &[f64]) -> Result<Self> {
        let AnyEmission::Autoregression(emission) = model.emission() else {
            return Err(unsupported());
        };
        let k = model.states();
        let mut weights = vec![0.0; k];
        let steps = usize::from(!first);
        through(belief, (0..steps).map(|_| model.transition()), &mut weights);
        let mut new = Self {
            emission,
            transition: model.transition(),
            weights,
            means: vec![DVector::from_column_slice(lags); k],
            covariances: vec![DMatrix::zeros(lags.len(), lags.len()); k],
        };
        new.emit();
        Ok(new)
    }

    /// From the lags of an observation to those of the next.
    fn emit(&mut self) {
        let d = self.emission.outputs();
        for (j, (mean, covariance)) in self.means.iter_mut().zip(&mut self.covariances).enumerate()
        {
            let b = self.emission.regression(j);
            let n = mean.len();
            let mut companion = DMatrix::zeros(n, n);
            companion
                .view_mut((0, 0), (d, n))
                .copy_from(&b.columns(1, n));
            for i in d..n {
                companion[(i, i - d)] = 1.0;
            }
            *mean = &companion * &*mean;
            *covariance = &companion * &*covariance * companion.transpose();
            let mut newest = mean.rows_mut(0, d);
            newest += b.column(0);
            let mut noise = covariance.view_mut((0, 0), (d, d));
            noise += self.emission.covariance(j);
        }
    }

    /// To the next observation.
    pub(crate) fn step(&mut self) {
        let k = self.weights.len();
        let mut weights = vec![0.0; k];
        let (mut means, mut covariances) = (self.means.clone(), self.covariances.clone());
        for j in 0..k {
            let from = |i: usize| self.weights[i] * self.transition[i * k + j];
            let total: f64 = (0..k).map(from).sum();
            weights[j] = total;
            // Of a state that cannot be there nothing matters.
            if total <= 0.0 {
                continue;
            }
            let share = |i: usize| from(i) / total;
            let n = means[j].len();
            means[j] = (0..k).fold(DVector::zeros(n), |sum, i| sum + &self.means[i] * share(i));
            covariances[j] = (0..k).fold(DMatrix::zeros(n, n), |sum, i| {
                let off = &self.means[i] - &means[j];
                sum + (&self.covariances[i] + &off * off.transpose()) * share(i)
            });
        }
        (self.weights, self.means, self.covariances) = (weights, means, covariances);
        self.emit();
    }

    /// The law of each entry of the observation.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where an unstable model has left the range of numbers.
    pub(crate) fn predictive(&self) -> Result<Vec<Predictive>> {
        let d = self.emission.outputs();
        mixtures(&self.weights, d, |at| Law::Normal {
            mean: self.means[at / d][at % d],
            variance: self.covariances[at / d][(at % d, at % d)],
        })
        .ok_or(Error::NotFinite {
            index: 0,
            what: "the forecast",
            found: f64::INFINITY,
        })
    }
}
