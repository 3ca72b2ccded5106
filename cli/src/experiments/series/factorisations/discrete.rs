//! Hidden Markov models drawn at random, with their parameters known and learned.

use std::time::Instant;

use anyhow::Result;
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{BatchEm, Categorical, Factorisation, Hmm};
use scotopic_filtering::rand::RngExt as _;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;

use super::super::common::rng;
use super::{DYNAMICS, LENGTHS, discrete_factorisation, learned_sets, median, online_cost, sets};
use crate::experiments::protocol::{Task, Values};

/// K.
pub const STATES: [usize; 4] = [2, 4, 8, 16];
/// K whose parameters are also learned, from series of [`LEARNED_LENGTH`].
pub const LEARNED_STATES: [usize; 2] = [2, 4];
/// Observations of a series to learn from, and of the fresh one that scores what was learned.
pub const LEARNED_LENGTH: usize = 400;
/// Symbols of the emissions.
pub const SYMBOLS: usize = 8;
/// The probability to stay in a state of a sticky chain.
pub const STAY: f64 = 0.95;
/// Iterations of variational EM at most.
pub const EM_ITERATIONS: usize = 100;
/// Added to every count: a symbol that a state never showed is not impossible.
pub const PSEUDO_COUNT: f64 = 0.1;

/// The name of a case.
pub fn case(states: usize, dynamics: &str, length: usize) -> String {
    format!("K={states} {dynamics} T={length}")
}

/// The name of a case whose parameters are learned.
pub fn learned_case(states: usize, dynamics: &str) -> String {
    format!("K={states} {dynamics} learned")
}

/// All cases under the factorisation of this name; nothing for an empty one.
pub fn run(task: &Task, name: &str, values: &mut Values) -> Result<()> {
    if name.is_empty() {
        return Ok(());
    }
    let factorisation = discrete_factorisation(name, 1)?;
    let learning = discrete_factorisation(name, 0)?;
    for states in STATES {
        for dynamics in DYNAMICS {
            for length in LENGTHS {
                let case = case(states, dynamics, length);
                let (mut micros, mut memory) = (Vec::new(), 0.0);
                for set in 0..sets(task.size) {
                    let mut rng = rng(task.seed, &case, set);
                    let model = draw(states, dynamics, &mut rng)?;
                    let (_, data) = model.sample(length, &mut rng)?;
                    let (time, carried) = known(&model, &data, &factorisation, &case, values)?;
                    micros.push(time);
                    memory = carried;
                }
                values.push(&case, "micros", median(micros));
                values.push(&case, "bytes", memory);
            }
            if LEARNED_STATES.contains(&states) {
                let case = learned_case(states, dynamics);
                for set in 0..learned_sets(task.size) {
                    let mut rng = rng(task.seed, &case, set);
                    let truth = draw(states, dynamics, &mut rng)?;
                    learn(&truth, &learning, &case, &mut rng, values)?;
                }
            }
        }
    }
    Ok(())
}

/// Rows of probabilities from Dirichlet(1): exponentials over their sum.
fn simplex(entries: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
    let draws: Vec<f64> = (0..entries)
        .map(|_| -(1.0 - rng.random::<f64>()).ln() + f64::MIN_POSITIVE)
        .collect();
    let sum: f64 = draws.iter().sum();
    draws.iter().map(|x| x / sum).collect()
}

fn draw(states: usize, dynamics: &str, rng: &mut Xoshiro256PlusPlus) -> Result<Hmm<Categorical>> {
    let mut transition: Vec<Vec<f64>> = (0..states).map(|_| simplex(states, rng)).collect();
    if dynamics == "sticky" {
        for (i, row) in transition.iter_mut().enumerate() {
            row.iter_mut().for_each(|p| *p *= 1.0 - STAY);
            row[i] += STAY;
        }
    }
    let emission = (0..states).map(|_| simplex(SYMBOLS, rng)).collect();
    let initial = vec![1.0 / states as f64; states];
    Ok(Hmm::new(initial, transition, Categorical::new(emission)?)?)
}

/// The gap, the error of the marginals and the sweeps; µs an observation and bytes.
fn known(
    model: &Hmm<Categorical>,
    data: &Sequence,
    factorisation: &Factorisation,
    case: &str,
    values: &mut Values,
) -> Result<(f64, f64)> {
    let exact = model.smooth(data)?;
    let clock = Instant::now();
    let posterior = model.posterior(data, factorisation)?;
    let batch = clock.elapsed().as_secs_f64();
    let length = data.len() as f64;
    values.push(
        case,
        "gap",
        (exact.log_evidence() - posterior.elbo()) / length,
    );
    // Total variation: half the sum of the differences, mean over times.
    let pairs = posterior.marginals().iter().zip(exact.marginals());
    let distance = pairs.map(|(q, p)| (q - p).abs()).sum::<f64>() / (2.0 * length);
    values.push(case, "marginals", distance);
    let ascends = matches!(
        factorisation,
        Factorisation::FullyFactorised(_) | Factorisation::Block { .. }
    );
    if ascends {
        values.push(
            case,
            "sweeps",
            posterior.trace().len().saturating_sub(1) as f64,
        );
    }
    let k = model.states();
    let carried = if posterior.is_product() { 1 } else { 1 + k };
    let batch_cost = (1e6 * batch / length, (8 * data.len() * k * carried) as f64);
    match model.clone().online(factorisation) {
        Ok(mut online) => online_cost(&mut online, data),
        Err(_) => Ok(batch_cost),
    }
}

/// Variational EM from half the truth and half ignorance.
fn learn(
    truth: &Hmm<Categorical>,
    factorisation: &Factorisation,
    case: &str,
    rng: &mut Xoshiro256PlusPlus,
    values: &mut Values,
) -> Result<()> {
    let (_, data) = truth.sample(LEARNED_LENGTH, rng)?;
    let (_, fresh) = truth.sample(LEARNED_LENGTH, rng)?;
    let half = |p: &f64, entries: usize| 0.5 * p + 0.5 / entries as f64;
    let k = truth.states();
    let transition: Vec<f64> = truth.transition().iter().map(|p| half(p, k)).collect();
    let emission = truth.emission().probabilities();
    let emission: Vec<Vec<f64>> = emission
        .chunks(SYMBOLS)
        .map(|row| row.iter().map(|p| half(p, SYMBOLS)).collect())
        .collect();
    let initial = truth.initial().to_vec();
    let start = Hmm::from_flat(initial, transition, Categorical::new(emission)?)?;
    let em = BatchEm {
        max_iterations: EM_ITERATIONS,
        pseudo_count: PSEUDO_COUNT,
        ..BatchEm::default()
    };
    let fit = start.fit_under(&[data], factorisation, &em)?;
    let (a, b) = fit
        .model
        .parameter_error(truth)
        .unwrap_or((f64::NAN, f64::NAN));
    let lost = truth.log_evidence(&fresh)? - fit.model.log_evidence(&fresh)?;
    for (measure, value) in [
        ("A", a),
        ("B", b),
        ("updates", fit.iterations as f64),
        ("lost", lost / LEARNED_LENGTH as f64),
    ] {
        values.push(case, measure, value);
    }
    Ok(())
}
