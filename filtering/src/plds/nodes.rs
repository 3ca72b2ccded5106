//! Nodes of the trapezoidal rule for expectations under a Gaussian.

use std::sync::LazyLock;

/// Standard deviations to either side: the mass beyond is 3e-12.
const REACH: f64 = 7.0;
/// The widest step, in standard deviations: a Gaussian alone is summed to e^{−2π²/0.49} = 3e-18.
const WIDEST: f64 = 0.7;
/// Halvings of the step: from 0.7 to 0.011.
const LEVELS: usize = 7;
/// The logistic function has poles at ±iπ: a step of at most so many standard deviations over √v leaves
/// e^{−2π²/0.9} = 3e-10 of them.
const FINEST: f64 = 0.9;

/// z and its weight, for z ≥ 0; the weights of ±z add up to 1.
type Half = Vec<(f64, f64)>;

static NODES: LazyLock<Vec<Half>> = LazyLock::new(|| (0..LEVELS).map(half).collect());

fn half(level: usize) -> Half {
    let step = WIDEST / f64::from(1_u32 << level);
    let count = (REACH / step).round() as usize;
    let mut nodes: Half = (0..=count)
        .map(|k| k as f64 * step)
        .map(|z| (z, (-0.5 * z * z).exp()))
        .collect();
    let total: f64 = nodes[0].1 + 2.0 * nodes[1..].iter().map(|(_, w)| w).sum::<f64>();
    nodes.iter_mut().for_each(|(_, w)| *w /= total);
    nodes
}

/// Calls `at(η, weight)` on nodes of η ~ N(mean, variance), weights adding up to 1: an expectation of a function with the
/// poles of the logistic one to 1e-9 for variances up to 6000, and to the square of the step beyond.
pub(super) fn each_node(mean: f64, variance: f64, mut at: impl FnMut(f64, f64)) {
    let deviation = variance.max(0.0).sqrt();
    let halvings = (WIDEST * deviation / FINEST).log2().ceil();
    // Not a number, and −∞ of no variance, are 0.
    let level = (halvings.max(0.0) as usize).min(LEVELS - 1);
    let nodes = &NODES[level];
    at(mean, nodes[0].1);
    for (z, w) in &nodes[1..] {
        at(mean + deviation * z, *w);
        at(mean - deviation * z, *w);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_gaussian_are_exact_at_every_step() {
        for variance in [0.0, 0.3, 2.0, 40.0, 5000.0] {
            let mut sums = [0.0; 3];
            each_node(0.4, variance, |x, w| {
                sums[0] += w;
                sums[1] += w * x;
                sums[2] += w * (x - 0.4) * (x - 0.4);
            });
            // The tails beyond seven standard deviations have 1e-10 of the second moment.
            assert!((sums[0] - 1.0).abs() < 1e-14);
            assert!((sums[1] - 0.4).abs() < 1e-12 * (1.0 + variance.sqrt()));
            assert!((sums[2] - variance).abs() <= 2e-10 * variance, "{variance}");
        }
    }
}
