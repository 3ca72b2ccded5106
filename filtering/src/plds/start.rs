//! A model from the moments of counts: where a fit starts.

use nalgebra::{DMatrix, DVector};

use super::law::CountLaw;
use super::model::Plds;
use crate::data_spread::unseen as unseen_column;
use crate::math::lyapunov::stationary_covariance;
use crate::{Error, Result, Sequence};

/// A neuron that never fired is taken to have fired half a time.
const HALF: f64 = 0.5;
/// Variances of latents below this part of the largest carry nothing but noise.
const LEAST: f64 = 1e-2;
/// Ratios of moments are taken as at least this before their logarithm: noise can make them negative.
const FLOOR: f64 = 0.05;
/// The most of a latent's variance that F may carry over at the start: Q keeps the rest.
const MOST_SHARED: f64 = 0.98;
/// What F is shrunk by until it is stationary with noise left over.
const SHRINK: f64 = 0.95;

/// Means `[N]`, covariances of one bin and with the bin before `[N, N]`.
struct CountMoments {
    mean: DVector<f64>,
    own: DMatrix<f64>,
    lagged: DMatrix<f64>,
    /// Neurons that never fired.
    silent: Vec<bool>,
}

/// The moments of the linear predictors that have the moments of the counts, and a model of them: for counts
/// Cov η_ij = ln(1 + (Cov y_ij − δ_ij E y_i)/(E y_i E y_j)), for spikes to first order. C are the leading eigenvectors of
/// the covariance, F is the regression of the latents on those a bin before.
pub(super) fn by_moments(law: CountLaw, latents: usize, sequences: &[Sequence]) -> Result<Plds> {
    let width = sequences.first().map_or(0, Sequence::width);
    if latents == 0 || latents > width {
        let expected = match width {
            1 => "one: there is one neuron, and latents are no more than neurons".to_owned(),
            _ => format!("1 to {width}: there are {width} neurons, and latents are no more"),
        };
        return Err(Error::size("latents", latents, expected));
    }
    for sequence in sequences {
        for (t, row) in sequence.iter().enumerate() {
            let checked = row.map_or(Ok(()), |row| law.check(row));
            checked.map_err(|e| e.at_observation(t as u64))?;
        }
    }
    check_seen(width, sequences)?;
    let moments = moments(law, width, sequences);
    let own = predictors(law, &moments, &moments.own, true);
    let lagged = predictors(law, &moments, &moments.lagged, false);
    let eigen = own.clone().symmetric_eigen();
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let largest = eigen.eigenvalues[order[0]].max(LEAST);
    let scales = DVector::from_fn(latents, |a, _| {
        eigen.eigenvalues[order[a]].max(LEAST * largest).sqrt()
    });
    let basis = DMatrix::from_fn(width, latents, |i, a| eigen.eigenvectors[(i, order[a])]);
    let c = DMatrix::from_fn(width, latents, |i, a| basis[(i, a)] * scales[a]);
    let inverse = DMatrix::from_fn(latents, width, |a, i| basis[(i, a)] / scales[a]);
    let f = stationary(&inverse * lagged * inverse.transpose());
    let identity = DMatrix::identity(latents, latents);
    let q = &identity - &f * f.transpose();
    let d = DVector::from_fn(width, |i, _| {
        let spread: f64 = c.row(i).iter().map(|c| c * c).sum();
        match law {
            CountLaw::Poisson => moments.mean[i].ln() - 0.5 * spread,
            CountLaw::Bernoulli => (moments.mean[i] / (1.0 - moments.mean[i])).ln(),
        }
    });
    let q = crate::math::cholesky::symmetric(q);
    Plds::new(law, f, q, c, d)?.with_initial(DVector::zeros(latents), identity)
}

/// Refuses data in which a neuron was never seen: they say nothing of its rate.
///
/// # Errors
/// [`Error::Size`] where nothing was seen at all, [`Error::Entry`] with the first such column.
pub(super) fn check_seen(width: usize, sequences: &[Sequence]) -> Result<()> {
    let rows = || sequences.iter().flat_map(|s| s.iter().flatten());
    let unseen = |column: &usize| rows().all(|row| row[*column].is_nan());
    let unseen: Vec<usize> = (0..width).filter(unseen).collect();
    match unseen.first() {
        None => Ok(()),
        Some(_) if unseen.len() == width => {
            Err(Error::size("sequences", "no observation", "at least one"))
        }
        Some(first) => Err(unseen_column(*first)),
    }
}

/// F, shrunk until I − F Fᵀ is a covariance and F has a stationary distribution.
fn stationary(mut f: DMatrix<f64>) -> DMatrix<f64> {
    let n = f.nrows();
    let identity = DMatrix::identity(n, n);
    if f.iter().any(|v| !v.is_finite()) {
        return identity * SHRINK;
    }
    while (&identity * MOST_SHARED - &f * f.transpose())
        .cholesky()
        .is_none()
        || stationary_covariance(&f, &identity).is_none()
    {
        f *= SHRINK;
    }
    f
}

fn moments(law: CountLaw, width: usize, sequences: &[Sequence]) -> CountMoments {
    let (mut sum, mut seen) = (DVector::<f64>::zeros(width), DVector::<f64>::zeros(width));
    for row in sequences.iter().flat_map(|s| s.iter().flatten()) {
        for (i, y) in row.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
            sum[i] += y;
            seen[i] += 1.0;
        }
    }
    // One that always fired, in spikes or none, is taken to have missed half a time.
    let most = |i: usize| match law {
        CountLaw::Poisson => f64::INFINITY,
        CountLaw::Bernoulli => 1.0 - HALF / seen[i].max(1.0),
    };
    let mean = DVector::from_fn(width, |i, _| {
        let count = seen[i].max(1.0);
        (sum[i] / count).max(HALF / count).min(most(i))
    });
    let zero = || DMatrix::<f64>::zeros(width, width);
    let (mut own, mut own_count, mut lagged, mut lagged_count) = (zero(), zero(), zero(), zero());
    let residual = |row: &[f64]| -> Vec<f64> {
        let pairs = row.iter().zip(mean.iter());
        pairs.map(|(y, m)| y - m).collect()
    };
    for sequence in sequences {
        let mut before: Option<Vec<f64>> = None;
        for row in sequence.iter() {
            let now = row.map(residual);
            if let Some(now) = &now {
                add(&mut own, &mut own_count, now, now);
                if let Some(before) = &before {
                    add(&mut lagged, &mut lagged_count, now, before);
                }
            }
            before = now;
        }
    }
    let mean_of =
        |sums: DMatrix<f64>, counts: DMatrix<f64>| sums.component_div(&counts.map(|n| n.max(1.0)));
    CountMoments {
        silent: (0..width).map(|i| sum[i] < HALF).collect(),
        own: mean_of(own, own_count),
        lagged: mean_of(lagged, lagged_count),
        mean,
    }
}

fn add(sums: &mut DMatrix<f64>, counts: &mut DMatrix<f64>, now: &[f64], before: &[f64]) {
    for (j, b) in before.iter().enumerate().filter(|(_, b)| !b.is_nan()) {
        for (i, a) in now.iter().enumerate().filter(|(_, a)| !a.is_nan()) {
            sums[(i, j)] += a * b;
            counts[(i, j)] += 1.0;
        }
    }
}

/// The covariance of linear predictors that has the covariance of the counts; `same` bin or not.
fn predictors(
    law: CountLaw,
    moments: &CountMoments,
    covariance: &DMatrix<f64>,
    same: bool,
) -> DMatrix<f64> {
    let (width, mean) = (moments.mean.len(), &moments.mean);
    let silent = |i: usize| moments.silent[i];
    let mut found = DMatrix::from_fn(width, width, |i, j| {
        if silent(i) || silent(j) {
            return 0.0;
        }
        match law {
            CountLaw::Poisson => {
                let own = if same && i == j { mean[i] } else { 0.0 };
                let ratio = 1.0 + (covariance[(i, j)] - own) / (mean[i] * mean[j]);
                ratio.max(FLOOR).ln()
            }
            CountLaw::Bernoulli => {
                let slope = |i: usize| mean[i] * (1.0 - mean[i]).max(FLOOR * mean[i]);
                covariance[(i, j)] / (slope(i) * slope(j))
            }
        }
    });
    if same && law == CountLaw::Bernoulli {
        // The variance of a spike is that of its probability: what is shared shows in the covariances alone.
        for i in 0..width {
            let others = (0..width).filter(|j| *j != i).map(|j| found[(i, j)].abs());
            found[(i, i)] = others.fold(0.0, f64::max);
        }
    }
    found
}
