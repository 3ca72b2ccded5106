//! Divisive normalisation.

use serde::{Deserialize, Serialize};

use crate::error::{check_rates, check_same};
use crate::numerics::levenberg_marquardt::{LeastSquares, Normal, minimise};
use crate::{Error, Result};

/// The normalisation model of a response to a grating of contrast c under a mask of contrast m that alone does not drive the
/// unit,
///
/// ```text
/// R(c, m) = R₀ + Rmax cⁿ/(c₅₀ⁿ + cⁿ + w mⁿ),      R₀ ≥ 0, Rmax ≥ 0, 0.1 ≤ n ≤ 20, 0 ≤ w ≤ 100, c_least/10 ≤ c₅₀ ≤ 10 c_most
/// ```
///
/// where c_least is the least contrast above 0. Without a mask it is [`NakaRushton`](super::NakaRushton)'s function; w is how
/// much of the pool that divides the response the mask drives, 1 where as much as the grating itself.
///
/// Source: Heeger (1992), *Visual Neuroscience* 9:181; Carandini, Heeger & Movshon (1997), *J. Neuroscience* 17:8621.
///
/// ```
/// use scotopic_measures::tuning::DivisiveNormalisation;
/// # fn main() -> scotopic_measures::Result<()> {
/// let truth = DivisiveNormalisation { r0: 0.5, rmax: 10.0, n: 2.0, c50: 0.2, mask: 0.8, r2: 1.0, r2_unmasked: 0.0 };
/// let steps = [0.0, 0.1, 0.2, 0.4, 0.8];
/// let pairs: Vec<[f64; 2]> = steps.iter().flat_map(|&c| steps.map(|m| [c, m])).collect();
/// let responses: Vec<f64> = pairs.iter().map(|&[c, m]| truth.value(c, m)).collect();
/// let fit = DivisiveNormalisation::fit(&pairs, &responses)?.expect("not flat");
/// assert!((fit.mask - 0.8).abs() < 1e-3 && (fit.n - 2.0).abs() < 1e-3);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DivisiveNormalisation {
    /// R₀, the response without contrast.
    pub r0: f64,
    /// Rmax, what contrast adds at most.
    pub rmax: f64,
    /// n, the steepness.
    pub n: f64,
    /// c₅₀, the contrast that adds half of Rmax without a mask, in the unit of the contrasts.
    pub c50: f64,
    /// w, the weight of the mask in the pool.
    pub mask: f64,
    /// R² over the responses.
    pub r2: f64,
    /// R² of the best fit with w = 0, which does not see the mask.
    pub r2_unmasked: f64,
}

/// A mask that divides more than a hundred times as much as the grating itself is not told from one that silences.
const MOST_WEIGHT: f64 = 100.0;

impl DivisiveNormalisation {
    /// R(c, m).
    pub fn value(&self, contrast: f64, mask: f64) -> f64 {
        let at = Point::new([contrast, mask], 1.0, self.n);
        self.r0 + self.rmax * at.share(self.c50.powf(self.n), self.mask)
    }

    /// The least-squares fit to `responses` at `contrasts`, pairs of grating and mask in any order; `None` if all responses
    /// are equal.
    ///
    /// # Errors
    /// [`Error::Size`] for fewer than 6 pairs or another number of responses, [`Error::NotFinite`], [`Error::Value`] for a
    /// negative contrast or response, or if no contrast of the grating is above 0.
    pub fn fit(contrasts: &[[f64; 2]], responses: &[f64]) -> Result<Option<Self>> {
        if contrasts.len() < 6 {
            let expected = "at least 6";
            return Err(Error::size("contrasts", "pairs", contrasts.len(), expected));
        }
        check_rates("contrasts", contrasts.as_flattened(), 0)?;
        check_rates("responses", responses, 0)?;
        let (found, expected) = (responses.len(), contrasts.len());
        check_same(
            "responses",
            "entries",
            found,
            expected,
            "pairs of contrasts",
        )?;
        let gratings = || contrasts.iter().map(|[c, _]| *c).filter(|c| *c > 0.0);
        let least = gratings().fold(f64::INFINITY, f64::min);
        let most = gratings().fold(0.0, f64::max);
        if most == 0.0 {
            let expected = "some contrast of the grating above 0";
            return Err(Error::value("contrasts", 0, "0 everywhere", expected));
        }
        let scale = responses.iter().fold(0.0f64, |m, &r| m.max(r));
        let relative: Vec<f64> = responses.iter().map(|r| r / scale).collect();
        let mean = relative.iter().sum::<f64>() / found as f64;
        let sst: f64 = relative.iter().map(|r| (r - mean).powi(2)).sum();
        if scale == 0.0 || sst <= 1e-20 * found as f64 {
            return Ok(None);
        }
        let low = relative.iter().fold(1.0f64, |m, &r| m.min(r));
        let surface = |most_weight| Surface {
            contrasts,
            unit: most,
            responses: &relative,
            ln_c50: ((0.1 * least / most).ln(), 10f64.ln()),
            most_weight,
        };
        let best = |surface: &Surface<'_>, weights: &[f64]| {
            let mut best: Option<(f64, [f64; 5])> = None;
            for n in [1.0f64, 2.0, 4.0] {
                for c50 in [(least / most).sqrt(), 1.0] {
                    for &w in weights {
                        let start = [low, 1.0 - low, n.ln(), c50.ln(), w];
                        let end = minimise(surface, start, 300);
                        if best.is_none_or(|(cost, _)| end.cost < cost) {
                            best = Some((end.cost, end.at));
                        }
                    }
                }
            }
            best
        };
        let unmasked = best(&surface(0.0), &[0.0]);
        let masked = best(&surface(MOST_WEIGHT), &[0.1, 1.0]);
        let (Some((without, plain)), Some(with)) = (unmasked, masked) else {
            return Ok(None);
        };
        // The smaller model is a case of the larger one.
        let (cost, [r0, rmax, ln_n, ln_c50, mask]) = match with.0 < without {
            true => with,
            false => (without, plain),
        };
        Ok(Some(Self {
            r0: r0 * scale,
            rmax: rmax * scale,
            n: ln_n.exp(),
            c50: ln_c50.exp() * most,
            mask,
            r2: 1.0 - 2.0 * cost / sst,
            r2_unmasked: 1.0 - 2.0 * without / sst,
        }))
    }
}

/// cⁿ and mⁿ, and the same times their logarithms.
struct Point {
    power: [f64; 2],
    steep: [f64; 2],
}

impl Point {
    /// At these contrasts in units of `unit`.
    fn new(contrasts: [f64; 2], unit: f64, n: f64) -> Self {
        let of = |c: f64| match c > 0.0 {
            true => {
                let ln = (c / unit).ln();
                ((n * ln).exp(), ln)
            }
            false => (0.0, 0.0),
        };
        let [(c, ln_c), (m, ln_m)] = contrasts.map(of);
        Self {
            power: [c, m],
            steep: [c * ln_c, m * ln_m],
        }
    }

    /// cⁿ/(s + cⁿ + w mⁿ).
    fn share(&self, s: f64, weight: f64) -> f64 {
        let [c, m] = self.power;
        if c == 0.0 {
            return 0.0;
        }
        c / (s + c + weight * m)
    }
}

/// Responses to fit, contrasts in units of the highest; parameters R₀, Rmax, ln n, ln c₅₀, w.
struct Surface<'a> {
    contrasts: &'a [[f64; 2]],
    unit: f64,
    responses: &'a [f64],
    ln_c50: (f64, f64),
    most_weight: f64,
}

impl LeastSquares<5> for Surface<'_> {
    fn cost(&self, p: &[f64; 5]) -> f64 {
        self.normal(p).cost
    }

    fn normal(&self, &[r0, rmax, ln_n, ln_c50, weight]: &[f64; 5]) -> Normal<5> {
        let n = ln_n.exp();
        let s = (n * ln_c50).exp();
        let mut normal = Normal::zero();
        for (&pair, response) in self.contrasts.iter().zip(self.responses) {
            let at = Point::new(pair, self.unit, n);
            let u = at.share(s, weight);
            let [c, m] = at.power;
            let pool = s + c + weight * m;
            let [c_ln, m_ln] = at.steep;
            let by_n = (c_ln - u * (c_ln + s * ln_c50 + weight * m_ln)) / pool;
            normal.add(
                r0 + rmax * u - response,
                &[
                    1.0,
                    u,
                    rmax * n * by_n,
                    -rmax * u * n * s / pool,
                    -rmax * u * m / pool,
                ],
            );
        }
        normal
    }

    fn bounds(&self) -> [(f64, f64); 5] {
        let positive = (0.0, f64::INFINITY);
        let steep = (0.1f64.ln(), 20f64.ln());
        [
            positive,
            positive,
            steep,
            self.ln_c50,
            (0.0, self.most_weight),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::levenberg_marquardt::gradient_error;
    use crate::rng::CounterRng;

    const STEPS: [f64; 5] = [0.0, 0.1, 0.25, 0.5, 1.0];

    fn pairs() -> Vec<[f64; 2]> {
        STEPS.iter().flat_map(|&c| STEPS.map(|m| [c, m])).collect()
    }

    #[test]
    fn derivatives_are_those_of_finite_differences() {
        let mut draws = CounterRng(51);
        let contrasts = pairs();
        let responses: Vec<f64> = contrasts.iter().map(|_| draws.between(0.0, 1.0)).collect();
        let surface = Surface {
            contrasts: &contrasts,
            unit: 1.0,
            responses: &responses,
            ln_c50: (-9.0, 9.0),
            most_weight: f64::INFINITY,
        };
        for _ in 0..20 {
            let p = [
                draws.between(0.0, 1.0),
                draws.between(0.1, 2.0),
                draws.between(-1.0, 1.5),
                draws.between(-3.0, 0.0),
                draws.between(0.1, 2.0),
            ];
            let error = gradient_error(&surface, p);
            assert!(error < 1e-7, "{p:?}: {error}");
        }
    }

    #[test]
    fn known_surfaces_are_recovered_in_any_unit() {
        let mut draws = CounterRng(52);
        for unit in [1.0, 1e6, 1e-6] {
            for _ in 0..30 {
                let truth = DivisiveNormalisation {
                    r0: draws.between(0.0, 2.0),
                    rmax: draws.between(5.0, 50.0),
                    n: draws.between(1.0, 3.0),
                    c50: unit * draws.between(0.1, 0.4),
                    mask: draws.between(0.2, 2.0),
                    r2: 1.0,
                    r2_unmasked: 0.0,
                };
                let scaled: Vec<[f64; 2]> = pairs().iter().map(|p| p.map(|c| c * unit)).collect();
                let clean: Vec<f64> = scaled.iter().map(|&[c, m]| truth.value(c, m)).collect();
                let fit = DivisiveNormalisation::fit(&scaled, &clean);
                let fit = fit.unwrap().unwrap();
                assert!(fit.r2 > 0.99999, "{truth:?} {fit:?}");
                assert!(
                    (fit.mask / truth.mask - 1.0).abs() < 0.02,
                    "{truth:?} {fit:?}"
                );
                assert!(
                    (fit.c50 / truth.c50 - 1.0).abs() < 0.02,
                    "{truth:?} {fit:?}"
                );
                assert!(fit.r2_unmasked < fit.r2);
            }
        }
    }

    #[test]
    fn a_mask_without_effect_has_no_weight() {
        let contrasts = pairs();
        let responses: Vec<f64> = contrasts
            .iter()
            .map(|[c, _]| c * c / (c * c + 0.04))
            .collect();
        let fit = DivisiveNormalisation::fit(&contrasts, &responses);
        let fit = fit.unwrap().unwrap();
        assert!(fit.mask < 1e-3 && fit.r2_unmasked > 0.99999, "{fit:?}");
        let flat = vec![3.0; contrasts.len()];
        assert_eq!(DivisiveNormalisation::fit(&contrasts, &flat).unwrap(), None);
        let silent = vec![0.0; contrasts.len()];
        assert_eq!(
            DivisiveNormalisation::fit(&contrasts, &silent).unwrap(),
            None
        );
    }

    #[test]
    fn nonsense_is_named() {
        let fit = |c: &[[f64; 2]], r: &[f64]| {
            let found = DivisiveNormalisation::fit(c, r);
            found.unwrap_err().to_string()
        };
        assert!(fit(&[[0.1; 2]; 5], &[1.0; 5]).contains("at least 6"));
        assert!(fit(&[[0.1; 2]; 6], &[1.0; 5]).contains("expected 6, as pairs of contrasts"));
        assert!(fit(&[[0.0, 0.1]; 6], &[1.0; 6]).contains("some contrast of the grating above 0"));
        assert!(fit(&[[-0.1, 0.1]; 6], &[1.0; 6]).starts_with("contrasts, entry 0"));
    }
}
