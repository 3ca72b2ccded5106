//! One pass over long recordings: what each way of learning comes to, against the recorded runs.
//!
//! Recordings are named `long_*`; without any, these tests have nothing to say and say so.

use crate::reference::{Recording, hmm, numbers, recordings};
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{BatchEm, FixedLag, Hmm, Learn, OnlineEm, Rmle};

/// How much of the distance from the start to the true parameters, in log evidence, one pass has to make good.
const MADE_GOOD: f64 = 0.98;
/// Nats an observation: what sums in another order, amplified by twenty iterations, can differ by.
const SAME: f64 = 1e-6;

/// The long recordings that can be learned from, with their observations.
fn long() -> Vec<(Recording, Sequence)> {
    let found: Vec<_> = recordings("long_")
        .into_iter()
        .filter(|r| r.has("perturbed_init") && r.has("params"))
        .filter_map(|r| {
            let sequence = observations(&r)?;
            Some((r, sequence))
        })
        .collect();
    if found.is_empty() {
        eprintln!("skipped: no recording long_* with observations is here");
    }
    found
}

/// The array `obs` of the file of the same name: a little-endian length, a header in JSON, numbers.
fn observations(r: &Recording) -> Option<Sequence> {
    let bytes = std::fs::read(r.folder.join(format!("{}.safetensors", r.name))).ok()?;
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&rest[..length]).unwrap();
    let array = &header["obs"];
    let place = numbers(&array["data_offsets"]);
    let data = &rest[length..][place[0] as usize..place[1] as usize];
    let values: Vec<f64> = match array["dtype"].as_str().unwrap() {
        "U8" => data.iter().map(|&x| f64::from(x)).collect(),
        "F64" => data
            .chunks(8)
            .map(|x| f64::from_le_bytes(x.try_into().unwrap()))
            .collect(),
        other => panic!("{}: observations of type {other}", r.name),
    };
    let shape = numbers(&array["shape"]);
    let width = shape.get(1).map_or(1, |d| *d as usize);
    Some(Sequence::of_rows(values.chunks(width)).unwrap())
}

/// Log evidence an observation.
fn evidence(model: &Hmm, sequence: &Sequence) -> f64 {
    model.log_evidence(sequence).unwrap() / sequence.len() as f64
}

/// The recorded run of this name, nats per observation.
fn baseline(r: &Recording, run: &str) -> Option<f64> {
    let name = format!("{}_learning_baselines", r.name);
    let baselines = recordings(&name);
    baselines.first()?.get(run)?.get("ll_per_obs")?.as_f64()
}

/// The last model and the averaged one after one pass, nats per observation.
fn one_pass(r: &Recording, sequence: &Sequence, learn: &Learn) -> (f64, f64) {
    let mut learning = hmm::model(r, "perturbed_init").learn_online(learn).unwrap();
    for o in sequence.iter() {
        learning.update(o).unwrap();
    }
    let averaged = learning.averaged().unwrap();
    (
        evidence(learning.model(), sequence),
        evidence(&averaged, sequence),
    )
}

/// The least that one pass has to reach.
fn floor(r: &Recording, sequence: &Sequence) -> f64 {
    let start = evidence(&hmm::model(r, "perturbed_init"), sequence);
    let truth = evidence(&hmm::model(r, "params"), sequence);
    truth - (1.0 - MADE_GOOD) * (truth - start)
}

#[test]
fn one_pass_of_the_default_is_as_good_as_the_recorded_one() {
    for (r, sequence) in long() {
        let (last, averaged) = one_pass(&r, &sequence, &Learn::default());
        println!(
            "{}, default: last {last:.5}, averaged {averaged:.5}",
            r.name
        );
        let recorded = baseline(&r, "block_online_EM_L200_one_pass").unwrap_or(f64::NEG_INFINITY);
        let least = floor(&r, &sequence).max(recorded);
        assert!(
            last >= least && averaged >= least,
            "{}: {last} {averaged} < {least}",
            r.name
        );
    }
}

#[test]
fn one_pass_of_the_other_rules_makes_good_most_of_the_distance() {
    for (r, sequence) in long() {
        let least = floor(&r, &sequence);
        for learn in [
            Learn::OnlineEm(OnlineEm::default()),
            Learn::FixedLag(FixedLag::default()),
        ] {
            let (last, averaged) = one_pass(&r, &sequence, &learn);
            println!(
                "{}, {learn:?}: last {last:.5}, averaged {averaged:.5}",
                r.name
            );
            assert!(
                last >= least && averaged >= least,
                "{} {learn:?}: {last} {averaged}",
                r.name
            );
        }
    }
}

#[test]
fn twenty_iterations_of_em_are_those_recorded() {
    for (r, sequence) in long() {
        let em = BatchEm {
            max_iterations: 20,
            tolerance: 0.0,
            ..BatchEm::default()
        };
        let start = hmm::model(&r, "perturbed_init");
        let t = sequence.len() as f64;
        let fit = start.fit(&[sequence], &em).unwrap();
        for pair in fit.trace.windows(2) {
            assert!(
                pair[1] >= pair[0] - 1e-12 * pair[0].abs(),
                "{}: {pair:?}",
                r.name
            );
        }
        if let Some(recorded) = baseline(&r, "batch_EM_20_iters") {
            let found = fit.log_evidence() / t;
            println!("{}, batch EM: {found:.5}, recorded {recorded:.5}", r.name);
            assert!(
                found >= recorded - SAME,
                "{}: {found} is below {recorded}",
                r.name
            );
        }
    }
}

/// Scores of symbols are below 1: measuring steps by the Fisher information where it is above must change nothing.
#[test]
fn scaled_ascent_is_as_good_on_symbols_as_the_plain_one() {
    for (r, sequence) in long() {
        let run = |scaled: bool| {
            let rule = Rmle {
                scaled,
                ..Rmle::default()
            };
            one_pass(&r, &sequence, &Learn::Rmle(rule))
        };
        let (scaled, plain) = (run(true), run(false));
        eprintln!("{}: scaled {scaled:?}, plain {plain:?}", r.name);
        assert!(
            scaled.0 >= plain.0 - 1e-3,
            "{}: {scaled:?} {plain:?}",
            r.name
        );
        assert!(
            scaled.1 >= plain.1 - 1e-3,
            "{}: {scaled:?} {plain:?}",
            r.name
        );
    }
}
