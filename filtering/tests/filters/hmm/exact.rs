//! Exact inference in hidden Markov models against the recordings.

use crate::reference::{Recording, close, hmm, numbers, recordings};

/// Probabilities and counts: another order of adding than the recordings'.
const ROUNDING: f64 = 1e-10;

/// The emission statistics of a recording as rows of φ, `[K·P]`.
fn emission_statistics(r: &Recording) -> Vec<f64> {
    let k = r.size("K");
    let path = "exact.expected_emission_stats";
    let parts: &[&str] = match r.text("kind") {
        "categorical" => &["counts"],
        "poisson" => &["n", "sum_y"],
        "gaussian_diag" => &["n", "sum_y", "sum_y2"],
        _ => &["n", "sum_y", "sum_yy"],
    };
    let parts: Vec<Vec<f64>> = parts
        .iter()
        .map(|part| r.numbers(&format!("{path}.{part}")))
        .collect();
    (0..k)
        .flat_map(|s| {
            parts.iter().flat_map(move |part| {
                let width = part.len() / k;
                part[s * width..(s + 1) * width].to_vec()
            })
        })
        .collect()
}

#[test]
fn evidence_beliefs_and_kernels_are_those_recorded() {
    for r in recordings("hmm_") {
        let (model, sequence) = (hmm::model(&r, "params"), hmm::observations(&r));
        let filtered = model.filter(&sequence).unwrap();
        let cumulative: Vec<f64> = filtered
            .log_predictive()
            .iter()
            .scan(0.0, |sum, l| {
                *sum += l;
                Some(*sum)
            })
            .collect();
        let expected = r.numbers("exact.log_evidence_cumulative");
        close(&r.name, &cumulative, &expected, ROUNDING, ROUNDING);
        let total = r.number("exact.log_evidence");
        let found = [
            filtered.log_evidence(),
            model.log_evidence(&sequence).unwrap(),
        ];
        close(&r.name, &found, &[total; 2], ROUNDING, ROUNDING);
        let expected = r.numbers("exact.filtered");
        close(&r.name, filtered.beliefs(), &expected, ROUNDING, 0.0);
        for (t, expected) in r.rows("exact.predicted").iter().enumerate() {
            let what = format!("{} predicted {t}", r.name);
            close(
                &what,
                &filtered.predicted(t).unwrap(),
                expected,
                ROUNDING,
                0.0,
            );
        }
        for (n, expected) in r.rows("exact.backward_kernels").iter().enumerate() {
            let what = format!("{} kernel {}", r.name, n + 1);
            close(
                &what,
                &filtered.kernel(n + 1).unwrap(),
                expected,
                ROUNDING,
                0.0,
            );
        }
    }
}

#[test]
fn smoothed_marginals_and_pairs_are_those_recorded() {
    for r in recordings("hmm_") {
        let (model, sequence) = (hmm::model(&r, "params"), hmm::observations(&r));
        let smoothed = model.smooth(&sequence).unwrap();
        let expected = r.numbers("exact.smoothed");
        close(&r.name, smoothed.marginals(), &expected, ROUNDING, 0.0);
        let Some(pairs) = r.get("exact.pairwise") else {
            continue;
        };
        for (t, expected) in pairs.as_array().unwrap().iter().map(numbers).enumerate() {
            let what = format!("{} ξ_{t}", r.name);
            close(
                &what,
                &smoothed.pairwise(t).unwrap(),
                &expected,
                ROUNDING,
                0.0,
            );
        }
    }
}

#[test]
fn expectations_are_those_recorded() {
    for r in recordings("hmm_") {
        let (model, sequence) = (hmm::model(&r, "params"), hmm::observations(&r));
        let found = model.expectations(std::slice::from_ref(&sequence)).unwrap();
        let first = &r.numbers("exact.smoothed")[..model.states()];
        close(&r.name, &found.initial, first, ROUNDING, 0.0);
        let expected = r.numbers("exact.expected_transitions");
        close(&r.name, &found.transitions, &expected, ROUNDING, ROUNDING);
        let expected = emission_statistics(&r);
        close(&r.name, &found.emission, &expected, ROUNDING, ROUNDING);
        assert_eq!(found.observations, sequence.len() as u64);
        let evidence = r.number("exact.log_evidence");
        close(
            &r.name,
            &[found.log_evidence],
            &[evidence],
            ROUNDING,
            ROUNDING,
        );
    }
}

#[test]
fn the_best_path_is_the_one_recorded() {
    for r in recordings("hmm_") {
        let (model, sequence) = (hmm::model(&r, "params"), hmm::observations(&r));
        let (path, log_probability) = model.viterbi(&sequence).unwrap();
        let expected: Vec<usize> = r
            .numbers("exact.viterbi")
            .iter()
            .map(|s| *s as usize)
            .collect();
        assert_eq!(path, expected, "{}", r.name);
        let expected = r.number("exact.viterbi_logprob");
        close(&r.name, &[log_probability], &[expected], ROUNDING, ROUNDING);
    }
}
