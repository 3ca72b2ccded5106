//! Analyses of films: predictions, and the response to a cut.

use anyhow::Result;
use scotopic_figures::{Panel, Series, chart};
use scotopic_train::analysis::prediction::{Ahead, PredictionConfig, prediction as predicted};

use super::analysis::{Analysis, Request};
use super::report::{AnalysisReport, Table};

pub(super) const PREDICTION: Analysis = Analysis {
    name: "prediction",
    about: "Predictions of films, and the response to a cut",
    needs_data: true,
    excluded: |traits| traits.spikes.or(traits.films),
    missing: |_| false,
    run: prediction,
};

fn prediction(request: &Request<'_>) -> Result<AnalysisReport> {
    let set = request.images()?;
    let standard = PredictionConfig::default();
    let settings = PredictionConfig {
        horizon: standard.horizon.min(set.frames() / 2).max(1),
        count: request.count(standard.count),
        batch: request.batch.min(standard.batch),
    };
    let found = predicted(&request.model, set, &settings)?;
    let mut report = AnalysisReport::new(PREDICTION.name, &found)?;
    report.table =
        Table::with("frames,error,persistence,blank,free_energy_after_cut,spikes_after_cut");
    for (ahead, cut) in found.ahead.iter().zip(&found.cut) {
        report.table.push([
            ahead.frames.into(),
            ahead.error.into(),
            ahead.persistence.into(),
            ahead.blank.into(),
            cut.free_energy.into(),
            cut.spikes.into(),
        ]);
    }
    report.summary = vec![format!(
        "{} films of {} frames: predictions are better than persistence and a blank for {} frames ahead",
        found.films, found.frames, found.horizon
    )];
    if let (Some(next), Some(cut)) = (found.ahead.first(), found.cut.first()) {
        report.summary.push(format!(
            "next frame: squared error {:.2}; {:.2} by the frame before, {:.2} by a blank",
            next.error, next.persistence, next.blank
        ));
        report.summary.push(format!(
            "first frame after a cut: {:+.2} nats, {:+.2} spikes",
            cut.free_energy, cut.spikes
        ));
    }
    report.headline = serde_json::json!({
        "films": found.films, "horizon": found.horizon, "next": found.ahead.first(), "cut": found.cut.first(),
    });
    let line = |label: &str, of: fn(&Ahead) -> f64| {
        let points = found.ahead.iter().map(|at| (at.frames as f64, of(at)));
        let (x, y) = points.unzip();
        Series::line(label, x, y)
    };
    let (frames, free_energy) = found
        .cut
        .iter()
        .map(|at| (at.frames as f64, at.free_energy))
        .unzip();
    report.draw(chart::lines(&[
        Panel::new(
            "Predictions",
            "frames ahead",
            "squared error per frame",
            vec![
                line("the prior in time", |at| at.error),
                line("the last frame seen", |at| at.persistence),
                line("a blank", |at| at.blank),
            ],
        ),
        Panel::new(
            "Response to a cut",
            "frames after the cut",
            "F above that without a cut (nats)",
            vec![Series::line("", frames, free_energy)],
        ),
    ]))
}
