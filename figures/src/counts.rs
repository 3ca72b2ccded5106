//! The spike counts of a raster, checked and ordered.

use crate::error::FigureError;

/// Refuses `counts`, `[steps, units]`, unless every one is finite and at least 0.
pub fn check(counts: &[f32], steps: usize, units: usize) -> Result<(), FigureError> {
    if steps == 0 || units == 0 {
        return Err(FigureError::Empty(format!(
            "a raster of {steps} steps and {units} units"
        )));
    }
    if steps.checked_mul(units) != Some(counts.len()) {
        return Err(FigureError::Length {
            what: "the raster".to_owned(),
            expected: format!("{steps} x {units}"),
            got: counts.len(),
        });
    }
    for (position, &value) in counts.iter().enumerate() {
        if !value.is_finite() {
            return Err(FigureError::NotFinite {
                what: "the raster".to_owned(),
                position,
                value,
            });
        }
        if value < 0.0 {
            let (step, unit) = (position / units, position % units);
            return Err(FigureError::NegativeCount { step, unit, value });
        }
    }
    Ok(())
}

/// The units that spiked at all, the most active first.
pub fn by_activity(counts: &[f32], units: usize) -> Vec<usize> {
    let mut totals = vec![0.0f64; units];
    for step in counts.chunks_exact(units) {
        for (total, &count) in totals.iter_mut().zip(step) {
            *total += f64::from(count);
        }
    }
    let mut order: Vec<usize> = (0..units).filter(|&unit| totals[unit] > 0.0).collect();
    order.sort_by(|&a, &b| totals[b].total_cmp(&totals[a]));
    order
}

/// The mean count over all units in every step.
pub fn mean_counts(counts: &[f32], units: usize) -> Vec<f64> {
    let total = |step: &[f32]| step.iter().map(|&count| f64::from(count)).sum::<f64>();
    counts
        .chunks_exact(units)
        .map(|step| total(step) / units as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four steps of five units: unit 3 has 6 spikes, unit 0 has 2, unit 4 has 1, the rest none.
    #[rustfmt::skip]
    const COUNTS: [f32; 20] = [
        1.0, 0.0, 0.0, 2.0, 0.0,
        0.0, 0.0, 0.0, 4.0, 0.0,
        1.0, 0.0, 0.0, 0.0, 0.0,
        0.0, 0.0, 0.0, 0.0, 1.0,
    ];

    #[test]
    fn the_most_active_units_come_first_and_silent_ones_not_at_all() {
        assert_eq!(by_activity(&COUNTS, 5), [3, 0, 4]);
        assert_eq!(by_activity(&[1.0, 1.0, 1.0], 3), [0, 1, 2]);
        assert!(by_activity(&[0.0; 6], 3).is_empty());
    }

    #[test]
    fn means_are_over_all_units() {
        assert_eq!(mean_counts(&COUNTS, 5), [0.6, 0.8, 0.2, 0.2]);
    }

    #[test]
    fn what_is_wrong_with_the_counts_is_said() {
        assert!(check(&COUNTS, 4, 5).is_ok());
        let said =
            |counts: &[f32], steps, units| check(counts, steps, units).unwrap_err().to_string();
        assert!(said(&[], 0, 5).contains("0 steps"));
        assert!(said(&COUNTS, 5, 5).contains("20 values where 5 x 5"));
        assert!(said(&[0.0, 0.0, 0.0, -2.0], 2, 2).contains("step 1 of unit 1 is -2"));
        assert!(said(&[0.0, f32::INFINITY], 1, 2).contains("inf at position 1"));
        assert!(said(&[1.0], usize::MAX, 2).contains("1 values"));
    }
}
