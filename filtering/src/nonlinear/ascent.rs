//! Step rules of θ.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

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

/// How θ is learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningConfig {
    /// Adam by default: parameters of different scales share one rate.
    pub ascent: Ascent,
    /// The rates of the steps.
    pub schedule: Schedule,
    /// So many observations are filtered before the first step, that of an unknown x_1. By default 1.
    pub burn_in: u64,
}

impl Default for LearningConfig {
    fn default() -> Self {
        Self {
            ascent: Ascent::adam(),
            schedule: Schedule::default(),
            burn_in: 1,
        }
    }
}

impl LearningConfig {
    pub(super) fn check(&self) -> Result<()> {
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

/// θ and the state of its ascent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AscentState {
    pub theta: Vec<f64>,
    pub average: Vec<f64>,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    pub gradient: Vec<f64>,
    pub steps: u64,
}

impl AscentState {
    /// No step: `next` becomes as `self`.
    pub fn stay(&self, next: &mut AscentState) {
        next.theta.copy_from_slice(&self.theta);
        next.average.copy_from_slice(&self.average);
        next.first.copy_from_slice(&self.first);
        next.second.copy_from_slice(&self.second);
        next.gradient.copy_from_slice(&self.gradient);
        next.steps = self.steps;
    }

    /// One step of the ascent from `self` into `next`.
    pub fn step(&self, gradient: &[f64], learn: &LearningConfig, next: &mut AscentState) {
        let rate = learn.schedule.at(self.steps);
        next.steps = self.steps + 1;
        next.gradient.copy_from_slice(gradient);
        // Powers past 2³¹ are zero long before.
        let t = i32::try_from(next.steps).unwrap_or(i32::MAX);
        let seen = |forgetting: f64| 1.0 - forgetting.powi(t);
        let (first_seen, second_seen) = match learn.ascent {
            Ascent::Plain => (1.0, 1.0),
            Ascent::Adam { first, second, .. } => (seen(first), seen(second)),
        };
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
                    let mean = next.first[p] / first_seen;
                    let square = next.second[p] / second_seen;
                    mean / (square.sqrt() + epsilon)
                }
            };
            next.theta[p] = self.theta[p] + rate * direction;
            let share = (LATE + 1.0) / (next.steps as f64 + LATE);
            next.average[p] = self.average[p] + share * (next.theta[p] - self.average[p]);
        }
    }
}
