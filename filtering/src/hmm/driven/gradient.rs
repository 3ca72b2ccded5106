//! ∇ ln p(o), by Fisher's identity.

use super::model::DrivenHmm;
use super::passes::{backward, forward, parts};
use crate::hmm::{Expectations, Learnable};
use crate::step::Sum;
use crate::{Result, Sequence};

/// ∇_θ ln p(o|v) over any number of sequences, nats a unit of the parameter; [`DrivenHmm::gradient`].
#[derive(Debug, Clone, PartialEq)]
pub struct DrivenHmmGradient {
    /// With respect to the logits of π `[K]`.
    pub initial: Vec<f64>,
    /// With respect to the logits of A `[K·K]`, the constants of the regressions.
    pub transition: Vec<f64>,
    /// With respect to w `[K·K·M]`.
    pub weights: Vec<f64>,
    /// With respect to the parameters of the emission `[K·Q]`.
    pub emission: Vec<f64>,
    /// ln p(o|v), nats.
    pub log_evidence: f64,
}

/// What an ascent needs of all sequences.
pub(super) struct DrivenExpectations {
    /// Those of the model without inputs; of transitions Σ_t ξ_t.
    pub chain: Expectations,
    /// Σ_t (ξ_t − γ_{t−1} A_t) `[K·K]`: the slope of the logits of A.
    pub transition: Vec<f64>,
    /// Σ_t (ξ_t − γ_{t−1} A_t)(v_t − v₀) `[K·K·M]`: the slope of w.
    pub weights: Vec<f64>,
    /// Σ_t γ_{t−1} A_t (1 − A_t)(v_t − v₀)² `[K·K·M]`: the diagonal of the information on w if the states were seen.
    pub information: Vec<f64>,
}

impl DrivenHmm {
    /// The expectations under the exact posterior.
    ///
    /// # Errors
    /// As [`DrivenHmm::log_evidence`].
    pub(super) fn expectations(&self, sequences: &[Sequence]) -> Result<DrivenExpectations> {
        let (k, m) = (self.states(), self.origin().len());
        let emission = self.base().emission();
        let p = emission.statistic_len();
        let mut found = DrivenExpectations {
            chain: Expectations {
                initial: vec![0.0; k],
                transitions: vec![0.0; k * k],
                emission: vec![0.0; k * p],
                log_evidence: 0.0,
                observations: 0,
            },
            transition: vec![0.0; k * k],
            weights: vec![0.0; k * k * m],
            information: vec![0.0; k * k * m],
        };
        let mut evidence = Sum::default();
        let mut beliefs = Vec::new();
        let (mut statistic, mut v) = (vec![0.0; p], vec![0.0; m]);
        for sequence in sequences {
            beliefs.clear();
            let one = forward(self, sequence, |belief, _| {
                beliefs.extend_from_slice(belief);
            })?;
            evidence = evidence.plus(one);
            found.chain.observations += sequence.len() as u64;
            backward(self, sequence, &beliefs, |t, marginal, next| {
                if let Some(next) = next {
                    self.centred(next.given, &mut v);
                    for (ij, (a, xi)) in next.a.iter().zip(next.pairwise).enumerate() {
                        let expected = marginal[ij / k] * a;
                        let (slope, curvature) = (xi - expected, expected * (1.0 - a));
                        found.chain.transitions[ij] += xi;
                        found.transition[ij] += slope;
                        for (n, v) in v.iter().enumerate() {
                            found.weights[ij * m + n] += slope * v;
                            found.information[ij * m + n] += curvature * v * v;
                        }
                    }
                }
                // The pass forward refused what is no observation.
                if let Ok((Some(own), _)) = parts(self, sequence.get(t)) {
                    let into = &mut found.chain.emission;
                    emission.accumulate(own, marginal, &mut statistic, into);
                }
                if t == 0 {
                    let first = found.chain.initial.iter_mut().zip(marginal);
                    first.for_each(|(sum, g)| *sum += g);
                }
            })?;
        }
        found.chain.log_evidence = evidence.value();
        Ok(found)
    }

    /// The same model, with the units that data give its emission; [`Learnable::measured`].
    ///
    /// # Errors
    /// As [`DrivenHmm::log_evidence`].
    pub(crate) fn measured(&self, sequences: &[Sequence]) -> Result<Self> {
        let base = self.base().measured(&self.expectations(sequences)?.chain)?;
        Ok(self.clone().with_base(base))
    }

    /// The gradient of Σ ln p(o_1…o_T | v_1…v_T) over sequences (eq. F105): the expectation of the complete-data score under the
    /// exact posterior.
    ///
    /// ```text
    /// ∂/∂w_ij = Σ_{t>1} [ξ_t(i,j) − γ_{t−1}(i) A_t(i,j)] (v_t − v₀)
    /// ```
    ///
    /// # Errors
    /// As [`DrivenHmm::log_evidence`].
    pub fn gradient(&self, sequences: &[Sequence]) -> Result<DrivenHmmGradient> {
        Ok(self.gradient_and_expectations(sequences)?.0)
    }

    /// The same, and the expectations of the model without inputs that it was made of.
    pub(crate) fn gradient_and_expectations(
        &self,
        sequences: &[Sequence],
    ) -> Result<(DrivenHmmGradient, Expectations)> {
        let expected = self.expectations(sequences)?;
        let base = self.base();
        let mut emission = vec![0.0; self.states() * base.emission().parameters_len()];
        let statistics = &expected.chain.emission;
        base.emission().score(statistics, &mut emission);
        let counts = &expected.chain.initial;
        let total: f64 = counts.iter().sum();
        let initial = counts.iter().zip(base.initial());
        let gradient = DrivenHmmGradient {
            initial: initial.map(|(n, p)| n - p * total).collect(),
            transition: expected.transition,
            weights: expected.weights,
            emission,
            log_evidence: expected.chain.log_evidence,
        };
        Ok((gradient, expected.chain))
    }
}
