//! A line of progress on stderr, written over as the work goes on; nothing where stderr is no terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::table::duration;

/// The time between two drawings.
const INTERVAL: Duration = Duration::from_millis(100);
/// Characters of a whole bar.
const WIDTH: u64 = 30;

/// How far a piece of work has come.
pub(crate) struct ProgressBar {
    shown: bool,
    total: Option<u64>,
    done: u64,
    /// The clock and the position from which the speed is measured.
    begun: (Instant, u64),
    next: Instant,
    /// Shown after the numbers.
    pub message: String,
}

impl ProgressBar {
    /// A bar that stands at `done`; hidden if `quiet`.
    pub fn new(quiet: bool, total: Option<u64>, done: u64) -> Self {
        let now = Instant::now();
        Self {
            shown: !quiet && std::io::stderr().is_terminal(),
            total,
            done,
            begun: (now, done),
            next: now + INTERVAL,
            message: String::new(),
        }
    }

    /// Moves on to `done`, of `total` if it has become known.
    pub fn set(&mut self, done: u64, total: Option<u64>) {
        self.done = done;
        self.total = total.or(self.total);
        if self.shown && Instant::now() >= self.next {
            self.next = Instant::now() + INTERVAL;
            eprint!("\r\x1b[K{}", self.line());
        }
    }

    fn line(&self) -> String {
        let (done, speed) = (self.done, self.speed());
        let bar = match self.total {
            Some(total) if total > 0 => {
                let filled = (WIDTH * done.min(total) / total) as usize;
                let left = duration(total.saturating_sub(done) as f64 / speed);
                let empty = WIDTH as usize - filled;
                format!(
                    "{}{} {done}/{total}  {speed:.0}/s  ETA {left}",
                    "█".repeat(filled),
                    "░".repeat(empty)
                )
            }
            _ => format!("{done}  {speed:.0}/s"),
        };
        format!("{bar}  {}", self.message)
    }

    fn speed(&self) -> f64 {
        let seconds = self.begun.0.elapsed().as_secs_f64();
        (self.done - self.begun.1) as f64 / seconds.max(1e-9)
    }

    /// Prints a line above the bar.
    pub fn print(&self, line: &str) {
        if self.shown {
            eprintln!("\r\x1b[K{line}");
        }
    }

    /// Removes the bar.
    pub fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}
