//! Initial guesses from data.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::batch::{BatchEm, Fit};
use crate::hmm::{AnyEmission, Categorical, DiagonalGaussian, FullGaussian, Hmm, Poisson};
use crate::{Error, Result, Sequence};

/// Which emission to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Symbols of an alphabet as large as the largest symbol seen.
    Categorical,
    /// Counts.
    Poisson,
    /// Independent normal entries.
    DiagonalGaussian,
    /// Normal vectors.
    FullGaussian,
}

/// How long a guessed state lasts: uniform from the one to the other probability to stay.
const STAY: std::ops::Range<f64> = 0.5..0.95;
/// Lloyd's iterations: the guess only has to tell the states apart.
const SWEEPS: usize = 10;
/// As many observations of the overall spread are mixed into a state's own, so that one with a single
/// observation has a spread at all.
const SHARED: f64 = 5.0;
/// The least variance, relative to that of all data, or absolute where the data do not vary.
const LEAST_SPREAD: f64 = 1e-6;

impl Hmm<AnyEmission> {
    /// A model of K `states` to start EM from: means by k-means++ (D. Arthur, S. Vassilvitskii, 2007) and a few
    /// sweeps of k-means, sorted by their first entry; for symbols, overall frequencies times random weights. π
    /// is uniform; A stays in a state with a probability drawn for it.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Hmm, Kind}};
    /// use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let data = [Sequence::of_numbers([1.0, 2.0, 50.0, 49.0, 2.0])?];
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    /// let guess = Hmm::initial_guess(Kind::Poisson, 2, &data, &mut rng)?;
    /// assert_eq!(guess.states(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for no state; [`Error::Size`] for no data, or widths that differ;
    /// [`Error::Observation`] for numbers that are no symbols or counts where such are needed.
    pub fn initial_guess(
        kind: Kind,
        states: usize,
        sequences: &[Sequence],
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Self> {
        if states == 0 {
            return Err(Error::setting("states", states, "at least one"));
        }
        let rows = rows(sequences)?;
        let emission = match kind {
            Kind::Categorical => frequencies(states, &rows, rng)?.into(),
            _ => {
                let clusters = Clusters::new(states, &rows, rng);
                match kind {
                    Kind::Poisson => clusters.poisson()?.into(),
                    Kind::FullGaussian => clusters.full()?.into(),
                    _ => clusters.diagonal()?.into(),
                }
            }
        };
        let mut transition = vec![0.0; states * states];
        for (i, row) in transition.chunks_exact_mut(states).enumerate() {
            let stay = if states == 1 {
                1.0
            } else {
                rng.random_range(STAY)
            };
            row.fill((1.0 - stay) / (states as f64 - 1.0).max(1.0));
            row[i] = stay;
        }
        Self::from_flat(vec![1.0 / states as f64; states], transition, emission)
    }

    /// The best of `restarts` runs of [`Hmm::fit`] from guesses. A run that fails (a state left with too little
    /// data) is left out.
    ///
    /// # Errors
    /// As [`Hmm::initial_guess`]; the last error of [`Hmm::fit`] if no run came to an end.
    pub fn fit_guesses(
        kind: Kind,
        states: usize,
        sequences: &[Sequence],
        restarts: usize,
        em: &BatchEm,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Fit<AnyEmission>> {
        let mut best: Option<Fit<AnyEmission>> = None;
        let mut failed = Error::setting("restarts", restarts, "at least one");
        for _ in 0..restarts {
            let guess = Self::initial_guess(kind, states, sequences, rng)?;
            match guess.fit(sequences, em) {
                Ok(fit) => {
                    let better = |best: &Fit<_>| fit.log_evidence() > best.log_evidence();
                    if best.as_ref().is_none_or(better) {
                        best = Some(fit);
                    }
                }
                Err(error) => failed = error,
            }
        }
        best.ok_or(failed)
    }
}

/// All observations that are not missing.
fn rows(sequences: &[Sequence]) -> Result<Vec<&[f64]>> {
    let width = sequences.first().map_or(0, Sequence::width);
    if let Some(other) = sequences.iter().find(|s| s.width() != width) {
        return Err(Error::size(
            "sequences",
            other.width(),
            format!("{width} entries, as the first"),
        ));
    }
    let rows: Vec<&[f64]> = sequences.iter().flat_map(|s| s.iter().flatten()).collect();
    match rows.is_empty() {
        true => Err(Error::size("sequences", "no observation", "at least one")),
        false => Ok(rows),
    }
}

/// B_k ∝ (f + 1/n) ⊙ w with w ~ Exponential(1).
fn frequencies(
    states: usize,
    rows: &[&[f64]],
    rng: &mut (impl Rng + ?Sized),
) -> Result<Categorical> {
    /// An alphabet above this is a mistake: the data are no symbols.
    const LARGEST: f64 = 1e6;
    let mut counts: Vec<f64> = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        let symbol = row[0];
        if !(0.0..LARGEST).contains(&symbol) || symbol.fract() != 0.0 || row.len() != 1 {
            let expected = "one symbol, a whole number from 0";
            return Err(Error::observation(0, symbol, expected).at_observation(n as u64));
        }
        let symbol = symbol as usize;
        if counts.len() <= symbol {
            counts.resize(symbol + 1, 1.0);
        }
        counts[symbol] += 1.0;
    }
    let mut table = Vec::with_capacity(states * counts.len());
    for _ in 0..states {
        let mut weight = |n: &f64| -n * (1.0 - unit(rng)).ln();
        let row: Vec<f64> = counts
            .iter()
            .map(|n| weight(n).max(f64::MIN_POSITIVE))
            .collect();
        let total: f64 = row.iter().sum();
        table.extend(row.iter().map(|w| w / total));
    }
    Categorical::from_flat(states, table)
}

/// Uniform on [0, 1).
fn unit(rng: &mut (impl Rng + ?Sized)) -> f64 {
    rng.random::<f64>()
}

/// Rows sorted into K groups, by distance in units of each entry's deviation.
struct Clusters {
    width: usize,
    /// n `[K]`, mean and variance within `[K, D]`.
    counts: Vec<f64>,
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Clusters {
    fn new(states: usize, rows: &[&[f64]], rng: &mut (impl Rng + ?Sized)) -> Self {
        let (width, n) = (rows[0].len(), rows.len() as f64);
        let column = |d: usize| rows.iter().map(move |row| row[d]);
        let mean: Vec<f64> = (0..width).map(|d| column(d).sum::<f64>() / n).collect();
        let spread: Vec<f64> = (0..width)
            .map(|d| {
                let square: f64 = column(d).map(|y| (y - mean[d]).powi(2)).sum::<f64>() / n;
                if square > 0.0 { square } else { 1.0 }
            })
            .collect();
        let distance = |row: &[f64], centre: &[f64]| -> f64 {
            let entries = row.iter().zip(centre).zip(&spread);
            entries.map(|((y, c), s)| (y - c) * (y - c) / s).sum()
        };
        // k-means++: each next centre is drawn with probability ∝ squared distance to the nearest so far.
        let pick = |rng: &mut _| rows[((unit(rng) * n) as usize).min(rows.len() - 1)];
        let mut means = pick(rng).to_vec();
        let mut nearest: Vec<f64> = rows.iter().map(|row| distance(row, &means)).collect();
        for _ in 1..states {
            let mut left = unit(rng) * nearest.iter().sum::<f64>();
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
        let pick = |values: &[f64]| -> Vec<f64> {
            order
                .iter()
                .flat_map(|&k| values[k * w..(k + 1) * w].to_vec())
                .collect()
        };
        (self.means, self.variances) = (pick(&self.means), pick(&self.variances));
        self
    }

    fn states(&self) -> usize {
        self.counts.len()
    }

    fn poisson(&self) -> Result<Poisson> {
        let overall: f64 = self.means.iter().sum::<f64>() / self.means.len() as f64;
        let least = (LEAST_SPREAD * overall).max(LEAST_SPREAD);
        Poisson::from_flat(
            self.states(),
            self.means.iter().map(|m| m.max(least)).collect(),
        )
    }

    fn diagonal(&self) -> Result<DiagonalGaussian> {
        DiagonalGaussian::from_flat(self.states(), self.means.clone(), self.variances.clone())
    }

    fn full(&self) -> Result<FullGaussian> {
        let d = self.width;
        let mut covariances = vec![0.0; self.states() * d * d];
        for (at, v) in self.variances.iter().enumerate() {
            covariances[(at / d) * d * d + (at % d) * (d + 1)] = *v;
        }
        FullGaussian::from_flat(self.states(), self.means.clone(), covariances)
    }
}
