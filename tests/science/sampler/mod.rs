//! Spikes against the laws they must follow. Seeds are fixed: a test that passes keeps passing.

use scotopic::ops::Indicator;

mod across;
mod edges;
mod law;
mod parts;
mod relaxed;
mod unit;

/// How many standard errors an estimate may be off. Two-sided, one in 1.7 million by chance.
pub const STANDARD_ERRORS: f64 = 5.0;

/// ln(1 + eˣ) for the arguments used here.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Mean and variance of the relaxed count at τ ≤ 1 (Campbell's theorem for pulses f((1 − t)/τ), eq. I27).
pub fn campbell(rate: f64, indicator: Indicator, temperature: f64) -> (f64, f64) {
    let lost = match indicator {
        Indicator::Sigmoid => {
            let x = 1.0 / temperature;
            let scale = rate * temperature;
            let sigmoid = 1.0 / (1.0 + (-x).exp());
            return (scale * softplus(x), scale * (softplus(x) - sigmoid));
        }
        Indicator::Linear => 1.0 / 3.0,
        Indicator::Cubic => 9.0 / 35.0,
        Indicator::Quintic => 50.0 / 231.0,
        Indicator::Cosine => 0.25,
    };
    (rate, rate * (1.0 - lost * temperature))
}
