//! Entries that a fit holds: which can be, the numbers that it begins with, and those that it ends with.

use super::model::{DrivenGaussian, Regressor};
use crate::gaussian::entry::{Entry, Parameter};
use crate::gaussian::start_kind::Start;
use crate::gaussian::{Constraints, Learned};
use crate::{Error, Result};

impl DrivenGaussian {
    /// Refuses entries that the model has not, or that are no numbers of their own.
    ///
    /// # Errors
    /// [`Error::Setting`] with the field (`fixed` or `tied`) and the entry.
    pub(in crate::gaussian) fn check_entries(&self, held: &Constraints) -> Result<()> {
        held.entries()
            .try_for_each(|(field, entry)| self.check_entry(field, entry))?;
        let rate = |e: &&Entry| self.timed && e.parameter == Parameter::ProcessNoise;
        for group in held.tied() {
            let rates = group.iter().filter(rate).count();
            if rates > 0 && rates < group.len() {
                let expected = "variances of diffusion by themselves: they are per unit of time";
                return Err(Error::setting("tied", joined(group), expected));
            }
        }
        Ok(())
    }

    /// Refuses an entry likewise.
    ///
    /// # Errors
    /// The same.
    pub(in crate::gaussian) fn check_entry(&self, field: &'static str, e: Entry) -> Result<()> {
        let (n, m, count) = (self.states(), self.outputs(), self.effects());
        let (rows, columns) = match e.parameter {
            Parameter::Transition | Parameter::ProcessNoise | Parameter::InitialCovariance => {
                (n, n)
            }
            Parameter::Bias | Parameter::InitialMean => (n, 1),
            Parameter::Observation => (m, n),
            Parameter::Offset => (m, 1),
            Parameter::ObservationNoise => (m, m),
            Parameter::Control => (n, count),
            Parameter::Direct => (m, count),
        };
        let letter = e.parameter.letter();
        let wrong = |expected: String| Err(Error::setting(field, e, expected));
        if columns == 0 {
            return wrong(format!(
                "no entry of {letter}, since the model has no inputs"
            ));
        }
        if e.row >= rows || e.column >= columns {
            return wrong(match e.parameter.is_vector() {
                true => format!("an index from 0 to {}: {letter} is [{rows}]", rows - 1),
                false => format!("indices from 0: {letter} is {rows}×{columns}"),
            });
        }
        let input = |r: &&Regressor| (r.row, r.state) == (e.row, e.column);
        let input = self.regressors.iter().find(input);
        if let (Parameter::Observation, Some(r)) = (e.parameter, input) {
            let name = &self.names[r.input];
            return wrong(format!(
                "an entry that is a number: this one is the input {name}"
            ));
        }
        let of_start = [Parameter::InitialMean, Parameter::InitialCovariance];
        if of_start.contains(&e.parameter) {
            if !self.base.diffuse().is_empty() {
                return wrong("no entry of a diffuse start, which has no m0 and P0".to_owned());
            }
            if self.base.start() != Start::Given {
                let expected = "initial_mean and initial_covariance in the model: a start that is left out follows F, b and Q";
                return wrong(expected.to_owned());
            }
        }
        Ok(())
    }

    /// Refuses what cannot be held while `learned` is learned: of a covariance an entry that follows from others that are free.
    ///
    /// # Errors
    /// [`Error::Setting`] with the field, the entry and what to do.
    fn check_held(&self, held: &Constraints, learned: &Learned) -> Result<()> {
        for (field, entry) in held.entries() {
            if entry.parameter.is_covariance() && learned.learns(entry.parameter) {
                self.check_covariance(held, learned, field, entry)?;
            }
        }
        for group in held.tied() {
            let of = |e: &&Entry| learned.learns(e.parameter);
            let (free, all) = (group.iter().filter(of).count(), group.len());
            let first = self.number(group[0]);
            let wrong = |expected: &str| Err(Error::setting("tied", joined(group), expected));
            if free > 0 && free < all {
                return wrong("entries that are all learned, or none of them");
            }
            if free == 0 && group.iter().any(|e| self.number(*e) != first) {
                return wrong("entries of one value, since none of them is learned");
            }
            if first == 0.0 && group[0].is_variance()
                || group
                    .iter()
                    .any(|e| e.is_variance() && self.number(*e) == 0.0)
            {
                return wrong("variances above 0: one of 0 stays 0");
            }
        }
        Ok(())
    }

    /// The same of an entry of a covariance: with the free covariances as edges, states or columns must fall into groups of which every
    /// two are joined. Then the Cholesky factor has zeros where the covariances are 0, and a variance beside no other a coordinate
    /// of its own.
    fn check_covariance(
        &self,
        held: &Constraints,
        learned: &Learned,
        field: &'static str,
        e: Entry,
    ) -> Result<()> {
        let size = match e.parameter {
            Parameter::ObservationNoise => self.outputs(),
            _ => self.states(),
        };
        let entry = |i: usize, j: usize| Entry::new(e.parameter, (i, j));
        let varies = |i: usize| self.number(entry(i, i)) != 0.0;
        let joined = |i: usize, j: usize| {
            let free = !learned.diagonal && varies(i) && varies(j);
            free && i != j && !held.fixed().contains(&entry(i, j))
        };
        let (i, j) = (e.row, e.column);
        if i == j {
            return match (0..size).find(|k| joined(i, *k)) {
                None => Ok(()),
                Some(k) => {
                    let expected = format!(
                        "\"diagonal\" among what is learned, or its covariances fixed at 0 as well, such as {}",
                        entry(i, k)
                    );
                    Err(Error::setting(field, e, expected))
                }
            };
        }
        if self.number(e) != 0.0 {
            let expected = format!("a covariance of 0, and it is {}", self.number(e));
            return Err(Error::setting(field, e, expected));
        }
        match (0..size).find(|k| joined(i, *k) && joined(*k, j)) {
            None => Ok(()),
            Some(k) => {
                let expected = format!(
                    "{} or {} fixed at 0 as well: {e} follows from both",
                    entry(i, k),
                    entry(j, k)
                );
                Err(Error::setting(field, e, expected))
            }
        }
    }

    /// The model that a fit begins with: entries that are one number have their mean.
    ///
    /// # Errors
    /// [`Error::Setting`] for entries that cannot be held.
    pub(super) fn begun(&self, held: &Constraints, learned: &Learned) -> Result<Self> {
        if held.is_empty() {
            return Ok(self.clone());
        }
        self.check_entries(held)?;
        self.check_held(held, learned)?;
        let mut given = Vec::new();
        for group in held.tied() {
            let count = group.len() as f64;
            let mean = group.iter().map(|e| self.number(*e) / count).sum::<f64>();
            // The mean of equal numbers is that number, without a rounding.
            let first = self.number(group[0]);
            let equal = group.iter().all(|e| self.number(*e) == first);
            let mean = if equal { first } else { mean };
            given.extend(group.iter().map(|e| (*e, mean)));
        }
        self.with_entries(&given)
    }

    /// The same model with the fixed entries of `start`, and one number in entries that are one, exactly: coordinates are rounded.
    ///
    /// # Errors
    /// None that a fitted model can cause.
    pub(super) fn kept(self, held: &Constraints, start: &Self) -> Result<Self> {
        if held.is_empty() {
            return Ok(self);
        }
        let fixed = held.fixed().iter().map(|e| (*e, start.number(*e)));
        let mut given: Vec<(Entry, f64)> = fixed.collect();
        for group in held.tied() {
            let first = self.number(group[0]);
            given.extend(group.iter().map(|e| (*e, first)));
        }
        self.with_entries(&given)
    }
}

/// Entries as they stand in a file.
fn joined(group: &[Entry]) -> String {
    let names: Vec<String> = group.iter().map(ToString::to_string).collect();
    format!("[{}]", names.join(", "))
}
