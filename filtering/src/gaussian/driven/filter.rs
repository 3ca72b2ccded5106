//! The exact filter, one row at a time, and forecasts given inputs.

use serde::{Deserialize, Serialize};

use super::elapsed::Clock;
use super::model::DrivenGaussian;
use crate::gaussian::kalman::Prepared;
use crate::gaussian::{Gaussian, Kalman};
use crate::{Belief, Error, Moments, PredictedObservation, Predictive, Result, Sequence, Step};

/// The exact filter of a [`DrivenGaussian`]: [`Kalman`], with the system of each row, over the time since the row before.
///
/// ```
/// use scotopic_filtering::Filter;
/// use scotopic_filtering::gaussian::{DrivenFilter, DrivenGaussian, LinearGaussian};
/// # fn main() -> scotopic_filtering::Result<()> {
/// // A coefficient that walks: y = x·dose + noise.
/// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.01]], &[[1.0]], &[[0.1]])?;
/// let model = DrivenGaussian::new(walk, vec!["dose".to_owned()])?.with_regressor(0, 0, "dose")?;
/// let mut filter = DrivenFilter::new(model)?;
/// for dose in [1.0, 2.0, 3.0, 4.0] {
///     filter.update(Some(&[0.5 * dose, dose]))?;
/// }
/// assert!((filter.mean()[0] - 0.5).abs() < 0.02);
/// // The next observation, given a dose.
/// let next = filter.predictive_given(&[vec![10.0]])?;
/// assert!((next[0][0].mean() - 5.0).abs() < 0.2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DrivenFilter {
    model: DrivenGaussian,
    kalman: Kalman,
    #[serde(default)]
    clock: Clock,
}

impl DrivenFilter {
    /// A filter that has seen nothing.
    ///
    /// # Errors
    /// As [`Kalman::new`].
    pub fn new(model: DrivenGaussian) -> Result<Self> {
        Ok(Self {
            kalman: Kalman::new(model.base.clone())?,
            clock: Clock::default(),
            model,
        })
    }

    /// Takes in the next row (y_t, u_t), entries of y_t that are missing as NaN.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of a wrong width, an infinite entry or an input that is missing;
    /// [`Error::NotFinite`] where the belief leaves the range of numbers. The filter is then as it was.
    pub fn update(&mut self, row: Option<&[f64]>) -> Result<Step> {
        let index = self.observations();
        let (y, u) = self.model.split(row).map_err(|e| e.at_observation(index))?;
        let mut clock = self.clock.clone();
        let system = self.model.system(u, &mut clock);
        let system = system.map_err(|e| e.at_observation(index))?;
        let before = self.kalman.exchange_model(Prepared::new(system)?);
        let step = self.kalman.update(y);
        match step {
            Ok(_) => self.clock = clock,
            Err(_) => {
                self.kalman.exchange_model(before);
            }
        }
        step
    }

    /// The model.
    pub fn model(&self) -> &DrivenGaussian {
        &self.model
    }

    /// m_t `[n]`; m0 before the first row.
    pub fn mean(&self) -> &[f64] {
        self.kalman.mean()
    }

    /// P_t `[n·n]`, row after row; P0 before the first row.
    pub fn covariance(&self) -> &[f64] {
        self.kalman.covariance()
    }

    /// L_t = ln p(y_1 … y_t | u_1 … u_t), in nats.
    pub fn elbo(&self) -> f64 {
        self.kalman.elbo()
    }

    /// How many rows were taken in.
    pub fn observations(&self) -> u64 {
        self.kalman.observations()
    }

    /// The beliefs about the outputs of the next rows, given the inputs `[M]` of each.
    ///
    /// # Errors
    /// [`Error::Setting`] for other than a finite number for each input.
    pub fn predict_given(&self, inputs: &[Vec<f64>]) -> Result<Vec<Gaussian>> {
        let mut ahead = self.kalman.clone();
        let mut clock = self.clock.clone();
        let mut all = Vec::with_capacity(inputs.len());
        for u in inputs {
            self.model.check_inputs(u, 0)?;
            ahead.exchange_model(Prepared::new(self.model.system(u, &mut clock)?)?);
            all.push(ahead.predict_observation(usize::from(ahead.observations() > 0)));
            ahead.update(None)?;
        }
        Ok(all)
    }

    /// The distribution of each output of the next rows `[ahead][m]`, given the inputs `[M]` of each.
    ///
    /// # Errors
    /// As [`DrivenFilter::predict_given`]; [`Error::Entry`] for a prediction that is not finite.
    pub fn predictive_given(&self, inputs: &[Vec<f64>]) -> Result<Vec<Vec<Predictive>>> {
        let law = |belief: &Gaussian, i: usize| {
            Predictive::normal(belief.mean[i], belief.covariance[(i, i)])
        };
        let beliefs = self.predict_given(inputs)?;
        let rows = beliefs.iter();
        rows.map(|belief| (0..belief.mean.len()).map(|i| law(belief, i)).collect())
            .collect()
    }

    /// The next rows, drawn jointly, given their inputs.
    ///
    /// # Errors
    /// [`Error::Unsupported`] while the belief is diffuse; as [`DrivenGaussian::sample_given`].
    pub fn simulate_given<R: rand::Rng + ?Sized>(
        &self,
        inputs: &Sequence,
        rng: &mut R,
    ) -> Result<Sequence> {
        if self.kalman.diffuse() > 0 {
            return Err(Error::Unsupported {
                what: "a belief that is still diffuse".to_owned(),
                asked: "be drawn from",
                why: "some states have no prior and no observation has fixed them",
            });
        }
        let mut next = self.kalman.clone();
        let first = inputs.iter().flatten().next();
        if let Some(u) = first {
            self.model.check_inputs(u, 0)?;
            let system = self.model.system(u, &mut self.clock.clone())?;
            next.exchange_model(Prepared::new(system)?);
        }
        let state = next.predicted();
        let base = self.model.base.clone();
        let started = base.with_initial(state.mean, state.covariance)?;
        let model = self.model.with_numbers(
            started,
            self.model.control.clone(),
            self.model.direct.clone(),
        );
        Ok(model.sample_given(inputs, rng)?.1)
    }
}

impl crate::Filter for DrivenFilter {
    fn accepts_partial_rows(&self) -> bool {
        true
    }

    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::normal(self.mean(), self.covariance())
    }

    fn width(&self) -> usize {
        self.model.width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        Err(Error::Unsupported {
            what: "a model with inputs".to_owned(),
            asked: "predict an observation without them",
            why: "name those of the next row (DrivenFilter::predictive_given, AnyFilter::predictive_given)",
        })
    }

    fn signal(&self) -> Moments {
        crate::Filter::signal(&self.kalman)
    }
}
