//! Products and exponentials of small matrices into memory that is already there.
//!
//! The general matrix product of the linear algebra crate packs its operands into fresh memory; a filter
//! that runs for months must not.

use nalgebra::DMatrix;

/// `out` = `a b`, `[m, k] [k, n] → [m, n]`.
pub(crate) fn multiply(out: &mut DMatrix<f64>, a: &DMatrix<f64>, b: &DMatrix<f64>) {
    let (m, k, n) = (a.nrows(), a.ncols(), b.ncols());
    if m == 0 {
        return;
    }
    let (left, right) = (a.as_slice(), b.as_slice());
    for (j, column) in out.as_mut_slice().chunks_exact_mut(m).take(n).enumerate() {
        column.fill(0.0);
        for (l, &factor) in right[j * k..(j + 1) * k].iter().enumerate() {
            if factor != 0.0 {
                add_scaled(column, factor, &left[l * m..(l + 1) * m]);
            }
        }
    }
}

/// `out` += factor · `a`, entry by entry.
#[inline]
pub(crate) fn add_scaled(out: &mut [f64], factor: f64, a: &[f64]) {
    for (o, &a) in out.iter_mut().zip(a) {
        *o += factor * a;
    }
}

/// Σ a b.
#[inline]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Four sums side by side: one would wait for each addition.
    let mut sums = [0.0; 4];
    let (fours, others) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest = fours.remainder().iter().zip(others.remainder());
    let tail: f64 = rest.map(|(a, b)| a * b).sum();
    for (a, b) in fours.zip(others) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums[0] + sums[1] + (sums[2] + sums[3]) + tail
}

/// `out` = `a`ᵀ for a square matrix.
pub(crate) fn transpose(out: &mut DMatrix<f64>, a: &DMatrix<f64>) {
    let n = a.nrows();
    let (to, from) = (out.as_mut_slice(), a.as_slice());
    for j in 0..n {
        for i in 0..n {
            to[i * n + j] = from[j * n + i];
        }
    }
}

/// Makes a matrix exactly symmetric: the mean of itself and its transpose.
pub(crate) fn symmetrise(a: &mut DMatrix<f64>) {
    let n = a.nrows();
    let entries = a.as_mut_slice();
    for j in 0..n {
        for i in 0..j {
            let mean = 0.5 * (entries[j * n + i] + entries[i * n + j]);
            entries[j * n + i] = mean;
            entries[i * n + j] = mean;
        }
    }
}

/// The greatest row sum of magnitudes.
pub(crate) fn norm(a: &DMatrix<f64>) -> f64 {
    (0..a.nrows())
        .map(|i| a.row(i).iter().map(|v| v.abs()).sum())
        .fold(0.0, f64::max)
}

/// The exact discretisation of dx = A x dt + dB, cov(dB) = D dt, over a time h:
///
/// ```text
/// Φ(h) = e^{Ah},     Q(h) = ∫_0^h e^{Ar} D e^{A'r} dr
/// ```
///
/// Both by Taylor series over h/2^k and k doublings, Φ(2h) = Φ(h)², Q(2h) = Q(h) + Φ(h) Q(h) Φ(h)'. The
/// block form of Van Loan gives the same, but needs e^{−Ah}, which loses figures for fast decays.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Discretisation {
    /// Φ, `[n, n]`.
    pub transition: DMatrix<f64>,
    /// Q, `[n, n]`.
    pub noise: DMatrix<f64>,
    term: DMatrix<f64>,
    next: DMatrix<f64>,
}

/// Terms of the Taylor series: ‖Ah‖ ≤ ¼ leaves an error of 4^{-14}/14! ≈ 4e−20.
const TERMS: usize = 13;

impl Discretisation {
    pub(crate) fn new(n: usize) -> Self {
        let zero = DMatrix::zeros(n, n);
        Self {
            transition: zero.clone(),
            noise: zero.clone(),
            term: zero.clone(),
            next: zero,
        }
    }

    /// Computes Φ and Q for drift `a` and diffusion `d`, both `[n, n]`, over `time`. False if a number
    /// that is not finite came in.
    pub(crate) fn compute(&mut self, a: &DMatrix<f64>, d: &DMatrix<f64>, time: f64) -> bool {
        let size = norm(a) * time;
        if !size.is_finite() || size > 1e12 {
            return false;
        }
        let mut doublings = 0;
        let mut h = time;
        while size * (h / time) > 0.25 {
            h *= 0.5;
            doublings += 1;
        }
        // Φ = Σ (Ah)^j / j!
        self.transition.fill_with_identity();
        self.term.fill_with_identity();
        for j in 1..=TERMS {
            multiply(&mut self.next, a, &self.term);
            self.next *= h / j as f64;
            self.transition += &self.next;
            std::mem::swap(&mut self.term, &mut self.next);
        }
        // Q = Σ h^{j+1}/(j+1)! T_j with T_0 = D, T_{j+1} = A T_j + T_j A'
        self.noise.copy_from(d);
        self.noise *= h;
        if d.iter().any(|&v| v != 0.0) {
            self.term.copy_from(&self.noise);
            for j in 1..=TERMS {
                multiply(&mut self.next, a, &self.term);
                let n = a.nrows();
                for c in 0..n {
                    for r in 0..=c {
                        let sum = self.next[(r, c)] + self.next[(c, r)];
                        let value = sum * h / (j + 1) as f64;
                        self.term[(r, c)] = value;
                        self.term[(c, r)] = value;
                    }
                }
                self.noise += &self.term;
            }
        }
        for _ in 0..doublings {
            // Φ Q Φ' = Φ (Φ Q)' because Q is symmetric
            multiply(&mut self.next, &self.transition, &self.noise);
            transpose(&mut self.term, &self.next);
            multiply(&mut self.next, &self.transition, &self.term);
            self.noise += &self.next;
            multiply(&mut self.next, &self.transition, &self.transition);
            std::mem::swap(&mut self.transition, &mut self.next);
        }
        symmetrise(&mut self.noise);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of a few dozen products.
    const ROUNDING: f64 = 1e-13;

    #[test]
    fn a_decay_is_discretised_in_closed_form() {
        let (a, d) = (
            DMatrix::from_element(1, 1, -3.0),
            DMatrix::from_element(1, 1, 2.0),
        );
        let mut step = Discretisation::new(1);
        assert!(step.compute(&a, &d, 1.5));
        assert!((step.transition[0] - f64::exp(-4.5)).abs() < ROUNDING);
        assert!((step.noise[0] - 2.0 * (1.0 - f64::exp(-9.0)) / 6.0).abs() < ROUNDING);
    }

    #[test]
    fn integrated_white_noise_is_discretised_in_closed_form() {
        let a = DMatrix::from_row_slice(2, 2, &[0.0, 1.0, 0.0, 0.0]);
        let d = DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 1.0]);
        let mut step = Discretisation::new(2);
        assert!(step.compute(&a, &d, 2.0));
        let expected = [8.0 / 3.0, 2.0, 2.0, 2.0];
        for (found, expected) in step.noise.iter().zip(expected) {
            assert!((found - expected).abs() < ROUNDING);
        }
    }
}
