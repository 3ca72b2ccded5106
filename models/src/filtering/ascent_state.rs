//! θ while it is learned (eq. F10), in double precision on this machine.

use scotopic::filtering::nonlinear::{Ascent, LearningConfig};
use scotopic::filtering::{Error, Result};
use serde::{Deserialize, Serialize};

/// θ, its gradients, and the state of the ascent; all `[P]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AscentState {
    pub theta: Vec<f64>,
    /// `E_{q_t}[S_t] − E_{q_{t−1}}[S_{t−1}]`.
    pub gradient: Vec<f64>,
    /// `E_{q_t}[S_t]`, the sum of those.
    pub score: Vec<f64>,
    /// Adam's running mean of the gradient and of its square.
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    pub steps: u64,
}

impl AscentState {
    pub fn start(theta: Vec<f64>) -> Self {
        let zero = || vec![0.0; theta.len()];
        Self {
            gradient: zero(),
            score: zero(),
            first: zero(),
            second: zero(),
            steps: 0,
            theta,
        }
    }

    /// With the gradient of observation `time`, and θ ← θ + η · step(gradient) where it is learned; no gradient where
    /// the score is not carried.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where a parameter leaves the range of single precision.
    pub fn after(
        &self,
        gradient: &[f64],
        learn: Option<LearningConfig>,
        time: u64,
    ) -> Result<Self> {
        let mut next = self.clone();
        if gradient.is_empty() {
            return Ok(next);
        }
        next.gradient = gradient.to_vec();
        for (s, g) in next.score.iter_mut().zip(gradient) {
            *s += g;
        }
        let Some(learn) = learn.filter(|learn| time >= learn.burn_in) else {
            return Ok(next);
        };
        let rate = learn.schedule.at(self.steps);
        next.steps += 1;
        let count = next.steps as f64;
        let moments = next.first.iter_mut().zip(&mut next.second);
        for ((theta, &g), (m, v)) in next.theta.iter_mut().zip(gradient).zip(moments) {
            *theta += rate
                * match learn.ascent {
                    Ascent::Plain => g,
                    Ascent::Adam {
                        first,
                        second,
                        epsilon,
                    } => {
                        *m = first * *m + (1.0 - first) * g;
                        *v = second * *v + (1.0 - second) * g * g;
                        let whole = |forgetting: f64| 1.0 - forgetting.powf(count);
                        (*m / whole(first)) / ((*v / whole(second)).sqrt() + epsilon)
                    }
                };
        }
        match next.theta.iter().find(|x| !(**x as f32).is_finite()) {
            None => Ok(next),
            Some(&found) => Err(Error::NotFinite {
                index: time,
                what: "a parameter after its step",
                found,
            }),
        }
    }
}
