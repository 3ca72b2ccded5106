//! W in one dimension as a table, without a parametric form.

use serde::{Deserialize, Serialize};

/// Inside so many standard deviations the nodes are spread evenly; outside, ever more thinly.
const EVEN: f64 = 3.0;

/// W at nodes x_k = centre + scale·3 sinh(u_k/3) with u_k evenly spaced: dense where q is, thin far away.
///
/// Between nodes, the cubic through the nearest four (exact for cubics; with the default 257 nodes over 8
/// standard deviations the error is about 1e-7 times the fourth derivative of W in units of q's standard
/// deviation). Beyond the ends, the parabola through the last three, or the line where that opens upward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    centre: f64,
    scale: f64,
    step: f64,
    nodes: Vec<f64>,
    values: Vec<f64>,
}

impl Table {
    pub(crate) fn zero(points: usize) -> Self {
        Self {
            centre: 0.0,
            scale: 1.0,
            step: 1.0,
            nodes: vec![0.0; points],
            values: vec![0.0; points],
        }
    }

    /// Spreads the nodes over `centre ± reach` and fills in the values.
    pub(crate) fn fill(
        &mut self,
        centre: f64,
        scale: f64,
        reach: f64,
        mut w: impl FnMut(f64) -> f64,
    ) {
        let last = (self.nodes.len() - 1) as f64;
        let end = EVEN * (reach / (EVEN * scale)).asinh();
        (self.centre, self.scale, self.step) = (centre, scale, 2.0 * end / last);
        for (k, (node, value)) in self.nodes.iter_mut().zip(&mut self.values).enumerate() {
            let u = -end + self.step * k as f64;
            *node = centre + scale * EVEN * (u / EVEN).sinh();
            *value = w(*node);
        }
    }

    /// The nodes x_k, rising.
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// W(x_k), in nats.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// W(x), in nats.
    pub fn value(&self, x: f64) -> f64 {
        let points = self.nodes.len();
        let u = EVEN * ((x - self.centre) / (EVEN * self.scale)).asinh();
        let place = u / self.step + 0.5 * (points - 1) as f64;
        if place < 0.0 {
            return self.beyond(x, [0, 1, 2]);
        }
        if place > (points - 1) as f64 {
            return self.beyond(x, [points - 1, points - 2, points - 3]);
        }
        let from = (place as usize).saturating_sub(1).min(points - 4);
        let (n, v) = (&self.nodes[from..from + 4], &self.values[from..from + 4]);
        let (d0, d1, d2, d3) = (x - n[0], x - n[1], x - n[2], x - n[3]);
        v[0] * d1 * d2 * d3 / ((n[0] - n[1]) * (n[0] - n[2]) * (n[0] - n[3]))
            + v[1] * d0 * d2 * d3 / ((n[1] - n[0]) * (n[1] - n[2]) * (n[1] - n[3]))
            + v[2] * d0 * d1 * d3 / ((n[2] - n[0]) * (n[2] - n[1]) * (n[2] - n[3]))
            + v[3] * d0 * d1 * d2 / ((n[3] - n[0]) * (n[3] - n[1]) * (n[3] - n[2]))
    }

    /// Newton's form from the end inwards, without a second difference that is positive.
    fn beyond(&self, x: f64, [a, b, c]: [usize; 3]) -> f64 {
        let (xa, xb, xc) = (self.nodes[a], self.nodes[b], self.nodes[c]);
        let ab = (self.values[b] - self.values[a]) / (xb - xa);
        let bc = (self.values[c] - self.values[b]) / (xc - xb);
        let second = ((bc - ab) / (xc - xa)).min(0.0);
        self.values[a] + (x - xa) * (ab + (x - xb) * second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parabolas_are_kept_within_and_beyond() {
        let w = |x: f64| 2.0 + 0.3 * x - 0.7 * x * x;
        let mut table = Table::zero(65);
        table.fill(1.0, 0.5, 8.0, w);
        for x in [-30.0, -7.0, -6.99, 0.0, 0.93, 1.0, 4.0, 9.0, 25.0] {
            assert!(
                (table.value(x) - w(x)).abs() < 1e-10 * w(x).abs().max(1.0),
                "{x}"
            );
        }
    }

    #[test]
    fn smooth_functions_to_seven_digits() {
        let w = |x: f64| (1.3 * x).sin() - 0.5 * x * x - x.exp();
        let mut table = Table::zero(257);
        table.fill(0.0, 1.0, 8.0, w);
        for k in 0..400 {
            let x = -3.0 + 0.015 * f64::from(k);
            assert!((table.value(x) - w(x)).abs() < 1e-5, "{x}");
        }
    }
}
