//! The M-step: the parameters that are best for the expected statistics.

use nalgebra::{DMatrix, DVector};

use super::model::Slds;
use super::smoother::SldsSmoothed;
use crate::data_spread::deviations;
use crate::gaussian::{LinearGaussian, Statistics};
use crate::math::cholesky::{cholesky, symmetric};
use crate::{Result, Sequence};

/// EM comes near a floor slowly: a variance of less than this times it is at it.
const TWICE: f64 = 2.0;

/// The least variances that Q and R may have, in every direction: a share of the variances of the states and of the columns of the data,
/// the same throughout a fit.
#[derive(Debug, Clone)]
pub(super) struct Floor {
    /// `[n]`.
    states: DVector<f64>,
    /// `[m]`.
    outputs: DVector<f64>,
}

impl Floor {
    /// `share` of the variances of columns over what is seen, and of states under smoothed beliefs.
    pub fn of(share: f64, sequences: &[Sequence], smoothed: &[SldsSmoothed]) -> Self {
        let columns = deviations(sequences).into_iter().map(|d| share * d * d);
        let beliefs = || smoothed.iter().flat_map(SldsSmoothed::beliefs);
        let n = beliefs().next().map_or(0, |belief| belief.states());
        let count = beliefs().count().max(1) as f64;
        let mean = beliefs().fold(DVector::zeros(n), |sum: DVector<f64>, q| sum + q.mean()) / count;
        let mut spread = DVector::zeros(n);
        for belief in beliefs() {
            let apart = belief.mean() - &mean;
            spread += apart.component_mul(&apart) + belief.covariance().diagonal();
        }
        Self {
            states: spread * (share / count),
            outputs: DVector::from_vec(columns.collect()),
        }
    }

    /// Whether a regime predicts an observation, in some direction, with the variance that the floor leaves it, or hardly more: H Q Hᵀ + R
    /// beside that of the least Q and R. ln p then is what the floor lets it be, and rises without end as that falls; an R at its floor
    /// beside a Q that is above it is a model like any other.
    pub fn holds(&self, model: &Slds) -> bool {
        let holds = |regime: &LinearGaussian| {
            let h = regime.observation();
            let around = |q: &DMatrix<f64>, r: &DMatrix<f64>| symmetric(h * q * h.transpose() + r);
            let least = around(
                &DMatrix::from_diagonal(&self.states),
                &DMatrix::from_diagonal(&self.outputs),
            );
            let own = around(regime.process_noise(), regime.observation_noise());
            let Ok(factor) = cholesky("the floor", &least) else {
                return false;
            };
            let root = factor.l();
            let half = root.solve_lower_triangular(&own);
            let Some(half) = half.map(|half| half.transpose()) else {
                return false;
            };
            let Some(ratio) = root.solve_lower_triangular(&half) else {
                return false;
            };
            symmetric(ratio).symmetric_eigenvalues().min() <= TWICE
        };
        model.regimes().iter().any(holds)
    }

    /// The model with Q and R that are at least these.
    pub fn raise(&self, model: &Slds) -> Result<Slds> {
        let regimes = model.regimes().iter().map(|regime| {
            let q = at_least(regime.process_noise().clone(), &self.states);
            let r = at_least(regime.observation_noise().clone(), &self.outputs);
            let (f, h) = (regime.transition().clone(), regime.observation().clone());
            LinearGaussian::new(f, q, h, r)?
                .with_bias(regime.bias().clone(), regime.offset().clone())?
                .with_initial(
                    regime.initial_mean().clone(),
                    regime.initial_covariance().clone(),
                )
        });
        let regimes = regimes.collect::<Result<_>>()?;
        Slds::from_flat(
            model.initial().to_vec(),
            model.transition().to_vec(),
            regimes,
        )
    }
}

/// The covariance of highest likelihood, for the residual covariance `m`, among those with cᵀ(·)c ≥ Σ_i c_i² least_i for every c: in units of
/// √least no eigenvalue is below 1 (eq. F117).
fn at_least(m: DMatrix<f64>, least: &DVector<f64>) -> DMatrix<f64> {
    let unit = least.map(f64::sqrt);
    if unit.iter().any(|u| *u <= 0.0) {
        return m;
    }
    let n = m.nrows();
    let scaled = DMatrix::from_fn(n, n, |i, j| m[(i, j)] / (unit[i] * unit[j]));
    let mut own = scaled.symmetric_eigen();
    if own.eigenvalues.iter().all(|v| *v >= 1.0) {
        return m;
    }
    own.eigenvalues.apply(|v| *v = v.max(1.0));
    let raised = own.recompose();
    symmetric(DMatrix::from_fn(n, n, |i, j| {
        raised[(i, j)] * unit[i] * unit[j]
    }))
}

impl Slds {
    /// The parameters that are best for smoothed sequences (eq. F116); π, m0 and P0 if `initial`. What a regime has hardly any data of stays.
    pub(super) fn maximised(
        &self,
        sequences: &[Sequence],
        smoothed: &[SldsSmoothed],
        floor: &Floor,
        initial: bool,
    ) -> Result<Self> {
        let k = self.regimes_len();
        let mut statistics: Vec<Statistics> = self.regimes().iter().map(Statistics::new).collect();
        let mut start = Statistics::new(self.start());
        let shared = self.shares_observation();
        let mut pairs = vec![0.0; k * k];
        let mut firsts = vec![0.0; k];
        for (sequence, own) in sequences.iter().zip(smoothed) {
            if let Some(chain) = &own.factors.chain {
                for t in 1..chain.len() {
                    let xi = chain.pairwise(t - 1)?;
                    pairs.iter_mut().zip(xi).for_each(|(sum, xi)| *sum += xi);
                }
            }
            if let Some(first) = own.beliefs().first() {
                start.add_start(first);
                firsts
                    .iter_mut()
                    .zip(own.regimes())
                    .for_each(|(sum, g)| *sum += g);
            }
            let rows = sequence
                .iter()
                .zip(own.beliefs())
                .zip(own.regimes().chunks_exact(k));
            for (t, ((row, belief), weights)) in rows.enumerate() {
                for (j, regime) in self.regimes().iter().enumerate() {
                    let (weight, into) = (weights[j], &mut statistics[j]);
                    if weight == 0.0 {
                        continue;
                    }
                    if t > 0 {
                        into.add_transition(weight, regime, &own.kernels()[t - 1], belief);
                    }
                    if let Some(row) = row.filter(|_| !shared) {
                        into.add_observation(weight, regime, belief, row)?;
                    }
                }
                if let Some(row) = row.filter(|_| shared) {
                    start.add_observation(1.0, self.start(), belief, row)?;
                }
            }
        }
        let (m0, p0) = self.start_of(&start, initial)?;
        let regimes = self.regimes().iter().zip(&statistics).map(|(regime, own)| {
            let seen = if shared { &start } else { own };
            // Too few data to determine a regression: it stays.
            let all = |_: usize, _: usize| true;
            let moves = own.transition.best(all, 0.0);
            let moves = moves.unwrap_or_else(|_| own.transition.coefficients().clone());
            let sees = seen.observation.best(all, 0.0);
            let sees = sees.unwrap_or_else(|_| seen.observation.coefficients().clone());
            let q = own
                .transition
                .noise_about(&moves, regime.process_noise(), 0.0);
            let r = seen
                .observation
                .noise_about(&sees, regime.observation_noise(), 0.0);
            let (q, r) = (at_least(q, &floor.states), at_least(r, &floor.outputs));
            regime
                .with_regressions(&moves, q, &sees, r)?
                .with_initial(m0.clone(), p0.clone())
        });
        let regimes = regimes.collect::<Result<_>>()?;
        let pi = match initial {
            true => firsts.iter().map(|g| g / sequences.len() as f64).collect(),
            false => self.initial().to_vec(),
        };
        Self::from_flat(pi, normalised(&pairs, self.transition(), k), regimes)
    }

    fn start_of(
        &self,
        statistics: &Statistics,
        learned: bool,
    ) -> Result<(DVector<f64>, DMatrix<f64>)> {
        let (m0, p0) = (
            self.start().initial_mean().clone(),
            self.start().initial_covariance().clone(),
        );
        if !learned {
            return Ok((m0, p0));
        }
        let mean = statistics.initial.best(|_, _| true, 0.0)?;
        let spread = statistics.initial.noise_about(&mean, &p0, 0.0);
        Ok((mean.column(0).into_owned(), spread))
    }
}

/// Rows of expected counts as probabilities; a row without any stays.
fn normalised(pairs: &[f64], before: &[f64], k: usize) -> Vec<f64> {
    let rows = pairs.chunks_exact(k).zip(before.chunks_exact(k));
    let row = |(counts, before): (&[f64], &[f64])| -> Vec<f64> {
        let total: f64 = counts.iter().sum();
        match total > 0.0 {
            true => counts.iter().map(|c| c / total).collect(),
            false => before.to_vec(),
        }
    };
    rows.flat_map(row).collect()
}
