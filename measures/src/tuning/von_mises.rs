//! A smooth orientation tuning curve.

use serde::{Deserialize, Serialize};

use super::OrientationTuning;
use crate::Result;
use crate::error::check_rates;
use crate::numerics::levenberg_marquardt::{LeastSquares, Normal, minimise};

/// A von Mises function of orientation,
///
/// ```text
/// r(θ) = b + a exp(κ (cos 2(θ − θ₀) − 1)),      a ≥ 0, 0.01 ≤ κ ≤ 200
/// ```
///
/// Source: Swindale (1998), *Biological Cybernetics* 78:45.
///
/// ```
/// use scotopic_measures::tuning::VonMises;
/// # fn main() -> scotopic_measures::Result<()> {
/// let truth = VonMises { baseline: 1.0, amplitude: 4.0, kappa: 2.0, preferred: 30.0, r2: 1.0 };
/// let responses: Vec<f64> = (0..12).map(|k| truth.value(15.0 * k as f64)).collect();
/// let fit = VonMises::fit(&responses)?.expect("it is tuned");
/// assert!((fit.preferred - 30.0).abs() < 1e-3 && (fit.kappa - 2.0).abs() < 1e-3);
/// // Half height above the baseline: cos 2Δ = 1 − ln 2/κ.
/// assert!((fit.half_width().unwrap() - 24.60).abs() < 0.01);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VonMises {
    /// b
    pub baseline: f64,
    /// a, the height of the peak above the baseline.
    pub amplitude: f64,
    /// κ, the larger the narrower.
    pub kappa: f64,
    /// θ₀ in degrees, from 0 up to 180.
    pub preferred: f64,
    /// R² over the responses.
    pub r2: f64,
}

impl VonMises {
    /// r at `degrees`.
    pub fn value(&self, degrees: f64) -> f64 {
        let angle = 2.0 * (degrees - self.preferred).to_radians();
        self.baseline + self.amplitude * (self.kappa * (angle.cos() - 1.0)).exp()
    }

    /// Half of the width, in degrees, at half of the height above the baseline; `None` for a curve so
    /// wide that it is above that everywhere (κ < ½ ln 2).
    pub fn half_width(&self) -> Option<f64> {
        let cos = 1.0 - std::f64::consts::LN_2 / self.kappa;
        (cos >= -1.0).then(|| 0.5 * cos.acos().to_degrees())
    }

    /// The least-squares fit to `responses` `[orientations]`, evenly spaced over 180° from 0; `None`
    /// if all responses are equal.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) for fewer than 5 orientations,
    /// [`Error::NotFinite`](crate::Error::NotFinite), [`Error::Value`](crate::Error::Value) for a
    /// negative response.
    pub fn fit(responses: &[f64]) -> Result<Option<Self>> {
        check_rates("orientation responses", responses, 5)?;
        let Some(tuning) = OrientationTuning::of(responses)? else {
            return Ok(None);
        };
        let scale = responses.iter().fold(0.0f64, |m, &r| m.max(r));
        let curve = Curve {
            responses: responses.iter().map(|r| r / scale).collect(),
        };
        let n = responses.len() as f64;
        let mean = curve.responses.iter().sum::<f64>() / n;
        let sst: f64 = curve.responses.iter().map(|r| (r - mean).powi(2)).sum();
        if sst <= 1e-20 * n {
            return Ok(None);
        }
        let low = curve.responses.iter().fold(1.0f64, |m, &r| m.min(r));
        let start = |kappa: f64| [low, 1.0 - low, kappa.ln(), tuning.preferred.to_radians()];
        let ends = [0.5, 2.0, 8.0].map(|kappa| minimise(&curve, start(kappa), 200));
        let best = ends
            .into_iter()
            .reduce(|a, b| if b.cost < a.cost { b } else { a });
        Ok(best.map(|end| {
            let [baseline, amplitude, ln_kappa, preferred] = end.at;
            let preferred = preferred.to_degrees().rem_euclid(180.0);
            Self {
                baseline: baseline * scale,
                amplitude: amplitude * scale,
                kappa: ln_kappa.exp(),
                preferred: if preferred < 180.0 { preferred } else { 0.0 },
                r2: 1.0 - 2.0 * end.cost / sst,
            }
        }))
    }
}

/// Responses to fit; parameters b, a, ln κ, θ₀ in radians.
struct Curve {
    responses: Vec<f64>,
}

impl LeastSquares<4> for Curve {
    fn cost(&self, p: &[f64; 4]) -> f64 {
        self.normal(p).cost
    }

    fn normal(&self, &[b, a, ln_kappa, preferred]: &[f64; 4]) -> Normal<4> {
        let kappa = ln_kappa.exp();
        let spacing = std::f64::consts::PI / self.responses.len() as f64;
        let mut normal = Normal::zero();
        for (k, response) in self.responses.iter().enumerate() {
            let (sin, cos) = (2.0 * (spacing * k as f64 - preferred)).sin_cos();
            let bump = (kappa * (cos - 1.0)).exp();
            let by_kappa = a * bump * kappa * (cos - 1.0);
            let by_preferred = a * bump * kappa * 2.0 * sin;
            normal.add(
                b + a * bump - response,
                &[1.0, bump, by_kappa, by_preferred],
            );
        }
        normal
    }

    fn bounds(&self) -> [(f64, f64); 4] {
        let any = (f64::NEG_INFINITY, f64::INFINITY);
        [any, (0.0, f64::INFINITY), (0.01f64.ln(), 200f64.ln()), any]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::levenberg_marquardt::gradient_error;
    use crate::rng::CounterRng;

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let mut draws = CounterRng(31);
        let curve = Curve {
            responses: (0..9).map(|_| draws.between(0.0, 1.0)).collect(),
        };
        for _ in 0..20 {
            let p = [
                draws.between(-1.0, 1.0),
                draws.between(0.1, 2.0),
                draws.between(-2.0, 2.0),
                draws.between(-3.0, 3.0),
            ];
            assert!(gradient_error(&curve, p) < 1e-7);
        }
    }

    #[test]
    fn noise_moves_the_fit_little() {
        let mut draws = CounterRng(32);
        for _ in 0..50 {
            let truth = VonMises {
                baseline: draws.between(0.5, 2.0),
                amplitude: draws.between(3.0, 9.0),
                kappa: draws.between(1.0, 5.0),
                preferred: draws.between(0.0, 180.0),
                r2: 1.0,
            };
            let noisy = |k: usize| (truth.value(10.0 * k as f64) + 0.1 * draws.normal()).max(0.0);
            let responses: Vec<f64> = (0..18).map(noisy).collect();
            let fit = VonMises::fit(&responses).unwrap().unwrap();
            let off = (fit.preferred - truth.preferred + 90.0).rem_euclid(180.0) - 90.0;
            assert!(off.abs() < 4.0, "{truth:?} {fit:?}");
            let (found, expected) = (fit.half_width().unwrap(), truth.half_width().unwrap());
            assert!(
                (found - expected).abs() < 0.2 * expected,
                "{truth:?} {fit:?}"
            );
            assert!(fit.r2 > 0.97);
        }
    }

    #[test]
    fn no_tuning_no_fit() {
        assert_eq!(VonMises::fit(&[0.0; 6]).unwrap(), None);
        assert_eq!(VonMises::fit(&[3.0; 6]).unwrap(), None);
        assert!(VonMises::fit(&[3.0; 4]).is_err());
        let wide = VonMises {
            baseline: 0.0,
            amplitude: 1.0,
            kappa: 0.1,
            preferred: 0.0,
            r2: 1.0,
        };
        assert_eq!(wide.half_width(), None);
    }
}
