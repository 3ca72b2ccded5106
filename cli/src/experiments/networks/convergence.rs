//! Inference over a thousand steps, for networks trained with sixteen (Figure 3).

use anyhow::{Context as _, Result};
use scotopic_figures::{Panel, chart};
use scotopic_train::analysis::convergence::{ConvergenceConfig, convergence, spread};
use serde_json::json;

use super::published::FIGURE3;
use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, curve, numbers, with_error, with_interval};
use crate::table::{Cell, Table};

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "fig3-convergence",
    about: "R², zeros and |Δu| over a thousand inference steps on natural patches (Figure 3)",
    unit: "seed",
    seeds: 3,
    all_threads: true,
    arms: |_| ARMS.map(String::from).to_vec(),
    settings,
    run,
    page,
};

const ARMS: [&str; 3] = ["iP-VAE", "iG_relu-VAE", "iG-VAE"];
const ITERATIONS: [usize; 2] = [40, 1500];

/// The recipe of an arm; β as published.
///
/// # Errors
/// For an unknown one.
pub(super) fn recipe(arm: &str) -> Result<Recipe> {
    let (name, preset) = (format!("natural-{arm}"), "natural-patches");
    let gaussian = |full| {
        Recipe::new(name.as_str(), preset, full, ITERATIONS)
            .set("model.family=gaussian")
            .set("inference.potential_ceiling=7.0")
            .set("inference.step_ceiling=7.0")
            .set("inference.initial_ceiling=1.0")
            .set("objective.beta=8.0")
            .set("objective.kl=exact")
    };
    let found = match arm {
        "iP-VAE" => Some(Recipe::new(
            name.as_str(),
            preset,
            "published/natural-patches",
            ITERATIONS,
        )),
        "iG_relu-VAE" => {
            Some(gaussian("published/natural-patches-gaussian-relu").set("model.activation=relu"))
        }
        "iG-VAE" => Some(gaussian("published/natural-patches-gaussian")),
        _ => None,
    };
    found.with_context(|| format!("there is no arm {arm}"))
}

fn last(size: Size) -> usize {
    size.of(64, 1000, 1000)
}

fn patches(size: Size) -> usize {
    size.of(50, 500, 2000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("inference steps".into(), json!(last(size))),
        ("validation patches".into(), json!(patches(size))),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let model = trained(task, &recipe(task.arm)?)?;
    let splits = data(task, &model.config.data)?;
    let settings = ConvergenceConfig {
        steps: spread(last(task.size)),
        count: patches(task.size),
        batch: 250,
    };
    let curve = convergence(&model.analysed(), &splits.validation, &settings)?;
    let mut values = Values::default();
    for at in &curve.at {
        let case = at.step.to_string();
        values.push(&case, "R2", at.r2);
        values.push(&case, "R2 of means", at.r2_rates);
        values.push(&case, "zeros", at.zeros);
        values.push(&case, "change", at.change);
    }
    values.push("training", "seconds", model.seconds);
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Convergence of inference (Figure 3)");
    let end = last(results.size).to_string();
    let gained = |arm: &str| {
        let (late, early) = (
            results.values(arm, &end, "R2"),
            results.values(arm, "16", "R2"),
        );
        crate::experiments::protocol::Interval::of_difference(&late, &early)
    };
    page.answer(
        "Networks trained with 16 steps keep improving beyond them (Figure 3).",
        ARMS.map(|arm| {
            format!(
                "{arm}: R² after {end} steps less that after 16 {}",
                with_interval(gained(arm), 3)
            )
        })
        .join("; ")
            + ".",
        Verdict::of(ARMS.map(|arm| above(gained(arm)))),
    );
    let sparser = results.difference("iP-VAE", "iG_relu-VAE", &end, "zeros");
    page.answer(
        "In the end the iP-VAE has more zeros than the iG_relu-VAE (Figure 3: 77 and 58 %).",
        format!("Difference {}.", with_interval(sparser, 3)),
        Verdict::of([above(sparser)]),
    );
    page.heading("After 16 steps and at the end");
    page.text(format!(
        "BSDS500 patches, whitened, {} of them; R² per patch of one sample, mean ± standard error over {} seeds. The published models \
         saw van Hateren's images, which cannot be had any more, for 300 epochs.",
        patches(results.size),
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "model",
        "R², 16 steps",
        "R², end",
        "R² of means, 16",
        "R² of means, end",
        "zeros, end",
        "training, s",
        "published: R² 16, 1000, zeros",
    ]);
    for arm in results.arms() {
        let at = |case: &str, measure: &str, decimals| -> Cell {
            with_error(results.mean(arm, case, measure), decimals).into()
        };
        let published = FIGURE3.iter().find(|row| row.name == arm);
        let published = published
            .filter(|_| results.size != Size::Quick)
            .map(|p| format!("{:.3}, {:.3}, {:.0} %", p.at_16, p.at_1000, 100.0 * p.zeros));
        table.push(vec![
            arm.into(),
            at("16", "R2", 3),
            at(&end, "R2", 3),
            at("16", "R2 of means", 3),
            at(&end, "R2 of means", 3),
            at(&end, "zeros", 3),
            at("training", "seconds", 0),
            published.map(Cell::Text).into(),
        ]);
    }
    page.table(table);
    let highest = results.arms().into_iter().filter_map(|arm| {
        let at = |step: &usize| Some((*step, results.mean(arm, &step.to_string(), "R2")?));
        let all = numbers(results).iter().filter_map(at).collect::<Vec<_>>();
        let (step, r2) = all
            .into_iter()
            .max_by(|a, b| a.1.mean.total_cmp(&b.1.mean))?;
        Some(format!("{arm} {} after {step}", with_error(Some(r2), 3)))
    });
    let highest: Vec<String> = highest.collect();
    page.text(format!("R² is highest: {} steps.", highest.join(", ")));
    let panel = |title: &str, measure: &str, y: &str, log_y: bool| {
        let series = results.arms().into_iter().map(|arm| {
            let at =
                |step: &usize| Some((*step as f64, results.mean(arm, &step.to_string(), measure)?));
            curve(arm, numbers(results).iter().filter_map(at))
        });
        Panel::new(title, "inference step", y, series.collect()).logarithmic(true, log_y)
    };
    page.figure(
        "curves",
        "R², zeros and change over inference steps, mean and one standard error over seeds",
        chart::lines(&[
            panel("Reconstruction", "R2", "R²", false),
            panel("Sparsity", "zeros", "fraction of zeros", false),
            panel("Change of the state", "change", "‖Δu‖", true),
        ])?,
    );
    Ok(page)
}
