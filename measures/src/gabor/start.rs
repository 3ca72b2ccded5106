//! First guesses of a fit: the wave from peaks of the spectrum, the envelope from the energy of that wave.
//!
//! ```text
//! G(u, v) = Σ g(x, y) exp(−2πi(ux + vy))          on a grid twice as fine as the FFT's, half a plane
//! f = √(u² + v²),  θ = atan2(v, u)                at its highest local maxima
//! e(x, y) = |blur_s[g · exp(−2πi(ux + vy))]|²      the energy near that frequency
//! centre = mean under e²,   σ² = 4 var − s²       along x' and y'
//! ```
//!
//! For a Gaussian envelope of width σ the blurred amplitude has width √(σ² + s²), and e² a quarter of
//! its variance. Squaring e again keeps noise far from the centre out of the moments.

use std::f64::consts::TAU;

use super::function::{P, index};

/// How many peaks of the spectrum are tried.
const PEAKS: usize = 3;

/// Cosine and sine of a wave on the columns or rows: `table[k][x]`.
struct Waves {
    frequencies: Vec<f64>,
    tables: Vec<Vec<(f64, f64)>>,
}

impl Waves {
    /// Frequencies `k/(2n)` for `k` in `range`.
    fn new(n: usize, range: std::ops::RangeInclusive<isize>) -> Self {
        let frequencies: Vec<f64> = range.map(|k| k as f64 / (2 * n) as f64).collect();
        let table = |f: &f64| (0..n).map(|x| (TAU * f * x as f64).sin_cos()).collect();
        Self {
            tables: frequencies.iter().map(table).collect(),
            frequencies,
        }
    }
}

/// What is the same for all filters of one size.
pub struct Starts {
    height: usize,
    width: usize,
    across: Waves,
    down: Waves,
}

impl Starts {
    /// For filters `[height, width]`.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            across: Waves::new(width, 0..=width as isize),
            down: Waves::new(height, -(height as isize) + 1..=height as isize),
        }
    }

    /// First guesses for `filter`; a and b are left at zero.
    pub fn of(&self, filter: &[f32]) -> Vec<[f64; P]> {
        let mut starts = Vec::new();
        for (u, v) in self.peaks(filter) {
            let start = self.envelope(filter, u, v);
            starts.push(start);
            // The moments of a short filter are uncertain: half the cycles, and stripes of another length.
            let mut other = start;
            other[index::LN_SIGMA_X] -= 0.5;
            other[index::LN_SIGMA_Y] += 0.4;
            starts.push(other);
        }
        // A blob: all widths, no wave to speak of.
        if let Some(&(mut blob)) = starts.first() {
            let mean = 0.5 * (blob[index::LN_SIGMA_X] + blob[index::LN_SIGMA_Y]);
            (blob[index::LN_SIGMA_X], blob[index::LN_SIGMA_Y]) = (mean, mean);
            blob[index::F] *= 0.3;
            starts.push(blob);
        }
        starts
    }

    /// Frequencies (u, v) of the highest local maxima of |G|², the highest first.
    fn peaks(&self, filter: &[f32]) -> Vec<(f64, f64)> {
        let (columns, rows) = (self.across.tables.len(), self.down.tables.len());
        // Along the rows first: part[y][u].
        let mut part = vec![(0.0, 0.0); self.height * columns];
        for (y, row) in filter.chunks_exact(self.width).enumerate() {
            for (u, table) in self.across.tables.iter().enumerate() {
                let (mut re, mut im) = (0.0, 0.0);
                for (&g, &(sin, cos)) in row.iter().zip(table) {
                    re += f64::from(g) * cos;
                    im -= f64::from(g) * sin;
                }
                part[y * columns + u] = (re, im);
            }
        }
        let mut power = vec![0.0; rows * columns];
        for (v, table) in self.down.tables.iter().enumerate() {
            for u in 0..columns {
                let (mut re, mut im) = (0.0, 0.0);
                for (y, &(sin, cos)) in table.iter().enumerate() {
                    let (a, b) = part[y * columns + u];
                    re += a * cos + b * sin;
                    im += b * cos - a * sin;
                }
                power[v * columns + u] = re * re + im * im;
            }
        }
        let mut peaks: Vec<(f64, usize)> = (0..rows * columns)
            .filter(|&i| is_peak(&power, columns, i))
            .map(|i| (power[i], i))
            .collect();
        peaks.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let frequencies = |i| {
            (
                self.across.frequencies[i % columns],
                self.down.frequencies[i / columns],
            )
        };
        peaks
            .iter()
            .take(PEAKS)
            .map(|&(_, i)| frequencies(i))
            .collect()
    }

    fn envelope(&self, filter: &[f32], u: f64, v: f64) -> [f64; P] {
        let f = u.hypot(v);
        let theta = v.atan2(u);
        let size = self.height.min(self.width) as f64;
        let blur = (0.3 / f.max(1e-6)).clamp(0.7, (size / 5.0).max(0.7));
        let demodulated: Vec<(f64, f64)> = filter
            .iter()
            .enumerate()
            .map(|(i, &g)| {
                let (x, y) = ((i % self.width) as f64, (i / self.width) as f64);
                let (sin, cos) = (TAU * (u * x + v * y)).sin_cos();
                (f64::from(g) * cos, -f64::from(g) * sin)
            })
            .collect();
        let smooth = blurred(&demodulated, self.height, self.width, blur);
        let weights: Vec<f64> = smooth
            .iter()
            .map(|(a, b)| (a * a + b * b).powi(2))
            .collect();
        let total = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let position = |i: usize| ((i % self.width) as f64, (i / self.width) as f64);
        let mean = |of: &dyn Fn(f64, f64) -> f64| {
            let each = weights.iter().enumerate().map(|(i, w)| {
                let (x, y) = position(i);
                w * of(x, y)
            });
            each.sum::<f64>() / total
        };
        let (x0, y0) = (mean(&|x, _| x), mean(&|_, y| y));
        let (sin, cos) = theta.sin_cos();
        let across = mean(&|x, y| ((x - x0) * cos + (y - y0) * sin).powi(2));
        let along = mean(&|x, y| ((y - y0) * cos - (x - x0) * sin).powi(2));
        let ln_sigma = |variance: f64| 0.5 * (4.0 * variance - blur * blur).max(0.5).ln();
        let mut start = [0.0; P];
        start[index::X0] = x0;
        start[index::Y0] = y0;
        start[index::LN_SIGMA_X] = ln_sigma(across);
        start[index::LN_SIGMA_Y] = ln_sigma(along);
        start[index::THETA] = theta;
        start[index::F] = f;
        start
    }
}

/// Whether no neighbour is higher; of equal neighbours the first is the peak.
fn is_peak(power: &[f64], columns: usize, i: usize) -> bool {
    let rows = power.len() / columns;
    let (row, column) = (i / columns, i % columns);
    let near = |at: usize, n: usize| at.saturating_sub(1)..=(at + 1).min(n - 1);
    near(row, rows)
        .flat_map(|r| near(column, columns).map(move |c| r * columns + c))
        .all(|j| j == i || power[j] < power[i] || (power[j] == power[i] && j > i))
}

/// A Gaussian blur of width `sigma`, zeros outside the picture.
fn blurred(values: &[(f64, f64)], height: usize, width: usize, sigma: f64) -> Vec<(f64, f64)> {
    let reach = (3.0 * sigma).ceil() as usize;
    let kernel: Vec<f64> = (0..=reach)
        .map(|d| (-0.5 * (d as f64 / sigma).powi(2)).exp())
        .collect();
    let pass = |from: &[(f64, f64)], n: usize, stride: usize, at: usize| {
        let place = (at / stride) % n;
        let (low, high) = (place.saturating_sub(reach), (place + reach).min(n - 1));
        (low..=high).fold((0.0, 0.0), |sum, q| {
            let weight = kernel[q.abs_diff(place)];
            let (a, b) = from[at + q * stride - place * stride];
            (sum.0 + weight * a, sum.1 + weight * b)
        })
    };
    let rows: Vec<_> = (0..height * width)
        .map(|i| pass(values, width, 1, i))
        .collect();
    (0..height * width)
        .map(|i| pass(&rows, height, width, i))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::function::Gabor;
    use super::*;

    #[test]
    fn a_clean_gabor_is_guessed_closely() {
        let gabor = Gabor {
            amplitude: 1.0,
            x0: 7.0,
            y0: 8.5,
            sigma_x: 2.5,
            sigma_y: 3.0,
            theta: 0.6,
            frequency: 0.2,
            phase: 0.9,
        };
        let filter: Vec<f32> = gabor.render(16, 16).iter().map(|&v| v as f32).collect();
        let starts = Starts::new(16, 16).of(&filter);
        let first = starts[0];
        assert!((first[index::X0] - 7.0).abs() < 0.3 && (first[index::Y0] - 8.5).abs() < 0.3);
        assert!((first[index::F] - 0.2).abs() < 0.03, "{first:?}");
        assert!((first[index::THETA] - 0.6).abs() < 0.1, "{first:?}");
        assert!(
            (first[index::LN_SIGMA_X].exp() - 2.5).abs() < 0.7,
            "{first:?}"
        );
        assert!(
            (first[index::LN_SIGMA_Y].exp() - 3.0).abs() < 0.7,
            "{first:?}"
        );
    }

    #[test]
    fn the_peak_of_a_plane_wave_is_on_the_grid() {
        // 3 cycles over 12 columns, −2 over 8 rows: u = 1/4, v = −1/4.
        let wave: Vec<f32> = (0..96)
            .map(|i| (TAU * ((i % 12) as f64 - (i / 12) as f64) / 4.0).cos() as f32)
            .collect();
        let peaks = Starts::new(8, 12).peaks(&wave);
        assert_eq!(peaks[0], (0.25, -0.25));
    }
}
