//! Forecasts beside what came.

use scotopic_filtering::{Forecast, many};

use super::ForecastArgs;
use crate::filtering::recording::Recording;
use crate::table::number;

/// What came, beside what was forecast.
#[derive(Debug, Default)]
pub(super) struct Judged {
    count: f64,
    squares: f64,
    inside: f64,
}

impl Judged {
    pub(super) fn see(
        &mut self,
        args: &ForecastArgs,
        recording: &Recording,
        origin: usize,
        forecast: &Forecast,
    ) {
        let ends = ends(args);
        for (h, mean) in forecast.mean.iter().enumerate() {
            let Some(row) = recording.sequence.get(origin + h) else {
                continue;
            };
            let outputs = row.iter().zip(mean).map(|(y, _)| y);
            for (i, y) in outputs.enumerate().filter(|(_, y)| y.is_finite()) {
                self.count += 1.0;
                self.squares += (y - mean[i]).powi(2);
                if let Some((low, high)) = ends {
                    let within = forecast.quantiles[low][h][i]..=forecast.quantiles[high][h][i];
                    self.inside += f64::from(u8::from(within.contains(y)));
                }
            }
        }
    }

    /// None where nothing that was forecast came.
    pub(super) fn said(&self, args: &ForecastArgs) -> Option<String> {
        if self.count == 0.0 {
            return None;
        }
        let rmse = match self.squares.is_nan() {
            true => "no RMSE, since the law of the forecasts has no mean".to_owned(),
            false => format!("RMSE {}", number((self.squares / self.count).sqrt(), 4)),
        };
        let count = many(self.count as usize, "forecast");
        let said = format!("{count} of rows that came: {rmse}");
        Some(match ends(args) {
            None => said,
            Some((low, high)) => format!(
                "{said}, {:.1} % between the quantiles {} and {}",
                100.0 * self.inside / self.count,
                args.quantiles[low],
                args.quantiles[high]
            ),
        })
    }
}

/// The places of the lowest and the highest quantile, where they are two.
fn ends(args: &ForecastArgs) -> Option<(usize, usize)> {
    let by = |a: &usize, b: &usize| args.quantiles[*a].total_cmp(&args.quantiles[*b]);
    let low = (0..args.quantiles.len()).min_by(by)?;
    let high = (0..args.quantiles.len()).max_by(by)?;
    (args.quantiles[low] < args.quantiles[high]).then_some((low, high))
}
