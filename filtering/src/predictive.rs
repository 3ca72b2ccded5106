//! The predictive distribution of one entry of an observation: a mixture of simple laws.

mod law;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

pub use law::Law;

use crate::{Error, Result};

/// The predictive distribution of one entry of an observation (eq. F60),
///
/// ```text
/// p(y) = Σ_k w_k p_k(y),   w ≥ 0, Σ_k w_k = 1,
/// ```
///
/// with parts p_k that are all densities or all probabilities of whole numbers.
///
/// ```
/// use scotopic_filtering::{Law, Predictive};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let calm = Law::Normal { mean: 0.0, variance: 1.0 };
/// let wild = Law::Normal { mean: 0.0, variance: 25.0 };
/// let returns = Predictive::new(vec![(0.9, calm), (0.1, wild)])?;
/// assert_eq!((returns.mean(), returns.variance()), (0.0, 0.9 + 2.5));
/// let low = returns.quantile(0.05)?;
/// assert!((returns.cdf(low) - 0.05).abs() < 1e-12);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(f64, Law)>", into = "Vec<(f64, Law)>")]
pub struct Predictive {
    parts: Vec<(f64, Law)>,
}

impl TryFrom<Vec<(f64, Law)>> for Predictive {
    type Error = Error;
    fn try_from(parts: Vec<(f64, Law)>) -> Result<Self> {
        Self::new(parts)
    }
}

impl From<Predictive> for Vec<(f64, Law)> {
    fn from(own: Predictive) -> Self {
        own.parts
    }
}

/// What errors call the laws of a mixture.
pub(crate) const PARTS: &str = "parts";

impl Predictive {
    /// The mixture of `parts`, a weight and a law each.
    ///
    /// # Errors
    /// [`Error::Size`] for no part, [`Error::Entry`] for weights that are no distribution, parameters that are not finite or
    /// a variance, rate or shape that is not positive, [`Error::Setting`] for densities mixed with probabilities.
    pub fn new(parts: Vec<(f64, Law)>) -> Result<Self> {
        if parts.is_empty() {
            return Err(Error::size("parts", "none", "at least one"));
        }
        let mut weights: Vec<f64> = parts.iter().map(|(w, _)| *w).collect();
        crate::error::check_distribution("weights", &[], &mut weights)?;
        for (k, (_, law)) in parts.iter().enumerate() {
            // A variance may be infinite: nothing is known.
            let spread = law.variance() > 0.0 || matches!(law, Law::Symbol(_));
            let counted = !matches!(law, Law::Poisson { rate } if !rate.is_finite());
            if !(law.centre().is_finite() && spread && counted) {
                let found = format!("{law:?}");
                return Err(Error::entry(
                    PARTS,
                    &[k],
                    found,
                    "finite parameters and a spread above 0",
                ));
            }
        }
        let new = Self {
            parts: weights.into_iter().zip(parts.iter().map(|p| p.1)).collect(),
        };
        match new.parts.iter().filter(|(_, law)| law.is_density()).count() {
            0 => Ok(new),
            n if n == new.parts.len() => Ok(new),
            _ => Err(Error::setting(
                "parts",
                "densities and probabilities",
                "all densities, or all probabilities",
            )),
        }
    }

    /// N(mean, variance).
    pub(crate) fn normal(mean: f64, variance: f64) -> Result<Self> {
        Self::new(vec![(1.0, Law::Normal { mean, variance })])
    }

    /// The distribution of y under x ~ N(mean, variance), `law` being that of y given x: a mixture over nodes 1/16 standard
    /// deviation apart, whose sums are integrals to rounding where `law` changes little between two nodes.
    pub(crate) fn over_normal(mean: f64, variance: f64, law: impl Fn(f64) -> Law) -> Result<Self> {
        /// Nodes to either side of the mean, and how many there are to a standard deviation: to 8 of them, 1e-15 of the mass.
        const SIDE: i32 = 128;
        const EACH: f64 = 16.0;
        let deviation = variance.max(0.0).sqrt();
        let node = |k: i32| {
            let z = f64::from(k) / EACH;
            ((-0.5 * z * z).exp(), law(mean + deviation * z))
        };
        let mut parts: Vec<(f64, Law)> = (-SIDE..=SIDE).map(node).collect();
        let total: f64 = parts.iter().map(|(w, _)| w).sum();
        parts.iter_mut().for_each(|(w, _)| *w /= total);
        Self::new(parts)
    }

    /// Symbols 0, 1, … with these probabilities.
    pub(crate) fn symbols(probabilities: &[f64]) -> Result<Self> {
        let parts = probabilities.iter().enumerate();
        Self::new(parts.map(|(k, p)| (*p, Law::Symbol(k as f64))).collect())
    }

    /// The same with the parts of each symbol as one, in the order of the symbols.
    pub(crate) fn merged(mut self) -> Self {
        let key = |law: &Law| match law {
            Law::Symbol(value) => Some(*value),
            _ => None,
        };
        if self.parts.iter().all(|(_, law)| key(law).is_some()) {
            self.parts.sort_by(|a, b| a.1.mean().total_cmp(&b.1.mean()));
            self.parts.dedup_by(|next, kept| {
                let same = key(&next.1) == key(&kept.1);
                if same {
                    kept.0 += next.0;
                }
                same
            });
        }
        self
    }

    /// w_k and p_k.
    pub fn parts(&self) -> &[(f64, Law)] {
        &self.parts
    }

    /// Whether it has probabilities of whole numbers rather than a density.
    pub fn is_discrete(&self) -> bool {
        !self.parts.first().is_some_and(|(_, law)| law.is_density())
    }

    /// Whether something is known of y: false where a part is a normal law of infinite variance, whose mean says nothing.
    pub fn is_known(&self) -> bool {
        let unknown =
            |law: &Law| matches!(law, Law::Normal { variance, .. } if variance.is_infinite());
        let there = self.parts.iter().filter(|(w, _)| *w > 0.0);
        !there.map(|(_, law)| law).any(unknown)
    }

    fn sum(&self, of: impl Fn(Law) -> f64) -> f64 {
        let there = self.parts.iter().filter(|(w, _)| *w > 0.0);
        there.map(|(w, law)| w * of(*law)).sum()
    }

    /// E y; NaN where a part has no mean, as Student's law of ν ≤ 1.
    pub fn mean(&self) -> f64 {
        self.sum(Law::mean)
    }

    /// Var y; infinite where that of a part is.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        self.sum(|law| match law.variance() {
            f64::INFINITY => f64::INFINITY,
            own => own + (law.mean() - mean).powi(2),
        })
    }

    /// P(Y ≤ y) and P(Y > y), each to its own last digits.
    pub fn tails(&self, y: f64) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for (w, law) in &self.parts {
            let (below, above) = law.tails(y);
            sums = (sums.0 + w * below, sums.1 + w * above);
        }
        sums
    }

    /// P(Y ≤ y).
    pub fn cdf(&self, y: f64) -> f64 {
        self.tails(y).0
    }

    /// P(Y < y) and P(Y ≥ y); of a density the same as [`Predictive::tails`].
    pub fn strict_tails(&self, y: f64) -> (f64, f64) {
        match self.is_discrete() {
            // All values are whole numbers.
            true => self.tails(y.ceil() - 1.0),
            false => self.tails(y),
        }
    }

    /// The smallest y with P(Y ≤ y) ≥ p, by halving until nothing lies between: exact to rounding.
    ///
    /// # Errors
    /// [`Error::Setting`] for a p that is not between 0 and 1.
    pub fn quantile(&self, p: f64) -> Result<f64> {
        if !(p > 0.0 && p < 1.0) {
            return Err(Error::setting(
                "quantile",
                p,
                "a probability above 0 and below 1",
            ));
        }
        match self.is_discrete() {
            true => Ok(self.whole_quantile(p)),
            false => Ok(self.real_quantile(p)),
        }
    }

    /// The quantile of a mixture of densities lies between the least and the greatest of those of its parts.
    fn real_quantile(&self, p: f64) -> f64 {
        // A variance of Student's law may be infinite, and its quantiles are there.
        if !self.is_known() {
            return match p == 0.5 {
                true => self.mean(),
                false => (p - 0.5) * f64::INFINITY,
            };
        }
        let all = self.parts.iter().filter(|(w, _)| *w > 0.0);
        let all = all.map(|(_, law)| law.around(p));
        let (mut low, mut high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), q| {
            (l.min(q.0), h.max(q.1))
        });
        while low < high {
            let middle = low + 0.5 * (high - low);
            if middle <= low || middle >= high {
                break;
            }
            let (below, above) = self.tails(middle);
            // In the upper half by the upper tail, which has the digits there.
            let short = match p > 0.5 {
                true => above > 1.0 - p,
                false => below < p,
            };
            match short {
                true => low = middle,
                false => high = middle,
            }
        }
        high
    }

    fn whole_quantile(&self, p: f64) -> f64 {
        // P(Y ≤ y) can fall short of p by the rounding of the sum of the weights.
        let reached = |y: f64| self.cdf(y) >= p - 4.0 * f64::EPSILON;
        let least = (self.parts.iter()).filter_map(|(_, law)| match law {
            Law::Symbol(value) => Some(*value),
            _ => None,
        });
        let mut low = least.fold(0.0, f64::min) - 1.0;
        let mut high = f64::MAX;
        while high - low > 1.0 {
            // Halves the digits first, then the numbers.
            let from = (low + 2.0).max(1.0);
            let middle = match high > 4.0 * from {
                true => from.sqrt() * high.sqrt(),
                false => low + 0.5 * (high - low),
            };
            let middle = middle.floor();
            if middle <= low || middle >= high {
                break;
            }
            match reached(middle) {
                true => high = middle,
                false => low = middle,
            }
        }
        high
    }

    /// How surprising `y` is: 2 min(P(Y ≤ y), P(Y ≥ y)), at most 1, the probability of both tails beyond it; for symbols,
    /// which have no order, the probability of all that are no more probable than `y`.
    pub fn tail_probability(&self, y: f64) -> f64 {
        let symbols = matches!(self.parts.first(), Some((_, Law::Symbol(_))));
        if symbols {
            let of = |value: f64| -> f64 {
                let same = self.parts.iter().filter(|(_, law)| law.mean() == value);
                same.map(|(w, _)| w).sum()
            };
            let own = of(y);
            let rare = self.parts.iter().filter(|(_, law)| of(law.mean()) <= own);
            return rare.map(|(w, _)| w).sum::<f64>().min(1.0);
        }
        let (at_most, _) = self.tails(y);
        let (_, at_least) = self.strict_tails(y);
        (2.0 * at_most.min(at_least)).min(1.0)
    }

    /// A value drawn from it.
    pub fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let mut left: f64 = rng.random();
        let mut last = None;
        for (w, law) in self.parts.iter().filter(|(w, _)| *w > 0.0) {
            last = Some(law);
            left -= w;
            if left < 0.0 {
                break;
            }
        }
        last.map_or(f64::NAN, |law| law.draw(rng))
    }
}

#[cfg(test)]
mod tests;
