//! Hidden Markov models with known parameters.

use anyhow::Result;
use scotopic_filtering::hmm::{Categorical, Hmm};
use scotopic_filtering::rand::RngExt as _;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;
use scotopic_filtering::{Sequence, log_sum_exp};

use super::super::common::rng;
use super::sets;
use crate::experiments::protocol::{Task, Values};

/// The factorisations, by their arms.
pub const ARMS: [&str; 2] = ["reversed", "decoupled"];
/// States and length of the models whose paths are enumerated: 4⁸ = 65 536 of them.
pub const ENUMERATED: [usize; 2] = [4, 8];
/// Throws of the casino's die (Durbin, Eddy, Krogh and Mitchison 1998, section 3.2).
pub const THROWS: usize = 300;
/// Symbols of the enumerated models.
const SYMBOLS: usize = 5;

/// The case of enumerated paths.
pub const PATHS: &str = "enumerated";
/// The case of the casino.
pub const CASINO: &str = "casino";

/// Both experiments under the factorisation of an arm.
pub fn run(task: &Task, values: &mut Values) -> Result<()> {
    let name = match task.arm {
        "reversed" => "reversed",
        "decoupled" => "decoupled-lag1",
        _ => return Ok(()),
    };
    let factorisation = scotopic_filtering::hmm_factorisation(name)?;
    let casino = casino()?;
    for set in 0..sets(task.size) {
        let mut random = rng(task.seed, PATHS, set);
        let [states, length] = ENUMERATED;
        let model = draw(states, &mut random)?;
        let (_, data) = model.sample(length, &mut random)?;
        let posterior = model.posterior(&data, &factorisation)?;
        let (evidence, marginals) = enumerate(&model, &data)?;
        values.push(PATHS, "gap", evidence - posterior.elbo());
        let pairs = posterior.marginals().iter().zip(&marginals);
        let distance: f64 = pairs.map(|(q, p)| (q - p).abs()).sum();
        values.push(PATHS, "marginals", distance / (2 * length) as f64);

        let mut random = rng(task.seed, CASINO, set);
        let (states, throws) = casino.sample(THROWS, &mut random)?;
        let exact = casino.log_evidence(&throws)?;
        let mut online = casino.clone().online(&factorisation)?;
        let (mut hits, mut surprise) = (0.0, 0.0);
        for (state, throw) in states.iter().zip(throws.iter()) {
            online.update(throw)?;
            let belief = online.belief();
            hits += f64::from(u8::from(belief[*state] >= 0.5));
            surprise -= belief[*state].ln();
        }
        let length = THROWS as f64;
        values.push(CASINO, "gap", (exact - online.elbo()) / length);
        values.push(CASINO, "hits", hits / length);
        values.push(CASINO, "surprise", surprise / length);
    }
    Ok(())
}

/// The occasionally dishonest casino: a fair die and a loaded one.
fn casino() -> Result<Hmm<Categorical>> {
    let loaded = vec![0.1, 0.1, 0.1, 0.1, 0.1, 0.5];
    let dice = Categorical::new(vec![vec![1.0 / 6.0; 6], loaded])?;
    Ok(Hmm::new(
        vec![0.5, 0.5],
        vec![vec![0.95, 0.05], vec![0.1, 0.9]],
        dice,
    )?)
}

fn draw(states: usize, rng: &mut Xoshiro256PlusPlus) -> Result<Hmm<Categorical>> {
    let mut row = |entries: usize| -> Vec<f64> {
        let weights: Vec<f64> = (0..entries).map(|_| rng.random_range(0.05..1.0)).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|w| w / sum).collect()
    };
    let initial = row(states);
    let transition = (0..states).map(|_| row(states)).collect();
    let emission = (0..states).map(|_| row(SYMBOLS)).collect();
    Ok(Hmm::new(initial, transition, Categorical::new(emission)?)?)
}

/// ln p(o) and p(s_t|o) `[T·K]` as sums over all paths, by no recursion.
fn enumerate(model: &Hmm<Categorical>, data: &Sequence) -> Result<(f64, Vec<f64>)> {
    let (k, length) = (model.states(), data.len());
    let symbols: Vec<usize> = data.iter().flatten().map(|row| row[0] as usize).collect();
    let emission = model.emission().probabilities();
    let paths = k.pow(length as u32);
    let place = |path: usize, t: usize| path / k.pow(t as u32) % k;
    let joint: Vec<f64> = (0..paths)
        .map(|path| {
            let mut ln = model.initial()[place(path, 0)].ln();
            for (t, symbol) in symbols.iter().enumerate() {
                let state = place(path, t);
                ln += emission[state * SYMBOLS + symbol].ln();
                if t > 0 {
                    ln += model.transition()[place(path, t - 1) * k + state].ln();
                }
            }
            ln
        })
        .collect();
    let evidence = log_sum_exp(&joint);
    let mut marginals = vec![0.0; length * k];
    for (path, ln) in joint.iter().enumerate() {
        let weight = (ln - evidence).exp();
        for t in 0..length {
            marginals[t * k + place(path, t)] += weight;
        }
    }
    Ok((evidence, marginals))
}
