//! Fitting a Gabor function to a filter.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::function::{Gabor, P, Wave, canonical, index};
use super::start::Starts;
use crate::numerics::levenberg_marquardt::{LeastSquares, Minimum, Normal, minimise};
use crate::reconstruction_score::sst;
use crate::{Error, Result, Rows};

/// The Gabor function nearest to a filter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GaborFit {
    /// The function.
    pub gabor: Gabor,
    /// R² = 1 − Σ (filter − g)²/Σ (filter − mean)².
    pub r2: f64,
}

/// Fits a Gabor function to one `filter` of `height` × `width` pixels, row after row.
///
/// The least Σ (filter − g)² found by Levenberg–Marquardt from several first guesses, within
///
/// ```text
/// −w/4 ≤ x₀ ≤ 5w/4,  −h/4 ≤ y₀ ≤ 5h/4,  0.4 ≤ σ ≤ 2 max(w, h),  0 ≤ f ≤ ½ cycles per pixel
/// ```
///
/// Of an odd filter that is much narrower than a cycle the product A f is determined, not A or f alone.
/// `None` for a filter that is the same everywhere, such as that of a dead unit.
///
/// ```
/// use scotopic_measures::gabor::{self, Gabor};
/// # fn main() -> scotopic_measures::Result<()> {
/// let truth = Gabor {
///     amplitude: 1.0, x0: 6.0, y0: 5.0, sigma_x: 2.0, sigma_y: 3.0,
///     theta: 0.7, frequency: 0.15, phase: 1.0,
/// };
/// let filter: Vec<f32> = truth.render(12, 12).iter().map(|&v| v as f32).collect();
/// let fit = gabor::fit(&filter, 12, 12)?.expect("not flat");
/// assert!(fit.r2 > 0.9999);
/// assert!((fit.gabor.frequency - 0.15).abs() < 1e-3);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Size`] if there are not `height·width` pixels, or fewer than 9 of them (one more than
/// parameters); [`Error::NotFinite`].
pub fn fit(filter: &[f32], height: usize, width: usize) -> Result<Option<GaborFit>> {
    let pixels = height.saturating_mul(width);
    let filter = Rows::new("filter", filter, [1, pixels])?;
    Ok(fit_all(filter, height, width)?.first().copied().flatten())
}

/// Fits every row of `filters` `[filters, height·width]` as [`fit`] does.
///
/// ```
/// use scotopic_measures::{Rows, gabor};
/// # fn main() -> scotopic_measures::Result<()> {
/// let mut filters = vec![0.0; 2 * 25]; // a dead unit, and
/// filters[25 + 12] = 1.0; // a single pixel
/// let fits = gabor::fit_all(Rows::new("filters", &filters, [2, 25])?, 5, 5)?;
/// assert_eq!(fits[0], None);
/// assert!(fits[1].is_some_and(|fit| fit.gabor.sigma_x < 1.0));
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`fit`].
pub fn fit_all(filters: Rows<'_>, height: usize, width: usize) -> Result<Vec<Option<GaborFit>>> {
    let pixels = height.saturating_mul(width);
    filters.check_columns(pixels, "height × width")?;
    if pixels <= P {
        let expected = format!("at least {}, one more than parameters", P + 1);
        return Err(Error::size(filters.name(), "pixels", pixels, expected));
    }
    let starts = Starts::new(height, width);
    let fits = filters
        .par_iter()
        .map(|filter| fit_one(filter, height, width, &starts));
    Ok(fits.collect())
}

/// Among the filters that are `active`, the fraction whose Gabor fit has R² ≥ `threshold`; a filter
/// without a fit has not. `None` where none is active.
///
/// ```
/// use scotopic_measures::gabor::{Gabor, GaborFit, fraction_gabor};
/// # fn main() -> scotopic_measures::Result<()> {
/// let gabor = Gabor {
///     amplitude: 1.0, x0: 6.0, y0: 5.0, sigma_x: 2.0, sigma_y: 3.0,
///     theta: 0.7, frequency: 0.15, phase: 1.0,
/// };
/// let good = Some(GaborFit { gabor, r2: 0.9 });
/// let poor = Some(GaborFit { gabor, r2: 0.2 });
/// let fits = [good, poor, None, good];
/// assert_eq!(fraction_gabor(&fits, &[true, true, true, false], 0.7)?, Some(1.0 / 3.0));
/// assert_eq!(fraction_gabor(&fits, &[false; 4], 0.7)?, None);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Size`] if there is not one flag for each fit, [`Error::Setting`] for a threshold that is
/// not a number.
pub fn fraction_gabor(
    fits: &[Option<GaborFit>],
    active: &[bool],
    threshold: f64,
) -> Result<Option<f64>> {
    crate::error::check_same("active", "entries", active.len(), fits.len(), "fits")?;
    if !threshold.is_finite() {
        return Err(Error::setting(
            "threshold",
            threshold,
            "a number; 0.7 is usual",
        ));
    }
    let good = |fit: &Option<GaborFit>| fit.is_some_and(|fit| fit.r2 >= threshold);
    let of_active = fits.iter().zip(active).filter(|(_, active)| **active);
    let (passed, all) = of_active.fold((0, 0), |(passed, all), (fit, _)| {
        (passed + usize::from(good(fit)), all + 1)
    });
    Ok((all > 0).then(|| passed as f64 / all as f64))
}

/// Steps from each first guess, and from the best of what they reach.
const STEPS: [usize; 2] = [25, 200];

fn fit_one(filter: &[f32], height: usize, width: usize, starts: &Starts) -> Option<GaborFit> {
    let sst = sst(filter);
    // The scale of a filter must not matter, nor may its squares underflow.
    let scale = filter.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let flat = f64::from(scale).powi(2) * filter.len() as f64 * 1e-13;
    if sst <= flat {
        return None;
    }
    let residual = Residual {
        filter: filter
            .iter()
            .map(|&v| f64::from(v) / f64::from(scale))
            .collect(),
        height,
        width,
    };
    let mut best: Option<Minimum<P>> = None;
    for start in starts.of(filter) {
        let reached = minimise(&residual, residual.with_amplitudes(start), STEPS[0]);
        if best.is_none_or(|best| reached.cost < best.cost) {
            best = Some(reached);
        }
    }
    let end = minimise(&residual, best?.at, STEPS[1]);
    let mut gabor = canonical(&end.at);
    gabor.amplitude *= f64::from(scale);
    let sse = 2.0 * end.cost * f64::from(scale).powi(2);
    Some(GaborFit {
        gabor,
        r2: 1.0 - sse / sst,
    })
}

/// filter − g over the pixels.
struct Residual {
    filter: Vec<f64>,
    height: usize,
    width: usize,
}

impl Residual {
    /// Calls `f(value, x, y)` for every pixel.
    #[inline]
    fn each(&self, mut f: impl FnMut(f64, f64, f64)) {
        for (y, row) in self.filter.chunks_exact(self.width).enumerate() {
            for (x, &value) in row.iter().enumerate() {
                f(value, x as f64, y as f64);
            }
        }
    }

    /// Sets a and b to their best values for the other parameters: two linear equations.
    fn with_amplitudes(&self, mut p: [f64; P]) -> [f64; P] {
        let wave = Wave::new(&p);
        let (mut cc, mut cs, mut ss, mut cg, mut sg) = (0.0, 0.0, 0.0, 0.0, 0.0);
        self.each(|value, x, y| {
            let (_, _, c, s) = wave.parts(x, y);
            cc += c * c;
            cs += c * s;
            ss += s * s;
            cg += c * value;
            sg += s * value;
        });
        // A little ridge: at f = 0 the sine has no part.
        let ridge = 1e-6 * (cc + ss) + f64::MIN_POSITIVE;
        let (cc, ss) = (cc + ridge, ss + ridge);
        let determinant = cc * ss - cs * cs;
        p[index::A] = (cg * ss - sg * cs) / determinant;
        p[index::B] = -(sg * cc - cg * cs) / determinant;
        p
    }
}

impl LeastSquares<P> for Residual {
    fn cost(&self, p: &[f64; P]) -> f64 {
        let wave = Wave::new(p);
        let mut sum = 0.0;
        self.each(|value, x, y| sum += (wave.value(x, y) - value).powi(2));
        0.5 * sum
    }

    fn normal(&self, p: &[f64; P]) -> Normal<P> {
        let wave = Wave::new(p);
        let mut normal = Normal::zero();
        self.each(|value, x, y| {
            let (g, derivatives) = wave.derivatives(x, y);
            normal.add(g - value, &derivatives);
        });
        normal
    }

    fn bounds(&self) -> [(f64, f64); P] {
        let (width, height) = (self.width as f64, self.height as f64);
        let ln_sigma = (0.4f64.ln(), (2.0 * width.max(height)).ln());
        let all = (f64::NEG_INFINITY, f64::INFINITY);
        let mut bounds = [all; P];
        bounds[index::X0] = (-0.25 * width, 1.25 * width);
        bounds[index::Y0] = (-0.25 * height, 1.25 * height);
        bounds[index::LN_SIGMA_X] = ln_sigma;
        bounds[index::LN_SIGMA_Y] = ln_sigma;
        // Either sign, so that a descent can pass through f = 0.
        bounds[index::F] = (-0.5, 0.5);
        bounds
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
