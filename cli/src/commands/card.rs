//! The model card of an exported model.

use anyhow::Result;
use scotopic::posterior::Transfer;
use scotopic_models::{Architecture, Family, Method};
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::RunConfig;

use crate::terminology::Terms;

/// The text of the card.
///
/// # Errors
/// Only if the configuration cannot be written, which no validated one is.
pub(super) fn model_card(checkpoint: &Checkpoint) -> Result<String> {
    let shape = checkpoint.image.shape;
    let scale = checkpoint.image.standardisation;
    let config = &checkpoint.config;
    let model = checkpoint.part("model");
    let table: String = model
        .iter()
        .map(|(name, array)| format!("| `model.{name}` | {:?} |\n", array.shape))
        .collect();
    Ok(format!(
        "# {title}, {latents} {units}, images {c}×{h}×{w}\n\n\
         {origin}\n\n\
         ```sh\nscotopic evaluate model.safetensors\nscotopic infer model.safetensors --input images.npy --out seen\n```\n\n\
         Pixels are expected as (value − {mean}) / {std}.\n\n\
         | tensor | shape |\n|---|---|\n{table}\n\
         {tensors}\n\n\
         ## Configuration\n\n```toml\n{toml}```\n\n\
         ## Citation\n\n{citation}\n",
        title = title(config),
        latents = config.model.latents,
        units = Terms::of(config.model.family).units,
        c = shape.channels,
        h = shape.height,
        w = shape.width,
        origin = origin(checkpoint),
        mean = scale.mean,
        std = scale.std,
        tensors = tensors(config),
        toml = config.to_toml()?,
        citation = citation(config),
    ))
}

/// How the weights came to be.
fn origin(checkpoint: &Checkpoint) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let progress = &checkpoint.progress;
    if progress.iteration == 0 {
        return format!("Not trained by scotopic {version}: imported from another program.");
    }
    let objective = progress.best.map_or("not validated".to_string(), |best| {
        format!("{best:.3} nats per image")
    });
    format!(
        "Trained by scotopic {version} for {} iterations (seed {}) in {:.0} s.\n\
         Lowest validation free energy: {objective}.",
        progress.iteration, checkpoint.config.seed, progress.seconds
    )
}

/// The model in words.
fn title(config: &RunConfig) -> String {
    let latents = match (config.model.family, config.model.transfer) {
        (Family::Poisson, _) => "Poisson",
        (Family::Gaussian, Transfer::None) => "Gaussian",
        (Family::Gaussian, transfer) => return rectified(config, transfer),
        (Family::Laplace, _) => "Laplace",
        (Family::Categorical, _) => "categorical",
        (Family::Point, _) => return "Predictive coding".into(),
        (Family::SoftThreshold, _) => return "Sparse coding (LCA, soft threshold)".into(),
        (Family::HardThreshold, _) => return "Sparse coding (LCA, hard threshold)".into(),
    };
    format!("{} {latents} VAE", way(config.inference.method))
}

fn rectified(config: &RunConfig, transfer: Transfer) -> String {
    let transfer = format!("{transfer:?}").to_lowercase();
    format!("{} Gaussian ({transfer}) VAE", way(config.inference.method))
}

fn way(method: Method) -> &'static str {
    match method {
        Method::NaturalGradient => "Iterative",
        Method::Amortized => "Amortized",
        Method::IterativeAmortized => "Iterative amortized",
        Method::SemiAmortized => "Semi-amortized",
        Method::Descent => "Descending",
    }
}

/// What the tensors mean, those that this model has.
fn tensors(config: &RunConfig) -> String {
    let (model, method) = (&config.model, config.inference.method);
    let rest = match model.family {
        Family::Poisson => "`prior.rest.0` is u₀, the prior log-rates",
        Family::Gaussian => "`prior.rest.0` and `prior.rest.1` are μ₀ and ξ₀ = ln σ₀ of the prior",
        Family::Laplace => "`prior.rest.0` and `prior.rest.1` are μ₀ and ξ₀ = ln b₀ of the prior",
        Family::Categorical => "`prior.rest.0` holds the logits of the prior",
        _ => "",
    };
    let gained = model.family == Family::Gaussian && model.transfer != Transfer::None;
    let decoder = match model.decoder.kind {
        Architecture::Linear => {
            "`decoder.atoms` holds one atom per latent: the image that one spike (or unit) of it adds"
        }
        Architecture::Mlp => {
            "`decoder.layers` are the fully connected layers from the latents to the pixels"
        }
        Architecture::Conv => {
            "`decoder.entry` and `decoder.stages` are the dense layer and the transposed convolutions after it"
        }
    };
    let parts = [
        (true, decoder),
        (
            true,
            "`decoder.log_sigma` is ℓ of σ = exp(3.45·tanh(ℓ/3.45)), one for each pixel",
        ),
        (!rest.is_empty(), rest),
        (
            gained,
            "`prior.log_gain` is γ of the activation a(z) = e^γ·f(z)",
        ),
        (
            method == Method::NaturalGradient,
            "`log_homeostasis` is b, the homeostatic term e^b",
        ),
        (
            method.has_step_size(),
            "`log_step` is ln η, one for each component of the state",
        ),
        (
            method.has_encoder(),
            match method {
                Method::IterativeAmortized => {
                    "`encoder` is the network that refines beliefs from their gradients"
                }
                _ => "`encoder` is the recognition network",
            },
        ),
    ];
    let there = parts.iter().filter(|(there, _)| *there);
    let sentences: Vec<&str> = there.map(|(_, text)| *text).collect();
    format!("{}.", sentences.join(";\n"))
}

/// The origin of the model.
fn citation(config: &RunConfig) -> &'static str {
    match (config.model.family, config.inference.method) {
        (Family::Point, _) => {
            "R. P. N. Rao, D. H. Ballard, \"Predictive coding in the visual cortex\", Nature Neuroscience 2, 1999."
        }
        (Family::SoftThreshold | Family::HardThreshold, _) => {
            "C. J. Rozell, D. H. Johnson, R. G. Baraniuk, B. A. Olshausen, \"Sparse coding via thresholding and local \
             competition in neural circuits\", Neural Computation 20, 2008."
        }
        (_, Method::IterativeAmortized) => {
            "J. Marino, Y. Yue, S. Mandt, \"Iterative amortized inference\", ICML 2018."
        }
        (_, Method::SemiAmortized) => {
            "Y. Kim, S. Wiseman, A. C. Miller, D. Sontag, A. M. Rush, \"Semi-amortized variational autoencoders\", \
             ICML 2018."
        }
        (Family::Gaussian, Method::Amortized) => {
            "D. P. Kingma, M. Welling, \"Auto-encoding variational Bayes\", arXiv 1312.6114."
        }
        (_, Method::Amortized) => {
            "H. Vafaii, D. Galor, J. L. Yates, \"Poisson variational autoencoder\", arXiv 2405.14473."
        }
        _ => {
            "H. Vafaii, D. Galor, J. L. Yates, \"Brain-like variational inference\", arXiv 2410.19315."
        }
    }
}
