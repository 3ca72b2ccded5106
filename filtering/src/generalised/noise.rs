//! Noise whose samples are correlated: smooth, white, Matérn; and data made with it.

use nalgebra::DMatrix;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The correlation of noise of unit variance with itself, h bins apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Autocorrelation {
    /// Independent samples.
    White,
    /// White samples convolved with a *sampled* Gaussian kernel exp(−j²/2s²), j whole. Its lag-1
    /// correlation at s = ½ is 0.26, not the 0.37 of the continuous process.
    SampledGaussian {
        /// s in bins.
        smoothness: f64,
    },
    /// exp(−h²/4s²): white noise convolved with a Gaussian kernel in continuous time.
    Gaussian {
        /// s in bins, above 0.
        smoothness: f64,
    },
    /// Matérn of ν = `order` − ½: a polynomial in h/ℓ times exp(−√(2ν) h/ℓ).
    Matern {
        /// The length scale ℓ in bins, above 0.
        length: f64,
        /// ν + ½, at least 1.
        order: usize,
    },
}

impl Autocorrelation {
    /// Checks that times are positive.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        let positive = |field, time: f64| match time > 0.0 && time.is_finite() {
            true => Ok(()),
            false => Err(Error::setting(field, time, "a positive time in bins")),
        };
        match *self {
            Autocorrelation::White => Ok(()),
            Autocorrelation::SampledGaussian { smoothness } => match smoothness {
                0.0 => Ok(()),
                _ => positive("smoothness", smoothness),
            },
            Autocorrelation::Gaussian { smoothness } => positive("smoothness", smoothness),
            Autocorrelation::Matern { length, order } => match order {
                0 | 13.. => Err(Error::setting("order", order, "an order from 1 to 12")),
                _ => positive("length", length),
            },
        }
    }

    /// ρ(0) … ρ(`lags`), `[lags + 1]`.
    pub fn at_lags(&self, lags: usize) -> Vec<f64> {
        match *self {
            Autocorrelation::SampledGaussian { smoothness } => sampled_kernel(smoothness, lags),
            _ => (0..=lags).map(|h| self.continuous(h as f64)).collect(),
        }
    }

    fn continuous(&self, h: f64) -> f64 {
        match *self {
            Autocorrelation::Gaussian { smoothness } => bell(h, 4.0 * smoothness * smoothness),
            Autocorrelation::Matern { length, order } => {
                // e^{−z/2} Γ(p+1)/Γ(2p+1) Σ_i (p+i)!/(i!(p−i)!) z^{p−i}, z = 2√(2ν) h/ℓ, p = ν − ½
                let p = order - 1;
                let z = 2.0 * libm::sqrt(2.0 * order as f64 - 1.0) * h / length;
                let factorial = |n: usize| (1..=n).map(|m| m as f64).product::<f64>();
                let sum: f64 = (0..=p)
                    .map(|i| {
                        let weight = factorial(p + i) / (factorial(i) * factorial(p - i));
                        weight * z.powi((p - i) as i32)
                    })
                    .sum();
                libm::exp(-0.5 * z) * factorial(p) / factorial(2 * p) * sum
            }
            _ => f64::from(u8::from(h == 0.0)),
        }
    }

    /// `channels` independent series of `bins` samples of unit variance, `[channels, bins]`.
    ///
    /// Gaussian noise is white noise through the kernel, every sample scaled to unit variance, ends
    /// included (eq. G31). Other noise is drawn from the exact joint distribution of its
    /// samples, one conditional after the other.
    ///
    /// # Errors
    /// As [`Autocorrelation::check`].
    pub fn sample(&self, channels: usize, bins: usize, rng: &mut impl Rng) -> Result<DMatrix<f64>> {
        self.check()?;
        let white = DMatrix::from_fn(channels, bins, |_, _| StandardNormal.sample(rng));
        Ok(match *self {
            Autocorrelation::White => white,
            Autocorrelation::SampledGaussian { smoothness } => convolve(&white, smoothness),
            _ => self.colour(&white),
        })
    }

    /// x_t = Σ a_i x_{t−i} + σ e_t with the weights of the best prediction from all samples before, up to
    /// the number that matters (Durbin and Levinson's recursion).
    fn colour(&self, white: &DMatrix<f64>) -> DMatrix<f64> {
        /// Lags after which the prediction of every process here has converged to rounding.
        const MEMORY: usize = 64;
        let (channels, bins) = white.shape();
        let rho = self.at_lags(MEMORY.min(bins));
        let mut out = DMatrix::zeros(channels, bins);
        let mut weights: Vec<f64> = Vec::new();
        let mut variance: f64 = 1.0;
        for t in 0..bins {
            if t > 0 && weights.len() < rho.len() - 1 && variance > 1e-12 {
                let k = weights.len();
                let explained: f64 = (0..k).map(|i| weights[i] * rho[k - i]).sum();
                let reflection = (rho[k + 1] - explained) / variance;
                let before = weights.clone();
                for i in 0..k {
                    weights[i] -= reflection * before[k - 1 - i];
                }
                weights.push(reflection);
                variance *= 1.0 - reflection * reflection;
            }
            for c in 0..channels {
                let past: f64 = (0..weights.len())
                    .map(|i| weights[i] * out[(c, t - 1 - i)])
                    .sum();
                out[(c, t)] = past + libm::sqrt(variance.max(0.0)) * white[(c, t)];
            }
        }
        out
    }
}

/// exp(−h²/w); 1 at h = 0 also where the width w is so small that it is 0 as a number: white noise.
fn bell(h: f64, width: f64) -> f64 {
    match h == 0.0 {
        true => 1.0,
        false => libm::exp(-h * h / width),
    }
}

/// ρ(h) = Σ_j k_j k_{j+h} / Σ_j k_j², k_j = exp(−j²/2s²), for h = 0 … `lags`.
pub(crate) fn sampled_kernel(smoothness: f64, lags: usize) -> Vec<f64> {
    let mut rho = vec![0.0; lags + 1];
    rho[0] = 1.0;
    if smoothness > 0.0 {
        let kernel = |j: i64| bell(j as f64, 2.0 * smoothness * smoothness);
        let reach = libm::ceil(9.0 * smoothness) as i64 + 1;
        let at = |h: i64| -> f64 { (-reach..=reach).map(|j| kernel(j) * kernel(j + h)).sum() };
        let power = at(0);
        for (h, r) in rho.iter_mut().enumerate() {
            *r = at(h as i64) / power;
        }
    }
    rho
}

/// `white` `[channels, bins]` times K, K_ij = exp(−(i−j)²/2s²), columns of unit norm.
fn convolve(white: &DMatrix<f64>, smoothness: f64) -> DMatrix<f64> {
    if smoothness == 0.0 {
        return white.clone();
    }
    let (channels, bins) = white.shape();
    let reach = libm::ceil(9.0 * smoothness) as usize + 1;
    DMatrix::from_fn(channels, bins, |c, t| {
        let range = t.saturating_sub(reach)..(t + reach + 1).min(bins);
        let (mut sum, mut power) = (0.0, 0.0);
        for i in range {
            let apart = i.abs_diff(t) as f64;
            let k = bell(apart, 2.0 * smoothness * smoothness);
            sum += k * white[(c, i)];
            power += k * k;
        }
        sum / libm::sqrt(power)
    })
}
