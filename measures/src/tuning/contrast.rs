//! The contrast response.

use serde::{Deserialize, Serialize};

use crate::error::{check_rates, check_same};
use crate::numerics::levenberg_marquardt::{LeastSquares, Normal, minimise};
use crate::{Error, Result};

/// Naka and Rushton's function, the hyperbolic ratio,
///
/// ```text
/// R(c) = R₀ + Rmax cⁿ/(cⁿ + c₅₀ⁿ),      R₀ ≥ 0, Rmax ≥ 0, 0.1 ≤ n ≤ 20, c_least/10 ≤ c₅₀ ≤ 10 c_most
/// ```
///
/// where c_least is the least contrast above 0. n and c₅₀ are fitted as logarithms. Where the responses
/// do not saturate, Rmax and c₅₀ are not determined one by one; the curve is.
///
/// Source: Naka & Rushton (1966), *J. Physiology* 185:536; Albrecht & Hamilton (1982),
/// *J. Neurophysiol.* 48:217.
///
/// ```
/// use scotopic_measures::tuning::NakaRushton;
/// # fn main() -> scotopic_measures::Result<()> {
/// let truth = NakaRushton { r0: 0.5, rmax: 10.0, n: 2.0, c50: 0.2, r2: 1.0 };
/// assert!((truth.value(0.2) - 5.5).abs() < 1e-12);
/// let contrasts = [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0];
/// let fit = NakaRushton::fit(&contrasts, &contrasts.map(|c| truth.value(c)))?.expect("not flat");
/// assert!((fit.n - 2.0).abs() < 1e-3 && (fit.c50 - 0.2).abs() < 1e-4);
/// assert!(fit.saturation(1.0).unwrap() > 0.7);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NakaRushton {
    /// R₀, the response without contrast.
    pub r0: f64,
    /// Rmax, what contrast adds at most.
    pub rmax: f64,
    /// n, the steepness.
    pub n: f64,
    /// c₅₀, the contrast that adds half of Rmax, in the unit of the contrasts.
    pub c50: f64,
    /// R² over the responses.
    pub r2: f64,
}

impl NakaRushton {
    /// R(c).
    pub fn value(&self, contrast: f64) -> f64 {
        self.r0 + self.rmax * share(contrast, self.n, self.c50.ln()).0
    }

    /// How much the curve bends up to contrast c,
    ///
    /// ```text
    /// saturation = 1 − 2 (R(c) − R(c/2))/(R(c) − R₀)
    /// ```
    ///
    /// 1 if the upper half of the contrasts adds nothing, 0 for a straight line, negative for a curve
    /// that accelerates. `None` if contrast adds nothing.
    pub fn saturation(&self, contrast: f64) -> Option<f64> {
        let whole = self.value(contrast) - self.r0;
        let upper = self.value(contrast) - self.value(0.5 * contrast);
        (whole > 0.0).then(|| 1.0 - 2.0 * upper / whole)
    }

    /// The least-squares fit to `responses` at `contrasts`, in any order; `None` if all responses are
    /// equal.
    ///
    /// # Errors
    /// [`Error::Size`] for fewer than 4 contrasts or another number of responses,
    /// [`Error::NotFinite`], [`Error::Value`] for a negative contrast or response, or if no contrast
    /// is above 0.
    pub fn fit(contrasts: &[f64], responses: &[f64]) -> Result<Option<Self>> {
        check_rates("contrasts", contrasts, 4)?;
        check_rates("contrast responses", responses, 0)?;
        let (found, expected) = (responses.len(), contrasts.len());
        check_same(
            "contrast responses",
            "entries",
            found,
            expected,
            "contrasts",
        )?;
        let positive = contrasts.iter().copied().filter(|&c| c > 0.0);
        let least = positive.fold(f64::INFINITY, f64::min);
        let most = contrasts.iter().fold(0.0f64, |m, &c| m.max(c));
        if most == 0.0 {
            let expected = "some contrast above 0";
            return Err(Error::value("contrasts", 0, "0 everywhere", expected));
        }
        let scale = responses.iter().fold(0.0f64, |m, &r| m.max(r));
        let curve = Curve {
            contrasts,
            responses: responses.iter().map(|r| r / scale).collect(),
            ln_c50: ((0.1 * least).ln(), (10.0 * most).ln()),
        };
        let mean = curve.responses.iter().sum::<f64>() / found as f64;
        let sst: f64 = curve.responses.iter().map(|r| (r - mean).powi(2)).sum();
        if scale == 0.0 || sst <= 1e-20 * found as f64 {
            return Ok(None);
        }
        let low = curve.responses.iter().fold(1.0f64, |m, &r| m.min(r));
        let middle = 0.5 * (least.ln() + most.ln());
        let mut best = None;
        for n in [1.0f64, 2.0, 5.0] {
            for ln_c50 in [middle, 0.5 * (middle + most.ln()), most.ln()] {
                let end = minimise(&curve, [low, 1.0 - low, n.ln(), ln_c50], 200);
                if best.is_none_or(|(cost, _)| end.cost < cost) {
                    best = Some((end.cost, end.at));
                }
            }
        }
        Ok(best.map(|(cost, [r0, rmax, ln_n, ln_c50])| Self {
            r0: r0 * scale,
            rmax: rmax * scale,
            n: ln_n.exp(),
            c50: ln_c50.exp(),
            r2: 1.0 - 2.0 * cost / sst,
        }))
    }
}

/// How far the response at the highest contrast lies below the highest response,
///
/// ```text
/// (max R − R(c_most))/max R
/// ```
///
/// for `responses` in the order of rising contrast: 0 for a curve that rises to its end, more for a unit
/// that is suppressed by high contrast. `None` if all responses are 0.
///
/// Source: Peirce (2007), *J. Vision* 7(6):13, who calls such curves supersaturating.
///
/// ```
/// use scotopic_measures::tuning::supersaturation;
/// # fn main() -> scotopic_measures::Result<()> {
/// assert_eq!(supersaturation(&[0.0, 2.0, 4.0, 3.0])?, Some(0.25));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Size`] for no response, [`Error::NotFinite`], [`Error::Value`] for a negative response.
pub fn supersaturation(responses: &[f64]) -> Result<Option<f64>> {
    check_rates("contrast responses", responses, 1)?;
    let highest = responses.iter().fold(0.0f64, |m, &r| m.max(r));
    let last = responses.last().copied().filter(|_| highest > 0.0);
    Ok(last.map(|last| (highest - last) / highest))
}

/// u = cⁿ/(cⁿ + c₅₀ⁿ) = 1/(1 + exp(−n ln(c/c₅₀))), and n ln(c/c₅₀), which is 0 where u does not depend
/// on it.
fn share(contrast: f64, n: f64, ln_c50: f64) -> (f64, f64) {
    if contrast <= 0.0 {
        return (0.0, 0.0);
    }
    let above = n * (contrast.ln() - ln_c50);
    (1.0 / (1.0 + (-above).exp()), above)
}

/// Responses to fit; parameters R₀, Rmax, ln n, ln c₅₀.
struct Curve<'a> {
    contrasts: &'a [f64],
    responses: Vec<f64>,
    ln_c50: (f64, f64),
}

impl LeastSquares<4> for Curve<'_> {
    fn cost(&self, p: &[f64; 4]) -> f64 {
        self.normal(p).cost
    }

    fn normal(&self, &[r0, rmax, ln_n, ln_c50]: &[f64; 4]) -> Normal<4> {
        let n = ln_n.exp();
        let mut normal = Normal::zero();
        for (&contrast, response) in self.contrasts.iter().zip(&self.responses) {
            let (u, above) = share(contrast, n, ln_c50);
            let steep = rmax * u * (1.0 - u);
            normal.add(
                r0 + rmax * u - response,
                &[1.0, u, steep * above, -steep * n],
            );
        }
        normal
    }

    fn bounds(&self) -> [(f64, f64); 4] {
        let positive = (0.0, f64::INFINITY);
        [positive, positive, (0.1f64.ln(), 20f64.ln()), self.ln_c50]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::levenberg_marquardt::gradient_error;
    use crate::rng::CounterRng;

    const CONTRASTS: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0];

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let mut draws = CounterRng(41);
        let curve = Curve {
            contrasts: &CONTRASTS,
            responses: (0..9).map(|_| draws.between(0.0, 1.0)).collect(),
            ln_c50: (-9.0, 9.0),
        };
        for _ in 0..20 {
            let p = [
                draws.between(0.0, 1.0),
                draws.between(0.1, 2.0),
                draws.between(-1.0, 1.5),
                draws.between(-4.0, 0.0),
            ];
            assert!(gradient_error(&curve, p) < 1e-7);
        }
    }

    #[test]
    fn known_curves_are_recovered() {
        let mut draws = CounterRng(42);
        for _ in 0..100 {
            let truth = NakaRushton {
                r0: draws.between(0.0, 2.0),
                rmax: draws.between(5.0, 50.0),
                n: draws.between(1.0, 4.0),
                c50: draws.between(0.05, 0.4),
                r2: 1.0,
            };
            let clean = CONTRASTS.map(|c| truth.value(c));
            let fit = NakaRushton::fit(&CONTRASTS, &clean).unwrap().unwrap();
            assert!(fit.r2 > 0.99999, "{truth:?} {fit:?}");
            assert!(
                (fit.c50 / truth.c50 - 1.0).abs() < 0.02,
                "{truth:?} {fit:?}"
            );
            let noisy = clean.map(|r| (r + 0.02 * truth.rmax * draws.normal()).max(0.0));
            let fit = NakaRushton::fit(&CONTRASTS, &noisy).unwrap().unwrap();
            assert!(fit.r2 > 0.97, "{truth:?} {fit:?}");
            assert!((fit.value(0.3) - truth.value(0.3)).abs() < 0.08 * truth.rmax);
        }
    }

    #[test]
    fn lines_steps_and_silence() {
        let line = NakaRushton::fit(&CONTRASTS, &CONTRASTS).unwrap().unwrap();
        assert!(line.r2 > 0.999, "{line:?}");
        assert!(line.saturation(1.0).unwrap().abs() < 0.15, "{line:?}");
        let step = CONTRASTS.map(|c| f64::from(u8::from(c > 0.15)));
        let step = NakaRushton::fit(&CONTRASTS, &step).unwrap().unwrap();
        assert!(
            step.r2 > 0.999 && step.saturation(1.0).unwrap() > 0.99,
            "{step:?}"
        );
        assert_eq!(NakaRushton::fit(&CONTRASTS, &[0.0; 9]).unwrap(), None);
        assert_eq!(NakaRushton::fit(&CONTRASTS, &[3.0; 9]).unwrap(), None);
        assert_eq!(supersaturation(&[0.0; 3]).unwrap(), None);
        // Responses that fall with contrast: Rmax = 0 is the best that the function can do.
        let falling = CONTRASTS.map(|c| 1.0 - c);
        let falling = NakaRushton::fit(&CONTRASTS, &falling).unwrap().unwrap();
        assert!(
            falling.rmax < 1e-6 && falling.r2.abs() < 1e-6,
            "{falling:?}"
        );
    }

    #[test]
    fn nonsense_is_named() {
        let fit = |c: &[f64], r: &[f64]| NakaRushton::fit(c, r).unwrap_err().to_string();
        assert!(fit(&[0.1; 3], &[1.0; 3]).contains("at least 4"));
        assert!(fit(&[0.1; 4], &[1.0; 3]).contains("expected 4, as contrasts"));
        assert!(fit(&[0.0; 4], &[1.0; 4]).contains("some contrast above 0"));
        assert!(fit(&[0.1, 0.2, -0.3, 0.4], &[1.0; 4]).starts_with("contrasts, entry 2"));
    }
}
