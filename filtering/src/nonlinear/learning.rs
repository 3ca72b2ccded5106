//! Learning θ while filtering: recursive maximum likelihood.

use std::mem::swap;

use serde::{Deserialize, Serialize};

use super::ascent::AscentState;
use super::independent_coordinates::TwoPhaseUpdate;
use super::noise::Noise;
use super::{LearningConfig, NonlinearConfig, NonlinearFilter, ScoreShape, StateSpace};
use crate::{Error, Moments, Result, Step};

/// A filter that learns its model's θ while it filters (eq. F10),
///
/// ```text
/// θ ← θ + η_t · ascent( E_{q_t}[Ŝ_t] − E_{q_{t−1}}[Ŝ_{t−1}] ),
/// ```
///
/// where the difference is the slope of the newest increment of the bound. The one-step schemes carry no S: their
/// slope is E[∇_θ ln p(x_t|x_{t−1}) + ∇_θ ln g(y_t|x_t)] alone, which neglects that q_{t−1} depends on θ.
///
/// ```
/// use scotopic_filtering::nonlinear::{LearningConfig, NonlinearLearning, NonlinearConfig, models::Ar1Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Ar1Poisson::new(0.5, 0.0, 0.1, 0.0, 1.0)?;
/// let mut learning = NonlinearLearning::new(model, NonlinearConfig::default(), LearningConfig::default())?;
/// for count in [2.0, 3.0, 1.0, 4.0] {
///     learning.update(Some(&[count]))?;
/// }
/// assert!(learning.parameters()[1] > 0.0); // the log-rate has risen
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    try_from = "Saved<M>",
    into = "Saved<M>",
    bound(
        serialize = "M: StateSpace + Clone + Serialize",
        deserialize = "M: StateSpace + Clone + Deserialize<'de>"
    )
)]
pub struct NonlinearLearning<M: StateSpace> {
    filter: NonlinearFilter<M>,
    learn: LearningConfig,
    now: AscentState,
    next: AscentState,
    spare: M,
    spare_noise: Noise,
    ready: bool,
    gradient: Vec<f64>,
    factor: Vec<f64>,
    inverse: Vec<f64>,
}

impl<M: StateSpace + Clone> NonlinearLearning<M> {
    /// A filter of `model` that learns. Where `config.score` is none it becomes quadratic in up to two
    /// dimensions, affine beyond.
    ///
    /// # Errors
    /// As [`NonlinearFilter::new`], and [`Error::Setting`] for rates that make no sense.
    pub fn new(model: M, config: NonlinearConfig, learn: LearningConfig) -> Result<Self> {
        let shape = match model.dim() {
            0..=2 => ScoreShape::Quadratic,
            _ => ScoreShape::Affine,
        };
        let config = NonlinearConfig {
            score: Some(config.score.unwrap_or(shape)),
            ..config
        };
        Self::of(NonlinearFilter::new(model, config)?, learn, None)
    }

    fn of(
        filter: NonlinearFilter<M>,
        learn: LearningConfig,
        now: Option<AscentState>,
    ) -> Result<Self> {
        learn.check()?;
        let (p, n) = (filter.model().parameters_len(), filter.model().dim());
        let mut theta = vec![0.0; p];
        filter.model().parameters(&mut theta);
        let now = now.unwrap_or(AscentState {
            average: theta.clone(),
            theta,
            first: vec![0.0; p],
            second: vec![0.0; p],
            gradient: vec![0.0; p],
            steps: 0,
        });
        let parts = [
            &now.theta,
            &now.average,
            &now.first,
            &now.second,
            &now.gradient,
        ];
        let sizes = parts.map(Vec::len);
        if sizes != [p; 5] {
            return Err(Error::size(
                "the state of learning",
                format!("{sizes:?}"),
                p,
            ));
        }
        Ok(Self {
            spare: filter.model().clone(),
            spare_noise: filter.noise.clone(),
            ready: false,
            filter,
            learn,
            next: now.clone(),
            now,
            gradient: vec![0.0; p],
            factor: vec![0.0; n * n],
            inverse: vec![0.0; n * n],
        })
    }

    /// Takes the next observation `[m]` in, `None` for a missing one, and moves θ.
    ///
    /// # Errors
    /// As [`NonlinearFilter::update`], and what the model says of a θ that it cannot have. Everything is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        self.propose(observation)?;
        Ok(self.commit())
    }

    /// The filter.
    pub fn filter(&self) -> &NonlinearFilter<M> {
        &self.filter
    }

    /// The model with the present θ.
    pub fn model(&self) -> &M {
        self.filter.model()
    }

    /// θ `[P]`.
    pub fn parameters(&self) -> &[f64] {
        &self.now.theta
    }

    /// The mean of all θ so far `[P]`, late ones weighted more (polynomial decay with η = 3: Shamir and Zhang 2013).
    /// It has less of the noise of single steps than θ, and never enters the filter.
    pub fn average(&self) -> &[f64] {
        &self.now.average
    }

    /// The slope that moved θ last `[P]`, in nats.
    pub fn gradient(&self) -> &[f64] {
        &self.now.gradient
    }

    /// How many times θ has moved: at every observation after the burn-in.
    pub fn updates(&self) -> u64 {
        self.now.steps
    }

    /// L_t, each increment under the θ of its time: a prequential score.
    pub fn elbo(&self) -> f64 {
        self.filter.elbo()
    }
}

impl<M: StateSpace + Clone> TwoPhaseUpdate for NonlinearLearning<M> {
    fn propose(&mut self, observation: Option<&[f64]>) -> Result<()> {
        self.ready = false;
        self.filter.propose(observation)?;
        let (state, next) = (&self.filter.state, &self.filter.next);
        let (Some(then), Some(now)) = (&state.score, &next.score) else {
            return Err(Error::setting(
                "score",
                "none",
                "a shape, for there are parameters to learn",
            ));
        };
        if state.time < self.learn.burn_in {
            self.now.stay(&mut self.next);
        } else {
            let carried = self.filter.config().elbo == super::ElboKind::Reversed;
            self.gradient.copy_from_slice(&now.expected);
            if carried {
                for (g, then) in self.gradient.iter_mut().zip(&then.expected) {
                    *g -= then;
                }
            }
            self.now.step(&self.gradient, &self.learn, &mut self.next);
        }
        self.spare.set_parameters(&self.next.theta)?;
        let (n, noise) = (self.spare.dim(), self.spare.noise());
        let (factor, inverse) = (&mut self.factor, &mut self.inverse);
        self.spare_noise
            .refresh("process_noise", noise, n, factor, inverse)?;
        self.ready = true;
        Ok(())
    }

    fn commit(&mut self) -> Step {
        if std::mem::take(&mut self.ready) {
            swap(&mut self.filter.model, &mut self.spare);
            swap(&mut self.filter.noise, &mut self.spare_noise);
            swap(&mut self.now, &mut self.next);
            self.filter.commit()
        } else {
            self.filter.step()
        }
    }
}

impl<M: StateSpace + Clone> crate::Filter for NonlinearLearning<M> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        Self::update(self, observation)
    }

    fn parameter_updates(&self) -> Option<u64> {
        Some(self.updates())
    }

    fn signal(&self) -> Moments {
        self.filter.signal()
    }

    crate::filter::methods_of!(learning => &learning.filter);
}

/// Two learners are equal that will do the same from here on.
impl<M: StateSpace + PartialEq> PartialEq for NonlinearLearning<M> {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter && self.learn == other.learn && self.now == other.now
    }
}

#[derive(Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(
        serialize = "M: StateSpace + Clone + Serialize",
        deserialize = "M: StateSpace + Deserialize<'de>"
    )
)]
struct Saved<M: StateSpace> {
    filter: NonlinearFilter<M>,
    learn: LearningConfig,
    #[serde(rename = "climb")]
    ascent: AscentState,
}

impl<M: StateSpace> From<NonlinearLearning<M>> for Saved<M> {
    fn from(learning: NonlinearLearning<M>) -> Self {
        Self {
            filter: learning.filter,
            learn: learning.learn,
            ascent: learning.now,
        }
    }
}

impl<M: StateSpace + Clone> TryFrom<Saved<M>> for NonlinearLearning<M> {
    type Error = Error;

    fn try_from(saved: Saved<M>) -> Result<Self> {
        Self::of(saved.filter, saved.learn, Some(saved.ascent))
    }
}
