//! q = q_T(z_T) ∏_t b_t(z_{t−1}|z_t): the recursive bound over enumerated counts (eqs. T17, T18).
//!
//! Kernels and q_T are Poisson laws restricted to the grid and normalised there, so that the bound is one of the evidence that
//! [`exact::filter`](super::exact::filter) finds on the same grid, without rounding by truncation.

use super::states::{log_factorials, poisson_table};
use super::{CountGrid, SpikingPopulation};
use crate::Result;

/// The backward value W_t on every state of the grid, and its gradient with respect to b and W.
#[derive(Debug, Clone, PartialEq)]
pub struct Recursion {
    model: SpikingPopulation,
    grid: CountGrid,
    states: Vec<Vec<u32>>,
    /// a = W s(z) + b after every state, and Σ_k e^{a_k}.
    driven: Vec<(Vec<f64>, f64)>,
    /// ln n! of every count.
    factorials: Vec<f64>,
    /// Σ_k ln z_k! of every state.
    log_factorials: Vec<f64>,
    /// W_t(z), in nats; empty before the first frame.
    pub value: Vec<f64>,
    /// S_t(z) = ∇W_t(z) at fixed kernels, `[K² + K]` of every state: W row by row, then b (eq. F8).
    pub score: Vec<Vec<f64>>,
}

impl Recursion {
    /// Before the first frame, with counts from 0 to `top`.
    ///
    /// # Errors
    /// If the model is not valid or too large to enumerate.
    pub fn new(model: &SpikingPopulation, top: u32) -> Result<Self> {
        model.validate()?;
        let grid = CountGrid::new(model.neurons(), top)?;
        let states: Vec<Vec<u32>> = (0..grid.len()).map(|i| grid.counts(i)).collect();
        let factorials = log_factorials(top);
        let driven = states.iter().map(|z| {
            let a = model.log_rates(z);
            let total = a.iter().map(|a| a.exp()).sum();
            (a, total)
        });
        let logs = states
            .iter()
            .map(|z| z.iter().map(|&n| factorials[n as usize]).sum());
        Ok(Self {
            model: model.clone(),
            grid,
            driven: driven.collect(),
            log_factorials: logs.collect(),
            factorials,
            states,
            value: Vec::new(),
            score: Vec::new(),
        })
    }

    /// Counts of every state.
    pub fn states(&self) -> &[Vec<u32>] {
        &self.states
    }

    /// W_1(z) = ln p(z) + ln p(x_1|z).
    pub fn start(&mut self, frame: &[f64]) {
        let total: f64 = self.model.first.iter().map(|u| u.exp()).sum();
        let prior = |(z, factorial): (&Vec<u32>, &f64)| {
            dot(&self.model.first, z) - total - factorial + self.log_likelihood(frame, z)
        };
        let value = self.states.iter().zip(&self.log_factorials).map(prior);
        self.value = value.collect();
        let k = self.model.neurons();
        self.score = vec![vec![0.0; k * k + k]; self.states.len()];
    }

    /// The next frame, with the log-rates v(z), `[K]`, of the kernel b(·|z) of every state.
    pub fn advance(&mut self, frame: &[f64], kernel: impl Fn(&[u32]) -> Vec<f64>) {
        let mut value = Vec::with_capacity(self.states.len());
        let mut score = Vec::with_capacity(self.states.len());
        for z in &self.states {
            let law = Restricted::new(self.grid, &kernel(z));
            value.push(self.log_likelihood(frame, z) + self.expected(&law, z));
            score.push(self.expected_score(&law, z));
        }
        (self.value, self.score) = (value, score);
    }

    /// E_b[W_{t−1}(z') + ln p(z|z') − ln b(z')] of the kernel with log-rates `v`, at the new state `z`.
    pub fn kernel_value(&self, v: &[f64], z: &[u32]) -> f64 {
        self.expected(&Restricted::new(self.grid, v), z)
    }

    /// The best free kernel at `z` from `v` on (eq. T18): never worse than `v`.
    pub fn best_kernel(&self, v: &[f64], z: &[u32], steps: usize) -> Vec<f64> {
        let (mut v, mut size) = (v.to_vec(), 1.0);
        let mut value = self.kernel_value(&v, z);
        for _ in 0..steps {
            let goal = self.regression(&v, z);
            let step = |(v, goal): (&f64, &f64)| v + size * (goal - v).clamp(-2.0, 2.0);
            let next: Vec<f64> = v.iter().zip(&goal).map(step).collect();
            let there = self.kernel_value(&next, z);
            if there > value {
                (v, value) = (next, there);
            } else {
                size *= 0.5;
            }
        }
        v
    }

    /// Cov_b[z'_k, R(z')]/Var_b[z'_k] under the kernel with log-rates `v`, `[K]`.
    fn regression(&self, v: &[f64], z: &[u32]) -> Vec<f64> {
        let law = Restricted::new(self.grid, v);
        let k = self.model.neurons();
        let (mut mean, mut of_r) = (vec![0.0; k], 0.0);
        let r: Vec<f64> = (0..self.states.len())
            .map(|i| self.value[i] + self.log_transition(i, z) + self.log_factorials[i])
            .collect();
        for ((p, before), r) in law.weights.iter().zip(&self.states).zip(&r) {
            of_r += p * r;
            for (mean, &n) in mean.iter_mut().zip(before) {
                *mean += p * f64::from(n);
            }
        }
        let (mut covariance, mut variance) = (vec![0.0; k], vec![0.0; k]);
        for ((p, before), r) in law.weights.iter().zip(&self.states).zip(&r) {
            for i in 0..k {
                let d = f64::from(before[i]) - mean[i];
                covariance[i] += p * d * (r - of_r);
                variance[i] += p * d * d;
            }
        }
        let ratio = |(c, v): (&f64, &f64)| c / v.max(f64::MIN_POSITIVE);
        covariance.iter().zip(&variance).map(ratio).collect()
    }

    /// L_t = E_q[W_t − ln q] of q = Pois(e^u) on the grid, u `[K]`.
    pub fn bound(&self, log_rates: &[f64]) -> f64 {
        let law = Restricted::new(self.grid, log_rates);
        let mean: f64 = law
            .weights
            .iter()
            .zip(&self.value)
            .map(|(p, w)| p * w)
            .sum();
        mean + law.entropy
    }

    /// ∇L_t = E_q(S_t) with q and kernels fixed, `[K² + K]`.
    pub fn gradient(&self, log_rates: &[f64]) -> Vec<f64> {
        let law = Restricted::new(self.grid, log_rates);
        let mut out = vec![0.0; self.score.first().map_or(0, Vec::len)];
        for (p, score) in law.weights.iter().zip(&self.score) {
            out.iter_mut().zip(score).for_each(|(out, s)| *out += p * s);
        }
        out
    }

    fn expected(&self, law: &Restricted, z: &[u32]) -> f64 {
        let weights = law.weights.iter().enumerate();
        let mean: f64 = weights
            .map(|(i, p)| p * (self.value[i] + self.log_transition(i, z)))
            .sum();
        mean + law.entropy
    }

    fn expected_score(&self, law: &Restricted, z: &[u32]) -> Vec<f64> {
        let k = self.model.neurons();
        let mut out = vec![0.0; k * k + k];
        for (i, p) in law.weights.iter().enumerate() {
            let a = &self.driven[i].0;
            out.iter_mut()
                .zip(&self.score[i])
                .for_each(|(out, s)| *out += p * s);
            for row in 0..k {
                let error = p * (f64::from(z[row]) - a[row].exp());
                for (column, &n) in self.states[i].iter().enumerate() {
                    out[row * k + column] += error * self.model.drive.of(n);
                }
                out[k * k + row] += error;
            }
        }
        out
    }

    /// ln p(z | z'), z' state number `before`.
    fn log_transition(&self, before: usize, z: &[u32]) -> f64 {
        let (a, total) = &self.driven[before];
        let factorial: f64 = z.iter().map(|&n| self.factorials[n as usize]).sum();
        dot(a, z) - total - factorial
    }

    fn log_likelihood(&self, frame: &[f64], z: &[u32]) -> f64 {
        let z: Vec<f64> = z.iter().map(|&n| f64::from(n)).collect();
        self.model.log_likelihood(frame, &self.model.decoded(&z))
    }
}

fn dot(a: &[f64], z: &[u32]) -> f64 {
    a.iter().zip(z).map(|(a, &n)| a * f64::from(n)).sum()
}

/// Independent Poisson laws restricted to the grid.
struct Restricted {
    /// Of every state.
    weights: Vec<f64>,
    /// −E ln of it, in nats.
    entropy: f64,
}

impl Restricted {
    fn new(grid: CountGrid, log_rates: &[f64]) -> Self {
        let mut entropy = 0.0;
        let top = grid.side() as u32 - 1;
        let table = |&u: &f64| {
            // Beyond the grid only the shape on it matters; this keeps e^u and its powers in range.
            let (mut table, _) = poisson_table(u.clamp(-700.0, 6.0), top);
            let total: f64 = table.iter().sum();
            table.iter_mut().for_each(|p| *p /= total);
            let terms = table.iter().filter(|p| **p > 0.0);
            entropy -= terms.map(|p| p * p.ln()).sum::<f64>();
            table
        };
        let tables: Vec<Vec<f64>> = log_rates.iter().map(table).collect();
        Self {
            weights: grid.product(&tables),
            entropy,
        }
    }
}
