//! Bounds of the evidence that hold with a stated probability (second question of arXiv 2307.08613): whether they do, how far apart
//! they are, and what a free energy leaves open.
//!
//! A set is a random model whose evidence is known, a series simulated from it and a q, each factorisation in turn. The states
//! that made the series are the exact posterior sample of the upper bound (eqs. F80–F87). The page is made in `page.rs`, of what
//! `sets.rs` reads.

mod page;
mod sets;

use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use scotopic_filtering::Error;
use scotopic_filtering::bounds::{BoundSettings, Confidence, KnownEvidence, coverage_set};
use serde_json::json;

use crate::experiments::protocol::{Protocol, Settings, Size, Task, Values};

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "bounds",
    about: "bounds of the evidence with a stated probability: how often they hold, how far apart they are",
    unit: "set",
    seeds: 5,
    all_threads: false,
    arms: |_| PARTICLES.map(arm).to_vec(),
    settings,
    run,
    page: page::page,
};

/// N, one arm each, rising.
const PARTICLES: [usize; 3] = [20, 100, 500];
/// An annealed chain of Poisson latents takes 8 temperatures or more: there is one for so many particles.
const PARTICLES_PER_CHAIN: usize = 8;
/// R.
const RUNS: usize = 10;
/// δ of each of the two bounds, in percent.
const DELTA_PERCENT: f64 = 2.5;
/// Sets of a seed are numbered from so many times the seed.
const NUMBERS: u64 = 1000;

/// The kinds of models, and their names in cases.
const KINDS: [(KnownEvidence, &str); 4] = [
    (KnownEvidence::Hmm, "hidden Markov"),
    (KnownEvidence::Kalman, "linear-Gaussian"),
    (KnownEvidence::Poisson, "Poisson latents"),
    (KnownEvidence::Ar1Poisson, "counts of an autoregression"),
];

/// What a set of a kind of model is measured by, in nats per observation: ln p less the lower bound, the upper bound less ln p,
/// ln p less L of q; and how long it took, in seconds.
const MEASURES: [&str; 4] = ["below", "above", "gap", "seconds"];

/// How many sets were drawn whose evidence is not known after all (the grid does not settle): the next number is in their place.
/// That depends on the model and its data, so that it is the same for every arm.
const LEFT_OUT: &str = "left out";

fn arm(particles: usize) -> String {
    format!("particles-{particles}")
}

fn sets(size: Size) -> usize {
    size.of(2, 40, 200)
}

fn length(size: Size) -> usize {
    size.of(20, 150, 150)
}

/// The case of a kind of model under one q.
fn case(kind: &str, q: &str) -> String {
    format!("{kind}: {q}")
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("sets per seed and kind".into(), json!(sets(size))),
        ("observations".into(), json!(length(size))),
        ("runs".into(), json!(RUNS)),
        ("δ of each bound (%)".into(), json!(DELTA_PERCENT)),
        (
            "particles per annealed chain".into(),
            json!(PARTICLES_PER_CHAIN),
        ),
        ("first set of a seed: the seed times".into(), json!(NUMBERS)),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let particles = PARTICLES.into_iter().find(|n| arm(*n) == task.arm);
    let particles = particles.with_context(|| format!("there is no arm {}", task.arm))?;
    let mut values = Values::default();
    for (kind, name) in KINDS {
        let settings = BoundSettings {
            particles: match kind {
                KnownEvidence::Poisson => particles / PARTICLES_PER_CHAIN,
                _ => particles,
            },
            runs: RUNS,
            delta: DELTA_PERCENT / 100.0,
            confidence: Confidence::Product,
        };
        let (mut number, mut left_out) = (NUMBERS * task.seed, 0);
        for _ in 0..sets(task.size) {
            let clock = Instant::now();
            let found = loop {
                ensure!(!task.stop.load(Ordering::Relaxed), "interrupted");
                let drawn = coverage_set(kind, length(task.size), number, &settings);
                number += 1;
                match drawn {
                    Err(Error::Setting { field: "kind", .. }) => left_out += 1,
                    other => break other.with_context(|| format!("{name}, set {}", number - 1))?,
                }
            };
            let seconds = clock.elapsed().as_secs_f64();
            let case = case(name, &found.q);
            let each = |nats: f64| nats / found.length as f64;
            let measured = [
                each(found.exact - found.lower),
                each(found.upper - found.exact),
                each(found.exact - found.elbo),
                seconds,
            ];
            for (measure, value) in MEASURES.iter().zip(measured) {
                values.push(&case, measure, value);
            }
        }
        values.push(name, LEFT_OUT, f64::from(left_out));
    }
    Ok(values)
}
