//! Stopping rules of inference.

use crate::error::{Error, Result};

/// Stops an image's inference once its potentials move no less than they did before.
///
/// Spikes keep potentials moving for ever, so ‖Δu‖ settles at a level of its own and not at 0. Its mean over
/// `window` steps is compared with that over the window before:
///
/// ```text
/// stop when  mean‖Δu‖_now ≥ (1 − tolerance)·mean‖Δu‖_before
/// ```
///
/// ```
/// use scotopic::spiking::StoppingRule;
/// assert!(StoppingRule::default().validate().is_ok());
/// assert!(StoppingRule { window: 0, tolerance: 0.1 }.validate().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoppingRule {
    /// Steps of each mean, at least 1.
    pub window: usize,
    /// The relative fall that still counts as moving, in [0, 1).
    pub tolerance: f32,
}

impl Default for StoppingRule {
    /// Eight steps; a fall of a twentieth is about what the noise of such a mean hides.
    fn default() -> Self {
        Self {
            window: 8,
            tolerance: 0.05,
        }
    }
}

impl StoppingRule {
    /// # Errors
    /// Names the setting that makes no sense.
    pub fn validate(&self) -> Result<()> {
        if self.window == 0 {
            return Err(Error::setting("settle.window", 0, "must be at least 1"));
        }
        if !(0.0..1.0).contains(&self.tolerance) {
            let rule = "must be at least 0 and below 1";
            return Err(Error::setting("settle.tolerance", self.tolerance, rule));
        }
        Ok(())
    }
}

/// The movements of one image so far.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    settle: StoppingRule,
    before: Option<f32>,
    sum: f32,
    steps: usize,
}

impl Watch {
    pub(super) fn new(settle: StoppingRule) -> Self {
        Self {
            settle,
            before: None,
            sum: 0.0,
            steps: 0,
        }
    }

    /// Takes ‖Δu‖ of one more step; whether that was enough.
    pub(super) fn settled(&mut self, moved: f32) -> bool {
        self.sum += moved;
        self.steps += 1;
        if self.steps < self.settle.window {
            return false;
        }
        let mean = self.sum / self.steps as f32;
        (self.sum, self.steps) = (0.0, 0);
        let before = self.before.replace(mean);
        before.is_some_and(|before| mean >= (1.0 - self.settle.tolerance) * before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_while_the_movement_falls_and_stops_when_it_does_not() {
        let settle = StoppingRule {
            window: 2,
            tolerance: 0.1,
        };
        let mut watch = Watch::new(settle);
        let moved = [8.0, 8.0, 4.0, 4.0, 3.0, 3.0, 2.9, 2.8];
        let stops: Vec<bool> = moved.iter().map(|m| watch.settled(*m)).collect();
        assert_eq!(stops.iter().position(|s| *s), Some(7));
    }
}
