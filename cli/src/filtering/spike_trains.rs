//! Spike trains of several units and trials in one npz, all times on one clock.
//!
//! | array | what it holds | |
//! |---|---|---|
//! | any name | the times of the spikes of one unit, in any order; the name is that of its column of counts | `[spike]` |
//! | `trial_start` | when trials begin; without it there is one, from time 0 on | `[trial]` |
//! | `trial_stop` | when they end; without it each ends with `--spike-end` after its start, or else where the next begins, the last after its last spike | `[trial]` |
//!
//! A unit is a column, a trial is a series; spikes between trials are of none.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use scotopic_datasets::bounded;
use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};

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

    /// The counts of trial `number` from 0 in [start + k w, start + (k + 1) w), a column for each unit.
    ///
    /// # Errors
    /// For an end that is given twice, a spike after it in a file without trials, and for more bins than memory.
    pub fn counts(&self, number: usize, bin: f64, end: Option<f64>) -> Result<Vec<Vec<u64>>> {
        let Some(trial) = self.trials.get(number) else {
            bail!("there are {} trials", self.trials());
        };
        ensure!(
            trial.stop.is_none() || end.is_none(),
            "--spike-end: the trials have ends of their own, in {STOP}"
        );
        let length = trial.stop.map(|stop| stop - trial.start).or(end);
        let until = length.or(trial.next.map(|next| next - trial.start));
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
        let rows = bins(bin, until, last)?;
        ensure!(
            rows as f64 * self.units.len() as f64 <= MOST,
            "that would be {rows} bins of {} units: take wider bins, or fewer units",
            self.units.len()
        );
        let mut counts = vec![vec![0; self.units.len()]; rows];
        for (unit, time) in spikes {
            counts[bin_of(time, bin, rows).min(rows - 1)][unit] += 1;
        }
        Ok(counts)
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

/// How many bins there are to `end`, or to the one of the `last` spike.
///
/// # Errors
/// Where both are unknown, and for more bins than memory.
pub fn bins(bin: f64, end: Option<f64>, last: Option<f64>) -> Result<usize> {
    let bins = match (end, last) {
        (Some(end), _) => (end / bin - ROUNDING).ceil().max(1.0),
        (None, Some(last)) => (last / bin + ROUNDING).floor() + 1.0,
        (None, None) => bail!("there is no spike: say the end of the recording with --spike-end"),
    };
    ensure!(
        bins <= MOST,
        "that would be {bins:e} bins: say the unit of the spike times with --spike-unit, or take wider bins"
    );
    Ok(bins as usize)
}

/// The numbers of an npy file of one dimension, all finite.
fn numbers(name: &str, bytes: &[u8]) -> Result<Vec<f64>> {
    /// What precedes the numbers of a short array; how numpy writes the shape of none.
    const HEADER: usize = 128;
    const EMPTY: &[u8] = b"'shape': (0,)";
    let said = format!("array {name}");
    let header = &bytes[..bytes.len().min(HEADER)];
    if header.windows(EMPTY.len()).any(|part| part == EMPTY) {
        return Ok(Vec::new());
    }
    let (bytes, options) = (Cursor::new(bytes.to_vec()), SeriesOptions::default());
    let mut series = Series::from_reader(&said, bytes, SeriesFormat::Npy, &options)?;
    ensure!(
        series.width() == 1,
        "{said}: found {} columns, expected one dimension",
        series.width()
    );
    let mut all = Vec::new();
    while let Some(row) = series.next_row()? {
        let number = row.and_then(|row| row.first());
        all.push(
            *number.with_context(|| format!("{said}, entry {}: found no number", all.len() + 1))?,
        );
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::npz::tests::zipped;
    use super::*;

    fn npy(values: &[f64]) -> Vec<u8> {
        let mut header = format!(
            "{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}",
            values.len()
        );
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        values.iter().for_each(|v| out.extend(v.to_le_bytes()));
        out
    }

    fn file(arrays: &[(&str, &[f64])]) -> Result<SpikeTrains> {
        let named: Vec<(String, Vec<u8>)> = arrays
            .iter()
            .map(|(name, v)| (format!("{name}.npy"), npy(v)))
            .collect();
        let files: Vec<(&str, Vec<u8>)> =
            named.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
        SpikeTrains::of(&zipped(&files, 0))
    }

    const ONE: (&str, &[f64]) = ("ca1, 7", &[3.0, 0.5, 10.5]);
    const OTHER: (&str, &[f64]) = ("ca3", &[1.5, 1.6, 12.2]);

    #[test]
    fn units_are_columns_from_time_0_on() {
        let trains = file(&[ONE, OTHER, ("silent", &[])]).unwrap();
        assert_eq!(
            trains.names().collect::<Vec<_>>(),
            ["ca1, 7", "ca3", "silent"]
        );
        let counts = trains.counts(0, 5.0, None).unwrap();
        assert_eq!(counts, [[2, 2, 0], [0, 0, 0], [1, 1, 0]]);
        assert_eq!(
            trains.counts(0, 10.0, Some(20.0)).unwrap(),
            [[2, 2, 0], [1, 1, 0]]
        );
        let late = trains.counts(0, 1.0, Some(12.0)).unwrap_err().to_string();
        assert!(late.contains("12.2 comes after --spike-end"), "{late}");
    }

    /// Times in seconds are no multiples of 10 ms to the last bit, nor are differences to the start of a trial.
    #[test]
    fn a_spike_on_an_edge_is_in_the_bin_that_begins_there() {
        let times: Vec<f64> = (0..999).map(|k| f64::from(k) / 100.0).collect();
        let trains = file(&[("a", &times)]).unwrap();
        let counts = trains.counts(0, 0.01, None).unwrap();
        assert_eq!(counts, vec![[1]; 999]);
        for start in [0.3, 1.1, 2.7] {
            let trains = file(&[("a", &times), ("trial_start", &[start])]).unwrap();
            let counts = trains.counts(0, 0.01, None).unwrap();
            let rows = 999 - (100.0 * start).round() as usize;
            assert_eq!(counts, vec![[1]; rows], "{start}");
        }
        // An end between edges, and a spike in the last millionth before it.
        assert_eq!(bin_of(0.57 - 1e-9, 0.01, 57), 56);
    }

    #[test]
    fn trials_have_clocks_of_their_own() {
        let starts = ("trial_start", &[0.0, 10.0][..]);
        let trains = file(&[ONE, OTHER, starts]).unwrap();
        assert_eq!(trains.trials(), 2);
        // To the next trial, and to the last spike.
        assert_eq!(
            trains.counts(0, 2.0, None).unwrap(),
            [[1, 2], [1, 0], [0, 0], [0, 0], [0, 0]]
        );
        assert_eq!(
            trains.counts(1, 1.0, None).unwrap(),
            [[1, 0], [0, 0], [0, 1]]
        );
        assert_eq!(trains.counts(1, 1.0, Some(1.0)).unwrap(), [[1, 0]]);
        // What rounds above a whole number of bins is no bin.
        let stops = ("trial_stop", &[0.3, 10.0 + 0.1 + 0.2][..]);
        let trains = file(&[ONE, OTHER, starts, stops]).unwrap();
        assert_eq!(trains.counts(0, 0.1, None).unwrap(), [[0, 0]; 3]);
        assert_eq!(trains.counts(1, 0.1, None).unwrap(), [[0, 0]; 3]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let starts = ("trial_start", &[0.0, 10.0][..]);
        for (arrays, said) in [
            (vec![starts], "no unit"),
            (vec![("a", &[1.0, -1.0][..])], "array a, spike 2"),
            (vec![("a", &[1.0, f64::NAN][..])], "array a, entry 2"),
            (vec![ONE, ("trial_stop", &[1.0][..])], "none trial_start"),
            (
                vec![ONE, ("trial_start", &[2.0, 1.0][..])],
                "trial_start, trial 2",
            ),
            (vec![ONE, starts, ("trial_stop", &[1.0][..])], "expected 2"),
            (
                vec![ONE, starts, ("trial_stop", &[1.0, 9.0][..])],
                "trial_stop, trial 2",
            ),
            (vec![ONE, ONE], "twice"),
        ] {
            let error = format!("{:#}", file(&arrays).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
        let stops = ("trial_stop", &[1.0, 11.0][..]);
        let trains = file(&[ONE, starts, stops]).unwrap();
        let error = trains.counts(0, 1.0, Some(2.0)).unwrap_err().to_string();
        assert!(error.contains("--spike-end"), "{error}");
        assert!(trains.counts(0, 1e-30, None).is_err());
        assert!(file(&[("a", &[])]).unwrap().counts(0, 1.0, None).is_err());
    }
}
