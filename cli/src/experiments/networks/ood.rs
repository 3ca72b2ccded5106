//! Networks trained on upright digits, shown other images.

use anyhow::Result;
use scotopic_datasets::ImageShape;
use scotopic_figures::{Panel, chart};
use scotopic_models::Method;
use scotopic_train::analysis::convergence::ConvergenceConfig;
use scotopic_train::analysis::ood::{ood, views};
use serde_json::json;

use super::mnist_models::{FIRST, SECOND, recipe};
use super::training::{iterations, trained};
use crate::experiments::protocol::{
    Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{below, curve, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "ood",
    about: "trained on MNIST, shown rotated digits, Omniglot and CIFAR",
    unit: "view and seed",
    seeds: 3,
    all_threads: true,
    arms: |_| ARMS.map(String::from).to_vec(),
    settings,
    run,
    page,
};

const ARMS: [&str; 4] = ["iP-VAE", "iG-VAE", "P-VAE", "G-VAE"];

/// Steps at test time: those of the first stage of training, and of the longest second stage.
const STEPS: [usize; 2] = [16, 128];

/// The claim is about these.
const ENCODERS: [&str; 2] = ["P-VAE", "G-VAE"];

fn images(size: Size) -> usize {
    size.of(50, 500, 1000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations, first stage".into(), iterations(size, FIRST)),
        ("iterations, second stage".into(), iterations(size, SECOND)),
        ("images per view".into(), json!(images(size))),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.arm)?)?;
    let shape = ImageShape {
        channels: 1,
        height: 28,
        width: 28,
    };
    let count = images(task.size);
    let scale = model.checkpoint.image.standardisation;
    let suite = views(shape, count)?.load(task.data, scale)?;
    // The output of an encoder does not change with more steps.
    let steps = match model.config.inference.method {
        Method::Amortized => vec![1],
        _ => STEPS.to_vec(),
    };
    let settings = ConvergenceConfig {
        steps,
        count,
        batch: 250,
    };
    let mut values = Values::default();
    for view in ood(&model.analysed(), &suite, &settings)?.views {
        for (case, at) in ["16 steps", "128 steps"].iter().zip(view.at.iter().cycle()) {
            let name = format!("{}, {case}", view.set);
            values.push(&name, "sample", at.squared_error);
            values.push(&name, "mean", at.squared_error_rates);
        }
    }
    Ok(values)
}

/// The views, in their order.
fn sets(results: &Results) -> Vec<String> {
    let cases = results.records[0].values.cases();
    let mut sets: Vec<String> = cases
        .filter_map(|case| Some(case.strip_suffix(", 128 steps")?.to_owned()))
        .collect();
    let angle = |set: &String| {
        set.strip_prefix("rotated-")
            .and_then(|a| a.parse::<u32>().ok())
    };
    sets.sort_by_key(|set| (angle(set).is_none(), angle(set), set.clone()));
    sets
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Out of distribution");
    let sets = sets(results);
    for encoder in ENCODERS {
        let each = |set: &String| {
            let case = format!("{set}, 128 steps");
            results.difference("iP-VAE", encoder, &case, "sample")
        };
        let won = sets
            .iter()
            .filter(|set| below(each(set)) == Some(true))
            .count();
        let worst = sets.iter().max_by(|a, b| {
            let high = |set| each(set).map_or(f64::NAN, |i| i.high);
            high(a).total_cmp(&high(b))
        });
        let worst = worst.map_or(String::new(), |set| {
            format!("; least so on {set}: {}", with_interval(each(set), 2))
        });
        page.answer(
            &format!("After 128 steps one sample of the iP-VAE has a lower error than the {encoder} on images that neither was trained on."),
            format!("Lower on {won} of {} views{worst}.", sets.len()),
            Verdict::of(sets.iter().map(|set| below(each(set)))),
        );
    }
    page.heading("Squared error per image");
    page.text(format!(
        "Networks trained on upright MNIST digits, {} images a view; one sample decoded, mean ± standard error over {} seeds. Encoders \
         answer at once.",
        images(results.size),
        results.seeds().len()
    ));
    let columns: Vec<String> = results
        .arms()
        .iter()
        .flat_map(|arm| match ENCODERS.contains(arm) {
            true => vec![(*arm).to_owned()],
            false => STEPS.map(|steps| format!("{arm}, {steps}")).to_vec(),
        })
        .collect();
    let headings: Vec<&str> = std::iter::once("view")
        .chain(columns.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(&headings);
    for set in &sets {
        let mut row = vec![set.as_str().into()];
        for column in &columns {
            let (arm, steps) = column.split_once(", ").unwrap_or((column, "128"));
            let mean = results.mean(arm, &format!("{set}, {steps} steps"), "sample");
            row.push(with_error(mean, 2).into());
        }
        table.push(row);
    }
    page.table(table);
    let series = results.arms().into_iter().map(|arm| {
        let turned = sets.iter().filter_map(|set| {
            let angle: f64 = set.strip_prefix("rotated-")?.parse().ok()?;
            Some((
                angle,
                results.mean(arm, &format!("{set}, 128 steps"), "sample")?,
            ))
        });
        curve(arm, turned)
    });
    page.figure(
        "rotated",
        "Squared error of one sample on rotated digits after 128 steps, mean and one standard error over seeds",
        chart::lines(&[Panel::new(
            "Rotated digits",
            "rotation (°)",
            "squared error per image",
            series.collect(),
        )])?,
    );
    Ok(page)
}
