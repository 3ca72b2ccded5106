//! The numbers of a model by entry.

use nalgebra::{DMatrix, DVector};

use super::model::DrivenGaussian;
use crate::Result;
use crate::gaussian::LinearGaussian;
use crate::gaussian::entry::{Entry, Parameter};

/// The parameters in the order of [`Parameter::ALL`], vectors as columns.
pub(super) type Numbers = [DMatrix<f64>; 10];

/// The place of a parameter among them.
pub(super) fn place(parameter: Parameter) -> usize {
    let own = |p: &Parameter| *p == parameter;
    Parameter::ALL.iter().position(own).unwrap_or(0)
}

/// Sets an entry; of a covariance, across the diagonal too.
pub(super) fn set(numbers: &mut Numbers, entry: Entry, value: f64) {
    let m = &mut numbers[place(entry.parameter)];
    m[(entry.row, entry.column)] = value;
    if entry.parameter.is_covariance() {
        m[(entry.column, entry.row)] = value;
    }
}

impl DrivenGaussian {
    /// All numbers.
    pub(super) fn numbers(&self) -> Numbers {
        let column = |v: &DVector<f64>| DMatrix::from_column_slice(v.len(), 1, v.as_slice());
        let base = &self.base;
        [
            base.transition().clone(),
            column(base.bias()),
            base.process_noise().clone(),
            base.observation().clone(),
            column(base.offset()),
            base.observation_noise().clone(),
            column(base.initial_mean()),
            base.initial_covariance().clone(),
            self.control.clone(),
            self.direct.clone(),
        ]
    }

    /// The number of an entry, which must be one of the model.
    pub(super) fn number(&self, entry: Entry) -> f64 {
        self.numbers()[place(entry.parameter)][(entry.row, entry.column)]
    }

    /// The same model with other numbers in these entries, which must be of the model; a start that follows the others does so.
    ///
    /// # Errors
    /// What constructors say of a number that an entry cannot be.
    pub(in crate::gaussian) fn with_entries(&self, given: &[(Entry, f64)]) -> Result<Self> {
        let mut numbers = self.numbers();
        for (entry, value) in given {
            set(&mut numbers, *entry, *value);
        }
        let [f, b, q, h, d, r, m0, p0, control, direct] = numbers;
        let mut base = LinearGaussian::new(f, q, h, r)?
            .with_bias(b.column(0).into_owned(), d.column(0).into_owned())?
            .with_initial(m0.column(0).into_owned(), p0)?
            .named_as(&self.base)
            .started_as(&self.base)?;
        if !self.base.diffuse().is_empty() {
            base = base.with_diffuse(self.base.diffuse())?;
        }
        let unchanged = self.with_numbers(base, self.control.clone(), self.direct.clone());
        unchanged.with_control(control)?.with_direct(direct)
    }
}
