//! One recorded run of the iterative Poisson VAE: its settings, its model, its noise.

use std::io::Write;
use std::sync::Once;

use burn::module::Param;
use burn::tensor::Tensor;
use scotopic::inference::{Leak, NaturalGradient};
use scotopic::noise::{Draw, Noise, NoiseSource};
use scotopic::posterior::{Clamps, KlForm, Sampling};
use scotopic_models::{IterativeVae, LinearDictionary};
use serde_json::Value;

use super::file::{Tensors, recordings};
use super::{SINGLE_FLOOR, TIMES_STATED};
use crate::devices::Place;

/// The published code adds the f32 machine epsilon to every rate, also in its f64 runs.
pub const RATE_FLOOR: f64 = f32::EPSILON as f64;

/// A recorded run.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    settings: Value,
    /// The f64 file.
    pub exact: Tensors,
    /// The f32 file, where there is one.
    pub single: Option<Tensors>,
}

impl Case {
    /// Every Poisson case of every recording; at least one, or the test fails.
    pub fn all() -> Vec<Self> {
        static SAID: Once = Once::new();
        let mut cases = Vec::new();
        let mut skipped = Vec::new();
        for recording in recordings() {
            let listed = recording.index["cases"].as_object();
            for (name, settings) in listed.expect("golden.json has `cases`") {
                if settings["kind"] != "poisson" {
                    skipped.push(format!("{name} ({}: next issue)", settings["kind"]));
                    continue;
                }
                let Some(exact) = recording.tensors(&format!("{name}.f64")) else {
                    skipped.push(format!("{name} (no f64 file)"));
                    continue;
                };
                cases.push(Self {
                    name: name.clone(),
                    settings: settings.clone(),
                    exact,
                    single: recording.tensors(&format!("{name}.f32")),
                });
            }
        }
        SAID.call_once(|| {
            for case in &skipped {
                let _ = writeln!(std::io::stderr(), "skipped golden case {case}");
            }
        });
        assert!(!cases.is_empty(), "no Poisson case was found");
        cases
    }

    pub fn number(&self, key: &str) -> f64 {
        self.settings[key]
            .as_f64()
            .unwrap_or_else(|| panic!("{}: {key} is not a number", self.name))
    }

    pub fn count(&self, key: &str) -> usize {
        self.settings[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{}: {key} is not a count", self.name)) as usize
    }

    fn bounds(&self, key: &str) -> Vec<f64> {
        let listed = self.settings[key].as_array().map(|all| {
            all.iter()
                .map(|c| c.as_f64().expect("a bound is a number"))
                .collect()
        });
        listed.unwrap_or_else(|| panic!("{}: {key} is not a list", self.name))
    }

    /// What f32 may deviate in this group of tensors.
    pub fn single_tolerance(&self, group: &str) -> f64 {
        let stated = self.settings["f32_vs_f64_max_rel_dev"][group].as_f64();
        let stated = stated.unwrap_or_else(|| panic!("{}: {group} states no deviation", self.name));
        (TIMES_STATED * stated).max(SINGLE_FLOOR)
    }

    /// The rule as it was recorded: clamps as they stood, the leak with more than one inner iteration.
    pub fn rule(&self) -> NaturalGradient {
        let inner_iterations = self.count("n_iters_inner");
        let rule = NaturalGradient {
            inner_iterations,
            leak: match inner_iterations {
                1 => Leak::None,
                _ => Leak::Kl(self.number("beta_inner")),
            },
            sampling: Sampling {
                temperature: self.number("temp"),
                rate_floor: RATE_FLOOR,
            },
            clamps: Clamps {
                state: self.bounds("c_u"),
                step: self.bounds("c_du"),
            },
            kl: KlForm::Published,
        };
        rule.validate().expect("recorded settings are valid");
        rule
    }

    /// Whether counts were drawn, not relaxed samples.
    pub fn is_hard(&self) -> bool {
        self.number("temp") == 0.0
    }

    /// A recorded tensor on `place`.
    pub fn tensor<const D: usize>(&self, place: &Place, name: &str) -> Tensor<D> {
        let array = self.exact.array(name);
        let shape = <[usize; D]>::try_from(array.shape.as_slice());
        let shape = shape.unwrap_or_else(|_| panic!("{name} has shape {:?}", array.shape));
        place.tensor(&array.values, shape)
    }

    /// The recorded parameters as a model.
    pub fn model(&self, place: &Place) -> IterativeVae {
        let vector = |name: &str| {
            let values = self.exact.values(name);
            Param::from_tensor(place.tensor(values, [values.len()]))
        };
        // Φ is recorded as [pixels, latents]; atoms are its columns.
        let atoms = transposed(self.exact.array("param.phi.weight"));
        let shape = [self.count("latent_dim"), self.count("input_dim")];
        IterativeVae {
            decoder: LinearDictionary {
                atoms: Param::from_tensor(place.tensor(&atoms, shape)),
                log_sigma: vector("param.dec_log_sigma"),
            },
            resting: vector("param.u_init.0"),
            log_homeostasis: vector("param.log_bias"),
            log_step: vector("param.log_lr.0"),
        }
    }
}

/// The recorded matrix with rows and columns exchanged, row-major.
pub fn transposed(array: &super::file::Array) -> Vec<f64> {
    let &[rows, columns] = array.shape.as_slice() else {
        panic!("a matrix, not {:?}", array.shape);
    };
    let entry = |i: usize| array.values[(i % rows) * columns + i / rows];
    (0..rows * columns).map(entry).collect()
}

/// Hands out the recorded randomness: exponentials of relaxed samples, counts as they are.
pub struct Recorded<'a> {
    pub case: &'a Case,
    pub place: &'a Place,
}

impl NoiseSource for Recorded<'_> {
    fn noise(&self, time: usize, draw: Draw) -> Noise {
        let stem = match draw {
            Draw::Infer { inner } => format!("t{time}.inner{inner}"),
            Draw::Generate => format!("t{time}.gen"),
        };
        if self.case.is_hard() {
            Noise::Sample(self.case.tensor(self.place, &format!("{stem}.z")))
        } else {
            Noise::Exponentials(self.case.tensor(self.place, &format!("{stem}.E")))
        }
    }
}

#[test]
fn inputs_are_the_same_in_both_precisions() {
    for case in Case::all() {
        let Some(single) = &case.single else { continue };
        for (name, array) in single.iter() {
            if name == "x" || name.starts_with("param.") || name.ends_with(".E") {
                assert_eq!(
                    array.values,
                    case.exact.values(name),
                    "{}: {name}",
                    case.name
                );
            }
        }
    }
}
