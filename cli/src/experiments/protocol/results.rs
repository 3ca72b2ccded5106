//! The files of an experiment together.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{Estimate, Interval, Protocol, Record, Size};

/// All results of one experiment and size, in the order of its arms and of the seeds.
pub struct Results {
    /// The experiment's name.
    pub name: &'static str,
    /// What one value belongs to.
    pub unit: &'static str,
    /// The size.
    pub size: Size,
    /// The files.
    pub records: Vec<Record>,
}

impl Results {
    /// Reads every `*.json` of a folder.
    ///
    /// # Errors
    /// If there is none, or they are not of one experiment, one size and the same seeds for all arms; names the file.
    pub fn read(protocol: &Protocol, folder: &Path) -> Result<Self> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("could not read the results in {}", folder.display()))?;
        let mut records = Vec::new();
        for entry in entries {
            let file = entry?.path();
            if file.extension().is_some_and(|e| e == "json") {
                let record = Record::read(&file)?;
                ensure!(
                    record.experiment == protocol.name,
                    "{} is of {}, not of {}",
                    file.display(),
                    record.experiment,
                    protocol.name
                );
                records.push(record);
            }
        }
        ensure!(
            !records.is_empty(),
            "there are no results in {}: `scotopic experiment {}` makes them",
            folder.display(),
            protocol.name
        );
        let size = records[0].size;
        ensure!(
            records.iter().all(|r| r.size == size),
            "{} has results of several sizes",
            folder.display()
        );
        let arms = (protocol.arms)(size);
        let place = |record: &Record| arms.iter().position(|arm| *arm == record.arm);
        if let Some(other) = records.iter().find(|r| place(r).is_none()) {
            anyhow::bail!("{} has no arm {}", protocol.name, other.arm);
        }
        records.sort_by_key(|record| (place(record), record.seed));
        let results = Self {
            name: protocol.name,
            unit: protocol.unit,
            size,
            records,
        };
        let seeds = results.seeds();
        for arm in &arms {
            let own: BTreeSet<u64> = results.of(arm).map(|r| r.seed).collect();
            ensure!(
                own == seeds,
                "{}: {arm} has {} seeds and all arms together {}",
                folder.display(),
                own.len(),
                seeds.len()
            );
        }
        Ok(results)
    }

    /// The seeds.
    pub fn seeds(&self) -> BTreeSet<u64> {
        self.records.iter().map(|r| r.seed).collect()
    }

    /// The arms, in order.
    pub fn arms(&self) -> Vec<&str> {
        let mut arms: Vec<&str> = self.records.iter().map(|r| r.arm.as_str()).collect();
        arms.dedup();
        arms
    }

    fn of<'a>(&'a self, arm: &'a str) -> impl Iterator<Item = &'a Record> + 'a {
        self.records.iter().filter(move |r| r.arm == arm)
    }

    /// The values of a measure of an arm, of all units of all seeds; none if the arm does not have it.
    pub fn values(&self, arm: &str, case: &str, measure: &str) -> Vec<Option<f64>> {
        let each = self.of(arm).flat_map(|r| r.values.get(case, measure));
        each.copied().collect()
    }

    /// The mean of a measure over units; `None` if the arm does not have it or no unit has a value.
    pub fn mean(&self, arm: &str, case: &str, measure: &str) -> Option<Estimate> {
        Estimate::of(&self.values(arm, case, measure))
    }

    /// The interval of the difference `a` − `b` of a measure, over units of both.
    pub fn difference(&self, a: &str, b: &str, case: &str, measure: &str) -> Option<Interval> {
        let (a, b) = (self.values(a, case, measure), self.values(b, case, measure));
        Interval::of_difference(&a, &b)
    }
}
