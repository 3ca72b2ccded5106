//! Priors in time on moving scenes: the same at every frame, the last posterior, learned.

use anyhow::{Context as _, Result};
use scotopic_figures::{Panel, Series, chart};
use scotopic_train::analysis::direction::{DirectionConfig, direction};
use scotopic_train::evaluate::{EvaluationConfig, validation};
use scotopic_train::film_metrics::evaluate_films;
use serde_json::json;

use super::training::{Recipe, data, iterations, trained_on};
use crate::experiments::protocol::{
    Interval, Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{above, below, below_one, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "moving-scenes",
    about: "priors in time on films: static, the last posterior, learned",
    unit: "seed",
    seeds: 5,
    all_threads: true,
    arms: |_| ARMS.map(|arm| arm.0.to_owned()).to_vec(),
    settings,
    run,
    page,
};

/// Names on the page, and what `model.transition` is.
pub(super) const ARMS: [(&str, &str); 3] = [
    ("static", "static"),
    ("last posterior", "carried"),
    ("learned", "learned"),
];
pub(super) const ITERATIONS: [usize; 2] = [30, 2000];

/// Presets and their names on the page.
const FILMS: [(&str, &str); 2] = [
    ("moving-scenes", "photographs"),
    ("moving-dead-leaves", "dead leaves"),
];

/// Weights of the KL in training. F of β = 1 is a code length; the other gives the curve of R² over spikes.
const BETAS: [f64; 2] = [1.0, 2.0];

/// Presets and names of the films of a size.
pub(super) fn films(size: Size) -> &'static [(&'static str, &'static str)] {
    &FILMS[size.of(1, 0, 0)..]
}

fn betas(size: Size) -> &'static [f64] {
    &BETAS[..size.of(1, 2, 2)]
}

fn case(films: &str, beta: f64) -> String {
    format!("{films}, β {beta}")
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("β".into(), json!(betas(size))),
        (
            "validation films".into(),
            json!(size.of(json!(32), json!("of the preset"), json!("of the preset"))),
        ),
    ])
}

/// The network of an arm and a seed, trained on the films of a preset.
pub(super) fn recipe(task: &Task, preset: &'static str, beta: f64) -> Result<Recipe> {
    let (_, transition) = ARMS
        .iter()
        .find(|arm| arm.0 == task.arm)
        .with_context(|| format!("{} is no arm", task.arm))?;
    Ok(recipe_of(task, preset, transition, beta))
}

/// The network with a prior in time, trained on the films of a preset with a seed.
pub(super) fn recipe_of(task: &Task, preset: &'static str, transition: &str, beta: f64) -> Recipe {
    let name = format!("{preset}-{transition}-beta-{beta}");
    let recipe = Recipe::new(name, preset, preset, ITERATIONS)
        .set(format!("model.transition={transition}"))
        .set(format!("data.seed={}", task.seed))
        .set(format!("objective.beta={beta:?}"));
    match task.size {
        Size::Quick => recipe.set("data.train=256").set("data.validation=32"),
        _ => recipe,
    }
}

fn run(task: &Task) -> Result<Values> {
    let mut values = Values::default();
    for (preset, films) in films(task.size) {
        let at_first = recipe(task, preset, 1.0)?.config(task.size, task.seed)?;
        let splits = data(task, &at_first.data)?;
        let set = &splits.validation;
        for &beta in betas(task.size) {
            let model = trained_on(task, &recipe(task, preset, beta)?, &splits)?;
            let how = EvaluationConfig {
                count: set.films(),
                ..validation(&model.config)
            };
            let found = evaluate_films(&model.network, set, &how, &model.device.device)?;
            let case = case(films, beta);
            for (measure, value) in [
                ("nats per frame", found.nats_per_frame),
                ("next frame", found.next_frame_error),
                ("persistence", found.persistence_error),
                ("blank", found.blank_error),
                ("spikes", found.spikes_per_frame),
                ("R2", found.r2_second_half),
                ("R2 of rates", found.r2_rates_second_half),
                ("seconds", model.seconds),
            ] {
                values.push(&case, measure, value);
            }
            if beta == 1.0 {
                let gratings = DirectionConfig::default();
                let found = direction(&model.analysed(), set.shape(), &gratings)?;
                let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
                values.push(&case, "responsive", found.responsive as f64);
                values.push(&case, "direction index", number(found.index));
                values.push(&case, "direction index, shuffled", number(found.shuffled));
            }
        }
    }
    Ok(values)
}

/// The spikes per frame of `a` over those of `b` at the same R²: each seed's two curves of ln spikes over R², straight between the
/// values of β, at the middle of the R² that both reach.
fn spikes_at_equal_r2(results: &Results, films: &str, a: &str, b: &str) -> Option<Interval> {
    let curve = |arm: &str, unit: usize| -> Option<Vec<(f64, f64)>> {
        let mut points = Vec::new();
        for &beta in betas(results.size) {
            let of = |measure| results.values(arm, &case(films, beta), measure);
            let (r2, spikes) = ((*of("R2").get(unit)?)?, (*of("spikes").get(unit)?)?);
            points.push((r2, spikes.ln()));
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(points)
    };
    let units = results.seeds().len();
    let each: Vec<f64> = (0..units)
        .filter_map(|unit| ln_ratio(&curve(a, unit)?, &curve(b, unit)?))
        .collect();
    let i = Interval::of(&each)?;
    Some(Interval {
        mean: i.mean.exp(),
        low: i.low.exp(),
        high: i.high.exp(),
        units: i.units,
    })
}

/// The difference of two curves, rising in x, at the middle of the x that both have; `None` if there are none.
fn ln_ratio(a: &[(f64, f64)], b: &[(f64, f64)]) -> Option<f64> {
    let low = a.first()?.0.max(b.first()?.0);
    let high = a.last()?.0.min(b.last()?.0);
    let middle = 0.5 * (low + high);
    (low < high).then(|| Some(at(a, middle)? - at(b, middle)?))?
}

/// The curve at x, straight between its points.
fn at(curve: &[(f64, f64)], x: f64) -> Option<f64> {
    let piece = curve.windows(2).find(|piece| x <= piece[1].0)?;
    let ((x0, y0), (x1, y1)) = (piece[0], piece[1]);
    Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0).max(f64::MIN_POSITIVE))
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Priors in time on moving scenes");
    for (_, films) in films(results.size) {
        answers(&mut page, results, films);
    }
    page.heading("Films that were not trained on");
    page.text(format!(
        "Films of 10×10 pixels under a window that drifts and jumps, whitened, standardised; training films have 12 frames and \
         validation films 24, with other pictures. K = 128, 4 updates of the potentials per frame, exact counts. nats is ΣF/T with β = 1, \
         a bound of the code length of a frame given those before it; its squared errors are per frame of 100 pixels: of the frame that \
         the prior predicts, of taking the frame before for it (persistence), of a blank. All arms have the same films, noise, \
         learning rates and iterations; σ is learned in all. Mean ± standard error over {} seeds (of films, weights and noise).",
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "films",
        "β in training",
        "prior",
        "nats",
        "next frame",
        "persistence",
        "blank",
        "spikes",
        "R², 2nd half",
        "R² of rates",
        "training, s",
    ]);
    for (_, films) in self::films(results.size) {
        for &beta in betas(results.size) {
            for arm in results.arms() {
                let case = case(films, beta);
                let at = |measure: &str, decimals| {
                    with_error(results.mean(arm, &case, measure), decimals).into()
                };
                table.push(vec![
                    (*films).into(),
                    format!("{beta}").into(),
                    arm.into(),
                    at("nats per frame", 2),
                    at("next frame", 2),
                    at("persistence", 2),
                    at("blank", 2),
                    at("spikes", 2),
                    at("R2", 3),
                    at("R2 of rates", 3),
                    at("seconds", 0),
                ]);
            }
        }
    }
    page.table(table);
    page.heading("Direction of motion");
    let gratings = DirectionConfig::default();
    page.text(format!(
        "Mean over responsive neurons of (R_preferred − R_opposite)/(R_preferred + R_opposite), gratings that drift by {} pixel per \
         frame, networks trained with β = 1; the preferred grating is chosen in separate trials. The control shows the same frames in \
         random order.",
        gratings.speed
    ));
    let mut table = Table::new(&[
        "films",
        "prior",
        "responsive",
        "index",
        "frames in random order",
    ]);
    for (_, films) in self::films(results.size) {
        for arm in results.arms() {
            let at = |measure: &str, decimals| {
                with_error(results.mean(arm, &case(films, 1.0), measure), decimals).into()
            };
            table.push(vec![
                (*films).into(),
                arm.into(),
                at("responsive", 0),
                at("direction index", 3),
                at("direction index, shuffled", 3),
            ]);
        }
    }
    page.table(table);
    let panels: Vec<Panel> = self::films(results.size)
        .iter()
        .map(|(_, films)| {
            let series = results.arms().into_iter().map(|arm| {
                let mut points: Vec<(f64, f64)> = betas(results.size)
                    .iter()
                    .filter_map(|&beta| {
                        let at = |measure| results.mean(arm, &case(films, beta), measure);
                        Some((at("spikes")?.mean, at("R2")?.mean))
                    })
                    .collect();
                points.sort_by(|a, b| a.0.total_cmp(&b.0));
                let (x, y) = points.into_iter().unzip();
                Series::line(arm, x, y)
            });
            Panel::new(
                *films,
                "spikes per frame",
                "R² of one sample, 2nd half",
                series.collect(),
            )
        })
        .collect();
    page.figure(
        "spikes",
        "R² over spikes per frame, along β in training; means over seeds",
        chart::lines(&panels).context("the curves")?,
    );
    Ok(page)
}

/// What was claimed, and what was found.
fn answers(page: &mut Page, results: &Results, films: &str) {
    let case = case(films, 1.0);
    let nats = |other| results.difference("learned", other, &case, "nats per frame");
    let each = [nats("static"), nats("last posterior")];
    page.answer(
        &format!("{films}: a learned prior in time codes a frame in fewer nats than a static one and than the last posterior."),
        format!(
            "Nats per frame, learned less static {}; less the last posterior {}.",
            with_interval(each[0], 2),
            with_interval(each[1], 2)
        ),
        Verdict::of(each.map(below)),
    );
    let next = results.difference("learned", "last posterior", &case, "next frame");
    let of = |measure| results.values("learned", &case, measure);
    let persistence = Interval::of_difference(&of("next frame"), &of("persistence"));
    page.answer(
        &format!("{films}: it predicts the next frame better than persistence and than the last posterior does."),
        format!(
            "Squared error of the next frame, learned less persistence {}; less the last posterior's {}.",
            with_interval(persistence, 2),
            with_interval(next, 2)
        ),
        Verdict::of([below(persistence), below(next)]),
    );
    let ratio = spikes_at_equal_r2(results, films, "learned", "last posterior");
    page.answer(
        &format!("{films}: it needs fewer spikes than the last posterior at the same R² (aim: a fifth fewer)."),
        format!(
            "Ratio of spikes per frame at the middle of the R² that both reach: {}.",
            with_interval(ratio, 3)
        ),
        Verdict::of([below_one(ratio)]),
    );
    let index = of("direction index");
    let control = Interval::of_difference(&index, &of("direction index, shuffled"));
    page.answer(
        &format!("{films}: its neurons are selective for the direction of motion."),
        format!(
            "Direction index less that of frames in random order {}.",
            with_interval(control, 3)
        ),
        Verdict::of([above(control)]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_compared_in_the_middle_of_what_both_reach() {
        let (a, b) = ([(0.0, 1.0), (2.0, 3.0)], [(1.0, 0.0), (3.0, 4.0)]);
        // At 1.5: 2.5 and 1.
        assert_eq!(ln_ratio(&a, &b), Some(1.5));
        assert_eq!(ln_ratio(&a, &[(2.5, 0.0), (3.0, 4.0)]), None);
    }
}
