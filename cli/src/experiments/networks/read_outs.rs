//! How many labels a read-out of the latents needs.

use anyhow::{Context as _, Result, ensure};
use scotopic_datasets::ImageSet;
use scotopic_figures::{Panel, chart};
use scotopic_measures::Rows;
use scotopic_measures::logistic::LogisticConfig;
use scotopic_measures::neighbours::NeighboursConfig;
use scotopic_train::analysis::representation::{
    Representation, RepresentationConfig, representations,
};
use serde_json::json;

use super::mnist_models::{FIRST, SECOND, THIRD, models, recipe};
use super::training::{Trained, data, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, curve, numbers, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "read-outs",
    about: "read-outs of MNIST latents that learn from few labels",
    unit: "seed",
    seeds: 3,
    all_threads: true,
    arms: models,
    settings,
    run,
    page,
};

/// Labelled images that a read-out learns from.
const LABELS: [usize; 5] = [100, 200, 500, 1000, 5000];
/// At most so many disjoint sets of them.
const SETS: usize = 5;
const CLASSES: usize = 10;

/// Labels of the sizes: fewer where minutes count.
fn labels(size: Size) -> &'static [usize] {
    size.of(&LABELS[..2], &LABELS, &LABELS)
}

fn tested(size: Size) -> usize {
    size.of(200, 5000, 10_000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations, first stage".into(), iterations(size, FIRST)),
        ("iterations, second stage".into(), iterations(size, SECOND)),
        ("iterations, third stage".into(), iterations(size, THIRD)),
        ("labelled images".into(), json!(labels(size))),
        ("sets of them, at most".into(), json!(SETS)),
        ("test images".into(), json!(tested(size))),
        ("neighbours".into(), json!(NeighboursConfig::default().k)),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.arm)?)?;
    let splits = data(task, &model.config.data)?;
    let test = splits.test.as_ref().context("MNIST has a test set")?;
    let most = labels(task.size).iter().max().copied().unwrap_or(0);
    let (learned, known) = seen(&model, &splits.train, most)?;
    let (asked, truth) = seen(&model, test, tested(task.size))?;
    let asked = rows(&asked)?;
    let width = learned.latents;
    let mut values = Values::default();
    for &count in labels(task.size) {
        let sets = (most / count).clamp(1, SETS);
        let (mut logistic, mut neighbours) = (0.0, 0.0);
        for set in 0..sets {
            let own = set * count..(set + 1) * count;
            let x = &learned.values[own.start * width..own.end * width];
            let x = Rows::new("training", x, [count, width])?;
            let y = &known[own];
            let read_out = LogisticConfig::default().train(x, y, CLASSES)?;
            logistic += read_out.accuracy(asked, &truth)? / sets as f64;
            let vote = NeighboursConfig::default();
            neighbours += vote.accuracy(x, y, asked, &truth)? / sets as f64;
        }
        let case = count.to_string();
        values.push(&case, "logistic", logistic);
        values.push(&case, "neighbours", neighbours);
    }
    Ok(values)
}

/// The latents of the first images of a set after the steps of training, and their labels.
fn seen(model: &Trained, set: &ImageSet, count: usize) -> Result<(Representation, Vec<u8>)> {
    let settings = RepresentationConfig {
        steps: vec![model.config.steps_per_image()],
        count,
        batch: 500,
    };
    let mut found = representations(&model.analysed(), set, &settings)?;
    let found = found.pop().context("one number of steps was asked for")?;
    let labels = set.labels().context("MNIST has labels")?;
    ensure!(
        found.images == count,
        "{} has {} images, {count} are needed",
        set.name(),
        found.images
    );
    Ok((found, labels[..count].to_vec()))
}

fn rows(seen: &Representation) -> Result<Rows<'_>> {
    Ok(Rows::new(
        "test",
        &seen.values,
        [seen.images, seen.latents],
    )?)
}

/// Claims: the model with the better read-out, and the other.
const CLAIMED: [[&str; 2]; 2] = [["P-VAE", "G-VAE"], ["iP-VAE", "iG-VAE"]];

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Read-outs from few labels");
    let counts = numbers(results);
    for [spikes, gaussian] in CLAIMED {
        let gained = |count: usize| -> Option<Interval> {
            let case = count.to_string();
            results.difference(spikes, gaussian, &case, "neighbours")
        };
        let found: Vec<String> = counts
            .iter()
            .map(|&n| format!("{n} labels: {}", with_interval(gained(n), 3)))
            .collect();
        page.answer(
            &format!(
                "Nearest neighbours among the latents of the {spikes} need fewer labels than among those of the {gaussian} (arXiv \
                 2405.14473 of encoders)."
            ),
            format!("Accuracy less that of the {gaussian}, {}.", found.join("; ")),
            Verdict::of(counts.iter().map(|&n| above(gained(n)))),
        );
    }
    page.heading("Accuracy on test digits");
    page.text(format!(
        "Trained on the latents (e^u of spiking models, μ of Gaussian ones) of the first labelled training images, in up to {SETS} \
         disjoint sets whose accuracies are averaged; {} test images; the networks are those of `table2-mnist`. Mean ± standard error over \
         {} seeds.",
        tested(results.size),
        results.seeds().len()
    ));
    for (measure, title) in [
        ("neighbours", "5 nearest neighbours"),
        ("logistic", "logistic regression"),
    ] {
        let heads: Vec<String> = std::iter::once(title.to_owned())
            .chain(counts.iter().map(|n| format!("{n} labels")))
            .collect();
        let mut table = Table::new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
        for arm in results.arms() {
            let mut row = vec![arm.into()];
            row.extend(
                counts
                    .iter()
                    .map(|n| with_error(results.mean(arm, &n.to_string(), measure), 3).into()),
            );
            table.push(row);
        }
        page.table(table);
    }
    let panel = |measure: &'static str, title: &str| {
        let lines = results.arms().into_iter().map(|arm| {
            let points = counts
                .iter()
                .filter_map(|&n| Some((n as f64, results.mean(arm, &n.to_string(), measure)?)));
            curve(arm, points)
        });
        Panel::new(title, "labels", "accuracy", lines.collect()).logarithmic(true, false)
    };
    page.figure(
        "labels",
        "Accuracy over the number of labels, mean and one standard error over seeds",
        chart::lines(&[
            panel("neighbours", "Nearest neighbours"),
            panel("logistic", "Logistic regression"),
        ])?,
    );
    Ok(page)
}
