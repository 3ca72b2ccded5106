//! Figures as SVG, for notebooks.

use std::hash::{DefaultHasher, Hash, Hasher};

use numpy::{PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use scotopic_figures::axis::Axis;
use scotopic_figures::figure::Layer;
use scotopic_figures::residuals::Residuals;
use scotopic_figures::timeline::{COLUMNS, MinMax, Span, Timeline, TimelineColumn};
use scotopic_figures::trajectory::{Panel, Trajectory};
use scotopic_figures::{Figure, FigureError, heat};

fn svg(figure: std::result::Result<Figure, FigureError>) -> PyResult<String> {
    figure
        .map(|figure| for_a_page(&figure.svg()))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A figure whose clip paths have names of its own: a page may hold several figures, and names are of the whole page.
pub fn for_a_page(svg: &str) -> String {
    let mut hasher = DefaultHasher::new();
    svg.hash(&mut hasher);
    let own = format!("f{:x}-c", hasher.finish());
    svg.replace("<clipPath id=\"c", &format!("<clipPath id=\"{own}"))
        .replace("url(#c", &format!("url(#{own}"))
}

/// A matrix of probabilities as a heat map.
#[pyfunction]
pub fn matrix_figure(
    values: Vec<f32>,
    shape: [usize; 2],
    title: &str,
    rows: &str,
    columns: &str,
) -> PyResult<String> {
    let names = heat::Names {
        rows,
        columns,
        values: "probability",
    };
    let from_zero = |mut figure: Figure| {
        // States are counted from 0 here, the rows of the map from 1.
        let ends = |count: usize| (-0.5, count as f64 - 0.5);
        let ((left, right), (top, bottom)) = (ends(shape[1]), ends(shape[0]));
        for plot in &mut figure.plots {
            plot.x.axis = Axis::linear(left, right);
            plot.y.axis = Axis::linear(bottom, top);
            for layer in &mut plot.layers {
                if let Layer::Image { corners, .. } = layer {
                    *corners = [left, top, right, bottom];
                }
            }
        }
        figure.titled(title, "")
    };
    svg(heat::map(&values, shape, heat::Scale::Probability, names).map(from_zero))
}

/// Probabilities `[T, K]` of the states over time.
#[pyfunction]
pub fn beliefs_figure(
    beliefs: &Bound<'_, PyArray2<f64>>,
    states: Vec<String>,
    title: &str,
    note: &str,
) -> PyResult<String> {
    let mut timeline = Timeline::new(COLUMNS);
    let columns = beliefs.shape()[1];
    if columns != states.len() {
        return Err(PyValueError::new_err(format!(
            "{} names for {columns} states",
            states.len()
        )));
    }
    for (bin, row) in (1..).zip(beliefs.readonly().as_array().rows()) {
        let moment = TimelineColumn {
            bins: 1,
            shares: row.to_vec(),
            truths: vec![0.0; columns],
            ..TimelineColumn::default()
        };
        timeline.push(bin, moment);
    }
    drawn(title, note, "", &[Panel::Shares(states)], &timeline)
}

/// Means `[T, n]` with bands between `low` and `high` `[T, n]`, and observations `[T, n]` where there are any (NaN for none).
#[pyfunction]
#[pyo3(signature = (means, low, high, labels, title, note, band, observed=None))]
#[allow(clippy::too_many_arguments)] // three arrays and their names
pub fn bands_figure(
    means: &Bound<'_, PyArray2<f64>>,
    low: &Bound<'_, PyArray2<f64>>,
    high: &Bound<'_, PyArray2<f64>>,
    labels: Vec<String>,
    title: &str,
    note: &str,
    band: &str,
    observed: Option<&Bound<'_, PyArray2<f64>>>,
) -> PyResult<String> {
    let shape = means.shape();
    let shapes = [Some(low), Some(high), observed];
    if labels.len() != shape[1] || shapes.iter().flatten().any(|array| array.shape() != shape) {
        let message =
            format!("labels, bands and observations must have the shape of the means, {shape:?}");
        return Err(PyValueError::new_err(message));
    }
    let (means, low, high) = (means.readonly(), low.readonly(), high.readonly());
    let observed = observed.map(PyArrayMethods::readonly);
    let (means, low, high) = (means.as_array(), low.as_array(), high.as_array());
    let observed = observed.as_ref().map(|array| array.as_array());
    let mut timeline = Timeline::new(COLUMNS);
    for t in 0..means.nrows() {
        let span = |i: usize| {
            let seen = observed
                .as_ref()
                .map_or(MinMax::NONE, |o| MinMax::of(o[[t, i]]));
            let (low, high) = (low[[t, i]], high[[t, i]]);
            let edges = low.is_finite() && high.is_finite();
            Span {
                seen,
                mean: MinMax::of(means[[t, i]]),
                low: if edges { low } else { f64::NAN },
                high: if edges { high } else { f64::NAN },
                ..Span::NONE
            }
        };
        let spans: Vec<Span> = (0..labels.len()).map(span).collect();
        let unseen = observed.is_some() && spans.iter().all(|span| !span.seen.is_some());
        let moment = TimelineColumn {
            bins: 1,
            missing: u64::from(unseen),
            spans,
            ..TimelineColumn::default()
        };
        timeline.push(t as u64 + 1, moment);
    }
    let panel = |(index, label)| Panel::Span { label, index };
    let panels: Vec<Panel> = labels.into_iter().enumerate().map(panel).collect();
    drawn(title, note, band, &panels, &timeline)
}

/// Residuals `[T]` in four panels; `quantiles` are those of as many normal numbers as there are residuals.
#[pyfunction]
pub fn residuals_figure(
    residuals: Vec<f64>,
    quantiles: Vec<f64>,
    autocorrelations: Vec<f64>,
    title: &str,
    note: &str,
) -> PyResult<String> {
    let figure = Residuals {
        times: None,
        residuals: &residuals,
        normal_quantiles: &quantiles,
        autocorrelations: &autocorrelations,
    };
    svg(figure.picture().map(|figure| figure.titled(title, note)))
}

fn drawn(
    title: &str,
    note: &str,
    band: &str,
    panels: &[Panel],
    timeline: &Timeline,
) -> PyResult<String> {
    let figure = Trajectory {
        title,
        note,
        band,
        panels,
        portrait: None,
        timeline,
        times: None,
    };
    svg(figure.picture())
}
