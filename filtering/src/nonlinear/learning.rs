//! Learning θ while filtering: recursive maximum likelihood.

use std::mem::swap;

use serde::{Deserialize, Serialize};

use super::bound::Noise;
use super::product::Online;
use super::{Filter, ScoreShape, Settings, StateSpace};
use crate::{Error, Result, Step};

/// The rate of step t, counted from 0: η_t = rate · scale/(scale + t^exponent).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// η_0.
    pub rate: f64,
    /// How large t^exponent is when the rate has halved.
    pub scale: f64,
    /// Between ½ and 1 the steps sum to infinity and their squares do not; 0 keeps the rate.
    pub exponent: f64,
}

impl Default for Schedule {
    /// That of Campbell et al. 2021, figure 1b: 3·10⁻² · 10/(10 + t^0.6).
    fn default() -> Self {
        Self {
            rate: 3e-2,
            scale: 10.0,
            exponent: 0.6,
        }
    }
}

impl Schedule {
    /// η_t.
    pub fn at(&self, step: u64) -> f64 {
        self.rate * self.scale / (self.scale + (step as f64).powf(self.exponent))
    }
}

/// How a gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Ascent {
    /// θ ← θ + η g.
    Plain,
    /// Adam (Kingma and Ba 2015): each parameter's gradient over its running root mean square.
    Adam {
        /// The forgetting of the mean; 0.9 there.
        first: f64,
        /// The forgetting of the mean square; 0.999 there.
        second: f64,
        /// What keeps the quotient finite; 1e-8 there.
        epsilon: f64,
    },
}

impl Ascent {
    /// Adam with the constants of its authors.
    pub fn adam() -> Self {
        Ascent::Adam {
            first: 0.9,
            second: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// How θ is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learn {
    /// Adam by default: parameters of different scales share one rate.
    pub ascent: Ascent,
    /// The rates of the steps.
    pub schedule: Schedule,
    /// So many observations are filtered before the first step, that of an unknown x_1. By default 1.
    pub burn_in: u64,
}

impl Default for Learn {
    fn default() -> Self {
        Self {
            ascent: Ascent::adam(),
            schedule: Schedule::default(),
            burn_in: 1,
        }
    }
}

impl Learn {
    fn check(&self) -> Result<()> {
        let Schedule {
            rate,
            scale,
            exponent,
        } = self.schedule;
        let fit = rate >= 0.0 && rate.is_finite() && scale > 0.0 && scale.is_finite();
        if !fit || !(0.0..=1.0).contains(&exponent) {
            let expected = "rate ≥ 0, scale > 0, exponent from 0 to 1";
            return Err(Error::setting(
                "schedule",
                format!("{:?}", self.schedule),
                expected,
            ));
        }
        if let Ascent::Adam {
            first,
            second,
            epsilon,
        } = self.ascent
        {
            let forgetting = 0.0..1.0;
            if !forgetting.contains(&first)
                || !forgetting.contains(&second)
                || epsilon.is_nan()
                || epsilon <= 0.0
            {
                let expected = "first and second from 0 to below 1, epsilon > 0";
                return Err(Error::setting(
                    "ascent",
                    format!("{:?}", self.ascent),
                    expected,
                ));
            }
        }
        Ok(())
    }
}

/// Weight of late iterates in the average: that of step t grows like t³.
const LATE: f64 = 3.0;

/// θ and what its ascent remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Climb {
    theta: Vec<f64>,
    average: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    gradient: Vec<f64>,
    steps: u64,
}

impl Climb {
    /// One step of the ascent from `self` into `next`.
    fn step(&self, gradient: &[f64], learn: &Learn, next: &mut Climb) {
        let rate = learn.schedule.at(self.steps);
        next.steps = self.steps + 1;
        next.gradient.copy_from_slice(gradient);
        for (p, &g) in gradient.iter().enumerate() {
            let direction = match learn.ascent {
                Ascent::Plain => g,
                Ascent::Adam {
                    first,
                    second,
                    epsilon,
                } => {
                    next.first[p] = first * self.first[p] + (1.0 - first) * g;
                    next.second[p] = second * self.second[p] + (1.0 - second) * g * g;
                    // Powers past 2³¹ are zero long before.
                    let t = i32::try_from(next.steps).unwrap_or(i32::MAX);
                    let mean = next.first[p] / (1.0 - first.powi(t));
                    let square = next.second[p] / (1.0 - second.powi(t));
                    mean / (square.sqrt() + epsilon)
                }
            };
            next.theta[p] = self.theta[p] + rate * direction;
            let share = (LATE + 1.0) / (next.steps as f64 + LATE);
            next.average[p] = self.average[p] + share * (next.theta[p] - self.average[p]);
        }
    }
}

/// A filter that learns its model's θ while it filters (equations RMLE),
///
/// ```text
/// θ ← θ + η_t · ascent( E_{q_t}[Ŝ_t] − E_{q_{t−1}}[Ŝ_{t−1}] ),
/// ```
///
/// where the difference is the slope of the newest increment of the bound. The one-step schemes carry no S: their
/// slope is E[∇_θ ln p(x_t|x_{t−1}) + ∇_θ ln g(y_t|x_t)] alone, which forgets that q_{t−1} depends on θ.
///
/// ```
/// use scotopic_filtering::nonlinear::{Learn, Learning, Settings, models::Ar1Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Ar1Poisson::new(0.5, 0.0, 0.1, 0.0, 1.0)?;
/// let mut learning = Learning::new(model, Settings::default(), Learn::default())?;
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
pub struct Learning<M: StateSpace> {
    filter: Filter<M>,
    learn: Learn,
    now: Climb,
    next: Climb,
    spare: M,
    spare_noise: Noise,
    ready: bool,
    gradient: Vec<f64>,
    factor: Vec<f64>,
    inverse: Vec<f64>,
}

impl<M: StateSpace + Clone> Learning<M> {
    /// A filter of `model` that learns. Where `settings.score` is none it becomes quadratic in up to two
    /// dimensions, affine beyond.
    ///
    /// # Errors
    /// As [`Filter::new`], and [`Error::Setting`] for rates that make no sense.
    pub fn new(model: M, settings: Settings, learn: Learn) -> Result<Self> {
        let shape = match model.dim() {
            0..=2 => ScoreShape::Quadratic,
            _ => ScoreShape::Affine,
        };
        let settings = Settings {
            score: Some(settings.score.unwrap_or(shape)),
            ..settings
        };
        Self::of(Filter::new(model, settings)?, learn, None)
    }

    fn of(filter: Filter<M>, learn: Learn, now: Option<Climb>) -> Result<Self> {
        learn.check()?;
        let (p, n) = (filter.model().parameters_len(), filter.model().dim());
        let mut theta = vec![0.0; p];
        filter.model().parameters(&mut theta);
        let now = now.unwrap_or(Climb {
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
    /// As [`Filter::update`], and what the model says of a θ that it cannot have. Everything is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        self.propose(observation)?;
        Ok(self.commit())
    }

    /// The filter.
    pub fn filter(&self) -> &Filter<M> {
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

    /// L_t, each increment under the θ of its time: a prequential score.
    pub fn elbo(&self) -> f64 {
        self.filter.elbo()
    }
}

impl<M: StateSpace + Clone> Online for Learning<M> {
    fn observed(&self) -> usize {
        self.filter.model().observed()
    }

    fn time(&self) -> u64 {
        self.filter.time()
    }

    fn propose(&mut self, observation: Option<&[f64]>) -> Result<()> {
        self.ready = false;
        self.filter.propose(observation)?;
        let (state, next) = (&self.filter.state, &self.filter.next);
        let (Some(then), Some(now)) = (&state.score, &next.score) else {
            return Err(Error::setting(
                "score",
                "none",
                "a shape, for there is θ to learn",
            ));
        };
        if state.time < self.learn.burn_in {
            self.next.clone_from(&self.now);
        } else {
            let carried = self.filter.settings().scheme == super::Scheme::Reversed;
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
        self.spare_noise.refresh("Q", noise, n, factor, inverse)?;
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

/// Two learners are equal that will do the same from here on.
impl<M: StateSpace + PartialEq> PartialEq for Learning<M> {
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
    filter: Filter<M>,
    learn: Learn,
    climb: Climb,
}

impl<M: StateSpace> From<Learning<M>> for Saved<M> {
    fn from(learning: Learning<M>) -> Self {
        Self {
            filter: learning.filter,
            learn: learning.learn,
            climb: learning.now,
        }
    }
}

impl<M: StateSpace + Clone> TryFrom<Saved<M>> for Learning<M> {
    type Error = Error;

    fn try_from(saved: Saved<M>) -> Result<Self> {
        Self::of(saved.filter, saved.learn, Some(saved.climb))
    }
}
