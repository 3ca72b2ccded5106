//! Curves: panels of lines side by side, such as the loss over training.

use crate::axis::Axis;
use crate::colour::{self, INK, OBSERVED};
use crate::error::FigureError;
use crate::figure::{Entry, Figure, Layer, Plot, Side, Swatch, Ticks};
use crate::picture::Rgb;
use crate::scene::Stroke;
use crate::time_axis::TimeAxis;

/// The widths of the data where one, two or three panels stand side by side, and their height.
const WIDTHS: [f32; 3] = [560.0, 350.0, 226.0];
const HEIGHT: f32 = 210.0;
const PER_ROW: usize = 3;
/// The width of a line.
const THICKNESS: f32 = 1.8;
/// How much of its colour a faint line has.
const FAINT: f32 = 0.4;
/// The diameter of the dots on a curve of few points, and of those of a cloud.
const DOT: f32 = 5.0;
const SPECK: f32 = 3.4;
/// The most points of a curve whose points are drawn as dots.
const FEW: usize = 24;

/// One curve. Points with a coordinate that cannot be shown (NaN, infinite, or 0 and below on a
/// logarithmic axis) leave a gap.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The name in the legend; a series without one is left out of it. In all panels of a figure a name has one colour.
    pub label: String,
    /// The horizontal coordinates, `[points]`.
    pub x: Vec<f64>,
    /// The vertical coordinates, `[points]`.
    pub y: Vec<f64>,
    /// How far the spread reaches below and above each point, `[points]`; empty for none.
    pub spread: Vec<(f64, f64)>,
    /// How the points are drawn.
    pub mark: Mark,
    /// Whether the series is one of many that stand behind the others: a thin grey line.
    pub faint: bool,
}

/// How the points of a series are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Joined in their order, with dots where they are few.
    #[default]
    Line,
    /// Joined in their order: a curve known everywhere.
    Curve,
    /// Each by itself.
    Dots,
    /// As bars that stand on zero; they fill the space to their nearest neighbour.
    Bars,
    /// Not at all: a band alone.
    None,
}

impl Series {
    /// A line through points.
    pub fn line(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Self {
        Self {
            label: label.into(),
            x,
            y,
            ..Self::default()
        }
    }

    /// The same points with another mark.
    pub fn marked(self, mark: Mark) -> Self {
        Self { mark, ..self }
    }

    /// The same as one of many behind the others, such as the curves of single neurons behind their mean.
    pub fn faint(self) -> Self {
        Self {
            faint: true,
            ..self
        }
    }

    fn stroke(&self, colour: Rgb) -> Stroke {
        match self.faint {
            true => Stroke {
                opacity: FAINT,
                ..Stroke::of(colour, 0.8)
            },
            false => Stroke::of(colour, THICKNESS),
        }
    }

    fn dotted(&self) -> bool {
        self.x.len() <= FEW && !self.faint && self.mark == Mark::Line
    }

    /// The same points in a band from `low` to `high`, both `[points]`: standard errors or quantiles.
    pub fn spread(self, low: Vec<f64>, high: Vec<f64>) -> Self {
        let spread = low.into_iter().zip(high).collect();
        Self { spread, ..self }
    }
}

/// One plot: any number of curves over shared axes.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// Drawn above the panel; may be empty.
    pub title: String,
    /// The quantity on the horizontal axis, with its unit in parentheses.
    pub x_label: String,
    /// The quantity on the vertical axis, with its unit in parentheses.
    pub y_label: String,
    /// The curves, drawn in this order.
    pub series: Vec<Series>,
    /// Whether the horizontal axis is logarithmic; values of 0 and below are left out.
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic; values of 0 and below are left out.
    pub log_y: bool,
    /// The times of the observations that the horizontal axis counts, where they are known.
    pub times: Option<TimeAxis>,
}

impl Panel {
    /// A panel with linear axes.
    pub fn new(
        title: impl Into<String>,
        x_label: &str,
        y_label: &str,
        series: Vec<Series>,
    ) -> Self {
        Self {
            title: title.into(),
            x_label: x_label.into(),
            y_label: y_label.into(),
            series,
            log_x: false,
            log_y: false,
            times: None,
        }
    }

    /// The same with the times of the observations that the horizontal axis counts.
    pub fn timed(self, times: Option<TimeAxis>) -> Self {
        Self { times, ..self }
    }

    /// The same with logarithmic axes where asked for.
    pub fn logarithmic(self, log_x: bool, log_y: bool) -> Self {
        Self {
            log_x,
            log_y,
            ..self
        }
    }

    fn shows(&self, (x, y): (f64, f64)) -> bool {
        Axis::shows(x, self.log_x) && Axis::shows(y, self.log_y)
    }

    /// The points of a series in order; `None` where one cannot be shown on these axes.
    fn points<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = Option<(f64, f64)>> + 'a {
        let points = series.x.iter().copied().zip(series.y.iter().copied());
        points.map(|point| Some(point).filter(|point| self.shows(*point)))
    }

    /// The band around a series: (x, low, high), NaN where one cannot be shown.
    fn band<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = (f64, f64, f64)> + 'a {
        let edges = series.x.iter().zip(&series.spread);
        edges.map(
            |(&x, &(low, high))| match self.shows((x, low)) && self.shows((x, high)) {
                true => (x, low, high),
                false => (x, f64::NAN, f64::NAN),
            },
        )
    }

    /// The two axes; none without a point to show.
    fn axes(&self) -> Option<(Axis, Axis)> {
        let shown = || {
            self.series
                .iter()
                .flat_map(|series| self.points(series).flatten())
        };
        let edges = || self.series.iter().flat_map(|series| self.band(series));
        // Lines may begin at the frame, single points stand apart from it.
        let single = self.series.iter().all(|series| series.x.len() <= 1);
        let (beside, above) = if single { (0.1, 0.1) } else { (0.02, 0.05) };
        let x = Axis::around(shown().map(|point| point.0), self.log_x, beside);
        let values = shown().map(|point| point.1);
        let values = values.chain(edges().flat_map(|(_, low, high)| [low, high]));
        let y = Axis::around(values, self.log_y, above);
        let bars = self.series.iter().any(|s| s.mark == Mark::Bars);
        let highest = shown().map(|point| point.1).fold(0.0, f64::max);
        let counts = bars && !self.log_y && shown().all(|point| point.1 >= 0.0);
        // Bars stand on the axis itself.
        let y = match counts && highest > 0.0 {
            true => y.map(|_| Axis::linear(0.0, 1.05 * highest)),
            false => y,
        };
        x.zip(y)
    }

    fn plot(&self, at: (usize, usize), width: f32, colour: &dyn Fn(&Series) -> Rgb) -> Plot {
        let axes = self.axes();
        let unit = Axis::linear(0.0, 1.0);
        let (x, y) = axes.unwrap_or((unit, unit));
        let ticks = || match axes {
            Some(_) => Ticks::Round,
            None => Ticks::Numbers(Vec::new()),
        };
        let mut layers = Vec::new();
        for series in &self.series {
            let colour = colour(series);
            if !series.spread.is_empty() {
                let edges = self.band(series).collect();
                layers.push(Layer::Band { edges, colour });
            }
            if series.mark == Mark::None {
                continue;
            }
            layers.push(match series.mark {
                Mark::Line | Mark::Curve | Mark::None => Layer::Line {
                    points: self.points(series).collect(),
                    stroke: series.stroke(colour),
                    dots: if series.dotted() { DOT } else { 0.0 },
                },
                Mark::Dots => Layer::Dots {
                    points: self.points(series).flatten().collect(),
                    colour,
                    size: SPECK,
                },
                Mark::Bars => Layer::Bars {
                    points: self.points(series).flatten().collect(),
                    colour,
                },
            });
        }
        if axes.is_none() {
            layers = vec![Layer::nothing(&x, &y)];
        }
        Plot {
            title: self.title.clone(),
            ..Plot::new(
                at,
                (width, HEIGHT),
                self.horizontal(x, width, ticks()),
                Side::new(y, &self.y_label, ticks()),
                layers,
            )
        }
    }

    /// The horizontal axis, of times where they are known.
    fn horizontal(&self, x: Axis, width: f32, otherwise: Ticks) -> Side {
        let marked = self
            .times
            .as_ref()
            .map(|times| (times, times.ticks(&x, width)));
        match marked {
            Some((times, ticks)) if !ticks.is_empty() => {
                Side::new(x, &times.label, Ticks::Numbers(ticks))
            }
            _ => Side::new(x, &self.x_label, otherwise),
        }
    }

    fn legend(&self, colour: &dyn Fn(&Series) -> Rgb) -> Vec<Entry> {
        let entry = |series: &Series| {
            let colour = colour(series);
            let swatch = match (series.mark, series.spread.is_empty()) {
                (Mark::Line | Mark::Curve, true) => {
                    Swatch::Line(series.stroke(colour), series.dotted())
                }
                (Mark::Line | Mark::Curve, false) => Swatch::Band(colour),
                (Mark::None, _) => Swatch::Block(colour::tinted(colour)),
                (Mark::Dots, _) => Swatch::Dot(colour),
                (Mark::Bars, _) => Swatch::Block(colour),
            };
            Entry::new(series.label.trim(), swatch)
        };
        let named = self.series.iter().filter(|s| !s.label.trim().is_empty());
        let mut entries: Vec<Entry> = Vec::new();
        for entry in named.map(entry) {
            // Several curves of one name have one entry.
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        entries
    }
}

/// Draws panels side by side, three in a row. A name has one colour in all panels; the legend stands above each panel, or
/// once above all if theirs are the same. Series without a name are dark where others have one.
///
/// A panel without a point that can be shown says so.
///
/// # Errors
/// If there are no panels, or if `x`, `y` and the spread of a series differ in length.
pub fn lines(panels: &[Panel]) -> Result<Figure, FigureError> {
    lines_in_rows(panels, PER_ROW)
}

/// As [`lines`], with `per_row` panels in a row, one to three.
///
/// # Errors
/// As [`lines`].
pub fn lines_in_rows(panels: &[Panel], per_row: usize) -> Result<Figure, FigureError> {
    let per_row = per_row.clamp(1, PER_ROW);
    if panels.is_empty() {
        return Err(FigureError::Empty("there are no panels".to_owned()));
    }
    let mut names: Vec<&str> = Vec::new();
    for panel in panels {
        for series in &panel.series {
            check(panel, series)?;
            let name = series.label.trim();
            if !name.is_empty() && !series.faint && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let apart = apart(panels, &names);
    let place = |series: &Series| names.iter().position(|name| *name == series.label.trim());
    let colour = |series: &Series| match place(series) {
        _ if series.faint => OBSERVED,
        Some(place) => match &apart {
            Some(apart) => colour::series(apart[place], colour::PALETTE.len()),
            None => colour::series(place, names.len()),
        },
        None if names.is_empty() => colour::series(0, 1),
        None => INK,
    };
    let width = WIDTHS[panels.len().min(per_row) - 1];
    let plot = |(i, panel): (usize, &Panel)| panel.plot((i / per_row, i % per_row), width, &colour);
    let mut plots: Vec<Plot> = panels.iter().enumerate().map(plot).collect();
    let legends: Vec<Vec<Entry>> = panels.iter().map(|panel| panel.legend(&colour)).collect();
    let one = panels.len() > 1 && legends.windows(2).all(|pair| pair[0] == pair[1]);
    let legend = if one { legends[0].clone() } else { Vec::new() };
    if !one {
        for (plot, legend) in plots.iter_mut().zip(legends) {
            plot.legend = legend;
        }
    }
    Figure {
        legend,
        plots,
        ..Figure::default()
    }
    .checked()
}

/// A place in the palette for each name, such that no two names of one panel share one and a name has the same in all panels; `None`
/// where the palette is too small for that.
fn apart(panels: &[Panel], names: &[&str]) -> Option<Vec<usize>> {
    let shown = |panel: &Panel, name: &str| {
        let mut series = panel.series.iter();
        series.any(|series| !series.faint && series.label.trim() == name)
    };
    let mut places: Vec<usize> = Vec::with_capacity(names.len());
    for name in names {
        let together = |other: &str| {
            let mut panels = panels.iter();
            panels.any(|panel| shown(panel, name) && shown(panel, other))
        };
        let taken = |place: usize| {
            let mut known = places.iter().zip(names);
            known.any(|(p, other)| *p == place && together(other))
        };
        // While the palette suffices, every name has a colour of its own.
        let first = match names.len() <= colour::PALETTE.len() {
            true => places.len(),
            false => (0..colour::PALETTE.len()).find(|place| !taken(*place))?,
        };
        places.push(first);
    }
    Some(places)
}

fn check(panel: &Panel, series: &Series) -> Result<(), FigureError> {
    let wrong = |what: &str, got: usize| FigureError::Length {
        what: format!(
            "{what} of the series \"{}\" in the panel \"{}\"",
            series.label, panel.title
        ),
        expected: format!("as many as in x, {},", series.x.len()),
        got,
    };
    let spread = series.spread.len();
    match series.y.len() == series.x.len() {
        false => Err(wrong("y", series.y.len())),
        true if spread != 0 && spread != series.x.len() => Err(wrong("the spread", spread)),
        true => Ok(()),
    }
}

/// Draws the panels that have curves, as [`lines`]; `None` if none has.
///
/// # Errors
/// As [`lines`].
pub fn lines_if_any(
    panels: impl IntoIterator<Item = Panel>,
) -> Result<Option<Figure>, FigureError> {
    let panels = panels.into_iter();
    let panels: Vec<Panel> = panels.filter(|panel| !panel.series.is_empty()).collect();
    match panels.is_empty() {
        true => Ok(None),
        false => lines(&panels).map(Some),
    }
}

#[cfg(test)]
mod tests;
