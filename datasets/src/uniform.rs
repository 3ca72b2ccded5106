//! Values that are equal but for rounding.

/// Two units of rounding of an `f32`, and a fiftieth of the smallest step between levels of 16 bits (1/65535, relative to
/// the brightest): what differs by less has no contrast, whatever its level.
const ROUNDING: f64 = 2.0 * f32::EPSILON as f64;

/// Whether the values differ by no more than rounding, relative to the largest of them. No value differs from itself.
pub(crate) fn is_uniform(values: impl IntoIterator<Item = f64>) -> bool {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    high - low <= ROUNDING * high.abs().max(low.abs()) || high < low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_does_not_matter() {
        for level in [1e-20, 0.1, 128.0 / 255.0, 1.0, 65_535.0, -3e7] {
            let rounded = [level, level * (1.0 + 1e-7), level];
            assert!(is_uniform(rounded), "{level}");
            let step = [level, level * (1.0 + 1.0 / 65_535.0), level];
            assert!(!is_uniform(step), "{level}");
        }
        assert!(is_uniform([0.0; 3]) && is_uniform([]) && is_uniform([7.0]));
        assert!(!is_uniform([0.0, 1e-300]));
    }
}
