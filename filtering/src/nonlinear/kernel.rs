//! The pair (x_{t−1}, x_t) under q: a Gaussian, as a marginal of x_t and a kernel of x_{t−1} given x_t.

use serde::{Deserialize, Serialize};

use crate::math::square::{
    add_transposed, apply, cholesky, dot, invert_lower, log_determinant, lower_gram, product,
    symmetrise, transpose, transposed_product,
};

/// A backward kernel b_t(x_{t−1}|x_t) = N(E x_t + f, L).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// E `[n, n]`.
    pub slope: Vec<f64>,
    /// f `[n]`.
    pub offset: Vec<f64>,
    /// L `[n, n]`.
    pub covariance: Vec<f64>,
}

impl Kernel {
    pub(crate) fn zero(n: usize) -> Self {
        Self {
            slope: vec![0.0; n * n],
            offset: vec![0.0; n],
            covariance: vec![0.0; n * n],
        }
    }
}

/// Whether there is a past, and whether its marginal may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie {
    /// The first observation: there is no x_{t−1}.
    First,
    /// x_{t−1} keeps the law that it had, independent of x_t.
    Frozen,
    /// Any joint Gaussian.
    Free,
}

/// A joint Gaussian of (x', x) by its precision
///
/// ```text
/// [A  B]      L = A⁻¹,  E = −LB,  Σ = (D + BᵀE)⁻¹,  C = Cov(x', x) = EΣ,  P' = Cov(x') = L + C Eᵀ.
/// [Bᵀ D]
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Joint {
    pub n: usize,
    pub tie: Tie,
    pub previous_mean: Vec<f64>,
    pub mean: Vec<f64>,
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    pub d: Vec<f64>,
    pub slope: Vec<f64>,
    pub conditional: Vec<f64>,
    pub covariance: Vec<f64>,
    pub cross: Vec<f64>,
    pub previous_covariance: Vec<f64>,
    /// (D + BᵀE), the marginal precision of x.
    pub precision: Vec<f64>,
    /// ln|L| and ln|Σ|.
    pub log_conditional: f64,
    pub log_covariance: f64,
    /// BᵀE.
    coupling: Vec<f64>,
    factor: Vec<f64>,
    inverse: Vec<f64>,
}

impl Joint {
    pub fn zero(n: usize) -> Self {
        let matrix = || vec![0.0; n * n];
        Self {
            n,
            tie: Tie::First,
            previous_mean: vec![0.0; n],
            mean: vec![0.0; n],
            a: matrix(),
            b: matrix(),
            d: matrix(),
            slope: matrix(),
            conditional: matrix(),
            covariance: matrix(),
            cross: matrix(),
            previous_covariance: matrix(),
            precision: matrix(),
            log_conditional: 0.0,
            log_covariance: 0.0,
            coupling: matrix(),
            factor: matrix(),
            inverse: matrix(),
        }
    }

    /// The kernel: L, E and BᵀE from A and B, and with D the marginal precision of x; `false` if A is not positive
    /// definite. A frozen past keeps its L and P', which must be set.
    pub fn condition(&mut self) -> bool {
        let n = self.n;
        if self.tie == Tie::Free {
            if !self.make_kernel() {
                return false;
            }
            transposed_product(&self.b, &self.slope, &mut self.coupling, n);
        }
        self.weigh();
        true
    }

    /// L and E from A and B; `false` if A is not positive definite.
    pub fn make_kernel(&mut self) -> bool {
        let n = self.n;
        self.factor.copy_from_slice(&self.a);
        if cholesky(&mut self.factor, n).is_err() {
            return false;
        }
        self.log_conditional = -log_determinant(&self.factor, n);
        invert_lower(&self.factor, &mut self.inverse, n);
        lower_gram(&self.inverse, &mut self.conditional, n);
        product(&self.conditional, &self.b, &mut self.slope, n);
        self.slope.iter_mut().for_each(|e| *e = -*e);
        true
    }

    /// The precision of the pair before y_t, of x' with precision P⁻¹ and x = F x' + N(0, Q):
    /// A = P⁻¹ + FᵀQ⁻¹F, B = −FᵀQ⁻¹, D = Q⁻¹.
    pub fn predict(&mut self, slope: &[f64], noise_precision: &[f64], precision: &[f64]) {
        let n = self.n;
        self.d.copy_from_slice(noise_precision);
        transposed_product(slope, noise_precision, &mut self.b, n);
        product(&self.b, slope, &mut self.a, n);
        symmetrise(&mut self.a, n);
        for (a, p) in self.a.iter_mut().zip(precision) {
            *a += p;
        }
        self.b.iter_mut().for_each(|b| *b = -*b);
    }

    /// D + BᵀE.
    fn weigh(&mut self) {
        self.precision.copy_from_slice(&self.d);
        if self.tie == Tie::Free {
            for (p, be) in self.precision.iter_mut().zip(&self.coupling) {
                *p += be;
            }
            symmetrise(&mut self.precision, self.n);
        }
    }

    /// The law of x: its precision and Σ, from D and a kernel that [`Joint::condition`] has made.
    pub fn marginalise(&mut self) -> bool {
        let n = self.n;
        self.weigh();
        self.factor.copy_from_slice(&self.precision);
        if cholesky(&mut self.factor, n).is_err() {
            return false;
        }
        self.log_covariance = -log_determinant(&self.factor, n);
        invert_lower(&self.factor, &mut self.inverse, n);
        lower_gram(&self.inverse, &mut self.covariance, n);
        self.log_conditional.is_finite() && self.log_covariance.is_finite()
    }

    /// All that is left once there is a kernel; `false` if the precision is not positive definite.
    pub fn finish(&mut self) -> bool {
        let possible = self.marginalise();
        if possible {
            self.pair();
        }
        possible
    }

    /// C and P', which only the expectations need.
    pub fn pair(&mut self) {
        let n = self.n;
        if self.tie == Tie::Free {
            product(&self.slope, &self.covariance, &mut self.cross, n);
            transpose(&self.slope, &mut self.factor, n);
            product(&self.cross, &self.factor, &mut self.previous_covariance, n);
            for (p, l) in self.previous_covariance.iter_mut().zip(&self.conditional) {
                *p += l;
            }
        }
    }

    /// f = m' − Eμ.
    pub fn offset(&self, into: &mut [f64]) {
        apply(&self.slope, &self.mean, into);
        for (f, m) in into.iter_mut().zip(&self.previous_mean) {
            *f = m - *f;
        }
    }

    /// The entropy of the pair, in nats (of x alone at the first observation).
    pub fn entropy(&self) -> f64 {
        let unit = self.n as f64 * (std::f64::consts::TAU * std::f64::consts::E).ln();
        let marginal = 0.5 * (unit + self.log_covariance);
        match self.tie {
            Tie::First => marginal,
            _ => marginal + 0.5 * (unit + self.log_conditional),
        }
    }

    /// Solves (precision) δ = (g', g): δ = Σ(g + Eᵀg'), δ' = L g' + E δ. `scratch` is `[n]`.
    pub fn solve(
        &self,
        previous_gradient: &[f64],
        gradient: &[f64],
        previous_into: &mut [f64],
        into: &mut [f64],
        scratch: &mut [f64],
    ) {
        scratch.copy_from_slice(gradient);
        if self.tie != Tie::Free {
            apply(&self.covariance, scratch, into);
            previous_into.fill(0.0);
            return;
        }
        add_transposed(&self.slope, previous_gradient, scratch);
        apply(&self.covariance, scratch, into);
        apply(&self.conditional, previous_gradient, previous_into);
        apply(&self.slope, into, scratch);
        for (p, s) in previous_into.iter_mut().zip(scratch.iter()) {
            *p += s;
        }
    }

    /// KL(self ‖ other) between the covariances alone (means equal), ½(tr(Λ_o C) − dim − ln|Λ_o C|).
    pub fn divergence(&self, other: &Joint) -> f64 {
        let n = self.n as f64;
        let mut trace = dot(&other.d, &self.covariance);
        let mut log_ratio = self.log_covariance - other.log_covariance;
        let mut dims = n;
        if self.tie == Tie::Free {
            trace += dot(&other.a, &self.previous_covariance) + 2.0 * dot(&other.b, &self.cross);
            log_ratio += self.log_conditional - other.log_conditional;
            dims += n;
        }
        0.5 * (trace - dims - log_ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_the_inverse_of_the_precision() {
        let mut joint = Joint::zero(2);
        joint.tie = Tie::Free;
        joint.a = vec![3.0, 0.5, 0.5, 2.0];
        joint.b = vec![0.4, -0.3, 0.2, 0.1];
        joint.d = vec![2.0, -0.4, -0.4, 1.5];
        assert!(joint.condition() && joint.finish());
        // Λ C = I, block by block.
        let at = |m: &[f64], i: usize, j: usize| m[2 * i + j];
        for i in 0..2 {
            for j in 0..2 {
                let one = f64::from(u8::from(i == j));
                let (mut pp, mut px, mut xx) = (0.0, 0.0, 0.0);
                for k in 0..2 {
                    pp += at(&joint.a, i, k) * at(&joint.previous_covariance, k, j)
                        + at(&joint.b, i, k) * at(&joint.cross, j, k);
                    px += at(&joint.a, i, k) * at(&joint.cross, k, j)
                        + at(&joint.b, i, k) * at(&joint.covariance, k, j);
                    xx += at(&joint.b, k, i) * at(&joint.cross, k, j)
                        + at(&joint.d, i, k) * at(&joint.covariance, k, j);
                }
                assert!((pp - one).abs() < 1e-14 && px.abs() < 1e-14 && (xx - one).abs() < 1e-14);
            }
        }
        assert!(joint.divergence(&joint.clone()).abs() < 1e-14);
    }
}
