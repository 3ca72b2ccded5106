//! Beliefs over time: a panel for each quantity with mean, credible band, true value and observations.
//!
//! Columns of several bins are drawn from the smallest to the largest value with the band at its widest, so a figure
//! of a million bins shows everything that stands out.

use crate::axis::Axis;
use crate::colour::{self, INK, MISSING, OBSERVED, PALETTE, PAPER};
use crate::error::FigureError;
use crate::figure::{Entry, Figure, Frame, Layer, Plot, Side, Swatch, Ticks};
use crate::phase_portrait::PhasePortrait;
use crate::picture::Rgb;
use crate::scene::Stroke;
use crate::shares;
use crate::time_axis::TimeAxis;
use crate::timeline::{MinMax, Span, Timeline, TimelineColumn};

mod axes;
mod missing;

use axes::{either_side, residual_axis, span_axis};
use missing::missing;

/// The width of the data of a panel, alone and beside a portrait.
const WIDTH: f32 = 790.0;
const NARROW: f32 = 470.0;
/// The side of a portrait.
const SIDE: f32 = 290.0;
/// The height that all panels share, and the least and largest height of one.
const HEIGHT: f64 = 470.0;
const LOWEST: f64 = 64.0;
const TALLEST: f64 = 170.0;
/// The height of a panel of what is left, where that of another is 1.
const REST: f64 = 0.55;
/// The narrowest and widest dot of an observation.
const DOT: (f32, f32) = (2.2, 4.5);
/// The least distance of two bins, in pixels, at which dashes and the dots of observations can be distinguished.
const APART: f32 = 1.5;
/// How much of their colour ranges of observations have: they cover areas.
const PALE: f32 = 0.5;
/// The pixels behind the middle of a bin at which a frame ends, so that its dot is whole.
const BEHIND: f64 = 3.0;
/// The milliseconds that all frames take, that one stays at least and at most, and the last one.
const TAKES: u32 = 12_000;
const STAYS: (u32, u32) = (30, 70);
const ENDS: u32 = 2000;

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
    /// The times of the bins, where they are known.
    pub times: Option<&'a TimeAxis>,
}

impl Trajectory<'_> {
    /// The whole figure.
    ///
    /// # Errors
    /// [`FigureError`] if there are no panels, or too many for a figure.
    pub fn picture(&self) -> Result<Figure, FigureError> {
        if self.panels.is_empty() {
            return Err(FigureError::Empty("there are no panels".to_owned()));
        }
        let shares: f64 = self.panels.iter().map(Panel::share).sum();
        let one = (HEIGHT / shares).clamp(LOWEST, TALLEST);
        let last = self.panels.len() - 1;
        let plot = |(row, panel): (usize, &Panel)| {
            let high = (one * panel.share()).round() as f32;
            self.plot(panel, row, high, row == last)
        };
        let mut plots: Vec<Plot> = self.panels.iter().enumerate().map(plot).collect();
        plots.extend(
            self.portrait
                .map(|portrait| portrait.plot((0, 1), SIDE, self.timeline)),
        );
        Figure {
            title: self.title.to_owned(),
            note: self.note.to_owned(),
            legend: self.legend(),
            plots,
            frames: Vec::new(),
            stays: (STAYS.1, ENDS),
        }
        .checked()
    }

    /// The same, moving: at most `most` frames with the same axes; the last shows everything.
    ///
    /// # Errors
    /// As [`Trajectory::picture`].
    pub fn frames(&self, most: usize) -> Result<Figure, FigureError> {
        let columns = self.timeline.columns().len();
        let count = columns.clamp(1, most.max(1));
        let behind = BEHIND / f64::from(self.apart()) * self.timeline.each() as f64;
        let frame = |frame: usize| {
            let upto = (frame * columns).div_ceil(count);
            let (from, to) = self.timeline.edges(upto.saturating_sub(1));
            let portrait = self
                .portrait
                .map(|portrait| portrait.layers(self.timeline, upto));
            Frame {
                until: (frame < count).then(|| (0.5 * (from + to) + behind).min(to)),
                layers: portrait
                    .map(|layers| (self.panels.len(), layers))
                    .into_iter()
                    .collect(),
            }
        };
        let stays = (TAKES / count as u32).clamp(STAYS.0, STAYS.1);
        Ok(Figure {
            frames: (1..=count).map(frame).collect(),
            stays: (stays, ENDS),
            ..self.picture()?
        })
    }

    fn width(&self) -> f32 {
        if self.portrait.is_some() {
            NARROW
        } else {
            WIDTH
        }
    }

    /// The pixels between two columns.
    fn apart(&self) -> f32 {
        self.width() / self.timeline.columns().len().max(1) as f32
    }

    /// Whether columns lie too close to distinguish dots and dashes.
    fn dense(&self) -> bool {
        self.timeline.each() > 1 || self.apart() < APART
    }

    fn plot(&self, panel: &Panel, row: usize, high: f32, last: bool) -> Plot {
        let (timeline, unit) = (self.timeline, Axis::linear(0.0, 1.0));
        let columns = timeline.columns().len();
        let x = match columns {
            0 => unit,
            _ => Axis::linear(timeline.edges(0).0, timeline.edges(columns - 1).1),
        };
        let (y, key) = match panel {
            Panel::Shares(states) => (
                Some(shares::side(states, timeline)),
                shares::key(states.len()),
            ),
            Panel::Span { label, index } => (
                span_axis(timeline, *index).map(|axis| Side::new(axis, label, Ticks::Round)),
                None,
            ),
            Panel::Residual { label, index } => (
                residual_axis(timeline, *index)
                    .map(|axis| Side::new(axis, label, Ticks::Numbers(either_side(&axis)))),
                None,
            ),
        };
        let first = match panel {
            Panel::Shares(states) => shares::first(states),
            _ => 1.0,
        };
        let shown = columns > 0 && y.is_some();
        let name = match panel {
            Panel::Span { label, .. } | Panel::Residual { label, .. } => label,
            Panel::Shares(_) => "",
        };
        let y = y.unwrap_or_else(|| Side::new(unit, name, Ticks::Numbers(Vec::new())));
        let mut layers = missing(timeline, &y.axis);
        match panel.index() {
            _ if !shown => layers.push(Layer::nothing(&x, &y.axis)),
            Some(index) => self.span(index, &mut layers),
            None => layers.extend(shares::layers(timeline, self.width() as usize, first)),
        }
        let times = self.times.filter(|_| columns > 0);
        let times = times.map(|times| (times, times.ticks(&x, self.width())));
        let times = times.filter(|(_, ticks)| !ticks.is_empty());
        let (name, ticks) = match (times, last) {
            (Some((times, ticks)), true) => (times.label.as_str(), Ticks::Numbers(ticks)),
            (Some((_, ticks)), false) => ("", Ticks::Grid(ticks)),
            (None, true) if columns > 0 => ("observation", Ticks::Whole),
            (None, true) => ("observation", Ticks::Silent),
            (None, false) => ("", Ticks::Silent),
        };
        Plot {
            key,
            revealed: true,
            ..Plot::new(
                (row, 0),
                (self.width(), high),
                Side::new(x, name, ticks),
                y,
                layers,
            )
        }
    }

    /// One quantity: what was observed, the truth, the band, the mean.
    fn span(&self, index: usize, layers: &mut Vec<Layer>) {
        let timeline = self.timeline;
        let none = Span::NONE;
        let spans =
            || {
                timeline.columns().iter().enumerate().map(|(k, column)| {
                    (timeline.edges(k), *column.spans.get(index).unwrap_or(&none))
                })
            };
        let middle = |(from, to): (f64, f64)| 0.5 * (from + to);
        let line = |of: fn(&Span) -> MinMax, stroke| {
            let points = spans().flat_map(|((from, to), s)| {
                let extent = of(&s);
                let quarter = 0.25 * (to - from);
                let [first, second] = extent.in_order();
                let at = |x: f64, y: f64| extent.is_some().then_some((x, y));
                match extent.low < extent.high {
                    true => [
                        Some(at(from + quarter, first)),
                        Some(at(to - quarter, second)),
                    ],
                    false => [Some(at(from + 2.0 * quarter, first)), None],
                }
            });
            Layer::Line {
                points: points.flatten().collect(),
                stroke,
                dots: 0.0,
            }
        };
        let seen = spans().filter(|(_, s)| s.seen.is_some());
        let dots = || {
            seen.clone()
                .map(|(at, s)| (middle(at), s.seen.low))
                .collect()
        };
        let (dense, apart) = (self.dense(), self.apart());
        let edges = spans().map(|(at, s)| (middle(at), s.low, s.high)).collect();
        let band = Layer::Band {
            edges,
            colour: self.colour(),
        };
        let mean = line(
            |s| s.mean,
            Stroke::of(self.colour(), if dense { 1.0 } else { 1.6 }),
        );
        let truth = line(|s| s.truth, self.truth());
        let observed = match timeline.each() {
            1 => Layer::Dots {
                points: dots(),
                colour: OBSERVED,
                size: (0.8 * apart).clamp(DOT.0, DOT.1),
            },
            _ => Layer::Ranges {
                ranges: seen
                    .map(|(at, s)| (middle(at), s.seen.low, s.seen.high))
                    .collect(),
                colour: colour::mix(PAPER, OBSERVED, PALE),
                width: 1.4,
            },
        };
        // Where columns lie close, truth and observations would hide the belief.
        layers.extend(match dense {
            true => [observed, truth, band, mean],
            false => [band, mean, observed, truth],
        });
    }

    /// The colour of a mean and its band: one that no state and no map of states of this figure has.
    fn colour(&self) -> Rgb {
        let states = self.panels.iter().find_map(|panel| match panel {
            Panel::Shares(states) => Some(states.len()),
            _ => None,
        });
        match states {
            None => PALETTE[0],
            Some(states) if shares::stacks(states) => INK,
            Some(_) => PALETTE[3],
        }
    }

    fn truth(&self) -> Stroke {
        let dashed = !self.dense();
        Stroke {
            dashed,
            ..Stroke::of(INK, if dashed { 1.2 } else { 0.8 })
        }
    }

    /// The names of what is drawn.
    fn legend(&self) -> Vec<Entry> {
        let columns = self.timeline.columns();
        let shown: Vec<usize> = self.panels.iter().filter_map(Panel::index).collect();
        let any = |has: fn(&Span) -> bool| {
            let spans = |c: &TimelineColumn| shown.iter().any(|i| c.spans.get(*i).is_some_and(has));
            columns.iter().any(spans)
        };
        let mut names = Vec::new();
        for panel in self.panels {
            if let Panel::Shares(states) = panel
                && shares::stacks(states.len())
            {
                let shade = |k| Swatch::Block(shares::shade(k, states.len()));
                names.extend(
                    states
                        .iter()
                        .enumerate()
                        .map(|(k, name)| Entry::new(name, shade(k))),
                );
            }
        }
        let colour = self.colour();
        if any(|s| !s.low.is_nan()) {
            names.push(Entry::new(
                format!("mean, {}", self.band),
                Swatch::Band(colour),
            ));
        } else if any(|s| s.mean.is_some()) {
            names.push(Entry::new(
                "mean",
                Swatch::Line(Stroke::of(colour, 1.6), false),
            ));
        }
        if any(|s| s.truth.is_some()) {
            names.push(Entry::new("truth", Swatch::Line(self.truth(), false)));
        }
        if any(|s| s.seen.is_some()) {
            let swatch = match self.timeline.each() {
                1 => Swatch::Dot(OBSERVED),
                _ => Swatch::Block(colour::mix(PAPER, OBSERVED, PALE)),
            };
            names.push(Entry::new("observed", swatch));
        }
        if columns.iter().any(|c| c.missing > 0) {
            names.push(Entry::new("nothing observed", Swatch::Block(MISSING)));
        }
        names
    }
}

#[cfg(test)]
mod tests;
