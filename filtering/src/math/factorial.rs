//! ln y! of counts.

use std::sync::LazyLock;

/// Counts below this are looked up.
const KEPT: usize = 256;

static LOGARITHMS: LazyLock<[f64; KEPT]> =
    LazyLock::new(|| std::array::from_fn(|y| libm::lgamma(y as f64 + 1.0)));

/// ln Γ(y + 1) of any number y.
pub(crate) fn ln_factorial(y: f64) -> f64 {
    let count = y as usize;
    match LOGARITHMS.get(count) {
        Some(kept) if count as f64 == y => *kept,
        _ => libm::lgamma(y + 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::ln_factorial;

    #[test]
    fn what_is_looked_up_is_what_is_worked_out() {
        let numbers = [
            0.0,
            1.0,
            2.0,
            7.0,
            255.0,
            256.0,
            1e9,
            0.5,
            -0.5,
            f64::INFINITY,
        ];
        for y in numbers {
            assert_eq!(ln_factorial(y), libm::lgamma(y + 1.0), "{y}");
        }
        assert!(ln_factorial(f64::NAN).is_nan());
    }
}
