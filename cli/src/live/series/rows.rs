//! Rows of a series, read on a thread of its own: an idle pipe keeps nobody waiting.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use scotopic_datasets::series::Series;

use crate::filtering::Source;
use crate::signals::Stop;
use crate::usage::with_causes;

/// How far reading runs ahead.
const AHEAD: usize = 1024;

/// Where a series comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// Standard input, read once.
    Stdin,
    /// A file that a client gave.
    Given {
        /// What it is called there.
        name: String,
        /// Its contents.
        bytes: Arc<[u8]>,
    },
}

impl Origin {
    /// What errors call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
            Self::Given { name, .. } => name.clone(),
        }
    }

    /// Whether it can be read again.
    pub fn is_repeatable(&self) -> bool {
        !matches!(self, Self::Stdin)
    }

    fn open(&self, source: &Source, stop: &Stop) -> anyhow::Result<Series> {
        match self {
            Self::File(path) => source.open_until(path, Some(stop)),
            Self::Stdin => source.open_until(Path::new("-"), Some(stop)),
            Self::Given { name, bytes } => source.open_bytes(name, Arc::clone(bytes)),
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The observation; none where it is missing.
    pub values: Option<Vec<f64>>,
    /// Its time, where the data say one.
    pub time: Option<String>,
    /// The line of the file.
    pub line: u64,
}

/// What reading brings.
#[derive(Debug)]
pub enum Read {
    /// The names of the columns; the first.
    Opened(Vec<String>),
    /// A row.
    Row(Row),
    /// No more rows.
    End,
    /// What is wrong.
    Failed(String),
}

/// Reads from now on, until nobody takes what it brings.
pub fn read(origin: Origin, source: Source, stop: Stop) -> Receiver<Read> {
    let (give, rows) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        if let Err(error) = give_all(&origin, &source, &stop, &give) {
            let _ = give.send(Read::Failed(with_causes(&error)));
        }
    });
    rows
}

fn give_all(
    origin: &Origin,
    source: &Source,
    stop: &Stop,
    give: &SyncSender<Read>,
) -> anyhow::Result<()> {
    let mut series = origin.open(source, stop)?;
    let mut alive = give.send(Read::Opened(series.names().to_vec())).is_ok();
    while alive {
        let values = match series.next_row()? {
            Some(row) => row.map(<[f64]>::to_vec),
            None => {
                let _ = give.send(Read::End);
                return Ok(());
            }
        };
        let row = Row {
            values,
            time: series.time_text().map(str::to_owned),
            line: series.line(),
        };
        alive = give.send(Read::Row(row)).is_ok();
    }
    Ok(())
}
