//! Saved filters that were damaged and signed again: each is refused, or goes on without a panic.
//!
//! Every place of a snapshot is replaced in turn by what cannot be there, or hardly: numbers that are none, negative, huge or
//! tiny, lists that are empty, shorter or longer, keys that are missing. Where there are more such changes than are tried, which
//! ones is decided by a seed.

mod changes;
mod filters;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ciborium::Value;
use scotopic_filtering::Filter;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use serde::{Serialize, de::DeserializeOwned};

use changes::{changed, places};

/// Changes tried of each filter; `SCOTOPIC_DAMAGES` tries more.
const TRIED: usize = 1500;
/// Changes so few steps from the root are all tried before others.
const NEAR: usize = 4;
/// A filter of a few states takes microseconds; what takes so long is a loop or an allocation without bound.
const SLOW: Duration = Duration::from_secs(5);

/// What is being tried, and since when.
static TRYING: Mutex<Option<(String, Instant)>> = Mutex::new(None);

/// Ends the process with the name of a change that takes for ever, which no test of its own thread could.
fn watch() {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            if let Some((what, begun)) = &*TRYING.lock().unwrap()
                && begun.elapsed() > SLOW
            {
                eprintln!("{what} takes for ever");
                std::process::exit(1);
            }
        }
    });
}

/// Where the newest panic was: the panics tried for are not printed.
static PANICKED: Mutex<String> = Mutex::new(String::new());

fn bytes(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// Restores a filter and goes on with it; whether it was taken.
fn goes_on<F: Filter + Serialize + DeserializeOwned>(snapshot: &Value, rows: &[Vec<f64>]) -> bool {
    let Ok(mut filter) = ciborium::from_reader::<F, _>(&bytes(snapshot)[..]) else {
        return false;
    };
    for t in 0..3 {
        let row = &rows[t % rows.len()];
        let _ = filter.predicted_observation();
        let _ = filter.signal();
        let _ = filter.belief();
        // A row of the width that the damaged filter has now, and one that is missing.
        let row: Vec<f64> = (0..filter.width().min(row.len())).map(|k| row[k]).collect();
        let before = filter.elbo();
        if let Ok(step) = filter.update((t != 1).then_some(&row)) {
            let none = !before.is_nan() && step.elbo.is_nan();
            assert!(!none, "an evidence of {} after {before}", step.elbo);
        }
    }
    bytes(&filter);
    true
}

/// Fails unless `filter` survives every change of its snapshot.
fn survives<F: Filter + Serialize + DeserializeOwned>(name: &str, filter: &F, rows: &[Vec<f64>]) {
    let whole: Value = ciborium::from_reader(&bytes(filter)[..]).unwrap();
    assert!(
        goes_on::<F>(&whole, rows),
        "{name} is not restored as it is"
    );
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut all = places(&whole);
    all.shuffle(&mut rng);
    let tried = std::env::var("SCOTOPIC_DAMAGES")
        .ok()
        .and_then(|n| n.parse().ok());
    // Near the root all: what is there holds for everything below.
    all.sort_by_key(|change| change.depth() > NEAR);
    all.truncate(tried.unwrap_or(TRIED));
    let mut failures = Vec::new();
    for change in &all {
        let value = changed(&whole, change);
        *TRYING.lock().unwrap() = Some((format!("{name}: {change}"), Instant::now()));
        let outcome = catch_unwind(AssertUnwindSafe(|| goes_on::<F>(&value, rows)));
        *TRYING.lock().unwrap() = None;
        if outcome.is_err() {
            let what = PANICKED.lock().unwrap().clone();
            failures.push(format!("{change}: {what}"));
        }
    }
    failures.sort();
    assert!(
        failures.is_empty(),
        "{name}: {} of {} changes\n{}",
        failures.len(),
        all.len(),
        failures.join("\n")
    );
}

/// Runs all, and says of all that fail.
fn every(filters: Vec<(String, Box<dyn Fn() + '_>)>) {
    std::panic::set_hook(Box::new(|panic| {
        *PANICKED.lock().unwrap() = panic.to_string();
    }));
    watch();
    let mut failed = Vec::new();
    for (name, run) in &filters {
        if let Err(error) = catch_unwind(AssertUnwindSafe(run)) {
            let said = error.downcast_ref::<String>().cloned();
            failed.push(said.unwrap_or_else(|| name.clone()));
        }
    }
    let _ = std::panic::take_hook();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

// One test: the hook that keeps panics quiet is of the whole process.
#[test]
fn damaged_snapshots_are_refused_or_go_on() {
    let filters = filters::all();
    let runs = filters.iter().map(|named| {
        let run: Box<dyn Fn() + '_> =
            Box::new(|| survives(&named.name, &named.filter, &named.rows));
        (named.name.clone(), run)
    });
    let schemes = filters::schemes();
    let more = [
        (
            "dem",
            Box::new(|| survives("dem", &schemes.dem, &schemes.rows)) as Box<dyn Fn() + '_>,
        ),
        (
            "kalman-bucy",
            Box::new(|| survives("kalman-bucy", &schemes.kalman_bucy, &schemes.rows)),
        ),
        (
            "network",
            Box::new(|| survives("network", &schemes.network, &schemes.rows)),
        ),
        (
            "network, adaptive",
            Box::new(|| survives("network, adaptive", &schemes.adaptive, &schemes.rows)),
        ),
        (
            "hmm filter",
            Box::new(|| survives("hmm filter", &schemes.hmm, &schemes.rows)),
        ),
        (
            "kalman",
            Box::new(|| survives("kalman", &schemes.kalman, &schemes.rows)),
        ),
    ];
    every(
        runs.chain(more.map(|(name, run)| (name.to_owned(), run)))
            .collect(),
    );
}
