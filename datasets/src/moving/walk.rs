//! Where the window is at each frame.

use serde::{Deserialize, Serialize};

use crate::rng::CounterRng;
use crate::{Error, Result};

/// Drifts of constant velocity, ended by saccades.
///
/// ```text
/// speed ~ U[speed_min, speed_max] pixels per frame,   direction ~ U[0, 2π)
/// before each frame, with probability `saccade`: a new place, speed and direction
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WalkConfig {
    /// The slowest drift, in pixels per frame.
    pub speed_min: f64,
    /// The fastest drift, in pixels per frame.
    pub speed_max: f64,
    /// Probability of a saccade before a frame.
    pub saccade: f64,
}

impl Default for WalkConfig {
    fn default() -> Self {
        Self {
            speed_min: 0.5,
            speed_max: 1.5,
            saccade: 0.05,
        }
    }
}

impl WalkConfig {
    pub(super) fn validate(&self, source: &'static str) -> Result<()> {
        let wrong = |field, found: f64, expected: &str| {
            Err(Error::config(source, field, found.to_string(), expected))
        };
        if !(0.0..=1000.0).contains(&self.speed_min) {
            return wrong(
                "walk.speed_min",
                self.speed_min,
                "0 to 1000 pixels per frame",
            );
        }
        if !(self.speed_min..=1000.0).contains(&self.speed_max) {
            let expected = format!("speed_min ({}) to 1000 pixels per frame", self.speed_min);
            return wrong("walk.speed_max", self.speed_max, &expected);
        }
        if !(0.0..=1.0).contains(&self.saccade) {
            return wrong("walk.saccade", self.saccade, "a probability, 0 to 1");
        }
        Ok(())
    }
}

/// Row and column of the window at each of `frames` frames, from 0 to `room` inclusive; at an edge it is reflected. The walk
/// that `path` names under `seed`.
///
/// ```
/// use scotopic_datasets::moving::{WalkConfig, walk};
/// let drift = WalkConfig { speed_min: 1.0, speed_max: 1.0, saccade: 0.0 };
/// let places = walk(&drift, [50, 50], 8, 0, &[0]);
/// let step = |w: &[[usize; 2]]| w[1][0].abs_diff(w[0][0]).max(w[1][1].abs_diff(w[0][1]));
/// assert!(places.windows(2).all(|w| step(w) <= 2));
/// ```
pub fn walk(
    config: &WalkConfig,
    room: [usize; 2],
    frames: usize,
    seed: u64,
    path: &[u64],
) -> Vec<[usize; 2]> {
    let mut draws = CounterRng::new(seed, path);
    let mut places = Vec::with_capacity(frames);
    let (mut at, mut velocity) = ([0.0; 2], [0.0; 2]);
    for frame in 0..frames {
        // Drawn at every frame, so that the stream does not depend on what was drawn.
        let jump = draws.unit() < config.saccade;
        if frame == 0 || jump {
            at = room.map(|room| draws.below(room as u64 + 1) as f64);
            let speed = config.speed_min + (config.speed_max - config.speed_min) * draws.unit();
            let angle = std::f64::consts::TAU * draws.unit();
            velocity = [speed * angle.sin(), speed * angle.cos()];
        } else {
            for axis in 0..2 {
                (at[axis], velocity[axis]) = reflected(at[axis], velocity[axis], room[axis] as f64);
            }
        }
        places.push(at.map(|x: f64| x.round() as usize));
    }
    places
}

/// Place and velocity after one frame between walls at 0 and `room`.
fn reflected(at: f64, velocity: f64, room: f64) -> (f64, f64) {
    if room == 0.0 {
        return (0.0, velocity);
    }
    let (mut at, mut velocity) = (at + velocity, velocity);
    // A step longer than the room takes several walls; each turn brings it nearer by at least a room.
    while !(0.0..=room).contains(&at) {
        at = if at < 0.0 { -at } else { 2.0 * room - at };
        velocity = -velocity;
    }
    (at, velocity)
}
