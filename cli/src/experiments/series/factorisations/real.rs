//! Real series: under the model with the most evidence, and learned under the factorisation from there.

use std::path::Path;

use anyhow::{Context as _, Result};
use scotopic_datasets::series::{SampleSeries, Series, SeriesFormat, SeriesOptions};
use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::hmm::{BatchEm, EmissionKind, FitSearch, FitSettings};
use scotopic_filtering::nalgebra::{DMatrix, DVector};

use super::{discrete_factorisation, gaussian};
use crate::experiments::protocol::{Task, Values};

/// The discrete series: name, states of the model, whose emissions are Poisson.
pub const COUNTS: [(&str, usize); 2] = [("sunspots", 3), ("grasshopper", 4)];
/// The linear-Gaussian series: the Nile's level, with variances of maximum likelihood (R and Q).
pub const NILE: &str = "nile";
const NILE_NOISE: (f64, f64) = (15_099.68, 1_468.50);
/// The prior variance of the level of the first year.
const NILE_START: f64 = 1e7;
/// Spikes are counted in bins of this many µs, over this many bins.
const BIN: f64 = 10_000.0;
const BINS: usize = 1000;

/// The name of a case.
pub fn case(series: &str) -> String {
    format!("real {series}")
}

/// All series under the factorisations of these names, as far as there are.
pub fn run(task: &Task, discrete: &str, gaussian: &str, values: &mut Values) -> Result<()> {
    if !discrete.is_empty() {
        for (series, states) in COUNTS {
            counts(task, discrete, series, states, values)?;
        }
    }
    if !gaussian.is_empty() {
        let data = column("nile", "year", "volume")?;
        let (r, q) = NILE_NOISE;
        let model = LinearGaussian::from_rows(&[[1.0]], &[[q]], &[[1.0]], &[[r]])?
            .with_initial(DVector::zeros(1), DMatrix::from_element(1, 1, NILE_START))?;
        let factorisation = scotopic_filtering::gaussian_factorisation(gaussian)?;
        gaussian::known(&model, &data, factorisation, &case(NILE), values)?;
    }
    Ok(())
}

fn counts(task: &Task, name: &str, series: &str, states: usize, values: &mut Values) -> Result<()> {
    let data = match series {
        "sunspots" => rounded(&column("sunspots", "YEAR", "SUNACTIVITY")?)?,
        _ => spikes(task.data)?,
    };
    let settings = FitSettings {
        threads: 1,
        ..FitSettings::default()
    };
    let sequences = [data];
    let best = FitSearch::new(EmissionKind::Poisson, &sequences, &settings)?.fit(states)?;
    let model = best.model;
    let [data] = &sequences;
    let (length, case) = (data.len() as f64, case(series));
    // A maximum of the evidence has transitions that never happen; not every factorisation has a finite bound then.
    let gap = model
        .posterior(data, &discrete_factorisation(name, 1)?)
        .map_or(f64::NAN, |q| (best.log_evidence - q.elbo()) / length);
    values.push(&case, "gap", gap);
    let em = BatchEm {
        max_iterations: super::discrete::EM_ITERATIONS,
        ..BatchEm::default()
    };
    let learned = model.fit_under(&sequences, &discrete_factorisation(name, 0)?, &em);
    let (lost, updates) = match learned {
        Ok(fit) => {
            let evidence = fit.model.log_evidence(&sequences[0])?;
            (
                (best.log_evidence - evidence) / length,
                fit.iterations as f64,
            )
        }
        Err(_) => (f64::NAN, f64::NAN),
    };
    values.push(&case, "lost", lost);
    values.push(&case, "updates", updates);
    Ok(())
}

/// A column of a sample series.
fn column(name: &str, time: &str, column: &str) -> Result<Sequence> {
    let sample = SampleSeries::named(name).with_context(|| format!("the series {name}"))?;
    let options = SeriesOptions {
        time: Some(time.to_owned()),
        ..SeriesOptions::default()
    };
    let bytes = sample.csv.as_bytes();
    let mut series = Series::from_reader(name, bytes, SeriesFormat::Csv, &options)
        .with_context(|| format!("{column} of {name}"))?;
    let mut sequence = Sequence::new(1)?;
    while let Some(row) = series.next_row()? {
        sequence.push(row)?;
    }
    Ok(sequence)
}

fn rounded(data: &Sequence) -> Result<Sequence> {
    let numbers = data.iter().flatten().map(|row| row[0].round());
    Ok(Sequence::of_numbers(numbers)?)
}

/// Spikes of the grasshopper's auditory neuron in bins.
fn spikes(data: &Path) -> Result<Sequence> {
    let file = data.join("series/grasshopper_spike_times1.txt");
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!(
            "could not read {}: --data names the folder of the data sets, with the real series in series/",
            file.display()
        )
    })?;
    let mut counts = vec![0.0; BINS];
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let time: f64 = line
            .parse()
            .with_context(|| format!("{}, line {}: {line}", file.display(), number + 1))?;
        if let Some(count) = counts.get_mut((time / BIN) as usize) {
            *count += 1.0;
        }
    }
    Ok(Sequence::of_numbers(counts)?)
}
