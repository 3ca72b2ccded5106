//! What independent estimates of the evidence certify.

use serde::Serialize;

use super::settings::Confidence;
use crate::log_sum_exp;

/// A lower bound of ln p(y_1…y_T) that holds with probability 1 − δ or more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LowerBound {
    /// The bound, in nats; −∞ where no particle had a weight.
    pub nats: f64,
    /// ln Ẑ_r of each run, in nats, Ẑ_r ≥ 0 being independent with mean p(y_1…y_T).
    pub estimates: Vec<f64>,
    /// δ.
    pub delta: f64,
}

impl LowerBound {
    /// The bound that ln Ẑ_r of independent runs certify by Markov's inequality (eqs. F81, F82),
    ///
    /// ```text
    /// Product   (1/R) Σ_r ln Ẑ_r − (1/R) ln(1/δ)          Mean   ln (1/R) Σ_r Ẑ_r − ln(1/δ).
    /// ```
    pub fn of(estimates: Vec<f64>, delta: f64, confidence: Confidence) -> Self {
        let runs = estimates.len() as f64;
        let nats = match confidence {
            Confidence::Product => (estimates.iter().sum::<f64>() + delta.ln()) / runs,
            Confidence::Mean => log_sum_exp(&estimates) - runs.ln() + delta.ln(),
        };
        Self {
            nats,
            estimates,
            delta,
        }
    }
}

/// An upper bound of ln p(y_1…y_T) that holds with probability 1 − δ or more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpperBound {
    /// The bound, in nats; +∞ where q leaves out what happened.
    pub nats: f64,
    /// −ln of the mean of 1/Ẑ over the runs about each exact posterior sample, in nats.
    pub estimates: Vec<f64>,
    /// δ.
    pub delta: f64,
}

impl UpperBound {
    /// The bound that ln Ẑ of conditional runs, `[S][R]`, certify, S the independent exact posterior samples (eq. F84):
    ///
    /// ```text
    /// (1/S) Σ_s −ln[ (1/R) Σ_r 1/Ẑ_sr ] + (1/S) ln(1/δ).
    /// ```
    ///
    /// Runs about one sample are not independent of each other: they share one ln(1/δ).
    pub fn of(runs: &[Vec<f64>], delta: f64) -> Self {
        let inverse = |chain: &Vec<f64>| {
            let signs: Vec<f64> = chain.iter().map(|l| -l).collect();
            (chain.len() as f64).ln() - log_sum_exp(&signs)
        };
        let estimates: Vec<f64> = runs.iter().map(inverse).collect();
        Self {
            nats: (estimates.iter().sum::<f64>() - delta.ln()) / estimates.len() as f64,
            estimates,
            delta,
        }
    }
}

/// A free energy with the bounds about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certificate {
    /// F = −L of the fitted q, in nats.
    pub free_energy: f64,
    /// ln p is at least this.
    pub lower: LowerBound,
    /// ln p is at most this; `None` without the states that made the data.
    pub upper: Option<UpperBound>,
}

impl Certificate {
    /// The most that ln p − L can be, with probability 1 − δ: the upper bound of ln p plus F.
    pub fn largest_gap(&self) -> Option<f64> {
        self.upper
            .as_ref()
            .map(|upper| upper.nats + self.free_energy)
    }

    /// The least that ln p − L can be, with probability 1 − δ; a gap is 0 or more in any case.
    pub fn smallest_gap(&self) -> f64 {
        self.lower.nats + self.free_energy
    }

    /// Upper less lower bound, in nats.
    pub fn width(&self) -> Option<f64> {
        self.upper
            .as_ref()
            .map(|upper| upper.nats - self.lower.nats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_the_formulas() {
        let delta = 0.02f64;
        let price = (1.0 / delta).ln();
        let (a, b) = (3.0f64, 5.0f64);
        let estimates = vec![a.ln(), b.ln()];
        let product = LowerBound::of(estimates.clone(), delta, Confidence::Product);
        assert!((product.nats - ((a * b).ln() - price) / 2.0).abs() < 1e-14);
        let mean = LowerBound::of(estimates.clone(), delta, Confidence::Mean);
        assert!((mean.nats - (4.0f64.ln() - price)).abs() < 1e-14);
        let one = UpperBound::of(std::slice::from_ref(&estimates), delta);
        let harmonic = -((1.0 / a + 1.0 / b) / 2.0).ln();
        assert!((one.nats - (harmonic + price)).abs() < 1e-14);
        let two = UpperBound::of(&[vec![a.ln()], vec![b.ln()]], delta);
        assert!((two.nats - ((a * b).ln() + price) / 2.0).abs() < 1e-14);
    }

    #[test]
    fn no_weight_is_no_bound_and_no_support_is_none_either() {
        let nothing = vec![f64::NEG_INFINITY; 3];
        for confidence in [Confidence::Product, Confidence::Mean] {
            let bound = LowerBound::of(nothing.clone(), 0.1, confidence);
            assert_eq!(bound.nats, f64::NEG_INFINITY);
        }
        assert_eq!(
            UpperBound::of(&[vec![f64::INFINITY; 2]], 0.1).nats,
            f64::INFINITY
        );
    }
}
