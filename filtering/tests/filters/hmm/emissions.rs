//! Each emission against the recordings: log-likelihoods, M-step, score.

use crate::reference::{close, hmm, recordings};
use scotopic_filtering::hmm::Emission;

/// Sums of a few terms in another order than NumPy's.
const ROUNDING: f64 = 1e-11;

#[test]
fn log_likelihoods_are_those_recorded() {
    for r in recordings("hmm_") {
        let model = hmm::model(&r, "params");
        let sequence = hmm::observations(&r);
        let mut l = vec![0.0; model.states()];
        for (t, expected) in r.rows("exact.loglik_first_rows").iter().enumerate() {
            let Some(o) = sequence.get(t) else { continue };
            model.emission().log_likelihood(o, &mut l).unwrap();
            close(
                &format!("{} ℓ_{t}", r.name),
                &l,
                expected,
                ROUNDING,
                ROUNDING,
            );
            let top = model.emission().likelihood(o, &mut l).unwrap();
            let again: Vec<f64> = l.iter().map(|l| l.ln() + top).collect();
            for (a, e) in again.iter().zip(expected) {
                // A likelihood 700 nats below the best is zero in a double.
                assert!(
                    e - top < -700.0 || a == e || (a - e).abs() <= 1e-9,
                    "{} ℓ_{t}: {a} {e}",
                    r.name
                );
            }
        }
    }
}
