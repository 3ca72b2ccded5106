//! Standardised residuals in four panels: over time, their histogram, their quantiles, their autocorrelations.

use crate::chart::{Mark, Panel, Series};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::time_axis::TimeAxis;

/// The most points of a line, and of a plot of quantiles.
const POINTS: usize = 2000;
const QUANTILES: usize = 600;
/// How far from zero a standard normal number is in 95 % of cases.
const DEVIATIONS: f64 = 1.959_963_984_540_054;

/// Residuals that should be independent N(0, 1).
#[derive(Clone, Debug, PartialEq)]
pub struct Residuals<'a> {
    /// z in order; NaN where there is none.
    pub residuals: &'a [f64],
    /// Φ⁻¹((i − ½)/n) of the n that are there, rising.
    pub normal_quantiles: &'a [f64],
    /// ρ_1, ρ_2, …
    pub autocorrelations: &'a [f64],
    /// The times of the residuals, where they are known.
    pub times: Option<&'a TimeAxis>,
}

impl Residuals<'_> {
    /// The four panels.
    ///
    /// # Errors
    /// [`FigureError`] for fewer than two residuals, or quantiles of another number.
    pub fn picture(&self) -> Result<Figure, FigureError> {
        let mut sorted: Vec<f64> = self
            .residuals
            .iter()
            .copied()
            .filter(|z| z.is_finite())
            .collect();
        sorted.sort_by(f64::total_cmp);
        if sorted.len() < 2 {
            return Err(FigureError::Empty(
                "there are fewer than two residuals".to_owned(),
            ));
        }
        if sorted.len() != self.normal_quantiles.len() {
            return Err(FigureError::Length {
                what: "the quantiles of the normal distribution".to_owned(),
                expected: format!("{}, one a residual,", sorted.len()),
                got: self.normal_quantiles.len(),
            });
        }
        let panels = [
            self.over_time(),
            histogram(&sorted),
            self.quantiles(&sorted),
            self.correlations(sorted.len()),
        ];
        crate::chart::lines_in_rows(&panels, 2)
    }

    fn over_time(&self) -> Panel {
        let (x, y) = thinned(self.residuals);
        let end = self.residuals.len() as f64;
        let mut series = lines_at(&[-DEVIATIONS, 0.0, DEVIATIONS], 1.0, end);
        series.push(Series::line("residuals", x, y));
        Panel::new(
            "Standardised residuals, 95 % limits",
            "observation",
            "z",
            series,
        )
        .timed(self.times.cloned())
    }

    fn quantiles(&self, sorted: &[f64]) -> Panel {
        let n = sorted.len();
        // All of the ends, and as many of the middle as can be told apart.
        let every = n.div_ceil(QUANTILES);
        let kept = |i: &usize| i.is_multiple_of(every) || *i < 50 || *i + 50 >= n;
        let (x, y): (Vec<f64>, Vec<f64>) = (0..n)
            .filter(kept)
            .map(|i| (self.normal_quantiles[i], sorted[i]))
            .unzip();
        let ends = [x[0], x[x.len() - 1]];
        let series = vec![
            Series::line("residuals", x, y).marked(Mark::Dots),
            Series::line("N(0, 1)", ends.to_vec(), ends.to_vec()).marked(Mark::Curve),
        ];
        Panel::new("Quantiles", "of N(0, 1)", "of the residuals", series)
    }

    fn correlations(&self, count: usize) -> Panel {
        let lags: Vec<f64> = (1..=self.autocorrelations.len())
            .map(|k| k as f64)
            .collect();
        let edge = DEVIATIONS / (count as f64).sqrt();
        let mut series = lines_at(&[-edge, 0.0, edge], 0.5, lags.len() as f64 + 0.5);
        let bars = Series::line("residuals", lags, self.autocorrelations.to_vec());
        series.push(bars.marked(Mark::Bars));
        Panel::new(
            "Autocorrelations, 95 % limits",
            "lag",
            "correlation",
            series,
        )
    }
}

/// Grey lines across, at these heights.
fn lines_at(heights: &[f64], from: f64, to: f64) -> Vec<Series> {
    let line = |h: &f64| Series::line("", vec![from, to], vec![*h, *h]).faint();
    heights.iter().map(line).collect()
}

fn histogram(sorted: &[f64]) -> Panel {
    let n = sorted.len() as f64;
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    // D. Freedman, P. Diaconis: 2 IQR/n^{1/3}.
    let at = |p: f64| sorted[((n - 1.0) * p).round() as usize];
    let width = (2.0 * (at(0.75) - at(0.25)) / n.cbrt()).max((high - low) / 60.0);
    let bins = ((high - low) / width).ceil().clamp(1.0, 60.0) as usize;
    let width = ((high - low) / bins as f64).max(f64::MIN_POSITIVE);
    let mut counts = vec![0.0; bins];
    for z in sorted {
        counts[(((z - low) / width) as usize).min(bins - 1)] += 1.0;
    }
    let middle = (0..bins).map(|k| low + (k as f64 + 0.5) * width).collect();
    let density = counts.iter().map(|c| c / (n * width)).collect();
    let edge = low.abs().max(high.abs()).clamp(3.0, 6.0);
    let x: Vec<f64> = (0..=120)
        .map(|k| edge * (f64::from(k) / 60.0 - 1.0))
        .collect();
    let y = x
        .iter()
        .map(|x| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt())
        .collect();
    let series = vec![
        Series::line("residuals", middle, density).marked(Mark::Bars),
        Series::line("N(0, 1)", x, y),
    ];
    Panel::new("Histogram", "z", "density", series)
}

/// At most `POINTS` points: of longer series the smallest and the largest value of each stretch, in their order.
fn thinned(z: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let each = z.len().div_ceil(POINTS);
    if each < 2 {
        return (0..z.len()).map(|t| (t as f64 + 1.0, z[t])).unzip();
    }
    let mut points = Vec::new();
    for (k, part) in z.chunks(2 * each).enumerate() {
        let at = |i: usize| ((2 * each * k + i) as f64 + 1.0, part[i]);
        let finite = || (0..part.len()).filter(|i| part[*i].is_finite());
        let least = finite().min_by(|a, b| part[*a].total_cmp(&part[*b]));
        let most = finite().max_by(|a, b| part[*a].total_cmp(&part[*b]));
        if let (Some(a), Some(b)) = (least, most) {
            points.extend([at(a.min(b)), at(a.max(b))]);
        }
    }
    points.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_panels_and_what_cannot_be_drawn() {
        let z: Vec<f64> = (0..5000)
            .map(|t| (f64::from(t) * 0.7).sin() * 1.5)
            .collect();
        let mut quantiles = z.clone();
        quantiles.sort_by(f64::total_cmp);
        let figure = Residuals {
            residuals: &z,
            normal_quantiles: &quantiles,
            autocorrelations: &[0.5, -0.2, 0.1],
            times: None,
        };
        let picture = figure.picture().unwrap();
        assert_eq!(picture.plots.len(), 4);
        let few = Residuals {
            residuals: &[1.0, f64::NAN],
            ..figure.clone()
        };
        assert!(few.picture().is_err());
        let other = Residuals {
            normal_quantiles: &quantiles[1..],
            ..figure
        };
        assert!(
            other
                .picture()
                .unwrap_err()
                .to_string()
                .contains("one a residual")
        );
    }

    #[test]
    fn nothing_that_stands_out_is_thinned_away() {
        let mut z = vec![0.0; 100_000];
        z[77_777] = 9.0;
        let (x, y) = thinned(&z);
        assert!(x.len() <= POINTS + 2);
        let at = y.iter().position(|y| *y == 9.0).unwrap();
        assert_eq!(x[at], 77_778.0);
    }
}
