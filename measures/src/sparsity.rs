//! How few units carry the code.
//!
//! The Treves–Rolls sparsity of n numbers z, in the scale of Vinje and Gallant, is
//!
//! ```text
//! S = (1 − (Σ |z|)²/(n Σ z²)) / (1 − 1/n)                                                            (I31)
//! ```
//!
//! of counts and rates, and, so that latents of both signs have one too, of the size of other latents: 0 where all are equal, 1 where only one is not zero. Over the samples, for one unit, it is the
//! *lifetime* sparsity; over the units, for one sample, the *population* sparsity. Where nothing fires
//! (Σ z² = 0) it is set to 1.
//!
//! Sources: Treves & Rolls (1991), *Network* 2:371; Vinje & Gallant (2000), *Science* 287:1273; Rolls &
//! Tovee (1995), *J. Neurophysiol.* 73:713.

use rayon::prelude::*;

use crate::{Error, Result, Rows};

/// The fraction of entries of `responses` `[samples, units]` that are exactly zero.
///
/// ```
/// use scotopic_measures::{Rows, sparsity};
/// # fn main() -> scotopic_measures::Result<()> {
/// let counts = Rows::new("counts", &[0.0, 3.0, 0.0, 1.0], [2, 2])?;
/// assert_eq!(sparsity::fraction_zeros(counts), 0.5);
/// # Ok(()) }
/// ```
pub fn fraction_zeros(responses: Rows<'_>) -> f64 {
    let zeros = responses.values().par_iter().filter(|&&z| z == 0.0).count();
    zeros as f64 / responses.values().len() as f64
}

/// Lifetime sparsity of each unit: S over the samples of `responses` `[samples, units]`.
///
/// ```
/// use scotopic_measures::{Rows, sparsity};
/// # fn main() -> scotopic_measures::Result<()> {
/// // One unit always fires, one for a single sample, one never.
/// let counts = [1.0, 4.0, 0.0, 1.0, 0.0, 0.0];
/// let counts = Rows::new("counts", &counts, [2, 3])?;
/// assert_eq!(sparsity::lifetime(counts)?, [0.0, 1.0, 1.0]);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Size`] if there is only one sample.
pub fn lifetime(responses: Rows<'_>) -> Result<Vec<f64>> {
    at_least_two(responses, "rows (samples)", responses.rows())?;
    let units = responses.columns();
    let sums = responses.sum_rows(2 * units, |_, row, sums| {
        let (first, second) = sums.split_at_mut(units);
        for ((first, second), &z) in first.iter_mut().zip(second).zip(row) {
            let z = f64::from(z).abs();
            *first += z;
            *second += z * z;
        }
    });
    let (first, second) = sums.split_at(units);
    let n = responses.rows() as f64;
    let each = first.iter().zip(second);
    Ok(each
        .map(|(&sum, &squares)| score(n, sum, squares))
        .collect())
}

/// Population sparsity of each sample: S over the units of `responses` `[samples, units]`.
///
/// ```
/// use scotopic_measures::{Rows, sparsity};
/// # fn main() -> scotopic_measures::Result<()> {
/// let counts = Rows::new("counts", &[0.0, 4.0, 0.0, 2.0, 2.0, 2.0], [2, 3])?;
/// assert_eq!(sparsity::population(counts)?, [1.0, 0.0]);
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Size`] if there is only one unit.
pub fn population(responses: Rows<'_>) -> Result<Vec<f64>> {
    at_least_two(responses, "columns (units)", responses.columns())?;
    let n = responses.columns() as f64;
    let of_sample = |row: &[f32]| {
        let (sum, squares) = row.iter().fold((0.0, 0.0), |(sum, squares), &z| {
            let z = f64::from(z).abs();
            (sum + z, squares + z * z)
        });
        score(n, sum, squares)
    };
    Ok(responses.par_iter().map(of_sample).collect())
}

/// All of it at once.
///
/// ```
/// use scotopic_measures::{Rows, sparsity::Sparsity};
/// # fn main() -> scotopic_measures::Result<()> {
/// let counts = Rows::new("counts", &[1.0, 4.0, 0.0, 1.0, 0.0, 0.0], [2, 3])?;
/// let sparsity = Sparsity::of(counts)?;
/// assert_eq!(sparsity.lifetime, [0.0, 1.0, 1.0]);
/// assert_eq!(sparsity.silent, 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Sparsity {
    /// Fraction of exact zeros.
    pub zeros: f64,
    /// S of each unit over the samples.
    pub lifetime: Vec<f64>,
    /// S of each sample over the units.
    pub population: Vec<f64>,
    /// Units that are zero for every sample.
    pub silent: usize,
}

impl Sparsity {
    /// Measures `responses` `[samples, units]`.
    ///
    /// # Errors
    /// [`Error::Size`] with fewer than two samples or two units.
    pub fn of(responses: Rows<'_>) -> Result<Self> {
        let fired = responses.sum_rows(responses.columns(), |_, row, fired| {
            let each = fired.iter_mut().zip(row);
            each.for_each(|(fired, &z)| *fired += f64::from(u8::from(z != 0.0)));
        });
        Ok(Self {
            zeros: fraction_zeros(responses),
            lifetime: lifetime(responses)?,
            population: population(responses)?,
            silent: fired.iter().filter(|&&n| n == 0.0).count(),
        })
    }

    /// Mean of [`lifetime`](Self::lifetime); a silent unit counts with its 1.
    pub fn lifetime_mean(&self) -> f64 {
        mean(&self.lifetime)
    }

    /// Mean of [`population`](Self::population); a silent sample counts with its 1.
    pub fn population_mean(&self) -> f64 {
        mean(&self.population)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// S of `n` numbers of which only Σ |z| and Σ z² are known; `None` for fewer than two.
///
/// ```
/// use scotopic_measures::sparsity;
/// // 4 and 2 and 0: Σ z = 6, Σ z² = 20.
/// let s = sparsity::from_sums(3, 6.0, 20.0).unwrap();
/// assert!((s - (1.0 - 36.0 / 60.0) / (1.0 - 1.0 / 3.0)).abs() < 1e-12);
/// assert_eq!(sparsity::from_sums(1, 6.0, 36.0), None);
/// ```
pub fn from_sums(n: usize, sum: f64, squares: f64) -> Option<f64> {
    (n >= 2).then(|| score(n as f64, sum, squares))
}

fn score(n: f64, sum: f64, squares: f64) -> f64 {
    if squares == 0.0 {
        return 1.0;
    }
    (1.0 - sum * sum / (n * squares)) / (1.0 - 1.0 / n)
}

fn at_least_two(responses: Rows<'_>, field: &'static str, found: usize) -> Result<()> {
    if found < 2 {
        return Err(Error::size(responses.name(), field, found, "at least 2"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn closed_form() {
        // m of n equal and the rest zero: S = (1 − m/n)/(1 − 1/n).
        let n = 10;
        for m in 1..=n {
            let row: Vec<f32> = (0..n).map(|i| if i < m { 3.0 } else { 0.0 }).collect();
            let expected = (1.0 - m as f64 / n as f64) / (1.0 - 1.0 / n as f64);
            let across = population(Rows::new("z", &row, [1, n]).unwrap()).unwrap();
            let down = lifetime(Rows::new("z", &row, [n, 1]).unwrap()).unwrap();
            assert!((across[0] - expected).abs() < 1e-15);
            assert_eq!(across, down);
        }
    }

    /// Latents of both signs are as sparse as their sizes.
    #[test]
    fn signs_do_not_count() {
        let both = Rows::new("z", &[3.0, -3.0, 3.0, -3.0], [1, 4]).unwrap();
        assert_eq!(population(both).unwrap(), [0.0]);
        let down = Rows::new("z", &[2.0, -2.0, 0.0, 0.0], [4, 1]).unwrap();
        assert!((lifetime(down).unwrap()[0] - 2.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn silence_is_sparse_and_counted() {
        let sparsity = Sparsity::of(Rows::new("z", &[0.0; 6], [2, 3]).unwrap()).unwrap();
        assert_eq!(sparsity.zeros, 1.0);
        assert_eq!(sparsity.silent, 3);
        assert_eq!(
            (sparsity.lifetime_mean(), sparsity.population_mean()),
            (1.0, 1.0)
        );
    }

    #[test]
    fn one_number_has_no_sparsity() {
        let row = Rows::new("counts", &[1.0, 2.0], [1, 2]).unwrap();
        let text = lifetime(row).unwrap_err().to_string();
        assert_eq!(text, "counts: rows (samples): found 1, expected at least 2");
        let column = Rows::new("counts", &[1.0, 2.0], [2, 1]).unwrap();
        assert!(population(column).is_err());
    }

    proptest! {
        #[test]
        fn between_nought_and_one_and_blind_to_scale(
            row in prop::collection::vec(0.0f32..1e30, 2..40),
            power in -20i32..20,
        ) {
            let n = row.len();
            let s = population(Rows::new("z", &row, [1, n]).unwrap()).unwrap()[0];
            prop_assert!((-1e-12..=1.0 + 1e-12).contains(&s), "{s}");
            // A power of two scales exactly.
            let scaled: Vec<f32> = row.iter().map(|z| z * 2.0f32.powi(power)).collect();
            let t = population(Rows::new("z", &scaled, [1, n]).unwrap()).unwrap()[0];
            prop_assert!((s - t).abs() < 1e-6, "{s} {t}");
        }
    }
}
