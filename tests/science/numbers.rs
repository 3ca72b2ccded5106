//! Reading numbers back and saying how far apart they are.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

/// Tensors whose largest magnitude is below this are compared with it instead of with themselves, so
/// that a tensor of zeros can be compared at all.
pub const SMALLEST_SCALE: f64 = 1e-3;

/// The values of a tensor, row-major.
pub fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor
        .try_into_vec_as::<f64>()
        .expect("the device gives its numbers back")
}

/// `max|a − b| / max(max|b|, SMALLEST_SCALE)`; infinite where the two are not numbers together.
pub fn deviation(ours: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(ours.len(), expected.len(), "numbers of elements");
    let scale = expected.iter().fold(SMALLEST_SCALE, |m, b| m.max(b.abs()));
    let worst = ours.iter().zip(expected).map(|(a, b)| match a - b {
        difference if difference.is_nan() => f64::INFINITY,
        difference => difference.abs(),
    });
    worst.fold(0.0, f64::max) / scale
}

/// Mean and variance (with n − 1).
pub fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, square / (n - 1.0))
}

/// The largest deviation of every group of tensors, and where it was.
#[derive(Debug, Default)]
pub struct Ledger {
    worst: BTreeMap<String, (f64, String)>,
}

impl Ledger {
    /// Notes how far `ours` is from `expected`.
    pub fn compare(&mut self, group: &str, tensor: &str, ours: &[f64], expected: &[f64]) {
        let deviation = deviation(ours, expected);
        let entry = self
            .worst
            .entry(group.to_string())
            .or_insert_with(|| (deviation, tensor.to_string()));
        if deviation > entry.0 {
            *entry = (deviation, tensor.to_string());
        }
    }

    /// Fails, with all offenders, where a group is further off than `allowed` says.
    pub fn settle(&self, title: &str, allowed: impl Fn(&str) -> f64) {
        assert!(!self.worst.is_empty(), "{title}: nothing was compared");
        let mut report = String::new();
        let mut failed = false;
        for (group, (deviation, tensor)) in &self.worst {
            let bound = allowed(group);
            let over = *deviation > bound;
            failed |= over;
            let mark = if over { "TOO FAR" } else { "" };
            report +=
                &format!("  {group:<14} {deviation:9.2e} of {bound:8.1e} at {tensor} {mark}\n");
        }
        println!("{title}\n{report}");
        assert!(!failed, "{title}\n{report}");
    }
}

#[test]
fn a_deviation_does_not_hide_what_is_not_a_number() {
    assert_eq!(deviation(&[1.0, f64::NAN], &[1.0, 1.0]), f64::INFINITY);
    assert_eq!(deviation(&[f64::INFINITY], &[1.0]), f64::INFINITY);
    assert_eq!(deviation(&[3.0, 2.0], &[4.0, 2.0]), 0.25);
    assert_eq!(deviation(&[1e-3], &[0.0]), 1.0);
}
