//! Rows of data, and the system that holds at each.

use std::borrow::Cow;

use nalgebra::DVector;

use super::elapsed::Clock;
use super::model::DrivenGaussian;
use crate::gaussian::LinearGaussian;
use crate::gaussian::rows::Row;
use crate::{Error, Result, Sequence};

impl DrivenGaussian {
    /// Outputs, none where all are missing, and inputs of a row. Without inputs the row itself may be missing.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of a wrong width or with an input that is missing.
    pub(super) fn split<'a>(
        &self,
        row: Option<&'a [f64]>,
    ) -> Result<(Option<&'a [f64]>, &'a [f64])> {
        let m = self.outputs();
        let expected = |name: &str| {
            format!(
                "a number: the model is given {name} with every row, also where nothing is observed"
            )
        };
        let row = match (row, self.names.first()) {
            (Some(row), _) => row,
            (None, None) => return Ok((None, &[])),
            (None, Some(first)) => {
                return Err(Error::observation(m, "nothing", expected(first)));
            }
        };
        if row.len() != self.width() {
            let names = self.names.join(", ");
            let found = format!("{} entries", row.len());
            let expected = format!("{}: {m} observed, then {names}", self.width());
            return Err(Error::observation(0, found, expected));
        }
        let (y, u) = row.split_at(m);
        self.check_inputs(u, m)?;
        Ok((y.iter().any(|v| !v.is_nan()).then_some(y), u))
    }

    /// Checks inputs that are entries `first` and on of a row.
    pub(super) fn check_inputs(&self, u: &[f64], first: usize) -> Result<()> {
        if u.len() != self.names.len() {
            let expected = format!("a number for each of {}", self.names.join(", "));
            return Err(Error::setting("inputs", format!("{u:?}"), expected));
        }
        match u.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(k) => {
                let found = if u[k].is_nan() {
                    "nothing".to_owned()
                } else {
                    u[k].to_string()
                };
                let name = &self.names[k];
                let expected = format!(
                    "a number: the model is given {name} with every row, also where nothing is observed"
                );
                Err(Error::observation(first + k, found, expected))
            }
        }
    }

    /// The system that holds where u `[M]` is given (eq. F100), after the row of `clock`, which goes on.
    ///
    /// # Errors
    /// [`Error::Observation`] for a time before that of the row before.
    pub(super) fn system(&self, u: &[f64], clock: &mut Clock) -> Result<LinearGaussian> {
        let (u, time) = u.split_at(self.effects());
        let u = DVector::from_column_slice(u);
        let mut h = self.base.observation().clone();
        for entry in &self.regressors {
            h[(entry.row, entry.state)] = u[entry.input];
        }
        let rate = self.base.bias() + &self.control * &u;
        let d = self.base.offset() + &self.direct * &u;
        let Some(time) = time.first() else {
            return Ok(self.base.with_row(rate, h, d));
        };
        let moved = clock.system(&self.base, (self.width() - 1, *time), &rate)?;
        Ok(moved.with_row(moved.bias().clone(), h, d))
    }

    /// The rows of a sequence, each with its system.
    ///
    /// # Errors
    /// As [`DrivenGaussian::split`], with the number of the row.
    pub(super) fn rows<'a>(&self, sequence: &'a Sequence) -> Result<Vec<Row<'a>>> {
        let mut clock = Clock::default();
        let mut of = |row| {
            let (y, u) = self.split(row)?;
            let model = Cow::Owned(self.system(u, &mut clock)?);
            Ok(Row { model, y })
        };
        let rows = sequence.iter().enumerate();
        rows.map(|(t, row)| of(row).map_err(|e: Error| e.at_observation(t as u64)))
            .collect()
    }
}
