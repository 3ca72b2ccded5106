//! Entries of a model that fits hold, and what they mean for it.

use super::constraints::Constraints;
use super::driven::DrivenGaussian;
use super::em::Learned;
use super::entry::Entry;
use super::model::LinearGaussian;
use crate::Result;

impl Constraints {
    /// The first entry that is held of what is learned: rules that learn whole parameters cannot hold it.
    pub fn learned_entry(&self, learned: &Learned) -> Option<Entry> {
        let mut entries = self.entries().map(|(_, entry)| entry);
        entries.find(|entry| learned.learns(entry.parameter))
    }
}

impl LinearGaussian {
    /// Checks that a fit can hold these entries: that the model has them.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the field, `fixed` or `tied`, and the entry.
    pub fn check_constraints(&self, held: &Constraints) -> Result<()> {
        DrivenGaussian::without_inputs(self.clone()).check_constraints(held)
    }

    /// The same with another number in an entry; of a covariance, across its diagonal too.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::{Entry, LinearGaussian};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[0.9]], &[[1.0]], &[[1.0]], &[[1.0]])?;
    /// let walk = walk.with_entry(Entry::named("fixed", "F[0][0]")?, 1.0)?;
    /// assert_eq!(walk.transition()[(0, 0)], 1.0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`LinearGaussian::check_constraints`], and what constructors say of a number that the entry cannot be.
    pub fn with_entry(self, entry: Entry, value: f64) -> Result<Self> {
        let with = DrivenGaussian::without_inputs(self).with_entry(entry, value)?;
        Ok(with.base().clone())
    }

    /// The numbers that are estimated if these parameters are learned and these entries held, as far as observations tell them: see
    /// [`LinearGaussian::learned_parameters`].
    pub fn constrained_parameters(&self, learned: &Learned, held: &Constraints) -> usize {
        let model = DrivenGaussian::without_inputs(self.clone());
        match held.is_empty() {
            true => self.learned_parameters(learned),
            false => model.constrained_parameters(learned, held),
        }
    }
}

impl DrivenGaussian {
    /// Checks that a fit can hold these entries: that the model has them, as numbers.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) with the field, `fixed` or `tied`, and the entry.
    pub fn check_constraints(&self, held: &Constraints) -> Result<()> {
        self.check_entries(held)
    }

    /// The same with another number in an entry, as [`LinearGaussian::with_entry`].
    ///
    /// # Errors
    /// The same.
    pub fn with_entry(self, entry: Entry, value: f64) -> Result<Self> {
        self.check_entry("fixed", entry)?;
        self.with_entries(&[(entry, value)])
    }
}
