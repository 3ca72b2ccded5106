//! Curves over training, iteration by iteration.

use scotopic::{Ramp, WarmupCosine};

use super::{DOUBLE, recordings};

#[test]
fn every_iteration() {
    let mut found = 0;
    for recording in recordings() {
        let Some(curves) = recording.tensors("schedules.f64") else {
            continue;
        };
        found += 1;
        let settings = &recording.index["schedules"];
        let number = |key: &str| settings[key].as_f64().expect("a number");
        let (hold, duration) = (number("kl_const_portion"), number("kl_anneal_portion"));
        let rate = WarmupCosine {
            peak: number("base_lr"),
            warmup: number("warmup_portion"),
            floor: number("eta_min"),
        };
        let temperature = Ramp {
            from: number("temp_start"),
            to: number("temp_stop"),
            hold: 0.0,
            duration: number("temp_anneal_portion"),
        };
        let beta = Ramp {
            from: number("kl_beta_min"),
            to: number("beta_outer"),
            hold,
            duration,
        };
        let opening = Ramp {
            from: 0.0,
            to: 1.0,
            hold,
            duration,
        };
        compare("lr", curves.values("lr"), |i, n| rate.at(i, n));
        compare("temp", curves.values("temp"), |i, n| temperature.at(i, n));
        compare("beta", curves.values("beta"), |i, n| beta.at(i, n));
        compare("eps", curves.values("eps"), |i, n| opening.at(i, n));
    }
    assert!(found > 0, "no schedules were found");
}

/// Every single value, relative to itself.
fn compare(name: &str, recorded: &[f64], ours: impl Fn(usize, usize) -> f64) {
    let n = recorded.len();
    for (i, &expected) in recorded.iter().enumerate() {
        let ours = ours(i, n);
        assert!(
            (ours - expected).abs() <= DOUBLE * expected.abs(),
            "{name} at {i} of {n}: {ours:e}, recorded {expected:e}"
        );
    }
}
