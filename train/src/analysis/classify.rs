//! Classification from a representation: a linear read-out and nearest neighbours.

use anyhow::{Context, Result, ensure};
use scotopic_datasets::ImageSet;
use scotopic_measures::Rows;
use scotopic_measures::logistic::LogisticConfig;
use scotopic_measures::neighbours::NeighboursConfig;
use serde::{Deserialize, Serialize};

use super::AnalysedModel;
use super::representation::{Representation, RepresentationConfig, representations};

/// How to classify.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassificationConfig {
    /// The images, taken from the start of the training set and of the test set, and when.
    pub seen: RepresentationConfig,
    /// The linear read-out.
    pub logistic: LogisticConfig,
    /// The vote of neighbours.
    pub neighbours: NeighboursConfig,
}

/// Accuracies on images that the read-outs were not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// Where the images of training came from.
    pub trained_on: String,
    /// Where those of the test came from.
    pub tested_on: String,
    /// Images that the read-outs were trained on.
    pub train_images: usize,
    /// Images they were tested on.
    pub test_images: usize,
    /// Classes.
    pub classes: usize,
    /// Accuracy of always answering the most frequent class of the test images.
    pub chance: f64,
    /// In the order of steps.
    pub at: Vec<Accuracy>,
}

/// Accuracies after one number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Steps of inference.
    pub step: usize,
    /// Fraction right, logistic regression.
    pub logistic: f64,
    /// The same on the images it was trained on.
    pub logistic_train: f64,
    /// Whether it had converged.
    pub converged: bool,
    /// Fraction right, nearest neighbours.
    pub neighbours: f64,
}

/// Trains on the representation of `train`, tests on that of `test`.
///
/// # Errors
/// If a set has no labels, all images are of one class, or the device fails.
pub fn classify(
    analysed: &AnalysedModel<'_>,
    train: &ImageSet,
    test: &ImageSet,
    settings: &ClassificationConfig,
) -> Result<Classification> {
    let labels = |set: &ImageSet| -> Result<Vec<u8>> {
        let labels = set.labels().with_context(|| {
            format!(
                "{} has no labels, so there is nothing to tell its images apart by",
                set.name()
            )
        })?;
        let images = analysed.images(set, settings.seen.count)?;
        Ok(labels[..images].to_vec())
    };
    let (known, truth) = (labels(train)?, labels(test)?);
    let highest = known.iter().chain(&truth).max().copied().unwrap_or(0);
    let classes = usize::from(highest) + 1;
    ensure!(
        known.iter().any(|label| *label != known[0]),
        "the first {} images of {} are all of class {}: nothing can be learned from them",
        known.len(),
        train.name(),
        known[0]
    );
    let before = representations(analysed, train, &settings.seen)?;
    let after = representations(analysed, test, &settings.seen)?;
    let k = settings.neighbours.k.min(known.len());
    let neighbours = NeighboursConfig {
        k,
        ..settings.neighbours
    };
    let mut at = Vec::with_capacity(before.len());
    for (learned, asked) in before.iter().zip(&after) {
        let (x, y) = (rows("training", learned)?, rows("test", asked)?);
        let read_out = settings.logistic.train(x, &known, classes)?;
        at.push(Accuracy {
            step: learned.step,
            logistic: read_out.accuracy(y, &truth)?,
            logistic_train: read_out.accuracy(x, &known)?,
            converged: read_out.converged,
            neighbours: neighbours.accuracy(x, &known, y, &truth)?,
        });
    }
    let mut counts = vec![0usize; classes];
    truth
        .iter()
        .for_each(|&label| counts[usize::from(label)] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    Ok(Classification {
        trained_on: train.name().to_owned(),
        tested_on: test.name().to_owned(),
        train_images: known.len(),
        test_images: truth.len(),
        classes,
        chance: most as f64 / truth.len() as f64,
        at,
    })
}

fn rows<'a>(name: &'a str, seen: &'a Representation) -> Result<Rows<'a>> {
    let rows = Rows::new(name, &seen.values, [seen.images, seen.latents]);
    rows.with_context(|| format!("the representation after {} steps", seen.step))
}
