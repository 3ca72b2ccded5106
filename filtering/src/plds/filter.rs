//! The filter: a Gaussian belief and a prequential score.

use serde::{Deserialize, Serialize};

use super::correction::{Correction, Point, Seen};
use super::loadings::Loadings;
use super::model::Plds;
use crate::math::square;
use crate::step::{Step, Sum};
use crate::{Belief, Error, Result};

/// An online filter with q_t = N(μ_t, Σ_t): the prediction N(F μ + b, F Σ Fᵀ + Q), corrected by the Gaussian of highest
/// bound (eqs. F71–F73).
///
/// ```text
/// L_t − L_{t−1} = max_q  E_q[ln p(y_t|x_t)] − KL(q‖N(m⁻, P⁻))  ≤  ln ∫ N(x; m⁻, P⁻) p(y_t|x) dx
/// ```
///
/// The right-hand side is ln p̂(y_t|y_<t), a distribution of y_t that is made of y_1 … y_{t−1} alone, and sums to one. So
/// L_t is a prequential score: at most the log score of the forecaster p̂, whose expectation under the model is never above
/// that of ln p(y_1…y_t). Because N(m⁻, P⁻) approximates the predictive distribution of the state, L_t bounds ln p in
/// expectation only: of a single sequence it may be above ln p. The bound of [`Plds::smooth`] never is.
///
/// An update allocates nothing. Entries that are NaN are missing; a missing row only spreads the belief.
///
/// ```
/// use scotopic_filtering::plds::{CountLaw, Plds, PldsFilter};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Plds::from_rows(CountLaw::Bernoulli, &[[0.9]], &[[0.2]], &[[1.5], [1.0]], &[-1.0, -1.0])?;
/// let mut filter = PldsFilter::new(model)?;
/// let step = filter.update(Some(&[1.0, f64::NAN]))?; // the second neuron was not recorded
/// assert!(filter.mean()[0] > 0.0 && step.elbo < 0.0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct PldsFilter {
    model: Plds,
    dynamics: Dynamics,
    loadings: Loadings,
    observations: u64,
    elbo: Sum,
    now: Point,
    predicted: Point,
    next: Point,
    work: Correction,
}

/// F, Fᵀ, Q row by row, and memory.
#[derive(Debug, Clone, PartialEq)]
struct Dynamics {
    f: Vec<f64>,
    f_transposed: Vec<f64>,
    q: Vec<f64>,
    moved: Vec<f64>,
}

impl Dynamics {
    fn new(model: &Plds) -> Self {
        let f = model.transition();
        Self {
            f: f.transpose().as_slice().to_vec(),
            f_transposed: f.as_slice().to_vec(),
            q: model.process_noise().as_slice().to_vec(),
            moved: vec![0.0; f.len()],
        }
    }

    /// N(F m + b, F P Fᵀ + Q).
    fn advance(&mut self, bias: &[f64], from: &Point, into: &mut Point) {
        let n = bias.len();
        square::apply(&self.f, &from.mean, &mut into.mean);
        into.mean.iter_mut().zip(bias).for_each(|(m, b)| *m += b);
        square::product(&self.f, &from.covariance, &mut self.moved, n);
        into.covariance.copy_from_slice(&self.q);
        square::add_product(&self.moved, &self.f_transposed, &mut into.covariance, n);
        square::symmetrise(&mut into.covariance, n);
    }
}

impl PldsFilter {
    /// A filter that has seen nothing.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a start that cannot be inverted.
    pub fn new(model: Plds) -> Result<Self> {
        let (n, neurons) = (model.states(), model.width());
        let mut work = Correction::new(n, neurons);
        let mut now = Point::zero(n);
        now.mean.copy_from_slice(model.initial_mean().as_slice());
        now.covariance
            .copy_from_slice(model.initial_covariance().as_slice());
        if !now.invert_covariance(&mut work.factors) {
            return Err(singular(0));
        }
        Ok(Self {
            dynamics: Dynamics::new(&model),
            loadings: model.tables(),
            observations: 0,
            elbo: Sum::default(),
            predicted: now.clone(),
            next: now.clone(),
            now,
            work,
            model,
        })
    }

    /// Takes the next observation `[N]` in; NaN for a missing entry, `None` for a missing row.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row that is not of the model, [`Error::NotFinite`] where the bound or the covariance
    /// leaves the range of numbers. The filter is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let t = self.observations;
        let checked = observation.map_or(Ok(()), |row| self.model.check(row));
        checked.map_err(|e| e.at_observation(t))?;
        let observation = observation.filter(|row| row.iter().any(|y| !y.is_nan()));
        if t == 0 {
            self.predicted.copy(&self.now);
        } else {
            let bias = self.model.bias().as_slice();
            self.dynamics.advance(bias, &self.now, &mut self.predicted);
            if !self.predicted.invert_covariance(&mut self.work.factors) {
                return Err(singular(t));
            }
        }
        let increment = match observation {
            None => {
                self.next.copy(&self.predicted);
                0.0
            }
            Some(row) => self.correct(row)?,
        };
        std::mem::swap(&mut self.now, &mut self.next);
        self.observations += 1;
        self.elbo = self.elbo.plus(increment);
        Ok(Step {
            increment,
            elbo: self.elbo(),
        })
    }

    /// From the predicted mean, with the spread of the last belief: between two bins it hardly changes.
    fn correct(&mut self, row: &[f64]) -> Result<f64> {
        let law = self.model.law();
        let seen = Seen {
            law,
            loadings: &self.loadings,
            row,
        };
        self.next.mean.copy_from_slice(&self.predicted.mean);
        self.next.copy_spread(&self.now);
        let bound = self.work.ascend(seen, &self.predicted, &mut self.next);
        let constants = row.iter().filter(|y| !y.is_nan()).map(|y| law.constant(*y));
        let bound = bound + constants.sum::<f64>();
        match bound.is_finite() {
            true => Ok(bound),
            false => Err(Error::not_finite(
                self.observations,
                "the evidence lower bound",
                bound,
            )),
        }
    }

    /// The model.
    pub fn model(&self) -> &Plds {
        &self.model
    }

    /// μ_t `[n]`.
    pub fn mean(&self) -> &[f64] {
        &self.now.mean
    }

    /// Σ_t `[n, n]`.
    pub fn covariance(&self) -> &[f64] {
        &self.now.covariance
    }

    /// L_t, nats.
    pub fn elbo(&self) -> f64 {
        self.elbo.value()
    }

    /// t, missing observations included.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Natural-gradient steps of the newest correction.
    pub fn steps(&self) -> usize {
        self.work.steps
    }

    /// Prediction and correction of the newest observation, as precisions: what it adds to Λ and to Λμ.
    pub(super) fn newest(&self) -> (&Point, &Point) {
        (&self.predicted, &self.now)
    }

    /// The same belief and evidence under another model of the same sizes.
    pub(super) fn change_model(&mut self, model: Plds) {
        self.dynamics = Dynamics::new(&model);
        self.loadings = model.tables();
        self.model = model;
    }
}

/// Two filters are equal that will do the same from here on.
impl PartialEq for PldsFilter {
    fn eq(&self, other: &Self) -> bool {
        self.model == other.model
            && (self.observations, self.elbo) == (other.observations, other.elbo)
            && self.now == other.now
    }
}

fn singular(t: u64) -> Error {
    Error::not_finite(t, "the inverse of the predicted covariance", f64::NAN)
}

impl crate::Filter for PldsFilter {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::normal(&self.now.mean, &self.now.covariance)
    }

    fn width(&self) -> usize {
        self.model.width()
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn predicted_observation(&self) -> Result<crate::PredictedObservation> {
        let moments = self
            .model
            .moments_ahead(self.mean(), self.covariance(), self.observations);
        Ok(crate::PredictedObservation::Numbers(moments))
    }

    fn signal(&self) -> crate::Moments {
        self.model.signal(self.mean(), self.covariance())
    }
}

/// The form of a filter in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    model: Plds,
    observations: u64,
    elbo: Sum,
    belief: Point,
}

impl From<PldsFilter> for Snapshot {
    fn from(filter: PldsFilter) -> Self {
        Self {
            model: filter.model,
            observations: filter.observations,
            elbo: filter.elbo,
            belief: filter.now,
        }
    }
}

impl TryFrom<Snapshot> for PldsFilter {
    type Error = Error;
    fn try_from(snapshot: Snapshot) -> Result<Self> {
        let mut filter = Self::new(snapshot.model)?;
        let (n, belief) = (filter.model.states(), snapshot.belief);
        let sizes = [
            belief.mean.len(),
            belief.covariance.len(),
            belief.precision.len(),
        ];
        if sizes != [n, n * n, n * n] {
            let found = format!("{sizes:?} numbers");
            return Err(Error::size(
                "belief",
                found,
                format!("those of {n} latents"),
            ));
        }
        crate::error::check_finite("mean", n, &belief.mean)?;
        crate::gaussian::Gaussian::new(
            belief.mean.clone().into(),
            nalgebra::DMatrix::from_row_slice(n, n, &belief.covariance),
        )?;
        let mut copy = belief.clone();
        if !(copy.invert_precision(&mut filter.work.factors) && belief.log_det.is_finite()) {
            return Err(Error::NotPositiveDefinite {
                name: "precision".to_owned(),
                pivot: 0,
                value: f64::NAN,
            });
        }
        filter.now = belief;
        (filter.observations, filter.elbo) = (snapshot.observations, snapshot.elbo);
        Ok(filter)
    }
}
