//! Linear-Gaussian models against recordings made by other programs.

use crate::reference::gaussian::{flat, model, observations};
use crate::reference::{Recording, close, recordings};
use scotopic_filtering::gaussian::{
    Gaussian, GaussianFactorisation, GaussianFit, GaussianKernel, Kalman, LinearGaussian,
    ValueRecursion,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};

/// Of log evidences, beliefs and kernels: both sides are f64 and well conditioned; the recordings' own checks
/// leave 1e-11.
const RELATIVE: f64 = 1e-9;
const ABSOLUTE: f64 = 1e-9;

/// Of Λ, h and c, which are of the size of Q⁻¹, and of gradients, which are made with it: Q ≈ 1e-6 is the
/// smallest recorded.
const OF_PRECISIONS: f64 = 1e-7;

fn all() -> Vec<Recording> {
    let found = recordings("lgssm_");
    assert!(!found.is_empty(), "no recordings");
    found
}

/// Compares the recorded steps (the first few of matrices) with the same steps found.
#[track_caller]
fn steps(r: &Recording, path: &str, found: &[Vec<f64>], absolute: f64, relative: f64) {
    if !r.has(path) {
        return;
    }
    let expected = r.rows(path);
    assert!(found.len() >= expected.len(), "{}: {path}", r.name);
    for (t, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let scale = expected.iter().fold(0.0, |a: f64, e| a.max(e.abs()));
        let what = format!("{} {path}[{t}]", r.name);
        close(
            &what,
            found,
            expected,
            absolute * scale.max(1e-3) + relative * scale,
            0.0,
        );
    }
}

fn means(beliefs: &[Gaussian]) -> Vec<Vec<f64>> {
    let mean = |b: &Gaussian| b.mean().as_slice().to_vec();
    beliefs.iter().map(mean).collect()
}

fn covariances(beliefs: &[Gaussian]) -> Vec<Vec<f64>> {
    beliefs.iter().map(|b| flat(b.covariance())).collect()
}

#[test]
fn beliefs_kernels_and_evidence() {
    for r in all() {
        let (model, data) = (model(&r, "params"), observations(&r));
        let smoothed = model.smooth(&data).unwrap();
        let what = |of: &str| format!("{} {of}", r.name);
        close(
            &what("log evidence"),
            &[smoothed.log_evidence(), model.log_evidence(&data).unwrap()],
            &[r.number("exact.log_evidence"); 2],
            ABSOLUTE,
            RELATIVE,
        );
        close(
            &what("cumulative"),
            smoothed.cumulative(),
            &r.numbers("exact.log_evidence_cumulative"),
            ABSOLUTE,
            RELATIVE,
        );
        let check = |path: &str, found: Vec<Vec<f64>>| steps(&r, path, &found, ABSOLUTE, RELATIVE);
        check("exact.filt_mean", means(smoothed.filtered()));
        check("exact.filt_cov", covariances(smoothed.filtered()));
        check("exact.smooth_mean", means(smoothed.smoothed()));
        check("exact.smooth_cov", covariances(smoothed.smoothed()));
        check(
            "exact.cross_cov",
            smoothed.cross_covariances().map(|c| flat(&c)).collect(),
        );
        let kernels = smoothed.kernels();
        let part = |f: &dyn Fn(&GaussianKernel) -> Vec<f64>| kernels.iter().map(f).collect();
        check("exact.kernel_E", part(&|k| flat(k.gain())));
        check("exact.kernel_f", part(&|k| k.offset().as_slice().to_vec()));
        check("exact.kernel_L", part(&|k| flat(k.covariance())));
        if r.has("exact.filt_cov_last") {
            let last = smoothed.filtered().last().unwrap();
            close(
                &what("filt_cov_last"),
                &flat(last.covariance()),
                &r.numbers("exact.filt_cov_last"),
                ABSOLUTE,
                RELATIVE,
            );
        }
    }
}

#[test]
fn the_value_recursion_with_optimal_kernels_is_the_filter() {
    for r in all() {
        let (model, data) = (model(&r, "params"), observations(&r));
        let recursion = ValueRecursion::new(&model).unwrap();
        let smoothed = model.smooth(&data).unwrap();
        let mut value = recursion.start(data.get(0)).unwrap();
        let (mut precisions, mut linears, mut constants) = (vec![], vec![], vec![]);
        for t in 0..data.len() {
            if t > 0 {
                let kernel = recursion.optimal_kernel(&value).unwrap();
                let exact = &smoothed.kernels()[t - 1];
                close("E", &flat(kernel.gain()), &flat(exact.gain()), 1e-8, 1e-8);
                value = recursion.advance(&value, &kernel, data.get(t)).unwrap();
            }
            precisions.push(flat(value.precision()));
            linears.push(value.linear().as_slice().to_vec());
            constants.push(vec![value.constant()]);
            let belief = value.optimum().unwrap();
            let what = format!("{} at {t}", r.name);
            let bound = value.elbo(&belief).unwrap();
            // Λ is of the size of Q⁻¹ and c of thousands: digits that the covariance form keeps are lost.
            close(
                &what,
                &[bound],
                &[smoothed.cumulative()[t]],
                OF_PRECISIONS,
                0.0,
            );
            let filtered = &smoothed.filtered()[t];
            let product = value.precision() * filtered.covariance();
            let identity = DMatrix::identity(product.nrows(), product.ncols());
            close(&what, &flat(&product), &flat(&identity), OF_PRECISIONS, 0.0);
        }
        steps(&r, "exact.W_Lam", &precisions, OF_PRECISIONS, OF_PRECISIONS);
        steps(&r, "exact.W_h", &linears, OF_PRECISIONS, OF_PRECISIONS);
        steps(&r, "exact.W_c", &constants, OF_PRECISIONS, OF_PRECISIONS);
        if r.has("exact.W_c_last") {
            let last = constants.last().unwrap();
            let what = format!("{} W_c_last", r.name);
            close(
                &what,
                last,
                &[r.number("exact.W_c_last")],
                0.0,
                OF_PRECISIONS,
            );
        }
    }
}

#[test]
fn the_bound_of_kernels_that_are_not_optimal() {
    for r in all() {
        if !r.has("diag_kernels") {
            continue;
        }
        let (model, data) = (model(&r, "params"), observations(&r));
        let recursion = ValueRecursion::new(&model).unwrap();
        let rows = |name: &str| -> Vec<DVector<f64>> {
            let rows = r.rows(&format!("diag_kernels.{name}"));
            rows.into_iter().map(DVector::from_vec).collect()
        };
        let diagonal = |v: &DVector<f64>| DMatrix::from_diagonal(v);
        let (gains, offsets, spreads) = (rows("E_diag"), rows("f"), rows("L_diag"));
        let (mu, var) = (rows("mu"), rows("var"));
        let mut value = recursion.start(data.get(0)).unwrap();
        for (t, expected) in r.numbers("diag_kernels.elbo").into_iter().enumerate() {
            if t > 0 {
                let kernel = GaussianKernel::new(
                    diagonal(&gains[t - 1]),
                    offsets[t - 1].clone(),
                    diagonal(&spreads[t - 1]),
                )
                .unwrap();
                value = recursion.advance(&value, &kernel, data.get(t)).unwrap();
            }
            let belief = Gaussian::new(mu[t].clone(), diagonal(&var[t])).unwrap();
            let bound = value.elbo(&belief).unwrap();
            let what = format!("{} at {t}", r.name);
            close(&what, &[bound], &[expected], ABSOLUTE, RELATIVE);
            assert!(bound <= r.numbers("exact.log_evidence_cumulative")[t] + ABSOLUTE);
        }
    }
}

#[test]
fn the_mean_field_over_time() {
    for r in all() {
        if !r.has("mean_field_time") {
            continue;
        }
        let (model, data) = (model(&r, "params"), observations(&r));
        let q = model
            .posterior(&data, GaussianFactorisation::TemporalMeanField)
            .unwrap();
        close(
            &r.name,
            &[q.elbo(), q.gap()],
            &[
                r.number("mean_field_time.bound"),
                r.number("mean_field_time.gap"),
            ],
            ABSOLUTE,
            RELATIVE,
        );
        let found = covariances(q.marginals());
        steps(&r, "mean_field_time.cov", &found, ABSOLUTE, RELATIVE);
        steps(
            &r,
            "exact.smooth_mean",
            &means(q.marginals()),
            ABSOLUTE,
            RELATIVE,
        );
    }
}

#[test]
fn gradients() {
    for r in all() {
        if !r.has("grad") {
            continue;
        }
        let (model, data) = (model(&r, "params"), observations(&r));
        let g = model.gradient(&data).unwrap();
        for (name, found) in [
            ("F", flat(&g.transition)),
            ("b", g.bias.as_slice().to_vec()),
            ("Q", flat(&g.process_noise)),
            ("H", flat(&g.observation)),
            ("d", g.offset.as_slice().to_vec()),
            ("R", flat(&g.observation_noise)),
            ("m0", g.initial_mean.as_slice().to_vec()),
            ("P0", flat(&g.initial_covariance)),
        ] {
            let expected = r.numbers(&format!("grad.{name}"));
            let scale = expected.iter().fold(1e-3, |a: f64, e| a.max(e.abs()));
            let what = format!("{} grad.{name}", r.name);
            close(&what, &found, &expected, 1e-9 * scale, 1e-9);
        }
    }
}

#[test]
fn statistics_and_a_step_of_em() {
    for r in all() {
        if !r.has("em_stats") {
            continue;
        }
        let (model, data) = (model(&r, "params"), observations(&r));
        let n = model.states();
        let (statistics, _) = model.statistics(&data).unwrap();
        let (moves, sees) = (statistics.transition(), statistics.observation());
        let (s10, s00) = (moves.outputs_by_inputs(), moves.inputs());
        let (syx, sxx) = (sees.outputs_by_inputs(), sees.inputs());
        let corner = |m: &DMatrix<f64>| flat(&m.columns(0, n).into_owned());
        let last = |m: &DMatrix<f64>| m.column(n).as_slice().to_vec();
        let top = |m: &DMatrix<f64>| m.rows(0, n).into_owned();
        for (name, found) in [
            ("S11", flat(&moves.outputs())),
            ("S00", corner(&top(s00))),
            ("S10", corner(&s10)),
            ("s1", last(&s10)),
            ("s0", last(&top(s00))),
            ("Syx", corner(&syx)),
            ("Sy", last(&syx)),
            ("Sxx", corner(&top(sxx))),
            ("sx", last(&top(sxx))),
            ("Syy", flat(&sees.outputs())),
        ] {
            let path = format!("em_stats.{name}");
            if !r.has(&path) {
                continue;
            }
            let expected = r.numbers(&path);
            let scale = expected.iter().fold(1e-3, |a: f64, e| a.max(e.abs()));
            let what = format!("{} {path}", r.name);
            close(&what, &found, &expected, RELATIVE * scale, RELATIVE);
        }
        let (after, before) = model
            .em_step(std::slice::from_ref(&data), &GaussianFit::default())
            .unwrap();
        let expected = crate::reference::gaussian::model(&r, "em_step.params");
        // The recorded M-step takes differences of sums: of its Q no more than 1e-16·S/Q is right.
        for (name, found, expected) in [
            ("F", flat(after.transition()), flat(expected.transition())),
            (
                "Q",
                flat(after.process_noise()),
                flat(expected.process_noise()),
            ),
            ("H", flat(after.observation()), flat(expected.observation())),
            (
                "R",
                flat(after.observation_noise()),
                flat(expected.observation_noise()),
            ),
            (
                "P0",
                flat(after.initial_covariance()),
                flat(expected.initial_covariance()),
            ),
            (
                "b",
                after.bias().as_slice().to_vec(),
                expected.bias().as_slice().to_vec(),
            ),
            (
                "d",
                after.offset().as_slice().to_vec(),
                expected.offset().as_slice().to_vec(),
            ),
            (
                "m0",
                after.initial_mean().as_slice().to_vec(),
                expected.initial_mean().as_slice().to_vec(),
            ),
        ] {
            let what = format!("{} em_step {name}", r.name);
            close(&what, &found, &expected, 1e-9, 1e-7);
        }
        let evidence = after.log_evidence(&data).unwrap();
        assert!(
            evidence >= before - ABSOLUTE,
            "{}: {before} → {evidence}",
            r.name
        );
        if r.has("em_step.log_evidence_after") {
            let expected = r.number("em_step.log_evidence_after");
            close(&r.name, &[evidence], &[expected], 1e-6, 1e-7);
        }
    }
}

#[test]
fn restricted_kernels_stay_below_the_evidence() {
    for r in all() {
        let (model, data) = (model(&r, "params"), observations(&r));
        let exact = model.smooth(&data).unwrap();
        for kind in [
            GaussianFactorisation::Diagonal,
            GaussianFactorisation::Decoupled,
            GaussianFactorisation::FrozenMeanField,
        ] {
            let q = model.posterior(&data, kind).unwrap();
            println!("{} {kind:?} {:.6}", r.name, q.gap());
            for (t, (bound, evidence)) in q.cumulative().iter().zip(exact.cumulative()).enumerate()
            {
                let room = 1e-8 * (1.0 + bound.abs());
                assert!(*bound <= evidence + room, "{} {kind:?} at {t}", r.name);
            }
            if model.is_diagonal() && kind == GaussianFactorisation::Diagonal {
                close(&r.name, q.cumulative(), exact.cumulative(), 1e-9, 1e-9);
                let found = covariances(q.marginals());
                steps(&r, "exact.smooth_cov", &found, 1e-9, 1e-9);
                steps(&r, "exact.smooth_mean", &means(q.marginals()), 1e-9, 1e-9);
            }
        }
    }
}

#[test]
fn a_diagonal_model_is_as_many_models_side_by_side() {
    for r in all() {
        let (model, data) = (model(&r, "params"), observations(&r));
        if !model.is_diagonal() || (0..data.len()).any(|t| data.get(t).is_none()) {
            continue;
        }
        let one = |m: &DMatrix<f64>, i: usize| DMatrix::from_element(1, 1, m[(i, i)]);
        let entry = |v: &DVector<f64>, i: usize| DVector::from_element(1, v[i]);
        let mut total = 0.0;
        for i in 0..model.states() {
            let alone = LinearGaussian::new(
                one(model.transition(), i),
                one(model.process_noise(), i),
                one(model.observation(), i),
                one(model.observation_noise(), i),
            )
            .and_then(|m| m.with_bias(entry(model.bias(), i), entry(model.offset(), i)))
            .and_then(|m| {
                m.with_initial(
                    entry(model.initial_mean(), i),
                    one(model.initial_covariance(), i),
                )
            })
            .unwrap();
            let mut filter = Kalman::new(alone).unwrap();
            for y in data.iter() {
                filter.update(y.map(|y| &y[i..=i])).unwrap();
            }
            total += filter.elbo();
        }
        close(
            &r.name,
            &[total],
            &[model.log_evidence(&data).unwrap()],
            1e-10,
            1e-12,
        );
    }
}
