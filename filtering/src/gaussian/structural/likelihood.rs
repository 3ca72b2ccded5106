//! The likelihood of several sequences as a function of the parameters' values.

use super::coordinates::Coordinates;
use super::data::Data;
use super::form::Form;
use super::model::StructuralModel;
use crate::{Error, Result, Sequence};

/// ln p of data at one set of values.
#[derive(Debug, Clone, PartialEq)]
pub struct StructuralLikelihood {
    /// ln p in nats (eq. F51): ½ ln 2π is not counted for observations that fixed a diffuse direction.
    pub log_likelihood: f64,
    /// ∂ ln p by the value of each parameter, in the model's order.
    pub score: Vec<f64>,
    /// The observations that fixed a diffuse direction.
    pub diffuse: usize,
    /// The observations that are not missing.
    pub observations: usize,
}

impl StructuralModel {
    /// ln p of sequences of one number a row, followed by the inputs of a regression, and its gradient, at values of all parameters in the order of
    /// [`StructuralModel::parameter_names`].
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, gaussian::StructuralModel};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = StructuralModel::new("level")?;
    /// let data = [Sequence::of_numbers([1.0, 1.5, 0.5])?];
    /// let found = walk.log_likelihood(&[1.0, 0.5], &data)?;
    /// assert_eq!((found.diffuse, found.observations), (1, 3));
    /// assert!((found.log_likelihood + 2.869_372).abs() < 1e-6);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong number of values or of entries of a row; [`Error::Observation`] for an input that is missing; [`Error::Setting`] for values without a
    /// likelihood: an ARMA process that is not stationary, observations without variance.
    pub fn log_likelihood(
        &self,
        values: &[f64],
        sequences: &[Sequence],
    ) -> Result<StructuralLikelihood> {
        let count = self.parameter_names().len();
        if values.len() != count {
            let expected = format!("{count}: {}", self.parameter_names().join(", "));
            return Err(Error::size("values", values.len(), expected));
        }
        let data = Data::of(self, sequences)?;
        let form = Form::new(self, values)?;
        data.at(&form).ok_or_else(|| {
            let found = format!("{values:?}");
            Error::setting("values", found, "a positive variance for every observation")
        })
    }
}

impl Data<'_> {
    /// −ln p and its gradient, both by the coordinates; `None` where there is none.
    pub fn objective(
        &self,
        model: &StructuralModel,
        coordinates: &Coordinates,
        u: &[f64],
    ) -> Option<(f64, Vec<f64>)> {
        let form = Form::new(model, &coordinates.values(u)).ok()?;
        let found = self.at(&form)?;
        let gradient = coordinates.gradient(u, &found.score);
        Some((-found.log_likelihood, gradient.iter().map(|g| -g).collect()))
    }

    /// ln p and its gradient; `None` where there is none.
    pub fn at(&self, form: &Form) -> Option<StructuralLikelihood> {
        let keep = !form.moved_transitions().is_empty();
        let mut total = StructuralLikelihood {
            log_likelihood: 0.0,
            score: vec![0.0; form.slopes.len()],
            diffuse: 0,
            observations: 0,
        };
        for (k, own) in self.sequences.iter().enumerate() {
            let standard = self.standard.as_ref().and_then(|(rows, gain)| {
                let pass = form.filter(rows[k].iter(), keep)?;
                // Of a sequence that leaves directions open, ln p is that of the others as they are.
                (pass.left == 0).then_some((&rows[k], pass, *gain))
            });
            let (sequence, pass, gain) = match standard {
                Some(found) => found,
                None => (own, form.filter(own.iter(), keep)?, 0.0),
            };
            let score = form.score(&pass, sequence);
            total.score.iter_mut().zip(score).for_each(|(a, b)| *a += b);
            total.log_likelihood += pass.log_likelihood - gain;
            total.diffuse += pass.diffuse;
            total.observations += pass.observed;
        }
        Some(total)
    }
}
