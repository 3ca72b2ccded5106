//! Two gradients of one F on films: through inference, and with every belief held fixed, a film or a frame at a time.

use anyhow::{Context as _, Result};
use scotopic_train::analysis::learning_gradients::{ALL, alignment};
use scotopic_train::evaluate::{EvaluationConfig, validation};
use scotopic_train::film_metrics::evaluate_films;
use scotopic_train::state::{TrainState, load_model};
use serde_json::json;

use super::moving_scenes::{ITERATIONS, films, recipe_of};
use super::training::{Recipe, data, iterations, trained_on};
use crate::experiments::protocol::{
    Page, Protocol, Results, Settings, Size, Task, Values, Verdict,
};
use crate::experiments::series::common::{below, with_error, with_interval};
use crate::table::Table;

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "film-learning",
    about: "learning from films through inference, and with beliefs held fixed",
    unit: "seed",
    seeds: 5,
    all_threads: true,
    arms: |_| ARMS.map(|arm| arm.name.to_owned()).to_vec(),
    settings,
    run,
    page,
};

/// A way to learn.
struct Arm {
    name: &'static str,
    /// As the networks of other experiments are called, of which the first is one.
    label: &'static str,
    sets: &'static [&'static str],
}

const ARMS: [Arm; 3] = [
    Arm {
        name: "through inference",
        label: "learned-beta-1",
        sets: &[],
    },
    Arm {
        name: "beliefs fixed",
        label: "fixed-beliefs",
        sets: &["train.gradient=fixed-beliefs"],
    },
    // A step of the optimiser after each of the twelve frames, and no memory of those before but the belief.
    Arm {
        name: "beliefs fixed, frame by frame",
        label: "fixed-beliefs-frames",
        sets: &[
            "train.gradient=fixed-beliefs",
            "inference.steps=1",
            "train.bptt_windows=12",
        ],
    },
];

/// Films of which gradients are compared.
const COMPARED: usize = 128;

/// Parameters whose gradients are compared, and their names on the page.
const PARAMETERS: [(&str, &str); 4] = [
    (ALL, "all"),
    ("decoder.atoms", "Φ"),
    ("transition.weights.weights", "W"),
    ("transition.weights.logit_keep", "a"),
];

fn settings(size: Size) -> Settings {
    Settings::from([
        ("iterations".into(), iterations(size, ITERATIONS)),
        ("films of gradients".into(), json!(compared(size))),
    ])
}

fn compared(size: Size) -> usize {
    size.of(16, COMPARED, COMPARED)
}

fn recipe(task: &Task, preset: &'static str) -> Result<Recipe> {
    let arm = ARMS.iter().find(|arm| arm.name == task.arm);
    let arm = arm.with_context(|| format!("{} is no arm", task.arm))?;
    // The first arm is a network of moving-scenes.
    let recipe = recipe_of(task, preset, "learned", 1.0).named(format!("{preset}-{}", arm.label));
    Ok(arm.sets.iter().fold(recipe, |made, set| made.set(*set)))
}

fn run(task: &Task) -> Result<Values> {
    let mut values = Values::default();
    for (preset, films) in films(task.size) {
        let recipe = recipe(task, preset)?;
        let config = recipe.config(task.size, task.seed)?;
        let splits = data(task, &config.data)?;
        let model = trained_on(task, &recipe, &splits)?;
        let set = &splits.validation;
        let how = EvaluationConfig {
            count: set.films(),
            ..validation(&model.config)
        };
        let found = evaluate_films(&model.network, set, &how, &model.device.device)?;
        for (measure, value) in [
            ("nats per frame", found.nats_per_frame),
            ("next frame", found.next_frame_error),
            ("spikes", found.spikes_per_frame),
            ("R2", found.r2_second_half),
            ("seconds", model.seconds),
        ] {
            values.push(films, measure, value);
        }
        let autodiff = model.device.device.clone().autodiff();
        let first = TrainState::new(&config, &splits, &autodiff)?.model;
        let last = load_model(&model.checkpoint, &autodiff)?;
        for (moment, network) in [("before", first), ("after", last)] {
            let found = alignment(&network, &config, set, compared(task.size), &autodiff)?;
            for (path, name) in PARAMETERS {
                let each = found.iter().find(|each| each.parameter == path);
                let each = each.with_context(|| format!("{path} has no two gradients"))?;
                let case = format!("{films}, {moment}, {name}");
                values.push(&case, "cosine", each.cosine.unwrap_or(f64::NAN));
                values.push(&case, "ratio", each.ratio.unwrap_or(f64::NAN));
            }
        }
    }
    Ok(values)
}

fn page(results: &Results) -> Result<Page> {
    let mut page = Page::new("Learning from films, through inference and without");
    for (_, films) in films(results.size) {
        let less = |other| results.difference(ARMS[0].name, other, films, "nats per frame");
        let each = [less(ARMS[1].name), less(ARMS[2].name)];
        page.answer(
            &format!("{films}: backpropagation through inference learns a better code of films than local gradients at beliefs held fixed."),
            format!(
                "Nats per frame, through inference less beliefs fixed {}; less beliefs fixed, frame by frame, {}.",
                with_interval(each[0], 2),
                with_interval(each[1], 2)
            ),
            Verdict::of(each.map(below)),
        );
    }
    page.heading("Films that were not trained on");
    page.text(format!(
        "A learned prior in time, as in [moving-scenes](moving-scenes.md): films, network, learning rates, iterations and validation are \
         those of its pages. With beliefs held fixed the gradient of F is a sum of local terms of the frames (eq. T6), and η and the homeostatic b \
         are not learned. Frame by frame the optimiser makes a step after each of the twelve frames of a batch, with the same learning \
         rates. Mean ± standard error over {} seeds.",
        results.seeds().len()
    ));
    let mut table = Table::new(&[
        "films",
        "learning",
        "nats",
        "next frame",
        "spikes",
        "R², 2nd half",
        "training, s",
    ]);
    for (_, films) in self::films(results.size) {
        for arm in results.arms() {
            let at = |measure: &str, decimals| {
                with_error(results.mean(arm, films, measure), decimals).into()
            };
            table.push(vec![
                (*films).into(),
                arm.into(),
                at("nats per frame", 2),
                at("next frame", 2),
                at("spikes", 2),
                at("R2", 3),
                at("seconds", 0),
            ]);
        }
    }
    page.table(table);
    page.heading("The angle between both");
    page.text(format!(
        "Cosine of the two gradients, and the length of that with beliefs held fixed over that of the other, of {} validation films \
         of 12 frames; before learning and after it, in the network of each arm.",
        compared(results.size)
    ));
    let mut table = Table::new(&[
        "films",
        "network",
        "gradient by",
        "cosine before",
        "after",
        "length before",
        "after",
    ]);
    for (_, films) in self::films(results.size) {
        for arm in results.arms() {
            for (_, name) in PARAMETERS {
                let at = |moment: &str, measure: &str| {
                    let case = format!("{films}, {moment}, {name}");
                    with_error(results.mean(arm, &case, measure), 3).into()
                };
                table.push(vec![
                    (*films).into(),
                    arm.into(),
                    name.into(),
                    at("before", "cosine"),
                    at("after", "cosine"),
                    at("before", "ratio"),
                    at("after", "ratio"),
                ]);
            }
        }
    }
    page.table(table);
    Ok(page)
}
