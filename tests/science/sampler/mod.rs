//! Spikes against the laws they must follow. Seeds are fixed: a test that passes keeps passing.

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

/// Mean and variance of the relaxed count (Campbell's theorem for pulses σ((1 − t)/τ)).
pub fn campbell(rate: f64, temperature: f64) -> (f64, f64) {
    let x = 1.0 / temperature;
    let scale = rate * temperature;
    let sigmoid = 1.0 / (1.0 + (-x).exp());
    (scale * softplus(x), scale * (softplus(x) - sigmoid))
}
