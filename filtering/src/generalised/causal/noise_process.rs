//! A Markov process whose state is one channel of noise in generalised coordinates, and its form from poles.

use nalgebra::{Complex, DMatrix, DVector};

use crate::math::in_place::{Discretisation, symmetrise};
use crate::{Error, Result};

/// The degree of the polynomials along which generated noise moves between its samples (eq. G31).
pub const GENERATED: usize = 6;

/// One channel of noise c of unit variance: the state is (c, c', c'', …) `[k]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NoiseProcess {
    /// The motion within a bin, dn = F n dt + dB, `[k, k]`; a shift for sampled noise.
    pub flow: DMatrix<f64>,
    /// cov(dB)/dt within a bin, `[k, k]`; zero for sampled noise.
    pub diffusion: DMatrix<f64>,
    /// The transition over a whole bin, `[k, k]`: e^F, or for sampled noise the move to the next window.
    pub step: DMatrix<f64>,
    /// What enters at the next bin, `[k, k]`, for sampled noise; zero for a continuous process.
    pub fresh: DMatrix<f64>,
    /// The stationary covariance `[k, k]`.
    pub stationary: DMatrix<f64>,
    /// (c, c', …) from the k samples about the bin, `[k, k]`, for sampled noise; else empty.
    pub embedding: DMatrix<f64>,
}

impl NoiseProcess {
    pub(super) fn empty() -> Self {
        let none = DMatrix::zeros(0, 0);
        Self {
            flow: none.clone(),
            diffusion: none.clone(),
            step: none.clone(),
            fresh: none.clone(),
            stationary: none.clone(),
            embedding: none,
        }
    }

    pub(super) fn size(&self) -> usize {
        self.flow.nrows()
    }
}

/// What is added to the diagonal of an autocorrelation matrix: very smooth samples determine each other to
/// rounding, and their correlation matrix is then singular to rounding.
pub(super) const NUGGET: f64 = 1e-10;

/// The stable half of the roots of Σ_k (−s²r²)^k / k! = 0 in r.
pub(super) fn taylor_denominator(smoothness: f64, order: usize) -> Vec<Complex<f64>> {
    // In q = −s²r² the polynomial is Σ q^k/k!; its monic form is Σ (n!/k!) q^k.
    let n = order;
    let mut companion = DMatrix::zeros(n, n);
    for i in 1..n {
        companion[(i, i - 1)] = 1.0;
    }
    for k in 0..n {
        let ratio: f64 = (k + 1..=n).map(|m| m as f64).product();
        companion[(k, n - 1)] = -ratio;
    }
    let roots = companion.complex_eigenvalues();
    let half = |q: &Complex<f64>| {
        let r = (-q).sqrt() / smoothness;
        if r.re > 0.0 { -r } else { r }
    };
    roots.iter().map(half).collect()
}

/// The process with these poles, all of negative real part, scaled to unit variance.
pub(super) fn shaped(poles: &[Complex<f64>], field: &'static str) -> Result<NoiseProcess> {
    let k = poles.len();
    // Coefficients of ∏ (r − pole), lowest power first, without the leading one.
    let mut coefficients = vec![Complex::new(1.0, 0.0)];
    for pole in poles {
        let mut longer = vec![Complex::new(0.0, 0.0); coefficients.len() + 1];
        for (i, c) in coefficients.iter().enumerate() {
            longer[i + 1] += c;
            longer[i] -= c * pole;
        }
        coefficients = longer;
    }
    let mut flow = DMatrix::zeros(k, k);
    for i in 0..k {
        if i + 1 < k {
            flow[(i, i + 1)] = 1.0;
        }
        flow[(k - 1, i)] = -coefficients[i].re;
    }
    let mut diffusion = DMatrix::zeros(k, k);
    diffusion[(k - 1, k - 1)] = 1.0;
    let unscaled = lyapunov(&flow, &diffusion)
        .ok_or_else(|| Error::setting(field, k, "a lower order: no stationary variance"))?;
    let scale = 1.0 / unscaled[(0, 0)];
    let mut over = Discretisation::new(k);
    if !(scale.is_finite() && scale > 0.0 && over.compute(&flow, &diffusion, 1.0)) {
        return Err(Error::setting(field, k, "a lower order or a longer time"));
    }
    Ok(NoiseProcess {
        flow,
        diffusion: diffusion * scale,
        step: over.transition,
        fresh: DMatrix::zeros(k, k),
        stationary: unscaled * scale,
        embedding: DMatrix::zeros(0, 0),
    })
}

/// P with F P + P F' + D = 0.
fn lyapunov(f: &DMatrix<f64>, d: &DMatrix<f64>) -> Option<DMatrix<f64>> {
    let k = f.nrows();
    let identity = DMatrix::identity(k, k);
    let operator = identity.kronecker(f) + f.kronecker(&identity);
    let right = DVector::from_column_slice((-d).as_slice());
    let p = operator.lu().solve(&right)?;
    let mut p = DMatrix::from_column_slice(k, k, p.as_slice());
    symmetrise(&mut p);
    Some(p)
}
