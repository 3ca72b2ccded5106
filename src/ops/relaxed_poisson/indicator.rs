//! The indicators of the relaxed sample: smooth steps in place of "the arrival came before time 1".
//!
//! ```text
//! z = Σₙ f((1 − tₙ)/τ)      f increasing from 0 to 1, f(x) + f(−x) = 1                                (I25)
//! ```
//!
//! With u = (x + 1)/2 limited to [0, 1], and the moments of shot noise (Campbell's theorem) for τ ≤ 1:
//!
//! | indicator | f | df/dx | E z/λ | Var z/λ |
//! |---|---|---|---|---|
//! | sigmoid | 1/(1 + e⁻ˣ) | f(1 − f) | τ softplus(1/τ) | τ (softplus(1/τ) − σ(1/τ)) |
//! | linear | u | ½ | 1 | 1 − τ/3 |
//! | cubic | 3u² − 2u³ | 3u(1 − u) | 1 | 1 − 9τ/35 |
//! | quintic | 6u⁵ − 15u⁴ + 10u³ | 15u²(1 − u)² | 1 | 1 − 50τ/231 |
//! | cosine | ½(1 − cos πu) | ¼π sin πu | 1 | 1 − τ/4 |
//!
//! All but the sigmoid end at 1 + τ, so that the sample is unbiased and an element has (1 + τ)λ arrivals in the mean. The
//! sigmoid, of arXiv 2405.14473, has a mean that is 31 % too high at τ = 1, and tails up to 16 τ.
//!
//! Source of the others: arXiv 2602.03896.

use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

use super::NEGLIGIBLE;

/// f of a relaxed count.
///
/// ```
/// use scotopic::ops::Indicator;
/// assert_eq!(Indicator::Cubic.value(0.0), 0.5);
/// let [mean, variance] = Indicator::Cubic.moments(0.5);
/// assert!((mean - 1.0).abs() < 1e-12);
/// assert!((variance - (1.0 - 9.0 * 0.5 / 35.0)).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Indicator {
    /// The logistic function, as published; biased.
    #[default]
    Sigmoid,
    /// A ramp.
    Linear,
    /// The cubic with slope 0 at both ends.
    Cubic,
    /// The quintic whose first two derivatives are 0 at both ends.
    Quintic,
    /// Half a period of a cosine.
    Cosine,
}

impl Indicator {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Sigmoid,
        Self::Linear,
        Self::Cubic,
        Self::Quintic,
        Self::Cosine,
    ];

    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Linear => "linear",
            Self::Cubic => "cubic",
            Self::Quintic => "quintic",
            Self::Cosine => "cosine",
        }
    }

    /// An arrival later than 1 + reach·τ contributes nothing; below 10⁻⁷ for the sigmoid.
    pub fn reach(self) -> f32 {
        match self {
            Self::Sigmoid => NEGLIGIBLE,
            _ => 1.0,
        }
    }

    /// f(x).
    pub fn value(self, x: f64) -> f64 {
        let u = (0.5 * (x + 1.0)).clamp(0.0, 1.0);
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Linear => u,
            Self::Cubic => u * u * (3.0 - 2.0 * u),
            Self::Quintic => u * u * u * (10.0 - u * (15.0 - 6.0 * u)),
            Self::Cosine => 0.5 * (1.0 - (std::f64::consts::PI * u).cos()),
        }
    }

    /// df/dx.
    pub fn slope(self, x: f64) -> f64 {
        let u = (0.5 * (x + 1.0)).clamp(0.0, 1.0);
        let rest = 1.0 - u;
        match self {
            Self::Sigmoid => {
                let f = self.value(x);
                f * (1.0 - f)
            }
            Self::Linear => {
                if u > 0.0 && u < 1.0 {
                    0.5
                } else {
                    0.0
                }
            }
            Self::Cubic => 3.0 * u * rest,
            Self::Quintic => 15.0 * (u * rest).powi(2),
            Self::Cosine => 0.25 * std::f64::consts::PI * (std::f64::consts::PI * u).sin(),
        }
    }

    /// E z/λ and Var z/λ at temperature τ > 0: `∫₀^∞ f((1 − t)/τ) dt` and the same of f².
    pub fn moments(self, temperature: f64) -> [f64; 2] {
        let x = 1.0 / temperature;
        if self == Self::Sigmoid {
            let softplus = x + (-x).exp().ln_1p();
            return [
                temperature * softplus,
                temperature * (softplus - self.value(x)),
            ];
        }
        // In u: τ (2 ∫₀ᵁ f du + max(x − 1, 0)).
        let u = (0.5 * (x + 1.0)).min(1.0);
        let whole = (x - 1.0).max(0.0);
        let pi = std::f64::consts::PI;
        let powers =
            |terms: &[(f64, i32)]| -> f64 { terms.iter().map(|(c, n)| c * u.powi(*n)).sum() };
        let [first, second] = match self {
            Self::Sigmoid | Self::Linear => [powers(&[(0.5, 2)]), powers(&[(1.0 / 3.0, 3)])],
            Self::Cubic => [
                powers(&[(1.0, 3), (-0.5, 4)]),
                powers(&[(1.8, 5), (-2.0, 6), (4.0 / 7.0, 7)]),
            ],
            Self::Quintic => [
                powers(&[(1.0, 6), (-3.0, 5), (2.5, 4)]),
                powers(&[
                    (36.0 / 11.0, 11),
                    (-18.0, 10),
                    (345.0 / 9.0, 9),
                    (-37.5, 8),
                    (100.0 / 7.0, 7),
                ]),
            ],
            Self::Cosine => [
                0.5 * (u - (pi * u).sin() / pi),
                0.25 * (1.5 * u - 2.0 * (pi * u).sin() / pi + (2.0 * pi * u).sin() / (4.0 * pi)),
            ],
        };
        [
            temperature * (2.0 * first + whole),
            temperature * (2.0 * second + whole),
        ]
    }

    /// f of every entry, differentiable.
    pub(super) fn of_tensor<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        if self == Self::Sigmoid {
            // Not 1/(1 + eˣ) spelt out: where eˣ overflows, its derivative would be 0·∞.
            return sigmoid(x);
        }
        let u = ((x + 1.0) * 0.5).clamp(0.0, 1.0);
        match self {
            Self::Sigmoid | Self::Linear => u,
            Self::Cubic => u.clone() * u.clone() * (u * -2.0 + 3.0),
            Self::Quintic => {
                let bracket = (u.clone() * 6.0 - 15.0) * u.clone() + 10.0;
                u.clone() * u.clone() * u * bracket
            }
            Self::Cosine => ((u * std::f64::consts::PI).cos() * -1.0 + 1.0) * 0.5,
        }
    }
}

/// How a count is relaxed: f and τ.
///
/// A number alone is a temperature under the published indicator.
///
/// ```
/// use scotopic::ops::{Indicator, Relaxation};
/// assert_eq!(Relaxation::from(0.5f32).indicator, Indicator::Sigmoid);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxation {
    /// τ; 0 draws exact counts.
    pub temperature: f32,
    /// f.
    pub indicator: Indicator,
}

impl Relaxation {
    /// Exact counts.
    pub const NONE: Self = Self {
        temperature: 0.0,
        indicator: Indicator::Sigmoid,
    };

    /// The time after which no arrival counts.
    pub(super) fn stop(self) -> f32 {
        if self.temperature > 0.0 {
            1.0 + self.indicator.reach() * self.temperature
        } else {
            1.0
        }
    }
}

impl From<f32> for Relaxation {
    fn from(temperature: f32) -> Self {
        Self {
            temperature,
            indicator: Indicator::Sigmoid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midpoints over the whole support; what remains is of second order in the step.
    const QUADRATURE: f64 = 1e-6;

    #[test]
    fn moments_are_those_of_shot_noise() {
        for indicator in Indicator::ALL {
            for temperature in [0.05, 0.3, 1.0, 2.5] {
                let reach = f64::from(indicator.reach());
                let end = 1.0 + reach * temperature;
                let count = 200_000;
                let dt = end / f64::from(count);
                let f = (0..count).map(|i| {
                    let t = (f64::from(i) + 0.5) * dt;
                    indicator.value((1.0 - t) / temperature)
                });
                let sums = f.fold([0.0, 0.0], |[a, b], f| [a + f * dt, b + f * f * dt]);
                let moments = indicator.moments(temperature);
                for (sum, moment) in sums.into_iter().zip(moments) {
                    assert!(
                        (sum - moment).abs() < QUADRATURE,
                        "{indicator:?} at {temperature}: {sum}, {moment}"
                    );
                }
            }
        }
    }

    #[test]
    fn compact_indicators_are_unbiased_up_to_temperature_one() {
        let lost = [
            (Indicator::Linear, 1.0 / 3.0),
            (Indicator::Cubic, 9.0 / 35.0),
            (Indicator::Quintic, 50.0 / 231.0),
            (Indicator::Cosine, 0.25),
        ];
        for (indicator, lost) in lost {
            for temperature in [0.01, 0.5, 1.0] {
                let [mean, variance] = indicator.moments(temperature);
                assert!((mean - 1.0).abs() < 1e-12, "{indicator:?}: {mean}");
                let expected = 1.0 - lost * temperature;
                assert!((variance - expected).abs() < 1e-12, "{indicator:?}");
            }
        }
    }

    #[test]
    fn slopes_are_those_of_the_values() {
        for indicator in Indicator::ALL {
            for i in -28..=28 {
                // Not at the corners of the ramp.
                let x = f64::from(i) / 20.0 + 0.013;
                let h = 1e-5;
                let difference = (indicator.value(x + h) - indicator.value(x - h)) / (2.0 * h);
                assert!(
                    (difference - indicator.slope(x)).abs() < 1e-9,
                    "{indicator:?} at {x}"
                );
                let sum = indicator.value(x) + indicator.value(-x);
                assert!((sum - 1.0).abs() < 1e-14, "{indicator:?} at {x}");
            }
        }
    }
}
