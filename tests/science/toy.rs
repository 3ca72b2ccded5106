//! A model small enough to differentiate by hand, and numbers to fill it with.

use burn::module::Param;
use burn::tensor::Tensor;
use scotopic::inference::{Expectation, Leak, NaturalGradient, StepForm};
use scotopic::noise::{Draw, Noise, NoiseKey, NoiseSource, uniform};
use scotopic::posterior::{ActivationKind, AnyPosterior, Clamps, KlForm, Posterior, Sampling};
use scotopic_models::{
    DecoderNet, Family, LinearDictionary, Method, Network, Prior, Transition, TransitionKind,
    TransitionWeights,
};

pub const BATCH: usize = 3;
pub const PIXELS: usize = 5;
pub const LATENTS: usize = 4;

/// What the entries of [`Parameters`] are.
pub const NAMES: [&str; 5] = [
    "atoms",
    "log_sigma",
    "resting",
    "log_homeostasis",
    "log_step",
];

/// `n` numbers evenly spread over `[low, high)`.
pub fn numbers(seed: u64, n: usize, low: f64, high: f64) -> Vec<f64> {
    let key = NoiseKey::new(seed).stream(77);
    let unit = (0..n as u32).map(|i| f64::from(uniform(key.words(i, 0)[0])));
    unit.map(|unit| low + (high - low) * unit).collect()
}

/// Every parameter of an iterative Poisson VAE, in the order of [`NAMES`].
#[derive(Debug, Clone)]
pub struct Parameters {
    pub values: [Vec<f64>; 5],
    pub pixels: usize,
}

impl Parameters {
    /// A busy little network: about one spike per neuron and step.
    pub fn drawn(seed: u64) -> Self {
        Self::sized(seed, PIXELS, LATENTS)
    }

    pub fn sized(seed: u64, pixels: usize, latents: usize) -> Self {
        let draw = |i: u64, n, low, high| numbers(seed * 10 + i, n, low, high);
        let values = [
            draw(0, pixels * latents, -0.6, 0.6),
            draw(1, pixels, -0.4, 0.4),
            draw(2, latents, -1.0, 0.6),
            draw(3, latents, -3.0, -1.0),
            draw(4, 1, -1.2, -0.6),
        ];
        Self { values, pixels }
    }

    /// The model with these parameters.
    pub fn model(&self, place: &crate::devices::Place) -> Network {
        let [atoms, log_sigma, resting, log_homeostasis, log_step] = &self.values;
        let vector = |values: &[f64]| Param::from_tensor(place.tensor(values, [values.len()]));
        let shape = [resting.len(), self.pixels];
        Network {
            decoder: DecoderNet::Linear(LinearDictionary {
                atoms: Param::from_tensor(place.tensor(atoms, shape)),
                log_sigma: vector(log_sigma),
            }),
            prior: Prior {
                rest: vec![vector(resting)],
                log_gain: None,
                family: Family::Poisson,
                activation: ActivationKind::None,
                threshold: 1.0,
                latents: resting.len(),
            },
            log_homeostasis: Some(vector(log_homeostasis)),
            log_step: vec![vector(log_step)],
            encoder: None,
            transition: Transition::carried(),
            method: Method::NaturalGradient,
        }
    }
}

/// A transition of this kind, of which a learned one says enough that some priors meet the ceiling.
pub fn transition(
    place: &crate::devices::Place,
    kind: TransitionKind,
    latents: usize,
) -> Transition {
    let vector = |values: &[f64]| Param::from_tensor(place.tensor(values, [values.len()]));
    let most = 2.0 / (latents as f64).sqrt();
    let weights = numbers(32, latents * latents, -most, most);
    Transition {
        weights: (kind == TransitionKind::Learned).then(|| TransitionWeights {
            logit_keep: vector(&numbers(31, latents, -1.0, 2.0)),
            weights: Param::from_tensor(place.tensor(&weights, [latents, latents])),
            bias: vector(&numbers(33, latents, -0.5, 2.0)),
        }),
        kind,
    }
}

/// Φᵀ and ℓ of a model with a linear decoder.
pub fn dictionary(model: &Network) -> &LinearDictionary {
    match &model.decoder {
        DecoderNet::Linear(dictionary) => dictionary,
        other => panic!("a linear decoder, not {other:?}"),
    }
}

/// The belief of a model at rest, for `batch` data.
pub fn rest(model: &Network, batch: usize) -> AnyPosterior {
    let rule = rule(0.0, KlForm::Exact, Leak::None, 1);
    model.perception(rule).rest(batch)
}

/// The first component of a belief, `[batch, latent]`: u of spikes and point estimates, μ, logits.
pub fn potential(belief: &AnyPosterior) -> Tensor<2> {
    belief.components().remove(0)
}

/// A batch of images, `[batch, pixels]`.
pub fn images(place: &crate::devices::Place, seed: u64, batch: usize, pixels: usize) -> Tensor<2> {
    place.tensor(&numbers(seed, batch * pixels, -1.5, 1.5), [batch, pixels])
}

/// A rule with clamps that are felt but do not saturate.
pub fn rule(temperature: f64, kl: KlForm, leak: Leak, inner_iterations: usize) -> NaturalGradient {
    let rule = NaturalGradient {
        inner_iterations,
        leak,
        form: StepForm::Explicit,
        sampling: Sampling {
            temperature,
            indicator: scotopic::ops::Indicator::Sigmoid,
            rate_floor: 0.0,
        },
        clamps: Clamps {
            state: vec![4.0],
            step: vec![3.0],
        },
        kl,
        expectation: Expectation::Sample,
    };
    rule.validate().expect("the settings above are valid");
    rule
}

/// The noise of a key as explicit exponentials: the deterministic twin of the kernels.
pub struct Twin<'a> {
    pub key: NoiseKey,
    pub place: &'a crate::devices::Place,
    pub shape: [usize; 2],
    /// How many exponentials each element gets.
    pub arrivals: usize,
}

impl Twin<'_> {
    /// `[arrivals, batch, latent]`: what the kernels draw under `key`.
    pub fn exponentials(&self, key: NoiseKey) -> Tensor<3> {
        let [batch, latent] = self.shape;
        let elements = batch * latent;
        let mut values = vec![0.0; self.arrivals * elements];
        for element in 0..elements {
            let waits = key.exponentials(element as u32).take(self.arrivals);
            for (n, wait) in waits.enumerate() {
                values[n * elements + element] = f64::from(wait);
            }
        }
        self.place.tensor(&values, [self.arrivals, batch, latent])
    }
}

impl NoiseSource for Twin<'_> {
    fn noise(&self, time: usize, draw: Draw) -> Noise {
        match self.key.noise(time, draw) {
            Noise::Keyed(key) => Noise::Exponentials(self.exponentials(key)),
            other => panic!("a key gives keys, not {other:?}"),
        }
    }
}
