//! Bias and variance of gradient estimators for a Poisson latent, against the gradient by enumeration.
//!
//! The loss of one latent of a linear decoder, all others fixed, is f(z) = ½H(z − m)²: H the curvature of −ln p(x|z) along
//! it, m the count that would explain what is left of the input. With λ = e^u
//!
//! ```text
//! d/du E f(z) = λ(E f(z + 1) − E f(z)),   z ~ Poisson(λ)                          by enumeration
//! relaxed            f'(z̃)·dz̃/du,   z̃ of eq. I25, dz̃/du of eq. I26              each indicator, at τ
//! Gumbel–softmax     the same for z̃ = Σ_n n·softmax((ln p_n(λ) + γ_n)/τ)_n        over counts 0 … N
//! score function     (f(z) − E f)·(z − λ),   z ~ Poisson(λ)                       unbiased; baseline E f
//! ```
//!
//! Everything is in units of λH, the scale of the gradient (it is λH(λ + ½ − m)), so that no result depends on H.

use anyhow::{Result, ensure};
use scotopic::noise::NoiseKey;
use scotopic::ops::Indicator;
use serde::{Deserialize, Serialize};

/// Counts whose total probability is below this are left out of sums and of the Gumbel–softmax.
const NEGLIGIBLE: f64 = 1e-9;

/// What to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientConfig {
    /// Rates λ, spikes per step, up to 50.
    pub rates: Vec<f64>,
    /// Temperatures τ of the relaxed samples.
    pub temperatures: Vec<f64>,
    /// m, spikes.
    pub target: f64,
    /// Samples of each estimator, at least 2.
    pub samples: usize,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self {
            rates: vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
            temperatures: vec![0.01, 0.05, 0.1, 0.25, 0.5, 1.0],
            target: 1.0,
            samples: 20_000,
            seed: 0,
        }
    }
}

/// A way to estimate the gradient from samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Through the relaxed sample of an indicator.
    Relaxed(Indicator),
    /// Through a relaxed categorical sample of the count.
    GumbelSoftmax,
    /// By the score, against a baseline; has no temperature.
    ScoreFunction,
}

impl Estimator {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let relaxed = Indicator::ALL.into_iter().map(Self::Relaxed);
        relaxed.chain([Self::GumbelSoftmax, Self::ScoreFunction])
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relaxed(indicator) => indicator.name(),
            Self::GumbelSoftmax => "gumbel-softmax",
            Self::ScoreFunction => "score-function",
        }
    }
}

/// One estimator at one rate and temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradientEstimate {
    /// The estimator.
    pub estimator: Estimator,
    /// λ, spikes per step.
    pub rate: f64,
    /// τ; none for the score function.
    pub temperature: Option<f64>,
    /// The gradient by enumeration, in units of λH.
    pub exact: f64,
    /// The mean of the estimates minus it, in units of λH.
    pub bias: f64,
    /// The standard deviation of one estimate, in units of λH.
    pub deviation: f64,
    /// The standard error of the bias, in units of λH.
    pub standard_error: f64,
}

/// Every estimator at every rate and temperature.
///
/// # Errors
/// If a rate, a temperature or the number of samples is out of range.
///
/// ```
/// use scotopic_train::analysis::gradients::{GradientConfig, gradients};
/// let config = GradientConfig { rates: vec![0.5], temperatures: vec![0.1], samples: 100, ..Default::default() };
/// let found = gradients(&config)?;
/// assert_eq!(found.len(), 7); // five indicators, Gumbel–softmax, score function
/// # Ok::<(), anyhow::Error>(())
/// ```
pub fn gradients(config: &GradientConfig) -> Result<Vec<GradientEstimate>> {
    for &rate in &config.rates {
        ensure!(
            rate > 0.0 && rate <= 50.0,
            "rate {rate}: must be above 0 and at most 50"
        );
    }
    for &tau in &config.temperatures {
        ensure!(
            tau > 0.0 && tau <= 10.0,
            "temperature {tau}: must be above 0 and at most 10"
        );
    }
    ensure!(
        config.samples >= 2,
        "samples = {}: must be at least 2",
        config.samples
    );
    let mut found = Vec::new();
    for (number, &rate) in config.rates.iter().enumerate() {
        let latent = Latent::new(rate, config.target);
        let key = NoiseKey::new(config.seed).step(number as u32);
        for estimator in Estimator::all() {
            let temperatures: Vec<Option<f64>> = match estimator {
                Estimator::ScoreFunction => vec![None],
                _ => config.temperatures.iter().map(|tau| Some(*tau)).collect(),
            };
            for temperature in temperatures {
                let of = |i: u32| latent.estimate(estimator, temperature.unwrap_or(0.0), key, i);
                let values: Vec<f64> = (0..config.samples as u32).map(of).collect();
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let square: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
                let deviation = (square / (n - 1.0)).sqrt();
                found.push(GradientEstimate {
                    estimator,
                    rate,
                    temperature,
                    exact: latent.gradient,
                    bias: mean - latent.gradient,
                    deviation,
                    standard_error: deviation / n.sqrt(),
                });
            }
        }
    }
    Ok(found)
}

/// A latent at one rate, its loss in units of H.
struct Latent {
    rate: f64,
    target: f64,
    /// ln p_n of the counts 0, 1, ….
    log_probabilities: Vec<f64>,
    /// E f/H.
    mean_loss: f64,
    /// The gradient by enumeration over λH.
    gradient: f64,
}

impl Latent {
    fn new(rate: f64, target: f64) -> Self {
        let (mut log_probabilities, mut left) = (Vec::new(), 1.0);
        let mut log_p = -rate;
        // Beyond the mode terms fall, so that what is left is the tail; rounding leaves 10⁻¹⁶ of it.
        while left > NEGLIGIBLE || (log_probabilities.len() as f64) <= rate {
            log_probabilities.push(log_p);
            left -= log_p.exp();
            log_p += rate.ln() - (log_probabilities.len() as f64).ln();
        }
        let loss = |z: f64| 0.5 * (z - target).powi(2);
        let expected = |shift: f64| -> f64 {
            let counts = log_probabilities.iter().enumerate();
            counts
                .map(|(n, log_p)| log_p.exp() * loss(n as f64 + shift))
                .sum()
        };
        Self {
            mean_loss: expected(0.0),
            gradient: expected(1.0) - expected(0.0),
            rate,
            target,
            log_probabilities,
        }
    }

    /// One estimate over λH from the noise of an element.
    fn estimate(&self, estimator: Estimator, tau: f64, key: NoiseKey, element: u32) -> f64 {
        let [z, slope] = match estimator {
            Estimator::Relaxed(indicator) => self.relaxed(indicator, tau, key, element),
            Estimator::GumbelSoftmax => self.gumbel_softmax(tau, key, element),
            Estimator::ScoreFunction => {
                let z = self.arrivals(key, element, 1.0).count() as f64;
                let loss = 0.5 * (z - self.target).powi(2);
                return (loss - self.mean_loss) * (z - self.rate) / self.rate;
            }
        };
        (z - self.target) * slope / self.rate
    }

    /// The times of arrivals up to a last one.
    fn arrivals(&self, key: NoiseKey, element: u32, last: f64) -> impl Iterator<Item = f64> {
        let (rate, mut elapsed) = (self.rate, 0.0);
        let times = key.exponentials(element).map(move |wait| {
            elapsed += f64::from(wait);
            elapsed / rate
        });
        times.take_while(move |t| *t <= last)
    }

    /// z̃ and dz̃/du of eqs. I25 and I26.
    fn relaxed(&self, f: Indicator, tau: f64, key: NoiseKey, element: u32) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for t in self.arrivals(key, element, 1.0 + f64::from(f.reach()) * tau) {
            let x = (1.0 - t) / tau;
            sums[0] += f.value(x);
            sums[1] += f.slope(x) * t / tau;
        }
        sums
    }

    /// z̃ and dz̃/du of the relaxed categorical sample. With y its weights, d ln p_n/du = n − λ, of which λ is common to
    /// all, so that dz̃/du is the variance of n under y over τ.
    fn gumbel_softmax(&self, tau: f64, key: NoiseKey, element: u32) -> [f64; 2] {
        let gumbels = key.exponentials(element).map(|e| -f64::from(e).ln());
        let logits = self.log_probabilities.iter().zip(gumbels);
        let logits: Vec<f64> = logits.map(|(log_p, g)| (log_p + g) / tau).collect();
        let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for (n, logit) in logits.iter().enumerate() {
            let (n, weight) = (n as f64, (logit - most).exp());
            sum += weight;
            first += weight * n;
            second += weight * n * n;
        }
        let mean = first / sum;
        [mean, (second / sum - mean * mean).max(0.0) / tau]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GradientConfig {
        GradientConfig {
            rates: vec![0.05, 0.7, 4.0],
            temperatures: vec![0.05, 0.3, 1.0],
            ..GradientConfig::default()
        }
    }

    /// Of some thirty comparisons none lies beyond this by chance (once in a thousand seeds).
    const STANDARD_ERRORS: f64 = 4.5;

    #[test]
    fn the_enumerated_gradient_is_that_of_the_closed_form() {
        for (rate, target) in [(0.01, 1.0), (1.0, 0.3), (12.0, 9.0), (50.0, 2.0)] {
            let latent = Latent::new(rate, target);
            // E f(z + 1) − E f(z) of a square, less what is left out.
            let expected = rate + 0.5 - target;
            assert!(
                (latent.gradient - expected).abs() < 1e-6 * (1.0 + expected.abs()),
                "{rate}"
            );
        }
    }

    /// d/du of ½H(Var z̃ + (E z̃ − m)²) by Campbell's theorem (eq. I27), over λH.
    #[test]
    fn relaxed_gradients_have_the_mean_of_shot_noise() {
        for found in gradients(&config()).expect("valid") {
            let Estimator::Relaxed(indicator) = found.estimator else {
                continue;
            };
            let [mean, variance] = indicator.moments(found.temperature.expect("relaxed"));
            let expected = 0.5 * variance + mean * (mean * found.rate - 1.0);
            let off = (found.bias + found.exact - expected).abs();
            assert!(
                off < STANDARD_ERRORS * found.standard_error,
                "{found:?}: {expected}"
            );
        }
    }

    #[test]
    fn the_score_function_has_no_bias_and_the_variance_of_its_terms() {
        /// A fourth moment of about 30 variances leaves the deviation of 20 000 samples uncertain by 2 %.
        const FOUR_STANDARD_ERRORS: f64 = 0.08;
        let all = gradients(&config()).expect("valid");
        let score = |f: &&GradientEstimate| f.estimator == Estimator::ScoreFunction;
        for found in all.iter().filter(score) {
            assert!(
                found.bias.abs() < STANDARD_ERRORS * found.standard_error,
                "{found:?}"
            );
            if found.rate < 0.5 {
                continue; // too few spikes for its variance
            }
            let latent = Latent::new(found.rate, 1.0);
            let squares = latent
                .log_probabilities
                .iter()
                .enumerate()
                .map(|(n, log_p)| {
                    let z = n as f64;
                    let loss = 0.5 * (z - 1.0).powi(2) - latent.mean_loss;
                    let term = loss * (z - found.rate) / found.rate - latent.gradient;
                    log_p.exp() * term * term
                });
            let off = found.deviation / squares.sum::<f64>().sqrt() - 1.0;
            assert!(off.abs() < FOUR_STANDARD_ERRORS, "{found:?}: {off}");
        }
    }

    /// A cold relaxed categorical sample is the count itself, and its gradient that of the expectation.
    #[test]
    fn gumbel_softmax_loses_its_bias_with_its_temperature() {
        let at = |temperatures: Vec<f64>| {
            let config = GradientConfig {
                rates: vec![0.7],
                temperatures,
                samples: 200_000,
                ..config()
            };
            let all = gradients(&config).expect("valid");
            all.into_iter()
                .find(|f| f.estimator == Estimator::GumbelSoftmax)
                .expect("there")
        };
        let (cold, warm) = (at(vec![0.1]), at(vec![1.0]));
        assert!(warm.bias.abs() > 10.0 * warm.standard_error, "{warm:?}");
        let uncertain = STANDARD_ERRORS * (cold.standard_error + warm.standard_error);
        assert!(
            cold.bias.abs() + uncertain < warm.bias.abs(),
            "{cold:?}, {warm:?}"
        );
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        for wrong in [
            GradientConfig {
                rates: vec![0.0],
                ..config()
            },
            GradientConfig {
                rates: vec![f64::NAN],
                ..config()
            },
            GradientConfig {
                temperatures: vec![-1.0],
                ..config()
            },
            GradientConfig {
                samples: 1,
                ..config()
            },
        ] {
            assert!(gradients(&wrong).is_err(), "{wrong:?}");
        }
    }
}
