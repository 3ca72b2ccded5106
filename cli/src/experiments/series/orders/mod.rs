//! Order of motion, smoothness of the noise and scheme, on systems that the causal filter's constants were set on and on
//! systems that they were not.
//!
//! | subject | file |
//! |---|---|
//! | the systems | `systems.rs` |
//! | data of a set | `data.rs` |
//! | the schemes and their scores | `schemes.rs` |
//! | the page | `page.rs` |

mod data;
mod page;
mod schemes;
mod systems;

use anyhow::Result;
use scotopic_filtering::generalised::causal::CausalConfig;
use serde_json::json;

use self::data::NOISES;
use self::systems::SYSTEMS;
use crate::experiments::protocol::{Protocol, Settings, Size, Task, Values};

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "orders",
    about: "order of motion × smoothness of the noise × scheme, on five systems",
    unit: "set",
    seeds: 5,
    all_threads: false,
    arms: |_| schemes::ARMS.map(|arm| arm.name.to_owned()).to_vec(),
    settings,
    run,
    page: page::page,
};

fn sets(size: Size) -> usize {
    size.of(1, 4, 20)
}

fn bins(size: Size) -> usize {
    size.of(60, 200, 200)
}

fn settings(size: Size) -> Settings {
    let usual = CausalConfig::default();
    Settings::from([
        ("sets per seed".into(), json!(sets(size))),
        ("bins".into(), json!(bins(size))),
        (
            "bins scored".into(),
            json!([schemes::BURN + 1, bins(size) - schemes::END]),
        ),
        (
            "outlier threshold (standard deviations)".into(),
            json!(usual.outlier_threshold),
        ),
        ("linearisations a bin".into(), json!(usual.steps)),
    ])
}

/// The name of a case.
fn case(system: &str, noise: &str) -> String {
    format!("{system}, {noise}")
}

fn run(task: &Task) -> Result<Values> {
    let arm = schemes::ARMS.iter().find(|arm| arm.name == task.arm);
    let Some(arm) = arm else {
        anyhow::bail!("there is no arm {}", task.arm);
    };
    let mut values = Values::default();
    for system in SYSTEMS {
        for noise in NOISES {
            let case = case(system.name, noise.name);
            let mut micros = Vec::new();
            for set in 0..sets(task.size) {
                let drawn = data::draw(&system, &noise, bins(task.size), task.seed, set)?;
                let score = schemes::score(arm, &system, noise.assumed, &drawn);
                for (measure, value) in [
                    ("rmse", score.rmse),
                    ("nees", score.nees),
                    ("evidence", score.evidence),
                ] {
                    values.push(&case, measure, value);
                }
                micros.push(score.micros);
            }
            micros.sort_by(f64::total_cmp);
            values.push(&case, "micros", micros[micros.len() / 2]);
        }
    }
    Ok(values)
}
