//! Spike times as counts in bins.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use scotopic_datasets::bounded::read_text;
use scotopic_datasets::series::{Header, Series, SeriesFormat, SeriesOptions};

use super::spike_trains::{Rest, SpikeTrains, bin_of, bins};
use crate::usage::UsageError;

/// How files of spike times are read.
#[derive(Debug, Clone, Default, Args)]
pub struct SpikeArgs {
    /// The data are spike times, a number a line: count those in bins of this width, such as 10ms. A file is a trial of one
    /// neuron, from time 0 on; an npz has an array of times for each unit, and of trials the arrays trial_start, trial_stop.
    /// An incomplete last bin is dropped, with a message
    #[arg(long, help_heading = "Reading the data", value_name = "WIDTH", value_parser = width)]
    pub bin: Option<Width>,
    /// Unit of the spike times
    #[arg(
        long,
        help_heading = "Reading the data",
        value_enum,
        value_name = "UNIT",
        default_value = "s",
        requires = "bin",
        hide_default_value = true
    )]
    pub spike_unit: Unit,
    /// End of the recording or, from its start, of each trial, such as 10s [default: the last spike]
    #[arg(long, help_heading = "Reading the data", value_name = "TIME", requires = "bin", value_parser = width)]
    pub spike_end: Option<Width>,
    /// Trial of an npz to read, from 1 [default: all, a series each]
    #[arg(long, help_heading = "Reading the data", value_name = "N", requires = "bin", value_parser = clap::value_parser!(u32).range(1..))]
    pub trial: Option<u32>,
    /// The spikes of an npz that was read already. Not of the command line.
    #[arg(skip)]
    pub trains: Option<Arc<SpikeTrains>>,
    /// Whether what is left after the last whole bin has been told. Not of the command line.
    #[arg(skip)]
    pub told: bool,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Seconds
    #[default]
    S,
    /// Milliseconds
    Ms,
    /// Microseconds
    Us,
}

impl Unit {
    fn seconds(self) -> f64 {
        match self {
            Self::S => 1.0,
            Self::Ms => 1e-3,
            Self::Us => 1e-6,
        }
    }
}

/// A time above 0: a number and its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Width {
    number: f64,
    unit: Unit,
}

impl Width {
    /// In units of the spike times; whole numbers of them stay whole.
    fn of(self, unit: Unit) -> f64 {
        let (own, other) = (self.unit.seconds(), unit.seconds());
        match own >= other {
            true => self.number * (own / other).round(),
            false => self.number / (other / own).round(),
        }
    }
}

fn width(text: &str) -> Result<Width> {
    let units = [
        ("us", Unit::Us),
        ("µs", Unit::Us),
        ("ms", Unit::Ms),
        ("s", Unit::S),
    ];
    for (ending, unit) in units {
        if let Some(number) = text.trim().strip_suffix(ending)
            && let Ok(number) = number.trim().parse::<f64>()
            && number > 0.0
            && number.is_finite()
        {
            return Ok(Width { number, unit });
        }
    }
    bail!("expected a time above 0 with its unit, such as 10ms, 500us or 0.5s")
}

/// The counts of a file of spike times, as a series of a column for each unit.
///
/// # Errors
/// For a file that cannot be read or holds something else than times, by line or array, for several trials of which none is
/// chosen, and for more bins than memory.
pub(super) fn series(
    args: &SpikeArgs,
    bin: Width,
    path: &Path,
    options: &SeriesOptions,
) -> Result<Series> {
    let name = path.display().to_string();
    let width = bin.of(args.spike_unit);
    let end = args.spike_end.map(|end| end.of(args.spike_unit));
    if is_npz(path) {
        let table = of_trains(args, path, width, end).with_context(|| name.clone())?;
        return counted(&name, table, options);
    }
    ensure!(
        args.trial.is_none(),
        "--trial is of an npz of spike trains, and {name} is a file of times: a trial"
    );
    let text = match path == Path::new("-") {
        true => {
            std::io::read_to_string(std::io::stdin()).context("could not read standard input")?
        }
        false => read_text(path).with_context(|| format!("could not read {name}"))?,
    };
    let (counts, rest) = counts(&text, width, end).with_context(|| name.clone())?;
    args.tell(&name, rest, 1);
    let mut table = String::from("count\n");
    for count in counts {
        table.push_str(&count.to_string());
        table.push('\n');
    }
    counted(&name, table, options)
}

impl SpikeArgs {
    /// Says what is left of so many recordings of a file after their last whole bin.
    fn tell(&self, name: &str, rest: Rest, of_all: usize) {
        if let Some(said) = rest.said(of_all).filter(|_| !self.told) {
            tell!("scotopic: {name}: {said}");
        }
    }

    /// The same of all trials of an npz, before they are read one by one.
    pub(super) fn tell_trials(&self, path: &Path, trains: &SpikeTrains) {
        let Some(bin) = self.bin.map(|bin| bin.of(self.spike_unit)) else {
            return;
        };
        let end = self.spike_end.map(|end| end.of(self.spike_unit));
        // What is wrong with a trial is told when it is read.
        let each = (0..trains.trials()).filter_map(|number| trains.counts(number, bin, end).ok());
        let rest = each.fold(Rest::default(), |sum, (_, rest)| sum.plus(rest));
        self.tell(&path.display().to_string(), rest, trains.trials());
    }
}

/// Refuses an npz that is read as a table.
///
/// # Errors
/// A usage error that says how spike trains are read.
pub(super) fn check_bins(path: &Path) -> Result<()> {
    if is_npz(path) {
        let error = anyhow!(
            "{}: an npz holds spike trains here, an array of times for each unit, which are counted in bins: say their width with \
             --bin, such as 10ms; a matrix of rows is read from an npy file (numpy.save)",
            path.display()
        );
        return Err(UsageError(error).into());
    }
    Ok(())
}

/// Whether a file holds the spike trains of several units and trials.
pub(super) fn is_npz(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("npz"))
}

/// The counts of one trial of an npz, as a table with tabs.
fn of_trains(args: &SpikeArgs, path: &Path, bin: f64, end: Option<f64>) -> Result<String> {
    let trains = match &args.trains {
        Some(trains) => Arc::clone(trains),
        None => Arc::new(SpikeTrains::read(path)?),
    };
    let number = match (args.trial, trains.trials()) {
        (Some(number), all) if number as usize > all => {
            bail!("--trial {number}: the trials are 1 to {all}")
        }
        (Some(number), _) => number as usize - 1,
        (None, 1) => 0,
        (None, all) => {
            bail!("it has {all} trials, each a series of its own: choose one with --trial")
        }
    };
    let names: Vec<&str> = trains.names().collect();
    let mut table = names.join("\t") + "\n";
    let (rows, rest) = trains.counts(number, bin, end)?;
    args.tell(&path.display().to_string(), rest, 1);
    for row in rows {
        let cells: Vec<String> = row.iter().map(u64::to_string).collect();
        table.push_str(&cells.join("\t"));
        table.push('\n');
    }
    Ok(table)
}

/// A table of counts with tabs, its first line names, as a series.
fn counted(name: &str, table: String, options: &SeriesOptions) -> Result<Series> {
    let options = SeriesOptions {
        columns: options.columns.clone(),
        header: Header::Yes,
        delimiter: Some(b'\t'),
        ..SeriesOptions::default()
    };
    let (table, format) = (Cursor::new(table), SeriesFormat::Csv);
    Ok(Series::from_reader(name, table, format, &options)?)
}

/// Spikes in [k w, (k + 1) w) for k = 0, 1, …, in whole bins to `end`, or to the bin of the last spike.
fn counts(text: &str, bin: f64, end: Option<f64>) -> Result<(Vec<u64>, Rest)> {
    let (mut times, mut first) = (Vec::new(), true);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let cell = line.trim();
        if cell.is_empty() || cell.starts_with('#') {
            continue;
        }
        let time: f64 = match cell.parse() {
            Ok(time) => time,
            // The name of the column.
            Err(_) if first && is_name(cell) => {
                first = false;
                continue;
            }
            Err(_) if cell.contains([',', ';', ' ', '\t']) => bail!(
                "line {number}: found `{}`, expected one spike time, with a decimal point: a file for --bin has a number a line, the times \
                 of one unit; put units into an npz, an array each",
                shown(cell)
            ),
            Err(_) => bail!(
                "line {number}: found `{}`, expected a spike time",
                shown(cell)
            ),
        };
        ensure!(
            time >= 0.0 && time.is_finite(),
            "line {number}: found {cell}, expected a time from 0 on"
        );
        first = false;
        times.push(time);
    }
    let last = times.iter().copied().reduce(f64::max);
    if let (Some(last), Some(end)) = (
        last,
        end.filter(|end| last.is_some_and(|last| last >= *end)),
    ) {
        bail!("a spike at {last} comes after --spike-end, {end}");
    }
    let mut counts = vec![0; bins(bin, end, last)?];
    let rows = counts.len();
    let mut rest = Rest::of(bin, end, rows);
    for time in times {
        match counts.get_mut(bin_of(time, bin, rows)) {
            Some(count) => *count += 1,
            None => rest.spikes += 1,
        }
    }
    Ok((counts, rest))
}

/// Whether the first line is the name of a column, and no slip of the pen, list or object.
fn is_name(line: &str) -> bool {
    let first = line.trim_start_matches(['"', '\'']).chars().next();
    first.is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// The beginning of a line, for a message.
fn shown(line: &str) -> String {
    const MOST: usize = 60;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_bins() {
        let ms = |text: &str| width(text).unwrap().of(Unit::Ms);
        assert_eq!(
            (ms("10ms"), ms("0.5s"), ms("500us"), ms("500 µs")),
            (10.0, 500.0, 0.5, 0.5)
        );
        assert_eq!(
            counts("1\n2\n\n# note\n10\n19.9\n35\n", 10.0, None)
                .unwrap()
                .0,
            [2, 2, 0, 1]
        );
        assert_eq!(
            counts("time\n1\n2\n3\n", 10.0, Some(30.0)).unwrap(),
            (vec![3, 0, 0], Rest::default())
        );
        assert_eq!(counts("", 10.0, Some(20.0)).unwrap().0, [0, 0]);
        // The end cuts the third bin, and a spike is in it.
        let cut = Rest {
            cut: 1,
            spikes: 1,
            open: 0,
        };
        assert_eq!(
            counts("1\n24\n", 10.0, Some(25.0)).unwrap(),
            (vec![1, 0], cut)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, end, said) in [
            ("1\nx\n", None, "line 2"),
            ("-1\n", None, "line 1"),
            (
                "time,unit\n1,25\n",
                None,
                "line 2: found `1,25`, expected one",
            ),
            ("1 2 3\n", None, "line 1"),
            ("0.1\n0,5\n", None, "line 2: found `0,5`"),
            ("0,5\n", None, "line 1"),
            ("1.5x\n2\n", None, "line 1"),
            ("[0.1, 0.2]\n", None, "line 1"),
            ("{\"t\": 1}\n", None, "line 1"),
            ("name\nother\n", None, "line 2"),
            ("", None, "--spike-end"),
            ("50\n", Some(10.0), "after --spike-end"),
            ("5\n", Some(9.0), "shorter than a bin"),
            ("1e30\n", None, "--spike-unit"),
        ] {
            let error = format!("{:#}", counts(text, 10.0, end).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
        for wrong in ["10", "ms", "-1ms", "0s", "nans"] {
            assert!(width(wrong).is_err(), "{wrong}");
        }
    }
}
