//! Units in which logarithms of scales are taken: powers of two, one per column, shared by all states.
//!
//! ```text
//! ln σ_kd = ln(σ_kd 2^−e_d) + e_d ln 2
//! ```
//!
//! A column times 2^n moves e_d by n and leaves the first term as it is, to the last bit. It is all that differs between states, so that
//! posteriors do not depend on such a unit at all; the second is the same for every state, and is added to ln p at the end.

use std::f64::consts::LN_2;

use crate::math::binary::{exponent, power_of_two};

/// e `[D]`, and −Σ e_d ln 2.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BinaryUnits {
    exponents: Vec<i32>,
    whole: f64,
}

impl BinaryUnits {
    /// Those of the largest variance of each column, of which `variance(state, column)` are.
    pub fn of(states: usize, width: usize, variance: impl Fn(usize, usize) -> f64) -> Self {
        let largest = |d| (0..states).map(|s| variance(s, d)).fold(0.0, f64::max);
        let exponents: Vec<i32> = (0..width)
            .map(|d| exponent(largest(d)).div_euclid(2))
            .collect();
        Self {
            whole: -LN_2 * f64::from(exponents.iter().sum::<i32>()),
            exponents,
        }
    }

    /// A variance of column `d` in its unit.
    pub fn variance(&self, d: usize, variance: f64) -> f64 {
        variance * power_of_two(-2 * self.exponents[d])
    }

    /// A scale of column `d` in its unit.
    pub fn scale(&self, d: usize, scale: f64) -> f64 {
        scale * power_of_two(-self.exponents[d])
    }

    /// −Σ e_d ln 2: what a density in these units lacks, of a whole row, or of the entries that are there (not NaN) of one that is
    /// missing in part.
    pub fn log_density(&self, missing_in_part: Option<&[f64]>) -> f64 {
        let Some(row) = missing_in_part else {
            return self.whole;
        };
        let seen = self.exponents.iter().zip(row).filter(|(_, y)| !y.is_nan());
        -LN_2 * f64::from(seen.map(|(e, _)| e).sum::<i32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit of the data that is a power of two leaves the relative variances as they are, and moves the rest by its logarithm.
    #[test]
    fn a_power_of_two_changes_no_relative_scale() {
        let variances = [[0.3, 5e-7], [1.7, 2e-6]];
        let at = |factor: f64| BinaryUnits::of(2, 2, |s, d| variances[s][d] * factor * factor);
        let here = at(1.0);
        for n in [-200, -3, 1, 90] {
            let factor = 2f64.powi(n);
            let there = at(factor);
            for (s, row) in variances.iter().enumerate() {
                for (d, v) in row.iter().enumerate() {
                    assert_eq!(
                        there.variance(d, v * factor * factor),
                        here.variance(d, *v),
                        "{s} {d}"
                    );
                    let scale = v.sqrt();
                    assert_eq!(there.scale(d, scale * factor), here.scale(d, scale));
                }
            }
            let one = |units: &BinaryUnits| units.log_density(Some(&[0.0, f64::NAN]));
            let moved = one(&there) - one(&here);
            // e ln 2 is rounded on either side.
            assert!((moved + f64::from(n) * LN_2).abs() < 1e-13 * f64::from(n.abs()));
            assert_eq!(
                there.log_density(None),
                there.log_density(Some(&[1.0, 2.0]))
            );
        }
    }
}
