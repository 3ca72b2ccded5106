//! Initial guesses from data.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::StandardNormal;

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
        let (mean, spread) = moments(m, rows());
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

impl LinearGaussian {
    /// A random model beside [`LinearGaussian::initial_guess`]: states that are slow, fast or turn in pairs, seen through a
    /// random rotation of its H. Stationary with unit variances, as the guess is.
    ///
    /// # Errors
    /// As [`LinearGaussian::initial_guess`].
    pub fn random_guess(
        states: usize,
        sequences: &[Sequence],
        rng: &mut impl RngExt,
    ) -> Result<Self> {
        let guess = Self::initial_guess(states, sequences)?;
        let mut f = DMatrix::zeros(states, states);
        let mut s = 0;
        while s < states {
            // Close to 1 more often than to 0, as the paces of real series are.
            let pace = 0.99 * rng.random::<f64>().cbrt();
            if s + 1 < states && rng.random::<bool>() {
                let (sin, cos) = (std::f64::consts::FRAC_PI_2 * rng.random::<f64>()).sin_cos();
                f[(s, s)] = pace * cos;
                f[(s, s + 1)] = pace * sin;
                f[(s + 1, s)] = -pace * sin;
                f[(s + 1, s + 1)] = pace * cos;
                s += 2;
            } else {
                f[(s, s)] = pace;
                s += 1;
            }
        }
        // A pair has no covariance: what products leave of one is rounding.
        let q = DMatrix::from_diagonal(&(&f * f.transpose()).diagonal().map(|own| 1.0 - own));
        let normal = |_: usize, _: usize| rng.sample::<f64, _>(StandardNormal);
        let turned = DMatrix::from_fn(states, states, normal).qr().q();
        let h = guess.observation() * turned;
        Self::new(f, q, h, guess.observation_noise().clone())?
            .with_bias(DVector::zeros(states), guess.offset().clone())
    }
}

/// Means and covariances of the entries of rows `[m]`, each of the rows that hold it, or both of a pair.
fn moments<'a>(
    m: usize,
    rows: impl Iterator<Item = &'a [f64]> + Clone,
) -> (DVector<f64>, DMatrix<f64>) {
    let (mut mean, mut counts) = (DVector::zeros(m), DVector::<f64>::zeros(m));
    for row in rows.clone() {
        for (i, y) in row.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
            mean[i] += y;
            counts[i] += 1.0;
        }
    }
    mean.zip_apply(&counts, |mean: &mut f64, count| *mean /= count.max(1.0));
    let (mut spread, mut pairs) = (DMatrix::zeros(m, m), DMatrix::<f64>::zeros(m, m));
    for row in rows {
        let e = DVector::from_row_slice(row) - &mean;
        for i in (0..m).filter(|&i| !e[i].is_nan()) {
            for j in (0..m).filter(|&j| !e[j].is_nan()) {
                spread[(i, j)] += e[i] * e[j];
                pairs[(i, j)] += 1.0;
            }
        }
    }
    spread.zip_apply(&pairs, |sum: &mut f64, count| *sum /= count.max(1.0));
    (mean, spread)
}
