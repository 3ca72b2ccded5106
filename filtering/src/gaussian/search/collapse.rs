//! Noise and starts of linear-Gaussian fits that shrink to nothing.

use nalgebra::DMatrix;

use super::end::End;
use crate::Sequence;
use crate::gaussian::collapse::collapsed_columns;
use crate::gaussian::em::GaussianFit;

/// Noise below this part of a column's variance has collapsed: the states stand for the data themselves.
const COLLAPSED: f64 = 1e-6;

/// Whether the start of one series, whose covariance ln p takes to nothing, came there.
pub(super) fn start_without_spread<F: End>(
    fit: &F,
    data: &[Sequence],
    settings: &GaussianFit,
) -> bool {
    let base = fit.base();
    let fixed = |i: usize| settings.constraints.fixes(&format!("P0[{i}][{i}]"));
    let free = settings.learned.initial && !(0..base.states()).any(fixed);
    if !free || data.len() > 1 || !base.diffuse().is_empty() || fit.weighs_inputs() {
        return false;
    }
    let h = base.observation();
    let seen = h * base.initial_covariance() * h.transpose();
    let spread = spread_without_inputs(fit, data, h.nrows());
    let collapsed = |d: usize| seen[(d, d)] < COLLAPSED * spread[(d, d)];
    (0..h.nrows()).all(collapsed)
}

/// The columns, from 1, that take part in combinations whose noise is next to nothing beside the variance that inputs leave of them.
pub(super) fn collapsed<F: End>(fit: &F, data: &[Sequence], settings: &GaussianFit) -> Vec<usize> {
    let noise = fit.base().observation_noise();
    let spread = spread_without_inputs(fit, data, noise.nrows());
    let found = collapsed_columns(noise, &spread, COLLAPSED);
    let free = |d: &usize| !settings.constraints.fixes(&format!("R[{d}][{d}]"));
    found.into_iter().filter(free).map(|d| d + 1).collect()
}

/// The covariances of the columns, less what inputs add to them; each over the rows that have both.
fn spread_without_inputs<F: End>(fit: &F, data: &[Sequence], m: usize) -> DMatrix<f64> {
    let rows = || {
        let rows = data.iter().flat_map(|s| s.iter().flatten());
        rows.map(|row| -> Vec<f64> { (0..m).map(|d| fit.without_inputs(row, d)).collect() })
    };
    let (mut mean, mut count) = (vec![0.0; m], vec![0.0; m]);
    for row in rows() {
        for d in (0..m).filter(|d| !row[*d].is_nan()) {
            count[d] += 1.0;
            mean[d] += (row[d] - mean[d]) / count[d];
        }
    }
    let mut sums = DMatrix::<f64>::zeros(m, m);
    let mut pairs = DMatrix::<f64>::zeros(m, m);
    for row in rows() {
        for i in 0..m {
            for j in 0..m {
                let both = (row[i] - mean[i]) * (row[j] - mean[j]);
                if !both.is_nan() {
                    sums[(i, j)] += both;
                    pairs[(i, j)] += 1.0;
                }
            }
        }
    }
    sums.zip_map(&pairs, |sum, n: f64| sum / n.max(1.0))
}
