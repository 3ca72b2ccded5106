//! A custom state-space model: filtered, learned while filtering, and compared with the functions of
//! `scotopic compare`.
//!
//! Log-abundance x of a population that grows to a capacity, counted in samples (Ricker's model):
//!
//! ```text
//! x_t = x_{t−1} + r (1 − exp x_{t−1}) + N(0, q),   y_t ~ Poisson(c exp x_t)
//! ```
//!
//! `cargo run --release -p scotopic-filtering --example custom_state_space`

use rand_distr::{Distribution, Poisson};
use scotopic_filtering::nonlinear::{
    ElboKind, LearningConfig, NonlinearConfig, NonlinearFilter, NonlinearLearning, Simulate,
    StateSpace, compare, simulate,
};
use scotopic_filtering::rand::{Rng, SeedableRng, rngs::SmallRng};
use scotopic_filtering::{Error, Filter, Result, Sequence};

/// A population with growth rate r, which is learned, and c counts at capacity.
#[derive(Debug, Clone)]
struct Population {
    growth: f64,
    counted: f64,
    noise: [f64; 1],
    start: [f64; 1],
    spread: [f64; 1],
}

impl Population {
    fn new(growth: f64) -> Self {
        Self {
            growth,
            counted: 30.0,
            noise: [0.02],
            start: [-1.0],
            spread: [0.25],
        }
    }
}

impl StateSpace for Population {
    fn dim(&self) -> usize {
        1
    }

    fn observed(&self) -> usize {
        1
    }

    fn initial_mean(&self) -> &[f64] {
        &self.start
    }

    fn initial_covariance(&self) -> &[f64] {
        &self.spread
    }

    fn noise(&self) -> &[f64] {
        &self.noise
    }

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        into[0] = state[0] + self.growth * (1.0 - state[0].exp());
    }

    // Optional, as are the derivatives of the likelihood: without them the filter takes central differences.
    fn mean_slope(&self, state: &[f64], into: &mut [f64]) {
        into[0] = 1.0 - self.growth * state[0].exp();
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let (y, rate) = (observation[0], self.counted * state[0].exp());
        y * rate.ln() - rate - libm::lgamma(y + 1.0)
    }

    // Optional: what forecasts need.
    fn observation_moments(&self, state: &[f64], mean: &mut [f64], variance: &mut [f64]) -> bool {
        mean[0] = self.counted * state[0].exp();
        variance[0] = mean[0];
        true
    }

    fn check(&self, observation: &[f64]) -> Result<()> {
        match observation {
            [y] if *y >= 0.0 && y.fract() == 0.0 => Ok(()),
            other => Err(Error::Observation {
                index: 0,
                entry: 0,
                found: format!("{other:?}"),
                expected: "one count".to_owned(),
            }),
        }
    }

    // What learning needs: θ = r, and the derivative of ln p(x_t|x_{t−1}) by it.
    fn parameters_len(&self) -> usize {
        1
    }

    fn parameters(&self, into: &mut [f64]) {
        into[0] = self.growth;
    }

    fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        self.growth = theta[0];
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let mut mean = [0.0];
        self.mean(previous, &mut mean);
        into[0] = (state[0] - mean[0]) / self.noise[0] * (1.0 - previous[0].exp());
    }
}

impl Simulate for Population {
    fn draw<R: Rng + ?Sized>(&self, state: &[f64], rng: &mut R, into: &mut [f64]) {
        let rate = self.counted * state[0].exp();
        into[0] = Poisson::new(rate).map_or(0.0, |law| law.sample(rng));
    }
}

/// The root mean squared error of one-step forecasts, of any filter.
fn forecast_error(filter: &mut impl Filter, data: &Sequence) -> Result<f64> {
    let (mut squares, mut count) = (0.0, 0.0);
    for row in data.iter() {
        let forecast = filter.predicted_observation()?.moments();
        if let Some(y) = row {
            squares += (y[0] - forecast.mean[0]).powi(2);
            count += 1.0;
        }
        filter.update(row)?;
    }
    Ok((squares / f64::max(count, 1.0)).sqrt())
}

fn main() -> Result<()> {
    let truth = Population::new(0.4);
    let (_, data) = simulate(&truth, 4000, &mut SmallRng::seed_from_u64(1))?;
    let mut first = Sequence::new(1)?;
    for row in data.iter().take(200) {
        first.push(row)?;
    }

    let config = NonlinearConfig::default();
    let mut filter = NonlinearFilter::new(truth.clone(), config.clone())?;
    let error = forecast_error(&mut filter, &data)?;
    let nats = filter.elbo() / data.len() as f64;
    println!("r known: {nats:.4} nats per observation, forecasts off by {error:.3} counts");

    let how = LearningConfig::default();
    let mut learning = NonlinearLearning::new(Population::new(0.1), config, how)?;
    let error = forecast_error(&mut learning, &data)?;
    let found = learning.average()[0];
    println!("r learned from 0.1: {found:.3} (true 0.4), forecasts off by {error:.3} counts");
    assert!((found - 0.4).abs() < 0.05, "learning found {found}");

    println!("bound      F, nats   gap to ln p   µs per update");
    for (name, elbo) in [
        ("reversed", ElboKind::Reversed),
        ("jelbo", ElboKind::Jelbo),
        ("vjf", ElboKind::Vjf),
    ] {
        let row = compare(&truth, &first, name, elbo)?.row;
        let gap = row.gap.unwrap_or(f64::NAN);
        println!(
            "{name:<9} {:>9.3}   {gap:>11.4}   {:>13.1}",
            row.free_energy, row.micros
        );
    }
    Ok(())
}
