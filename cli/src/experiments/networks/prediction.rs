//! The networks of `moving-scenes`: how far ahead their priors predict, and what a cut costs them.

use anyhow::{Context as _, Result};
use scotopic_figures::{Panel, chart};
use scotopic_train::analysis::prediction::{PredictionConfig, prediction};
use serde_json::json;

use super::moving_scenes::{ARMS, ITERATIONS, films, recipe};
use super::training::{data, iterations, trained_on};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, below, curve, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "prediction",
    about: "films hidden for some frames and films with a cut, by the networks of moving-scenes",
    unit: "seed",
    seeds: 5,
    all_threads: true,
    arms: |_| ARMS.map(|arm| arm.0.to_owned()).to_vec(),
    settings,
    run,
    page,
};

/// Frames ahead that are told.
const AHEAD: usize = 8;

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("frames ahead".into(), json!(AHEAD)),
    ])
}

fn case(films: &str, frames: usize) -> String {
    format!("{films}, {frames}")
}

fn run(task: &Task) -> Result<Values> {
    let mut values = Values::default();
    for (preset, films) in films(task.size) {
        let recipe = recipe(task, preset, 1.0)?;
        let splits = data(task, &recipe.config(task.size, task.seed)?.data)?;
        let model = trained_on(task, &recipe, &splits)?;
        let how = PredictionConfig {
            horizon: AHEAD,
            ..PredictionConfig::default()
        };
        let found = prediction(&model.analysed(), &splits.validation, &how)?;
        for at in &found.ahead {
            let case = case(films, at.frames);
            values.push(&case, "error", at.error);
            values.push(&case, "persistence", at.persistence);
            values.push(&case, "blank", at.blank);
        }
        for at in &found.cut {
            let case = case(films, at.frames);
            values.push(&case, "surprise", at.free_energy);
            values.push(&case, "spikes", at.spikes);
        }
        values.push(films, "horizon", found.horizon as f64);
    }
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Predictions of moving scenes");
    for (_, films) in films(results.size) {
        answers(&mut page, results, films);
    }
    page.heading("Hidden for some frames");
    page.text(format!(
        "Squared error per frame of 100 pixels of f(E z), where nothing is seen for as many frames as are given and the prior in time is \
         applied again and again; beside the last frame that was seen and a blank one. Validation films of 24 frames, from the middle \
         on. Mean ± standard error over {} seeds.",
        results.seeds().len()
    ));
    let ahead = [1, 2, 4, AHEAD];
    let mut columns = vec!["films", "prediction"];
    let titles = ahead.map(|frames| format!("{frames} ahead"));
    columns.extend(titles.iter().map(String::as_str));
    columns.push("horizon");
    let mut table = Table::new(&columns);
    for (_, films) in self::films(results.size) {
        let row = |label: &str, arm: &str, measure: &str, horizon: bool| {
            let at = |frames: usize| {
                with_error(results.mean(arm, &case(films, frames), measure), 2).into()
            };
            let mut cells = vec![(*films).into(), label.into()];
            cells.extend(ahead.map(at));
            let last = match horizon {
                true => with_error(results.mean(arm, films, "horizon"), 1),
                false => "–".to_owned(),
            };
            cells.push(last.into());
            cells
        };
        for arm in results.arms() {
            table.push(row(arm, arm, "error", true));
        }
        table.push(row("the last frame seen", "learned", "persistence", false));
        table.push(row("a blank", "learned", "blank", false));
    }
    page.table(table);
    page.heading("After a cut");
    page.text(
        "The first 12 frames are of another film. F (nats) and spikes of the frames after the cut, less those of the same frames of the \
         film without a cut.",
    );
    let mut table = Table::new(&[
        "films",
        "prior",
        "F, 1st",
        "F, 2nd",
        "F, 4th",
        "spikes, 1st",
        "spikes, 2nd",
        "spikes, 4th",
    ]);
    for (_, films) in self::films(results.size) {
        for arm in results.arms() {
            let at = |frames: usize, measure: &str| {
                with_error(results.mean(arm, &case(films, frames), measure), 2).into()
            };
            let mut cells = vec![(*films).into(), arm.into()];
            cells.extend([0, 1, 3].map(|frames| at(frames, "surprise")));
            cells.extend([0, 1, 3].map(|frames| at(frames, "spikes")));
            table.push(cells);
        }
    }
    page.table(table);
    let panels: Vec<Panel> = self::films(results.size)
        .iter()
        .map(|(_, films)| {
            let points = |arm: &str, measure: &str| -> Vec<_> {
                let at = |frames| {
                    Some((
                        frames as f64,
                        results.mean(arm, &case(films, frames), measure)?,
                    ))
                };
                (1..=AHEAD).filter_map(at).collect()
            };
            let arms = results.arms();
            let mut series: Vec<_> = arms
                .iter()
                .map(|arm| curve(arm, points(arm, "error").into_iter()))
                .collect();
            series.push(curve(
                "the last frame seen",
                points("learned", "persistence").into_iter(),
            ));
            series.push(curve("a blank", points("learned", "blank").into_iter()));
            Panel::new(*films, "frames ahead", "squared error per frame", series)
        })
        .collect();
    page.figure(
        "ahead",
        "Squared error of predictions over frames ahead, means over seeds",
        chart::lines(&panels).context("the curves")?,
    );
    Ok(page)
}

/// What was claimed, and what was found.
fn answers(page: &mut Page, results: &Results, films: &str) {
    let of =
        |frames: usize, measure: &str| results.values("learned", &case(films, frames), measure);
    let [persistence, blank] = ["persistence", "blank"].map(|other| {
        [1, 2, 4].map(|frames| Interval::of_difference(&of(frames, "error"), &of(frames, other)))
    });
    let told = |of: &[Option<Interval>; 3]| of.map(|i| with_interval(i, 2)).join("; ");
    page.answer(
        &format!(
            "{films}: a learned prior bridges hidden frames better than the last frame seen does."
        ),
        format!(
            "Squared error 1, 2 and 4 frames ahead, learned less persistence: {}.",
            told(&persistence)
        ),
        Verdict::of(persistence.map(below)),
    );
    page.answer(
        &format!("{films}: and better than a blank."),
        format!("Learned less blank: {}.", told(&blank)),
        Verdict::of(blank.map(below)),
    );
    let surprise = Interval::of(&of(0, "surprise").into_iter().flatten().collect::<Vec<_>>());
    page.answer(
        &format!("{films}: a cut is a surprise for a learned prior."),
        format!(
            "F of the first frame after a cut, less that without: {} nats.",
            with_interval(surprise, 2)
        ),
        Verdict::of([above(surprise)]),
    );
}
