//! Where a sampled curve passes a level, by linear interpolation.

/// The position on [0, 1] at which the line from `from` to `to` meets `level`, which lies between.
pub fn share(from: f64, to: f64, level: f64) -> f64 {
    if from == to {
        return 0.0;
    }
    ((level - from) / (to - from)).clamp(0.0, 1.0)
}

/// Walks along `values` from the first, which is at or above `level`, to where the curve falls below
/// it: the distance in steps, or `None` if it never does.
pub fn fall(values: impl Iterator<Item = f64>, level: f64) -> Option<f64> {
    let mut before = None;
    for (i, value) in values.enumerate() {
        if value < level {
            let before: f64 = before?;
            return Some(i as f64 - 1.0 + share(before, value, level));
        }
        before = Some(value);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_samples() {
        assert_eq!(fall([4.0, 3.0, 1.0].into_iter(), 2.0), Some(1.5));
        assert_eq!(fall([4.0, 2.0, 2.0, 0.0].into_iter(), 2.0), Some(2.0));
        assert_eq!(fall([4.0, 3.0].into_iter(), 2.0), None);
        assert_eq!(fall([1.0, 0.0].into_iter(), 2.0), None);
        assert_eq!(fall(std::iter::empty(), 2.0), None);
    }
}
