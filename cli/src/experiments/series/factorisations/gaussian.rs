//! Linear-Gaussian models: a damped rotation of two states, seen in two noisy mixtures.
//!
//! ```text
//! F = ρ [cos φ, −sin φ; sin φ, cos φ],  Q = (1 − ρ²) I,  H of random rows,  R = ½ I;  the states have unit variance
//! ```

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{GaussianFactorisation, LinearGaussian};
use scotopic_filtering::rand::RngExt as _;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;

use super::super::common::rng;
use super::{DYNAMICS, LENGTHS, median, online_cost, sets};
use crate::experiments::protocol::{Task, Values};

/// ρ of chains that stay, and of chains that mix.
const DAMPING: [f64; 2] = [0.98, 0.5];
/// R, on its diagonal.
const OBSERVATION_NOISE: f64 = 0.5;

/// The name of a case.
pub fn case(dynamics: &str, length: usize) -> String {
    format!("linear {dynamics} T={length}")
}

/// All cases under the factorisation of this name; nothing for an empty one.
pub fn run(task: &Task, name: &str, values: &mut Values) -> Result<()> {
    if name.is_empty() {
        return Ok(());
    }
    let factorisation = scotopic_filtering::gaussian_factorisation(name)?;
    for (dynamics, damping) in DYNAMICS.iter().zip(DAMPING) {
        for length in LENGTHS {
            let case = case(dynamics, length);
            let (mut micros, mut memory) = (Vec::new(), 0.0);
            for set in 0..sets(task.size) {
                let mut rng = rng(task.seed, &case, set);
                let model = draw(damping, &mut rng)?;
                let (_, data) = model.sample(length, &mut rng)?;
                let (time, carried) = known(&model, &data, factorisation, &case, values)?;
                micros.push(time);
                memory = carried;
            }
            values.push(&case, "micros", median(micros));
            values.push(&case, "bytes", memory);
        }
    }
    Ok(())
}

fn draw(damping: f64, rng: &mut Xoshiro256PlusPlus) -> Result<LinearGaussian> {
    let angle: f64 = rng.random_range(0.1..0.6);
    let (sine, cosine) = (damping * angle.sin(), damping * angle.cos());
    let noise = 1.0 - damping * damping;
    let row =
        |rng: &mut Xoshiro256PlusPlus| [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)];
    let observation = [row(rng), row(rng)];
    Ok(LinearGaussian::from_rows(
        &[[cosine, -sine], [sine, cosine]],
        &[[noise, 0.0], [0.0, noise]],
        &observation,
        &[[OBSERVATION_NOISE, 0.0], [0.0, OBSERVATION_NOISE]],
    )?)
}

/// The gap and the error of the smoothed means; µs an observation and bytes.
pub fn known(
    model: &LinearGaussian,
    data: &Sequence,
    factorisation: GaussianFactorisation,
    case: &str,
    values: &mut Values,
) -> Result<(f64, f64)> {
    let length = data.len() as f64;
    let exact = model.smooth(data)?;
    let clock = Instant::now();
    let posterior = model.posterior(data, factorisation)?;
    let batch = clock.elapsed().as_secs_f64();
    values.push(case, "gap", posterior.gap() / length);
    let pairs = posterior.marginals().iter().zip(exact.smoothed());
    let squares = pairs.map(|(q, p)| (q.mean() - p.mean()).norm_squared());
    let n = model.states();
    values.push(
        case,
        "marginals",
        (squares.sum::<f64>() / (length * n as f64)).sqrt(),
    );
    let batch_cost = (1e6 * batch / length, 8.0 * length * (n * (1 + n)) as f64);
    match model.clone().online(factorisation) {
        Ok(mut online) => online_cost(&mut online, data),
        Err(_) => Ok(batch_cost),
    }
}
