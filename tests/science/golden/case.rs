//! One recorded run: its settings, its model, its noise.

use burn::module::Param;
use burn::tensor::Tensor;
use scotopic::inference::{Expectation, Leak, NaturalGradient, StepForm};
use scotopic::noise::{Draw, Noise, NoiseSource};
use scotopic::ops::Indicator;
use scotopic::posterior::{ActivationKind, Clamps, KlForm, Sampling};
use scotopic_models::{DecoderNet, Family, LinearDictionary, Method, Network, Prior, Transition};
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
    pub family: Family,
    settings: Value,
    /// The f64 file.
    pub exact: Tensors,
    /// The f32 file, where there is one.
    pub single: Option<Tensors>,
}

impl Case {
    /// Every case of every recording; at least one, or the test fails. So does a case of a family that this
    /// does not know, or without its file: none is left out in silence.
    pub fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for recording in recordings() {
            let listed = recording.index["cases"].as_object();
            for (name, settings) in listed.expect("golden.json has `cases`") {
                let exact = recording.tensors(&format!("{name}.f64"));
                cases.push(Self {
                    name: name.clone(),
                    family: match settings["kind"].as_str() {
                        Some("poisson") => Family::Poisson,
                        Some("gaussian") => Family::Gaussian,
                        other => panic!("{name} is of kind {other:?}"),
                    },
                    settings: settings.clone(),
                    exact: exact.unwrap_or_else(|| panic!("{name} has no f64 file")),
                    single: recording.tensors(&format!("{name}.f32")),
                });
            }
        }
        assert!(!cases.is_empty(), "no case was found");
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

    /// What f32 may deviate in this group of tensors, on any device.
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
            form: StepForm::Explicit,
            sampling: Sampling {
                temperature: self.number("temp"),
                indicator: Indicator::Sigmoid,
                rate_floor: RATE_FLOOR,
            },
            clamps: Clamps {
                state: self.bounds("c_u"),
                step: self.bounds("c_du"),
            },
            kl: KlForm::Published,
            expectation: Expectation::Sample,
        };
        rule.validate().expect("recorded settings are valid");
        rule
    }

    /// The activation between sample and decoder.
    pub fn activation(&self) -> ActivationKind {
        match self.settings["latent_act"].as_str() {
            None | Some("none") => ActivationKind::None,
            Some("relu") => ActivationKind::Relu,
            Some(other) => panic!("{}: an activation {other}", self.name),
        }
    }

    /// A recorded tensor on `place`.
    pub fn tensor<const D: usize>(&self, place: &Place, name: &str) -> Tensor<D> {
        let array = self.exact.array(name);
        let shape = <[usize; D]>::try_from(array.shape.as_slice());
        let shape = shape.unwrap_or_else(|_| panic!("{name} has shape {:?}", array.shape));
        place.tensor(&array.values, shape)
    }

    /// The recorded parameters as a model.
    pub fn model(&self, place: &Place) -> Network {
        let vector = |name: &str| {
            let values = self.exact.values(name);
            Param::from_tensor(place.tensor(values, [values.len()]))
        };
        let each = |stem: &str| {
            let components = 0..self.family.info().components;
            components
                .map(|i| vector(&format!("{stem}.{i}")))
                .collect::<Vec<_>>()
        };
        // Φ is recorded as [pixels, latents]; atoms are its columns.
        let atoms = transposed(self.exact.array("param.phi.weight"));
        let latents = self.count("latent_dim");
        let shape = [latents, self.count("input_dim")];
        let activation = self.activation();
        Network {
            decoder: DecoderNet::Linear(LinearDictionary {
                atoms: Param::from_tensor(place.tensor(&atoms, shape)),
                log_sigma: vector("param.dec_log_sigma"),
            }),
            prior: Prior {
                rest: each("param.u_init"),
                log_gain: (activation != ActivationKind::None)
                    .then(|| vector("param.activation.log_gain")),
                family: self.family,
                activation,
                threshold: 1.0,
                latents,
            },
            log_homeostasis: Some(vector("param.log_bias")),
            log_step: each("param.log_lr"),
            encoder: None,
            transition: Transition::carried(),
            method: Method::NaturalGradient,
        }
    }

    /// The recorded randomness of one sample, named by its stem; `None` for counts, whose draw was not recorded.
    pub fn randomness(&self, place: &Place, stem: &str) -> Option<Noise> {
        match self.family {
            Family::Poisson if self.number("temp") == 0.0 => None,
            Family::Poisson => {
                let exponentials = self.tensor(place, &format!("{stem}.E"));
                Some(Noise::Exponentials(exponentials))
            }
            _ => Some(Noise::Unit(self.tensor(place, &format!("{stem}.noise")))),
        }
    }

    /// The recorded sample as the decoder saw it.
    pub fn activated(&self, stem: &str) -> String {
        match self.activation() {
            ActivationKind::None => format!("{stem}.z"),
            _ => format!("{stem}.z_act"),
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

/// Hands out the recorded randomness, and counts as they are.
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
        let counts = || Noise::Sample(self.case.tensor(self.place, &format!("{stem}.z")));
        self.case
            .randomness(self.place, &stem)
            .unwrap_or_else(counts)
    }
}

#[test]
fn inputs_are_the_same_in_both_precisions() {
    for case in Case::all() {
        let Some(single) = &case.single else { continue };
        for (name, array) in single.iter() {
            let drawn = name.ends_with(".E") || name.ends_with(".noise");
            if name == "x" || name.starts_with("param.") || drawn {
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

/// No recorded parameter is left out of the model.
#[test]
fn parameters_are_all_in_the_model() {
    for case in Case::all() {
        let model = case.model(&Place::processor());
        let recorded = case
            .exact
            .iter()
            .filter(|(name, _)| name.starts_with("param."));
        let recorded: usize = recorded.map(|(_, array)| array.values.len()).sum();
        let ours = burn::module::Module::num_params(&model);
        assert_eq!(ours, recorded, "{}", case.name);
    }
}
