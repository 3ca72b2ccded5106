//! Spike trains of several units and trials in one npz, all times on one clock.
//!
//! | array | what it holds | |
//! |---|---|---|
//! | any name | the times of the spikes of one unit, in any order; the name is that of its column of counts | `[spike]` |
//! | `trial_start` | when trials begin; without it there is one, from time 0 on | `[trial]` |
//! | `trial_stop` | when they end; without it each ends with `--spike-end` after its start, or else where the next begins, the last after its last spike | `[trial]` |
//!
//! A unit is a column, a trial is a series; spikes between trials are of none. Other names that begin with `trial` are refused: they are
//! slips of the pen, and no units. Trials do not overlap. Of a trial whose end is known the bins are whole: what is left of it after
//! the last whole bin is left out, and its spikes with it.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};
use scotopic_datasets::{Error, bounded};
use scotopic_filtering::many;

use super::npz;

/// The arrays that are no units.
const START: &str = "trial_start";
const STOP: &str = "trial_stop";
/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 << 30;
/// A part of a bin that is the rounding of clock times, and no bin of its own.
const ROUNDING: f64 = 1e-6;
/// The most counts of a series: more are a wrong unit.
const MOST: f64 = 1e8;

/// All spikes of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeTrains {
    units: Vec<(String, Vec<f64>)>,
    trials: Vec<Trial>,
    /// Whether the file says where trials begin, so that spikes may be of none.
    in_trials: bool,
}

/// A part of the recording.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Trial {
    start: f64,
    /// Its end, if it is known by itself; else by the spikes.
    stop: Option<f64>,
    /// Where the next trial begins.
    next: Option<f64>,
}

impl SpikeTrains {
    /// Reads a file; errors name it and the array.
    ///
    /// # Errors
    /// For a file that cannot be read or holds no unit, a time that is no number, trials that do not go together.
    pub fn read(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let bytes =
            bounded::read(path, LARGEST).with_context(|| format!("could not read {}", name()))?;
        Self::of(&bytes).with_context(name)
    }

    fn of(bytes: &[u8]) -> Result<Self> {
        let (mut units, mut starts, mut stops) = (Vec::new(), None, None);
        for (name, bytes) in npz::arrays(bytes)? {
            let times = numbers(&name, bytes)?;
            match name.as_str() {
                START => starts = Some(times),
                STOP => stops = Some(times),
                _ if name.to_lowercase().starts_with("trial") => {
                    bail!(
                        "array {name}: expected {START} or {STOP}; the name of a unit begins otherwise"
                    )
                }
                _ => {
                    let known = units.iter().any(|(other, _)| *other == name);
                    ensure!(!known, "array {name}: the name is there twice");
                    let plain = !name.is_empty() && !name.contains(['\t', '\n', '\r']);
                    ensure!(plain, "array {name:?}: the name cannot be one of a column");
                    units.push((name, times));
                }
            }
        }
        ensure!(
            !units.is_empty(),
            "there is no unit: an array of the times of its spikes for each"
        );
        if starts.is_none() {
            for (name, times) in &units {
                if let Some(at) = times.iter().position(|time| *time < 0.0) {
                    let (number, found) = (at + 1, times[at]);
                    bail!(
                        "array {name}, spike {number}: found {found}, expected a time from 0 on, or an array {START}"
                    );
                }
            }
        }
        Ok(Self {
            in_trials: starts.is_some(),
            trials: trials(starts, stops)?,
            units,
        })
    }

    /// The number of trials.
    pub fn trials(&self) -> usize {
        self.trials.len()
    }

    /// The names of the units.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.units.iter().map(|(name, _)| name.as_str())
    }

    /// The counts of trial `number` from 0 in [start + k w, start + (k + 1) w), a column for each unit, and what is left after them.
    ///
    /// # Errors
    /// For an end that is given twice or in the next trial, a spike after it in a file without trials, a trial shorter than a bin, and for
    /// more bins than memory.
    pub fn counts(
        &self,
        number: usize,
        bin: f64,
        end: Option<f64>,
    ) -> Result<(Vec<Vec<u64>>, Rest)> {
        let Some(trial) = self.trials.get(number) else {
            bail!("there are {}", many(self.trials(), "trial"));
        };
        ensure!(
            trial.stop.is_none() || end.is_none(),
            "--spike-end: the trials have ends of their own, in {STOP}"
        );
        let length = trial.stop.map(|stop| stop - trial.start).or(end);
        let next = trial.next.map(|next| next - trial.start);
        if let (Some(end), Some(next)) =
            (end, next.filter(|next| end.is_some_and(|end| end > *next)))
        {
            bail!(
                "--spike-end: trial {} would end {end} after its start, and the next begins {next} after it: trials do not overlap",
                number + 1
            );
        }
        let until = length.or(next);
        let inside = |time: &f64| *time >= 0.0 && until.is_none_or(|until| *time < until);
        let all = self.units.iter().enumerate();
        let spikes: Vec<(usize, f64)> = all
            .flat_map(|(unit, (_, times))| times.iter().map(move |time| (unit, time - trial.start)))
            .filter(|(_, time)| inside(time))
            .collect();
        if let (false, Some(end)) = (self.in_trials, end) {
            let mut late = self.units.iter().flat_map(|(_, times)| times);
            if let Some(time) = late.find(|time| **time >= end) {
                bail!("a spike at {time} comes after --spike-end");
            }
        }
        let last = spikes.iter().map(|(_, time)| *time).reduce(f64::max);
        let of_trial = || match self.in_trials {
            true => format!("trial {}", number + 1),
            false => "the recording".to_owned(),
        };
        let rows = bins(bin, until, last).with_context(of_trial)?;
        ensure!(
            rows as f64 * self.units.len() as f64 <= MOST,
            "that would be {rows} bins of {}: take wider bins, or fewer units",
            many(self.units.len(), "unit")
        );
        let mut counts = vec![vec![0; self.units.len()]; rows];
        let mut rest = Rest::of(bin, until, rows);
        for (unit, time) in spikes {
            match counts.get_mut(bin_of(time, bin, rows)) {
                Some(row) => row[unit] += 1,
                None => rest.spikes += 1,
            }
        }
        Ok((counts, rest))
    }
}

/// What is left of recordings after their last whole bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rest {
    /// Recordings that end within a bin, which is left out.
    pub cut: usize,
    /// The spikes in it.
    pub spikes: usize,
    /// Recordings whose end is not known: the bin of the last spike is their last.
    pub open: usize,
}

impl Rest {
    /// Of one recording to `end` of which there are so many bins.
    pub fn of(bin: f64, end: Option<f64>, rows: usize) -> Self {
        let cut = end.is_some_and(|end| end / bin - rows as f64 > ROUNDING);
        Self {
            cut: usize::from(cut),
            spikes: 0,
            open: usize::from(end.is_none()),
        }
    }

    /// That of both.
    pub fn plus(self, other: Self) -> Self {
        Self {
            cut: self.cut + other.cut,
            spikes: self.spikes + other.spikes,
            open: self.open + other.open,
        }
    }

    /// What there is to say of `of_all` recordings.
    pub fn said(self, of_all: usize) -> Option<String> {
        let which = |some: usize, one: &str| match of_all {
            1 => one.to_owned(),
            all => format!("{one} of {some} of {}", many(all, "trial")),
        };
        let cut = (self.cut > 0).then(|| {
            let part = which(self.cut, "the part of a bin at the end");
            format!("{part} is left out, {} in it", many(self.spikes, "spike"))
        });
        let open = (self.open > 0).then(|| {
            let last = which(self.open, "the last bin");
            format!("{last} is that of the last spike, and may be cut short: say the end with --spike-end")
        });
        match (cut, open) {
            (Some(cut), Some(open)) => Some(format!("{cut}; {open}")),
            (cut, open) => cut.or(open),
        }
    }
}

fn trials(starts: Option<Vec<f64>>, stops: Option<Vec<f64>>) -> Result<Vec<Trial>> {
    let starts = match (starts, &stops) {
        (Some(starts), _) => starts,
        (None, None) => vec![0.0],
        (None, Some(_)) => bail!("there is an array {STOP}, and none {START}"),
    };
    ensure!(!starts.is_empty(), "array {START}: there is no trial");
    if let Some(at) = starts.windows(2).position(|pair| pair[1] <= pair[0]) {
        let (number, found) = (at + 2, starts[at + 1]);
        bail!("array {START}, trial {number}: found {found}, expected a time after the one before");
    }
    if let Some(stops) = &stops {
        ensure!(
            stops.len() == starts.len(),
            "array {STOP}: found {} numbers, expected {}, one a trial",
            stops.len(),
            starts.len()
        );
        if let Some(at) = (0..starts.len()).find(|at| stops[*at] <= starts[*at]) {
            bail!(
                "array {STOP}, trial {}: found {}, expected a time after its start, {}",
                at + 1,
                stops[at],
                starts[at]
            );
        }
        if let Some(at) = (1..starts.len()).find(|at| stops[at - 1] > starts[*at]) {
            bail!(
                "array {STOP}, trial {at}: found {}, expected at most {}, where the next begins: trials do not overlap",
                stops[at - 1],
                starts[at]
            );
        }
    }
    let trial = |at: usize| Trial {
        start: starts[at],
        stop: stops.as_ref().map(|stops| stops[at]),
        next: starts.get(at + 1).copied(),
    };
    Ok((0..starts.len()).map(trial).collect())
}

/// The bin of a time, of `rows`. Edges are multiples of the bin but for the rounding of clock times: 0.29 s is in bin 29 of 10 ms,
/// though 0.29/0.01 is a little less than 29.
pub fn bin_of(time: f64, bin: f64, rows: usize) -> usize {
    let at = (time / bin + ROUNDING).floor() as usize;
    // The last millionth of the last bin has no bin after it.
    match at == rows && time < rows as f64 * bin {
        true => rows - 1,
        false => at,
    }
}

/// How many whole bins there are to `end`, or bins to the one of the `last` spike.
///
/// # Errors
/// Where both are unknown, for an end before that of the first bin, and for more bins than memory.
pub fn bins(bin: f64, end: Option<f64>, last: Option<f64>) -> Result<usize> {
    let bins = match (end, last) {
        (Some(end), _) => (end / bin + ROUNDING).floor(),
        (None, Some(last)) => (last / bin + ROUNDING).floor() + 1.0,
        (None, None) => bail!("there is no spike: say the end of the recording with --spike-end"),
    };
    ensure!(
        bins >= 1.0,
        "it is {} long, shorter than a bin, {bin}",
        end.unwrap_or_default()
    );
    ensure!(
        bins <= MOST,
        "that would be {bins:e} bins: say the unit of the spike times with --spike-unit, or take wider bins"
    );
    Ok(bins as usize)
}

/// The numbers of an npy file of one dimension, all finite.
fn numbers(name: &str, bytes: &[u8]) -> Result<Vec<f64>> {
    /// What precedes the numbers of a short array; how numpy writes the shape of none, and of a number alone.
    const HEADER: usize = 128;
    const EMPTY: &[u8] = b"'shape': (0,)";
    const SCALAR: &[u8] = b"'shape': ()";
    let said = format!("array {name}");
    let header = &bytes[..bytes.len().min(HEADER)];
    let has_shape = |shape: &[u8]| header.windows(shape.len()).any(|part| part == shape);
    if has_shape(EMPTY) {
        return Ok(Vec::new());
    }
    ensure!(
        !has_shape(SCALAR),
        "{said}: found a number alone, expected an array of one dimension, such as numpy.atleast_1d makes"
    );
    let (bytes, options) = (Cursor::new(bytes.to_vec()), SeriesOptions::default());
    let mut series = Series::from_reader(&said, bytes, SeriesFormat::Npy, &options)?;
    ensure!(
        series.width() == 1,
        "{said}: found {} columns, expected one dimension",
        series.width()
    );
    let mut all = Vec::new();
    loop {
        let entry = all.len() + 1;
        let row = series.next_row().map_err(|error| match error {
            Error::Row {
                found, expected, ..
            } => anyhow!("{said}, entry {entry}: found {found}, expected {expected}"),
            other => other.into(),
        })?;
        let Some(row) = row else { break };
        let number = row.and_then(|row| row.first());
        all.push(*number.with_context(|| format!("{said}, entry {entry}: found no number"))?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
