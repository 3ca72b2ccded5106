//! Settings of learning f and g.

use scotopic::filtering::generalised::causal::SmoothingLag;
use scotopic::filtering::nalgebra::DMatrix;
use scotopic::filtering::{Error, Result};
use serde::{Deserialize, Serialize};

/// What becomes of the precision of a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseStructure {
    /// It is known.
    Keep,
    /// One variance for all entries.
    Shared,
    /// A variance for each entry; the default, because entries of a state differ in scale.
    #[default]
    Diagonal,
}

impl NoiseStructure {
    /// The precision of noise with the covariance `scatter`; none where it is known, or the scatter has a variance that is
    /// no positive number.
    pub(super) fn precision(self, scatter: &DMatrix<f64>) -> Option<DMatrix<f64>> {
        let mut variances = scatter.diagonal();
        match self {
            NoiseStructure::Keep => return None,
            NoiseStructure::Shared => variances.fill(variances.mean()),
            NoiseStructure::Diagonal => {}
        }
        let fine = variances.iter().all(|v| v.is_finite() && 1.0 / v < LARGEST);
        fine.then(|| DMatrix::from_diagonal(&variances.map(|v| 1.0 / v)))
    }
}

/// A precision above is one of noise that was explained away, and would stop all learning.
const LARGEST: f64 = 1e12;

/// Settings of learning f and g, offline and online.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlowLearningConfig {
    /// Offline: how often to filter all series and learn from that. By default 60.
    pub rounds: usize,
    /// Steps of Adam in each round, offline and online. By default 40: beliefs are dear and steps are cheap, but
    /// after more the beliefs are those of another flow.
    pub steps: usize,
    /// Bins that a step looks at. By default 64: some thousand points.
    pub bins: usize,
    /// The first rate of Adam, in units of the weights. By default 0.01.
    pub rate: f64,
    /// What fraction of it is left in the last round; online the rate stays. By default 0.1.
    pub last_rate: f64,
    /// Whether f is learned. By default it is.
    pub flow: bool,
    /// Whether g is learned. By default it is not: with both free, states are defined up to a change of
    /// coordinates.
    pub output: bool,
    /// The precision of w.
    pub motion_noise: NoiseStructure,
    /// The precision of z.
    pub output_noise: NoiseStructure,
    /// The smoothing lag, and the memory of the noise.
    #[serde(alias = "hindsight")]
    pub smoothing: SmoothingLag,
    /// Online: observations between rounds of learning. By default 50.
    pub every: usize,
    /// Online: bins that are remembered. By default 2000.
    pub capacity: usize,
    /// Seed of which bins a step looks at.
    pub seed: u64,
}

impl Default for FlowLearningConfig {
    fn default() -> Self {
        Self {
            rounds: 60,
            steps: 40,
            bins: 64,
            rate: 0.01,
            last_rate: 0.1,
            flow: true,
            output: false,
            motion_noise: NoiseStructure::Diagonal,
            output_noise: NoiseStructure::Diagonal,
            smoothing: SmoothingLag::default(),
            every: 50,
            capacity: 2000,
            seed: 0,
        }
    }
}

impl FlowLearningConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the field.
    pub fn check(&self) -> Result<()> {
        for (field, found) in [
            ("rounds", self.rounds),
            ("steps", self.steps),
            ("bins", self.bins),
            ("every", self.every),
            ("capacity", self.capacity),
        ] {
            if found == 0 {
                return Err(setting(field, found, "at least 1"));
            }
        }
        for (field, found, most) in [
            ("rate", self.rate, f64::MAX),
            ("last_rate", self.last_rate, 1.0),
        ] {
            if !(found > 0.0 && found <= most) {
                let expected = match most {
                    1.0 => "a fraction of the first rate, above 0, up to 1",
                    _ => "a positive finite number",
                };
                return Err(setting(field, found, expected));
            }
        }
        Ok(())
    }

    /// The rate of a round, from `rate` down to `last_rate` of it, by equal factors.
    pub(super) fn rate_of(&self, round: usize) -> f64 {
        let last = self.rounds.saturating_sub(1).max(1);
        self.rate * self.last_rate.powf(round.min(last) as f64 / last as f64)
    }
}

pub(super) fn setting(field: &'static str, found: impl ToString, expected: impl ToString) -> Error {
    Error::Setting {
        field,
        found: found.to_string(),
        expected: expected.to_string(),
    }
}
