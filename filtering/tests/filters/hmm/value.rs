//! The value recursion with any q and any kernels, and its gradients: against all paths one by one,
//! finite differences and the recordings (eqs. F3–F6, F9, F20).

use crate::reference::{Recording, close, hmm, numbers, recordings};
use proptest::prelude::*;
use scotopic_filtering::hmm::{
    Categorical, Emission, Hmm, LogDynamics, TiedGradient, ValueFunction, belief_gradient,
    kernel_gradient, natural_belief_step, natural_kernel_step,
};
use scotopic_filtering::{log_sum_exp, softmax};

/// Sums of a few hundred products of doubles.
const ROUNDING: f64 = 1e-11;
/// Gradients recorded by automatic differentiation, on values of up to 10⁴ nats.
const RECORDED: f64 = 1e-9;
/// A central difference of step 1e-6 on values of some tens of nats.
const DIFFERENCE: f64 = 1e-7;

/// ℓ of the first rows of a recording.
fn log_likelihoods(r: &Recording, model: &Hmm, length: usize) -> Vec<Vec<f64>> {
    let sequence = hmm::observations(r);
    (0..length)
        .map(|t| {
            let mut l = vec![0.0; model.states()];
            if let Some(o) = sequence.get(t) {
                model.emission().log_likelihood(o, &mut l).unwrap();
            }
            l
        })
        .collect()
}

#[test]
fn value_and_bound_are_those_recorded() {
    let mut seen = 0;
    for r in recordings("hmm_") {
        if !r.has("arbitrary_reversed.W") {
            continue;
        }
        seen += 1;
        let model = hmm::model(&r, "params");
        let dynamics = LogDynamics::of(&model);
        let beliefs = r.rows("arbitrary_reversed.q");
        let kernels = r.rows("arbitrary_reversed.kernels");
        let bounds = r.numbers("arbitrary_reversed.elbo");
        if r.has("checks.brute_elbo") {
            let (t, path_sum) = (r.size("checks.brute_T"), r.number("checks.brute_elbo"));
            // Of a longer sum there is no bound: its kernels were not recorded.
            match bounds.get(t.wrapping_sub(1)) {
                Some(bound) => close(&r.name, &[*bound], &[path_sum], ROUNDING, ROUNDING),
                None => eprintln!(
                    "skipped: {}: a path sum of {t} steps, {} bounds",
                    r.name,
                    bounds.len()
                ),
            }
        }
        let l = log_likelihoods(&r, &model, beliefs.len());
        let mut w = ValueFunction::start(&dynamics, &l[0]).unwrap();
        for (t, expected) in r.rows("arbitrary_reversed.W").iter().enumerate() {
            if t > 0 {
                w.advance(&kernels[t - 1], &dynamics, &l[t]).unwrap();
            }
            let mut found: Vec<f64> = w.values().collect();
            // A row of zeros is no distribution. The recordings add an empty sum for it, here it is −∞.
            let row = |j: usize| {
                t > 0
                    && kernels[t - 1]
                        .chunks(model.states())
                        .nth(j)
                        .unwrap()
                        .iter()
                        .all(|b| *b == 0.0)
            };
            for (j, (f, e)) in found.iter_mut().zip(expected).enumerate() {
                if row(j) {
                    assert_eq!(*f, f64::NEG_INFINITY);
                    *f = *e;
                }
            }
            close(
                &format!("{} W_{t}", r.name),
                &found,
                expected,
                ROUNDING,
                ROUNDING,
            );
            let bound = w.elbo(&beliefs[t]).unwrap();
            close(
                &format!("{} L_{t}", r.name),
                &[bound],
                &[bounds[t]],
                ROUNDING,
                ROUNDING,
            );
        }
    }
    assert!(seen > 0, "no recording of a value function");
}

#[test]
fn gradients_of_the_newest_factors_are_those_recorded() {
    for r in recordings("hmm_") {
        if !r.has("arbitrary_reversed.grad_q_logits_last") {
            continue;
        }
        let model = hmm::model(&r, "params");
        let k = model.states();
        let dynamics = LogDynamics::of(&model);
        let beliefs = r.rows("arbitrary_reversed.q");
        let kernels = r.rows("arbitrary_reversed.kernels");
        let l = log_likelihoods(&r, &model, beliefs.len());
        let mut w = ValueFunction::start(&dynamics, &l[0]).unwrap();
        let mut past = w.clone();
        for t in 1..beliefs.len() {
            past = w.clone();
            w.advance(&kernels[t - 1], &dynamics, &l[t]).unwrap();
        }
        let (q, b) = (beliefs.last().unwrap(), kernels.last().unwrap());
        let mut found = vec![0.0; k];
        belief_gradient(&w, q, &mut found).unwrap();
        let expected = r.numbers("arbitrary_reversed.grad_q_logits_last");
        close(
            &format!("{} ∂L/∂η", r.name),
            &found,
            &expected,
            RECORDED,
            RECORDED,
        );
        let mut found = vec![0.0; k * k];
        kernel_gradient(&past, &dynamics, q, b, &mut found).unwrap();
        let expected = r.numbers("arbitrary_reversed.grad_kernel_logits_last");
        close(
            &format!("{} ∂L/∂ζ", r.name),
            &found,
            &expected,
            RECORDED,
            RECORDED,
        );
    }
}

#[test]
fn the_gradient_of_a_tied_kernel_is_the_recorded_one() {
    for r in recordings("hmm_") {
        if !r.has("arbitrary_reversed.tied_kernel") {
            continue;
        }
        let model = hmm::model(&r, "params");
        let k = model.states();
        let dynamics = LogDynamics::of(&model);
        let beliefs = r.rows("arbitrary_reversed.q");
        let kernel = r.numbers("arbitrary_reversed.tied_kernel");
        let l = log_likelihoods(&r, &model, beliefs.len());
        let mut w = ValueFunction::start(&dynamics, &l[0]).unwrap();
        let mut g = TiedGradient::new(k);
        for l in &l[1..] {
            g.advance(&w, &dynamics, &kernel).unwrap();
            w.advance(&kernel, &dynamics, l).unwrap();
        }
        let q = beliefs.last().unwrap();
        let bound = r.number("arbitrary_reversed.tied_elbo");
        close(&r.name, &[w.elbo(q).unwrap()], &[bound], ROUNDING, ROUNDING);
        let mut found = vec![0.0; k * k];
        g.gradient(q, &kernel, &mut found).unwrap();
        let expected = numbers(r.at("arbitrary_reversed.tied_grad_kernel_logits"));
        close(
            &format!("{} ∇_ζ", r.name),
            &found,
            &expected,
            RECORDED,
            RECORDED,
        );
    }
}

/// A model, ℓ `[T][K]`, beliefs `[T][K]` and kernels `[T−1][K·K]`, all drawn.
#[derive(Debug, Clone)]
struct Drawn {
    model: Hmm<Categorical>,
    loglik: Vec<Vec<f64>>,
    beliefs: Vec<Vec<f64>>,
    kernels: Vec<Vec<f64>>,
}

fn distribution(k: usize) -> impl Strategy<Value = Vec<f64>> {
    // The logarithm of an exponential variable: a flat Dirichlet, to the precision of a test.
    prop::collection::vec(1e-4f64..1.0, k).prop_map(|u| {
        let mut e: Vec<f64> = u.iter().map(|u| (-u.ln()).ln()).collect();
        softmax(&mut e);
        e
    })
}

fn rows(n: usize, k: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(distribution(k), n)
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (1usize..4, 1usize..6).prop_flat_map(|(k, t)| {
        (
            distribution(k),
            rows(k, k),
            prop::collection::vec(prop::collection::vec(-6.0f64..1.0, k), t),
            rows(t, k),
            prop::collection::vec(rows(k, k), t - 1),
        )
            .prop_map(move |(pi, a, loglik, beliefs, kernels)| {
                let emission = Categorical::new(vec![vec![1.0]; k]).unwrap();
                Drawn {
                    model: Hmm::new(pi, a, emission).unwrap(),
                    loglik,
                    beliefs,
                    kernels: kernels.iter().map(|b| b.concat()).collect(),
                }
            })
    })
}

/// Every path of a length over k states.
fn paths(k: usize, length: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..k.pow(length as u32)).map(move |n| (0..length).map(|t| n / k.pow(t as u32) % k).collect())
}

impl Drawn {
    fn value(&self) -> ValueFunction {
        let dynamics = LogDynamics::of(&self.model);
        let mut w = ValueFunction::start(&dynamics, &self.loglik[0]).unwrap();
        for (b, l) in self.kernels.iter().zip(&self.loglik[1..]) {
            w.advance(b, &dynamics, l).unwrap();
        }
        w
    }

    fn log_joint(&self, path: &[usize]) -> f64 {
        let k = self.model.states();
        let steps = path
            .windows(2)
            .map(|s| self.model.transition()[s[0] * k + s[1]].ln());
        let seen = path.iter().zip(&self.loglik).map(|(&s, l)| l[s]);
        self.model.initial()[path[0]].ln() + steps.sum::<f64>() + seen.sum::<f64>()
    }

    fn log_evidence(&self) -> f64 {
        let all: Vec<f64> = paths(self.model.states(), self.loglik.len())
            .map(|path| self.log_joint(&path))
            .collect();
        log_sum_exp(&all)
    }

    /// Σ_paths q (ln p − ln q).
    fn bound_by_paths(&self) -> f64 {
        let (k, length) = (self.model.states(), self.loglik.len());
        paths(k, length)
            .map(|path| {
                let kernels = self.kernels.iter().zip(path.windows(2));
                let q = self.beliefs[length - 1][path[length - 1]]
                    * kernels.map(|(b, s)| b[s[1] * k + s[0]]).product::<f64>();
                q * (self.log_joint(&path) - q.ln())
            })
            .sum()
    }

    fn bound(&self) -> f64 {
        self.value().elbo(self.beliefs.last().unwrap()).unwrap()
    }
}

proptest! {
    #[test]
    fn the_recursion_is_the_sum_over_all_paths(d in drawn()) {
        let (found, expected) = (d.bound(), d.bound_by_paths());
        prop_assert!((found - expected).abs() <= ROUNDING * (1.0 + expected.abs()), "{found} {expected}");
    }

    #[test]
    fn no_q_and_no_kernels_exceed_the_evidence(d in drawn()) {
        prop_assert!(d.bound() <= d.log_evidence() + ROUNDING);
        prop_assert!(d.value().highest_elbo() <= d.log_evidence() + ROUNDING);
    }

    #[test]
    fn the_optimal_step_is_exact_and_its_kernel_gives_the_same(d in drawn()) {
        let dynamics = LogDynamics::of(&d.model);
        let k = d.model.states();
        let mut w = ValueFunction::start(&dynamics, &d.loglik[0]).unwrap();
        let mut by_kernel = w.clone();
        let mut b = vec![0.0; k * k];
        for l in &d.loglik[1..] {
            by_kernel.optimal_kernel(&dynamics, &mut b).unwrap();
            by_kernel.advance(&b, &dynamics, l).unwrap();
            w.advance_optimally(&dynamics, l).unwrap();
            for (x, y) in w.values().zip(by_kernel.values()) {
                prop_assert!((x - y).abs() < ROUNDING, "{x} {y}");
            }
        }
        let mut q = vec![0.0; k];
        let best = w.optimal_belief(&mut q).unwrap();
        prop_assert!((best - d.log_evidence()).abs() < ROUNDING);
        prop_assert!((w.elbo(&q).unwrap() - best).abs() < ROUNDING);
        // V is flat where q is optimal.
        let mut v = vec![0.0; k];
        w.under(&q, &mut v).unwrap();
        prop_assert!(v.iter().all(|v| (v - best).abs() < ROUNDING));
    }

    #[test]
    fn gradients_of_the_newest_factors_are_finite_differences(d in drawn()) {
        let k = d.model.states();
        let length = d.loglik.len();
        let h = 1e-6;
        let moved = |p: &[f64], x: usize, h: f64| {
            let mut logits: Vec<f64> = p.iter().map(|p| p.ln()).collect();
            logits[x] += h;
            softmax(&mut logits);
            logits
        };
        let mut g = vec![0.0; k];
        let elbo = belief_gradient(&d.value(), d.beliefs.last().unwrap(), &mut g).unwrap();
        prop_assert!((elbo - d.bound()).abs() < ROUNDING);
        for (j, g) in g.iter().enumerate() {
            let at = |h: f64| d.value().elbo(&moved(&d.beliefs[length - 1], j, h)).unwrap();
            prop_assert!(((at(h) - at(-h)) / (2.0 * h) - g).abs() < DIFFERENCE);
        }
        if length > 1 {
            let past = Drawn {
                loglik: d.loglik[..length - 1].to_vec(),
                kernels: d.kernels[..length - 2].to_vec(),
                ..d.clone()
            }
            .value();
            let dynamics = LogDynamics::of(&d.model);
            let (q, b) = (&d.beliefs[length - 1], &d.kernels[length - 2]);
            let mut g = vec![0.0; k * k];
            kernel_gradient(&past, &dynamics, q, b, &mut g).unwrap();
            for (x, g) in g.iter().enumerate() {
                let row = x / k * k..(x / k + 1) * k;
                let at = |h: f64| {
                    let mut e = d.clone();
                    let new = moved(&b[row.clone()], x % k, h);
                    e.kernels[length - 2][row.clone()].copy_from_slice(&new);
                    e.bound()
                };
                prop_assert!(((at(h) - at(-h)) / (2.0 * h) - g).abs() < DIFFERENCE);
            }
        }
    }

    #[test]
    fn a_whole_natural_step_is_the_closed_form_and_ends_the_gradient(d in drawn()) {
        let dynamics = LogDynamics::of(&d.model);
        let k = d.model.states();
        let past = d.value();
        let mut logits: Vec<f64> = (0..k * k).map(|x| x as f64 * 0.3).collect();
        natural_kernel_step(&past, &dynamics, &mut logits, 1.0).unwrap();
        logits.chunks_mut(k).for_each(|row| { softmax(row); });
        let mut best = vec![0.0; k * k];
        past.optimal_kernel(&dynamics, &mut best).unwrap();
        for (x, y) in logits.iter().zip(&best) {
            prop_assert!((x - y).abs() < 1e-14);
        }
        let q = d.beliefs.last().unwrap();
        let mut g = vec![1.0; k * k];
        kernel_gradient(&past, &dynamics, q, &best, &mut g).unwrap();
        prop_assert!(g.iter().all(|g| g.abs() < 1e-13));
        let mut eta: Vec<f64> = q.iter().map(|q| q.ln()).collect();
        natural_belief_step(&past, &mut eta, 1.0).unwrap();
        softmax(&mut eta);
        let mut best = vec![0.0; k];
        past.optimal_belief(&mut best).unwrap();
        for (x, y) in eta.iter().zip(&best) {
            prop_assert!((x - y).abs() < 1e-14);
        }
        let mut g = vec![1.0; k];
        belief_gradient(&past, &best, &mut g).unwrap();
        prop_assert!(g.iter().all(|g| g.abs() < 1e-13));
    }

    /// A natural step of any size up to one raises the bound: L is a KL divergence in the newest factor.
    #[test]
    fn a_part_of_a_natural_step_raises_the_bound(d in drawn(), rho in 0.01f64..1.0) {
        let w = d.value();
        let q = d.beliefs.last().unwrap();
        let mut eta: Vec<f64> = q.iter().map(|q| q.ln()).collect();
        natural_belief_step(&w, &mut eta, rho).unwrap();
        softmax(&mut eta);
        prop_assert!(w.elbo(&eta).unwrap() >= w.elbo(q).unwrap() - ROUNDING);
    }

    #[test]
    fn the_gradient_of_a_tied_kernel_is_a_finite_difference(d in drawn(), zeta in prop::collection::vec(-2.0f64..2.0, 9)) {
        let dynamics = LogDynamics::of(&d.model);
        let k = d.model.states();
        let q = d.beliefs.last().unwrap();
        let kernel = |zeta: &[f64]| {
            let mut b = zeta[..k * k].to_vec();
            b.chunks_mut(k).for_each(|row| { softmax(row); });
            b
        };
        let run = |b: &[f64]| {
            let mut w = ValueFunction::start(&dynamics, &d.loglik[0]).unwrap();
            let mut g = TiedGradient::new(k);
            for l in &d.loglik[1..] {
                g.advance(&w, &dynamics, b).unwrap();
                w.advance(b, &dynamics, l).unwrap();
            }
            let mut gradient = vec![0.0; k * k];
            g.gradient(q, b, &mut gradient).unwrap();
            (w.elbo(q).unwrap(), gradient)
        };
        let (_, gradient) = run(&kernel(&zeta));
        let h = 1e-6;
        for (x, g) in gradient.iter().enumerate() {
            let at = |h: f64| {
                let mut zeta = zeta.clone();
                zeta[x] += h;
                run(&kernel(&zeta)).0
            };
            prop_assert!(((at(h) - at(-h)) / (2.0 * h) - g).abs() < DIFFERENCE);
        }
    }
}

#[test]
fn states_out_of_reach_are_minus_infinity_and_come_back_from_a_file() {
    let emission = Categorical::new(vec![vec![1.0]; 2]).unwrap();
    let model = Hmm::new(
        vec![1.0, 0.0],
        vec![vec![1.0, 0.0], vec![0.0, 1.0]],
        emission,
    )
    .unwrap();
    let dynamics = LogDynamics::of(&model);
    let mut w = ValueFunction::start(&dynamics, &[-1.0, -2.0]).unwrap();
    w.advance_optimally(&dynamics, &[-1.0, -2.0]).unwrap();
    assert_eq!(w.values().collect::<Vec<_>>(), [-2.0, f64::NEG_INFINITY]);
    let mut b = [0.5; 4];
    w.optimal_kernel(&dynamics, &mut b).unwrap();
    assert_eq!(b, [1.0, 0.0, 0.0, 0.0]);
    let text = serde_json::to_string(&w).unwrap();
    assert_eq!(serde_json::from_str::<ValueFunction>(&text).unwrap(), w);
    // A kernel that comes from where nothing is: the bound is −∞, and stays so.
    w.advance(&[0.0, 1.0, 0.0, 1.0], &dynamics, &[0.0; 2])
        .unwrap();
    assert_eq!(w.elbo(&[0.5, 0.5]).unwrap(), f64::NEG_INFINITY);
    assert_eq!(w.highest_elbo(), f64::NEG_INFINITY);
}

#[test]
fn what_is_no_kernel_is_named_and_changes_nothing() {
    let emission = Categorical::new(vec![vec![1.0]; 2]).unwrap();
    let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.5, 0.5]; 2], emission).unwrap();
    let dynamics = LogDynamics::of(&model);
    let mut w = ValueFunction::start(&dynamics, &[-1.0, -2.0]).unwrap();
    let before = w.clone();
    for bad in [
        &[0.5; 3][..],
        &[0.5, 0.6, 1.0, 0.0],
        &[1.5, -0.5, 0.5, 0.5],
        &[f64::NAN; 4],
    ] {
        w.advance(bad, &dynamics, &[0.0; 2]).unwrap_err();
    }
    w.advance(&[0.5; 4], &dynamics, &[0.0; 3]).unwrap_err();
    w.advance(&[0.5; 4], &dynamics, &[f64::NAN, 0.0])
        .unwrap_err();
    assert_eq!(w, before);
}
