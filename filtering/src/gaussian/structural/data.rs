//! The data of a fit: checked, and their unit of variance.

use super::component::Component;
use super::model::StructuralModel;
use super::standard::Standard;
use crate::{Error, Result, Sequence};

/// Sequences of one number each, of which at least one varies.
pub(super) struct Data<'a> {
    pub sequences: &'a [Sequence],
    /// The same with inputs counted from their means, and how much ln p is greater so; none where inputs stay as they are.
    pub standard: Option<(Vec<Sequence>, f64)>,
    /// The variance in which each parameter of the model is measured that is one: of differences of neighbours where the level
    /// moves, of the numbers otherwise; for that of a coefficient over the mean square of its input.
    pub units: Vec<f64>,
    /// The square of the largest number.
    pub square: f64,
    /// The longest sequence.
    pub longest: usize,
}

/// Variances of numbers are kept within a range of numbers whose products are still numbers.
const LARGEST: f64 = 1e140;

impl<'a> Data<'a> {
    /// # Errors
    /// [`Error::Size`] for rows of several numbers or none that is seen; [`Error::Setting`] for numbers so large or small that their
    /// squares leave the range of numbers.
    pub fn of(model: &StructuralModel, sequences: &'a [Sequence]) -> Result<Self> {
        model.check_inputs()?;
        let width = 1 + model.inputs().len();
        if let Some(wide) = sequences.iter().find(|s| s.width() != width) {
            let found = format!("rows of {}", wide.width());
            let expected = match model.inputs() {
                [] => "rows of one number: structural components add up to one series".to_owned(),
                names => format!("rows of one number, then {}", names.join(", ")),
            };
            return Err(Error::size("observations", found, expected));
        }
        sequences.iter().try_for_each(|s| check_given(model, s))?;
        let seen = || {
            let rows = sequences.iter().flat_map(|s| s.iter().flatten());
            rows.map(|row| row[0]).filter(|y| !y.is_nan())
        };
        if seen().next().is_none() {
            return Err(Error::size("observations", "none", "at least one"));
        }
        let differences = sequences.iter().flat_map(|s| {
            let now = s.iter().skip(1);
            let pairs = s.iter().zip(now);
            let steps = pairs.filter_map(|(a, b)| Some(b?[0] - a?[0]));
            steps.filter(|d| !d.is_nan())
        });
        let moving = model.components().contains(&Component::Level);
        let whole = variance(seen());
        let unit = match moving {
            true => variance(differences),
            false => whole,
        };
        let own = if unit > 0.0 { unit } else { whole };
        if own > 0.0 && !(1.0 / LARGEST..LARGEST).contains(&own) {
            let found = format!("observations with a spread of {:e}", own.sqrt());
            let expected = "between 1e-70 and 1e70: measure them in another unit";
            return Err(Error::setting("observations", found, expected));
        }
        let largest = seen().map(f64::abs).fold(0.0, f64::max);
        let standard = match Standard::of(model, sequences) {
            None => None,
            Some(standard) => {
                let rows = sequences.iter().map(|s| standard.rows(s));
                Some((rows.collect::<Result<_>>()?, standard.gain()))
            }
        };
        Ok(Self {
            sequences,
            standard,
            units: units(model, sequences, own),
            square: largest * largest,
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
            .map(|s| s.iter().flatten().filter(|row| !row[0].is_nan()).count())
            .sum();
        let free = model.free_parameters();
        if seen <= free {
            let expected = format!("more than {free}, the numbers that are estimated");
            return Err(Error::size("observations", seen, expected));
        }
        let numbers = || self.sequences.iter().flat_map(|s| s.iter());
        let own = Sequence::of_numbers(numbers().map(|row| row.map_or(f64::NAN, |row| row[0])))?;
        crate::data_spread::check_variation(&[own])
    }
}

/// The unit of each parameter that is a variance, where that of the numbers is `own`.
fn units(model: &StructuralModel, sequences: &[Sequence], own: f64) -> Vec<f64> {
    let square = |name: &str| -> Option<f64> {
        let input = name.strip_prefix("regression.")?;
        let k = model.inputs().iter().position(|known| known == input)?;
        let rows = || sequences.iter().flat_map(|s| s.iter().flatten());
        let largest = rows().map(|row| row[1 + k].abs()).fold(0.0, f64::max);
        let shares = rows().map(|row| (row[1 + k] / largest).powi(2));
        let mean = shares.sum::<f64>() / rows().count().max(1) as f64;
        (largest > 0.0).then_some(mean * largest * largest)
    };
    let parameters = model.parameters().into_iter();
    parameters
        .map(|p| own / square(&p.name).unwrap_or(1.0))
        .collect()
}

/// Checks that every input is there.
fn check_given(model: &StructuralModel, sequence: &Sequence) -> Result<()> {
    for (t, row) in sequence.iter().enumerate() {
        for (k, name) in model.inputs().iter().enumerate() {
            if !row.is_some_and(|row| row[1 + k].is_finite()) {
                let expected = format!(
                    "a number: the model is given {name} with every row, also where nothing is observed"
                );
                let error = Error::observation(1 + k, "nothing", expected);
                return Err(error.at_observation(t as u64));
            }
        }
    }
    Ok(())
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
