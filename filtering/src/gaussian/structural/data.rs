//! The data of a fit: checked, and their unit of variance.

use super::component::Component;
use super::model::StructuralModel;
use crate::{Error, Result, Sequence};

/// Sequences of one number each, of which at least one varies.
pub(super) struct Data<'a> {
    pub sequences: &'a [Sequence],
    /// The variance in which those of the model are measured: of differences of neighbours where the level moves, of
    /// the numbers otherwise.
    pub unit: f64,
    /// The longest sequence.
    pub longest: usize,
}

impl<'a> Data<'a> {
    /// # Errors
    /// [`Error::Size`] for rows of several numbers or none that is seen.
    pub fn of(model: &StructuralModel, sequences: &'a [Sequence]) -> Result<Self> {
        if let Some(wide) = sequences.iter().find(|s| s.width() != 1) {
            let found = format!("rows of {}", wide.width());
            let expected = "rows of one number: structural components add up to one series";
            return Err(Error::size("observations", found, expected));
        }
        let seen = || {
            sequences
                .iter()
                .flat_map(|s| s.iter().flatten().map(|y| y[0]))
        };
        if seen().next().is_none() {
            return Err(Error::size("observations", "none", "at least one"));
        }
        let differences = sequences.iter().flat_map(|s| {
            let now = s.iter().skip(1);
            s.iter().zip(now).filter_map(|(a, b)| Some(b?[0] - a?[0]))
        });
        let moving = model.components().contains(&Component::Level);
        let whole = variance(seen());
        let unit = match moving {
            true => variance(differences),
            false => whole,
        };
        Ok(Self {
            sequences,
            unit: if unit > 0.0 { unit } else { whole },
            longest: sequences.iter().map(Sequence::len).max().unwrap_or(0),
        })
    }

    /// # Errors
    /// [`Error::Size`] for fewer observations than `model` has numbers to estimate, [`Error::Dependent`] for a series
    /// that does not vary.
    pub fn check(&self, model: &StructuralModel) -> Result<()> {
        let seen: usize = self
            .sequences
            .iter()
            .map(|s| s.iter().flatten().count())
            .sum();
        let free = model.free_parameters();
        if seen <= free {
            let expected = format!("more than {free}, the numbers that are estimated");
            return Err(Error::size("observations", seen, expected));
        }
        crate::data_spread::check_variation(self.sequences)
    }
}

/// The variance of numbers, those divided first by the largest: squares leave the range of numbers.
fn variance(numbers: impl Iterator<Item = f64>) -> f64 {
    let numbers: Vec<f64> = numbers.collect();
    let size = numbers.iter().fold(0.0f64, |m, y| m.max(y.abs()));
    if size == 0.0 {
        return 0.0;
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().map(|y| y / size).sum::<f64>() / count;
    let spread = numbers
        .iter()
        .map(|y| (y / size - mean).powi(2))
        .sum::<f64>()
        / count;
    spread * size * size
}
