//! Powers of two, by which numbers are multiplied without rounding.

/// ⌊log₂ x⌋ of a normal positive number.
pub(crate) fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// 2^n for −1022 ≤ n ≤ 1023, what the exponents of numbers lie between.
pub(crate) fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n.clamp(-1022, 1023) + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_and_powers_are_exact() {
        for (x, e) in [
            (1.0, 0),
            (1.9999, 0),
            (2.0, 1),
            (0.5, -1),
            (0.49, -2),
            (1e300, 996),
        ] {
            assert_eq!(exponent(x), e, "{x}");
        }
        assert_eq!(
            [-1022, -1, 0, 5, 1023].map(power_of_two),
            [-1022, -1, 0, 5, 1023].map(|n| 2f64.powi(n))
        );
    }
}
