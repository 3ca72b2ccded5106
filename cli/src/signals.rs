//! Signals that ask the program to end: what is to be kept is kept first, then it ends. A second one ends it at once.

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::signal::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Ctrl-C, a request to end, and a terminal that was closed.
#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::signal::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// Whether a signal has come.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Watches for signals from now on.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn watch() -> Result<Self> {
        let (asked, signal) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let watch = |number: i32| -> io::Result<()> {
            // In this order: the second signal finds the flag that the first one set.
            flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&asked))?;
            flag::register_usize(number, Arc::clone(&signal), number as usize)?;
            flag::register(number, Arc::clone(&asked))?;
            Ok(())
        };
        SIGNALS
            .into_iter()
            .try_for_each(watch)
            .context("could not watch for signals")?;
        Ok(Self { asked, signal })
    }

    /// Whether one has come.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The flag itself, for loops that know nothing of signals.
    pub fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// The name and the exit code, 128 + its number, of the signal that has come.
    pub fn signal(&self) -> Option<(&'static str, ExitCode)> {
        self.is_asked().then(|| {
            let number = self.signal.load(Ordering::Relaxed);
            let name = match number as i32 {
                SIGINT => "SIGINT",
                SIGTERM => "SIGTERM",
                _ => "SIGHUP",
            };
            (name, ExitCode::from(128 + number as u8))
        })
    }
}

/// A reader that ends with an error as soon as a signal comes, also while nothing arrives.
pub struct Interruptible {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    read: usize,
    stop: Stop,
}

impl Interruptible {
    /// Reads `source` on a thread of its own, no further ahead than two chunks.
    pub fn new(mut source: impl Read + Send + 'static, stop: Stop) -> Self {
        let (give, chunks) = sync_channel(1);
        std::thread::spawn(move || {
            loop {
                let mut chunk = vec![0; 1 << 16];
                let read = match source.read(&mut chunk) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    other => other,
                };
                let ended = !matches!(read, Ok(n) if n > 0);
                let given = give.send(read.map(|n| {
                    chunk.truncate(n);
                    chunk
                }));
                if ended || given.is_err() {
                    return;
                }
            }
        });
        Self {
            chunks,
            chunk: Vec::new(),
            read: 0,
            stop,
        }
    }
}

impl Read for Interruptible {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        /// How long a signal may wait.
        const PATIENCE: Duration = Duration::from_millis(50);
        while self.read == self.chunk.len() {
            if self.stop.is_asked() {
                return Err(io::Error::other("a signal asked the program to end"));
            }
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => {
                    self.chunk = chunk?;
                    self.read = 0;
                    if self.chunk.is_empty() {
                        return Ok(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let n = into.len().min(self.chunk.len() - self.read);
        into[..n].copy_from_slice(&self.chunk[self.read..][..n]);
        self.read += n;
        Ok(n)
    }
}
