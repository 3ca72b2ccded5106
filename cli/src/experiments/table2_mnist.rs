//! All models on MNIST: reconstruction, sparsity, classification.

use anyhow::{Context as _, Result};
use scotopic_measures::logistic::LogisticConfig;
use scotopic_measures::neighbours::NeighboursConfig;
use scotopic_train::analysis::classify::{ClassificationConfig, classify};
use scotopic_train::analysis::representation::RepresentationConfig;
use scotopic_train::evaluate::validation;
use scotopic_train::evaluate::{EvaluationConfig, evaluate};

use super::published::TABLE2;
use super::{Context, ModelSpec, Report, Size, load_or_train};
use crate::table::{Cell, Table};

/// All models of the comparison: one linear decoder, 512 latents, the same iterations, T = 16 where there is a T.
pub(super) fn specs() -> Vec<ModelSpec> {
    vec![
        ModelSpec::new("iP-VAE", "mnist", "published/mnist-poisson"),
        ModelSpec::new(
            "iG_relu-VAE",
            "mnist/gaussian-relu",
            "published/mnist-gaussian-relu",
        ),
        ModelSpec::new("iG-VAE", "mnist/gaussian", "published/mnist-gaussian"),
        ModelSpec::new(
            "P-VAE",
            "mnist/amortized-poisson",
            "published/mnist-amortized-poisson",
        ),
        ModelSpec::new(
            "G-VAE",
            "mnist/amortized-gaussian",
            "published/mnist-amortized-gaussian",
        ),
        ModelSpec::new(
            "ia-VAE",
            "mnist/iterative-amortized",
            "mnist/iterative-amortized",
        ),
        ModelSpec::new("sa-VAE", "mnist/semi-amortized", "mnist/semi-amortized"),
        ModelSpec::new("PC", "mnist/predictive-coding", "mnist/predictive-coding"),
    ]
}

/// Trains every model, evaluates it on test images, and classifies digits from its representation.
///
/// # Errors
/// If data, device or files fail.
pub(super) fn run(context: &Context) -> Result<Report> {
    let mut table = Table::new(&[
        "model",
        "R², sample",
        "R², mean",
        "squared error",
        "zeros",
        "accuracy",
        "k-NN",
        "seconds",
        "published R²",
        "error",
        "zeros",
        "accuracy",
        "its settings",
    ]);
    let mut learned_from = 0;
    for spec in specs() {
        let trained = load_or_train(context, &spec)?;
        let splits = context.load(&trained.config.data)?;
        let test = splits.test.as_ref().context("MNIST has a test set")?;
        let standard = validation(&trained.config);
        let how = EvaluationConfig {
            count: context.size.images().max(2000),
            ..standard
        };
        let device = &context.device.device;
        let m = evaluate(&trained.network, test, &how, device)?;
        let analysed = trained.analysed(context);
        let settings = ClassificationConfig {
            seen: RepresentationConfig {
                steps: vec![trained.config.inference.steps],
                count: match context.size {
                    Size::Quick => 2000,
                    Size::Standard => 10_000,
                    Size::Full => usize::MAX,
                },
                batch: 500,
            },
            logistic: LogisticConfig::default(),
            neighbours: NeighboursConfig::default(),
        };
        let read = classify(&analysed, &splits.train, test, &settings)?;
        learned_from = read.train_images;
        let accuracy = read
            .at
            .first()
            .context("one number of steps was asked for")?;
        let published = TABLE2.iter().find(|row| row.name == trained.name);
        let theirs = |cell: fn(&super::published::Table2) -> Cell| published.map(cell).into();
        table.push(vec![
            trained.name.into(),
            Cell::Number(m.r2, 3),
            Cell::Number(m.r2_rates, 3),
            Cell::Number(m.squared_error, 2),
            Cell::Percent(m.zeros),
            Cell::Percent(accuracy.logistic),
            Cell::Percent(accuracy.neighbours),
            Cell::Number(trained.seconds, 0),
            theirs(|p| Cell::Number(p.r2, 3)),
            theirs(|p| Cell::Number(p.squared_error, 2)),
            theirs(|p| Cell::Percent(p.zeros)),
            theirs(|p| Cell::Percent(p.accuracy)),
            theirs(|p| p.settings.into()),
        ]);
    }
    let mut report = Report::new("Models on MNIST (Table 2)");
    report.text(format!(
        "Test images of MNIST. {} R² and squared error are of one sample of the latents after the last step, R² also of \
         their mean; zeros are exact zeros of the sample; accuracy is that of a logistic regression, k-NN of five \
         neighbours, on the means, learned from {learned_from} training images. Published: arXiv 2410.19315, Table 2.",
        match context.size.iterations() {
            Some(n) => format!(
                "Every model has a linear decoder of 512 atoms (PC included; published: 64 latents) and {n} iterations of 100 \
                 images; the published ones were trained 400 epochs, and the amortized ones have conv decoders."
            ),
            None => "Trained with the published settings.".to_string(),
        }
    ));
    report.table("table", table);
    Ok(report)
}
