//! Models to start from, made from the data.

use rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, Gamma};

use crate::hmm::{Hmm, Learnable, PseudoObservations};
use crate::{Error, Result, Sequence};

/// A persistent chain stays in a state with a probability between these.
const STAY: std::ops::Range<f64> = 0.5..0.98;

/// The part of the other chains that are drawn from Dirichlet(1/K).
const SPARSE: f64 = 0.5;

/// An emission of so many states for these rows.
type Guess<E> = Box<dyn Fn(usize, &[&[f64]], &mut Xoshiro256PlusPlus) -> Result<E> + Send + Sync>;

/// How a kind of emission is guessed from rows.
pub(super) struct Guesses<E> {
    /// By clusters.
    pub(super) clustered: Guess<E>,
    /// At random places.
    pub(super) scattered: Guess<E>,
}

/// A stream of random numbers of its own for each start of each number of states.
pub(in crate::hmm) fn stream(
    seed: u64,
    states: usize,
    purpose: u64,
    number: usize,
) -> Xoshiro256PlusPlus {
    // Splitmix's odd constants: different arguments give unrelated seeds.
    let mixed = seed
        ^ (states as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03)
        ^ (number as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

/// Start `number`: emissions of clusters, at random, or of stretches of the series; transitions that stay, or drawn from
/// Dirichlet(1), or from Dirichlet(1/K): states that follow one another in turn. The kinds alternate.
pub(super) fn start<E: Learnable>(
    guesses: &Guesses<E>,
    states: usize,
    rows: &[&[f64]],
    sequences: &[Sequence],
    seed: u64,
    number: usize,
) -> Result<Hmm<E>> {
    let mut rng = stream(seed, states, 0, number);
    let emission = match number % 5 {
        0 | 1 => (guesses.clustered)(states, rows, &mut rng)?,
        2 => (guesses.scattered)(states, rows, &mut rng)?,
        _ => stretches(
            &(guesses.scattered)(states, rows, &mut rng)?,
            sequences,
            &mut rng,
        )?,
    };
    let persistent = matches!(number % 5, 0 | 3);
    let sparse = rng.random::<f64>() < SPARSE;
    let mut transition = Vec::with_capacity(states * states);
    for i in 0..states {
        let concentration = if sparse { 1.0 / states as f64 } else { 1.0 };
        let mut row = dirichlet(states, concentration, &mut rng)?;
        if persistent && states > 1 {
            let stay = rng.random_range(STAY);
            row.fill((1.0 - stay) / (states as f64 - 1.0));
            row[i] = stay;
        }
        transition.extend(row);
    }
    Hmm::from_flat(vec![1.0 / states as f64; states], transition, emission)
}

/// A draw from Dirichlet(`concentration`), which leaves nothing at zero.
fn dirichlet(entries: usize, concentration: f64, rng: &mut impl Rng) -> Result<Vec<f64>> {
    /// Of the mean entry: EM can leave a transition that is rarer, but hardly come back to it.
    const LEAST: f64 = 1e-3;
    let gamma = Gamma::new(concentration, 1.0)
        .map_err(|_| Error::setting("concentration", concentration, "a positive number"))?;
    let least = LEAST * concentration;
    let mut row: Vec<f64> = (0..entries).map(|_| gamma.sample(rng) + least).collect();
    let total: f64 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= total);
    Ok(row)
}

/// The emission whose state j is what a stretch of the series, at a place and of a length drawn for it, looks like: states
/// that differ in spread or in rare symbols, which clusters of single rows do not show.
fn stretches<E: Learnable>(guess: &E, sequences: &[Sequence], rng: &mut impl Rng) -> Result<E> {
    const SHORTEST: f64 = 8.0;
    let (k, p) = (guess.states(), guess.statistic_len());
    let mut statistics = vec![0.0; k * p];
    let mut workspace = vec![0.0; p];
    let total: usize = sequences.iter().map(Sequence::len).sum();
    for j in 0..k {
        let mut weights = vec![0.0; k];
        weights[j] = 1.0;
        let mut at = rng.random_range(0..total);
        let mut part = sequences.iter();
        let sequence = loop {
            match part.next() {
                Some(sequence) if at < sequence.len() => break sequence,
                Some(sequence) => at -= sequence.len(),
                None => return Ok(guess.clone()),
            }
        };
        let longest = (sequence.len() as f64 / k as f64).max(SHORTEST + 1.0);
        let length = (SHORTEST * (longest / SHORTEST).powf(rng.random::<f64>())) as usize;
        for t in at..(at + length).min(sequence.len()) {
            if let Some(row) = sequence.get(t) {
                guess.accumulate(row, &weights, &mut workspace, &mut statistics);
            }
        }
    }
    guess.maximise(&statistics, PseudoObservations::of_data(1.0))
}
