//! The nonlinear-Gaussian filter against closed forms, finite differences, dense quadrature and the recordings.

use crate::reference::{Recording, close, recordings};
use proptest::prelude::*;
use scotopic_filtering::nonlinear::models::{
    Ar1Poisson, DiagonalLinear, SinQuadratic, StochasticVolatility,
};
use scotopic_filtering::nonlinear::*;
use scotopic_filtering::rand::SeedableRng;
use scotopic_filtering::rand::rngs::SmallRng;
use scotopic_filtering::{Error, Result, Sequence, nalgebra::DMatrix};

/// A grid of the recordings' spacing repeats them to rounding and to their own error of 1e-11.
const GRID: f64 = 1e-8;
/// A few hundred products of ten-digit matrices.
const ALGEBRA: f64 = 1e-9;
/// What the recordings allow an attainable bound.
const ATTAINABLE: f64 = 0.05;
/// The same at single observations: each step is the best given its own past, not the recording's.
const ATTAINABLE_AT_EACH: f64 = 0.1;
/// Quadrature and interpolation in a bound carried as a table.
const TABLE: f64 = 1e-4;

/// What a bound carried as a quadratic may be off, in nats after sixty observations: it is an estimate. 0.05 to 0.1
/// is usual for the models here.
const ESTIMATE: f64 = 0.2;

/// The models that recordings name.
enum Any {
    Poisson(Ar1Poisson),
    Sin(SinQuadratic),
    Volatility(StochasticVolatility),
}

/// Does something with the model of a recording, whichever it is.
macro_rules! with_model {
    ($recording:expr, $model:ident => $body:expr) => {
        match model($recording) {
            Any::Poisson($model) => $body,
            Any::Sin($model) => $body,
            Any::Volatility($model) => $body,
        }
    };
}

fn model(r: &Recording) -> Any {
    let optional = |names: &[&str]| {
        let found = names
            .iter()
            .map(|n| format!("params.{n}"))
            .find(|n| r.has(n));
        found.map(|n| r.number(&n))
    };
    let part = |names: &[&str]| {
        optional(names).unwrap_or_else(|| panic!("{}: params has none of {names:?}", r.name))
    };
    let (m0, v0) = (optional(&["m0"]).unwrap_or(0.0), optional(&["v0", "P0"]));
    let built = match r.text("model") {
        "ar1_poisson" => {
            Ar1Poisson::new(part(&["a"]), part(&["c"]), part(&["q"]), m0, part(&["v0"]))
                .map(Any::Poisson)
        }
        "sin_quad_gauss" | "sin_quad" => {
            SinQuadratic::new(part(&["q"]), part(&["r"]), m0, part(&["v0"])).map(Any::Sin)
        }
        name if name.contains("vol") || name.starts_with("sv") => {
            let (a, q) = (part(&["a", "phi", "rho"]), part(&["q", "sigma2", "Q"]));
            // Either y ~ N(0, β² eˣ) or y ~ N(0, e^{c + x}).
            let scale = optional(&["c", "mu"]).map(|c| (0.5 * c).exp());
            let beta = optional(&["beta", "b"]).or(scale).unwrap_or(1.0);
            match v0 {
                Some(v0) => StochasticVolatility::new(a, q, beta, m0, v0),
                None => StochasticVolatility::stationary(a, q, beta),
            }
            .map(Any::Volatility)
        }
        other => panic!("{}: the model {other} is not known here", r.name),
    };
    built.unwrap_or_else(|e| panic!("{}: {e}", r.name))
}

fn observations(r: &Recording) -> Sequence {
    let missing = if r.has("missing") {
        r.numbers("missing")
    } else {
        vec![]
    };
    let mut sequence = Sequence::new(1).unwrap();
    for (t, y) in r.numbers("obs").iter().enumerate() {
        let seen = !missing.contains(&(t as f64));
        sequence.push(seen.then_some(&[*y][..])).unwrap();
    }
    sequence
}

fn table() -> NonlinearConfig {
    NonlinearConfig {
        representation: Representation::table(),
        ..NonlinearConfig::default()
    }
}

fn elbo(elbo: ElboKind) -> NonlinearConfig {
    NonlinearConfig {
        elbo,
        ..NonlinearConfig::default()
    }
}

/// A filter that has seen a sequence, the bound after each observation, and the kernels.
fn run<M: StateSpace>(
    model: M,
    ys: &Sequence,
    settings: NonlinearConfig,
) -> (NonlinearFilter<M>, Vec<f64>, Vec<Kernel>) {
    let mut filter = NonlinearFilter::new(model, settings).unwrap();
    let (mut elbo, mut kernels) = (vec![], vec![]);
    for y in ys.iter() {
        elbo.push(filter.update(y).unwrap().elbo);
        kernels.extend(filter.kernel().cloned());
    }
    (filter, elbo, kernels)
}

#[test]
fn grids_repeat_the_recorded_evidence_and_moments() {
    for r in recordings("nonlin_") {
        let (ys, spec) = (observations(&r), r.numbers("exact_grid.grid"));
        let exact = with_model!(&r, model => {
            let grid = Grid::new(&model, spec[0], spec[1], spec[2] as usize).unwrap();
            grid.filter(&model, &ys).unwrap()
        });
        for (name, found) in [
            ("log_evidence_cumulative", &exact.log_evidence),
            ("filt_mean", &exact.filtered.mean),
            ("filt_var", &exact.filtered.variance),
            ("smooth_mean", &exact.smoothed.mean),
            ("smooth_var", &exact.smoothed.variance),
        ] {
            let path = format!("exact_grid.{name}");
            if r.has(&path) {
                close(
                    &format!("{} {name}", r.name),
                    found,
                    &r.numbers(&path),
                    GRID,
                    GRID,
                );
            }
        }
    }
}

#[test]
fn a_table_attains_the_recorded_bounds_and_stays_below_the_evidence() {
    for r in recordings("nonlin_") {
        let ys = observations(&r);
        let elbo = with_model!(&r, model => run(model, &ys, table()).1);
        let exact = r.numbers("exact_grid.log_evidence_cumulative");
        let stored = r.numbers("online_reversed_gaussian.elbo");
        for (t, bound) in elbo.iter().enumerate() {
            assert!(
                *bound <= exact[t],
                "{} t {t}: {bound} above {}",
                r.name,
                exact[t]
            );
            let least = stored[t] - ATTAINABLE_AT_EACH;
            assert!(*bound >= least, "{} t {t}: {bound} {}", r.name, stored[t]);
        }
        let (last, attained) = (elbo[elbo.len() - 1], stored[stored.len() - 1]);
        assert!(
            last >= attained - ATTAINABLE,
            "{}: {last} {attained}",
            r.name
        );
    }
}

/// Eq. F3 by dense sums: W on 4001 nodes, each kernel by a sum over all of them.
fn dense_bound<M: StateSpace>(
    model: &M,
    ys: &Sequence,
    kernels: &[Kernel],
    (mean, variance): (f64, f64),
) -> f64 {
    const NODES: usize = 4001;
    let (low, high) = (-12.0, 12.0);
    let h = (high - low) / (NODES - 1) as f64;
    let x: Vec<f64> = (0..NODES).map(|k| low + h * k as f64).collect();
    let ln_n = |r: f64, v: f64| -0.5 * (r * r / v + (std::f64::consts::TAU * v).ln());
    let f: Vec<f64> = x
        .iter()
        .map(|x| {
            let mut mean = [0.0];
            model.mean(&[*x], &mut mean);
            mean[0]
        })
        .collect();
    let (m0, p0, q) = (
        model.initial_mean()[0],
        model.initial_covariance()[0],
        model.noise()[0],
    );
    let ln_g = |t: usize, x: f64| ys.get(t).map_or(0.0, |y| model.log_likelihood(y, &[x]));
    let mut w: Vec<f64> = x.iter().map(|x| ln_n(x - m0, p0) + ln_g(0, *x)).collect();
    for (t, kernel) in kernels.iter().enumerate() {
        let (e, o, l) = (kernel.slope[0], kernel.offset[0], kernel.covariance[0]);
        let reach = 9.0 * l.sqrt();
        w = x
            .iter()
            .map(|&at| {
                let centre = e * at + o;
                let from = x.partition_point(|x| *x < centre - reach);
                let to = x.partition_point(|x| *x <= centre + reach);
                let (mut total, mut sum) = (0.0, 0.0);
                for i in from..to {
                    let ln_b = ln_n(x[i] - centre, l);
                    let b = h * ln_b.exp();
                    total += b;
                    sum += b * (w[i] + ln_n(at - f[i], q) - ln_b);
                }
                // Nodes whose kernel leaves the range are never asked again by a q within it.
                if total > 0.5 {
                    ln_g(t + 1, at) + sum / total
                } else {
                    -1e9
                }
            })
            .collect();
    }
    let terms = x.iter().zip(&w).map(|(x, w)| {
        let ln_q = ln_n(x - mean, variance);
        if ln_q < -60.0 {
            0.0
        } else {
            h * ln_q.exp() * (w - ln_q)
        }
    });
    terms.sum()
}

#[test]
fn the_bound_of_a_table_is_the_bound_of_its_q() {
    for r in recordings("nonlin_") {
        let ys = observations(&r).part(0, 40);
        with_model!(&r, model => {
            let (filter, elbo, kernels) = run(model.clone(), &ys, table());
            let law = (filter.mean()[0], filter.covariance()[0]);
            let truth = dense_bound(&model, &ys, &kernels, law);
            let reported = elbo[elbo.len() - 1];
            assert!((reported - truth).abs() < TABLE, "{}: {reported} {truth}", r.name);
        });
    }
}

#[test]
fn an_audit_finds_the_true_bound_of_a_quadratic() {
    for r in recordings("nonlin_") {
        let ys = observations(&r).part(0, 40);
        with_model!(&r, model => {
            let mut filter = NonlinearFilter::new(model.clone(), NonlinearConfig::default()).unwrap();
            let (mut audit, mut kernels) = (MonteCarloBound::default(), vec![]);
            for y in ys.iter() {
                filter.update(y).unwrap();
                audit.record(&filter);
                kernels.extend(filter.kernel().cloned());
            }
            let law = (filter.mean()[0], filter.covariance()[0]);
            let truth = dense_bound(&model, &ys, &kernels, law);
            let mut rng = SmallRng::seed_from_u64(7);
            let sampled = audit.elbo(&filter, &ys, 20_000, &mut rng).unwrap();
            // Five standard errors: once in two million.
            assert!((sampled.mean - truth).abs() < 5.0 * sampled.standard_error + TABLE, "{sampled:?} {truth}");
            // The true bound is one; what the filter reports is an estimate of it.
            let evidence = r.numbers("exact_grid.log_evidence_cumulative")[ys.len() - 1];
            assert!(truth <= evidence, "{}: {truth} {evidence}", r.name);
            let off = (filter.elbo() - truth).abs();
            assert!(off < ESTIMATE, "{}: {} {truth}", r.name, filter.elbo());
        });
    }
}

#[test]
fn frozen_beliefs_bound_the_evidence_from_further_below() {
    for r in recordings("nonlin_") {
        let ys = observations(&r);
        let exact = r.numbers("exact_grid.log_evidence_cumulative");
        with_model!(&r, model => {
            let (_, vjf, _) = run(model.clone(), &ys, elbo(ElboKind::Vjf));
            let (_, reversed, _) = run(model, &ys, table());
            for (t, bound) in vjf.iter().enumerate() {
                assert!(*bound <= exact[t], "{} t {t}", r.name);
            }
            assert!(vjf[vjf.len() - 1] < reversed[vjf.len() - 1], "{}", r.name);
        });
    }
}

/// x_t = F x_{t−1} + N(0, Q), y_t = H x_t + N(0, R) with nothing diagonal; θ = F, in rows.
#[derive(Clone, PartialEq, Debug)]
struct Linear {
    f: DMatrix<f64>,
    h: DMatrix<f64>,
    q: DMatrix<f64>,
    r: DMatrix<f64>,
    p0: DMatrix<f64>,
    m0: Vec<f64>,
}

impl Linear {
    fn example() -> Self {
        let spd = |n: usize, scale: f64| {
            DMatrix::from_fn(n, n, |i, j| {
                if i == j {
                    scale * (1.0 + i as f64)
                } else {
                    0.3 * scale / (1.0 + (i + j) as f64)
                }
            })
        };
        Self {
            f: DMatrix::from_row_slice(3, 3, &[0.8, 0.2, 0.0, -0.3, 0.7, 0.1, 0.05, -0.1, 0.9]),
            h: DMatrix::from_row_slice(2, 3, &[1.0, 0.5, 0.0, -0.2, 0.3, 1.0]),
            q: spd(3, 0.2),
            r: spd(2, 0.4),
            p0: spd(3, 1.0),
            m0: vec![0.5, -0.3, 0.1],
        }
    }

    fn data() -> Sequence {
        let mut ys = Sequence::new(2).unwrap();
        for t in 0..25 {
            let t = f64::from(t);
            let row = [(0.7 * t).sin() * 1.5, (0.4 * t).cos() - 0.02 * t];
            ys.push((t != 7.0 && t != 8.0).then_some(&row[..])).unwrap();
        }
        ys
    }

    /// ln p(y_1…y_t), and the last filtered mean and covariance.
    fn kalman(&self, ys: &Sequence) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (mut m, mut p) = (DMatrix::from_vec(3, 1, self.m0.clone()), self.p0.clone());
        let (mut total, mut out) = (0.0, vec![]);
        for t in 0..ys.len() {
            if t > 0 {
                m = &self.f * &m;
                p = &self.f * &p * self.f.transpose() + &self.q;
            }
            if let Some(y) = ys.get(t) {
                let e = DMatrix::from_row_slice(2, 1, y) - &self.h * &m;
                let s = &self.h * &p * self.h.transpose() + &self.r;
                let inverse = s.clone().try_inverse().unwrap();
                let gain = &p * self.h.transpose() * &inverse;
                let form = (e.transpose() * &inverse * &e)[(0, 0)];
                total -= 0.5 * (form + (s * std::f64::consts::TAU).determinant().ln());
                m += &gain * e;
                p -= &gain * &self.h * p.clone();
            }
            out.push(total);
        }
        (out, m.as_slice().to_vec(), p.as_slice().to_vec())
    }
}

impl StateSpace for Linear {
    fn dim(&self) -> usize {
        3
    }
    fn observed(&self) -> usize {
        2
    }
    fn initial_mean(&self) -> &[f64] {
        &self.m0
    }
    fn initial_covariance(&self) -> &[f64] {
        self.p0.as_slice()
    }
    fn noise(&self) -> &[f64] {
        self.q.as_slice()
    }
    fn mean(&self, state: &[f64], into: &mut [f64]) {
        let x = DMatrix::from_row_slice(3, 1, state);
        into.copy_from_slice((&self.f * x).as_slice());
    }
    fn mean_slope(&self, _state: &[f64], into: &mut [f64]) {
        into.copy_from_slice(self.f.transpose().as_slice());
    }
    fn log_likelihood(&self, y: &[f64], state: &[f64]) -> f64 {
        self.log_likelihood_slopes(y, state, &mut [0.0; 3], &mut [0.0; 9])
    }
    fn log_likelihood_slopes(&self, y: &[f64], x: &[f64], g: &mut [f64], h: &mut [f64]) -> f64 {
        let e = DMatrix::from_row_slice(2, 1, y) - &self.h * DMatrix::from_row_slice(3, 1, x);
        let inverse = self.r.clone().try_inverse().unwrap();
        g.copy_from_slice((self.h.transpose() * &inverse * &e).as_slice());
        h.copy_from_slice((-self.h.transpose() * &inverse * &self.h).as_slice());
        let log = (self.r.clone() * std::f64::consts::TAU).determinant().ln();
        -0.5 * ((e.transpose() * inverse * e)[(0, 0)] + log)
    }
    fn parameters_len(&self) -> usize {
        9
    }
    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        let x = DMatrix::from_row_slice(3, 1, previous);
        let r = DMatrix::from_row_slice(3, 1, state) - &self.f * &x;
        let g = self.q.clone().try_inverse().unwrap() * r * x.transpose();
        into.copy_from_slice(g.transpose().as_slice());
    }
}

#[test]
fn linear_models_are_filtered_exactly() {
    let (model, ys) = (Linear::example(), Linear::data());
    let (evidence, mean, covariance) = model.kalman(&ys);
    for rule in [
        CubatureRule::Cubature,
        CubatureRule::Fifth,
        CubatureRule::GaussHermite(3),
    ] {
        for settings in [
            NonlinearConfig::default(),
            elbo(ElboKind::Jelbo),
            NonlinearConfig {
                improvements: 0,
                ..NonlinearConfig::default()
            },
            NonlinearConfig {
                linearisation: Linearisation::Tangent,
                mode_steps: 0,
                ..NonlinearConfig::default()
            },
        ] {
            let settings = NonlinearConfig {
                rule: Some(rule),
                ..settings
            };
            let (filter, elbo, _) = run(model.clone(), &ys, settings);
            close("elbo", &elbo, &evidence, ALGEBRA, ALGEBRA);
            close("mean", filter.mean(), &mean, ALGEBRA, ALGEBRA);
            close(
                "covariance",
                filter.covariance(),
                &covariance,
                ALGEBRA,
                ALGEBRA,
            );
        }
    }
}

#[test]
fn the_score_of_a_linear_model_is_the_slope_of_its_evidence() {
    let (model, ys) = (Linear::example(), Linear::data());
    let last = |m: &Linear| m.kalman(&ys).0[ys.len() - 1];
    let slopes: Vec<f64> = (0..9)
        .map(|p| {
            let h = 1e-5;
            let at = |d: f64| {
                let mut m = model.clone();
                m.f[(p / 3, p % 3)] += d;
                last(&m)
            };
            (at(h) - at(-h)) / (2.0 * h)
        })
        .collect();
    let score = |shape| {
        let settings = NonlinearConfig {
            score: Some(shape),
            ..NonlinearConfig::default()
        };
        run(model.clone(), &ys, settings)
            .0
            .score()
            .unwrap()
            .to_vec()
    };
    // Central differences of step 1e-5 are right to 1e-7 or so here.
    close("score", &score(ScoreShape::Quadratic), &slopes, 1e-6, 1e-6);
    // An affine score is an approximation; on these data, to a fifth of the largest slope.
    let most = slopes.iter().fold(0.0f64, |a, s| a.max(s.abs()));
    close(
        "affine score",
        &score(ScoreShape::Affine),
        &slopes,
        0.2 * most,
        0.0,
    );
}

#[test]
fn the_score_of_a_curved_model_is_near_the_slope_of_its_evidence() {
    for r in recordings("nonlin_") {
        let (ys, spec) = (observations(&r), r.numbers("exact_grid.grid"));
        with_model!(&r, model => {
            let mut theta = vec![0.0; model.parameters_len()];
            model.parameters(&mut theta);
            let evidence = |theta: &[f64]| {
                let mut m = model.clone();
                m.set_parameters(theta).unwrap();
                let grid = Grid::new(&m, spec[0], spec[1], 801).unwrap();
                grid.filter(&m, &ys).unwrap().log_evidence[ys.len() - 1]
            };
            let settings = NonlinearConfig { score: Some(ScoreShape::Quadratic), ..table() };
            let (filter, _, _) = run(model.clone(), &ys, settings);
            for (p, found) in filter.score().unwrap().iter().enumerate() {
                let at = |d: f64| {
                    let mut moved = theta.clone();
                    moved[p] += d;
                    evidence(&moved)
                };
                let slope = (at(1e-4) - at(-1e-4)) / 2e-4;
                // The posterior is not Gaussian, nor S a parabola: right to a nat in a hundred observations.
                assert!((found - slope).abs() < 1.0 + 0.05 * slope.abs(), "{} {p}: {found} {slope}", r.name);
            }
        });
    }
}

/// A model without its own slopes: those of the trait.
#[derive(Clone)]
struct Bare<M>(M);

impl<M: StateSpace> StateSpace for Bare<M> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn observed(&self) -> usize {
        self.0.observed()
    }
    fn initial_mean(&self) -> &[f64] {
        self.0.initial_mean()
    }
    fn initial_covariance(&self) -> &[f64] {
        self.0.initial_covariance()
    }
    fn noise(&self) -> &[f64] {
        self.0.noise()
    }
    fn mean(&self, state: &[f64], into: &mut [f64]) {
        self.0.mean(state, into);
    }
    fn log_likelihood(&self, y: &[f64], state: &[f64]) -> f64 {
        self.0.log_likelihood(y, state)
    }
}

/// Slopes and scores of a model against differences of its densities.
fn slopes_agree<M: StateSpace + Clone>(model: &M, previous: &[f64], x: &[f64], y: &[f64]) {
    let (n, p) = (model.dim(), model.parameters_len());
    let bare = Bare(model.clone());
    let (mut a, mut b) = (vec![0.0; n * n], vec![0.0; n * n]);
    model.mean_slope(x, &mut a);
    bare.mean_slope(x, &mut b);
    close("∂f/∂x", &a, &b, 1e-7, 1e-7);
    let (mut ga, mut gb) = (vec![0.0; n], vec![0.0; n]);
    let value = model.log_likelihood_slopes(y, x, &mut ga, &mut a);
    assert!((value - model.log_likelihood(y, x)).abs() < 1e-12 * value.abs().max(1.0));
    bare.log_likelihood_slopes(y, x, &mut gb, &mut b);
    close("∇ ln g", &ga, &gb, 1e-6, 1e-6);
    close("∇² ln g", &a, &b, 1e-4, 1e-4);
    let mut theta = vec![0.0; p];
    model.parameters(&mut theta);
    assert_eq!(model.parameter_names().len(), p);
    let log_transition = |m: &M| {
        let mut mean = vec![0.0; n];
        m.mean(previous, &mut mean);
        let q = DMatrix::from_row_slice(n, n, m.noise());
        let r = DMatrix::from_fn(n, 1, |i, _| x[i] - mean[i]);
        let form = (r.transpose() * q.clone().try_inverse().unwrap() * r)[(0, 0)];
        -0.5 * (form + (q * std::f64::consts::TAU).determinant().ln())
    };
    let (mut transition, mut observation) = (vec![0.0; p], vec![0.0; p]);
    model.transition_score(previous, x, &mut transition);
    model.observation_score(y, x, &mut observation);
    for k in 0..p {
        let at = |d: f64| {
            let (mut m, mut moved) = (model.clone(), theta.clone());
            moved[k] += d;
            m.set_parameters(&moved).unwrap();
            m
        };
        let (up, down) = (at(1e-5), at(-1e-5));
        let slope = (log_transition(&up) - log_transition(&down)) / 2e-5;
        assert!(
            (transition[k] - slope).abs() < 1e-5 * slope.abs().max(1.0),
            "{k}: {transition:?} {slope}"
        );
        let slope = (up.log_likelihood(y, x) - down.log_likelihood(y, x)) / 2e-5;
        assert!(
            (observation[k] - slope).abs() < 1e-5 * slope.abs().max(1.0),
            "{k}: {observation:?} {slope}"
        );
    }
}

#[test]
fn models_know_their_slopes() {
    slopes_agree(
        &Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap(),
        &[0.3],
        &[0.7],
        &[3.0],
    );
    slopes_agree(
        &SinQuadratic::new(0.1, 0.3, 0.0, 1.0).unwrap(),
        &[-0.8],
        &[1.7],
        &[0.5],
    );
    slopes_agree(
        &StochasticVolatility::stationary(0.95, 0.05, 0.7).unwrap(),
        &[0.2],
        &[-0.4],
        &[1.1],
    );
    let diagonal = DiagonalLinear::new(
        vec![0.9, -0.4],
        vec![1.2, 0.7],
        vec![0.1, 0.3],
        vec![0.5, 0.2],
    );
    slopes_agree(&diagonal.unwrap(), &[0.5, -1.0], &[0.1, 0.6], &[0.4, -0.2]);
    let pendulum = pendulum();
    slopes_agree(&pendulum, &[0.4, -0.2], &[0.5, 0.3], &[0.2]);
}

type Mean = fn(&[f64], &[f64], &mut [f64]);
type Likelihood = fn(&[f64], &[f64], &[f64]) -> f64;

fn pendulum() -> Nonlinear<Mean, Likelihood> {
    let mean: Mean = |theta, x, into| {
        into[0] = x[0] + 0.1 * x[1];
        into[1] = x[1] - 0.1 * theta[0] * x[0].sin();
    };
    let likelihood: Likelihood = |theta, y, x| {
        -0.5 * ((y[0] - x[0].sin()).powi(2) / theta[1].exp()
            + theta[1]
            + std::f64::consts::TAU.ln())
    };
    Nonlinear::new(1, mean, vec![1e-3, 2e-4, 2e-4, 2e-3], likelihood)
        .unwrap()
        .with_initial(vec![0.5, 0.0], vec![0.1, 0.0, 0.0, 0.1])
        .unwrap()
        .with_parameters([("gravity", 1.3), ("ln r", -3.0)])
        .unwrap()
}

#[test]
fn a_pendulum_is_followed_and_its_bound_audited() {
    let model = pendulum();
    let ys =
        Sequence::of_numbers((0..60).map(|t| 0.6 * (0.11 * f64::from(t)).cos().sin())).unwrap();
    let mut filter = NonlinearFilter::new(model, NonlinearConfig::default()).unwrap();
    let mut audit = MonteCarloBound::default();
    for y in ys.iter() {
        filter.update(y).unwrap();
        audit.record(&filter);
    }
    let mut rng = SmallRng::seed_from_u64(3);
    let sampled = audit.elbo(&filter, &ys, 4000, &mut rng).unwrap();
    let off = (sampled.mean - filter.elbo()).abs();
    assert!(
        off < ESTIMATE + 5.0 * sampled.standard_error,
        "{sampled:?} {}",
        filter.elbo()
    );
    let (mean, covariance) = filter.predict(3).unwrap();
    assert!(mean[0].abs() < 1.0 && covariance[0] > filter.covariance()[0]);
}

#[test]
fn a_product_is_the_whole() {
    let model = DiagonalLinear::new(
        vec![0.9, 0.5, -0.3],
        vec![1.0, 0.7, 2.0],
        vec![0.1; 3],
        vec![0.3, 0.2, 0.4],
    )
    .unwrap();
    let mut rng = SmallRng::seed_from_u64(5);
    let (_, ys) = simulate(&model, 50, &mut rng).unwrap();
    let (_, whole, _) = run(model.clone(), &ys, NonlinearConfig::default());
    let parts = model
        .coordinates()
        .into_iter()
        .map(|m| NonlinearFilter::new(m, NonlinearConfig::default()).unwrap());
    let mut product = IndependentCoordinates::new(parts.collect()).unwrap();
    let sums: Vec<f64> = ys.iter().map(|y| product.update(y).unwrap().elbo).collect();
    close("sum", &sums, &whole, ALGEBRA, ALGEBRA);
}

#[test]
fn what_fails_changes_nothing() {
    let model = Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap();
    let mut filter = NonlinearFilter::new(model.clone(), NonlinearConfig::default()).unwrap();
    let mut learning = NonlinearLearning::new(
        model.clone(),
        NonlinearConfig::default(),
        LearningConfig::default(),
    )
    .unwrap();
    for y in [2.0, 0.0, 5.0] {
        filter.update(Some(&[y])).unwrap();
        learning.update(Some(&[y])).unwrap();
    }
    let (before, learned) = (filter.clone(), learning.clone());
    for bad in [
        &[-1.0][..],
        &[0.5],
        &[f64::NAN],
        &[1.0, 2.0],
        &[],
        &[f64::INFINITY],
    ] {
        let error = filter.update(Some(bad)).unwrap_err();
        assert!(
            matches!(error, Error::Observation { index: 3, .. }),
            "{error}"
        );
        assert!(learning.update(Some(bad)).is_err());
    }
    assert_eq!(filter, before);
    assert_eq!(learning, learned);
    assert_eq!(filter.commit().elbo, before.elbo());
    assert_eq!(filter, before);
    // A step that leaves the range of the model's parameters.
    let wild = LearningConfig {
        ascent: Ascent::Plain,
        schedule: Schedule {
            rate: 1e6,
            ..Schedule::default()
        },
        ..LearningConfig::default()
    };
    let mut learning =
        NonlinearLearning::new(model.clone(), NonlinearConfig::default(), wild).unwrap();
    let mut failed = false;
    for y in [2.0, 9.0, 0.0, 30.0] {
        let before = learning.clone();
        if learning.update(Some(&[y])).is_err() {
            assert_eq!(learning, before);
            failed = true;
        }
    }
    assert!(failed);
    // One part of two fails: neither moves.
    let parts = [model.clone(), model]
        .map(|m| NonlinearFilter::new(m, NonlinearConfig::default()).unwrap());
    let mut product = IndependentCoordinates::new(parts.to_vec()).unwrap();
    product.update(Some(&[1.0, 2.0])).unwrap();
    let before = product.clone();
    let error = product.update(Some(&[1.0, -2.0])).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Observation {
                index: 1,
                entry: 1,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(product, before);
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let model = || Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap();
    let narrow = Representation::Table {
        nodes: 3,
        reach: 8.0,
    };
    assert!(
        NonlinearFilter::new(
            model(),
            NonlinearConfig {
                representation: narrow,
                ..table()
            }
        )
        .is_err()
    );
    assert!(NonlinearFilter::new(Linear::example(), table()).is_err());
    assert!(
        NonlinearFilter::new(
            model(),
            NonlinearConfig {
                tolerance: f64::NAN,
                ..table()
            }
        )
        .is_err()
    );
    assert!(
        NonlinearFilter::new(
            model(),
            NonlinearConfig {
                rule: Some(CubatureRule::GaussHermite(0)),
                ..table()
            }
        )
        .is_err()
    );
    let schedule = Schedule {
        scale: 0.0,
        ..Schedule::default()
    };
    let learn = LearningConfig {
        schedule,
        ..LearningConfig::default()
    };
    assert!(NonlinearLearning::new(model(), NonlinearConfig::default(), learn).is_err());
    assert!(Ar1Poisson::new(0.9, 0.4, -0.2, 0.0, 1.0).is_err());
    assert!(StochasticVolatility::stationary(1.0, 0.4, 0.2).is_err());
    assert!(DiagonalLinear::new(vec![1.0], vec![1.0, 2.0], vec![1.0], vec![1.0]).is_err());
    assert!(Grid::new(&Linear::example(), -1.0, 1.0, 100).is_err());
    assert!(Grid::new(&model(), 1.0, -1.0, 100).is_err());
}

#[test]
fn snapshots_go_on_bit_for_bit() {
    let model = Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap();
    for settings in [NonlinearConfig::default(), table()] {
        let mut learning =
            NonlinearLearning::new(model.clone(), settings, LearningConfig::default()).unwrap();
        for y in [2.0, 0.0, 5.0] {
            learning.update(Some(&[y])).unwrap();
        }
        // Values keep every bit of a number; text as read by serde_json's default does not.
        let saved = serde_json::to_value(&learning).unwrap();
        let mut loaded: NonlinearLearning<Ar1Poisson> =
            serde_json::from_value(saved.clone()).unwrap();
        for y in [None, Some(&[3.0][..]), Some(&[0.0])] {
            assert_eq!(learning.update(y).unwrap(), loaded.update(y).unwrap());
        }
        assert_eq!(learning, loaded);
        for (field, wrong) in [
            ("mean", serde_json::json!([1.0, 2.0])),
            ("covariance", serde_json::json!([-1.0])),
        ] {
            let mut broken = saved.clone();
            broken["filter"]["state"][field] = wrong;
            assert!(
                serde_json::from_value::<NonlinearLearning<Ar1Poisson>>(broken).is_err(),
                "{field}"
            );
        }
    }
}

#[test]
fn learning_finds_the_rate_of_counts() -> Result<()> {
    let truth = Ar1Poisson::new(0.8, 1.0, 0.1, 0.0, 0.3)?;
    let (_, ys) = simulate(&truth, 4000, &mut SmallRng::seed_from_u64(11))?;
    let start = Ar1Poisson::new(0.8, 0.3, 0.1, 0.0, 0.3)?;
    let mut learning =
        NonlinearLearning::new(start, NonlinearConfig::default(), LearningConfig::default())?;
    for y in ys.iter() {
        learning.update(y)?;
    }
    // c was 0.7 off; its standard error from 4000 correlated counts is about 0.03.
    assert!(
        (learning.average()[1] - 1.0).abs() < 0.15,
        "{:?}",
        learning.average()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn scalar_linear_models_are_exact_in_every_representation(
        f in -1.2f64..1.2,
        g in -2.0f64..2.0,
        q in 0.01f64..2.0,
        r in 0.01f64..2.0,
        ys in prop::collection::vec(prop::option::weighted(0.9, -4.0f64..4.0), 1..30),
    ) {
        let model = DiagonalLinear::new(vec![f], vec![g], vec![q], vec![r]).unwrap();
        let (mut m, mut p, mut evidence) = (0.0, 1.0, 0.0);
        let mut filters = [NonlinearConfig::default(), table()]
            .map(|s| NonlinearFilter::new(model.clone(), s).unwrap());
        for (t, y) in ys.iter().enumerate() {
            if t > 0 {
                (m, p) = (f * m, f * f * p + q);
            }
            if let Some(y) = y {
                let s = g * g * p + r;
                let e = y - g * m;
                evidence -= 0.5 * (e * e / s + (std::f64::consts::TAU * s).ln());
                m += p * g / s * e;
                p -= p * g / s * g * p;
            }
            let row = y.map(|y| [y]);
            for filter in &mut filters {
                let step = filter.update(row.as_ref().map(|r| &r[..])).unwrap();
                prop_assert!((step.elbo - evidence).abs() < 1e-8 * (1.0 + evidence.abs()), "{} {evidence}", step.elbo);
                prop_assert!((filter.mean()[0] - m).abs() < 1e-8 * (1.0 + m.abs()));
            }
        }
    }

    #[test]
    fn tables_bound_the_evidence_of_any_counts(
        a in 0.3f64..0.98,
        c in -0.5f64..1.5,
        q in 0.05f64..0.5,
        ys in prop::collection::vec(0u32..12, 1..12),
    ) {
        let model = Ar1Poisson::new(a, c, q, 0.0, 1.0).unwrap();
        let ys = Sequence::of_numbers(ys.into_iter().map(f64::from)).unwrap();
        let exact = Grid::new(&model, -9.0, 9.0, 601).unwrap().filter(&model, &ys).unwrap();
        let (_, elbo, _) = run(model, &ys, table());
        for (bound, evidence) in elbo.iter().zip(&exact.log_evidence) {
            prop_assert!(*bound <= evidence + TABLE, "{bound} {evidence}");
        }
    }
}
