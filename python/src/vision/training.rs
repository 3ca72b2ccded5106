//! Training on a thread of its own, while this one looks at signals and tells Python of the progress.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use scotopic_cli::args::load;
use scotopic_train::config;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::run_dir::{RunDir, info};
use scotopic_train::state::TrainState;
use scotopic_train::trainer::{Callback, Outcome, Trainer};
use serde_json::{Value, json};

use super::Result;
use super::network::{Network, open};

/// How often signals are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Sends rows to the thread that holds the interpreter.
struct Telling(Sender<Value>);

impl Callback for Telling {
    fn iteration(&mut self, _done: usize, _total: usize) {}

    fn logged(&mut self, row: &LogRow) {
        self.send("log", json!(row));
    }

    fn validated(&mut self, row: &ValidationRow) {
        let mut told = json!(row.measures);
        told["iteration"] = row.iteration.into();
        told["epoch"] = row.epoch.into();
        told["seconds"] = row.seconds.into();
        told["best"] = row.best.into();
        self.send("validation", told);
    }
}

impl Telling {
    fn send(&self, kind: &str, mut row: Value) {
        row["kind"] = kind.into();
        // Nobody listens after an interrupt.
        let _ = self.0.send(row);
    }
}

/// Trains a preset, changed by `sets` of KEY=VALUE, in a new run folder: the best network, and how it ended. `callback` gets
/// every row as JSON. What it raises, and Ctrl-C, ends the training after its iteration, with a checkpoint in the folder.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn train(
    py: Python<'_>,
    preset: &str,
    sets: Vec<String>,
    out: PathBuf,
    folder: PathBuf,
    device: &str,
    callback: &Bound<'_, PyAny>,
) -> Result<(Network, &'static str)> {
    let stop = AtomicBool::new(false);
    let mut raised: Option<PyErr> = None;
    let ended = thread::scope(|scope| {
        let (rows, told) = channel::<Value>();
        let stop = &stop;
        let worker = scope.spawn(move || -> anyhow::Result<(Network, Outcome)> {
            let config = config::resolve(preset, None, &sets)?;
            let opened = open(device)?;
            let splits = load(&config.data, &folder, &mut |_| {})?;
            let autodiff = opened.device.clone().autodiff();
            let mut state = TrainState::new(&config, &splits, &autodiff)?;
            let dir = RunDir::create(&out, &config, &info(&config, &splits, &opened))?;
            let trainer = Trainer {
                config: &config,
                splits: &splits,
                device: &autodiff,
                others: &[],
                dir: &dir,
                stop,
            };
            let outcome = trainer.run(&mut state, &mut Telling(rows))?;
            Ok((Network::read(dir.root(), opened)?, outcome))
        });
        // The receiver is not to be shared between threads, but the borrow below is moved to none.
        let told = Mutex::new(told);
        loop {
            let look = || told.lock().ok().map(|told| told.recv_timeout(LOOK));
            match py.detach(look) {
                Some(Ok(row)) if raised.is_none() => {
                    raised = callback.call1((row.to_string(),)).err();
                }
                Some(Ok(_) | Err(RecvTimeoutError::Timeout)) => {}
                _ => break,
            }
            if raised.is_none() {
                raised = py.check_signals().err();
            }
            stop.store(raised.is_some(), Ordering::Relaxed);
        }
        py.detach(|| worker.join())
    });
    let (network, outcome) = match (ended, raised) {
        (_, Some(error)) => return Err(error.into()),
        (Ok(result), None) => result?,
        (Err(panic), None) => std::panic::resume_unwind(panic),
    };
    let outcome = match outcome {
        Outcome::Finished => "finished",
        Outcome::StoppedEarly => "stopped early",
        Outcome::Interrupted => "interrupted",
    };
    Ok((network, outcome))
}
