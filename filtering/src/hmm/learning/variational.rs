//! Variational Bayes on whole sequences: Dirichlet posteriors of π and of the rows of A.

use libm::lgamma;

use super::super::pseudo_observations::PseudoObservations;
use super::batch::BatchEm;
use super::statistics::check_size;
use crate::digamma;
use crate::hmm::forward::Chain;
use crate::hmm::{Hmm, Learnable};
use crate::{Error, Result, Sequence};

/// Concentrations α of q(π) = Dirichlet(α_π) and q(A_i) = Dirichlet(α_i), or of a prior of that form.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Concentrations {
    /// α_π `[K]`.
    pub initial: Vec<f64>,
    /// α_A `[K, K]`; 0 where a transition is impossible.
    pub transition: Vec<f64>,
}

impl Concentrations {
    /// α = c for everything; c = 1 is the uniform prior.
    pub fn flat(states: usize, concentration: f64) -> Self {
        Self {
            initial: vec![concentration; states],
            transition: vec![concentration; states * states],
        }
    }

    fn check(&self, name: &str, states: usize) -> Result<()> {
        let parts = [("initial", &self.initial), ("transition", &self.transition)];
        for ((part, values), size) in parts.into_iter().zip([states, states * states]) {
            let name = format!("{name}.{part}");
            check_size(&name, Some(values), size)?;
            for (n, row) in values.chunks_exact(states).enumerate() {
                if let Some(j) = row.iter().position(|a| !(*a >= 0.0 && a.is_finite())) {
                    return Err(Error::entry(&name, &[n, j], row[j], "0 or positive"));
                }
                if row.iter().sum::<f64>() <= 0.0 {
                    return Err(Error::entry(
                        &name,
                        &[n],
                        "a row of zeros",
                        "a positive entry",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The variational E-step; [`Hmm::variational_step`].
#[derive(Debug, Clone, PartialEq)]
pub struct VariationalStep {
    /// ln π̃ = ψ(α) − ψ(Σα) `[K]`.
    pub log_initial: Vec<f64>,
    /// ln Ã `[K, K]`.
    pub log_transition: Vec<f64>,
    /// ln Z̃ = ln Σ_paths π̃ ∏Ã p(o|s), summed over the sequences, nats.
    pub log_partition: f64,
    /// ln Z̃ − KL(q(π)‖p(π)) − Σ_i KL(q(A_i)‖p(A_i)), nats: a bound of the log evidence of the data, the
    /// parameters π and A integrated out.
    pub elbo: f64,
    /// Σ γ_1 `[K]` over the sequences.
    pub initial: Vec<f64>,
    /// Σ_t ξ_t `[K, K]`.
    pub transitions: Vec<f64>,
    /// Σ_t γ_t φ(o_t) `[K, P]`.
    pub emission: Vec<f64>,
    /// q_T `[K]` of the last sequence.
    pub belief: Vec<f64>,
    /// The observations in all sequences.
    pub observations: u64,
}

/// What variational Bayes came to; [`Hmm::fit_variational`].
#[derive(Debug, Clone, PartialEq)]
pub struct VariationalFit<E: Learnable> {
    /// The posterior means of π and A, and the emission.
    pub model: Hmm<E>,
    /// q(π), q(A).
    pub posterior: Concentrations,
    /// The bound after each E-step, nats; it never decreases.
    pub trace: Vec<f64>,
    /// E-steps.
    pub iterations: usize,
    /// Whether the gain fell below the tolerance.
    pub converged: bool,
}

impl<E: Learnable> Hmm<E> {
    /// The E-step under q(π), q(A) and this model's emission (eq. F23): the recursions of eqs. F13 and F14 with the
    /// sub-stochastic π̃ = exp E[ln π], Ã = exp E[ln A].
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Categorical, Concentrations, Hmm}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let coins = Categorical::new(vec![vec![0.9, 0.1], vec![0.2, 0.8]])?;
    /// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.5, 0.5], vec![0.5, 0.5]], coins)?;
    /// let data = [Sequence::of_symbols([0, 0, 1, 1])?];
    /// // With the prior itself as posterior, the divergences are zero.
    /// let flat = Concentrations::flat(2, 1.0);
    /// let step = model.variational_step(&data, &flat, &flat)?;
    /// assert_eq!(step.elbo, step.log_partition);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`] for concentrations of another size, negative, or all zero in a row;
    /// as [`Hmm::expectations`].
    pub fn variational_step(
        &self,
        sequences: &[Sequence],
        prior: &Concentrations,
        posterior: &Concentrations,
    ) -> Result<VariationalStep> {
        let k = self.states();
        prior.check("prior", k)?;
        posterior.check("posterior", k)?;
        let log_initial = expected_logs(&posterior.initial, k);
        let log_transition = expected_logs(&posterior.transition, k);
        let exp = |logs: &[f64]| logs.iter().map(|l| l.exp()).collect::<Vec<_>>();
        let chain = Chain {
            initial: &exp(&log_initial),
            transition: &exp(&log_transition),
            emission: self.emission(),
            stochastic: false,
        };
        let (found, belief) = chain.expectations(sequences, None)?;
        Ok(VariationalStep {
            log_initial,
            log_transition,
            log_partition: found.log_evidence,
            elbo: found.log_evidence
                - divergence(&posterior.initial, &prior.initial, k)
                - divergence(&posterior.transition, &prior.transition, k),
            initial: found.initial,
            transitions: found.transitions,
            emission: found.emission,
            belief,
            observations: found.observations,
        })
    }

    /// Variational Bayes for π and A with conjugate updates α ← α⁰ + expected counts, from this model; the
    /// emission is re-estimated by its M-step.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{BatchEm, Concentrations, Hmm, Poisson}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let data = [Sequence::of_numbers([1.0, 0.0, 2.0, 9.0, 11.0, 8.0, 1.0, 0.0])?];
    /// let rates = Poisson::new(vec![vec![1.0], vec![9.0]])?;
    /// let start = Hmm::new(vec![0.5, 0.5], vec![vec![0.8, 0.2], vec![0.2, 0.8]], rates)?;
    /// let fit = start.fit_variational(&data, &Concentrations::flat(2, 1.0), &BatchEm::default())?;
    /// assert!(fit.converged && fit.trace.is_sorted());
    /// // Seven transitions were counted, on top of four from the prior.
    /// assert!((fit.posterior.transition.iter().sum::<f64>() - 11.0).abs() < 1e-9);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::fit`] and [`Hmm::variational_step`].
    pub fn fit_variational(
        self,
        sequences: &[Sequence],
        prior: &Concentrations,
        em: &BatchEm,
    ) -> Result<VariationalFit<E>> {
        em.check()?;
        let k = self.states();
        prior.check("prior", k)?;
        let start = self.centred_on(sequences).recentred();
        let first = start.expectations(sequences)?;
        let mut posterior = Concentrations {
            initial: sum(&prior.initial, &first.initial),
            transition: sum(&prior.transition, &first.transitions),
        };
        let mut emission = start.emission().maximise(
            &first.emission,
            PseudoObservations::of_data(em.pseudo_count),
        )?;
        let (mut trace, mut converged) = (Vec::new(), false);
        let enough = em.tolerance * first.observations as f64;
        let mut model = start;
        while trace.len() < em.max_iterations && !converged {
            let mean = |counts: &[f64]| -> Vec<f64> {
                let rows = counts.chunks_exact(k);
                rows.flat_map(|row| row.iter().map(|a| a / row.iter().sum::<f64>()))
                    .collect()
            };
            let (initial, transition) = (mean(&posterior.initial), mean(&posterior.transition));
            model = Hmm::from_flat(initial, transition, emission)?.recentred();
            let step = model.variational_step(sequences, prior, &posterior)?;
            let settled = |last: &f64| (step.elbo - last).abs() <= enough;
            converged = trace.last().is_some_and(settled);
            trace.push(step.elbo);
            if converged || trace.len() == em.max_iterations {
                break;
            }
            posterior.initial = sum(&prior.initial, &step.initial);
            posterior.transition = sum(&prior.transition, &step.transitions);
            emission = model
                .emission()
                .maximise(&step.emission, PseudoObservations::of_data(em.pseudo_count))?;
        }
        Ok(VariationalFit {
            model,
            posterior,
            iterations: trace.len(),
            trace,
            converged,
        })
    }
}

fn sum(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| x + y).collect()
}

/// ψ(α_j) − ψ(Σ_l α_l) for each row; −∞ where α is 0.
fn expected_logs(concentrations: &[f64], columns: usize) -> Vec<f64> {
    let mut logs = Vec::with_capacity(concentrations.len());
    for row in concentrations.chunks_exact(columns) {
        let total = digamma(row.iter().sum());
        logs.extend(row.iter().map(|&a| match a > 0.0 {
            true => digamma(a) - total,
            false => f64::NEG_INFINITY,
        }));
    }
    logs
}

/// Σ over rows of KL(Dirichlet(α)‖Dirichlet(β)), nats:
///
/// ```text
/// ln Γ(Σα) − ln Γ(Σβ) − Σ_j [ln Γ(α_j) − ln Γ(β_j) − (α_j − β_j)(ψ(α_j) − ψ(Σα))]
/// ```
///
/// Entries that are 0 in both say nothing; one that is 0 in β alone makes it infinite.
fn divergence(posterior: &[f64], prior: &[f64], columns: usize) -> f64 {
    let rows = posterior
        .chunks_exact(columns)
        .zip(prior.chunks_exact(columns));
    rows.map(|(alpha, beta)| {
        let (a, b): (f64, f64) = (alpha.iter().sum(), beta.iter().sum());
        let (ends, middle) = (lgamma(a) - lgamma(b), digamma(a));
        let entries = alpha.iter().zip(beta).filter(|(a, b)| a != b);
        let inner: f64 = entries
            .map(|(&a, &b)| match a > 0.0 && b > 0.0 {
                true => lgamma(a) - lgamma(b) - (a - b) * (digamma(a) - middle),
                false => f64::NEG_INFINITY,
            })
            .sum();
        ends - inner
    })
    .sum()
}
