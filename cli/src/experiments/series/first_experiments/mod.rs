//! The first experiments of the paper's guide, and model selection with the one-layer network (arXiv 2502.08860).
//!
//! | subject | file |
//! |---|---|
//! | hidden Markov models: against enumeration of all paths, and the dishonest casino | `discrete.rs` |
//! | generalised coordinates on a smooth system | `smooth.rs` |
//! | which equations: free action and evidence | `selection.rs` |
//! | the page | `page.rs` |

mod discrete;
mod page;
mod selection;
mod smooth;

use anyhow::Result;
use serde_json::json;

use super::published_series::{BINS, SMOOTHNESS};
use crate::experiments::protocol::{Protocol, Settings, Size, Task, Values};

/// The experiment.
pub const PROTOCOL: Protocol = Protocol {
    name: "first-experiments",
    about: "the first experiments of the paper's guide: exactness, a benchmark, a smooth system, model selection",
    unit: "set",
    seeds: 5,
    all_threads: false,
    arms: |_| {
        let arms = discrete::ARMS
            .iter()
            .chain(&smooth::ARMS)
            .chain(&selection::ARMS);
        arms.map(|arm| (*arm).to_owned()).collect()
    },
    settings,
    run,
    page: page::page,
};

fn sets(size: Size) -> usize {
    size.of(2, 40, 200)
}

fn series(size: Size) -> usize {
    size.of(1, 4, 20)
}

fn settings(size: Size) -> Settings {
    Settings::from([
        ("discrete sets per seed".into(), json!(sets(size))),
        (
            "enumerated: states and length".into(),
            json!(discrete::ENUMERATED),
        ),
        ("casino: throws".into(), json!(discrete::THROWS)),
        ("continuous series per seed".into(), json!(series(size))),
        ("bins".into(), json!(BINS)),
        ("smoothness".into(), json!(SMOOTHNESS)),
        (
            "ln of the precision of motion".into(),
            json!(smooth::LOG_MOTION),
        ),
    ])
}

fn run(task: &Task) -> Result<Values> {
    let mut values = Values::default();
    discrete::run(task, &mut values)?;
    smooth::run(task, &mut values)?;
    selection::run(task, &mut values)?;
    Ok(values)
}
