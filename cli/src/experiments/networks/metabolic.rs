//! What activity costs: over β and the number of latents, for spikes and for rectified Gaussian latents.

use anyhow::{Context as _, Result};
use scotopic_figures::{Panel, chart};
use scotopic_train::analysis::representation::{RepresentationConfig, representations};
use serde_json::json;

use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{
    above, below_one, curve, ratio, with_error, with_interval,
};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "metabolic",
    about: "activity over β and the number of latents, spikes and rectified Gaussian latents",
    unit: "seed",
    seeds: 3,
    all_threads: true,
    arms: |size| {
        let arms = MODELS.iter().flat_map(|model| {
            let each = grid(size).into_iter();
            each.map(move |(latents, beta)| arm(model, latents, beta))
        });
        arms.collect()
    },
    settings,
    run,
    page,
};

const MODELS: [&str; 2] = ["iP-VAE", "iG_relu-VAE"];
const ITERATIONS: [usize; 2] = [40, 1200];

fn arm(model: &str, latents: usize, beta: usize) -> String {
    format!("{model}-K{latents}-beta{beta}")
}

/// K and β, β rising for each K.
fn grid(size: Size) -> Vec<(usize, usize)> {
    let (latents, betas) = size.of(
        (&[64][..], &[8, 32][..]),
        (&[128, 512], &[8, 16, 32]),
        (&[128, 256, 512, 1024], &[4, 8, 16, 32, 64]),
    );
    latents
        .iter()
        .flat_map(|&k| betas.iter().map(move |&beta| (k, beta)))
        .collect()
}

fn patches(size: Size) -> usize {
    size.of(100, 2000, 4000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("inference steps".into(), json!(16)),
        ("validation patches".into(), json!(patches(size))),
    ])
}

/// The recipe of an arm: that of Figure 3 with another K and β.
///
/// # Errors
/// For an unknown one.
fn recipe(size: Size, name: &str) -> Result<Recipe> {
    let mut all = MODELS
        .iter()
        .flat_map(|model| grid(size).into_iter().map(move |at| (*model, at)));
    let found = all.find(|(model, (latents, beta))| arm(model, *latents, *beta) == name);
    let (model, (latents, beta)) = found.with_context(|| format!("there is no arm {name}"))?;
    Ok(super::convergence::recipe(model)?
        .named(format!("natural-{name}"))
        .lasting(ITERATIONS)
        .set(format!("model.latents={latents}"))
        .set(format!("objective.beta={beta}.0")))
}

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.size, task.arm)?)?;
    let splits = data(task, &model.config.data)?;
    let m = model.validated(&splits, patches(task.size))?;
    let seen = RepresentationConfig {
        steps: vec![model.config.steps_per_image()],
        count: patches(task.size),
        batch: 250,
    };
    let means = representations(&model.analysed(), &splits.validation, &seen)?;
    let means = means.first().context("one number of steps was asked for")?;
    // The rate of a spiking latent is E z; of a rectified one μ⁺ stands for it, the activity without its noise.
    let active = means.values.iter().map(|&v| f64::from(v.max(0.0)));
    let mean = active.sum::<f64>() / means.values.len() as f64;
    let mut values = Values::default();
    for (measure, value) in [
        ("activity", mean),
        ("activity of all", mean * means.latents as f64),
        ("zeros", m.zeros),
        ("R2", m.r2_pooled),
        ("R2 of means", m.r2_rates_pooled),
    ] {
        values.push("validation", measure, value);
    }
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

/// The largest β of a K against the smallest.
fn ends(size: Size, latents: usize) -> Option<(usize, usize)> {
    let grid = grid(size);
    let mut betas = grid.iter().filter(|at| at.0 == latents).map(|at| at.1);
    let low = betas.next()?;
    Some((low, betas.next_back()?))
}

fn sizes(size: Size) -> Vec<usize> {
    let mut all: Vec<usize> = grid(size).iter().map(|at| at.0).collect();
    all.dedup();
    all
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("What activity costs");
    let sizes = sizes(results.size);
    let activity = |model: &str, latents: usize| -> Option<Interval> {
        let (low, high) = ends(results.size, latents)?;
        let of = |beta| results.values(&arm(model, latents, beta), "validation", "activity");
        ratio(&of(high), &of(low))
    };
    let zeros = |model: &str, latents: usize| -> Option<Interval> {
        let (low, high) = ends(results.size, latents)?;
        let [high, low] = [high, low].map(|beta| arm(model, latents, beta));
        results.difference(&high, &low, "validation", "zeros")
    };
    let found = |of: &dyn Fn(usize) -> Option<Interval>, decimals| {
        let each = sizes
            .iter()
            .map(|&k| format!("K {k}: {}", with_interval(of(k), decimals)));
        each.collect::<Vec<_>>().join("; ")
    };
    page.answer(
        "Spikes become fewer as β rises: the KL divergence of Poisson rates is a cost of activity (arXiv 2602.13421).",
        format!(
            "Activity at the largest β over that at the smallest, {}.",
            found(&|k| activity("iP-VAE", k), 2)
        ),
        Verdict::of(sizes.iter().map(|&k| below_one(activity("iP-VAE", k)))),
    );
    page.answer(
        "The activity of rectified Gaussian latents does not fall so: it falls less than that of spikes.",
        format!(
            "Activity of the iG_relu-VAE at the largest β over that at the smallest, {}.",
            found(&|k| activity("iG_relu-VAE", k), 2)
        ),
        Verdict::of(sizes.iter().map(|&k| {
            let (spikes, rectified) = (activity("iP-VAE", k)?, activity("iG_relu-VAE", k)?);
            match () {
                () if rectified.low > spikes.high => Some(true),
                () if rectified.high < spikes.low => Some(false),
                () => None,
            }
        })),
    );
    page.answer(
        "Spiking latents have more exact zeros as β rises.",
        format!(
            "Zeros at the largest β less those at the smallest, {}; of the iG_relu-VAE, {}.",
            found(&|k| zeros("iP-VAE", k), 3),
            found(&|k| zeros("iG_relu-VAE", k), 3)
        ),
        Verdict::of(sizes.iter().map(|&k| above(zeros("iP-VAE", k)))),
    );
    page.heading("The grid");
    page.text(format!(
        "Whitened BSDS500 patches of 12×12 pixels, {} of them, 16 steps. Activity is the mean over latents and patches of the rate e^u, of \
         rectified latents of max(μ, 0) before its gain; their unit is their own, so that ratios within a model are what counts. \
         Mean ± standard error over {} seeds.",
        patches(results.size),
        results.seeds().len()
    ));
    page.table(table(results));
    let mut panels = Vec::new();
    for (measure, label) in [
        ("activity", "activity per latent"),
        ("zeros", "fraction of zeros"),
        ("R2 of means", "R² of means"),
    ] {
        let mut lines = Vec::new();
        for model in MODELS {
            for &latents in &sizes {
                let points = grid(results.size).into_iter().filter(|at| at.0 == latents);
                let points = points.filter_map(|(_, beta)| {
                    let mean = results.mean(&arm(model, latents, beta), "validation", measure)?;
                    Some((beta as f64, mean))
                });
                lines.push(curve(&format!("{model}, K {latents}"), points));
            }
        }
        panels.push(Panel::new(label, "β", label, lines).logarithmic(true, measure == "activity"));
    }
    page.figure(
        "activity",
        "Activity, zeros and R² over β, mean and one standard error over seeds",
        chart::lines(&panels)?,
    );
    Ok(page)
}

fn table(results: &Results) -> Table {
    let mut table = Table::new(&[
        "model",
        "K",
        "β",
        "activity per latent",
        "activity of all",
        "zeros",
        "R²",
        "R² of means",
        "training, s",
    ]);
    for model in MODELS {
        for (latents, beta) in grid(results.size) {
            let arm = arm(model, latents, beta);
            let at = |case: &str, measure: &str, decimals| {
                with_error(results.mean(&arm, case, measure), decimals).into()
            };
            table.push(vec![
                model.into(),
                latents.to_string().into(),
                beta.to_string().into(),
                at("validation", "activity", 4),
                at("validation", "activity of all", 2),
                at("validation", "zeros", 3),
                at("validation", "R2", 3),
                at("validation", "R2 of means", 3),
                at("training", "seconds", 0),
            ]);
        }
    }
    table
}
