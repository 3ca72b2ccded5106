//! Where the inputs of statistics are counted from, and in which unit.

use serde::{Deserialize, Serialize};

use super::Regression;
use super::family::Family;
use super::moments::{dot, move_origin, packed_len, rescale};
use crate::error::check_finite;
use crate::math::binary::{exponent, power_of_two};
use crate::{Error, Result};

/// Either side of it, 2^e and 2^−e are numbers.
const FARTHEST: i32 = 1000;

/// c_x and e `[M]`: statistics are of (x − c_x) 2^−e, and weights about it have the constant β_0 + β·c_x and the others times 2^e. It
/// belongs to the data of a fit, as the information does; without any both are 0. Squares of inputs in the unit 2^e stay in the range of
/// numbers whatever the unit of the data is, and a power of two leaves every other digit as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Centre {
    origin: Vec<f64>,
    exponents: Vec<i32>,
}

impl PartialEq for Centre {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Centre {
    /// 0 and a unit of 1, for M inputs.
    pub(super) fn none(inputs: usize) -> Self {
        Self {
            origin: vec![0.0; inputs],
            exponents: vec![0; inputs],
        }
    }

    /// The means of the inputs of rows (y, x …) of which y is there, in units of the size of their largest deviation.
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone, inputs: usize) -> Self {
        let origin = mean_inputs(rows.clone(), inputs);
        let largest = |i: usize| {
            let seen = rows.clone().filter(|row| !row[0].is_nan());
            seen.map(|row| (row[1 + i] - origin[i]).abs())
                .fold(0.0, f64::max)
        };
        let unit = |largest: f64| match largest > 0.0 && largest.is_finite() {
            true => exponent(largest).clamp(-FARTHEST, FARTHEST),
            false => 0,
        };
        Self {
            exponents: (0..inputs).map(|i| unit(largest(i))).collect(),
            origin,
        }
    }

    /// That of a file, for M inputs.
    ///
    /// # Errors
    /// [`Error::Size`] for another number of inputs, [`Error::Entry`] for what is not finite or no exponent.
    pub(super) fn checked(self, inputs: usize) -> Result<Self> {
        for (name, found) in [
            ("centre.origin", self.origin.len()),
            ("centre.exponents", self.exponents.len()),
        ] {
            if found != inputs {
                let expected = format!("{inputs}, one an input");
                return Err(Error::size(name, format!("{found} entries"), expected));
            }
        }
        check_finite("centre.origin", inputs.max(1), &self.origin)?;
        let far = |e: &i32| !(-FARTHEST..=FARTHEST).contains(e);
        match self.exponents.iter().position(far) {
            Some(at) => {
                let expected = format!("an exponent from -{FARTHEST} to {FARTHEST}");
                let found = f64::from(self.exponents[at]);
                Err(Error::entry("centre.exponents", &[at], found, expected))
            }
            None => Ok(self),
        }
    }

    /// Whether it is more than [`Centre::none`].
    pub(super) fn is_some(&self) -> bool {
        self.origin.iter().any(|c| *c != 0.0) || self.exponents.iter().any(|e| *e != 0)
    }

    /// The same unit without an origin.
    pub(super) fn about_zero(&self) -> Self {
        Self {
            origin: vec![0.0; self.origin.len()],
            exponents: self.exponents.clone(),
        }
    }

    /// Input `i`, which is x, as statistics have it.
    pub(super) fn input(&self, i: usize, x: f64) -> f64 {
        (x - self.origin[i]) * power_of_two(-self.exponents[i])
    }

    /// 2^e of input `i`.
    pub(super) fn unit(&self, i: usize) -> f64 {
        power_of_two(self.exponents[i])
    }

    /// A gradient `[1 + M]` by weights about c_x, as one by the weights of x itself.
    pub(super) fn gradient_about_zero(&self, gradient: &mut [f64]) {
        let first = gradient[0];
        for (i, g) in gradient[1..].iter_mut().enumerate() {
            *g = *g * self.unit(i) + self.origin[i] * first;
        }
    }
}

impl<F: Family> Regression<F> {
    /// Weights about c_x: the constant is that of x − c_x.
    pub(super) fn about_centre(&self, mut weights: Vec<f64>) -> Vec<f64> {
        weights[0] += dot(&weights[1..], &self.centre.origin);
        let others = weights[1..].iter_mut().enumerate();
        others.for_each(|(i, w)| *w *= self.centre.unit(i));
        weights
    }

    /// Weights of x itself, from those about c_x.
    pub(super) fn about_zero(&self, mut weights: Vec<f64>) -> Vec<f64> {
        let others = weights[1..].iter_mut().zip(&self.centre.exponents);
        others.for_each(|(w, e)| *w *= power_of_two(-e));
        weights[0] -= dot(&weights[1..], &self.centre.origin);
        weights
    }

    /// The same with statistics about another c_x, in other units.
    pub(super) fn with_centre(mut self, centre: Centre) -> Self {
        let old = &self.centre;
        let moved = (0..centre.origin.len()).map(|i| old.input(i, centre.origin[i]));
        let delta: Vec<f64> = std::iter::once(0.0).chain(moved).collect();
        let units = (old.exponents.iter().zip(&centre.exponents)).map(|(old, new)| old - new);
        let units: Vec<i32> = std::iter::once(0).chain(units).collect();
        let len = packed_len(delta.len());
        for h in self.information.0.chunks_exact_mut(len) {
            move_origin(h, &delta);
            rescale(h, &units);
        }
        self.centre = centre;
        self
    }
}

/// The mean of each input over rows (y, x …) of which y is there; 0 without any.
fn mean_inputs<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone, inputs: usize) -> Vec<f64> {
    let seen = || rows.clone().filter(|row| !row[0].is_nan());
    let count = seen().count().max(1) as f64;
    let mean = |i: usize| seen().map(|row| row[1 + i] / count).sum::<f64>();
    let means = (0..inputs).map(mean);
    means.map(|c| if c.is_finite() { c } else { 0.0 }).collect()
}
