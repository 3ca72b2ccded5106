//! Indicators of the relaxed spikes: the published sigmoid and those of compact support.

use anyhow::Result;
use serde_json::json;

use super::training::{Recipe, data, iterations, trained};
use crate::experiments::protocol::{
    Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, below, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "indicators",
    about: "the published indicator of relaxed spikes and those of compact support",
    unit: "seed",
    seeds: 5,
    all_threads: true,
    arms: |_| {
        ["sigmoid", "linear", "cubic", "quintic", "cosine"]
            .map(String::from)
            .to_vec()
    },
    settings,
    run,
    page,
};

/// What is trained: preset, iterations of the quick and the standard size.
const TRAINED: [(&str, [usize; 2]); 3] = [
    ("dead-leaves", [30, 2000]),
    ("natural-patches", [30, 2000]),
    ("mnist", [30, 3000]),
];

/// Validation images.
const IMAGES: usize = 1000;

/// How many of them are trained at this size.
fn count(size: Size) -> usize {
    size.of(1, 3, 3)
}

/// Which of them an arm is trained on: all data decide between the published indicator and the one that may replace it, the
/// others are beside them on the first.
fn trained_on(arm: &str, size: Size) -> &'static [(&'static str, [usize; 2])] {
    let all = &TRAINED[..count(size)];
    match arm {
        "sigmoid" | "cubic" => all,
        _ => &all[..1],
    }
}

fn settings(size: Size) -> Settings {
    let trained = TRAINED[..count(size)]
        .iter()
        .map(|(preset, numbers)| (format!("iterations, {preset}"), iterations(size, *numbers)));
    let images = ("validation images".to_owned(), json!(IMAGES));
    trained.chain([images]).collect()
}

fn run(task: &Task) -> Result<Values> {
    let mut values = Values::default();
    for (preset, iterations) in trained_on(task.arm, task.size) {
        let recipe = Recipe::new(
            format!("{preset}-{}", task.arm),
            preset,
            preset,
            *iterations,
        )
        .set(format!("inference.indicator={}", task.arm));
        let model = trained(task, &recipe)?;
        let splits = data(task, &model.config.data)?;
        let m = model.validated(&splits, IMAGES)?;
        for (measure, value) in [
            ("R2", m.r2),
            ("zeros", m.zeros),
            ("free energy", m.objective),
            ("squared error", m.squared_error),
            ("seconds", model.seconds),
        ] {
            values.push(preset, measure, value);
        }
    }
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Indicators of the relaxed spikes");
    for (preset, _) in &TRAINED[..count(results.size)] {
        let against = |measure: &str| results.difference("cubic", "sigmoid", preset, measure);
        for (measure, what, better) in [
            ("R2", "R² of one sample", above as fn(_) -> _),
            ("zeros", "fraction of zeros", above),
            ("free energy", "free energy (nats)", below),
        ] {
            page.answer(
                &format!("{preset}: trained with the cubic indicator, which is unbiased, a network has a better {what} than with the sigmoid."),
                format!("Cubic less sigmoid {}.", with_interval(against(measure), 4)),
                Verdict::of([better(against(measure))]),
            );
        }
    }
    page.heading("Validation images");
    page.text(format!(
        "Exact counts, the objective of the preset; mean ± standard error over {} seeds.",
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "data",
        "indicator",
        "R²",
        "zeros",
        "free energy",
        "squared error",
        "training, s",
    ]);
    for (preset, _) in &TRAINED[..count(results.size)] {
        let is_trained = |arm: &str| {
            let on = trained_on(arm, results.size);
            on.iter().any(|(name, _)| name == preset)
        };
        for arm in results.arms() {
            if !is_trained(arm) {
                continue;
            }
            let at = |measure: &str, decimals| {
                with_error(results.mean(arm, preset, measure), decimals).into()
            };
            table.push(vec![
                (*preset).into(),
                arm.into(),
                at("R2", 4),
                at("zeros", 4),
                at("free energy", 2),
                at("squared error", 2),
                at("seconds", 0),
            ]);
        }
    }
    page.table(table);
    Ok(page)
}
