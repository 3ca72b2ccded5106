//! KL of each law, of q = (μ, ξ) from p = (μ_p, ξ_p), and its derivatives (the formulas of
//! [`posterior`](crate::posterior)).

use super::network::ScaleLaw;
use crate::ops::{Law, scalar};

impl ScaleLaw {
    /// The law of ε.
    pub(super) fn unit(self) -> Law {
        match self {
            Self::Normal => Law::Normal,
            Self::Laplace => Law::Laplace,
        }
    }
}

/// One law, chosen when a kernel is compiled.
pub(super) trait Formulas {
    /// κ, the inverse Fisher information of ξ.
    const METRIC: f32;

    /// KL, in nats.
    fn divergence(q: [f32; 2], p: [f32; 2]) -> f32;

    /// ∂KL by μ, ξ, μ_p, ξ_p.
    fn slopes(q: [f32; 2], p: [f32; 2]) -> [f32; 4];

    /// The derivatives by μ, ξ, μ_p, ξ_p of ∂KL/∂μ and of ∂KL/∂ξ.
    fn curvatures(q: [f32; 2], p: [f32; 2]) -> [[f32; 4]; 2];
}

/// `KL = ½[(μ − μ_p)²/s_p² + s²/s_p² − ln(s²/s_p²) − 1]`.
pub(super) struct Normal;

impl Formulas for Normal {
    const METRIC: f32 = 0.5;

    #[inline(always)]
    fn divergence([mu, xi]: [f32; 2], [mu_p, xi_p]: [f32; 2]) -> f32 {
        let (shift, twice) = (mu - mu_p, (xi - xi_p) * 2.0);
        let precision = scalar::exp(-2.0 * xi_p);
        (shift * shift * precision + scalar::exp(twice) - twice - 1.0) * 0.5
    }

    #[inline(always)]
    fn slopes([mu, xi]: [f32; 2], [mu_p, xi_p]: [f32; 2]) -> [f32; 4] {
        let shift = mu - mu_p;
        let by_mu = shift * scalar::exp(-2.0 * xi_p);
        let by_xi = scalar::exp((xi - xi_p) * 2.0) - 1.0;
        [by_mu, by_xi, -by_mu, -(shift * by_mu + by_xi)]
    }

    #[inline(always)]
    fn curvatures([mu, xi]: [f32; 2], [mu_p, xi_p]: [f32; 2]) -> [[f32; 4]; 2] {
        let precision = scalar::exp(-2.0 * xi_p);
        let by_mu = (mu - mu_p) * precision;
        let ratio = 2.0 * scalar::exp((xi - xi_p) * 2.0);
        [
            [precision, 0.0, -precision, -2.0 * by_mu],
            [0.0, ratio, 0.0, -ratio],
        ]
    }
}

/// `KL = |δ|/s_p + E − ln(s/s_p) − 1`, δ = μ − μ_p, E = (s/s_p)·e^{−|δ|/s}.
pub(super) struct Laplace;

/// δ's sign and size, 1/s, 1/s_p, and E.
#[inline(always)]
fn laplace_terms([mu, xi]: [f32; 2], [mu_p, xi_p]: [f32; 2]) -> [f32; 5] {
    let shift = mu - mu_p;
    let negative = if shift < 0.0 { -1.0 } else { 0.0 };
    let sign = if shift > 0.0 { 1.0 } else { negative };
    let (inverse, inverse_p) = (scalar::exp(-xi), scalar::exp(-xi_p));
    let distance = shift.abs();
    // The two exponents are added first: e^{ξ − ξ_p} alone may overflow where the product does not.
    let ratio = scalar::exp(xi - xi_p - distance * inverse);
    [sign, distance, inverse, inverse_p, ratio]
}

impl Formulas for Laplace {
    const METRIC: f32 = 1.0;

    #[inline(always)]
    fn divergence(q: [f32; 2], p: [f32; 2]) -> f32 {
        let [_, distance, _, inverse_p, ratio] = laplace_terms(q, p);
        distance * inverse_p + ratio - (q[1] - p[1]) - 1.0
    }

    #[inline(always)]
    fn slopes(q: [f32; 2], p: [f32; 2]) -> [f32; 4] {
        let [sign, distance, inverse, inverse_p, ratio] = laplace_terms(q, p);
        let by_mu = sign * (inverse_p - ratio * inverse);
        let by_xi = ratio * (1.0 + distance * inverse) - 1.0;
        [by_mu, by_xi, -by_mu, 1.0 - ratio - distance * inverse_p]
    }

    #[inline(always)]
    fn curvatures(q: [f32; 2], p: [f32; 2]) -> [[f32; 4]; 2] {
        let [sign, distance, inverse, inverse_p, ratio] = laplace_terms(q, p);
        let near = ratio * inverse;
        let relative = distance * inverse;
        // The sign's own derivative counts as 0, so at δ = 0 nothing is left of the first.
        let by_mu = sign * sign * near * inverse;
        let mixed = -sign * near * relative;
        let by_xi = ratio * (1.0 + relative + relative * relative);
        [
            [by_mu, mixed, -by_mu, sign * (near - inverse_p)],
            [mixed, by_xi, -mixed, -ratio * (1.0 + relative)],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f32 differences over a step of 2⁻⁷: the third derivative leaves some 1e-4 of numbers of order one, rounding as much.
    const DIFFERENCE: f32 = 2e-3;

    fn slopes_are_differences<F: Formulas>() {
        const STEP: f32 = 1.0 / 128.0;
        let moved = |x: [f32; 4], i: usize, by: f32| {
            let mut x = x;
            x[i] += by;
            ([x[0], x[1]], [x[2], x[3]])
        };
        for x in [[0.5, -0.3, -0.2, 0.1], [-1.0, 0.4, 0.3, -0.2]] {
            let (q, p) = moved(x, 0, 0.0);
            let slopes = F::slopes(q, p);
            for i in 0..4 {
                let (over, under) = (moved(x, i, STEP), moved(x, i, -STEP));
                let kl = F::divergence(over.0, over.1) - F::divergence(under.0, under.1);
                let off = kl / (2.0 * STEP) - slopes[i];
                assert!(off.abs() < DIFFERENCE, "slope {i}: {off}");
                let (over, under) = (F::slopes(over.0, over.1), F::slopes(under.0, under.1));
                for (of, curvatures) in F::curvatures(q, p).iter().enumerate() {
                    let off = (over[of] - under[of]) / (2.0 * STEP) - curvatures[i];
                    assert!(off.abs() < DIFFERENCE, "slope {of} by {i}: {off}");
                }
            }
        }
    }

    #[test]
    fn slopes_of_both_laws_are_differences() {
        slopes_are_differences::<Normal>();
        slopes_are_differences::<Laplace>();
    }

    #[test]
    fn a_belief_is_not_away_from_itself() {
        let q = [0.7, -1.2];
        assert_eq!(Normal::divergence(q, q), 0.0);
        assert_eq!(Laplace::divergence(q, q), 0.0);
        assert_eq!(Laplace::slopes(q, q), [0.0, 0.0, -0.0, 0.0]);
    }
}
