//! Where and when a task ran, and from which source.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use scotopic_filtering::simd::InstructionSet;
use serde::{Deserialize, Serialize};

/// The machine of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Machine {
    /// The name that the processor gives itself.
    pub processor: String,
    /// The vector instructions in use.
    pub instructions: String,
    /// Threads that the task used.
    pub threads: usize,
    /// Hardware threads that there were.
    pub available_threads: usize,
}

impl Machine {
    /// This one, for a task on so many threads.
    pub fn of(threads: usize) -> Self {
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            processor: processor().unwrap_or_else(|| "unknown".to_owned()),
            instructions: InstructionSet::in_use().name().to_owned(),
            threads,
            available_threads: available,
        }
    }
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// How many tasks the system had to do at once over the last minute, where it says so.
pub fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The commit of the source: that of the build (`SCOTOPIC_COMMIT` when it was compiled), else what git says of the
/// present folder if this is the project; "unknown" otherwise.
pub fn commit() -> String {
    if let Some(built) = option_env!("SCOTOPIC_COMMIT") {
        return built.to_owned();
    }
    let git = |arguments: &[&str]| -> Option<String> {
        let out = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(out.stdout).ok()?;
        Some(text.trim().to_owned()).filter(|_| out.status.success())
    };
    let ours = [
        "ls-files",
        "--error-unmatch",
        ":/cli/src/experiments/mod.rs",
    ];
    git(&ours)
        .and_then(|_| {
            git(&[
                "describe",
                "--always",
                "--dirty",
                "--abbrev=12",
                "--exclude=*",
            ])
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Today, in UTC: 2026-11-28.
pub fn date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    date_of_day(now.map_or(0, |since| since.as_secs() / 86_400))
}

/// The date of a day since 1970-01-01 in the Gregorian calendar, whose years repeat every 400.
fn date_of_day(day: u64) -> String {
    const FOUR_CENTURIES: u64 = 146_097;
    /// From 0000-03-01 to 1970-01-01: years begin in March, so that the day that may be missing is their last.
    const TO_1970: u64 = 719_468;
    let day = day + TO_1970;
    let (era, day) = (day / FOUR_CENTURIES, day % FOUR_CENTURIES);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month < 10 {
        true => (year, month + 3),
        false => (year + 1, month - 9),
    };
    format!("{:04}-{month:02}-{date:02}", year + 400 * era)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (day, date) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (19_783, "2024-03-01"),
            (20_453, "2025-12-31"),
        ] {
            assert_eq!(date_of_day(day), date);
        }
    }
}
