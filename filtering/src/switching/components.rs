//! One Gaussian a regime: what the filter carries, and one step of it.

use serde::{Deserialize, Serialize};

use super::densities::Plans;
use crate::gaussian::{After, Before, LinearGaussian, advance, flat};
use crate::{Error, Result, softmax};

/// p(s_t = k) and N(m_k, P_k) of x_t given s_t = k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Components {
    /// `[K]`.
    pub weights: Vec<f64>,
    /// `[K·n]`.
    pub means: Vec<f64>,
    /// `[K·n·n]`.
    pub covariances: Vec<f64>,
}

impl Components {
    /// The start: π, and N(m0, P0) in every regime.
    pub fn start(weights: &[f64], start: &LinearGaussian) -> Self {
        let k = weights.len();
        Self {
            weights: weights.to_vec(),
            means: start.initial_mean().as_slice().repeat(k),
            covariances: flat(start.initial_covariance()).repeat(k),
        }
    }

    /// m_k `[n]`, P_k `[n, n]`.
    pub fn part(&self, k: usize) -> (&[f64], &[f64]) {
        let n = self.means.len() / self.weights.len();
        let square = n * n;
        (
            &self.means[k * n..(k + 1) * n],
            &self.covariances[k * square..(k + 1) * square],
        )
    }

    /// The mean `[n]` and covariance `[n, n]` of x_t.
    pub fn moments(&self, mean: &mut [f64], covariance: &mut [f64]) {
        collapse(
            &self.weights,
            &self.means,
            &self.covariances,
            mean,
            covariance,
        );
    }
}

/// The mean and covariance of a mixture of Gaussians (eq. F115).
fn collapse(
    weights: &[f64],
    means: &[f64],
    covariances: &[f64],
    mean: &mut [f64],
    covariance: &mut [f64],
) {
    let n = mean.len();
    mean.fill(0.0);
    covariance.fill(0.0);
    for (w, part) in weights.iter().zip(means.chunks_exact(n)) {
        mean.iter_mut().zip(part).for_each(|(m, p)| *m += w * p);
    }
    let parts = means.chunks_exact(n).zip(covariances.chunks_exact(n * n));
    for (w, (part, spread)) in weights.iter().zip(parts) {
        for i in 0..n {
            for j in 0..n {
                let apart = (part[i] - mean[i]) * (part[j] - mean[j]);
                covariance[i * n + j] += w * (spread[i * n + j] + apart);
            }
        }
    }
}

/// Memory of a step.
#[derive(Debug, Clone)]
pub(super) struct Work {
    log_initial: Vec<f64>,
    log_transition: Vec<f64>,
    /// ln p(s_{t−1} = i, s_t = j, y_t|past) and what the state is then, the i of each j side by side.
    joint: Vec<f64>,
    means: Vec<f64>,
    covariances: Vec<f64>,
    totals: Vec<f64>,
    scratch: Vec<f64>,
}

impl Work {
    pub fn new(initial: &[f64], transition: &[f64], plans: &Plans) -> Self {
        let k = initial.len();
        let (n, scratch) = plans.each.first().map_or((0, 0), |p| (p.n, p.scratch()));
        let logs = |p: &[f64]| p.iter().map(|p| p.ln()).collect();
        Self {
            log_initial: logs(initial),
            log_transition: logs(transition),
            joint: vec![0.0; k * k],
            means: vec![0.0; k * k * n],
            covariances: vec![0.0; k * k * n * n],
            totals: vec![0.0; k],
            scratch: vec![0.0; scratch],
        }
    }

    /// Takes one observation in; ln p̂(y_t|y_<t) but for ½ ln|2πR_1|, 0 for a missing one (eqs. F114, F115).
    ///
    /// # Errors
    /// [`Error::Impossible`] and [`Error::NotFinite`], of observation 0.
    pub fn step(
        &mut self,
        plans: &Plans,
        y: Option<&[f64]>,
        first: bool,
        now: &Components,
        next: &mut Components,
    ) -> Result<f64> {
        let k = now.weights.len();
        let n = now.means.len() / k;
        for j in 0..k {
            for i in 0..k {
                let at = j * k + i;
                // Before the first observation there is no transition: one component a regime.
                let weight = match first {
                    true if i == j => self.log_initial[j],
                    true => f64::NEG_INFINITY,
                    false => now.weights[i].ln() + self.log_transition[i * k + j],
                };
                let (mean, covariance) = now.part(i);
                let from = Before {
                    mean,
                    covariance,
                    earlier: !first,
                };
                let into = After {
                    mean: &mut self.means[at * n..(at + 1) * n],
                    covariance: &mut self.covariances[at * n * n..(at + 1) * n * n],
                };
                let likelihood = advance(&plans.each[j], y, from, into, &mut self.scratch);
                // `advance` has taken ½ ln|2πR_j| off, beside that of regime 1.
                self.joint[at] = weight + likelihood;
            }
        }
        for (j, column) in self.joint.chunks_exact_mut(k).enumerate() {
            self.totals[j] = softmax(column);
            // A regime that cannot be: any law will do, it has no weight.
            if self.totals[j] == f64::NEG_INFINITY {
                column.copy_from_slice(&now.weights);
            }
        }
        next.weights.copy_from_slice(&self.totals);
        let increment = softmax(&mut next.weights);
        if increment == f64::NEG_INFINITY {
            return Err(Error::Impossible { index: 0 });
        }
        let parts = (self.means.chunks_exact(k * n)).zip(self.covariances.chunks_exact(k * n * n));
        let into = (next.means.chunks_exact_mut(n)).zip(next.covariances.chunks_exact_mut(n * n));
        for ((weights, (means, covariances)), (mean, covariance)) in
            self.joint.chunks_exact(k).zip(parts).zip(into)
        {
            collapse(weights, means, covariances, mean, covariance);
        }
        let size = next.means.iter().chain(&next.covariances);
        let size = size.map(|v| v.abs()).sum::<f64>() + increment.abs();
        match size.is_finite() {
            true => Ok(if y.is_some() { increment } else { 0.0 }),
            false => Err(Error::not_finite(0, "the size of the belief", size)),
        }
    }
}
