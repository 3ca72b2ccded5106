//! Integration of a locally linear flow: the matrix exponential, and steps that invert nothing.
//!
//! Over a step of length h the flow u̇ = φ(u) with Jacobian A, driven by data that move along their own
//! Taylor expansion, is
//!
//! ```text
//! δu̇ = F + A δu + Σ_{k≥1} (rᵏ/k!) c_k,     δu(0) = 0,   r from 0 to h
//! δu(h) = Φ_0 F + Σ_k Φ_k c_k,              Φ_k = ∫_0^h e^{A(h−r)} rᵏ/k! dr
//! ```
//!
//! which is exact where φ is linear (local linearisation: Ozaki 1992). With the powers p_k = rᵏ/k! as extra
//! states, ṗ_k = p_{k−1}, this is one column of an exponential,
//!
//! ```text
//! δu(h) = first rows of exp(h [A  F c_1 … c_K; 0  N]) (0; 1, 0, …)ᵀ,      N_{k,k−1} = 1.
//! ```
//!
//! A may be singular. The same holds for the whole of (ũ, ỹ, η̃) in one matrix; this form only leaves out the
//! rows that are known beforehand.

use nalgebra::{DMatrix, DVector};

/// exp(A) by scaling and squaring of a Taylor polynomial, with a reusable workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixExponential {
    /// A, A², A³, A⁴ after scaling.
    powers: [DMatrix<f64>; 4],
    result: DMatrix<f64>,
    room: DMatrix<f64>,
}

/// The degree of the polynomial; evaluated in blocks of four powers (Paterson and Stockmeyer 1973).
const DEGREE: usize = 16;

/// 1/k! for k = 0 … 16.
fn inverse_factorials() -> [f64; DEGREE + 1] {
    let mut all = [1.0; DEGREE + 1];
    for k in 1..=DEGREE {
        all[k] = all[k - 1] / k as f64;
    }
    all
}

impl MatrixExponential {
    /// Workspace for matrices `[size, size]`.
    pub fn new(size: usize) -> Self {
        let zeros = || DMatrix::zeros(size, size);
        Self {
            powers: [zeros(), zeros(), zeros(), zeros()],
            result: zeros(),
            room: zeros(),
        }
    }

    /// exp(h·A), A `[size, size]`.
    ///
    /// A is halved until its norm is below one half, where the remainder of the polynomial of degree 16 is
    /// 2·10⁻²⁰, and the result is squared as often. A workspace of another size is reallocated.
    pub fn exp(&mut self, a: &DMatrix<f64>, h: f64) -> &DMatrix<f64> {
        let size = a.nrows();
        if self.result.nrows() != size {
            *self = Self::new(size);
        }
        let (scale, squarings) = scaling(h * norm(a));
        let [a1, a2, a3, a4] = &mut self.powers;
        a1.copy_from(a);
        a1.scale_mut(h * scale);
        a1.mul_to(a1, a2);
        a2.mul_to(a1, a3);
        a2.mul_to(a2, a4);
        let c = inverse_factorials();
        // Horner in A⁴: ((…) A⁴ + B_2) A⁴ + …, B_j = Σ_{i<4} A^i/(4j+i)!.
        self.result.fill(0.0);
        for i in 0..size {
            self.result[(i, i)] = c[DEGREE];
        }
        for block in (0..DEGREE / 4).rev() {
            self.result.mul_to(a4, &mut self.room);
            std::mem::swap(&mut self.result, &mut self.room);
            let c = &c[4 * block..4 * block + 4];
            let terms = self
                .result
                .iter_mut()
                .zip(a1.iter().zip(a2.iter()).zip(a3.iter()));
            for (r, ((p1, p2), p3)) in terms {
                *r += c[1] * p1 + c[2] * p2 + c[3] * p3;
            }
            for i in 0..size {
                self.result[(i, i)] += c[0];
            }
        }
        for _ in 0..squarings {
            self.result.mul_to(&self.result, &mut self.room);
            std::mem::swap(&mut self.result, &mut self.room);
        }
        &self.result
    }
}

/// The factor 2^−s that brings a norm below one half, and s.
fn scaling(norm: f64) -> (f64, u32) {
    let mut scale = 1.0;
    let mut squarings = 0;
    // A norm that is not finite gives a result that is not, without looping.
    while norm.is_finite() && norm * scale > 0.5 {
        scale *= 0.5;
        squarings += 1;
    }
    (scale, squarings)
}

/// The largest sum of magnitudes of a column.
fn norm(a: &DMatrix<f64>) -> f64 {
    a.column_iter()
        .map(|column| column.iter().map(|v| v.abs()).sum::<f64>())
        .fold(0.0, f64::max)
}

/// One step of a flow whose Jacobian differs from step to step.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalLinearisation {
    size: usize,
    powers: usize,
    augmented: DMatrix<f64>,
    exponential: MatrixExponential,
}

impl LocalLinearisation {
    /// Workspace for `size` unknowns and forcing by powers 0 … `powers` − 1 of time.
    pub fn new(size: usize, powers: usize) -> Self {
        let whole = size + powers.max(1);
        Self {
            size,
            powers: powers.max(1),
            augmented: DMatrix::zeros(whole, whole),
            exponential: MatrixExponential::new(whole),
        }
    }

    /// δu(h) `[size]` for the Jacobian A `[size, size]` and the forcing `[size, powers]`: its column 0 is F, column
    /// k is c_k.
    ///
    /// # Panics
    /// For matrices of other sizes than the workspace.
    pub fn step(
        &mut self,
        jacobian: &DMatrix<f64>,
        forcing: &DMatrix<f64>,
        h: f64,
        change: &mut DVector<f64>,
    ) {
        // The forcing is brought to the scale of A, so that it asks for no squarings of its own.
        let (a, c) = (norm(jacobian).max(1.0), norm(forcing));
        let unit = if c > a { c / a } else { 1.0 };
        let (size, powers) = (self.size, self.powers);
        self.augmented.fill(0.0);
        let mut place = self.augmented.view_mut((0, 0), (size, size));
        place.copy_from(jacobian);
        let mut place = self.augmented.view_mut((0, size), (size, powers));
        place.copy_from(forcing);
        place /= unit;
        for k in 1..powers {
            self.augmented[(size + k, size + k - 1)] = 1.0;
        }
        let exponential = self.exponential.exp(&self.augmented, h);
        change.copy_from(&exponential.view((0, size), (size, 1)));
        *change *= unit;
    }
}

/// Φ_0 … Φ_{powers−1} `[size, size]` of A over h, for a flow whose Jacobian stays the same.
///
/// For short steps Φ_k = Σ_j A^j h^{j+k+1}/(j+k+1)!; then steps are doubled,
/// Φ_k(2h) = e^{Ah} Φ_k(h) + Σ_{j≤k} (h^{k−j}/(k−j)!) Φ_j(h).
pub(crate) fn responses(a: &DMatrix<f64>, h: f64, powers: usize) -> Vec<DMatrix<f64>> {
    let size = a.nrows();
    let (scale, squarings) = scaling(h * norm(a));
    let mut h = h * scale;
    let identity = DMatrix::identity(size, size);
    let mut phi: Vec<DMatrix<f64>> = (0..powers)
        .map(|k| {
            let mut sum = DMatrix::zeros(size, size);
            for j in (0..=DEGREE).rev() {
                let factorial: f64 = (1..=j + k + 1).map(|i| i as f64).product();
                sum = a * sum * h + &identity / factorial;
            }
            sum * h.powi(k as i32 + 1)
        })
        .collect();
    let mut exponential = MatrixExponential::new(size);
    let mut e = exponential.exp(a, h).clone();
    for _ in 0..squarings {
        let doubled = (0..powers).map(|k| {
            let mut sum = &e * &phi[k];
            let mut factor = 1.0;
            for back in 0..=k {
                if back > 0 {
                    factor *= h / back as f64;
                }
                sum += &phi[k - back] * factor;
            }
            sum
        });
        phi = doubled.collect();
        e = &e * &e;
        h *= 2.0;
    }
    phi
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What scaling and squaring keeps of sixteen digits for the norms below.
    const ROUNDING: f64 = 1e-13;

    #[test]
    fn known_exponentials() {
        let mut e = MatrixExponential::new(2);
        for angle in [0.1f64, 1.0, 3.0] {
            let found = e.exp(
                &DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, 0.0]),
                angle,
            );
            let (s, c) = angle.sin_cos();
            let expected = DMatrix::from_row_slice(2, 2, &[c, s, -s, c]);
            assert!((found - expected).amax() < ROUNDING);
        }
        for a in [-30.0f64, -1.0, 0.3, 5.0] {
            // exp [a 1; 0 a] = e^a [1 1; 0 1]
            let found = e.exp(&DMatrix::from_row_slice(2, 2, &[a, 1.0, 0.0, a]), 1.0);
            let expected = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, 1.0]) * a.exp();
            let relative = (found - expected).amax() / a.exp();
            assert!(relative < ROUNDING, "{a}: {relative:e}");
        }
        let nilpotent = DMatrix::from_fn(6, 6, |i, j| f64::from(u8::from(j == i + 1)));
        let found = MatrixExponential::new(1).exp(&nilpotent, 1.0).clone();
        for j in 0..6 {
            let factorial: f64 = (1..=j).map(|k| k as f64).product();
            assert!((found[(0, j)] - 1.0 / factorial).abs() < 1e-16);
        }
    }

    #[test]
    fn agrees_with_another_algorithm() {
        // nalgebra's is the Padé form of Higham (2005).
        for seed in 0..20 {
            let size = 3 + seed % 9;
            let mut state = 1 + seed as u64;
            let a = DMatrix::from_fn(size, size, |_, _| {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                (state >> 33) as f64 / 2f64.powi(30) - 1.0
            });
            let expected = a.exp();
            let found = MatrixExponential::new(size).exp(&a, 1.0).clone();
            assert!((found - &expected).amax() < ROUNDING * expected.amax());
        }
    }

    #[test]
    fn a_step_of_a_singular_flow_is_exact() {
        // u̇ = (u₂ + 1, r²/2): u₂ = r³/6, u₁ = r + r⁴/24, for any length of step.
        let a = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 0.0]);
        let forcing = DMatrix::from_row_slice(2, 3, &[1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        for h in [0.25, 1.0, 2.0] {
            let mut change = DVector::zeros(2);
            LocalLinearisation::new(2, 3).step(&a, &forcing, h, &mut change);
            assert!((change[0] - h - h.powi(4) / 24.0).abs() < ROUNDING);
            assert!((change[1] - h.powi(3) / 6.0).abs() < ROUNDING);
        }
    }

    #[test]
    fn the_responses_are_the_step() {
        let a = DMatrix::from_row_slice(3, 3, &[-50.0, 3.0, 1.0, 0.2, -0.1, 4.0, 0.0, -3.0, 0.3]);
        let forcing = DMatrix::from_fn(3, 4, |i, k| (1.0 + i as f64) * (0.7 - k as f64));
        let mut change = DVector::zeros(3);
        LocalLinearisation::new(3, 4).step(&a, &forcing, 0.7, &mut change);
        let phi = responses(&a, 0.7, 4);
        let sum = (0..4).fold(DVector::zeros(3), |sum, k| {
            sum + &phi[k] * forcing.column(k)
        });
        assert!((change - sum).amax() < ROUNDING);
    }
}
