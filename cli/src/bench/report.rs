//! `scotopic bench --report`: the cases under every instruction set of the processor, on one thread and on all, as a page.
//!
//! The instruction set and the number of threads are fixed when a process first needs them, so each pair of them is a process of
//! its own: this program again, with `SCOTOPIC_SIMD` and `RAYON_NUM_THREADS`.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use scotopic_filtering::many;
use scotopic_filtering::simd::{InstructionSet, SIMD_VARIABLE};

use super::aims::AIMS;
use super::{Record, Shape};
use crate::machine::{Machine, commit, date, load};
use crate::table::{Cell, Table};

/// What a process of the report is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setup {
    set: InstructionSet,
    threads: usize,
}

impl Setup {
    /// Every set up to the one in use, the widest first, on all threads and on one. `by_set` is false for a device whose kernels do not
    /// depend on the processor.
    pub fn all(by_set: bool) -> Vec<Self> {
        let (top, all) = (InstructionSet::in_use(), rayon::current_num_threads());
        if !by_set {
            return vec![Self {
                set: top,
                threads: all,
            }];
        }
        let sets = InstructionSet::ALL.into_iter().rev();
        sets.filter(|set| *set <= top)
            .flat_map(|set| {
                let threads = [Some(all), (all > 1).then_some(1)];
                threads
                    .into_iter()
                    .flatten()
                    .map(move |threads| Self { set, threads })
            })
            .collect()
    }

    /// Its column.
    pub fn name(self) -> String {
        format!("{}, {}", self.set.name(), many(self.threads, "thread"))
    }

    /// Runs `scotopic bench` with `arguments` and `--json` in a process of its own and reports each case as it is done.
    fn records(
        self,
        arguments: &[OsString],
        tell: &mut dyn FnMut(&Record) -> Result<()>,
    ) -> Result<Vec<Record>> {
        let program = std::env::current_exe().context("this program has no path")?;
        let mut child = Command::new(program)
            .arg("bench")
            .args(arguments)
            .arg("--json")
            .env(SIMD_VARIABLE, self.set.name())
            .env("RAYON_NUM_THREADS", self.threads.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", self.name()))?;
        let lines = BufReader::new(child.stdout.take().context("stdout is a pipe")?).lines();
        let mut records = Vec::new();
        let read = || -> Result<()> {
            for line in lines {
                let record: Record = serde_json::from_str(&line?)?;
                tell(&record)?;
                records.push(record);
            }
            Ok(())
        };
        let read = read();
        if read.is_err() {
            let _ = child.kill();
        }
        let status = child.wait()?;
        read.with_context(|| format!("the cases of {} were not read", self.name()))?;
        ensure!(status.success(), "{} ended with {status}", self.name());
        Ok(records)
    }
}

/// The cases of all setups, measured one setup after the other.
pub(crate) struct Report {
    machine: Machine,
    /// How busy the machine was when the report began.
    load: Option<f64>,
    command: String,
    columns: Vec<(Setup, Vec<Record>)>,
}

impl Report {
    /// Measures. `arguments` are those of `scotopic bench` that say what is measured, and `begin` hears of each setup before its cases.
    ///
    /// # Errors
    /// If a process cannot be started or fails.
    pub fn measure(
        setups: &[Setup],
        arguments: &[OsString],
        begin: &mut dyn FnMut(Setup) -> Result<()>,
        tell: &mut dyn FnMut(&Record) -> Result<()>,
    ) -> Result<Self> {
        let load = load();
        let mut columns = Vec::with_capacity(setups.len());
        for setup in setups {
            begin(*setup)?;
            columns.push((*setup, setup.records(arguments, tell)?));
        }
        let words = arguments.iter().map(|word| word.to_string_lossy());
        Ok(Self {
            machine: Machine::of(rayon::current_num_threads()),
            load,
            command: format!("scotopic bench {}", words.collect::<Vec<_>>().join(" ")),
            columns,
        })
    }

    /// The page: the machine, the times, and the ratios that are aimed at.
    pub fn markdown(&self) -> String {
        let samples = self.columns.iter().flat_map(|(_, records)| records).next();
        let samples = samples.map_or(0, |record| record.samples);
        let load = self
            .load
            .map(|load| format!(", load {load:.1} at the start"));
        let mut text = format!(
            "# {}, {} of {} threads\n\n`{} --report FILE`, commit {}, {}{}. Medians of {samples}, one process for each column.\n\n## Times\n\n",
            self.machine.processor,
            self.machine.threads,
            self.machine.available_threads,
            self.command,
            commit(),
            date(),
            load.unwrap_or_default(),
        );
        text.push_str(&self.times().markdown());
        let ratios = self.ratios();
        if !ratios.is_empty() {
            text.push_str("\n## Ratios of the times above\n\n");
            text.push_str(&ratios.markdown());
        }
        text
    }

    /// The names of a first column and of the setups.
    fn heading(&self, first: &[&str]) -> Vec<String> {
        let names = self.columns.iter().map(|(setup, _)| setup.name());
        first.iter().map(ToString::to_string).chain(names).collect()
    }

    fn times(&self) -> Table {
        let heading = self.heading(&["case", "B, M, K, T"]);
        let mut table = Table::new(&heading.iter().map(String::as_str).collect::<Vec<_>>());
        // All processes run the same cases in the same order.
        let cases = self.columns.first().map_or(0, |(_, records)| records.len());
        for case in 0..cases {
            let of_case = |records: &Vec<Record>| records.get(case).cloned();
            let Some(first) = self.columns.first().and_then(|(_, r)| of_case(r)) else {
                continue;
            };
            let Shape {
                batch,
                pixels,
                latents,
                steps,
            } = first.shape;
            let mut row = vec![
                Cell::Text(format!("{}: {}", first.group, first.label())),
                Cell::Text(format!("{batch}, {pixels}, {latents}, {steps}")),
            ];
            row.extend(self.columns.iter().map(|(_, records)| {
                Cell::from(of_case(records).map(|r| Cell::Text(milliseconds(r.median_s))))
            }));
            table.push(row);
        }
        table
    }

    fn ratios(&self) -> Table {
        let heading = self.heading(&["ratio", "aim"]);
        let mut table = Table::new(&heading.iter().map(String::as_str).collect::<Vec<_>>());
        for aim in AIMS {
            let cells = self.columns.iter().map(|(_, records)| aim.ratio(records));
            let cells: Vec<_> = cells.collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let mut row = vec![aim.name.into(), Cell::Text(format!("≤ {}", aim.at_most))];
            row.extend(
                cells
                    .into_iter()
                    .map(|ratio| Cell::from(ratio.map(|r| Cell::Number(r, 2)))),
            );
            table.push(row);
        }
        table
    }
}

/// Three digits.
fn milliseconds(seconds: f64) -> String {
    let ms = 1e3 * seconds;
    let decimals = match ms {
        ms if ms >= 100.0 => 0,
        ms if ms >= 10.0 => 1,
        ms if ms >= 1.0 => 2,
        _ => 3,
    };
    format!("{ms:.decimals$} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_set_is_first_and_nothing_is_measured_twice() {
        let setups = Setup::all(true);
        assert_eq!(setups[0].set, InstructionSet::in_use());
        for (n, setup) in setups.iter().enumerate() {
            assert!(!setups[..n].contains(setup));
        }
        assert!(setups.iter().any(|s| s.set == InstructionSet::Portable));
        assert_eq!(Setup::all(false).len(), 1);
    }

    #[test]
    fn times_have_three_digits() {
        let texts = [1.234_5, 0.012_345, 0.001_234_5, 0.000_123_45].map(milliseconds);
        assert_eq!(texts, ["1234 ms", "12.3 ms", "1.23 ms", "0.123 ms"]);
    }
}
