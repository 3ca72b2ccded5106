//! What the neurons of trained networks are like: Gabor fits beside random smooth filters, rates, lateral weights.

use anyhow::{Context as _, Result};
use scotopic_datasets::ImageShape;
use scotopic_filtering::rand::RngExt as _;
use scotopic_measures::Rows;
use scotopic_measures::gabor::{fit_all, fraction_gabor};
use scotopic_train::analysis::filters::{Active, filters};
use scotopic_train::analysis::lateral::lateral;
use scotopic_train::analysis::rates::rates;
use scotopic_train::analysis::representation::RepresentationConfig;
use serde_json::json;

use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, rng, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "hubel-wiesel",
    about: "learned neurons: Gabor filters, firing rates, lateral weights",
    unit: "seed",
    seeds: 5,
    all_threads: true,
    arms: |_| {
        ["dead-leaves", "natural-patches"]
            .map(String::from)
            .to_vec()
    },
    settings,
    run,
    page,
};

/// Those of the preset natural-patches: after 1 500 there are a tenth as many Gabor functions.
pub(super) const ITERATIONS: [usize; 2] = [40, 3500];
/// R² from which on a filter counts as a Gabor function.
const GOOD: f64 = 0.7;
/// A filter is active if its norm exceeds this part of the largest.
const ACTIVE: f64 = 0.1;

/// The control: so many filters of white noise under a Gaussian of this standard deviation, in pixels.
const NOISE: usize = 256;
const SMOOTH: f64 = 1.0;

fn images(size: Size) -> usize {
    size.of(100, 2000, 2000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("validation images".into(), json!(images(size))),
        ("R² of a Gabor function".into(), json!(GOOD)),
        ("smooth noise: width in pixels".into(), json!(SMOOTH)),
        ("smooth noise: filters".into(), json!(NOISE)),
    ])
}

/// The recipe of an arm.
///
/// # Errors
/// For an unknown one.
pub(super) fn recipe(arm: &str) -> Result<Recipe> {
    let preset = match arm {
        "dead-leaves" => Some("dead-leaves"),
        "natural-patches" => Some("natural-patches"),
        _ => None,
    };
    let preset = preset.with_context(|| format!("there is no arm {arm}"))?;
    let name = format!("neurons-{preset}");
    Ok(Recipe::new(name, preset, preset, ITERATIONS))
}

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.arm)?)?;
    let splits = data(task, &model.config.data)?;
    let analysed = model.analysed();
    let seen = RepresentationConfig {
        steps: vec![model.config.steps_per_image()],
        count: images(task.size),
        batch: 250,
    };
    let firing = rates(&analysed, &splits.validation, &seen)?;
    let fitted = filters(
        &analysed,
        model.checkpoint.image.shape,
        &Active::Norm(ACTIVE),
        GOOD,
    )?;
    let weights = lateral(&analysed)?;
    let mut values = Values::default();
    let none = f64::NAN;
    for (measure, value) in [
        ("active", fitted.active as f64),
        ("Gabor", fitted.fraction_gabor.unwrap_or(none)),
        (
            "Gabor of smooth noise",
            noise(task.seed, model.checkpoint.image.shape)?,
        ),
        ("R2 of fits", fitted.median_r2.unwrap_or(none)),
        ("rate", firing.mean),
        ("share of the top tenth", firing.top_tenth),
        ("distance from log-normal", firing.distance.unwrap_or(none)),
        (
            "lateral correlation",
            weights.statistics.correlation.unwrap_or(none),
        ),
    ] {
        values.push("network", measure, value);
    }
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

/// The fraction of smooth noise filters that a Gabor function fits.
fn noise(seed: u64, shape: ImageShape) -> Result<f64> {
    let (height, width) = (shape.height, shape.width);
    let reach = (3.0 * SMOOTH).ceil() as usize;
    let (high, wide) = (height + 2 * reach, width + 2 * reach);
    let mut filters = Vec::with_capacity(NOISE * height * width);
    for unit in 0..NOISE {
        let mut rng = rng(seed, "smooth noise", unit);
        // Box and Muller's normal numbers.
        let mut uniform = || rng.random_range(f64::MIN_POSITIVE..1.0);
        let mut normal =
            || (-2.0 * f64::ln(uniform())).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        let white: Vec<f64> = (0..high * wide).map(|_| normal()).collect();
        let weight = |d: usize| {
            let d = d as f64 - reach as f64;
            (-0.5 * d * d / (SMOOTH * SMOOTH)).exp()
        };
        for y in 0..height {
            for x in 0..width {
                let around = (0..=2 * reach).flat_map(|dy| (0..=2 * reach).map(move |dx| (dy, dx)));
                let each = around
                    .map(|(dy, dx)| weight(dy) * weight(dx) * white[(y + dy) * wide + x + dx]);
                filters.push(each.sum::<f64>() as f32);
            }
        }
    }
    let rows = Rows::new("filters", &filters, [NOISE, height * width])?;
    let fits = fit_all(rows, height, width)?;
    let fraction = fraction_gabor(&fits, &vec![true; NOISE], GOOD)?;
    fraction.context("there are filters")
}

const MEASURES: [(&str, &str, usize); 8] = [
    (
        "active",
        "active filters (norm above a tenth of the largest)",
        1,
    ),
    (
        "Gabor",
        "fraction of them that a Gabor function fits (R² ≥ 0.7)",
        3,
    ),
    ("Gabor of smooth noise", "the same of smooth noise", 3),
    ("R2 of fits", "median R² of the fits", 3),
    ("rate", "mean rate, spikes per step", 4),
    (
        "share of the top tenth",
        "share of the spikes of the most active tenth",
        3,
    ),
    (
        "distance from log-normal",
        "Kolmogorov–Smirnov distance of the rates from log-normal",
        3,
    ),
    (
        "lateral correlation",
        "correlation of lateral weights and similarity of filters",
        3,
    ),
];

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Learned neurons");
    let more = |arm: &str| {
        let (own, noise) = (
            results.values(arm, "network", "Gabor"),
            results.values(arm, "network", "Gabor of smooth noise"),
        );
        Interval::of_difference(&own, &noise)
    };
    let arms = results.arms();
    page.answer(
        "A Gabor function fits more of the iP-VAE's filters (R² ≥ 0.7) than of smooth noise, as it fits those of simple cells.",
        arms.iter()
            .map(|arm| {
                format!(
                    "{arm}: fraction fitted less that of smooth noise {}",
                    with_interval(more(arm), 3)
                )
            })
            .collect::<Vec<_>>()
            .join("; ")
            + ".",
        Verdict::of(arms.iter().map(|arm| above(more(arm)))),
    );
    page.heading("Networks");
    page.text(format!(
        "256 neurons, 12×12 pixels; mean ± standard error over {} seeds. The control is white noise under a Gaussian of {SMOOTH} pixel: \
         what a fit finds in smooth filters that nobody learned.",
        results.seeds().len()
    ));
    let headings: Vec<&str> = std::iter::once("quantity")
        .chain(arms.iter().copied())
        .collect();
    let mut table = Table::new(&headings);
    for (measure, what, decimals) in MEASURES {
        let mut row = vec![what.into()];
        row.extend(
            arms.iter()
                .map(|arm| with_error(results.mean(arm, "network", measure), decimals).into()),
        );
        table.push(row);
    }
    page.table(table);
    Ok(page)
}
