//! Descriptions of the families of latents, which each family gives in its file.

use burn::tensor::Tensor;

use super::ActivationKind;

/// A family by the name that configurations give it.
pub(super) struct LatentFamily<P> {
    pub(super) info: FamilyInfo,
    /// The belief with these components, `[batch, latent]` each.
    pub(super) posterior: fn(Vec<Tensor<2>>, &LatentSettings) -> P,
}

/// What a model says of its latents besides their family.
#[derive(Debug, Clone)]
pub struct LatentSettings {
    /// f of the activation a(z) = e^γ·f(z).
    pub activation: ActivationKind,
    /// e^γ, `[1, latent]`, in families that learn it.
    pub gain: Option<Tensor<2>>,
    /// λ of the thresholds, or the precision of the quadratic cost.
    pub threshold: f64,
}

/// What configurations, model cards and reports need to know of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilyInfo {
    /// As `model.family` has it.
    pub name: &'static str,
    /// In the title of a model: "Iterative … VAE".
    pub title: &'static str,
    /// The whole title, of models that are no VAE.
    pub model_title: Option<&'static str>,
    /// How many numbers describe the belief about one latent.
    pub components: usize,
    /// Whether there is no distribution, only one best latent: nothing of the prior is learned.
    pub is_point: bool,
    /// Whether a sample is a number of spikes, e^u their rate.
    pub spikes: bool,
    /// Whether the prior starts between `model.resting_low` and `model.resting_high`, not at 0.
    pub uniform_rest: bool,
    /// Whether the latents pass through `model.activation`.
    pub takes_activation: bool,
    /// Whether that activation has a learned gain.
    pub learns_gain: bool,
    /// What the tensors `prior.rest.*` of a model are; nothing where there are none.
    pub tensors: &'static str,
    /// Words for what the numbers of a model are.
    pub terms: Terminology,
    /// Where the family itself is from, where that says more than its way of inference.
    pub reference: Option<&'static str>,
    /// Where it is from with an encoder.
    pub amortized_reference: &'static str,
}

impl FamilyInfo {
    /// A distribution of one number, at 0 at first.
    pub const DEFAULT: Self = Self {
        name: "",
        title: "",
        model_title: None,
        components: 1,
        is_point: false,
        spikes: false,
        uniform_rest: false,
        takes_activation: false,
        learns_gain: false,
        tensors: "",
        terms: Terminology::SAMPLES,
        reference: None,
        amortized_reference: "H. Vafaii, D. Galor, J. L. Yates, \"Poisson variational autoencoder\", arXiv 2405.14473.",
    };
}

/// What the numbers of a model are called: spikes and rates where there are spikes, samples and means elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminology {
    /// z ~ q: also the name of the array that holds them.
    pub samples: &'static str,
    /// E_q\[a(z)\]: also the name of the array that holds them.
    pub means: &'static str,
    /// Decoding one z.
    pub one_sample: &'static str,
    /// Decoding E_q\[a(z)\].
    pub expected: &'static str,
    /// The portion of zeros among what the decoder sees.
    pub zeros: &'static str,
    /// How evaluation draws.
    pub drawing: &'static str,
    /// The name of one latent.
    pub units: &'static str,
    /// Whether a sample is a whole number of events in time, so that a raster of it is one.
    pub counts: bool,
}

impl Terminology {
    /// Of a distribution of continuous numbers.
    pub const SAMPLES: Self = Self {
        samples: "samples",
        means: "means",
        one_sample: "one sample",
        expected: "means",
        zeros: "zero latents",
        drawing: "exact samples",
        units: "latents",
        counts: false,
    };
}
