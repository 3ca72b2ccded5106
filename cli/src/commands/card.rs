//! The model card of an exported model.

use anyhow::Result;
use scotopic::posterior::ActivationKind;
use scotopic_datasets::{DataConfig, Standardisation, WhiteningKind};
use scotopic_models::Method;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config::RunConfig;

use super::card_metadata::{Stated, front_matter};
use super::infer::images::whitening;

/// The text of the card, YAML for model hubs first.
///
/// # Errors
/// Only if the configuration cannot be written, which no validated one is.
pub(super) fn model_card(checkpoint: &Checkpoint, stated: Stated<'_>) -> Result<String> {
    let shape = checkpoint.image.shape;
    let config = &checkpoint.config;
    let model = checkpoint.part("model");
    let table: String = model
        .iter()
        .map(|(name, array)| format!("| `model.{name}` | {:?} |\n", array.shape))
        .collect();
    let title = format!(
        "{}, {} {}",
        title(config),
        config.model.latents,
        config.model.family.info().terms.units
    );
    Ok(format!(
        "{head}# {title}, images {c}×{h}×{w}\n\n\
         {origin}\n\n\
         ```sh\nscotopic evaluate model.safetensors\nscotopic infer model.safetensors --input images.npy --out seen\n```\n\n\
         {pixels}\n\n\
         | tensor | shape |\n|---|---|\n{table}\n\
         {tensors}\n\n\
         ## Configuration\n\n```toml\n{toml}```\n\n\
         ## Citation\n\n{citation}\n",
        head = front_matter(checkpoint, &title, stated),
        c = shape.channels,
        h = shape.height,
        w = shape.width,
        origin = origin(checkpoint),
        pixels = pixels(&config.data, checkpoint.image.standardisation),
        tensors = tensors(config),
        toml = config.to_toml()?,
        citation = citation(config),
    ))
}

/// What the model expects of its input.
fn pixels(data: &DataConfig, scale: Standardisation) -> String {
    let whitened = match whitening(data) {
        Some(filter) if filter.kind != WhiteningKind::None || filter.local_contrast => {
            "Images are expected filtered as `[data.whitening]` below says, which `scotopic infer` does with pictures"
        }
        _ => "Images are expected as they are in the data",
    };
    match scale == Standardisation::NONE {
        true => format!("{whitened}."),
        false => format!("{whitened}; then a pixel v becomes {}.", scale.formula("v")),
    }
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
    let family = config.model.family.info();
    if let Some(title) = family.model_title {
        return title.into();
    }
    let through = match config.model.activation {
        ActivationKind::None => String::new(),
        activation => format!(" ({})", format!("{activation:?}").to_lowercase()),
    };
    format!(
        "{} {}{through} VAE",
        way(config.inference.method),
        family.title
    )
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
    let family = model.family.info();
    let rest = family.tensors;
    let gained = family.learns_gain && model.activation != ActivationKind::None;
    let parts = [
        (true, model.decoder.kind.tensors()),
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
    let family = config.model.family.info();
    if let Some(reference) = family.reference {
        return reference;
    }
    match config.inference.method {
        Method::IterativeAmortized => {
            "J. Marino, Y. Yue, S. Mandt, \"Iterative amortized inference\", ICML 2018."
        }
        Method::SemiAmortized => {
            "Y. Kim, S. Wiseman, A. C. Miller, D. Sontag, A. M. Rush, \"Semi-amortized variational autoencoders\", \
             ICML 2018."
        }
        Method::Amortized => family.amortized_reference,
        _ => {
            "H. Vafaii, D. Galor, J. L. Yates, \"Brain-like variational inference\", arXiv 2410.19315."
        }
    }
}
