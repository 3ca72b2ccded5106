//! Fits that hold entries: maxima in closed form, of another parametrisation, and of another program.

use scotopic_filtering::gaussian::{
    Constraints, DrivenGaussian, Entry, GaussianFit, GaussianFitted, Learned, LinearGaussian,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{AnyModel, Error, Result, Sequence, SummarySettings};

use super::nile;

fn held(fixed: &[&str], tied: &[&[&str]]) -> Constraints {
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let tied: Vec<Vec<String>> = tied.iter().map(|names| texts(names)).collect();
    Constraints::new(&texts(fixed), &tied).unwrap()
}

fn fit(learned: Learned, fixed: &[&str], tied: &[&[&str]]) -> GaussianFit {
    GaussianFit {
        max_iterations: 500,
        learned,
        constraints: held(fixed, tied),
        ..GaussianFit::default()
    }
}

fn end(found: &GaussianFitted) -> f64 {
    *found.log_evidence.last().unwrap()
}

/// A level from a diffuse start.
fn level(q: f64, r: f64) -> LinearGaussian {
    LinearGaussian::from_rows(&[[1.0]], &[[q]], &[[1.0]], &[[r]])
        .and_then(|model| model.with_diffuse(&[true]))
        .unwrap()
}

/// Twelve draws of a congruential generator added up, as the scripts beside the numbers of other programs make them.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut s = seed;
    let mut next = || {
        s = (1_103_515_245 * s + 12_345) % (1 << 31);
        s as f64 / f64::from(1u32 << 31)
    };
    let mut one = || (0..12).map(|_| next()).sum::<f64>() - 6.0;
    (0..count).map(|_| one()).collect()
}

/// With F = 1 and H = 1 fixed, the level of the Nile: statsmodels' −632.545625, 15098.5 and 1469.2.
#[test]
fn a_level_is_a_free_model_whose_entries_are_fixed() {
    let learned = Learned {
        transition: true,
        process_noise: true,
        observation: true,
        observation_noise: true,
        ..Learned::NOTHING
    };
    let how = fit(learned, &["F[0][0]", "observation[0][0]"], &[]);
    let data = [nile()];
    let found = level(1000.0, 10_000.0)
        .maximum_likelihood(&data, &how)
        .unwrap();
    // The gradient ends below 1e-4.
    assert!(found.converged && (end(&found) + 632.545_625).abs() < 1e-5);
    let model = &found.model;
    // As far as a gradient of 1e-4 tells them, beside standard errors of a fifth and nine tenths.
    assert!((model.observation_noise()[(0, 0)] / 15_098.5 - 1.0).abs() < 1e-3);
    assert!((model.process_noise()[(0, 0)] / 1469.2 - 1.0).abs() < 1e-3);
    assert_eq!(
        (model.transition()[(0, 0)], model.observation()[(0, 0)]),
        (1.0, 1.0)
    );
    // Two variances, and the diffuse state.
    assert_eq!(model.constrained_parameters(&learned, &how.constraints), 3);
    // Without them H has no maximum beside a diffuse start.
    let free = fit(learned, &["F[0][0]"], &[]);
    let refused = level(1000.0, 10_000.0).maximum_likelihood(&data, &free);
    assert!(matches!(
        refused,
        Err(Error::Setting {
            field: "learned.observation",
            ..
        })
    ));
}

/// With Q = R = s, ln p(s) = c − ½ (T − 1) ln s − S/(2 s), whose maximum is S/(T − 1); S from ln p at 1 and at 2.
#[test]
fn tied_variances_have_the_maximum_of_their_profile() {
    let learned = Learned {
        process_noise: true,
        observation_noise: true,
        ..Learned::NOTHING
    };
    let data = [nile()];
    let at = |s: f64| level(s, s).log_evidence(&data[0]).unwrap();
    let seen = 99.0;
    let unit = 1e4;
    let squares = 4.0 * unit * (at(2.0 * unit) - at(unit) + 0.5 * seen * 2f64.ln());
    let best = squares / seen;
    let how = fit(learned, &[], &[&["Q[0][0]", "R[0][0]"]]);
    // They begin with their mean, whatever they were.
    for (q, r) in [(1e4, 1e4), (100.0, 3e4)] {
        let found = level(q, r).maximum_likelihood(&data, &how).unwrap();
        let (q, r) = (
            found.model.process_noise()[(0, 0)],
            found.model.observation_noise()[(0, 0)],
        );
        assert_eq!(q, r);
        // A gradient of 1e-4 by √s beside a curvature of 2 (T − 1): 5e-7 of √s.
        assert!((q / best - 1.0).abs() < 2e-6, "{q} {best}");
        assert!((end(&found) - at(best)).abs() < 1e-8 * at(best).abs());
        assert_eq!(
            found
                .model
                .constrained_parameters(&learned, &how.constraints),
            2
        );
        // Fisher's information of s is (T − 1)/(2 s²): both have its standard error.
        let any = AnyModel::LinearGaussian(found.model);
        let (not_learned, tied) = any.names_of(&how.constraints);
        let settings = SummarySettings {
            not_learned,
            tied,
            free_parameters: Some(2),
            ..SummarySettings::default()
        };
        let summary = any.summary(&data, &settings).unwrap();
        let error = |name: &str| {
            let own = summary.estimates.iter().find(|e| e.name == name).unwrap();
            own.standard_error.unwrap()
        };
        let expected = best * (2.0 / seen).sqrt();
        // Differences of a hundredth of a standard error: 1e-4 of it, squared.
        assert!((error("process_noise[1,1]") / expected - 1.0).abs() < 1e-3);
        assert_eq!(error("process_noise[1,1]"), error("observation_noise[1,1]"));
        assert_eq!(summary.free_parameters, 2);
    }
}

/// statsmodels 0.15.0: SARIMAX(y, order=(2, 0, 0), measurement_error=True, trend="n"), BFGS, then Nelder–Mead to 1e-14, of
/// y = x + 0.8 n with x_t = 1.2 x_t−1 − 0.5 x_t−2 + e_t.
#[test]
fn a_companion_matrix_keeps_its_form() {
    let (e, n) = (noise(200, 1), noise(200, 2));
    let (mut a, mut b) = (0.0, 0.0);
    let y = e.iter().zip(&n).map(|(e, n)| {
        (a, b) = (1.2 * a - 0.5 * b + e, a);
        a + 0.8 * n
    });
    let data = [Sequence::of_numbers(y).unwrap()];
    let learned = Learned {
        transition: true,
        process_noise: true,
        observation: true,
        observation_noise: true,
        ..Learned::NOTHING
    };
    let fixed = ["F[1][0]", "F[1][1]", "H[0][0]", "H[0][1]"];
    let how = fit(learned, &fixed, &[]);
    let start = LinearGaussian::from_rows(
        &[[0.5, 0.1], [1.0, 0.0]],
        &[[1.0, 0.0], [0.0, 0.0]],
        &[[1.0, 0.0]],
        &[[1.0]],
    );
    let start = start.unwrap().with_stationary_start().unwrap();
    let found = start.maximum_likelihood(&data, &how).unwrap();
    assert!(found.converged);
    assert!(
        (end(&found) + 365.937_089_706).abs() < 1e-7,
        "{}",
        end(&found)
    );
    let model = &found.model;
    let f = model.transition();
    assert_eq!((f[(1, 0)], f[(1, 1)]), (1.0, 0.0));
    // Both searches end where ln p is flat to 1e-9: four digits of what has standard errors of a tenth and more.
    for (own, theirs) in [
        (f[(0, 0)], 1.177_05),
        (f[(0, 1)], -0.457_15),
        (model.observation_noise()[(0, 0)], 0.727_15),
        (model.process_noise()[(0, 0)], 0.950_58),
    ] {
        assert!((own - theirs).abs() < 5e-4, "{own} {theirs}");
    }
    // Two coefficients and two variances.
    assert_eq!(model.constrained_parameters(&learned, &how.constraints), 4);
    let (not_learned, _) = AnyModel::LinearGaussian(model.clone()).names_of(&how.constraints);
    assert_eq!(not_learned, ["transition[2,1]", "transition[2,2]"]);
}

/// statsmodels 0.15.0, an MLEModel of a walk that two columns see, y_1 = x + e, y_2 = h x + d + e', e and e' of one variance, from
/// x_1 ~ N(0.5, 4); BFGS, then Nelder–Mead to 1e-14.
#[test]
fn a_common_level_with_one_noise() {
    let (e, n, k) = (noise(200, 1), noise(200, 2), noise(200, 3));
    let mut walk = 0.0;
    let rows = (0..200).map(|t| {
        walk += 0.3 * e[t];
        [walk + 0.7 * n[t], 1.5 * walk + 0.7 * k[t] + 0.2]
    });
    let data = [Sequence::of_rows(rows).unwrap()];
    let learned = Learned {
        process_noise: true,
        observation: true,
        offset: true,
        observation_noise: true,
        ..Learned::NOTHING
    };
    let start = |r: &[[f64; 2]]| {
        LinearGaussian::from_rows(&[[1.0]], &[[0.25]], &[[1.0], [1.0]], r)
            .and_then(|model| {
                model.with_initial(
                    DVector::from_element(1, 0.5),
                    DMatrix::from_element(1, 1, 4.0),
                )
            })
            .unwrap()
    };
    let diagonal = Learned {
        diagonal: true,
        ..learned
    };
    let tied: &[&[&str]] = &[&["R[0][0]", "R[1][1]"]];
    let fixed = ["H[0][0]", "d[0]"];
    let with_zero = ["H[0][0]", "d[0]", "R[0][1]"];
    // A covariance fixed at 0 is a diagonal R of two columns.
    for (learned, fixed) in [(diagonal, &fixed[..]), (learned, &with_zero[..])] {
        let how = fit(learned, fixed, tied);
        let found = start(&[[1.0, 0.0], [0.0, 2.0]])
            .maximum_likelihood(&data, &how)
            .unwrap();
        assert!(found.converged);
        assert!(
            (end(&found) + 511.312_622_245).abs() < 1e-7,
            "{}",
            end(&found)
        );
        let model = &found.model;
        let (h, q) = (model.observation()[(1, 0)], model.process_noise()[(0, 0)]);
        let (r, d) = (model.observation_noise(), model.offset()[1]);
        assert_eq!((r[(0, 0)], r[(0, 1)]), (r[(1, 1)], 0.0));
        // As above.
        for (own, theirs) in [
            (h, 1.692_21),
            (q, 0.067_144),
            (r[(0, 0)], 0.533_386),
            (d, 0.087_476),
        ] {
            assert!((own - theirs).abs() < 5e-4, "{own} {theirs}");
        }
        assert_eq!(model.constrained_parameters(&learned, &how.constraints), 4);
    }
    // Without a tie and with a free covariance it does better, and R[0][0] alone cannot be held then.
    let refused = fit(learned, &["R[0][0]"], &[]);
    let refused = start(&[[1.0, 0.0], [0.0, 2.0]]).maximum_likelihood(&data, &refused);
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("`fixed`: found R[0][0]") && said.contains("R[1][0]"),
        "{said}"
    );
}

/// One effect of two inputs is the effect of their sum.
#[test]
fn tied_effects_are_those_of_a_sum() {
    let (e, n, u, v) = (noise(150, 4), noise(150, 5), noise(150, 6), noise(150, 7));
    let mut x = 0.0;
    let y: Vec<f64> = (0..150)
        .map(|t| {
            x = 0.8 * x + 0.5 * e[t] + 0.3 * (u[t] + v[t]);
            x + 0.4 * n[t] + 0.7 * (u[t] + v[t]) + 3.0
        })
        .collect();
    let both = Sequence::of_rows((0..150).map(|t| [y[t], 5.0 + u[t], v[t]])).unwrap();
    let sum = Sequence::of_rows((0..150).map(|t| [y[t], 5.0 + u[t] + v[t]])).unwrap();
    let base = LinearGaussian::from_rows(&[[0.5]], &[[0.5]], &[[1.0]], &[[0.5]]).unwrap();
    let learned = Learned {
        transition: true,
        bias: false,
        process_noise: true,
        control: true,
        offset: true,
        direct: true,
        observation_noise: true,
        ..Learned::NOTHING
    };
    let of = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        DrivenGaussian::new(base.clone(), names).unwrap()
    };
    let tied: &[&[&str]] = &[&["B[0][0]", "B[0][1]"], &["D[0][0]", "D[0][1]"]];
    let how = fit(learned, &[], tied);
    let found = of(&["u", "v"]).maximum_likelihood(&[both], &how).unwrap();
    let expected = of(&["s"])
        .maximum_likelihood(&[sum], &fit(learned, &[], &[]))
        .unwrap();
    assert!(found.converged && expected.converged);
    // Gradients below 1e-4 on either side.
    assert!((found.log_evidence[1] - expected.log_evidence[1]).abs() < 1e-6);
    let d = found.model.direct();
    assert_eq!(d[(0, 0)], d[(0, 1)]);
    assert!((d[(0, 0)] - expected.model.direct()[(0, 0)]).abs() < 1e-4);
    assert_eq!(
        found
            .model
            .constrained_parameters(&learned, &how.constraints),
        expected.model.learned_parameters(&learned)
    );
    let wrong = held(&["B[0][2]"], &[]);
    let said = found
        .model
        .check_constraints(&wrong)
        .unwrap_err()
        .to_string();
    assert!(said.contains("B is 1×2"), "{said}");
}

/// A position that only its velocity moves, at any times: entries stay to the last bit, whatever unit of time the fit counts in.
#[test]
fn rates_stay_what_they_are() {
    let (e, n) = (noise(120, 8), noise(120, 9));
    let (mut place, mut speed, mut time) = (0.0, 0.0, 0.0);
    let rows = (0..120).map(|t| {
        let step = 0.3 + 0.2 * (t as f64).sin().abs();
        time += step;
        speed += -0.4 * speed * step + 0.5 * e[t] * step.sqrt();
        place += speed * step;
        [place + 0.3 * n[t], time]
    });
    let data = [Sequence::of_rows(rows).unwrap()];
    let base = LinearGaussian::from_rows(
        &[[0.0, 1.0], [0.0, -0.1]],
        &[[0.0, 0.0], [0.0, 1.0]],
        &[[1.0, 0.0]],
        &[[1.0]],
    );
    let model = DrivenGaussian::continuous(base.unwrap(), Vec::new(), "t").unwrap();
    let learned = Learned {
        transition: true,
        process_noise: true,
        observation_noise: true,
        ..Learned::NOTHING
    };
    let how = fit(learned, &["drift[0][0]", "F[0][1]", "F[1][0]"], &[]);
    let found = model.maximum_likelihood(&data, &how).unwrap();
    assert!(found.converged && found.log_evidence[1] > found.log_evidence[0] + 1.0);
    let a = found.model.base().transition();
    assert_eq!((a[(0, 0)], a[(0, 1)], a[(1, 0)]), (0.0, 1.0, 0.0));
    // No neighbour is better.
    let at = |decay: f64, scale: f64| {
        let entry = |name: &str| Entry::named("fixed", name).unwrap();
        let q = found.model.base().process_noise()[(1, 1)];
        let moved = found
            .model
            .clone()
            .with_entry(entry("F[1][1]"), decay)
            .unwrap();
        let moved = moved.with_entry(entry("Q[1][1]"), scale * q).unwrap();
        moved.log_evidence(&data[0]).unwrap()
    };
    let (decay, best) = (a[(1, 1)], found.log_evidence[1]);
    for moved in [
        at(decay + 0.01, 1.0),
        at(decay - 0.01, 1.0),
        at(decay, 1.05),
        at(decay, 0.95),
    ] {
        assert!(moved < best, "{moved} {best}");
    }
    assert_eq!(
        found
            .model
            .constrained_parameters(&learned, &how.constraints),
        3
    );
    let wrong = held(&[], &[&["Q[1][1]", "R[0][0]"]]);
    assert!(model.check_constraints(&wrong).is_err());
}

#[test]
fn what_cannot_be_held_is_refused() {
    let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (fixed, tied, said) in [
        (&["G[0][0]"][..], &[][..], "`fixed`: found \"G[0][0]\""),
        (&["F[0]"], &[], "row and column"),
        (&["F[1,1]"], &[], "row and column"),
        (&["F"], &[], "row and column"),
        (&["b[0][0]"], &[], "an index in brackets"),
        (&["F[0][-1]"], &[], "from 0"),
        (&["F[0][0]", "transition[0][0]"], &[], "every entry once"),
        (&["Q[0][1]", "Q[1][0]"], &[], "every entry once"),
        (&["R[0][0]"], &["R[0][0]", "R[1][1]"], "every entry once"),
        (&[], &["R[0][0]"], "two entries or more"),
        (&[], &["F[0][0]", "R[0][0]"], "entries of one parameter"),
        (&[], &["F[0][0]", "H[0][0]"], "entries of one parameter"),
        (&[], &["R[0][1]", "R[0][0]"], "on its diagonal"),
    ] {
        let tied = if tied.is_empty() {
            Vec::new()
        } else {
            vec![texts(tied)]
        };
        let error = Constraints::new(&texts(fixed), &tied)
            .unwrap_err()
            .to_string();
        assert!(error.contains(said), "{error}");
    }
    let data = [Sequence::of_rows((0..30).map(|t| {
        let t = f64::from(t);
        [(t * t).sin(), (3.0 * t).cos()]
    }))
    .unwrap()];
    let q = [[1.0, 0.2], [0.2, 1.0]];
    let one = [[1.0, 0.0], [0.0, 1.0]];
    let model = LinearGaussian::from_rows(&[[0.5, 0.0], [0.0, 0.4]], &q, &one, &one).unwrap();
    let with = |learned: Learned, fixed: &[&str], tied: &[&[&str]]| -> Result<GaussianFitted> {
        model.maximum_likelihood(&data, &fit(learned, fixed, tied))
    };
    let all = Learned::default();
    let diagonal = Learned {
        process_noise: false,
        diagonal: true,
        ..all
    };
    let only_r = Learned {
        observation_noise: true,
        diagonal: true,
        ..Learned::NOTHING
    };
    for (found, said) in [
        (with(all, &["F[2][0]"], &[]), "F is 2×2"),
        (with(all, &["b[2]"], &[]), "0 to 1"),
        (with(all, &["B[0][0]"], &[]), "no inputs"),
        (with(all, &["Q[0][1]"], &[]), "a covariance of 0"),
        (with(all, &["Q[0][0]"], &[]), "\"diagonal\""),
        (with(all, &[], &[&["R[0][0]", "R[1][1]"]]), "\"diagonal\""),
        (
            with(only_r, &[], &[&["R[0][0]", "P0[0][0]"]]),
            "all learned",
        ),
        (
            with(only_r, &["R[0][0]", "R[1][1]"], &[]),
            "one that is not",
        ),
        (
            with(only_r, &[], &[&["F[0][0]", "F[1][1]"]]),
            "of one value",
        ),
    ] {
        let error = found.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    // EM has no such step, and says so.
    let held = fit(diagonal, &["R[0][0]"], &[]);
    let em = model.fit(&data, &held).unwrap_err().to_string();
    assert!(em.contains("maximum_likelihood"), "{em}");
    assert!(model.em_step(&data, &held).is_err());
    assert!(model.maximum_likelihood(&data, &held).is_ok());
    // A start that is not there has no entries.
    let start = fit(diagonal, &["m0[0]"], &[]);
    let level = level(1.0, 1.0)
        .maximum_likelihood(&[nile()], &start)
        .unwrap_err();
    assert!(level.to_string().contains("diffuse"), "{level}");
}

/// Settings are read and written by names.
#[test]
fn constraints_are_written_as_they_are_read() {
    let own = held(&["F[0][1]", "P0[1][0]"], &[&["R[0][0]", "Q[1][1]"]]);
    let text = serde_json::to_string(&own).unwrap();
    assert_eq!(
        text,
        "{\"fixed\":[\"F[0][1]\",\"P0[1][0]\"],\"tied\":[[\"R[0][0]\",\"Q[1][1]\"]]}"
    );
    assert_eq!(serde_json::from_str::<Constraints>(&text).unwrap(), own);
    assert!(serde_json::from_str::<Constraints>("{\"fixed\":[\"F\"]}").is_err());
}
