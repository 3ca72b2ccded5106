//! Reconstruction against sparsity, over β and T (Figure 4).

use anyhow::{Context as _, Result};
use scotopic_figures::{Panel, Series, chart};
use scotopic_measures::rate_distortion::distance;
use serde_json::json;

use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "fig4-sparsity",
    about: "reconstruction against sparsity over β and T (Figure 4)",
    unit: "seed",
    seeds: 3,
    all_threads: true,
    arms: |size| {
        grid(size)
            .into_iter()
            .map(|(t, beta)| format!("T{t}-beta{beta}"))
            .collect()
    },
    settings,
    run,
    page,
};

const ITERATIONS: [usize; 2] = [40, 1200];

/// A network whose rates explain less than this does not infer.
const SILENT: f64 = 0.05;

/// T and β: few points where minutes count, the published grid at full size.
fn grid(size: Size) -> Vec<(usize, usize)> {
    let (lengths, betas) = size.of(
        (&[8, 16][..], &[8, 24][..]),
        (&[8, 16], &[4, 8, 16, 24, 32]),
        (&[8, 16, 32], &[4, 8, 16, 24, 32, 64]),
    );
    lengths
        .iter()
        .flat_map(|&t| betas.iter().map(move |&beta| (t, beta)))
        .collect()
}

fn patches(size: Size) -> usize {
    size.of(100, 2000, 10_000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("validation patches".into(), json!(patches(size))),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let point = grid(task.size)
        .into_iter()
        .find(|(t, beta)| format!("T{t}-beta{beta}") == task.arm);
    let (steps, beta) = point.with_context(|| format!("there is no arm {}", task.arm))?;
    let recipe = Recipe::new(
        format!("natural-{}", task.arm),
        "natural-patches",
        "published/natural-patches",
        ITERATIONS,
    )
    .set(format!("inference.steps={steps}"))
    .set(format!("objective.beta={beta}.0"));
    let model = trained(task, &recipe)?;
    let splits = data(task, &model.config.data)?;
    let m = model.validated(&splits, patches(task.size))?;
    let mut values = Values::default();
    values.push("validation", "R2", m.r2_pooled);
    values.push("validation", "R2 of rates", m.r2_rates_pooled);
    values.push("validation", "zeros", m.zeros);
    values.push("validation", "distance", distance(m.r2_pooled, m.zeros));
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Reconstruction against sparsity (Figure 4)");
    let points = grid(results.size);
    let mut lengths: Vec<usize> = points.iter().map(|p| p.0).collect();
    lengths.dedup();
    let of = |t: usize| points.iter().filter(move |p| p.0 == t);
    let sparser = |t: usize| -> Option<Interval> {
        let (low, high) = (of(t).next()?, of(t).next_back()?);
        let arm = |p: &(usize, usize)| format!("T{}-beta{}", p.0, p.1);
        results.difference(&arm(high), &arm(low), "validation", "zeros")
    };
    page.answer(
        "A larger β makes the iP-VAE sparser (Figure 4).",
        lengths
            .iter()
            .map(|t| {
                format!(
                    "T {t}: zeros at the largest β less those at the smallest {}",
                    with_interval(sparser(*t), 3)
                )
            })
            .collect::<Vec<_>>()
            .join("; ")
            + ".",
        Verdict::of(lengths.iter().map(|t| above(sparser(*t)))),
    );
    page.heading("The grid");
    page.text(format!(
        "The iP-VAE on whitened BSDS500 patches, {} of them; pooled R² of one spike sample. The distance to the ideal corner is √((1 − R²)² + \
         (1 − zeros)²). Mean ± standard error over {} seeds.",
        patches(results.size),
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "T",
        "β",
        "R², spikes",
        "R², rates",
        "zeros",
        "distance",
        "training, s",
    ]);
    for (t, beta) in &points {
        let arm = format!("T{t}-beta{beta}");
        let at = |case: &str, measure: &str, decimals| {
            with_error(results.mean(&arm, case, measure), decimals).into()
        };
        table.push(vec![
            t.to_string().into(),
            beta.to_string().into(),
            at("validation", "R2", 3),
            at("validation", "R2 of rates", 3),
            at("validation", "zeros", 3),
            at("validation", "distance", 3),
            at("training", "seconds", 0),
        ]);
    }
    page.table(table);
    let silent: Vec<String> = points
        .iter()
        .filter(|(t, beta)| {
            let arm = format!("T{t}-beta{beta}");
            let r2 = results.mean(&arm, "validation", "R2 of rates");
            r2.is_some_and(|r2| r2.mean < SILENT)
        })
        .map(|(t, beta)| format!("T = {t}, β = {beta}"))
        .collect();
    if !silent.is_empty() {
        page.text(format!(
            "These explain nothing (R² of rates below {SILENT}), and their zeros are those of silent networks: {}.",
            silent.join("; ")
        ));
    }
    let series = lengths.iter().map(|t| {
        let means = of(*t).filter_map(|(t, beta)| {
            let mean = |measure| results.mean(&format!("T{t}-beta{beta}"), "validation", measure);
            Some((mean("zeros")?.mean, mean("R2")?.mean))
        });
        let (x, y) = means.unzip();
        Series::line(format!("T = {t}"), x, y)
    });
    page.figure(
        "front",
        "R² against the fraction of zeros, means over seeds, β from left to right",
        chart::lines(&[Panel::new(
            "iP-VAE on natural patches",
            "fraction of zeros",
            "R², one spike sample",
            series.collect(),
        )])?,
    );
    Ok(page)
}
