//! A fitted model with its scores, and the table of several.

use std::time::Instant;

use scotopic_filtering::{AnyModel, many};

use crate::table::{Cell, Table};

/// One fitted model.
pub struct ModelFit {
    /// Hidden states, or the dimension of the hidden vector.
    pub states: usize,
    /// The fitted model.
    pub model: AnyModel,
    /// ln p(o) of all sequences, nats, or the bound of it that was maximised.
    pub log_evidence: f64,
    /// Iterations of EM, or rounds.
    pub iterations: usize,
    /// Whether it ended by itself.
    pub converged: bool,
    /// Number of free parameters.
    pub free: usize,
    /// Whether BIC and AIC may be taken of it: not of a fit that ended early, or that only a prior keeps from collapse.
    pub ranked: bool,
    /// What else there is to know.
    pub report: Report,
    /// Wall time.
    pub seconds: f64,
}

/// What a search of the maximum says beside the model.
#[derive(Debug, Default)]
pub struct Report {
    /// Runs that reached the maximum, of those that were followed.
    pub found_by: Option<(usize, usize)>,
    /// Whether ln p is a lower bound of it, the ELBO.
    pub bound: bool,
    /// Whether pseudo-observations that nobody asked for keep it from collapse.
    pub kept: bool,
    /// What the gradient still promises, nats.
    pub promised: Option<f64>,
    /// Sentences.
    pub warnings: Vec<String>,
}

impl ModelFit {
    /// The end of an ascent of a bound, with its states and free parameters.
    pub fn of_bound(
        model: AnyModel,
        (states, free): (usize, usize),
        elbo: f64,
        (iterations, converged): (usize, bool),
        begun: Instant,
    ) -> Self {
        Self {
            states,
            model,
            log_evidence: elbo,
            iterations,
            converged,
            free,
            ranked: converged,
            report: Report {
                bound: true,
                ..Report::default()
            },
            seconds: begun.elapsed().as_secs_f64(),
        }
    }

    /// Adds a warning to a fit that ended early, of which at most `limit` iterations were asked; one that knows what its gradient
    /// promises has said so with that.
    pub fn say_whether_it_ended(&mut self, limit: usize) {
        if self.converged || self.report.promised.is_some() {
            return;
        }
        let after = many(self.iterations, "iteration");
        self.report.warnings.push(match self.iterations < limit {
            // Iterations of several starts.
            _ if self.report.bound => {
                "ended early, at the most iterations: not ranked; raise --max-iterations".to_owned()
            }
            true => format!(
                "ended early, after {after}, where no step gains anything and the gradient does not vanish: not ranked; other starts \
                 (--seed, --restarts) or --pseudo-count may do better"
            ),
            false => format!("ended early, after {after}: not ranked; raise --max-iterations"),
        });
    }

    /// −2 ln p + k ln n.
    pub fn bic(&self, observations: usize) -> f64 {
        self.free as f64 * (observations as f64).ln() - 2.0 * self.log_evidence
    }

    /// −2 ln p + 2 k.
    pub fn aic(&self) -> f64 {
        2.0 * (self.free as f64 - self.log_evidence)
    }

    /// Its row of `--json`; BIC and AIC of what is not ranked are null.
    pub fn json(&self, observations: usize) -> serde_json::Value {
        let mut row = serde_json::json!({
            "states": self.states, "log_evidence": self.log_evidence, "parameters": self.free,
            "bic": self.ranked.then(|| self.bic(observations)), "aic": self.ranked.then(|| self.aic()),
            "iterations": self.iterations, "converged": self.converged, "ranked": self.ranked,
            "seconds": self.seconds, "warnings": self.report.warnings, "bound": self.report.bound,
        });
        if let Some((found, of)) = self.report.found_by {
            row["found_by"] = serde_json::json!([found, of]);
        }
        if let Some(promised) = self.report.promised {
            row["promised"] = serde_json::json!(promised);
        }
        row
    }
}

/// One row per fit.
pub fn table(fits: &[ModelFit], observations: usize) -> Table {
    let bound = fits.iter().any(|fit| fit.report.bound);
    let mut table = Table::new(&[
        "states",
        if bound { "ELBO" } else { "ln p" },
        "per observation",
        "parameters",
        "BIC",
        "AIC",
        "iterations",
        "found by",
        "seconds",
    ]);
    for f in fits {
        let found = match f.report.found_by {
            Some((found, of)) => format!("{found} of {of}"),
            None => "–".to_owned(),
        };
        let mark = if f.converged { "" } else { " (stopped)" };
        table.push(vec![
            f.states.to_string().into(),
            Cell::Number(f.log_evidence, 3),
            Cell::Number(f.log_evidence / observations as f64, 4),
            f.free.to_string().into(),
            ranked(f.bic(observations), f.ranked),
            ranked(f.aic(), f.ranked),
            format!("{}{mark}", f.iterations).into(),
            found.into(),
            Cell::Number(f.seconds, 2),
        ]);
    }
    table
}

/// A criterion, or a dash for a fit that is not compared.
fn ranked(criterion: f64, ranked: bool) -> Cell {
    match ranked {
        true => Cell::Number(criterion, 1),
        false => "–".into(),
    }
}
