//! Initial guesses from data.

use nalgebra::{DMatrix, DVector};

use super::model::LinearGaussian;
use crate::data_spread::unit_variance;
use crate::{Error, Result, Sequence};

/// The share of the variance of each entry that is taken for noise.
const NOISE: f64 = 0.1;
/// Coefficients of the slowest and of the fastest state: different ones, so that EM can distinguish states.
const SLOWEST: f64 = 0.95;
const FASTEST: f64 = 0.5;
/// The weight in the observations of a state beyond the number of entries, relative to the one whose direction it shares.
const SHARED: f64 = 0.3;
/// The least variance of an entry or a direction, relative to that of an entry, where the data do not vary.
const LEAST: f64 = 1e-9;

impl LinearGaussian {
    /// A model of `states` dimensions to start EM from: H holds the principal directions of the data, each entry in
    /// units of its deviation, scaled so that states have unit variance; F is diagonal, from slow to fast; a tenth of each entry's variance is noise.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, gaussian::{GaussianFit, LinearGaussian}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let wave = [Sequence::of_numbers((0..200).map(|t| (0.05 * f64::from(t)).sin()))?];
    /// let guess = LinearGaussian::initial_guess(2, &wave)?;
    /// let fit = guess.fit(&wave, &GaussianFit { max_iterations: 20, pseudo_count: 1e-3, ..Default::default() })?;
    /// assert!(fit.log_evidence.last() > fit.log_evidence.first());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for no state; [`Error::Size`] for fewer than two observations, or widths that differ.
    pub fn initial_guess(states: usize, sequences: &[Sequence]) -> Result<Self> {
        if states == 0 {
            return Err(Error::setting("states", states, "at least one"));
        }
        let m = sequences.first().map_or(0, Sequence::width);
        if let Some(other) = sequences.iter().find(|s| s.width() != m) {
            let expected = format!("{m} entries, as the first");
            return Err(Error::size("sequences", other.width(), expected));
        }
        let rows = || sequences.iter().flat_map(|s| s.iter().flatten());
        let count = rows().count();
        if count < 2 {
            return Err(Error::size(
                "sequences",
                format!("{count} observations"),
                "at least two",
            ));
        }
        let mut mean = DVector::zeros(m);
        rows().for_each(|row| mean += DVector::from_row_slice(row));
        mean /= count as f64;
        let mut spread = DMatrix::zeros(m, m);
        for row in rows() {
            let e = DVector::from_row_slice(row) - &mean;
            spread += &e * e.transpose();
        }
        spread /= count as f64;
        // In units of each entry's deviation: a column in other units has the same directions.
        let unit = DVector::from_fn(m, |i, _| unit_variance(mean[i], spread[(i, i)]).sqrt());
        let share = |i: usize| (spread[(i, i)] / (unit[i] * unit[i])).max(LEAST);
        let noise = DVector::from_fn(m, |i, _| NOISE * share(i) * unit[i] * unit[i]);

        let relative = DMatrix::from_fn(m, m, |i, j| spread[(i, j)] / (unit[i] * unit[j]));
        let principal = relative.symmetric_eigen();
        let mut order: Vec<usize> = (0..m).collect();
        order.sort_by(|&a, &b| principal.eigenvalues[b].total_cmp(&principal.eigenvalues[a]));
        let mut h = DMatrix::zeros(m, states);
        for s in 0..states {
            let direction = order[s % m];
            let size = ((1.0 - NOISE) * principal.eigenvalues[direction])
                .max(LEAST)
                .sqrt();
            let seen = if s < m { size } else { SHARED * size };
            let column = principal
                .eigenvectors
                .column(direction)
                .component_mul(&unit);
            h.set_column(s, &(column * seen));
        }
        let pace =
            |s: usize| SLOWEST - (SLOWEST - FASTEST) * s as f64 / (states as f64 - 1.0).max(1.0);
        let f = DVector::from_fn(states, |s, _| pace(s));
        let q = f.map(|f| 1.0 - f * f);
        Self::new(
            DMatrix::from_diagonal(&f),
            DMatrix::from_diagonal(&q),
            h,
            DMatrix::from_diagonal(&noise),
        )?
        .with_bias(DVector::zeros(states), mean)
    }
}
