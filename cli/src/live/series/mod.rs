//! The filter tab: a series, from a file or standard input, through a filter of any kind.
//!
//! | concept | file |
//! |---|---|
//! | what may be asked of it; its thread | this one, `worker.rs` |
//! | where rows come from | `rows.rs` |
//! | a filter and what is told of each row | `session.rs` |
//! | the numbers of a model that learns | `parameters.rs` |

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::{Result, ensure};

use super::commands::FilterCommand;
use super::hub::Hub;
use super::outbox::Outbox;
use crate::filtering::Source;
use crate::filtering::model_file::ModelFile;
use crate::filtering::model_text::text;
use crate::filtering::names::LearnSpec;
use crate::signals::Stop;

mod parameters;
mod rows;
mod session;
mod worker;

pub use rows::Origin;

/// The most commands that wait; who sends more waits.
const WAITING: usize = 16;

/// What the filter tab begins with.
#[derive(Debug, Clone)]
pub struct SeriesStart {
    /// A model, by the name of its file.
    pub model: Option<ModelFile>,
    /// Whether and how it learns.
    pub learn: Option<LearnSpec>,
    /// The factorisation of the belief, by name.
    pub factorisation: String,
    /// Where the observations come from.
    pub origin: Option<Origin>,
    /// How series are read.
    pub source: Source,
}

impl SeriesStart {
    /// Reads the model file, if there is one.
    ///
    /// # Errors
    /// Names the file and what is wrong with it, or with the options for its model.
    pub fn read(
        path: Option<&Path>,
        learn: Option<&str>,
        factorisation: &str,
        origin: Option<Origin>,
        source: Source,
    ) -> Result<Self> {
        let named = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            ModelFile::of_text(&name.to_string_lossy(), &text(path)?)
        };
        let start = Self {
            model: path.map(named).transpose()?,
            learn: learn.map(LearnSpec::given).transpose()?,
            factorisation: factorisation.to_owned(),
            origin,
            source,
        };
        if let Some(model) = &start.model {
            model.filter(start.learn.as_ref(), factorisation)?;
        }
        if let Some(Origin::File(path)) = &start.origin {
            ensure!(path.is_file(), "there is no file {}", path.display());
        }
        Ok(start)
    }
}

/// A command, or a client that has come.
#[derive(Debug)]
enum Asked {
    Command(FilterCommand),
    Joined(Arc<Outbox>),
}

/// Where commands for the filter are left.
#[derive(Debug, Clone)]
pub struct SeriesDesk {
    asked: SyncSender<Asked>,
}

impl SeriesDesk {
    /// Starts the thread of the filter.
    pub fn open(start: SeriesStart, hub: Arc<Hub>, stop: Stop) -> Self {
        let (asked, given) = sync_channel(WAITING);
        std::thread::spawn(move || worker::Worker::new(start, hub, stop).run(&given));
        Self { asked }
    }

    /// Leaves a command; waits while many do.
    pub fn send(&self, command: FilterCommand) {
        // After the thread has ended nobody is there to be told.
        let _ = self.asked.send(Asked::Command(command));
    }

    /// A client that wants to know all.
    pub fn join(&self, outbox: Arc<Outbox>) {
        let _ = self.asked.send(Asked::Joined(outbox));
    }
}
