//! Beliefs over time: a panel for each quantity with mean, credible band, true value and observations.
//!
//! Columns of several bins are drawn from the smallest to the largest value with the band at its widest, so a picture
//! of a million bins shows everything that stands out.

use crate::picture::RgbImage;

use crate::axis::{Axis, Tick, whole};
use crate::band;
use crate::canvas;
use crate::colour::{self, INK, MISSING, MUTED, OKABE_ITO, PAPER};
use crate::curve::THICKNESS;
use crate::error::FigureError;
use crate::header::Header;
use crate::legend::{Legend, Swatch};
use crate::phase_portrait::PhasePortrait;
use crate::plot::{self, Along, Plot};
use crate::shares;
use crate::text::{self, BODY};
use crate::timeline::{MinMax, Span, Timeline};

const MARGIN: u32 = 24;
/// Half of the last number on the horizontal axis reaches beyond the data.
const RIGHT: u32 = 24;
/// The width of the panels, alone and beside a portrait.
const WIDTH: u32 = 880;
const NARROW: u32 = 560;
/// The side of a portrait, and the space before it.
const SIDE: u32 = 430;
const BEFORE_PORTRAIT: u32 = 40;
/// The height that all panels share, and the least and largest height of one.
const HEIGHT: u32 = 680;
const LOWEST: u32 = 96;
const TALLEST: u32 = 230;
/// The height of a panel of what is left, where that of another is 1.
const REST: f64 = 0.55;
/// The space between two panels.
const BETWEEN: u32 = 26;
/// The part of the band's edges at either end that need not fit on the axis: a start that is hardly known would
/// flatten all that follows.
const CLIPPED: f64 = 0.05;
/// The widest and narrowest dot of an observation.
const DOT: (f32, f32) = (5.0, 2.2);
/// The least distance of two bins, in pixels, at which dots and dashes can be distinguished.
const APART: f32 = 1.5;
/// How much of their colour truth and observations have where columns hold several bins.
const PALE: f32 = 0.5;

/// What a panel shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Panel {
    /// The quantity at this place among the spans of every moment.
    Span {
        /// What it is called.
        label: String,
        /// Its place.
        index: usize,
    },
    /// The same, half as high: what is left of the quantity above when its mean is taken off. What stands out is cut off
    /// here, so that what is usual can be seen.
    Residual {
        /// What it is called.
        label: String,
        /// Its place.
        index: usize,
    },
    /// The probabilities of all states of a discrete model, by name.
    Shares(Vec<String>),
}

impl Panel {
    /// Its part of the height.
    fn share(&self) -> f64 {
        match self {
            Self::Residual { .. } => REST,
            _ => 1.0,
        }
    }

    /// The place of its quantity, if it is one.
    fn index(&self) -> Option<usize> {
        match self {
            Self::Span { index, .. } | Self::Residual { index, .. } => Some(*index),
            Self::Shares(_) => None,
        }
    }
}

/// A picture of beliefs over time.
#[derive(Clone, Debug)]
pub struct Trajectory<'a> {
    /// Above all else.
    pub title: &'a str,
    /// Below the title.
    pub note: &'a str,
    /// What the band is, such as "90 % credible band".
    pub band: &'a str,
    /// The panels from above.
    pub panels: &'a [Panel],
    /// The phase portrait, on the right.
    pub portrait: Option<&'a PhasePortrait>,
    /// The data.
    pub timeline: &'a Timeline,
}

impl Trajectory<'_> {
    /// The whole figure.
    ///
    /// # Errors
    /// [`FigureError`] if there are no panels, or too many for a picture.
    pub fn picture(&self) -> Result<RgbImage, FigureError> {
        PanelLayout::new(self)?.draw(self.timeline.columns().len(), false)
    }

    /// An animation of the same, of at most `most` frames of one size and with the same axes; the last shows everything.
    ///
    /// # Errors
    /// As [`Trajectory::picture`].
    pub fn frames(
        &self,
        most: usize,
    ) -> Result<impl Iterator<Item = Result<RgbImage, FigureError>>, FigureError> {
        let laid = PanelLayout::new(self)?;
        let columns = self.timeline.columns().len();
        let count = columns.clamp(1, most.max(1));
        Ok((1..=count).map(move |frame| laid.draw((frame * columns).div_ceil(count), true)))
    }
}

/// One panel with its axis chosen.
struct Row<'a> {
    panel: &'a Panel,
    label: &'a str,
    /// None without a value to show.
    y: Option<Axis>,
    ticks: Vec<Tick>,
    /// The space above the data, and the height of the data.
    head: u32,
    high: u32,
}

/// A trajectory with its places and axes chosen, so that every frame has the same.
struct PanelLayout<'a> {
    figure: &'a Trajectory<'a>,
    header: Header,
    legend: Legend,
    rows: Vec<Row<'a>>,
    /// The left edge and the width of the data.
    left: u32,
    width: u32,
    x: Option<Axis>,
    x_ticks: Vec<Tick>,
    size: (u32, u32),
}

impl<'a> PanelLayout<'a> {
    fn new(figure: &'a Trajectory<'a>) -> Result<Self, FigureError> {
        if figure.panels.is_empty() {
            return Err(FigureError::Empty("there are no panels".to_owned()));
        }
        let timeline = figure.timeline;
        let count = figure.panels.len() as u32;
        let shares: f64 = figure.panels.iter().map(Panel::share).sum();
        let one = (f64::from(HEIGHT) / shares).clamp(LOWEST.into(), TALLEST.into());
        let row = |panel: &'a Panel| Row::new(panel, timeline, (one * panel.share()) as u32);
        let rows: Vec<Row> = figure.panels.iter().map(row).collect();
        let beside = |row: &Row| {
            plot::side_width(Along {
                ticks: &row.ticks,
                label: row.label,
            })
        };
        let side = rows.iter().map(beside).max().unwrap_or(0);
        let columns = timeline.columns().len();
        let x = timeline.bins().map(|_| {
            let (from, to) = (timeline.edges(0).0, timeline.edges(columns - 1).1);
            Axis::linear(from, to)
        });
        let (width, right) = match figure.portrait {
            None => (WIDTH, 0),
            Some(_) => (NARROW, BEFORE_PORTRAIT + SIDE),
        };
        let x_ticks = x.map_or(Vec::new(), |x| whole(plot::fitting_ticks(x, width)));
        let wide = MARGIN + side + width + RIGHT + right + MARGIN;
        let inner = wide - 2 * MARGIN;
        let header = Header::new(figure.title, figure.note, inner);
        let legend = Legend::of(names(figure).into_iter(), inner);
        let panels: u32 = rows.iter().map(|row| row.head + row.high).sum();
        let panels = panels + (count - 1) * BETWEEN + plot::BELOW;
        let least = match figure.portrait {
            None => panels,
            Some(_) => panels.max(SIDE),
        };
        let tall = MARGIN + header.height() + legend.height() + least + MARGIN;
        Ok(Self {
            figure,
            header,
            legend,
            rows,
            left: MARGIN + side,
            width,
            x,
            x_ticks,
            size: (wide, tall),
        })
    }

    /// Draws the first `upto` columns, with a line at the end of them if they are a `frame` of many.
    fn draw(&self, upto: usize, frame: bool) -> Result<RgbImage, FigureError> {
        let mut picture = canvas::paper(self.size.0 as usize, self.size.1 as usize)?;
        let timeline = self.figure.timeline;
        let x = MARGIN as i32;
        let mut top = MARGIN;
        self.header.draw(&mut picture, x, top as i32);
        top += self.header.height();
        self.legend.draw(&mut picture, x, top as i32);
        top += self.legend.height();
        if let Some(portrait) = self.figure.portrait {
            let left = self.left + self.width + RIGHT + BEFORE_PORTRAIT;
            let place = (left as i32, top as i32, SIDE);
            portrait.draw(&mut picture, place, timeline, upto);
        }
        let unit = Axis::linear(0.0, 1.0);
        let last = self.rows.len() - 1;
        for (index, row) in self.rows.iter().enumerate() {
            top += row.head;
            let plot = Plot {
                left: self.left as i32,
                top: top as i32,
                width: self.width,
                height: row.high,
                x: self.x.unwrap_or(unit),
                y: row.y.unwrap_or(unit),
            };
            row.draw(&mut picture, &plot, timeline, upto, &self.x_ticks);
            if let Some(end) = frame.then(|| upto.checked_sub(1)).flatten() {
                let x = plot.pixel(timeline.edges(end).1, 0.0).0.round() as i32;
                canvas::fill(&mut picture, x, plot.top, 1, plot.height, MUTED);
            }
            // The names of all panels stand below each other, however wide their numbers.
            let beside = Along {
                ticks: &row.ticks,
                label: "",
            };
            plot.side(&mut picture, beside);
            let label = text::fit(row.label, BODY, row.high + BETWEEN / 2);
            let middle = top as i32 + row.high as i32 / 2;
            text::draw_upwards(&mut picture, x, middle, &label, BODY, MUTED);
            let along = Along {
                ticks: if index == last { &self.x_ticks } else { &[] },
                label: if index == last { "bin" } else { "" },
            };
            plot.bottom(&mut picture, along);
            top += row.high + BETWEEN;
        }
        Ok(picture)
    }
}

/// The names in the legend: only of what is drawn.
fn names(figure: &Trajectory) -> Vec<(String, Swatch)> {
    let columns = figure.timeline.columns();
    let shown: Vec<usize> = figure.panels.iter().filter_map(Panel::index).collect();
    let any = |has: fn(&Span) -> bool| {
        let spans = |c: &crate::timeline::TimelineColumn| {
            shown.iter().any(|i| c.spans.get(*i).is_some_and(has))
        };
        columns.iter().any(spans)
    };
    let mut names = Vec::new();
    for panel in figure.panels {
        if let Panel::Shares(states) = panel
            && shares::stacks(states.len())
        {
            let count = states.len();
            let named = |(k, name): (usize, &String)| {
                (name.clone(), Swatch::Block(shares::shade(k, count)))
            };
            names.extend(states.iter().enumerate().map(named));
        }
    }
    let blue = OKABE_ITO[0];
    if any(|s| !s.low.is_nan()) {
        names.push((format!("mean, {}", figure.band), Swatch::Band(blue)));
    } else if any(|s| s.mean.is_some()) {
        names.push(("mean".to_owned(), Swatch::Line(blue)));
    }
    if any(|s| s.truth.is_some()) {
        let truth = match figure.timeline.each() {
            1 => Swatch::Dashes(INK),
            _ => Swatch::Line(colour::mix(PAPER, INK, PALE)),
        };
        names.push(("truth".to_owned(), truth));
    }
    if any(|s| s.seen.is_some()) {
        names.push(("observed".to_owned(), Swatch::Dot(OKABE_ITO[1])));
    }
    if columns.iter().any(|c| c.missing > 0) {
        names.push(("nothing observed".to_owned(), Swatch::Block(MISSING)));
    }
    names
}

impl<'a> Row<'a> {
    fn new(panel: &'a Panel, timeline: &Timeline, high: u32) -> Self {
        match panel {
            Panel::Span { label, index } | Panel::Residual { label, index } => {
                let y = match panel {
                    Panel::Residual { .. } => residual_axis(timeline, *index),
                    _ => span_axis(timeline, *index),
                };
                Self {
                    panel,
                    label,
                    y,
                    ticks: y.map_or(Vec::new(), |y| y.ticks((high / 24).clamp(3, 5) as usize)),
                    head: 0,
                    high,
                }
            }
            Panel::Shares(states) => {
                let (y, ticks) = shares::axis(states.len());
                let stacks = shares::stacks(states.len());
                let known = timeline.columns().iter().any(|c| !c.truths.is_empty());
                Self {
                    panel,
                    label: if stacks { "probability" } else { "state" },
                    y: Some(y),
                    ticks,
                    head: match stacks && known {
                        true => shares::STRIP + shares::APART,
                        false => 0,
                    },
                    high,
                }
            }
        }
    }

    fn draw(
        &self,
        picture: &mut RgbImage,
        plot: &Plot,
        timeline: &Timeline,
        upto: usize,
        x_ticks: &[Tick],
    ) {
        missing(picture, plot, timeline, upto);
        plot.grid(picture, x_ticks, &self.ticks);
        let shown = self.y.is_some() && timeline.bins().is_some();
        if !shown {
            let x = plot.left + plot.width as i32 / 2;
            let y = plot.top + plot.height as i32 / 2 - 8;
            text::draw_centred(picture, x, y, "no values to show", BODY, MUTED);
            return;
        }
        match self.panel.index() {
            Some(index) => span(picture, plot, timeline, index, upto),
            None => shares::draw(picture, plot, timeline, upto),
        }
    }
}

/// The range of beliefs, true values and observations; the band fits except for its outermost edges.
fn span_axis(timeline: &Timeline, index: usize) -> Option<Axis> {
    let spans = || timeline.columns().iter().filter_map(|c| c.spans.get(index));
    let edges = usual(spans().map(|s| (s.low, s.high)));
    let values = spans().flat_map(|s| [s.mean, s.truth, s.seen]);
    let values = values.flat_map(|e: MinMax| [e.low, e.high]);
    Axis::around(values.chain(edges.into_iter().flatten()), false, 0.06)
}

/// The range of the band and of the truth but for the outermost of both.
fn residual_axis(timeline: &Timeline, index: usize) -> Option<Axis> {
    let spans = || timeline.columns().iter().filter_map(|c| c.spans.get(index));
    let edges = usual(spans().map(|s| (s.low, s.high)));
    let truths = usual(spans().map(|s| (s.truth.low, s.truth.high)));
    let values = edges.into_iter().chain(truths).flatten();
    Axis::around(values, false, 0.06)
}

/// The lowest and the highest of ranges, without the part [`CLIPPED`] at either end.
fn usual(ranges: impl Iterator<Item = (f64, f64)>) -> [Option<f64>; 2] {
    let (mut lows, mut highs): (Vec<f64>, Vec<f64>) = ranges
        .filter(|(low, high)| low.is_finite() && high.is_finite())
        .unzip();
    lows.sort_by(f64::total_cmp);
    highs.sort_by(|a, b| b.total_cmp(a));
    let clipped = (CLIPPED * lows.len() as f64) as usize;
    [lows.get(clipped).copied(), highs.get(clipped).copied()]
}

/// Shades the times at which nothing was observed, paler where that holds for a part of a column.
fn missing(picture: &mut RgbImage, plot: &Plot, timeline: &Timeline, upto: usize) {
    for (index, column) in timeline.columns().iter().take(upto).enumerate() {
        if column.missing == 0 {
            continue;
        }
        let part = column.missing as f32 / column.bins.max(1) as f32;
        let (from, to) = timeline.edges(index);
        let edge = |x: f64| plot.pixel(x, 0.0).0.round() as i32;
        let right = plot.left + plot.width as i32;
        let (from, to) = (edge(from), edge(to).min(right));
        let wide = (to - from).max(1) as u32;
        let colour = colour::mix(PAPER, MISSING, part.max(0.3));
        canvas::fill(picture, from, plot.top, wide, plot.height, colour);
    }
}

/// Draws one quantity: its band, what was observed, the mean, the truth. Where columns hold several bins, truth and
/// observations are pale and lie below, or they would hide the belief.
fn span(picture: &mut RgbImage, plot: &Plot, timeline: &Timeline, index: usize, upto: usize) {
    let columns = timeline.columns();
    let columns = &columns[..upto.min(columns.len())];
    let (blue, orange) = (OKABE_ITO[0], OKABE_ITO[1]);
    let spans = || {
        columns.iter().enumerate().map(move |(k, column)| {
            let (from, to) = timeline.edges(k);
            ((from, to), column.spans.get(index).unwrap_or(&Span::NONE))
        })
    };
    let apart = plot.pixel(timeline.edges(0).1, 0.0).0 - plot.pixel(timeline.edges(0).0, 0.0).0;
    let dense = timeline.each() > 1 || apart < APART;
    let line = |of: fn(&Span) -> MinMax| {
        spans().flat_map(move |((from, to), s)| {
            let extent = of(s);
            let quarter = 0.25 * (to - from);
            let [first, second] = extent.in_order();
            let at = |x: f64, y: f64| extent.is_some().then(|| plot.pixel(x, y));
            match extent.low < extent.high {
                true => vec![at(from + quarter, first), at(to - quarter, second)],
                false => vec![at(from + 2.0 * quarter, first)],
            }
        })
    };
    let seen = spans().filter(|(_, s)| s.seen.is_some());
    let seen = seen.map(|((from, to), s)| {
        let x = 0.5 * (from + to);
        (plot.pixel(x, s.seen.low), plot.pixel(x, s.seen.high))
    });
    let edges = spans().map(|((from, to), s)| (0.5 * (from + to), s.low, s.high));
    let covered = band::cover(plot, edges, apart);
    let rows = plot.rows();
    if dense {
        for (low, high) in seen {
            let colour = colour::mix(PAPER, orange, PALE);
            canvas::line(picture, low, high, apart.max(1.0), colour);
        }
        let colour = colour::mix(PAPER, INK, PALE);
        joined(picture, line(|s| s.truth), rows, 1.0, colour);
        band::fill(picture, plot, &covered, blue);
        joined(picture, line(|s| s.mean), rows, 1.4, blue);
        return;
    }
    band::fill(picture, plot, &covered, blue);
    joined(picture, line(|s| s.mean), rows, THICKNESS - 0.6, blue);
    for (dot, _) in seen {
        let wide = (0.8 * apart).clamp(DOT.1, DOT.0);
        canvas::line(picture, dot, dot, wide, orange);
    }
    band::dashes(picture, line(|s| s.truth), rows, 1.5, INK);
}

/// A line through points, as far as it lies between two rows of pixels; None breaks it, and a point without neighbours is
/// a dot.
fn joined(
    picture: &mut RgbImage,
    points: impl Iterator<Item = Option<(f32, f32)>>,
    rows: (f32, f32),
    thickness: f32,
    colour: crate::picture::Rgb,
) {
    let mut before: Option<(f32, f32)> = None;
    let mut alone = false;
    for point in points.chain([None]) {
        match (before, point) {
            (Some(from), Some(to)) => {
                if let Some((from, to)) = band::clipped((from, to), rows) {
                    canvas::line(picture, from, to, thickness, colour);
                }
                alone = false;
            }
            (None, Some(_)) => alone = true,
            (Some(from), None) if alone => {
                canvas::line(picture, from, from, thickness + 2.0, colour);
            }
            _ => {}
        }
        before = point;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{COLUMNS, PhasePoint, TimelineColumn};

    fn timeline(bins: u64, value: impl Fn(u64) -> (f64, f64)) -> Timeline {
        let mut timeline = Timeline::new(COLUMNS);
        for t in 1..=bins {
            let (mean, half) = value(t);
            let missing = (bins / 2..bins / 2 + bins / 10).contains(&t);
            let seen = match missing {
                true => MinMax::NONE,
                false => MinMax::of(mean + 0.3 * (t as f64 * 12.9898).sin()),
            };
            let moment = TimelineColumn {
                bins: 1,
                missing: u64::from(missing),
                spans: vec![Span {
                    truth: MinMax::of(mean + 0.1),
                    seen,
                    ..Span::around(mean, half)
                }],
                spot: Some(PhasePoint {
                    mean: [mean, -mean],
                    covariance: [half, 0.0, half],
                    truth: None,
                }),
                ..TimelineColumn::default()
            };
            timeline.push(t, moment);
        }
        timeline
    }

    fn panels(count: usize) -> Vec<Panel> {
        let panel = |i: usize| Panel::Span {
            label: format!("state {}", i + 1),
            index: 0,
        };
        (0..count).map(panel).collect()
    }

    fn figure<'a>(timeline: &'a Timeline, panels: &'a [Panel]) -> Trajectory<'a> {
        Trajectory {
            title: "A model",
            note: "some bins",
            band: "90 % credible band",
            panels,
            portrait: None,
            timeline,
        }
    }

    /// Where the mean of the belief is drawn: pixels of its colour below the legend.
    fn mean(picture: &RgbImage, below: u32) -> Vec<(u32, u32)> {
        let blue = picture.enumerate_pixels().filter(|p| *p.2 == OKABE_ITO[0]);
        blue.map(|(x, y, _)| (x, y))
            .filter(|p| p.1 > below)
            .collect()
    }

    #[test]
    fn one_bin_that_stands_out_is_seen_among_a_hundred_thousand() {
        let spike = |at: Option<u64>| {
            let timeline = timeline(100_000, |t| (if Some(t) == at { 5.0 } else { 0.0 }, 0.5));
            assert!(timeline.each() > 1);
            let panels = panels(1);
            let figure = figure(&timeline, &panels);
            let laid = PanelLayout::new(&figure).unwrap();
            let plot_top = laid.size.1 - MARGIN - plot::BELOW - laid.rows[0].high;
            // Dark pixels right of the axis: lines. Grid, shades and tints are lighter.
            let picture = figure.picture().unwrap();
            let lines = picture
                .enumerate_pixels()
                .filter(|(x, y, p)| *x >= laid.left && *y >= plot_top && p[0] < 130);
            let highest = lines.map(|(_, y, _)| y).min().unwrap();
            (highest - plot_top, laid.rows[0].high)
        };
        let (with, high) = spike(Some(40_321));
        // The highest value is at the top but for the margin of the axis; without it all is in one row.
        assert!(with < high / 8, "{with} of {high}");
        let (without, high) = spike(None);
        assert!(without > high / 4, "{without} of {high}");
    }

    #[test]
    fn a_start_that_is_hardly_known_does_not_flatten_the_rest() {
        let timeline = timeline(100, |t| (0.0, if t < 4 { 1000.0 } else { 1.0 }));
        let axis = span_axis(&timeline, 0).unwrap();
        assert!(axis.place(1.0) - axis.place(-1.0) > 0.8);
        // A belief that is nowhere better known is shown as wide as it is.
        let wide = self::timeline(100, |_| (0.0, 1000.0));
        let axis = span_axis(&wide, 0).unwrap();
        assert!(axis.place(1000.0) <= 1.0 && axis.place(-1000.0) >= 0.0);
    }

    #[test]
    fn what_is_left_is_cut_off_at_the_edges_of_its_panel() {
        let timeline = timeline(200, |t| (if t == 60 { 500.0 } else { 0.0 }, 1.0));
        let axis = residual_axis(&timeline, 0).unwrap();
        assert!(axis.place(500.0) > 10.0 && axis.place(1.0) < 1.0);
        let label = "error".to_owned();
        let panels = [Panel::Residual { label, index: 0 }];
        let figure = figure(&timeline, &panels);
        let laid = PanelLayout::new(&figure).unwrap();
        let high = laid.rows[0].high;
        let below = laid.size.1 - MARGIN - plot::BELOW;
        let picture = figure.picture().unwrap();
        // The spike ends with the panel: above it is the paper below the legend.
        let above = picture.enumerate_pixels().filter(|(x, y, _)| {
            *x >= laid.left && (below - high - 7..below - high - 2).contains(y)
        });
        assert!(above.into_iter().all(|p| *p.2 == PAPER));
    }

    #[test]
    fn the_legend_names_what_is_there() {
        let timeline = timeline(100, |t| (t as f64, 1.0));
        let panels = panels(2);
        let named: Vec<String> = names(&figure(&timeline, &panels))
            .into_iter()
            .map(|n| n.0)
            .collect();
        let expected = [
            "mean, 90 % credible band",
            "truth",
            "observed",
            "nothing observed",
        ];
        assert_eq!(named, expected);
        assert_eq!(names(&figure(&Timeline::new(4), &panels)), []);
    }

    #[test]
    fn nothing_is_drawn_outside_the_margins() {
        let timeline = timeline(30, |t| (1e5 * t as f64, 1e4));
        for (count, portrait) in [(1, false), (3, true), (12, false), (14, true)] {
            let mut panels = panels(count);
            panels.push(Panel::Span {
                label: "a name that is much too long to be a name ".repeat(9),
                index: 0,
            });
            let long = "a long name of a state ".repeat(9);
            let beside = PhasePortrait {
                labels: [long.clone(), long.clone()],
                radius: 2.0,
            };
            let figure = Trajectory {
                title: &long,
                portrait: portrait.then_some(&beside),
                ..figure(&timeline, &panels)
            };
            let picture = figure.picture().unwrap();
            let (wide, high) = picture.dimensions();
            for (x, y, pixel) in picture.enumerate_pixels() {
                let margin = x < MARGIN - 4
                    || y < MARGIN - 4
                    || y >= high - MARGIN + 4
                    || x >= wide - MARGIN + 16;
                assert!(!margin || *pixel == PAPER, "{count}: ({x}, {y})");
            }
        }
    }

    #[test]
    fn frames_are_few_of_one_size_and_end_with_everything() {
        let timeline = timeline(1000, |t| ((t as f64 / 50.0).sin(), 0.2));
        let panels = panels(2);
        let figure = figure(&timeline, &panels);
        let frames: Vec<RgbImage> = figure.frames(7).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(frames.len(), 7);
        assert!(
            frames
                .iter()
                .all(|f| f.dimensions() == frames[0].dimensions())
        );
        let reach = |f: &RgbImage| mean(f, 150).iter().map(|p| p.0).max().unwrap();
        assert!(
            frames
                .windows(2)
                .all(|pair| reach(&pair[0]) < reach(&pair[1]))
        );
        let last = mean(&frames[6], 150);
        assert_eq!(last, mean(&figure.picture().unwrap(), 150));
        assert_eq!(figure.frames(5000).unwrap().count(), 1000);
    }

    #[test]
    fn no_bins_give_empty_panels_and_no_panels_an_error() {
        let empty = Timeline::new(4);
        let panels = panels(2);
        assert!(figure(&empty, &panels).picture().is_ok());
        assert_eq!(figure(&empty, &panels).frames(9).unwrap().count(), 1);
        let error = figure(&empty, &[]).picture().unwrap_err().to_string();
        assert!(error.contains("no panels"), "{error}");
    }
}
