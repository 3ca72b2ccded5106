//! Spike times as counts in bins.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use scotopic_datasets::bounded::read_text;
use scotopic_datasets::series::{Series, SeriesFormat, SeriesOptions};

/// How files of spike times are read.
#[derive(Debug, Clone, Default, Args)]
pub struct SpikeArgs {
    /// The data are spike times, a number a line: count those in bins of this width, such as 10ms. A file is a trial of one
    /// neuron, from time 0 on
    #[arg(long, value_name = "WIDTH", value_parser = width)]
    pub bin: Option<Width>,
    /// Unit of the spike times
    #[arg(
        long,
        value_enum,
        value_name = "UNIT",
        default_value = "s",
        requires = "bin",
        hide_default_value = true
    )]
    pub spike_unit: Unit,
    /// End of the recording, such as 10s [default: the last spike]
    #[arg(long, value_name = "TIME", requires = "bin", value_parser = width)]
    pub spike_end: Option<Width>,
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

/// The most bins of a file: more are a wrong unit.
const MOST: f64 = 1e8;

/// The counts of a file of spike times, as a series of one column.
///
/// # Errors
/// For a file that cannot be read or holds something else than times from 0 on, by line, and for more bins than memory.
pub(super) fn series(
    args: &SpikeArgs,
    bin: Width,
    path: &Path,
    options: &SeriesOptions,
) -> Result<Series> {
    let name = path.display().to_string();
    let text = match path == Path::new("-") {
        true => {
            std::io::read_to_string(std::io::stdin()).context("could not read standard input")?
        }
        false => read_text(path).with_context(|| format!("could not read {name}"))?,
    };
    let counts = counts(
        &text,
        bin.of(args.spike_unit),
        args.spike_end.map(|e| e.of(args.spike_unit)),
    )
    .with_context(|| name.clone())?;
    let mut csv = String::from("count\n");
    for count in counts {
        csv.push_str(&count.to_string());
        csv.push('\n');
    }
    let options = SeriesOptions {
        columns: options.columns.clone(),
        ..SeriesOptions::default()
    };
    Ok(Series::from_reader(
        &name,
        Cursor::new(csv),
        SeriesFormat::Csv,
        &options,
    )?)
}

/// Spikes in [k w, (k + 1) w) for k = 0, 1, …, to `end`, or to the bin of the last spike.
fn counts(text: &str, bin: f64, end: Option<f64>) -> Result<Vec<u64>> {
    let mut times = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        for cell in line
            .split([',', ';', ' ', '\t'])
            .filter(|cell| !cell.is_empty())
        {
            let time: f64 = match cell.parse() {
                Ok(time) => time,
                // The name of the column.
                Err(_) if times.is_empty() && number == 0 => continue,
                Err(_) => bail!("line {}: found `{cell}`, expected a spike time", number + 1),
            };
            ensure!(
                time >= 0.0 && time.is_finite(),
                "line {}: found {cell}, expected a time from 0 on",
                number + 1
            );
            times.push(time);
        }
    }
    let bins = match (end, times.iter().copied().reduce(f64::max)) {
        (Some(end), _) => (end / bin).ceil(),
        (None, Some(last)) => (last / bin).floor() + 1.0,
        (None, None) => bail!("there is no spike: say the end of the recording with --spike-end"),
    };
    ensure!(
        bins <= MOST,
        "that would be {bins:e} bins: say the unit of the spike times with --spike-unit, or take wider bins"
    );
    let mut counts = vec![0; bins as usize];
    for time in times {
        let bin = (time / bin).floor() as usize;
        match counts.get_mut(bin) {
            Some(count) => *count += 1,
            None => bail!("a spike at {time} comes after --spike-end"),
        }
    }
    Ok(counts)
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
            counts("1\n2\n\n# note\n10\n19.9\n35\n", 10.0, None).unwrap(),
            [2, 2, 0, 1]
        );
        assert_eq!(
            counts("time\n1 2 3\n", 10.0, Some(30.0)).unwrap(),
            [3, 0, 0]
        );
        assert_eq!(counts("", 10.0, Some(20.0)).unwrap(), [0, 0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, end, said) in [
            ("1\nx\n", None, "line 2"),
            ("-1\n", None, "line 1"),
            ("", None, "--spike-end"),
            ("50\n", Some(10.0), "after --spike-end"),
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
