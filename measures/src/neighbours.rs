//! What the nearest neighbours in a representation tell: k-nearest-neighbour classification.
//!
//! Every test sample is compared with every training sample,
//!
//! ```text
//! Euclidean  |q − t|² = |q|² + |t|² − 2 q·t
//! cosine     1 − q·t/(|q| |t|)                  1 where one of them is zero
//! ```
//!
//! and the k nearest vote. Of equally near samples the earlier one counts as nearer. Where classes have
//! equally many votes, the one with the nearest sample wins.
//!
//! Source: Cover & Hart (1967), *IEEE Trans. Information Theory* 13:21.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::check_same;
use crate::numerics::products::{BLOCK, four_dots, four_rows};
use crate::{Error, Result, Rows};

/// How far two samples are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// |q − t|
    #[default]
    Euclidean,
    /// 1 − cos of the angle
    Cosine,
}

/// How to classify by neighbours.
///
/// ```
/// use scotopic_measures::{Rows, neighbours::{Metric, NeighboursConfig}};
/// # fn main() -> scotopic_measures::Result<()> {
/// let train = Rows::new("train", &[0.0, 0.0, 0.0, 1.0, 5.0, 5.0, 5.0, 6.0], [4, 2])?;
/// let test = Rows::new("test", &[0.2, 0.1, 6.0, 6.0], [2, 2])?;
/// let config = NeighboursConfig { k: 3, metric: Metric::Euclidean };
/// assert_eq!(config.predict(train, &[7u8, 7, 9, 9], test)?, [7, 9]);
/// assert_eq!(config.accuracy(train, &[7u8, 7, 9, 9], test, &[7u8, 7])?, 0.5);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NeighboursConfig {
    /// How many neighbours vote.
    pub k: usize,
    /// How far two samples are apart.
    pub metric: Metric,
}

impl Default for NeighboursConfig {
    fn default() -> Self {
        Self {
            k: 5,
            metric: Metric::Euclidean,
        }
    }
}

/// Test samples compared with one piece of the training samples at a time, and the length of the piece:
/// both fit in the second-level cache for a few hundred features.
const QUERIES: usize = 32;
const PIECE: usize = 64;

impl NeighboursConfig {
    /// The label that wins the vote for each row of `test` `[samples, features]`, from `train`
    /// `[samples, features]` with one of `labels` each.
    ///
    /// # Errors
    /// [`Error::Size`] if the sizes do not go together, [`Error::Setting`] unless `k` is at least 1 and
    /// at most the number of training samples.
    pub fn predict<L>(&self, train: Rows<'_>, labels: &[L], test: Rows<'_>) -> Result<Vec<usize>>
    where
        L: Copy + Into<usize>,
    {
        check_same(
            "labels",
            "entries",
            labels.len(),
            train.rows(),
            train.name(),
        )?;
        let nearest = self.nearest(train, test)?;
        let vote = |nearest: &[usize]| {
            let labels: Vec<usize> = nearest.iter().map(|&i| labels[i].into()).collect();
            majority(&labels)
        };
        Ok(nearest.chunks_exact(self.k).map(vote).collect())
    }

    /// The fraction of `test` samples whose vote is won by their label in `truth`.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn accuracy<L>(
        &self,
        train: Rows<'_>,
        labels: &[L],
        test: Rows<'_>,
        truth: &[L],
    ) -> Result<f64>
    where
        L: Copy + Into<usize>,
    {
        check_same("truth", "entries", truth.len(), test.rows(), test.name())?;
        let predicted = self.predict(train, labels, test)?;
        let pairs = predicted.iter().zip(truth);
        let right = pairs.filter(|(found, expected)| **found == (**expected).into());
        Ok(right.count() as f64 / truth.len() as f64)
    }

    /// Indices of the `k` rows of `train` nearest to each row of `test`, the nearest first:
    /// `[test samples, k]`.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn nearest(&self, train: Rows<'_>, test: Rows<'_>) -> Result<Vec<usize>> {
        test.check_columns(train.columns(), train.name())?;
        if self.k == 0 || self.k > train.rows() {
            let expected = "at least 1 and at most the number of training samples";
            return Err(Error::setting("k", self.k, expected));
        }
        let squares: Vec<f64> = train
            .par_iter()
            .map(|row| row.iter().map(|&v| f64::from(v).powi(2)).sum())
            .collect();
        let d = train.columns();
        let lists: Vec<Vec<usize>> = test
            .values()
            .par_chunks(QUERIES * d)
            .map(|queries| self.nearest_of_some(train, &squares, queries))
            .collect();
        Ok(lists.concat())
    }

    fn nearest_of_some(&self, train: Rows<'_>, squares: &[f64], queries: &[f32]) -> Vec<usize> {
        let d = train.columns();
        let queries: Vec<f64> = queries.iter().map(|&v| f64::from(v)).collect();
        // The distance without what depends on the query alone, which does not change the order.
        let rank = |product: f64, square: f64| match self.metric {
            Metric::Euclidean => square - 2.0 * product,
            Metric::Cosine if square == 0.0 => 0.0,
            Metric::Cosine => -product / square.sqrt(),
        };
        let mut found = vec![Nearest::new(self.k); queries.len() / d];
        let mut rows = vec![0.0; PIECE * d];
        for (p, piece) in train.values().chunks(PIECE * d).enumerate() {
            rows.iter_mut()
                .zip(piece)
                .for_each(|(r, &v)| *r = f64::from(v));
            let filled = piece.len() / d;
            for (query, nearest) in queries.chunks_exact(d).zip(&mut found) {
                for (b, block) in rows.chunks_exact(BLOCK * d).enumerate() {
                    let products = four_dots(query, four_rows(block, d));
                    // The last piece may end with rows of an earlier one.
                    let count = BLOCK.min(filled.saturating_sub(b * BLOCK));
                    for (i, &product) in products.iter().take(count).enumerate() {
                        let index = p * PIECE + b * BLOCK + i;
                        nearest.offer(rank(product, squares[index]), index);
                    }
                }
            }
        }
        let indices = found.iter().flat_map(|n| n.list.iter().map(|&(_, i)| i));
        indices.collect()
    }
}

/// The nearest samples so far, in order.
#[derive(Clone)]
struct Nearest {
    k: usize,
    list: Vec<(f64, usize)>,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self {
            k,
            list: Vec::with_capacity(k + 1),
        }
    }

    /// Indices come in ascending order, so that behind equals is the right place.
    fn offer(&mut self, distance: f64, index: usize) {
        let farthest = self.list.last().map_or(f64::INFINITY, |last| last.0);
        if self.list.len() == self.k && distance >= farthest {
            return;
        }
        let place = self.list.partition_point(|&(other, _)| other <= distance);
        self.list.insert(place, (distance, index));
        self.list.truncate(self.k);
    }
}

/// The most frequent label; of equally frequent ones that which comes first.
fn majority(labels: &[usize]) -> usize {
    let votes = |label| labels.iter().filter(|&&l| l == label).count();
    let each = labels.iter().map(|&label| (votes(label), label));
    let best = each.reduce(|a, b| if b.0 > a.0 { b } else { a });
    best.map_or(0, |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::CounterRng;

    #[test]
    fn the_same_as_sorting_all_distances() {
        let mut draws = CounterRng(61);
        for (n, m, d, k) in [
            (1, 1, 1, 1),
            (67, 35, 5, 4),
            (200, 3, 9, 200),
            (64, 33, 4, 7),
        ] {
            // Small whole numbers: many exact ties.
            let mut table = |rows: usize| -> Vec<f32> {
                (0..rows * d)
                    .map(|_| draws.between(-2.0, 3.0).floor() as f32)
                    .collect()
            };
            let (a, b) = (table(n), table(m));
            let (train, test) = (
                Rows::new("train", &a, [n, d]).unwrap(),
                Rows::new("test", &b, [m, d]).unwrap(),
            );
            let config = NeighboursConfig {
                k,
                metric: Metric::Euclidean,
            };
            let found = config.nearest(train, test).unwrap();
            for (query, found) in test.iter().zip(found.chunks_exact(k)) {
                let distance = |i: usize| -> f32 {
                    let pairs = query.iter().zip(train.row(i));
                    pairs.map(|(q, t)| (q - t).powi(2)).sum()
                };
                let mut order: Vec<usize> = (0..n).collect();
                order.sort_by(|&i, &j| distance(i).total_cmp(&distance(j)));
                assert_eq!(found, &order[..k]);
            }
        }
    }

    #[test]
    fn cosine_is_blind_to_length() {
        let train = Rows::new("train", &[9.0, 1.0, 0.1, 0.1, 0.0, 0.0], [3, 2]).unwrap();
        let test = Rows::new("test", &[50.0, 49.0, -1.0, 0.0, 0.0, 0.0], [3, 2]).unwrap();
        let config = NeighboursConfig {
            k: 1,
            metric: Metric::Cosine,
        };
        // Nothing is near to (−1, 0) but the zero vector, at a right angle to all; zero itself ties.
        assert_eq!(config.nearest(train, test).unwrap(), [1, 2, 0]);
    }

    #[test]
    fn votes() {
        assert_eq!(majority(&[3, 1, 1, 3, 2]), 3);
        assert_eq!(majority(&[2, 1, 1]), 1);
        assert_eq!(majority(&[4]), 4);
    }

    #[test]
    fn nonsense_is_named() {
        let train = Rows::new("train", &[0.0, 1.0], [2, 1]).unwrap();
        let wide = Rows::new("test", &[0.0, 1.0], [1, 2]).unwrap();
        let config = |k| NeighboursConfig {
            k,
            ..Default::default()
        };
        assert!(config(1).nearest(train, wide).is_err());
        assert!(config(0).nearest(train, train).is_err());
        assert!(config(3).nearest(train, train).is_err());
        assert!(config(1).predict(train, &[0u8], train).is_err());
        assert!(config(1).accuracy(train, &[0u8, 1], train, &[0]).is_err());
    }

    #[test]
    fn vast_numbers_do_not_overflow() {
        let train = Rows::new("train", &[3e38, -3e38, 0.0], [3, 1]).unwrap();
        let config = NeighboursConfig {
            k: 1,
            ..Default::default()
        };
        assert_eq!(config.nearest(train, train).unwrap(), [0, 1, 2]);
    }
}
