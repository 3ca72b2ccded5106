//! The progress of training.

use scotopic_train::config::RunConfig;
use scotopic_train::records::{LogRow, ValidationRow};
use scotopic_train::trainer::Callback;
use serde_json::{Value, json};

use crate::progress::Reporter;
use crate::progress_bar::ProgressBar;

/// Reports the progress of a training run, and keeps the last validation.
pub(crate) struct TrainingProgress {
    bar: ProgressBar,
    reporter: Reporter,
    films: bool,
    pub(crate) last: Option<ValidationRow>,
}

impl TrainingProgress {
    /// A run at iteration `done`; `label` tells it from others.
    pub(crate) fn new(reporter: Reporter, label: &str, config: &RunConfig, done: usize) -> Self {
        let total = config.train.iterations as u64;
        Self {
            bar: ProgressBar::new(reporter, label, Some(total), done as u64),
            reporter,
            films: config.data.are_films(),
            last: None,
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.clear();
    }

    fn labelled(&self, event: &str, row: Value) -> Value {
        let mut value = json!({"event": event, "of": self.bar.label});
        if let (Value::Object(all), Value::Object(row)) = (&mut value, row) {
            all.extend(row);
        }
        value
    }
}

impl Callback for TrainingProgress {
    fn iteration(&mut self, done: usize, _: usize) {
        self.bar.set(done as u64, None);
    }

    fn logged(&mut self, row: &LogRow) {
        // The loss is not the free energy of the validations: it has the β and the temperature of its iteration.
        self.bar.message = format!("loss {:.1}", row.objective);
        if self.reporter == Reporter::Json {
            let value = serde_json::to_value(row).unwrap_or_default();
            self.reporter.event("", || self.labelled("log", value));
        }
    }

    fn validated(&mut self, row: &ValidationRow) {
        let m = &row.measures;
        // A film may rest on a blank wall, and R² of that one frame has no meaning.
        let r2 = match self.films {
            true => m.r2_pooled,
            false => m.r2,
        };
        let text = format!(
            "{} {:>6}  validation: F {:.2}  R² {r2:.3}  zeros {:.1} %{}",
            self.bar.label,
            row.iteration,
            m.objective,
            100.0 * m.zeros,
            if row.best { "  (best so far)" } else { "" }
        );
        self.reporter.event(&text, || {
            let mut value = serde_json::to_value(m).unwrap_or_default();
            if let Value::Object(fields) = &mut value {
                fields.insert("iteration".into(), json!(row.iteration));
                fields.insert("best".into(), json!(row.best));
            }
            self.labelled("validation", value)
        });
        self.last = Some(row.clone());
    }
}
