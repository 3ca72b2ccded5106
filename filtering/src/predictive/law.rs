//! The laws of which predictive distributions are made.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::math::incomplete::{beta_tails, gamma_tails};
use crate::math::normal::{normal_cdf, normal_quantile_of_tails};

/// A law of which predictive distributions are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Law {
    /// N(mean, variance), variance > 0; infinite where nothing is known.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its variance.
        variance: f64,
    },
    /// Counts 0, 1, … with this mean.
    Poisson {
        /// Their mean.
        rate: f64,
    },
    /// Counts of this mean, whose rate has a Gamma law of this shape: their variance is mean + mean²/shape.
    NegativeBinomial {
        /// Their mean.
        mean: f64,
        /// The shape of the rate.
        shape: f64,
    },
    /// Student's law.
    StudentT {
        /// Its centre.
        location: f64,
        /// Its scale.
        scale: f64,
        /// Its degrees of freedom.
        freedom: f64,
    },
    /// One symbol, by its number.
    Symbol(f64),
}

impl Law {
    /// Of Student's law for ν > 1; below it has none.
    pub(super) fn mean(self) -> f64 {
        match self {
            Self::StudentT { freedom, .. } if freedom <= 1.0 => f64::NAN,
            other => other.centre(),
        }
    }

    /// The mean, or where there is none the centre.
    pub(super) fn centre(self) -> f64 {
        match self {
            Self::Normal { mean, .. } => mean,
            Self::Poisson { rate } => rate,
            Self::NegativeBinomial { mean, .. } => mean,
            Self::StudentT { location, .. } => location,
            Self::Symbol(value) => value,
        }
    }

    pub(super) fn is_density(self) -> bool {
        matches!(self, Self::Normal { .. } | Self::StudentT { .. })
    }

    pub(super) fn variance(self) -> f64 {
        match self {
            Self::Normal { variance, .. } => variance,
            Self::Poisson { rate } => rate,
            Self::NegativeBinomial { mean, shape } => mean + mean * mean / shape,
            Self::StudentT { scale, freedom, .. } => match freedom > 2.0 {
                true => scale * scale * freedom / (freedom - 2.0),
                false => f64::INFINITY,
            },
            Self::Symbol(_) => 0.0,
        }
    }

    /// P(Y ≤ y) and P(Y > y).
    pub(super) fn tails(self, y: f64) -> (f64, f64) {
        match self {
            Self::Normal { mean, variance } => {
                let z = (y - mean) / variance.sqrt();
                (normal_cdf(z), normal_cdf(-z))
            }
            Self::Poisson { .. } if y < 0.0 => (0.0, 1.0),
            // P(Y ≤ k) = Q(k + 1, λ)
            Self::Poisson { rate } => {
                let (above, below) = gamma_tails(y.floor() + 1.0, rate);
                (below, above)
            }
            Self::NegativeBinomial { .. } if y < 0.0 => (0.0, 1.0),
            // P(Y ≤ k) = I_p(r, k + 1), p = r/(r + m)
            Self::NegativeBinomial { mean, shape } => {
                let (k, all) = (y.floor() + 1.0, shape + mean);
                beta_tails(shape, k, shape / all, mean / all)
            }
            Self::StudentT {
                location,
                scale,
                freedom,
            } => student_tails((y - location) / scale, freedom),
            Self::Symbol(value) if value <= y => (1.0, 0.0),
            Self::Symbol(_) => (0.0, 1.0),
        }
    }

    pub(super) fn draw<R: Rng + ?Sized>(self, rng: &mut R) -> f64 {
        match self {
            Self::Normal { mean, variance } => {
                let z: f64 = StandardNormal.sample(rng);
                mean + variance.sqrt() * z
            }
            // A rate too large for the sampler, or too small, has no spread to speak of.
            Self::Poisson { rate } => {
                rand_distr::Poisson::new(rate).map_or(rate.round(), |p| p.sample(rng))
            }
            Self::NegativeBinomial { mean, shape } => {
                let rate = rand_distr::Gamma::new(shape, mean / shape);
                Self::Poisson {
                    rate: rate.map_or(mean, |g| g.sample(rng)),
                }
                .draw(rng)
            }
            Self::StudentT {
                location,
                scale,
                freedom,
            } => {
                let z: f64 = StandardNormal.sample(rng);
                let square =
                    rand_distr::ChiSquared::new(freedom).map_or(1.0, |c| c.sample(rng) / freedom);
                location + scale * z / square.max(f64::MIN_POSITIVE).sqrt()
            }
            Self::Symbol(value) => value,
        }
    }

    /// Numbers of which the quantile of a density that leaves p below and 1 − p above is the one, or between.
    pub(super) fn around(self, p: f64) -> (f64, f64) {
        let z = normal_quantile_of_tails(p, 1.0 - p);
        match self {
            Self::StudentT {
                location,
                scale,
                freedom,
            } => {
                let mut reach = z.abs().max(1.0);
                while student_tails(-reach, freedom).0 > p.min(1.0 - p) && reach.is_finite() {
                    reach *= 2.0;
                }
                (location - scale * reach, location + scale * reach)
            }
            other => {
                let quantile = other.mean() + z * other.variance().sqrt();
                (quantile, quantile)
            }
        }
    }
}

/// P(T ≤ t) and P(T > t) of Student's law, each to its own last digits: P(T > |t|) = ½ I_x(ν/2, ½), x = ν/(ν + t²).
fn student_tails(t: f64, freedom: f64) -> (f64, f64) {
    let all = freedom + t * t;
    let (outside, inside) = match all.is_finite() {
        true => beta_tails(0.5 * freedom, 0.5, freedom / all, t * t / all),
        false => (0.0, 1.0),
    };
    let (far, near) = (0.5 * outside, 0.5 + 0.5 * inside);
    match t > 0.0 {
        true => (near, far),
        false => (far, near),
    }
}
