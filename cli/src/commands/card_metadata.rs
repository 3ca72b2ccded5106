//! The head of a model card: YAML that model hubs read, before the text.

use scotopic_datasets::DataConfig;
use scotopic_models::Method;
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::evaluate::Metrics;
use serde_json::Value;

/// What a card says of a model besides what its checkpoint holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stated<'a> {
    /// The licence of the weights, as hubs abbreviate it; only their owner knows it.
    pub(super) license: Option<&'a str>,
    /// The validation of these weights, where their run is at hand.
    pub(super) validation: Option<&'a Metrics>,
}

/// The YAML between its two `---` lines, and an empty line. Texts are quoted as JSON has it, which is YAML too.
pub(super) fn front_matter(checkpoint: &Checkpoint, title: &str, stated: Stated<'_>) -> String {
    let mut lines = vec!["---".to_owned()];
    if let Some(license) = stated.license {
        lines.push(format!("license: {}", quoted(license)));
    }
    lines.push("library_name: scotopic".into());
    // Of the tasks that hubs know: latents are features of images.
    lines.push("pipeline_tag: image-feature-extraction".into());
    lines.push("tags:".into());
    lines.extend(tags(checkpoint).map(|tag| format!("- {tag}")));
    if let Some(id) = hub_data(&checkpoint.config.data) {
        lines.push("datasets:".into());
        lines.push(format!("- {id}"));
    }
    let metrics = metrics(checkpoint, stated.validation);
    if !metrics.is_empty() {
        let source = source(&checkpoint.config.data);
        let kind = hub_data(&checkpoint.config.data).unwrap_or(&source);
        lines.push("model-index:".into());
        lines.push(format!("- name: {}", quoted(title)));
        lines.push("  results:".into());
        lines.push("  - task:".into());
        lines.push("      type: image-feature-extraction".into());
        lines.push("    dataset:".into());
        lines.push(format!("      type: {kind}"));
        lines.push(format!("      name: {}", quoted(&source)));
        lines.push("      split: validation".into());
        lines.push("    metrics:".into());
        for (kind, name, value) in metrics {
            lines.push(format!("    - type: {kind}"));
            lines.push(format!("      name: {}", quoted(name)));
            lines.push(format!("      value: {value:.3}"));
        }
    }
    lines.push("---\n\n".into());
    lines.join("\n")
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn tags(checkpoint: &Checkpoint) -> impl Iterator<Item = &'static str> {
    let config = &checkpoint.config;
    let family = config.model.family.info();
    let way = match config.inference.method {
        Method::NaturalGradient => "iterative-inference",
        Method::Amortized => "amortized-inference",
        Method::IterativeAmortized => "iterative-amortized-inference",
        Method::SemiAmortized => "semi-amortized-inference",
        Method::Descent => "gradient-descent",
    };
    let tags = [
        Some("scotopic"),
        (!family.is_point).then_some("variational-autoencoder"),
        family.spikes.then_some("spiking-neural-network"),
        Some(way),
    ];
    tags.into_iter().flatten()
}

/// What the Hugging Face hub calls the data, where it has them.
fn hub_data(data: &DataConfig) -> Option<&'static str> {
    match data {
        DataConfig::Cifar(_) => Some("uoft-cs/cifar10"),
        DataConfig::Idx(files) => {
            let folder = files.train_images.parent()?.file_name()?;
            match folder.to_str()? {
                "mnist" => Some("ylecun/mnist"),
                "fashion-mnist" => Some("zalando-datasets/fashion_mnist"),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The `source` of the `[data]` table.
fn source(data: &DataConfig) -> String {
    let table = serde_json::to_value(data).unwrap_or_default();
    let source = table.get("source").and_then(Value::as_str);
    source.unwrap_or("images").to_owned()
}

/// Type, name and value of what was measured of these weights.
fn metrics(
    checkpoint: &Checkpoint,
    validation: Option<&Metrics>,
) -> Vec<(&'static str, &'static str, f64)> {
    let energy = |value| ("free_energy", "free energy, nats per image", value);
    let Some(m) = validation else {
        // A checkpoint knows the lowest free energy of its run, which is its own only if nothing came after it.
        let progress = &checkpoint.progress;
        let own = progress.best.filter(|_| progress.since_best == 0);
        return own.map(energy).into_iter().collect();
    };
    vec![
        energy(m.objective),
        ("r_squared", "R² of one sample", m.r2),
        ("r_squared", "R² of the expectation", m.r2_rates),
        ("zeros", "fraction of zeros", m.zeros),
    ]
}
