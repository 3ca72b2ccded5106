//! Where outputs and inputs are counted from, and in what units, changes nothing of what is learned.

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    AnyEmission, Autoregression, FitSettings, FullGaussian, Hmm, Learn, LinearRegression,
    LogisticRegression, PoissonRegression,
};

use super::Case;

/// As good as noise of mean 0 and variance 1, in steps of 2^-16, so that offsets take no digits of it.
fn noise(t: usize) -> f64 {
    let of = |by: f64| (t as f64 * by).fract() - 0.5;
    let sum = of(0.618_033_988_749_895) + of(0.414_213_562_373_095) + of(0.259_921_049_894_873);
    (2.0 * sum * 65536.0).round() / 65536.0
}

/// Runs of 50 rows of either state: y = 2u or 1 − 2u, with noise.
fn lines(rows: usize, (y_unit, y_offset): (f64, f64), (u_unit, u_offset): (f64, f64)) -> Sequence {
    let row = |t: usize| {
        let u = noise(t + 5000);
        let y = if (t / 50).is_multiple_of(2) {
            2.0 * u
        } else {
            1.0 - 2.0 * u
        } + 0.5 * noise(t);
        [y_offset + y_unit * y, u_offset + u_unit * u]
    };
    Sequence::of_rows((0..rows).map(row)).unwrap()
}

fn hmm(emission: impl Into<AnyEmission>) -> Hmm {
    let transition = vec![vec![0.9, 0.1], vec![0.2, 0.8]];
    Hmm::new(vec![0.5, 0.5], transition, emission.into()).unwrap()
}

/// Weights (0, 1) and (1, −1) of the plain rows, for rows in other units and from another origin.
fn weights(y: (f64, f64), u: (f64, f64)) -> Vec<Vec<f64>> {
    let of = |constant: f64, slope: f64| {
        let slope = slope * y.0 / u.0;
        vec![constant * y.0 + y.1 - slope * u.1, slope]
    };
    vec![of(0.0, 1.0), of(1.0, -1.0)]
}

fn line(y: (f64, f64), u: (f64, f64)) -> Hmm {
    let line = LinearRegression::new(vec!["u".to_owned()], weights(y, u)).unwrap();
    hmm(line.with_variances(vec![y.0 * y.0; 2]).unwrap())
}

fn rule(name: &str) -> Learn {
    serde_json::from_str(&format!("{{\"rule\": \"{name}\"}}")).unwrap()
}

/// The prequential ln p.
fn learned(model: Hmm, data: &Sequence, rule: &Learn) -> f64 {
    let data = data.clone();
    let data = match scotopic_filtering::hmm::Emission::lags(model.emission()) {
        0 => data,
        lags => data.with_lags(lags).unwrap(),
    };
    let mut learning = model.learn_online(rule).unwrap();
    for row in data.iter() {
        learning.update(row).unwrap();
    }
    learning.elbo()
}

const PLAIN: (f64, f64) = (1.0, 0.0);

#[test]
fn a_line_is_learned_wherever_outputs_are_counted_from() {
    for name in ["block-online-em", "rmle"] {
        let run = |offset: f64| {
            let y = (1.0, offset);
            learned(line(y, PLAIN), &lines(1200, y, PLAIN), &rule(name))
        };
        let here = run(0.0);
        for offset in [100.0, -1e3, 1e4, 1e6] {
            let there = run(offset);
            assert!(
                (there / here - 1.0).abs() < 1e-6,
                "{name} {offset}: {there} and {here}"
            );
        }
    }
}

#[test]
fn an_autoregression_is_learned_wherever_it_is_counted_from() {
    let model = |unit: f64, offset: f64| {
        let emission = Autoregression::new(
            vec![vec![0.5 * offset], vec![offset]],
            vec![vec![vec![vec![0.5]]], vec![vec![vec![0.0]]]],
            vec![vec![vec![unit * unit]]; 2],
        );
        hmm(emission.unwrap())
    };
    let data = |unit: f64, offset: f64| {
        let mut x = 0.0;
        let row = |t: usize| {
            let (a, s) = if (t / 50).is_multiple_of(2) {
                (-0.3, 0.5)
            } else {
                (0.8, 1.0)
            };
            x = a * x + s * noise(t);
            // No more digits than an offset leaves.
            x = (x * 65536.0).round() / 65536.0;
            unit * x + offset
        };
        Sequence::of_numbers((0..1200).map(row)).unwrap()
    };
    for name in ["block-online-em", "rmle"] {
        let run =
            |unit: f64, offset: f64| learned(model(unit, offset), &data(unit, offset), &rule(name));
        let here = run(1.0, 0.0);
        for offset in [100.0, -1e3, 1e4, 1e6] {
            let there = run(1.0, offset);
            assert!(
                (there / here - 1.0).abs() < 1e-6,
                "{name} {offset}: {there} and {here}"
            );
        }
        let unit = 2f64.powi(20);
        // The first row has no lag, and no density.
        let there = run(unit, 0.0) + 1199.0 * unit.ln();
        assert!(
            (there / here - 1.0).abs() < 1e-9,
            "{name}: {there} and {here}"
        );
    }
}

#[test]
fn ascent_along_the_score_has_no_units() {
    let run = |y, u| learned(line(y, u), &lines(1200, y, u), &rule("rmle"));
    let here = run(PLAIN, PLAIN);
    // It learns: the model as it is has less.
    let fixed = line(PLAIN, PLAIN)
        .log_evidence(&lines(1200, PLAIN, PLAIN))
        .unwrap();
    assert!(here > fixed + 50.0, "{here} and {fixed}");
    for u in [
        (1e3, 0.0),
        (1e-3, 0.0),
        (1.0, 10.0),
        (1.0, -1e3),
        (1e3, 1e4),
    ] {
        let there = run(PLAIN, u);
        // One observation alone leaves a slope to rounding: 1e-16/1e-13 of the first step.
        assert!(
            (there / here - 1.0).abs() < 1e-5,
            "{u:?}: {there} and {here}"
        );
    }
    let unit = 2f64.powi(20);
    let there = run((unit, 0.0), PLAIN) + 1200.0 * unit.ln();
    assert!((there / here - 1.0).abs() < 1e-12, "{there} and {here}");
}

#[test]
fn ascent_of_counts_and_choices_has_no_units_of_inputs() {
    let data = |counts: bool, u: (f64, f64)| {
        let plain = lines(1200, PLAIN, PLAIN);
        let row = |row: &[f64]| {
            let y = match counts {
                true => (row[0] + 2.0).max(0.0).round(),
                false => f64::from(u8::from(row[0] > 0.5)),
            };
            [y, u.1 + u.0 * row[1]]
        };
        Sequence::of_rows(plain.iter().flatten().map(row)).unwrap()
    };
    let names = || vec!["u".to_owned()];
    for counts in [true, false] {
        let run = |u: (f64, f64)| {
            let model = match counts {
                true => hmm(PoissonRegression::new(names(), weights(PLAIN, u)).unwrap()),
                false => hmm(LogisticRegression::new(names(), weights(PLAIN, u)).unwrap()),
            };
            learned(model, &data(counts, u), &rule("rmle"))
        };
        let here = run(PLAIN);
        for u in [(1e3, 0.0), (1.0, 10.0), (1.0, -1e3)] {
            let there = run(u);
            assert!(
                (there / here - 1.0).abs() < 1e-5,
                "{counts} {u:?}: {there} and {here}"
            );
        }
    }
}

/// Two columns that vary together in one state, from a start where they do not.
#[test]
fn ascent_learns_covariances() {
    let row = |t: usize| {
        let (a, b) = (noise(t), noise(t + 7000));
        match t / 50 % 2 {
            0 => [a, 0.9 * a + 0.3 * b],
            _ => [4.0 + 0.5 * a, 4.0 + 0.5 * b],
        }
    };
    let data = Sequence::of_rows((0..20_000).map(row)).unwrap();
    let one = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    let start = FullGaussian::new(vec![vec![0.0, 0.0], vec![3.0, 3.0]], vec![one.clone(), one]);
    let mut learning = hmm(start.unwrap()).learn_online(&rule("rmle")).unwrap();
    for row in data.iter() {
        learning.update(row).unwrap();
    }
    let averaged = learning.averaged().unwrap();
    let AnyEmission::FullGaussian(found) = averaged.emission() else {
        panic!("another emission");
    };
    // Those of the rows of either state, which are told apart by their means.
    let exact = |state: usize, i: usize, j: usize| {
        let own = (0..20_000).filter(|t| t / 50 % 2 == state).map(row);
        let n = 10_000.0;
        let mean = |i: usize| own.clone().map(|r| r[i] / n).sum::<f64>();
        own.clone().map(|r| r[i] * r[j] / n).sum::<f64>() - mean(i) * mean(j)
    };
    for (at, found) in found.covariances().iter().enumerate() {
        let exact = exact(at / 4, at / 2 % 2, at % 2);
        // Ascent follows the last thousand observations: √(2/1000) of 1, twice over.
        assert!((found - exact).abs() < 0.1, "{at}: {found} and {exact}");
    }
}

#[test]
fn a_fit_finds_its_maximum_wherever_inputs_are_counted_from() {
    for case in Case::all() {
        for states in [1, 2] {
            let settings = FitSettings {
                restarts: 3,
                ..case.settings.clone()
            };
            let fit = |offset: f64| {
                let moved = case.data[0].iter().flatten().map(|row| {
                    let mut row = row.to_vec();
                    row[1] = (row[1] * 65536.0).round() / 65536.0 + offset;
                    row
                });
                let data = [Sequence::of_rows(moved).unwrap()];
                let fit = Hmm::fit_states(case.kind, states, &data, &settings).unwrap();
                // A model of a file goes on from there.
                let text = serde_json::to_string(&fit.model).unwrap();
                let read: Hmm = serde_json::from_str(&text).unwrap();
                let again = read.fit_from(&data, &settings).unwrap();
                let apart = again.log_evidence - fit.log_evidence;
                assert!(apart.abs() < 0.01, "{:?} {offset:e}: {apart}", case.kind);
                fit.log_evidence
            };
            let here = fit(0.0);
            for offset in [1e3, -1e6, 1e7] {
                let apart = fit(offset) - here;
                assert!(
                    apart.abs() < 0.01,
                    "{:?} {states} {offset:e}: {apart}",
                    case.kind
                );
            }
        }
    }
}

#[test]
fn what_has_no_conjugate_prior_is_refused_by_name() {
    let refused = |model: Hmm| {
        let error = model.learn_online(&rule("dirichlet")).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("dirichlet") && text.contains("rmle"),
            "{text}"
        );
    };
    refused(line(PLAIN, PLAIN));
    let lagged = Autoregression::new(
        vec![vec![0.0], vec![1.0]],
        vec![vec![vec![vec![0.5]]]; 2],
        vec![vec![vec![1.0]]; 2],
    );
    refused(hmm(lagged.unwrap()));
}
