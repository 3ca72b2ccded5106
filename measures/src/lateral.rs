//! Lateral weights against the similarity of filters.
//!
//! ```text
//! s_ij = f_i·f_j / (|f_i| |f_j|)          cosine similarity, 0 for a filter of zeros
//! ```
//!
//! In the iterative Poisson VAE with a linear decoder the recurrent drive is −ΦᵀΦ: units with similar
//! filters compete. A model that learns its lateral weights can be compared with that.
//!
//! Source: Vafaii, Galor & Yates (2025), *Brain-like variational inference*.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::check_same;
use crate::{Error, Result, Rows};

/// Cosine similarity of every pair of rows of `filters` `[K, pixels]`: `[K, K]`.
///
/// ```
/// use scotopic_measures::{Rows, lateral};
/// # fn main() -> scotopic_measures::Result<()> {
/// let filters = Rows::new("filters", &[1.0, 0.0, 3.0, 3.0], [2, 2])?;
/// let similarity = lateral::similarity(filters);
/// assert!((similarity[1] - 0.5f64.sqrt()).abs() < 1e-12 && (similarity[0] - 1.0).abs() < 1e-12);
/// # Ok(()) }
/// ```
pub fn similarity(filters: Rows<'_>) -> Vec<f64> {
    let unit: Vec<Vec<f64>> = filters.par_iter().map(normalised).collect();
    let row = |a: &Vec<f64>| -> Vec<f64> {
        let products = unit
            .iter()
            .map(|b| a.iter().zip(b).map(|(a, b)| a * b).sum());
        products.collect()
    };
    let rows: Vec<Vec<f64>> = unit.par_iter().map(row).collect();
    rows.concat()
}

fn normalised(row: &[f32]) -> Vec<f64> {
    let norm = row
        .iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        .sqrt();
    let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    row.iter().map(|&v| f64::from(v) * scale).collect()
}

/// Pairs of units with similarities in one range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SimilarityBin {
    /// Lowest similarity.
    pub from: f64,
    /// Highest similarity, which belongs to the next bin unless this is the last.
    pub to: f64,
    /// Ordered pairs i ≠ j.
    pub pairs: usize,
    /// Mean weight of those pairs; 0 if there are none.
    pub mean: f64,
}

/// Lateral weights `[K, K]` summed up.
///
/// ```
/// use scotopic_measures::{Rows, lateral::{self, Lateral}};
/// # fn main() -> scotopic_measures::Result<()> {
/// let filters = Rows::new("filters", &[1.0, 0.0, 1.0, 0.1, 0.0, 1.0], [3, 2])?;
/// let similarity = lateral::similarity(filters);
/// let weights: Vec<f32> = similarity.iter().map(|&s| -s as f32).collect(); // −ΦᵀΦ
/// let lateral = Lateral::of(Rows::new("weights", &weights, [3, 3])?, &similarity, 4)?;
/// assert!((lateral.diagonal_mean + 1.0).abs() < 1e-6);
/// assert!((lateral.correlation.unwrap() + 1.0).abs() < 1e-6);
/// assert_eq!(lateral.by_similarity[3].pairs, 2); // the first two filters, both ways
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lateral {
    /// Mean weight of a unit onto itself.
    pub diagonal_mean: f64,
    /// Mean weight between different units.
    pub off_diagonal_mean: f64,
    /// Mean absolute weight between different units.
    pub off_diagonal_magnitude: f64,
    /// Correlation over the pairs i ≠ j of weight and similarity; `None` where either does not vary.
    pub correlation: Option<f64>,
    /// Weights by similarity, from −1 to 1 in bins of equal width.
    pub by_similarity: Vec<SimilarityBin>,
}

impl Lateral {
    /// From `weights` `[K, K]` and `similarity` `[K, K]`, such as [`similarity`] gives.
    ///
    /// # Errors
    /// [`Error::Size`] unless both are K×K with K ≥ 2; [`Error::Value`] for a similarity that is not
    /// in [−1, 1]; [`Error::Setting`] unless there are 1 to 10000 `bins`.
    pub fn of(weights: Rows<'_>, similarity: &[f64], bins: usize) -> Result<Self> {
        let k = weights.rows();
        weights.check_columns(k, "its rows")?;
        let found = similarity.len();
        check_same("similarity", "entries", found, k * k, weights.name())?;
        if k < 2 {
            return Err(Error::size(weights.name(), "rows", k, "at least 2"));
        }
        if !(1..=10_000).contains(&bins) {
            return Err(Error::setting("bins", bins, "from 1 to 10000"));
        }
        // Rounding may carry a cosine a little beyond 1; a NaN is in no range.
        let range = -1.000_001..=1.000_001;
        if let Some(at) = similarity.iter().position(|s| !range.contains(s)) {
            let expected = "a cosine, from -1 to 1";
            return Err(Error::value("similarity", at, similarity[at], expected));
        }
        let entries = weights
            .values()
            .iter()
            .map(|&w| f64::from(w))
            .zip(similarity);
        let (mut diagonal, mut pairs) = (0.0, Vec::with_capacity(k * (k - 1)));
        for (i, (w, &s)) in entries.enumerate() {
            if i % (k + 1) == 0 {
                diagonal += w;
            } else {
                pairs.push((w, s));
            }
        }
        let n = pairs.len() as f64;
        Ok(Self {
            diagonal_mean: diagonal / k as f64,
            off_diagonal_mean: pairs.iter().map(|(w, _)| w).sum::<f64>() / n,
            off_diagonal_magnitude: pairs.iter().map(|(w, _)| w.abs()).sum::<f64>() / n,
            correlation: correlation(&pairs),
            by_similarity: by_similarity(&pairs, bins),
        })
    }
}

/// Pearson's; `None` where one side does not vary.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let (w, s) = pairs
        .iter()
        .fold((0.0, 0.0), |(a, b), (w, s)| (a + w, b + s));
    let (w, s) = (w / n, s / n);
    let (mut ww, mut ws, mut ss) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        ww += (a - w).powi(2);
        ws += (a - w) * (b - s);
        ss += (b - s).powi(2);
    }
    // What rounding leaves of equal numbers is no variation.
    let varies = ww > 1e-24 * n * w * w && ss > 1e-24 * n;
    varies.then(|| (ws / (ww.sqrt() * ss.sqrt())).clamp(-1.0, 1.0))
}

fn by_similarity(pairs: &[(f64, f64)], bins: usize) -> Vec<SimilarityBin> {
    let edge = |i: usize| -1.0 + 2.0 * i as f64 / bins as f64;
    let mut all: Vec<SimilarityBin> = (0..bins)
        .map(|i| SimilarityBin {
            from: edge(i),
            to: edge(i + 1),
            pairs: 0,
            mean: 0.0,
        })
        .collect();
    for (w, s) in pairs {
        let bin = (0.5 * (s + 1.0) * bins as f64).max(0.0) as usize;
        let bin = &mut all[bin.min(bins - 1)];
        bin.pairs += 1;
        bin.mean += w;
    }
    for bin in &mut all {
        bin.mean /= bin.pairs.max(1) as f64;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::CounterRng;

    #[test]
    fn weights_that_are_the_similarity_correlate_with_it() {
        let mut draws = CounterRng(51);
        let filters = draws.normals(20 * 9);
        let similarity = similarity(Rows::new("filters", &filters, [20, 9]).unwrap());
        let weights: Vec<f32> = similarity.iter().map(|&s| (3.0 - 2.0 * s) as f32).collect();
        let weights = Rows::new("weights", &weights, [20, 20]).unwrap();
        let lateral = Lateral::of(weights, &similarity, 10).unwrap();
        assert!((lateral.correlation.unwrap() + 1.0).abs() < 1e-6);
        assert!((lateral.diagonal_mean - 1.0).abs() < 1e-6);
        let pairs: usize = lateral.by_similarity.iter().map(|bin| bin.pairs).sum();
        assert_eq!(pairs, 380);
        for bin in lateral.by_similarity.iter().filter(|bin| bin.pairs > 0) {
            assert!((3.0 - 2.0 * bin.to..=3.0 - 2.0 * bin.from).contains(&bin.mean));
        }
    }

    #[test]
    fn edges() {
        let zero = similarity(Rows::new("filters", &[0.0, 0.0, 1.0, 0.0], [2, 2]).unwrap());
        assert_eq!(zero, [0.0, 0.0, 0.0, 1.0]);
        let weights = Rows::new("weights", &[1.0, 0.5, 0.5, 1.0], [2, 2]).unwrap();
        let flat = Lateral::of(weights, &zero, 1).unwrap();
        assert_eq!((flat.correlation, flat.off_diagonal_mean), (None, 0.5));
        assert!(Lateral::of(weights, &zero[..3], 1).is_err());
        assert!(Lateral::of(weights, &[f64::NAN; 4], 1).is_err());
        assert!(Lateral::of(weights, &zero, 0).is_err());
        let wide = Rows::new("weights", &[1.0, 0.5], [1, 2]).unwrap();
        assert!(Lateral::of(wide, &zero, 1).is_err());
    }
}
