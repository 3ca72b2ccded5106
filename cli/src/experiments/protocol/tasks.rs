//! Which tasks are run: all, or a part of them that others complete.

use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
#[cfg(feature = "vision")]
use scotopic_train::device::DeviceChoice;

use super::{Machine, Protocol, Record, Results, Size, Task};
use crate::machine::{commit, date, load};
use crate::progress::Reporter;

/// Part i of N of the tasks, i from 1.
///
/// ```
/// use scotopic_cli::experiments::protocol::Part;
/// let part: Part = "2/3".parse().unwrap();
/// assert_eq!((0..7).filter(|n| part.has(*n)).collect::<Vec<_>>(), [1, 4]);
/// assert!("0/3".parse::<Part>().is_err() && "4/3".parse::<Part>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    index: usize,
    parts: usize,
}

impl Part {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, parts: 1 };

    /// Whether task `number` (from 0) is in this part: every N-th is.
    pub fn has(self, number: usize) -> bool {
        number % self.parts == self.index
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`: expected i/N with i from 1 to N, such as 3/45");
        let (index, parts) = text.split_once('/').ok_or_else(wrong)?;
        let index: usize = index.trim().parse().map_err(|_| wrong())?;
        let parts: usize = parts.trim().parse().map_err(|_| wrong())?;
        match (1..=parts).contains(&index) {
            true => Ok(Self {
                index: index - 1,
                parts,
            }),
            false => Err(wrong()),
        }
    }
}

/// The tasks of an experiment of one size with so many seeds, in one folder.
pub struct Tasks<'a> {
    /// The experiment.
    pub protocol: &'a Protocol,
    /// The size.
    pub size: Size,
    /// Seeds 1 to this one.
    pub seeds: u64,
    /// The folder of the files.
    pub folder: &'a Path,
    /// The folder of the data sets.
    pub data: &'a Path,
    /// The device of networks.
    #[cfg(feature = "vision")]
    pub device: DeviceChoice,
}

impl Tasks<'_> {
    /// Arms and seeds, arm after arm.
    pub fn all(&self) -> Vec<(String, u64)> {
        let arms = (self.protocol.arms)(self.size);
        let with_seeds = |arm: String| (1..=self.seeds).map(move |seed| (arm.clone(), seed));
        arms.into_iter().flat_map(with_seeds).collect()
    }

    /// Runs the tasks of a part whose files are not there, until asked to stop. Says whether all of the part are done.
    ///
    /// # Errors
    /// If a task fails, or a file that is there is of other settings.
    pub fn run(&self, part: Part, stop: &AtomicBool, reporter: Reporter) -> Result<bool> {
        std::fs::create_dir_all(self.folder)
            .with_context(|| format!("could not make {}", self.folder.display()))?;
        let all = self.all();
        let commit = commit();
        for (number, (arm, seed)) in all.iter().enumerate() {
            if !part.has(number) || self.is_done(arm, *seed)? {
                continue;
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let task = Task {
                arm,
                seed: *seed,
                size: self.size,
                data: self.data,
                folder: self.folder,
                stop,
                reporter,
                #[cfg(feature = "vision")]
                device: self.device,
            };
            let clock = Instant::now();
            let values = match (self.protocol.run)(&task) {
                // What it has is saved: the same command continues.
                Err(_) if stop.load(Ordering::Relaxed) => return Ok(false),
                other => {
                    other.with_context(|| format!("{}, {arm}, seed {seed}", self.protocol.name))?
                }
            };
            let seconds = clock.elapsed().as_secs_f64();
            let record = Record {
                form: Record::form(),
                experiment: self.protocol.name.to_owned(),
                arm: arm.clone(),
                seed: *seed,
                size: self.size,
                settings: (self.protocol.settings)(self.size),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                commit: commit.clone(),
                command: format!(
                    "scotopic experiment {} --size {} --seeds {} --task {}/{}",
                    self.protocol.name,
                    self.size.name(),
                    self.seeds,
                    number + 1,
                    all.len()
                ),
                date: date(),
                machine: Machine::of(match self.protocol.all_threads {
                    true => std::thread::available_parallelism().map_or(1, usize::from),
                    false => 1,
                }),
                load: load(),
                seconds: (1e3 * seconds).round() / 1e3,
                values,
            };
            record.write(self.folder)?;
            reporter.say(&format!(
                "{} of {}: {arm}, seed {seed}, {seconds:.1} s",
                number + 1,
                all.len()
            ));
        }
        Ok(true)
    }

    /// The results of all tasks.
    ///
    /// # Errors
    /// If any is missing; names how many and the first.
    pub fn collect(&self) -> Result<Results> {
        let all = self.all();
        let missing = all
            .iter()
            .enumerate()
            .filter(|(_, (arm, seed))| !Record::file(self.folder, arm, *seed).exists());
        let missing: Vec<_> = missing.collect();
        if let Some((number, (arm, seed))) = missing.first() {
            bail!(
                "{} of {} tasks of {} are missing in {}, the first of them {arm} with seed {seed}: run --task {}/{}",
                missing.len(),
                all.len(),
                self.protocol.name,
                self.folder.display(),
                number + 1,
                all.len()
            );
        }
        Results::read(self.protocol, self.folder)
    }

    fn is_done(&self, arm: &str, seed: u64) -> Result<bool> {
        let file = Record::file(self.folder, arm, seed);
        if !file.exists() {
            return Ok(false);
        }
        let found = Record::read(&file)?;
        let same = found.settings == (self.protocol.settings)(self.size)
            && (found.experiment.as_str(), found.size) == (self.protocol.name, self.size);
        ensure!(
            same,
            "{} was made with other settings: give another --out, or remove it",
            file.display()
        );
        Ok(true)
    }
}
