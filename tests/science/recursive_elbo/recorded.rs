//! Recorded models, and the filter of `scotopic-filtering` on them.

use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, activation::log_softmax};
use scotopic::ops::{recursive_elbo, recursive_elbo_given};
use scotopic_filtering::hmm::{
    AnyEmission, Categorical, DiagonalGaussian, Emission, Filter, FullGaussian, Hmm, Poisson,
};
use serde_json::Value;

use super::{DOUBLE, everywhere};
use crate::devices::Place;
use crate::numbers::{Ledger, read};

/// f32, in probabilities and in nats relative to the largest: half a thousand steps.
const SINGLE: f64 = 2e-5;

/// f64: recordings are rounded to 16 digits, and sums over 500 steps of up to some hundred nats are compared.
const RECORDED: f64 = 1e-9;

struct Recording {
    name: String,
    value: Value,
}

impl Recording {
    fn get(&self, path: &str) -> Option<&Value> {
        let found = path.split('.').try_fold(&self.value, |v, key| v.get(key));
        found.filter(|v| !v.is_null())
    }

    fn numbers(&self, path: &str) -> Option<Vec<f64>> {
        self.get(path).map(flat)
    }

    fn need(&self, path: &str) -> Vec<f64> {
        self.numbers(path)
            .unwrap_or_else(|| panic!("{} has no {path}", self.name))
    }

    fn emission(&self) -> AnyEmission {
        let k = self.need("params.pi").len();
        let part = |name: &str| self.need(&format!("params.emission.{name}"));
        match self.get("kind").and_then(Value::as_str) {
            Some("categorical") => Categorical::from_flat(k, part("B")).map(Into::into),
            Some("poisson") => Poisson::from_flat(k, part("rate")).map(Into::into),
            Some("gaussian_diag") => {
                DiagonalGaussian::from_flat(k, part("mean"), part("var")).map(Into::into)
            }
            Some("gaussian_full") => {
                FullGaussian::from_flat(k, part("mean"), part("cov")).map(Into::into)
            }
            other => panic!("{}: unknown kind {other:?}", self.name),
        }
        .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Every observation, `None` where it is missing.
    fn observations(&self) -> Vec<Option<Vec<f64>>> {
        let missing = self.need("missing");
        let rows = self
            .get("obs")
            .and_then(Value::as_array)
            .expect("observations");
        let seen = rows.iter().enumerate();
        seen.map(|(t, row)| (!missing.contains(&(t as f64))).then(|| flat(row)))
            .collect()
    }

    /// ℓ `[time, K]`.
    fn likelihood(&self) -> Vec<f64> {
        let emission = self.emission();
        let rows = self.observations().into_iter().map(|row| {
            let mut l = vec![0.0; emission.states()];
            if let Some(row) = row {
                emission
                    .log_likelihood(&row, &mut l)
                    .expect("an observation");
            }
            l
        });
        rows.flatten().collect()
    }
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

/// Every `hmm_*.json` below `$SCOTOPIC_REFERENCE/ssm/golden`; without that variable below the reference folder
/// next to this workspace, or else the fixtures that come with it.
fn recordings() -> Vec<Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = match std::env::var_os("SCOTOPIC_REFERENCE") {
        Some(path) => root.join(path),
        None => Some(root.join("../shared/reference"))
            .filter(|beside| beside.join("ssm/golden").is_dir())
            .unwrap_or(root.join("tests/fixtures")),
    };
    let folder = reference.join("ssm/golden");
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let name = |path: &PathBuf| {
        path.file_name()
            .and_then(|n| n.to_str())
            .unwrap_or("")
            .to_string()
    };
    let wanted = |name: &str| name.starts_with("hmm_") && name.ends_with(".json");
    let found = paths.iter().filter(|path| wanted(&name(path)));
    let found: Vec<Recording> = found
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a text");
            let value =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            Recording {
                name: name(path),
                value,
            }
        })
        .collect();
    assert!(!found.is_empty(), "no hmm_*.json in {}", folder.display());
    found
}

fn allowed(place: &Place) -> f64 {
    match place.precision {
        burn::tensor::DType::F64 => RECORDED,
        _ => SINGLE,
    }
}

fn logs(values: &[f64]) -> Vec<f64> {
    values.iter().map(|v| v.ln()).collect()
}

#[test]
fn filter_evidence_kernels_and_gradients() {
    for recording in recordings() {
        let (pi, a) = (recording.need("params.pi"), recording.need("params.A"));
        let (k, likelihood) = (pi.len(), recording.likelihood());
        let time = likelihood.len() / k;
        let cumulative = recording.need("exact.log_evidence_cumulative");
        everywhere(|place| {
            let l = place.tensor(&likelihood, [1, time, k]);
            let log_a = place.tensor::<2>(&logs(&a), [k, k]);
            let seen = recursive_elbo(l, place.tensor(&logs(&pi), [1, k]), log_a.clone());
            let mut ledger = Ledger::default();
            let mut total = 0.0;
            let bound = read(seen.increments.clone()).into_iter().map(|c| {
                total += c;
                total
            });
            ledger.compare("evidence", "L", &bound.collect::<Vec<_>>(), &cumulative);
            ledger.compare(
                "filter",
                "q",
                &read(seen.belief()),
                &recording.need("exact.filtered"),
            );
            if let Some(kernels) = recording.numbers("exact.backward_kernels") {
                let ours = read(seen.kernels(log_a)); // the first is that before the first step
                ledger.compare("kernels", "b", &ours[k * k..][..kernels.len()], &kernels);
            }
            let recorded = ["grad.pi_logits", "grad.A_logits"].map(|path| recording.numbers(path));
            if let [Some(by_pi), Some(by_a)] = recorded {
                let tracked = place.autodiff();
                let pi_logits = tracked.tensor::<2>(&logs(&pi), [1, k]).require_grad();
                let a_logits = tracked.tensor::<2>(&logs(&a), [k, k]).require_grad();
                let l = tracked.tensor(&likelihood, [1, time, k]);
                let seen = recursive_elbo(
                    l,
                    log_softmax(pi_logits.clone(), 1),
                    log_softmax(a_logits.clone(), 1),
                );
                let g = seen.evidence().sum().backward();
                let by = |logits: Tensor<2>| read(logits.grad(&g).expect("a gradient"));
                ledger.compare("gradients", "initial logits", &by(pi_logits), &by_pi);
                ledger.compare("gradients", "transition logits", &by(a_logits), &by_a);
            }
            ledger.settle(&format!("{}, {}", recording.name, place.title()), |_| {
                allowed(place)
            });
        });
    }
}

#[test]
fn arbitrary_kernels() {
    for recording in recordings() {
        let part = |name: &str| recording.numbers(&format!("arbitrary_reversed.{name}"));
        let (Some(q), Some(kernels), Some(elbo), Some(w)) =
            (part("q"), part("kernels"), part("elbo"), part("W"))
        else {
            continue;
        };
        let (pi, a) = (recording.need("params.pi"), recording.need("params.A"));
        let (k, time) = (pi.len(), elbo.len());
        let likelihood = &recording.likelihood()[..time * k];
        let size = [1, time, k];
        let logs_of = |b: &[f64]| [vec![-(k as f64).ln(); k * k], logs(b)].concat();
        everywhere(|place| {
            let mut ledger = Ledger::default();
            let arguments = |place: &Place| {
                (
                    place.tensor::<3>(likelihood, size),
                    place.tensor::<2>(&logs(&pi), [1, k]),
                    place.tensor::<2>(&logs(&a), [k, k]),
                )
            };
            let (l, i, log_a) = arguments(place);
            let b = place.tensor(&logs_of(&kernels), [1, time, k, k]);
            let seen = recursive_elbo_given(l, i, log_a, b, place.tensor(&logs(&q), size));
            ledger.compare("bound", "L", &read(seen.bound()), &elbo);
            // W of a state of probability 0 is not compared.
            let believed = |w: &[f64]| -> Vec<f64> {
                let both = w.iter().zip(&q).filter(|(_, q)| **q > 0.0);
                both.map(|(w, _)| *w).collect()
            };
            ledger.compare("W", "w", &believed(&read(seen.w())), &believed(&w));
            if let (Some(by_q), Some(by_b), Some(by_a)) = (
                part("grad_q_logits_last"),
                part("grad_kernel_logits_last"),
                part("score_A_logits"),
            ) {
                let tracked = place.autodiff();
                let (l, i, a_logits) = arguments(&tracked);
                let a_logits = a_logits.require_grad();
                let b = tracked
                    .tensor::<4>(&logs_of(&kernels), [1, time, k, k])
                    .require_grad();
                let q = tracked.tensor::<3>(&logs(&q), size).require_grad();
                let (log_b, log_q) = (log_softmax(b.clone(), 3), log_softmax(q.clone(), 2));
                let seen =
                    recursive_elbo_given(l, i, log_softmax(a_logits.clone(), 1), log_b, log_q);
                let g = seen.evidence().sum().backward();
                let last = |all: Vec<f64>, n: usize| all[all.len() - n..].to_vec();
                let ours = read(q.grad(&g).expect("belief"));
                ledger.compare("gradients", "belief", &last(ours, k), &by_q);
                let ours = read(b.grad(&g).expect("kernels"));
                ledger.compare("gradients", "kernels", &last(ours, k * k), &by_b);
                ledger.compare(
                    "gradients",
                    "transition",
                    &read(a_logits.grad(&g).expect("transition")),
                    &by_a,
                );
            }
            if let (Some(tied), Some(elbo), Some(by_tied)) = (
                part("tied_kernel"),
                part("tied_elbo"),
                part("tied_grad_kernel_logits"),
            ) {
                let tracked = place.autodiff();
                let (l, i, log_a) = arguments(&tracked);
                let b = tracked
                    .tensor::<4>(&logs(&tied), [1, 1, k, k])
                    .require_grad();
                let q = tracked.tensor(&logs(&q), size);
                let seen = recursive_elbo_given(l, i, log_a, log_softmax(b.clone(), 3), q);
                ledger.compare("bound", "tied", &read(seen.evidence()), &elbo);
                let g = seen.evidence().sum().backward();
                ledger.compare(
                    "gradients",
                    "tied",
                    &read(b.grad(&g).expect("kernels")),
                    &by_tied,
                );
            }
            ledger.settle(&format!("{}, {}", recording.name, place.title()), |_| {
                allowed(place)
            });
        });
    }
}

#[test]
fn the_streaming_filter() {
    for recording in recordings() {
        let (pi, a) = (recording.need("params.pi"), recording.need("params.A"));
        let (k, likelihood) = (pi.len(), recording.likelihood());
        let time = likelihood.len() / k;
        let model = Hmm::from_flat(pi.clone(), a.clone(), recording.emission()).expect("a model");
        let mut filter = Filter::new(model);
        let (mut increments, mut beliefs) = (Vec::new(), Vec::new());
        for row in recording.observations() {
            increments.push(
                filter
                    .update(row.as_deref())
                    .expect("an observation")
                    .increment,
            );
            beliefs.extend_from_slice(filter.belief());
        }
        everywhere(|place| {
            let seen = recursive_elbo(
                place.tensor(&likelihood, [1, time, k]),
                place.tensor(&logs(&pi), [1, k]),
                place.tensor(&logs(&a), [k, k]),
            );
            let mut ledger = Ledger::default();
            ledger.compare(
                "increments",
                "c",
                &read(seen.increments.clone()),
                &increments,
            );
            ledger.compare("filter", "q", &read(seen.belief()), &beliefs);
            let allowed = match place.precision {
                burn::tensor::DType::F64 => DOUBLE,
                _ => SINGLE,
            };
            ledger.settle(&format!("{}, {}", recording.name, place.title()), |_| {
                allowed
            });
        });
    }
}
