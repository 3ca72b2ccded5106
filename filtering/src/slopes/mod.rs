//! ∇ ln p by the parameters as model files name them: values that add up.

mod hmm;
mod linear;

use crate::{AnyModel, Error, Result, Sequence};

/// What a slope is taken by, of a parameter θ. A step along it leaves θ what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// θ.
    Value,
    /// ln θ, of what is above 0.
    Log,
    /// The logits of θ: of a distribution ln θ up to a constant, of the probability of an event ln(θ/(1 − θ)).
    Logit,
}

impl Coordinate {
    /// `value`, `log` or `logit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Log => "log",
            Self::Logit => "logit",
        }
    }
}

/// ∂ ln p by each entry of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Slope {
    /// The parameter, as its key in a model file.
    pub parameter: &'static str,
    /// What it is taken by.
    pub by: Coordinate,
    /// The sizes of the parameter, as in a model file.
    pub shape: Vec<usize>,
    /// Nats a unit of the coordinate, the last axis fastest. Of a covariance each entry of a pair holds half of what moving both
    /// together does.
    pub values: Vec<f64>,
}

/// ∇ ln p of sequences under one model; [`AnyModel::slopes`].
#[derive(Debug, Clone, PartialEq)]
pub struct Slopes {
    /// Of each parameter.
    pub each: Vec<Slope>,
    /// ln p, nats.
    pub log_evidence: f64,
}

impl Slopes {
    /// Adds those of other sequences under the same model.
    ///
    /// # Errors
    /// [`Error::Size`] for slopes of a model of other parameters; nothing is changed then.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        let named = |slopes: &Self| -> Vec<(&'static str, Vec<usize>)> {
            let each = slopes.each.iter();
            each.map(|s| (s.parameter, s.shape.clone())).collect()
        };
        let (mine, others) = (named(self), named(other));
        if mine != others {
            let (found, expected) = (format!("{others:?}"), format!("{mine:?}"));
            return Err(Error::size("slopes", found, expected));
        }
        for (mine, other) in self.each.iter_mut().zip(&other.each) {
            let entries = mine.values.iter_mut().zip(&other.values);
            entries.for_each(|(sum, slope)| *sum += slope);
        }
        self.log_evidence += other.log_evidence;
        Ok(())
    }
}

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
