//! The M-step from expectations over whole sequences.

use super::super::pseudo_observations::PseudoObservations;
use super::batch::m_step;
use super::settings::pseudo_count as check_pseudo_count;
use super::statistics::check_size;
use crate::Result;
use crate::hmm::{Expectations, Hmm, Learnable};

impl<E: Learnable> Hmm<E> {
    /// The model that maximises the expected complete-data log-likelihood:
    ///
    /// ```text
    /// π ∝ Σ γ_1 + ε,   A_ij ∝ Σ_t ξ_t[i][j] + ε,   emission: Learnable::maximise(Σ_t γ_t φ(o_t), ε)
    /// ```
    ///
    /// `expected` are [`Hmm::expectations`] of this model, or their sum over any parts of the data
    /// ([`Expectations::add`]): one iteration of EM, wherever the parts were seen. Entries of π and A that are zero stay
    /// zero.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Hmm, Poisson}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = Hmm::new(vec![1.0], vec![vec![1.0]], Poisson::new(vec![vec![1.0]])?)?;
    /// let (one, two) = (Sequence::of_numbers([1.0, 2.0])?, Sequence::of_numbers([6.0])?);
    /// let mut expected = model.expectations(&[one])?;
    /// expected.add(&model.expectations(&[two])?)?;
    /// let model = model.maximised(&expected, 0.0)?;
    /// assert_eq!(model.emission().rates(), [3.0]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) for expectations of a model of other sizes,
    /// [`Error::Setting`](crate::Error::Setting) for a negative ε; as [`Learnable::maximise`].
    pub fn maximised(&self, expected: &Expectations, pseudo_count: f64) -> Result<Self> {
        check_pseudo_count(pseudo_count)?;
        let (k, p) = (self.states(), self.emission().statistic_len());
        check_size("initial", Some(&expected.initial), k)?;
        check_size("transitions", Some(&expected.transitions), k * k)?;
        check_size("emission", Some(&expected.emission), k * p)?;
        m_step(self, expected, PseudoObservations::of_data(pseudo_count))
    }
}
