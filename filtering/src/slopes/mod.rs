//! ∇ ln p of models of any kind, by the parameters as model files name them.

mod hmm;
mod linear;

use crate::{AnyModel, Error, Result, Sequence, Slopes};

impl AnyModel {
    /// ∇_θ Σ ln p(o_1 … o_T | θ) over sequences, exact: of hidden Markov models by Fisher's identity at the cost of an E-step (with
    /// inputs of their transitions too, eq. F105), of linear-Gaussian models by the adjoint of the filter (eqs. F52, F101), where m0
    /// and P0 count as parameters whatever start they are from. Slopes of parts of the data add up ([`Slopes::add`]), wherever they
    /// were taken.
    ///
    /// ```
    /// use scotopic_filtering::hmm::{Hmm, Poisson};
    /// use scotopic_filtering::{AnyModel, Coordinate, Sequence};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let counts = Hmm::new(vec![1.0], vec![vec![1.0]], Poisson::new(vec![vec![3.0]])?.into())?;
    /// let slopes = AnyModel::Hmm(counts).slopes(&[Sequence::of_numbers([2.0, 5.0])?])?;
    /// let rates = &slopes.each[2];
    /// assert_eq!((rates.parameter, rates.by), ("rates", Coordinate::Log));
    /// assert!((rates.values[0] - (2.0 + 5.0 - 2.0 * 3.0)).abs() < 1e-12); // Σy − nλ
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] for other kinds of models, for continuous time and for a diffuse start; errors of rows.
    pub fn slopes(&self, sequences: &[Sequence]) -> Result<Slopes> {
        let refused = |what: &str, why| {
            Err(Error::Unsupported {
                what: what.to_owned(),
                asked: "give the gradient of ln p",
                why,
            })
        };
        match self {
            Self::Hmm(model) => model.slopes(sequences),
            Self::DrivenHmm(model) => model.slopes(sequences),
            Self::LinearGaussian(model) => model.slopes(sequences),
            Self::Driven(model) if model.is_continuous() => refused(
                "a model of continuous time",
                "its transition is another over every interval",
            ),
            Self::Driven(model) => model.slopes(sequences),
            Self::Plds(_) | Self::Slds(_) | Self::Nonlinear(_) | Self::Generalised(_) => refused(
                &format!("a model of the kind {}", self.kind()),
                "its ln p is known by bounds alone; hmm and linear-gaussian have it",
            ),
        }
    }
}
