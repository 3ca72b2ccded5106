//! How far a piece of work has come, reported as it goes on.

use std::io::{Write as _, stderr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::progress::Reporter;
use crate::table::duration;

/// Characters of a whole bar: with the numbers behind it, a line of 80 characters holds it.
const WIDTH: u64 = 20;

/// How far a piece of work has come.
pub(crate) struct ProgressBar {
    reporter: Reporter,
    total: Option<u64>,
    done: u64,
    /// The clock and the position from which the speed is measured.
    begun: (Instant, u64),
    next: Instant,
    /// What the work is, for lines and JSON.
    pub label: String,
    /// Shown after the numbers.
    pub message: String,
}

impl ProgressBar {
    /// Work that stands at `done`.
    pub fn new(reporter: Reporter, label: &str, total: Option<u64>, done: u64) -> Self {
        let now = Instant::now();
        Self {
            reporter,
            total,
            done,
            begun: (now, done),
            next: now + interval(reporter),
            label: label.to_owned(),
            message: String::new(),
        }
    }

    /// Moves on to `done`, of `total` if it has become known.
    pub fn set(&mut self, done: u64, total: Option<u64>) {
        self.done = done;
        self.total = total.or(self.total);
        if self.reporter == Reporter::Quiet {
            return;
        }
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + interval(self.reporter);
        match self.reporter {
            // Without wrapping, a narrow terminal cuts the line and the next one still writes over it.
            Reporter::Bar => {
                let (bar, numbers) = (self.bar(), self.numbers());
                let _ = write!(stderr(), "\r\x1b[K\x1b[?7l{bar}{numbers}\x1b[?7h");
            }
            _ => {
                let text = format!("{} {}", self.label, self.numbers());
                self.reporter.event(&text, || self.json());
            }
        }
    }

    fn bar(&self) -> String {
        match self.total {
            Some(total) if total > 0 => {
                let filled = (WIDTH * self.done.min(total) / total) as usize;
                let empty = WIDTH as usize - filled;
                format!("{}{} ", "█".repeat(filled), "░".repeat(empty))
            }
            _ => String::new(),
        }
    }

    fn numbers(&self) -> String {
        let (done, speed) = (self.done, self.speed());
        let numbers = match self.total {
            Some(total) => {
                let left = duration(total.saturating_sub(done) as f64 / speed);
                format!("{done}/{total}  {speed:.0}/s  {left} left")
            }
            None => format!("{done}  {speed:.0}/s"),
        };
        match self.message.as_str() {
            "" => numbers,
            message => format!("{numbers}  {message}"),
        }
    }

    fn json(&self) -> Value {
        json!({"event": "progress", "of": self.label, "done": self.done, "total": self.total, "per_second": self.speed()})
    }

    fn speed(&self) -> f64 {
        let seconds = self.begun.0.elapsed().as_secs_f64();
        (self.done - self.begun.1) as f64 / seconds.max(1e-9)
    }

    /// Removes the bar.
    pub fn clear(&self) {
        if self.reporter == Reporter::Bar {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// The time between two reports.
fn interval(reporter: Reporter) -> Duration {
    match reporter {
        Reporter::Bar => Duration::from_millis(100),
        Reporter::Json => Duration::from_secs(1),
        Reporter::Lines | Reporter::Quiet => Duration::from_secs(10),
    }
}

/// Says every ten seconds, or as JSON every second, how long a piece of work has taken that does not tell how far it has come; stops
/// when dropped.
#[cfg(feature = "filters")]
pub(crate) struct Heartbeat {
    _stop: std::sync::mpsc::Sender<()>,
}

#[cfg(feature = "filters")]
impl Heartbeat {
    /// Begins now.
    pub fn start(reporter: Reporter, label: String) -> Self {
        use std::sync::mpsc::{RecvTimeoutError, channel};
        let (stop, stopped) = channel();
        if reporter != Reporter::Quiet {
            std::thread::spawn(move || {
                let begun = Instant::now();
                let between = match reporter {
                    Reporter::Json => interval(Reporter::Json),
                    _ => interval(Reporter::Lines),
                };
                while stopped.recv_timeout(between) == Err(RecvTimeoutError::Timeout) {
                    let seconds = begun.elapsed().as_secs_f64();
                    let text = format!("{label}: {}", duration(seconds));
                    reporter.event(
                        &text,
                        || json!({"event": "progress", "of": label, "seconds": seconds}),
                    );
                }
            });
        }
        Self { _stop: stop }
    }
}
