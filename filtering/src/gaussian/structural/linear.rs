//! A structural model as a linear-Gaussian one.

use nalgebra::{DMatrix, DVector};

use super::form::Form;
use super::model::StructuralModel;
use super::standard::Standard;
use crate::gaussian::{DrivenFilter, DrivenGaussian, LinearGaussian};
use crate::{Error, Result, Sequence};

/// The variance that stands for none in R, which must be positive definite: this part of the variance that the state brings
/// anew to each observation. It changes ln p by less than 10⁻⁹ nats an observation.
const NO_NOISE: f64 = 1e-10;

impl StructuralModel {
    /// The linear-Gaussian model at values of all parameters, in the order of [`StructuralModel::parameter_names`]: exactly
    /// diffuse in the states without a stationary distribution, unless `initial_variance` was given.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, gaussian::StructuralModel};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let trend = StructuralModel::new("level,slope")?;
    /// let values = [1.0, 0.5, 0.1];
    /// let model = trend.linear_gaussian(&values)?;
    /// assert_eq!(model.diffuse(), [true, true]);
    /// let data = Sequence::of_numbers([1.0, 2.5, 2.0, 4.0])?;
    /// let found = trend.log_likelihood(&values, &[data.clone()])?;
    /// assert!((model.log_evidence(&data)? - found.log_likelihood).abs() < 1e-10);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for a wrong number of values, [`Error::Setting`] where they make no model: all variances 0, an ARMA
    /// process that is not stationary; [`Error::Unsupported`] for one with a regression, whose H follows the inputs.
    pub fn linear_gaussian(&self, values: &[f64]) -> Result<LinearGaussian> {
        match self.inputs() {
            [] => self.without_inputs(values),
            names => Err(Error::Unsupported {
                what: format!("a structural model with the inputs {}", names.join(", ")),
                asked: "be a linear-Gaussian one without them",
                why: "take StructuralModel::driven",
            }),
        }
    }

    /// The linear-Gaussian model with inputs of a model with a regression, as [`StructuralModel::linear_gaussian`].
    ///
    /// # Errors
    /// As [`StructuralModel::linear_gaussian`]; [`Error::Setting`] for a model without a regression.
    pub fn driven(&self, values: &[f64]) -> Result<DrivenGaussian> {
        let base = self.without_inputs(values)?;
        let mut model = DrivenGaussian::new(base, self.inputs().to_vec())?;
        let regressors = Form::new(self, values)?.regressors;
        for (name, state) in self.inputs().iter().zip(regressors) {
            model = model.with_regressor(0, state, name)?;
        }
        Ok(model)
    }

    /// The coefficients of the regression after the last of rows (y, u): the name of each input, mean and standard deviation;
    /// infinite where the rows do not tell.
    ///
    /// # Errors
    /// As [`StructuralModel::driven`]; what the filter says of rows.
    pub fn coefficients(&self, values: &[f64], rows: &Sequence) -> Result<Vec<(String, f64, f64)>> {
        let mut filter = DrivenFilter::new(self.driven(values)?)?;
        // Rows of another width the filter refuses.
        let standard = match rows.width() == 1 + self.inputs().len() {
            true => Standard::of(self, std::slice::from_ref(rows)),
            false => None,
        };
        let own = standard.as_ref().map(|s| s.rows(rows)).transpose()?;
        for row in own.as_ref().unwrap_or(rows).iter() {
            filter.update(row)?;
        }
        let scale = |k: usize| standard.as_ref().map_or(1.0, |s| s.scales()[k]);
        let n = self.states();
        let states = Form::new(self, values)?.regressors;
        let named = self.inputs().iter().zip(states).enumerate();
        let told = named.map(|(k, (name, i))| {
            let deviation = filter.covariance()[i * n + i].max(0.0).sqrt();
            (
                name.clone(),
                filter.mean()[i] / scale(k),
                deviation / scale(k),
            )
        });
        Ok(told.collect())
    }

    fn without_inputs(&self, values: &[f64]) -> Result<LinearGaussian> {
        let names = self.parameter_names();
        if values.len() != names.len() {
            let expected = format!("{}: {}", names.len(), names.join(", "));
            return Err(Error::size("values", values.len(), expected));
        }
        let form = Form::new(self, values)?;
        let n = form.n;
        let (mut f, mut q) = (DMatrix::zeros(n, n), DMatrix::zeros(n, n));
        for (i, row) in form.f.iter().enumerate() {
            row.iter().for_each(|&(j, v)| f[(i, j)] += v);
        }
        form.q.iter().for_each(|&(i, j, v)| q[(i, j)] += v);
        let h = DMatrix::from_row_slice(1, n, &form.h);
        let brought = (&h * &q * h.transpose())[(0, 0)].max(q.trace());
        let r = match form.r > 0.0 {
            true => form.r,
            false => NO_NOISE * brought,
        };
        if r <= 0.0 {
            let expected = "a variance above 0: irregular or of a component";
            return Err(Error::setting("values", format!("{values:?}"), expected));
        }
        LinearGaussian::new(f, q, h, DMatrix::from_element(1, 1, r))?
            .with_initial(
                DVector::zeros(n),
                DMatrix::from_row_slice(n, n, &form.start),
            )?
            .with_diffuse(&form.diffuse)?
            .with_state_names(self.state_names())
    }
}
