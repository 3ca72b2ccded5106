//! Parameters of a linear-Gaussian model learned in one pass, by three bounds (Campbell et al. 2021, figure 1b).
//!
//! ```text
//! x_t = F x_{t−1} + N(0, Q),  y_t = G x_t + N(0, R),  ten dimensions, F and G diagonal and unknown
//! ```

use std::time::Instant;

use anyhow::{Context as _, Result};
use scotopic_figures::chart::{self, Panel};
use scotopic_filtering::nonlinear::models::DiagonalLinear;
use scotopic_filtering::nonlinear::{
    CubatureRule, ElboKind, IndependentCoordinates, LearningConfig, NonlinearConfig,
    NonlinearLearning, simulate,
};
use scotopic_filtering::rand::RngExt as _;
use scotopic_filtering::{Sequence, elbo_kind};
use serde_json::json;

use super::common::{below, curve, numbers, rng, with_error, with_interval};
use crate::experiments::protocol::{
    Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "campbell",
    about: "parameters of ten linear coordinates learned while filtering, by three bounds",
    unit: "seed",
    seeds: 10,
    all_threads: false,
    arms: |_| ["reversed", "jelbo", "vjf"].map(String::from).to_vec(),
    settings,
    run,
    page,
};

const DIMENSIONS: usize = 10;
/// Q and R, on their diagonals.
const NOISE: (f64, f64) = (0.01, 0.0625);
/// F and G are drawn from this range, and their starts are off by up to this.
const RANGE: (f64, f64) = (0.5, 1.0);
const OFF: f64 = 0.2;
/// Starts are kept in this range: a stable chain.
const KEPT: (f64, f64) = (0.1, 0.99);
/// The curve of the error has a point after each of these parts of the observations.
const PARTS: usize = 20;

fn observations(size: Size) -> usize {
    size.of(2000, 50_000, 50_000)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("observations".into(), json!(observations(size))),
        ("dimensions".into(), json!(DIMENSIONS)),
        ("process noise".into(), json!(NOISE.0)),
        ("observation noise".into(), json!(NOISE.1)),
        ("start off by up to".into(), json!(OFF)),
    ])
}

fn model(f: Vec<f64>, g: Vec<f64>) -> scotopic_filtering::Result<DiagonalLinear> {
    DiagonalLinear::new(f, g, vec![NOISE.0; DIMENSIONS], vec![NOISE.1; DIMENSIONS])
}

/// The true model, the start, and the data of a seed.
fn draw(task: &Task) -> Result<(DiagonalLinear, DiagonalLinear, Sequence)> {
    let mut rng = rng(task.seed, "campbell", 0);
    let mut within = |low: f64, high: f64| -> Vec<f64> {
        (0..DIMENSIONS)
            .map(|_| rng.random_range(low..high))
            .collect()
    };
    let (f, g) = (within(RANGE.0, RANGE.1), within(RANGE.0, RANGE.1));
    let (df, dg) = (within(-OFF, OFF), within(-OFF, OFF));
    let moved = |a: &[f64], d: &[f64]| -> Vec<f64> {
        let pairs = a.iter().zip(d);
        pairs.map(|(a, d)| (a + d).clamp(KEPT.0, KEPT.1)).collect()
    };
    let start = model(moved(&f, &df), moved(&g, &dg))?;
    let truth = model(f, g)?;
    let (_, data) = simulate(&truth, observations(task.size), &mut rng)?;
    Ok((truth, start, data))
}

fn run(task: &Task) -> Result<Values> {
    let (truth, start, data) = draw(task)?;
    let elbo: ElboKind = elbo_kind(task.arm)?;
    // Three nodes are exact for the cubics at most that a linear-Gaussian step asks for.
    let config = NonlinearConfig {
        elbo,
        rule: Some(CubatureRule::GaussHermite(3)),
        ..NonlinearConfig::default()
    };
    let learners = start
        .coordinates()
        .into_iter()
        .map(|one| NonlinearLearning::new(one, config.clone(), LearningConfig::default()))
        .collect::<scotopic_filtering::Result<Vec<_>>>()?;
    let mut learning = IndependentCoordinates::new(learners)?;
    let mut values = Values::default();
    let mut seconds = 0.0;
    let part = (data.len() / PARTS).max(1);
    for (t, observation) in data.iter().enumerate() {
        let clock = Instant::now();
        learning.update(observation)?;
        seconds += clock.elapsed().as_secs_f64();
        if (t + 1) % part == 0 || t + 1 == data.len() {
            let count = (t + 1).to_string();
            let errors = errors(&learning, &truth);
            for (name, error) in ["F last", "G last", "F averaged", "G averaged"]
                .iter()
                .zip(errors)
            {
                values.push(&count, name, error);
            }
        }
    }
    values.push("all", "elbo", learning.elbo() / data.len() as f64);
    values.push("all", "micros", 1e6 * seconds / data.len() as f64);
    Ok(values)
}

/// Mean absolute errors of F and G: of the last θ, of the averaged one.
fn errors(
    learning: &IndependentCoordinates<NonlinearLearning<DiagonalLinear>>,
    truth: &DiagonalLinear,
) -> [f64; 4] {
    type Read = fn(&NonlinearLearning<DiagonalLinear>) -> &[f64];
    let error = |which: usize, truth: &[f64], of: Read| {
        let parts = learning.parts().iter().zip(truth);
        let each = parts.map(|(part, t)| (of(part)[which] - t).abs());
        each.sum::<f64>() / DIMENSIONS as f64
    };
    let (last, average): (Read, Read) = (NonlinearLearning::parameters, NonlinearLearning::average);
    [
        error(0, truth.f(), last),
        error(1, truth.g(), last),
        error(0, truth.f(), average),
        error(1, truth.g(), average),
    ]
}

const MEASURES: [&str; 4] = ["F last", "G last", "F averaged", "G averaged"];

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Learning F and G of ten linear coordinates while filtering");
    let last = observations(results.size).to_string();
    let against = |arm: &str, measure: &str| results.difference("reversed", arm, &last, measure);
    for (arm, what) in [("jelbo", "JELBO"), ("vjf", "VJF")] {
        let verdict = Verdict::of(MEASURES.iter().map(|m| below(against(arm, m))));
        let found = MEASURES.map(|m| format!("{m} {}", with_interval(against(arm, m), 4)));
        page.answer(
            &format!("Learned with the recursive (reversed) bound, F and G are closer to the truth than with {what} (Campbell et al. 2021, figure 1b)."),
            format!("Mean absolute error of the reversed bound less that of {what}: {}.", found.join("; ")),
            verdict,
        );
    }
    page.heading("Errors after all observations");
    page.text(format!(
        "Mean absolute error over the ten coordinates after {last} observations, mean ± standard error over {} seeds. *Last* is \
         θ itself, *averaged* its polynomial-decay average.",
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "scheme",
        "F last",
        "G last",
        "F averaged",
        "G averaged",
        "ELBO per observation",
        "µs per observation",
    ]);
    for arm in results.arms() {
        let mut row = vec![arm.into()];
        row.extend(MEASURES.map(|m| with_error(results.mean(arm, &last, m), 4).into()));
        row.push(with_error(results.mean(arm, "all", "elbo"), 4).into());
        row.push(with_error(results.mean(arm, "all", "micros"), 1).into());
        table.push(row);
    }
    page.table(table);
    page.text(
        "The published figure shows curves without numbers, so that only the ranking is compared. The sums of JELBO and VJF are \
         prequential scores of their own and not bounds on one quantity.",
    );
    let panels: Vec<Panel> = ["F averaged", "G averaged"]
        .iter()
        .map(|measure| panel(results, measure))
        .collect();
    page.figure(
        "errors",
        "Mean absolute error of the averaged parameters over observations, mean and one standard error over seeds",
        chart::lines(&panels).context("the errors")?,
    );
    Ok(page)
}

fn panel(results: &Results, measure: &str) -> Panel {
    let counts = numbers(results);
    let series = results.arms().into_iter().map(|arm| {
        let each = counts.iter().filter_map(|count| {
            let e = results.mean(arm, &count.to_string(), measure)?;
            Some((*count as f64, e))
        });
        curve(arm, each)
    });
    Panel::new(
        measure,
        "observations",
        "mean absolute error",
        series.collect(),
    )
    .logarithmic(false, true)
}
