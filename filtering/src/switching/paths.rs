//! Paths of regimes: the most probable one under q(s), and the evidence of any of them.

use super::chain::best_path;
use super::model::Slds;
use super::smoother::SldsSmoothed;
use crate::gaussian::{After, Before, Plan, advance, flat};
use crate::step::Sum;
use crate::{Error, Result, Sequence};

impl SldsSmoothed {
    /// The path s_1…s_T of highest q(s_1…s_T), numbers from 0.
    pub fn most_probable_path(&self, model: &Slds) -> Vec<usize> {
        // Weights are finite and rows of A sum to 1: there is a path.
        best_path(model, &self.factors.weights).unwrap_or_default()
    }
}

impl Slds {
    /// ln p(s_1…s_T, y_1…y_T) of a path of regimes, numbers from 0, in nats: exact, by the Kalman filter whose model changes with time.
    /// The sum of its exponential over all Kᵀ paths is p(y_1…y_T).
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::gaussian::LinearGaussian;
    /// use scotopic_filtering::switching::Slds;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let level = |variance: f64| LinearGaussian::from_rows(&[[1.0]], &[[variance]], &[[1.0]], &[[0.1]]);
    /// let model = Slds::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.2, 0.8]], vec![level(0.01)?, level(4.0)?])?;
    /// let seen = Sequence::of_numbers([0.0, 3.0])?;
    /// let paths = [[0, 0], [0, 1], [1, 0], [1, 1]];
    /// let each = paths.map(|path| model.path_evidence(&seen, &path).unwrap().exp());
    /// assert!(each.iter().sum::<f64>().ln() > model.smooth(&seen)?.elbo());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for a path of another length or observations of another width, [`Error::Entry`] for a regime that the model has not,
    /// [`Error::NotFinite`].
    pub fn path_evidence(&self, sequence: &Sequence, path: &[usize]) -> Result<f64> {
        self.check_sequence(sequence)?;
        if path.len() != sequence.len() {
            return Err(Error::size("path", path.len(), sequence.len()));
        }
        let (k, n) = (self.regimes_len(), self.states());
        let plans: Vec<Plan> = self
            .regimes()
            .iter()
            .map(Plan::new)
            .collect::<Result<_>>()?;
        let mut mean = self.start().initial_mean().as_slice().to_vec();
        let mut covariance = flat(self.start().initial_covariance());
        let (mut next, mut spread) = (vec![0.0; n], vec![0.0; n * n]);
        // A row that is seen in part takes no more.
        let mut scratch = vec![0.0; plans.iter().map(Plan::scratch).max().unwrap_or_default()];
        let mut sum = Sum::default();
        for (t, (row, &s)) in sequence.iter().zip(path).enumerate() {
            let Some(whole) = plans.get(s) else {
                return Err(Error::entry(
                    "path",
                    &[t],
                    s,
                    format!("a regime, below {k}"),
                ));
            };
            sum = sum.plus(match t {
                0 => self.initial()[s].ln(),
                _ => self.transition()[path[t - 1] * k + s].ln(),
            });
            let partial = match row.filter(|row| row.iter().any(|y| y.is_nan())) {
                Some(row) => Some(Plan::of_seen(&self.regimes()[s], row)?),
                None => None,
            };
            let (plan, row) = match &partial {
                Some((plan, seen)) => (plan, Some(&seen[..])),
                None => (whole, row),
            };
            let from = Before {
                mean: &mean,
                covariance: &covariance,
                earlier: t > 0,
            };
            let into = After {
                mean: &mut next,
                covariance: &mut spread,
            };
            sum = sum.plus(advance(plan, row, from, into, &mut scratch));
            std::mem::swap(&mut mean, &mut next);
            std::mem::swap(&mut covariance, &mut spread);
        }
        match sum.value() {
            found if found.is_nan() || found == f64::INFINITY => {
                Err(Error::not_finite(0, "ln p(path, data)", found))
            }
            found => Ok(found),
        }
    }
}
