//! Curves: panels of lines side by side, such as the loss over training.

use crate::picture::RgbImage;

use crate::axis::Axis;
use crate::canvas;
use crate::colour::{self, MUTED};
use crate::curve;
use crate::error::FigureError;
use crate::header::Header;
use crate::legend::Legend;
use crate::plot::{self, Along, Plot};
use crate::text::{self, BODY};

pub use crate::curve::{Mark, Series};

const PANEL_WIDTH: u32 = 640;
const PLOT_HEIGHT: u32 = 360;
const PER_ROW: usize = 3;
/// The paper left free around a panel.
const MARGIN: u32 = 24;
/// Half of the last number on the horizontal axis reaches beyond the data.
const RIGHT: u32 = 24;

/// One plot: any number of curves over shared axes.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// Drawn above the panel; may be empty.
    pub title: String,
    /// The quantity on the horizontal axis.
    pub x_label: String,
    /// The quantity on the vertical axis.
    pub y_label: String,
    /// The curves, drawn in this order.
    pub series: Vec<Series>,
    /// Whether the horizontal axis is logarithmic; values of 0 and below are left out.
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic; values of 0 and below are left out.
    pub log_y: bool,
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
        }
    }

    /// The same with logarithmic axes where asked for.
    pub fn logarithmic(self, log_x: bool, log_y: bool) -> Self {
        Self {
            log_x,
            log_y,
            ..self
        }
    }
}

/// Draws panels side by side, three in a row, with the legend of each above its curves.
///
/// A panel without a point that can be shown says so. It is an error if there are no panels or if
/// the `x` and `y` of a series differ in length.
pub fn lines(panels: &[Panel]) -> Result<RgbImage, FigureError> {
    if panels.is_empty() {
        return Err(FigureError::Empty("there are no panels".to_owned()));
    }
    for (panel, series) in panels
        .iter()
        .flat_map(|panel| panel.series.iter().map(move |s| (panel, s)))
    {
        if series.x.len() != series.y.len() {
            return Err(FigureError::Length {
                what: format!(
                    "y of the series \"{}\" in the panel \"{}\"",
                    series.label, panel.title
                ),
                expected: format!("as many as in x, {},", series.x.len()),
                got: series.y.len(),
            });
        }
    }
    let laid: Vec<Vec<PanelLayout>> = panels
        .chunks(PER_ROW)
        .map(|row| row.iter().map(PanelLayout::new).collect())
        .collect();
    let head = |row: &[PanelLayout]| row.iter().map(PanelLayout::head).max().unwrap_or(0);
    let below = PLOT_HEIGHT + plot::BELOW + MARGIN;
    let height: u32 = laid.iter().map(|row| MARGIN + head(row) + below).sum();
    let columns = panels.len().min(PER_ROW) as u32;
    let mut picture = canvas::paper((columns * PANEL_WIDTH) as usize, height as usize)?;
    let mut top = MARGIN;
    for row in &laid {
        for (column, panel) in row.iter().enumerate() {
            panel.draw(
                &mut picture,
                column as u32 * PANEL_WIDTH,
                top,
                top + head(row),
            );
        }
        top += head(row) + below + MARGIN;
    }
    Ok(picture)
}

/// Draws the panels that have curves, as [`lines`]; `None` if none has.
///
/// # Errors
/// As [`lines`].
pub fn lines_if_any(
    panels: impl IntoIterator<Item = Panel>,
) -> Result<Option<RgbImage>, FigureError> {
    let panels = panels.into_iter();
    let panels: Vec<Panel> = panels.filter(|panel| !panel.series.is_empty()).collect();
    match panels.is_empty() {
        true => Ok(None),
        false => lines(&panels).map(Some),
    }
}

/// A panel with its header and legend broken into lines and its axes chosen.
struct PanelLayout<'a> {
    panel: &'a Panel,
    header: Header,
    legend: Legend,
    /// The two axes; none without a point to show.
    axes: Option<(Axis, Axis)>,
}

impl<'a> PanelLayout<'a> {
    fn new(panel: &'a Panel) -> Self {
        let points = |series: &'a Series| series.points(panel.log_x, panel.log_y).flatten();
        let shown = || panel.series.iter().flat_map(points);
        let x = Axis::around(shown().map(|point| point.0), panel.log_x, 0.02);
        let bars = panel.series.iter().any(|s| s.mark == Mark::Bars);
        let y = Axis::around(shown().map(|point| point.1), panel.log_y, 0.05);
        let highest = shown().map(|point| point.1).fold(0.0, f64::max);
        let counts = bars && !panel.log_y && shown().all(|point| point.1 >= 0.0);
        // Bars stand on the axis itself.
        let y = match counts && highest > 0.0 {
            true => y.map(|_| Axis::linear(0.0, 1.05 * highest)),
            false => y,
        };
        let inner = PANEL_WIDTH - 2 * MARGIN;
        Self {
            panel,
            header: Header::new(&panel.title, "", inner),
            legend: Legend::new(&panel.series, inner),
            axes: x.zip(y),
        }
    }

    /// The height of the title and the legend.
    fn head(&self) -> u32 {
        self.header.height() + self.legend.height()
    }

    /// Draws the panel; its data begins at `plot_top`, below the tallest head of its row.
    fn draw(&self, picture: &mut RgbImage, left: u32, top: u32, plot_top: u32) {
        let x = (left + MARGIN) as i32;
        self.header.draw(picture, x, top as i32);
        // The legend sits on the data, also where a neighbour has a taller head.
        self.legend
            .draw(picture, x, (plot_top - self.legend.height()) as i32);

        let shown = self.axes.is_some();
        let unit = Axis::linear(0.0, 1.0);
        let (x, y) = self.axes.unwrap_or((unit, unit));
        let y_ticks = if shown { y.ticks(6) } else { Vec::new() };
        let side = Along {
            ticks: &y_ticks,
            label: &self.panel.y_label,
        };
        let beside = plot::side_width(side).min(PANEL_WIDTH / 2);
        let width = PANEL_WIDTH - 2 * MARGIN - RIGHT - beside;
        let x_ticks = if shown {
            plot::fitting_ticks(x, width)
        } else {
            Vec::new()
        };
        let (left, top) = ((left + MARGIN + beside) as i32, plot_top as i32);
        let plot = Plot {
            left,
            top,
            width,
            height: PLOT_HEIGHT,
            x,
            y,
        };
        plot.grid(picture, &x_ticks, &y_ticks);
        plot.bottom(
            picture,
            Along {
                ticks: &x_ticks,
                label: &self.panel.x_label,
            },
        );
        plot.side(picture, side);
        if !shown {
            let (x, y) = (left + width as i32 / 2, top + PLOT_HEIGHT as i32 / 2 - 8);
            text::draw_centred(picture, x, y, "no values to show", BODY, MUTED);
        }
        for (index, series) in self.panel.series.iter().enumerate() {
            let points = series.points(self.panel.log_x, self.panel.log_y);
            curve::draw(
                picture,
                &plot,
                points,
                series.mark,
                colour::series(index, self.panel.series.len()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::{OKABE_ITO, PAPER};

    fn panel(x: Vec<f64>, y: Vec<f64>) -> Panel {
        let label = "loss".to_owned();
        Panel {
            series: vec![Series {
                label,
                x,
                y,
                ..Series::default()
            }],
            ..Panel::default()
        }
    }

    /// The columns in which the data of the first panel has the first colour. The legend, which
    /// lies above the data, is left out.
    fn columns(picture: &RgbImage) -> Vec<u32> {
        let top = picture.height() - MARGIN - plot::BELOW - PLOT_HEIGHT;
        let used =
            |x: &u32| (top..picture.height()).any(|y| *picture.get_pixel(*x, y) == OKABE_ITO[0]);
        (0..picture.width()).filter(used).collect()
    }

    #[test]
    fn a_curve_is_drawn_and_nan_leaves_a_gap() {
        let x: Vec<f64> = (0..101).map(f64::from).collect();
        let whole = lines(&[panel(x.clone(), vec![3.0; 101])]).unwrap();
        let mut broken = vec![3.0; 101];
        broken[40..61].fill(f64::NAN);
        let gap = lines(&[panel(x, broken)]).unwrap();
        let (whole, gap) = (columns(&whole), columns(&gap));
        assert!(whole.windows(2).all(|pair| pair[1] == pair[0] + 1));
        assert!(whole.len() > 300);
        let widest = gap.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        let expected = whole.len() as f64 * 0.22;
        assert!(
            (f64::from(widest) - expected).abs() < 6.0,
            "{widest} for {expected}"
        );
        assert_eq!((whole[0], whole.last()), (gap[0], gap.last()));
    }

    #[test]
    fn a_point_without_neighbours_is_a_dot() {
        let mut y = vec![f64::NAN; 200];
        y[100] = 1.0;
        let x = (0..200).map(f64::from).collect();
        let used = columns(&lines(&[panel(x, y)]).unwrap());
        assert!((6..=9).contains(&used.len()), "{used:?}");
    }

    #[test]
    fn logarithmic_axes_leave_out_what_they_cannot_show() {
        let panel = Panel {
            log_y: true,
            ..panel(vec![1.0, 2.0, 3.0], vec![1.0, 0.0, 100.0])
        };
        let axes = PanelLayout::new(&panel).axes.unwrap();
        assert!((axes.1.place(10.0) - 0.5).abs() < 1e-9);
        // Two dots and no line between them.
        assert!(columns(&lines(&[panel]).unwrap()).len() < 20);
    }

    #[test]
    fn panels_wrap_after_three() {
        let one = panel(vec![0.0, 1.0], vec![0.0, 1.0]);
        let size = |count: usize| lines(&vec![one.clone(); count]).unwrap().dimensions();
        let (width, height) = size(1);
        assert_eq!(width, PANEL_WIDTH);
        assert_eq!(size(3), (3 * width, height));
        assert_eq!(size(4), (3 * width, 2 * height));
    }

    #[test]
    fn nothing_is_drawn_outside_the_margins() {
        let long = "a name that is much too long to be a name ".repeat(9);
        let series: Vec<Series> = (0..12)
            .map(|i| Series {
                label: format!("{i} {long}"),
                x: vec![-1e9, 1e9],
                y: vec![1e-9, 12_345_678.0],
                ..Series::default()
            })
            .collect();
        let labels = (long.clone(), long.clone(), long.clone());
        let panel = Panel {
            title: labels.0,
            x_label: labels.1,
            y_label: labels.2,
            series,
            ..Panel::default()
        };
        let picture = lines(&[panel]).unwrap();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let margin = x < MARGIN - 4
                || y < MARGIN - 4
                || y >= picture.height() - MARGIN + 4
                || x >= PANEL_WIDTH - 8;
            assert!(!margin || *pixel == PAPER, "({x}, {y})");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        assert!(lines(&[]).unwrap_err().to_string().contains("no panels"));
        let error = lines(&[panel(vec![1.0], vec![])]).unwrap_err().to_string();
        assert!(
            error.contains("\"loss\"") && error.contains("has 0 values"),
            "{error}"
        );
        // Panels without values are drawn empty.
        assert!(lines(&[Panel::default(), panel(vec![f64::NAN; 9], vec![1.0; 9])]).is_ok());
    }
}
