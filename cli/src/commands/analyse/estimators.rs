//! Estimators of the gradient through spikes.

use anyhow::Result;
use scotopic_figures::{Panel, Series, chart};
use scotopic_train::analysis::gradients::{
    Estimator, GradientConfig, GradientEstimate, gradients as estimated,
};

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Table};

pub(super) const GRADIENTS: Analysis = Analysis {
    name: "gradients",
    about: "Bias and variance of gradient estimators of spikes, whatever the model",
    needs_data: false,
    excluded: |traits| traits.spikes.or(traits.linear),
    missing: |_| false,
    run: gradients,
};

/// The temperature of the panels over rates, that of training at the end, and the rate of those over temperatures.
const TEMPERATURE: f64 = 0.5;
const RATE: f64 = 0.1;

fn gradients(_: &Request<'_>) -> Result<AnalysisReport> {
    let settings = GradientConfig::default();
    let found = estimated(&settings)?;
    let mut report = AnalysisReport::new(GRADIENTS.name, &found)?;
    report.table = Table::with("estimator,rate,temperature,exact,bias,standard_error,deviation");
    for row in &found {
        report.table.push([
            row.estimator.name().into(),
            row.rate.into(),
            row.temperature.into(),
            row.exact.into(),
            row.bias.into(),
            row.standard_error.into(),
            row.deviation.into(),
        ]);
    }
    report.summary.push(format!(
        "gradient of one latent in units of λH, target {}, {} samples; at λ {RATE}, τ {TEMPERATURE}:",
        settings.target, settings.samples
    ));
    let shown = |row: &&GradientEstimate| {
        row.rate == RATE && row.temperature.is_none_or(|tau| tau == TEMPERATURE)
    };
    for row in found.iter().filter(shown) {
        report.summary.push(format!(
            "{}: bias {:.4} ± {:.4}, standard deviation {:.3}",
            row.estimator.name(),
            row.bias,
            row.standard_error,
            row.deviation
        ));
    }
    report.headline = serde_json::json!({
        "target": settings.target, "samples": settings.samples,
        "at": found.iter().filter(shown).collect::<Vec<_>>(),
    });
    let (rate, tau) = ("rate λ (spikes per step)", "temperature τ");
    let panels = [
        over(&found, rate, "bias (λH)", false),
        over(&found, rate, "standard deviation (λH)", true),
        over(&found, tau, "bias (λH)", false),
        over(&found, tau, "standard deviation (λH)", true),
    ];
    let report = report.about("one latent, enumerated");
    report.draw(chart::lines_in_rows(&panels, 2))
}

/// One curve for each estimator: against the rate at [`TEMPERATURE`], or against the temperature at [`RATE`].
fn over(found: &[GradientEstimate], axis: &str, quantity: &str, deviations: bool) -> Panel {
    let against_rate = axis.starts_with("rate");
    let curve = |estimator: Estimator| {
        let rows = found.iter().filter(|row| {
            row.estimator == estimator
                && match against_rate {
                    true => row.temperature.is_none_or(|tau| tau == TEMPERATURE),
                    false => row.rate == RATE,
                }
        });
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for row in rows {
            let at = if against_rate {
                Some(row.rate)
            } else {
                row.temperature
            };
            let value = if deviations { row.deviation } else { row.bias };
            match at {
                Some(at) => {
                    x.push(at);
                    y.push(value);
                }
                // Without a temperature: the same at each.
                None => {
                    let temperatures = GradientConfig::default().temperatures;
                    y.extend(temperatures.iter().map(|_| value));
                    x.extend(temperatures);
                }
            }
        }
        Series::line(estimator.name(), x, y)
    };
    let title = match against_rate {
        true => format!("at τ = {TEMPERATURE}"),
        false => format!("at λ = {RATE}"),
    };
    Panel::new(title, axis, quantity, Estimator::all().map(curve).collect())
        .logarithmic(true, deviations)
}
