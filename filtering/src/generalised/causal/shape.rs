//! How noise moves: Markov processes whose state is the noise in generalised coordinates.

use nalgebra::{Complex, DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::dense::Discretisation;
use super::window::sampled;
use crate::generalised::noise::Autocorrelation;
use crate::{Error, Result};

/// What is assumed of one noise (w, v or the noise between levels), of unit variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum NoiseShape {
    /// White in continuous time. The inverse of the precision is then a spectral density (variance × bin),
    /// and the filter is the exact discretisation of Kalman and Bucy's.
    White,
    /// Samples of white noise convolved with a Gaussian kernel of standard deviation `smoothness` bins,
    /// drawn at the bins, and taken as Markov of order `order` + 1. In between, the polynomial of degree
    /// `order` nearest to the path that the generator's noise is expected to take, given the `order` + 1
    /// samples nearest; from degree [`GENERATED`](super::GENERATED) on the polynomial through them.
    Sampled {
        /// s in bins; 0 for samples that are independent.
        smoothness: f64,
        /// The degree N of the polynomial.
        order: usize,
    },
    /// A continuous process with spectral density ∝ 1 / Σ_{k ≤ order} (s²ω²)^k / k!, which tends to that of
    /// the autocorrelation exp(−h²/4s²) as the order grows; `order` − 1 derivatives exist.
    Gaussian {
        /// s in bins, above 0.
        smoothness: f64,
        /// The number of state variables, at least 1.
        order: usize,
    },
    /// A Matérn process of ν = `order` − ½ and the given length scale; `order` − 1 derivatives exist.
    Matern {
        /// The length scale ℓ in bins, above 0.
        length: f64,
        /// The number of state variables, ν + ½, at least 1.
        order: usize,
    },
}

/// The highest order that numbers of 64 bits carry through the Taylor matrices.
const HIGHEST: usize = 12;

impl NoiseShape {
    /// Checks orders and times.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self, field: &'static str) -> Result<()> {
        let (time, lowest, order) = match *self {
            NoiseShape::White => return Ok(()),
            NoiseShape::Sampled { smoothness, order } => (smoothness, 0, order),
            NoiseShape::Gaussian { smoothness, order } => (smoothness, 1, order),
            NoiseShape::Matern { length, order } => (length, 1, order),
        };
        let from_zero = matches!(self, NoiseShape::Sampled { .. });
        if !(time.is_finite() && (time > 0.0 || from_zero && time == 0.0)) {
            return Err(Error::setting(field, time, "a time in bins, positive"));
        }
        if !(lowest..=HIGHEST).contains(&order) {
            let expected = format!("an order from {lowest} to {HIGHEST}");
            return Err(Error::setting(field, order, expected));
        }
        Ok(())
    }

    /// The number of state variables of one channel.
    pub fn size(&self) -> usize {
        match *self {
            NoiseShape::White => 0,
            NoiseShape::Sampled { order, .. } => order + 1,
            NoiseShape::Gaussian { order, .. } | NoiseShape::Matern { order, .. } => order,
        }
    }

    /// The autocorrelation at whole numbers of bins, for noise of the same kind on the observations.
    pub fn autocorrelation(&self) -> Autocorrelation {
        match *self {
            NoiseShape::White => Autocorrelation::White,
            NoiseShape::Sampled { smoothness, .. } => {
                Autocorrelation::SampledGaussian { smoothness }
            }
            NoiseShape::Gaussian { smoothness, .. } => Autocorrelation::Gaussian { smoothness },
            NoiseShape::Matern { length, order } => Autocorrelation::Matern { length, order },
        }
    }

    /// The state-space form of one channel.
    pub(super) fn process(&self, field: &'static str) -> Result<NoiseProcess> {
        self.check(field)?;
        match *self {
            NoiseShape::White => Ok(NoiseProcess::empty()),
            NoiseShape::Sampled { smoothness, order } => sampled(smoothness, order),
            NoiseShape::Gaussian { smoothness, order } => {
                shaped(&taylor_denominator(smoothness, order), field)
            }
            NoiseShape::Matern { length, order } => {
                let rate = libm::sqrt(2.0 * order as f64 - 1.0) / length;
                shaped(&vec![Complex::new(-rate, 0.0); order], field)
            }
        }
    }
}

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
    fn empty() -> Self {
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
fn taylor_denominator(smoothness: f64, order: usize) -> Vec<Complex<f64>> {
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
fn shaped(poles: &[Complex<f64>], field: &'static str) -> Result<NoiseProcess> {
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
    super::dense::symmetrise(&mut p);
    Some(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generalised::noise::sampled_kernel;

    /// Rounding through Taylor matrices of order 6, whose entries reach 3^6.
    const ROUNDING: f64 = 1e-7;

    fn shapes() -> Vec<NoiseShape> {
        let mut all = Vec::new();
        for order in 1..=6 {
            for time in [0.5, 1.0] {
                let smoothness = time;
                all.push(NoiseShape::Sampled { smoothness, order });
                all.push(NoiseShape::Gaussian { smoothness, order });
                let length = time;
                all.push(NoiseShape::Matern { length, order });
            }
        }
        all
    }

    #[test]
    fn every_process_is_stationary_with_unit_variance() {
        for shape in shapes() {
            let process = shape.process("noise").unwrap();
            let k = process.size();
            let mut within = Discretisation::new(k);
            assert!(within.compute(&process.flow, &process.diffusion, 1.0));
            let entering = &process.fresh + &within.noise;
            let after = &process.step * &process.stationary * process.step.transpose() + entering;
            let scale = process.stationary.amax();
            let change = (after - &process.stationary).amax() / scale;
            assert!(change < ROUNDING, "{shape:?}: {change:e}");
            assert!(
                (process.stationary[(0, 0)] - 1.0).abs() < ROUNDING,
                "{shape:?}"
            );
        }
    }

    #[test]
    fn windows_have_the_correlation_of_the_samples() {
        for order in 0..=6 {
            let process = sampled(0.5, order).unwrap();
            let rho = sampled_kernel(0.5, 1);
            // Cov(c_{t+1}, c_t) is the first entry of step P.
            let found = (&process.step * &process.stationary)[(0, 0)];
            assert!((found - rho[1]).abs() < ROUNDING, "order {order}: {found}");
        }
    }

    #[test]
    fn shaped_noise_tends_to_the_gaussian_autocorrelation() {
        // The error at lags 1 to 3 falls with the order (eqs. G38, G39 as far as they can be tested).
        let errors: Vec<f64> = [1, 3, 6, 10]
            .into_iter()
            .map(|order| {
                let smoothness = 1.0;
                let shape = NoiseShape::Gaussian { smoothness, order };
                let process = shape.process("noise").unwrap();
                let rho = shape.autocorrelation().at_lags(3);
                let mut lagged = process.stationary.clone();
                (1..=3)
                    .map(|lag| {
                        lagged = &process.step * &lagged;
                        (lagged[(0, 0)] - rho[lag]).abs()
                    })
                    .fold(0.0, f64::max)
            })
            .collect();
        assert!(
            errors.windows(2).all(|pair| pair[1] < pair[0]),
            "{errors:?}"
        );
        assert!(errors[3] < 0.01, "{errors:?}");
    }

    #[test]
    fn shaped_noise_has_the_derivative_variances_of_the_table() {
        // V of eq. G4 at s = ½: 1, 2, 12 on the diagonal, −2 between orders 0 and 2.
        let smoothness = 0.5;
        let order = 12;
        let process = NoiseShape::Gaussian { smoothness, order }
            .process("noise")
            .unwrap();
        let v = &process.stationary;
        // What twelve terms of the series of e^{s²ω²} leave.
        let tolerance = 0.02;
        for (i, j, expected) in [(0, 0, 1.0), (1, 1, 2.0), (0, 2, -2.0), (2, 2, 12.0)] {
            let found = v[(i, j)];
            assert!(
                (found / expected - 1.0).abs() < tolerance,
                "({i}, {j}): {found}"
            );
        }
    }
}
