//! Analyses of the population: firing rates, tuning.

use anyhow::Result;
use scotopic_figures::{Mark, Panel, Series, chart};
use scotopic_train::analysis::rates::{RateDistribution, rates as distributed};
use scotopic_train::analysis::representation::RepresentationConfig;
use scotopic_train::analysis::tuning::{Tuning, TuningConfig, UnitTuning, tuning as tuned};

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Table, said};

pub(super) const RATES: Analysis = Analysis {
    name: "rates",
    about: "Distribution of firing rates",
    needs_data: true,
    excluded: |traits| traits.spikes,
    missing: |_| false,
    run: rates,
};

fn rates(request: &Request<'_>) -> Result<AnalysisReport> {
    let settings = RepresentationConfig {
        steps: vec![request.steps()],
        count: request.count(1000),
        batch: request.batch,
    };
    let found = distributed(&request.model, request.images()?, &settings)?;
    let mut report = AnalysisReport::new(RATES.name, &found)?;
    report.table = Table::with("unit,rate");
    for (unit, &rate) in found.rates.iter().enumerate() {
        report.table.push([unit.into(), rate.into()]);
    }
    report.summary.push(format!(
        "{} neurons, {} images, {} steps: mean rate {:.4}, median {:.4} spikes per step",
        found.rates.len(),
        found.images,
        found.step,
        found.mean,
        found.median
    ));
    report.summary.push(format!(
        "spike share of the most active 10 %: {:.1} %",
        100.0 * found.top_tenth
    ));
    if let Some(fit) = found.log_normal {
        report.summary.push(format!(
            "log-normal fit: mean of ln r {:.3}, standard deviation {:.3}; Kolmogorov-Smirnov distance {}",
            fit.mean,
            fit.deviation,
            said(found.distance, 4)
        ));
    }
    report.headline = serde_json::json!({
        "images": found.images, "step": found.step, "mean": found.mean, "median": found.median,
        "top_tenth": found.top_tenth, "log_normal": found.log_normal, "distance": found.distance,
    });
    report.draw(chart::lines(&[histogram(&found)]))
}

/// The histogram in ln r, and the log-normal distribution over it.
fn histogram(found: &RateDistribution) -> Panel {
    let mut series = Vec::new();
    if let Some(histogram) = &found.histogram {
        let middle = |pair: &[f64]| (pair[0] * pair[1]).sqrt();
        let edges = || histogram.edges.windows(2);
        let counts = histogram.counts.iter().map(|&n| n as f64).collect();
        let middles = || edges().map(middle).collect();
        series.push(Series::line("neurons", middles(), counts).marked(Mark::Bars));
        if let Some(fit) = found.log_normal {
            let expected = |pair: &[f64]| {
                fit.firing as f64 * (fit.cumulative(pair[1]) - fit.cumulative(pair[0]))
            };
            let counts = edges().map(expected).collect();
            series.push(Series::line("log-normal fit", middles(), counts));
        }
    }
    Panel::new("Firing rates", "spikes per step", "neurons", series).logarithmic(true, false)
}

pub(super) const TUNING: Analysis = Analysis {
    name: "tuning",
    about: "Tuning to drifting gratings and plaids",
    needs_data: false,
    excluded: |traits| traits.spikes.or(traits.image),
    missing: |_| false,
    run: tuning,
};

fn tuning(request: &Request<'_>) -> Result<AnalysisReport> {
    let settings = TuningConfig::default();
    let found = tuned(&request.model, request.shape(), &settings)?;
    let s = found.summary;
    let mut report = AnalysisReport::new(TUNING.name, &found)?;
    report.table = Table::with(
        "unit,responsive,peak,blank,preferred_degrees,selectivity,half_width_degrees,frequency,bandwidth_octaves,\
         c50,exponent,rmax,contrast_r2,supersaturation,suppression,modulation",
    );
    for unit in &found.units {
        let mut cells = vec![unit.unit.into(), unit.responsive.into()];
        cells.extend(numbers(unit).map(Into::into));
        report.table.push(cells);
    }
    let reference = settings
        .contrasts
        .get(settings.reference)
        .copied()
        .unwrap_or(1.0);
    report.summary = vec![
        format!(
            "{} of {} neurons respond to gratings of contrast {reference}",
            s.responsive, s.units
        ),
        format!(
            "orientation: selectivity {}, half width {} degrees (medians)",
            said(s.selectivity, 3),
            said(s.half_width, 1)
        ),
        format!(
            "spatial frequency: {} cycles per pixel, bandwidth {} octaves",
            said(s.frequency, 3),
            said(s.bandwidth, 2)
        ),
        format!(
            "contrast: c50 {}, exponent {}, saturation {}, R² of Naka-Rushton {}; {:.0} % fall at the highest contrast",
            said(s.c50, 3),
            said(s.exponent, 2),
            said(s.saturation, 2),
            said(s.contrast_r2, 3),
            100.0 * s.supersaturating
        ),
        format!(
            "plaids: suppression {}, {:.0} % of neurons suppressed",
            said(s.suppression, 3),
            100.0 * s.suppressed
        ),
        format!(
            "F1/F0 {}, {:.0} % simple",
            said(s.modulation, 2),
            100.0 * s.simple
        ),
    ];
    // Without responsive neurons there is nothing to summarise or to draw.
    if s.responsive == 0 {
        report.summary.truncate(1);
        report.headline = serde_json::to_value(s)?;
        return Ok(report);
    }
    report.headline = serde_json::to_value(s)?;
    report.draw(chart::lines(&panels(&found)))
}

fn numbers(unit: &UnitTuning) -> [Option<f64>; 14] {
    [
        Some(unit.peak),
        Some(unit.blank),
        unit.orientation.map(|o| o.preferred),
        unit.orientation.map(|o| o.selectivity),
        unit.orientation.and_then(|o| o.half_width),
        unit.frequency.map(|f| f.peak),
        unit.frequency.and_then(|f| f.bandwidth()),
        unit.contrast.map(|c| c.c50),
        unit.contrast.map(|c| c.n),
        unit.contrast.map(|c| c.rmax),
        unit.contrast.map(|c| c.r2),
        unit.supersaturation,
        unit.suppression,
        unit.modulation,
    ]
}

fn panels(found: &Tuning) -> Vec<Panel> {
    let settings = &found.settings;
    let responsive: Vec<&UnitTuning> = found.units.iter().filter(|u| u.responsive).collect();
    // Relative to each neuron's own highest response, the preferred orientation in the middle.
    let share = |values: &[f64], i: usize| {
        let most = values.iter().copied().fold(0.0, f64::max);
        if most > 0.0 { values[i] / most } else { 0.0 }
    };
    let n = settings.orientations;
    let spacing = 180.0 / n as f64;
    let centred = |unit: &UnitTuning, shift: usize| {
        let each = unit.by_orientation.iter().enumerate();
        let (_, top) = each.fold((0.0, 0), |a, (i, &r)| if r > a.0 { (r, i) } else { a });
        share(&unit.by_orientation, (top + shift + n - n / 2) % n)
    };
    let panel = |title: &str, x_label: &str, series: Vec<Series>, log_x: bool| {
        let y_label = "response (normalised to peak)";
        Panel::new(title, x_label, y_label, series).logarithmic(log_x, false)
    };
    let shifts: Vec<f64> = (0..n)
        .map(|i| (i as f64 - (n / 2) as f64) * spacing)
        .collect();
    vec![
        panel(
            "Orientation",
            "relative to preferred (°)",
            curves(&responsive, &shifts, &centred),
            false,
        ),
        panel(
            "Spatial frequency",
            "frequency (cycles per pixel)",
            curves(&responsive, &settings.frequencies, &|unit, i| {
                share(&unit.by_frequency, i)
            }),
            true,
        ),
        panel(
            "Contrast",
            "contrast (standardised units)",
            curves(&responsive, &settings.contrasts, &|unit, i| {
                share(&unit.by_contrast, i)
            }),
            true,
        ),
        counted(
            "Selectivity",
            "1 − circular variance",
            0.0,
            1.0,
            &responsive,
            |u| Some(u.orientation?.selectivity),
        ),
        counted(
            "Suppression by plaids",
            "1 − plaid/grating",
            -1.0,
            1.0,
            &responsive,
            |u| u.suppression.map(|s| s.max(-1.0)),
        ),
        counted("Modulation", "F1/F0", 0.0, 2.0, &responsive, |u| {
            u.modulation
        }),
    ]
}

/// Neurons whose own curves are shown.
const SINGLE: usize = 24;

/// The curves of single neurons, evenly chosen, and the mean of all with its standard error.
fn curves(units: &[&UnitTuning], x: &[f64], of: &dyn Fn(&UnitTuning, usize) -> f64) -> Vec<Series> {
    let every = units.len().div_ceil(SINGLE).max(1);
    let single = |unit: &&UnitTuning| {
        let y = (0..x.len()).map(|i| of(unit, i)).collect();
        Series::line("single neurons", x.to_vec(), y).faint()
    };
    let mut series: Vec<Series> = units.iter().step_by(every).map(single).collect();
    let count = units.len().max(1) as f64;
    let (mut means, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..x.len() {
        let values = || units.iter().map(|unit| of(unit, i));
        let mean = values().sum::<f64>() / count;
        let squares: f64 = values().map(|v| (v - mean).powi(2)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        means.push(mean);
        low.push(mean - error);
        high.push(mean + error);
    }
    series.push(Series::line("mean ± SEM", x.to_vec(), means).spread(low, high));
    series
}

/// Bins of a histogram.
const BINS: usize = 20;

fn counted(
    title: &str,
    x_label: &str,
    low: f64,
    high: f64,
    units: &[&UnitTuning],
    of: impl Fn(&UnitTuning) -> Option<f64>,
) -> Panel {
    let mut counts = [0.0; BINS];
    let width = (high - low) / BINS as f64;
    for value in units.iter().filter_map(|unit| of(unit)) {
        let bin = ((value - low) / width).clamp(0.0, (BINS - 1) as f64) as usize;
        counts[bin] += 1.0;
    }
    let middles = (0..BINS).map(|i| low + (i as f64 + 0.5) * width).collect();
    let bars = Series::line("", middles, counts.to_vec()).marked(Mark::Bars);
    Panel::new(title, x_label, "neurons", vec![bars])
}
