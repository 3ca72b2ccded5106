//! Orders of motion, smoothness of noise and schemes beside each other, for continuous-time models.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use scotopic_figures::Figure;
use scotopic_figures::chart::{self, Series};
use scotopic_figures::timeline::{COLUMNS, MinMax, Span, Timeline, TimelineColumn};
use scotopic_figures::trajectory::{Panel, Trajectory};
use scotopic_filtering::generalised::GeneralisedModel;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Published};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::{Filter, GaussianBelief, Sequence, many};
use serde::Serialize;

use super::Band;

/// The schemes, by the names of the command line.
pub const SCHEMES: [&str; 4] = ["causal", "dem", "dem-published", "lap-published"];

/// The results of one scheme with one order and smoothness.
#[derive(Debug, Clone, Serialize)]
pub struct SchemeRow {
    /// Which scheme.
    pub scheme: String,
    /// Order of motion N.
    pub order: usize,
    /// Smoothness of the noise s, in bins.
    pub smoothness: f64,
    /// Bins of the future that its belief has seen.
    pub look_ahead: usize,
    /// Root mean squared error of the states, where they are known.
    pub rmse: Option<f64>,
    /// Mean e'P⁻¹e over the number of states: 1 for a calibrated belief.
    pub nees: Option<f64>,
    /// ln p of the samples in nats, where the scheme defines one: comparable over orders and smoothness.
    pub log_evidence: Option<f64>,
    /// µs per bin.
    pub micros: f64,
    /// What went wrong, and where.
    pub failed: Option<String>,
}

/// The belief about one state over time.
#[derive(Debug, Clone, Default)]
pub struct Track {
    mean: Vec<f64>,
    deviation: Vec<f64>,
    first: usize,
}

/// Runs one scheme over the data; `truth` `[states, bins]`.
///
/// # Errors
/// If the scheme does not exist for this model; a run that fails becomes a row that says where.
pub fn run(
    model: &GeneralisedModel,
    data: &Sequence,
    scheme: &str,
    order: usize,
    smoothness: f64,
    truth: Option<&DMatrix<f64>>,
) -> Result<(SchemeRow, Vec<Track>)> {
    let embedding = Embedding {
        states: order,
        causes: order.min(model.embedding.causes),
        smoothness,
    };
    let mut row = SchemeRow {
        scheme: scheme.to_owned(),
        order,
        smoothness,
        look_ahead: 0,
        rmse: None,
        nees: None,
        log_evidence: None,
        micros: 0.0,
        failed: None,
    };
    let mut running = match make(model, scheme, embedding) {
        Ok(running) => running,
        // The published schemes have neither white noise nor order 0: their row says so.
        Err(error) if SCHEMES.contains(&scheme) => {
            row.failed = Some(format!("{error:#}"));
            return Ok((row, Vec::new()));
        }
        Err(error) => return Err(error),
    };
    row.look_ahead = running.lag();
    let n = states(&*running).mean.len();
    let mut tracks = vec![
        Track {
            first: 0,
            ..Track::default()
        };
        n
    ];
    let (mut squares, mut rows, mut normalised, mut ranked) = (0.0, 0.0, 0.0, 0.0);
    let mut seconds = 0.0;
    for (t, y) in data.iter().enumerate() {
        let clock = Instant::now();
        let updated = running.update(y);
        seconds += clock.elapsed().as_secs_f64();
        if let Err(error) = updated {
            row.failed = Some(error.to_string());
            return Ok((row, tracks));
        }
        // The published schemes have no belief before N + 1 samples are in; no scheme is scored before that.
        let (Some(at), true) = (t.checked_sub(running.lag()), t >= order) else {
            continue;
        };
        let belief = states(&*running);
        for (i, track) in tracks.iter_mut().enumerate() {
            if track.mean.is_empty() {
                track.first = at;
            }
            track.mean.push(belief.mean[i]);
            track
                .deviation
                .push(belief.covariance[i * n + i].max(0.0).sqrt());
        }
        let Some(truth) = truth else { continue };
        let error = DVector::from_column_slice(belief.mean) - truth.column(at);
        squares += error.norm_squared();
        rows += 1.0;
        // Known starts and variances that a scheme does not report are left out of the calibration.
        if let Some(factor) = DMatrix::from_row_slice(n, n, belief.covariance).cholesky() {
            normalised += error.dot(&factor.solve(&error));
            ranked += 1.0;
        }
    }
    row.micros = 1e6 * seconds / data.len().max(1) as f64;
    row.log_evidence = Some(running.elbo()).filter(|l| !l.is_nan());
    row.rmse = (rows > 0.0).then(|| (squares / (rows * n as f64)).sqrt());
    row.nees = (ranked > 0.0).then(|| normalised / (ranked * n as f64));
    Ok((row, tracks))
}

/// What a scheme believes of the states.
fn states(scheme: &dyn Filter) -> GaussianBelief<'_> {
    scheme.belief().gaussian().unwrap_or_default()
}

fn make(model: &GeneralisedModel, scheme: &str, embedding: Embedding) -> Result<Box<dyn Filter>> {
    let built = model.build()?;
    let dem = |published: Published| DemConfig {
        embedding,
        published,
        ..DemConfig::default()
    };
    Ok(match scheme {
        "causal" => {
            let settings = CausalConfig::from(embedding);
            Box::new(CausalGeneralisedFilter::new(
                built,
                settings,
                model.start().as_ref(),
            )?)
        }
        "dem" => Box::new(Dem::new(built, dem(Published::default()))?),
        "dem-published" => Box::new(Dem::new(built, dem(Published::spm()))?),
        "lap-published" => {
            Box::new(GeneralisedFiltering::new(built, dem(Published::spm()))?.into_stream())
        }
        other => anyhow::bail!(
            "there is no scheme {other}; there are {}",
            SCHEMES.join(", ")
        ),
    })
}

/// The states of a file, one row per bin, as `[states, bins]`.
///
/// # Errors
/// If a row is missing, or the sizes do not fit.
pub fn truth(states: &Sequence, model: &GeneralisedModel, bins: usize) -> Result<DMatrix<f64>> {
    let n = model.sizes().0;
    ensure!(
        states.width() == n && states.len() == bins,
        "the true states are {} of {}, expected {} of {n}",
        many(states.len(), "row"),
        states.width(),
        many(bins, "row")
    );
    let mut truth = DMatrix::zeros(n, bins);
    for (t, row) in states.iter().enumerate() {
        let row = row.with_context(|| format!("the true state of bin {} is missing", t + 1))?;
        truth.column_mut(t).copy_from_slice(row);
    }
    Ok(truth)
}

/// Error, calibration and evidence against the order, a line for each scheme and smoothness.
///
/// # Errors
/// If there is nothing to draw.
pub fn picture(rows: &[SchemeRow]) -> Result<Option<Figure>> {
    let mut names: Vec<(String, f64)> = Vec::new();
    for row in rows {
        if !names
            .iter()
            .any(|(scheme, s)| *scheme == row.scheme && *s == row.smoothness)
        {
            names.push((row.scheme.clone(), row.smoothness));
        }
    }
    let panel =
        |title: &str, y_label: &str, log_y: bool, value: &dyn Fn(&SchemeRow) -> Option<f64>| {
            let series = names.iter().filter_map(|(scheme, s)| {
                let of = |row: &&SchemeRow| row.scheme == *scheme && row.smoothness == *s;
                let (x, y): (Vec<f64>, Vec<f64>) = rows
                    .iter()
                    .filter(of)
                    .filter_map(|row| Some((row.order as f64, value(row)?)))
                    .filter(|(_, y)| y.is_finite())
                    .unzip();
                (!x.is_empty()).then(|| Series::line(format!("{scheme}, s = {s}"), x, y))
            });
            chart::Panel::new(title, "order of motion", y_label, series.collect())
                .logarithmic(false, log_y)
        };
    let panels = [
        panel("Error", "RMSE of the states", true, &|r| r.rmse),
        panel("Calibration", "NEES (1: calibrated)", true, &|r| r.nees),
        panel(
            "Log evidence of the samples",
            "ln evidence (nats)",
            false,
            &|r| r.log_evidence,
        ),
    ];
    Ok(chart::lines_if_any(panels)?)
}

/// Every state over time: truth, belief and its credible band.
///
/// # Errors
/// If there is nothing to draw.
pub fn trajectories(
    tracks: &[Track],
    truth: Option<&DMatrix<f64>>,
    title: &str,
) -> Result<Option<Figure>> {
    // A track begins when its scheme has a first belief, the same for all states.
    let Some((first, bins)) = tracks
        .first()
        .map(|track| (track.first, track.mean.len()))
        .filter(|(_, bins)| *bins > 0)
    else {
        return Ok(None);
    };
    let band = Band::default();
    let z = band.deviations();
    let mut timeline = Timeline::new(COLUMNS);
    for t in 0..bins {
        let spans = tracks.iter().enumerate().map(|(i, track)| Span {
            truth: truth.map_or(MinMax::NONE, |x| MinMax::of(x[(i, first + t)])),
            ..Span::around(track.mean[t], z * track.deviation[t])
        });
        let moment = TimelineColumn {
            bins: 1,
            spans: spans.collect(),
            ..TimelineColumn::default()
        };
        timeline.push((first + t + 1) as u64, moment);
    }
    let panel = |index: usize| Panel::Span {
        label: format!("state {}", index + 1),
        index,
    };
    let panels: Vec<Panel> = (0..tracks.len()).map(panel).collect();
    let figure = Trajectory {
        title,
        note: "",
        band: &band.to_string(),
        panels: &panels,
        portrait: None,
        timeline: &timeline,
        times: None,
    };
    Ok(Some(figure.picture()?))
}
