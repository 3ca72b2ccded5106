//! Forecasts: the last observations, and the mean and intervals of those to come.

use crate::chart::{Mark, Panel, Series};
use crate::error::FigureError;
use crate::figure::Figure;
use crate::time_axis::TimeAxis;

/// The forecast of one quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// What it is called.
    pub label: String,
    /// Numbers and values of what was observed, in order; NaN where it is missing.
    pub observed: Vec<(f64, f64)>,
    /// The numbers of the observations that are forecast.
    pub time: Vec<f64>,
    /// Its mean.
    pub mean: Vec<f64>,
    /// Intervals from the widest to the narrowest: what each is called, its lower and its upper ends.
    pub intervals: Vec<(String, Vec<f64>, Vec<f64>)>,
}

/// One panel for each quantity, below each other; with the `times` of the observations, where they are known.
///
/// ```
/// use scotopic_figures::fan::{Fan, picture};
/// let fan = Fan {
///     label: "level".into(),
///     observed: vec![(1.0, 2.0), (2.0, 2.5)],
///     time: vec![3.0, 4.0],
///     mean: vec![2.5, 2.5],
///     intervals: vec![("80 %".into(), vec![2.0, 1.8], vec![3.0, 3.2])],
/// };
/// picture(&[fan], None)?;
/// # Ok::<(), scotopic_figures::FigureError>(())
/// ```
///
/// # Errors
/// [`FigureError`] for no panel, or lists of different lengths.
pub fn picture(fans: &[Fan], times: Option<&TimeAxis>) -> Result<Figure, FigureError> {
    let panel = |fan: &Fan| {
        // One name for all, and so one colour: the narrower lie on the wider.
        let levels: Vec<&str> = fan.intervals.iter().rev().map(|i| i.0.as_str()).collect();
        let label = match levels.len() {
            1 => format!("{} interval", levels.concat()),
            _ => format!("{} intervals", levels.join(", ")),
        };
        let (x, y) = fan.observed.iter().copied().unzip();
        let mut series = Vec::new();
        for (_, low, high) in &fan.intervals {
            let middle = low.iter().zip(high).map(|(l, h)| 0.5 * (l + h)).collect();
            let band = Series::line(label.clone(), fan.time.clone(), middle);
            // The band alone: its middle is no quantity of the forecast.
            let band = Series {
                mark: Mark::None,
                ..band.spread(low.clone(), high.clone())
            };
            series.push(band);
        }
        series.push(Series::line("mean", fan.time.clone(), fan.mean.clone()));
        series.push(Series::line("", x, y));
        Panel::new("", "observation", &fan.label, series).timed(times.cloned())
    };
    let panels: Vec<Panel> = fans.iter().map(panel).collect();
    crate::chart::lines_in_rows(&panels, 1)
}
