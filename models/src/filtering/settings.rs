//! Settings of a filter with networks.

use scotopic::filtering::nonlinear::{Ascent, LearningConfig};
use scotopic::filtering::{Error, Result};
use serde::{Deserialize, Serialize};

/// Settings of an [`AmortisedFilter`](super::AmortisedFilter). Campbell et al. take 500 to 5000
/// iterations of 32 samples; slopes along the path of the sample alone, which have no noise at the optimum, and a
/// start at the prediction do with fewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AmortisedSettings {
    /// I, steps of Adam on (q_t, b_t) at each observation. By default 200: ten standard deviations of the prediction
    /// can be gone, and the last steps are below a thousandth of one.
    pub iterations: usize,
    /// N, samples of (x_{t−1}, x_t) in each of them, an even number: they come in pairs ±ε. By default 32, as in
    /// the paper.
    pub samples: usize,
    /// The rate of the first step, in standard deviations of the prediction; it falls linearly to 0. By default 0.1.
    pub rate: f64,
    /// Hidden units of the mean of b_t; 0, the default, for a linear one, which is exact in linear-Gaussian models.
    pub kernel_hidden: usize,
    /// M, fresh samples that T̂ and Ŝ are fitted to and the bound is averaged over, an even number. By default 512, the
    /// batch of the paper; more are taken where they would be fewer than 4 for each of the (2n + 1)(2n + 2)/2
    /// coefficients of a quadratic in both states, which has to be distinguished from noise.
    pub network_samples: usize,
    /// Whether T̂ and Ŝ have products of coordinates beside their MLP. By default they have: S is quadratic where the
    /// model is linear. From some twenty states on their 2n² coefficients are most of the work; without them T̂ stays
    /// exact in linear models, and Ŝ and the bound have the noise of their samples.
    pub network_products: bool,
    /// Hidden units of T̂ and Ŝ; 0 for polynomials alone. By default 32.
    pub network_hidden: usize,
    /// Steps of Adam on their weights at each observation, from those of the last one. By default 100.
    pub network_iterations: usize,
    /// The rate of the first of those; it falls linearly to 0. By default 0.01.
    pub network_rate: f64,
    /// Whether T̂ is carried. Without it (T̂ ≡ 0) the bound is that of one step from q_{t−1}: JELBO.
    pub value: bool,
    /// Whether Ŝ is carried, for [`AmortisedState::score`](super::AmortisedState::score). By default not; learning
    /// does so in any case.
    pub score: bool,
    /// How θ is learned along the way (eq. F10); by default it is not.
    pub learn: Option<LearningConfig>,
    /// The seed of all noise: the same seed, model and observations give the same numbers.
    pub seed: u64,
}

impl Default for AmortisedSettings {
    fn default() -> Self {
        Self {
            iterations: 200,
            samples: 32,
            rate: 0.1,
            kernel_hidden: 0,
            network_samples: 512,
            network_products: true,
            network_hidden: 32,
            network_iterations: 100,
            network_rate: 0.01,
            value: true,
            score: false,
            learn: None,
            seed: 0,
        }
    }
}

/// More of anything is a slip of the pen.
const MOST: usize = 1 << 20;

impl AmortisedSettings {
    pub(super) fn check(&self) -> Result<()> {
        for (field, found, least) in [
            ("iterations", self.iterations, 1),
            ("samples", self.samples, 2),
            ("network_samples", self.network_samples, 2),
            ("network_hidden", self.network_hidden, 0),
            ("kernel_hidden", self.kernel_hidden, 0),
            ("network_iterations", self.network_iterations, 0),
        ] {
            if !(least..=MOST).contains(&found) {
                let expected = format!("a number from {least} to {MOST}");
                return Err(wrong(field, found, expected));
            }
        }
        for (field, found) in [
            ("samples", self.samples),
            ("network_samples", self.network_samples),
        ] {
            if found % 2 != 0 {
                return Err(wrong(field, found, "an even number: samples come in pairs"));
            }
        }
        for (field, found) in [("rate", self.rate), ("network_rate", self.network_rate)] {
            if !(found > 0.0 && found <= 10.0) {
                return Err(wrong(field, found, "a number above 0 and at most 10"));
            }
        }
        self.learn.map_or(Ok(()), check_learn)
    }

    /// M for n states.
    pub(super) fn enough(&self, n: usize) -> usize {
        self.network_samples.max(4 * self.features(2 * n))
    }

    /// How many features T̂ and Ŝ have in n coordinates.
    pub(super) fn features(&self, n: usize) -> usize {
        1 + n + usize::from(self.network_products) * n * (n + 1) / 2
    }

    /// Whether Ŝ is carried.
    pub(super) fn scores(&self) -> bool {
        self.score || self.learn.is_some()
    }

    /// From 1 at step 0 to just above 0 at the last of `steps`.
    pub(super) fn falling(&self, step: usize, steps: usize) -> f64 {
        1.0 - step as f64 / steps as f64
    }
}

fn check_learn(learn: LearningConfig) -> Result<()> {
    let s = learn.schedule;
    let fit = s.rate >= 0.0 && s.rate.is_finite() && s.scale > 0.0 && s.scale.is_finite();
    if !fit || !(0.0..=1.0).contains(&s.exponent) {
        let expected = "rate ≥ 0, scale > 0, exponent from 0 to 1";
        return Err(wrong("learn.schedule", format!("{s:?}"), expected));
    }
    if let Ascent::Adam {
        first,
        second,
        epsilon,
    } = learn.ascent
    {
        let forgets = |x: f64| (0.0..1.0).contains(&x);
        if !(forgets(first) && forgets(second) && epsilon > 0.0) {
            let expected = "first and second from 0 to below 1, epsilon > 0";
            return Err(wrong(
                "learn.ascent",
                format!("{:?}", learn.ascent),
                expected,
            ));
        }
    }
    Ok(())
}

pub(super) fn wrong(field: &'static str, found: impl ToString, expected: impl ToString) -> Error {
    Error::Setting {
        field,
        found: found.to_string(),
        expected: expected.to_string(),
    }
}
