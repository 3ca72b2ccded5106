//! ∇ ln p(o) of whole sequences, by Fisher's identity.

use crate::hmm::{Expectations, Hmm, Learnable};
use crate::{Result, Sequence};

/// ∇_θ ln p(o) over any number of sequences, nats a unit of the parameter; [`Hmm::gradient`].
///
/// The coordinates are logits of π and of the rows of A, and those of [`Learnable::score`] for the emission.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// With respect to the logits of π `[K]`.
    pub initial: Vec<f64>,
    /// With respect to the logits of A `[K, K]`.
    pub transition: Vec<f64>,
    /// With respect to the parameters of the emission `[K, Q]`.
    pub emission: Vec<f64>,
    /// ln p(o), nats.
    pub log_evidence: f64,
}

impl<E: Learnable> Hmm<E> {
    /// The gradient of Σ ln p(o_1…o_T) over sequences, at the cost of an E-step: the expectation of the
    /// complete-data score under the exact posterior (Fisher's identity).
    ///
    /// ```text
    /// ∇_{a_ij} = N_ij − A_ij Σ_l N_il,   π alike,   emission: Learnable::score of the expected statistics
    /// ```
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Hmm, Poisson}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let counts = Hmm::new(vec![1.0], vec![vec![1.0]], Poisson::new(vec![vec![3.0]])?)?;
    /// let gradient = counts.gradient(&[Sequence::of_numbers([2.0, 5.0])?])?;
    /// assert!((gradient.emission[0] - (2.0 + 5.0 - 2.0 * 3.0)).abs() < 1e-12); // Σy − nλ
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::expectations`].
    pub fn gradient(&self, sequences: &[Sequence]) -> Result<Gradient> {
        Ok(self.gradient_of(&self.expectations(sequences)?))
    }

    /// The same from what the model expects of them.
    pub(crate) fn gradient_of(&self, expected: &Expectations) -> Gradient {
        let k = self.states();
        let mut emission = vec![0.0; k * self.emission().parameters_len()];
        self.emission().score(&expected.emission, &mut emission);
        Gradient {
            initial: of_logits(self.initial(), &expected.initial, k),
            transition: of_logits(self.transition(), &expected.transitions, k),
            emission,
            log_evidence: expected.log_evidence,
        }
    }
}

/// n − p Σn for each row of counts n and probabilities p.
fn of_logits(probabilities: &[f64], counts: &[f64], columns: usize) -> Vec<f64> {
    let mut gradient = counts.to_vec();
    let rows = gradient
        .chunks_exact_mut(columns)
        .zip(probabilities.chunks_exact(columns));
    for (row, probabilities) in rows {
        let total: f64 = row.iter().sum();
        row.iter_mut()
            .zip(probabilities)
            .for_each(|(n, p)| *n -= p * total);
    }
    gradient
}
