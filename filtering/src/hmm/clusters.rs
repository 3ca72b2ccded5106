//! k-means: where guesses of emissions come from.

use rand::{Rng, RngExt};

use super::emission_rows::reordered;
use crate::data_spread::unit_variance;

/// Lloyd's iterations: the guess only has to tell the states apart.
const SWEEPS: usize = 10;
/// As many observations of the overall spread are mixed into a state's own, so that one with a single
/// observation has a spread at all.
const SHARED: f64 = 5.0;
/// The least variance, relative to that of all data, or to their square where they do not vary.
pub(super) const LEAST_SPREAD: f64 = 1e-6;

/// K rows drawn from the data `[K, D]`, to be means.
pub(super) fn drawn_rows<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Vec<f64> {
    (0..states)
        .flat_map(|_| rows[rng.random_range(0..rows.len())].to_vec())
        .collect()
}

/// Rows sorted into K groups, by distance in units of each entry's deviation.
pub(super) struct Clusters {
    pub(super) width: usize,
    /// n `[K]`.
    counts: Vec<f64>,
    /// Mean within each group `[K, D]`.
    pub(super) means: Vec<f64>,
    /// Variance within each group `[K, D]`.
    pub(super) variances: Vec<f64>,
}

impl Clusters {
    pub(super) fn new<R: Rng + ?Sized>(states: usize, rows: &[&[f64]], rng: &mut R) -> Self {
        let (width, n) = (rows[0].len(), rows.len() as f64);
        let column = |d: usize| rows.iter().map(move |row| row[d]);
        let mean: Vec<f64> = (0..width).map(|d| column(d).sum::<f64>() / n).collect();
        let spread: Vec<f64> = (0..width)
            .map(|d| {
                let square: f64 = column(d).map(|y| (y - mean[d]).powi(2)).sum::<f64>() / n;
                unit_variance(mean[d], square)
            })
            .collect();
        let distance = |row: &[f64], centre: &[f64]| -> f64 {
            let entries = row.iter().zip(centre).zip(&spread);
            entries.map(|((y, c), s)| (y - c) * (y - c) / s).sum()
        };
        // k-means++: each next centre is drawn with probability ∝ squared distance to the nearest so far.
        let pick = |rng: &mut R| rows[((rng.random::<f64>() * n) as usize).min(rows.len() - 1)];
        let mut means = pick(rng).to_vec();
        let mut nearest: Vec<f64> = rows.iter().map(|row| distance(row, &means)).collect();
        for _ in 1..states {
            let mut left = rng.random::<f64>() * nearest.iter().sum::<f64>();
            let drawn = nearest.iter().position(|d| {
                left -= d;
                left < 0.0
            });
            let centre = match drawn {
                Some(at) => rows[at],
                None => pick(rng), // fewer different rows than states
            };
            means.extend_from_slice(centre);
            for (nearest, row) in nearest.iter_mut().zip(rows) {
                *nearest = nearest.min(distance(row, centre));
            }
        }
        let (mut counts, mut squares) = (vec![0.0; states], vec![0.0; states * width]);
        for _ in 0..SWEEPS {
            counts.fill(0.0);
            squares.fill(0.0);
            let mut sums = vec![0.0; states * width];
            for row in rows {
                let mut best = (f64::INFINITY, 0);
                for (k, centre) in means.chunks_exact(width).enumerate() {
                    let d = distance(row, centre);
                    if d < best.0 {
                        best = (d, k);
                    }
                }
                let k = best.1;
                counts[k] += 1.0;
                for d in 0..width {
                    sums[k * width + d] += row[d];
                    squares[k * width + d] += (row[d] - mean[d]).powi(2);
                }
            }
            for (at, centre) in means.iter_mut().enumerate() {
                let n = counts[at / width];
                if n > 0.0 {
                    *centre = sums[at] / n;
                }
            }
        }
        let variances = (0..states * width).map(|at| {
            let (k, d) = (at / width, at % width);
            let around = squares[at] - counts[k] * (means[at] - mean[d]).powi(2);
            let shared = (around.max(0.0) + SHARED * spread[d]) / (counts[k] + SHARED);
            shared.max(LEAST_SPREAD * spread[d])
        });
        Self {
            width,
            variances: variances.collect(),
            counts,
            means,
        }
        .sorted()
    }

    /// By the first entry of the mean, so that equal clusters get equal numbers.
    fn sorted(mut self) -> Self {
        let w = self.width;
        let mut order: Vec<usize> = (0..self.counts.len()).collect();
        order.sort_by(|&a, &b| self.means[a * w].total_cmp(&self.means[b * w]));
        self.means = reordered(&self.means, w, &order);
        self.variances = reordered(&self.variances, w, &order);
        self
    }
}
