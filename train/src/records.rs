//! The rows of metrics.jsonl and epochs.csv.

use serde::{Deserialize, Serialize};

use crate::evaluate::Metrics;

/// One line of metrics.jsonl: means since the line before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    /// Iterations done.
    pub iteration: usize,
    /// Epochs done.
    pub epoch: f64,
    /// Seconds of training, over all sessions.
    pub seconds: f64,
    /// −ln p(x|z), nats per image, mean over steps.
    pub reconstruction: f64,
    /// KL, nats per image, mean over steps, in the form of the objective.
    pub kl: f64,
    /// reconstruction + β·KL.
    pub objective: f64,
    /// Global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Learning rate of the last iteration.
    pub rate: f64,
    /// β of the last iteration.
    pub beta: f64,
    /// τ of the last iteration.
    pub temperature: f64,
}

/// One line of epochs.csv: a validation.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidationRow {
    /// Iterations done.
    pub iteration: usize,
    /// Epochs done.
    pub epoch: f64,
    /// Seconds of training, over all sessions.
    pub seconds: f64,
    /// Whether it is the best so far.
    pub best: bool,
    /// The metrics.
    pub measures: Metrics,
}

impl ValidationRow {
    /// The first line of epochs.csv.
    pub const HEADER: &'static str = "iteration,epoch,seconds,objective,reconstruction,kl,r2,r2_pooled,\
                                      squared_error,zeros,r2_rates,r2_rates_pooled,squared_error_rates,population_sparsity,\
                                      lifetime_sparsity,change,images,steps,best";

    /// The row of a line that [`ValidationRow::csv`] wrote; nothing for any other line, as that of a killed run.
    pub fn from_csv(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_end().split(',').collect();
        let names: Vec<&str> = Self::HEADER.split(',').collect();
        if cells.len() != names.len() {
            return None;
        }
        let cell = |name: &str| {
            let at = names.iter().position(|known| *known == name)?;
            Some(cells[at])
        };
        let number = |name: &str| cell(name)?.parse::<f64>().ok();
        let count = |name: &str| cell(name)?.parse::<usize>().ok();
        Some(Self {
            iteration: count("iteration")?,
            epoch: number("epoch")?,
            seconds: number("seconds")?,
            best: cell("best")? == "1",
            measures: Metrics {
                images: count("images")?,
                steps: count("steps")?,
                r2: number("r2")?,
                r2_pooled: number("r2_pooled")?,
                squared_error: number("squared_error")?,
                zeros: number("zeros")?,
                r2_rates: number("r2_rates")?,
                r2_rates_pooled: number("r2_rates_pooled")?,
                squared_error_rates: number("squared_error_rates")?,
                population_sparsity: number("population_sparsity"),
                lifetime_sparsity: number("lifetime_sparsity"),
                change: number("change")?,
                reconstruction: number("reconstruction")?,
                kl: number("kl")?,
                objective: number("objective")?,
            },
        })
    }

    /// The row as one line of CSV.
    pub fn csv(&self) -> String {
        let m = &self.measures;
        // An empty cell where the number is undefined.
        let or_nothing = |v: Option<f64>| v.map_or(String::new(), |v| format!("{v:.6}"));
        format!(
            "{},{:.4},{:.1},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{:.6},{},{},{:.6},{},{},{}",
            self.iteration,
            self.epoch,
            self.seconds,
            m.objective,
            m.reconstruction,
            m.kl,
            m.r2,
            m.r2_pooled,
            m.squared_error,
            m.zeros,
            m.r2_rates,
            m.r2_rates_pooled,
            m.squared_error_rates,
            or_nothing(m.population_sparsity),
            or_nothing(m.lifetime_sparsity),
            m.change,
            m.images,
            m.steps,
            u8::from(self.best)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_comes_back_from_its_line() {
        let line = "40,2.0000,1.5,161.250000,120.500000,40.750000,0.250000,0.500000,36.000000,0.625000,0.750000,0.875000,18.000000,0.375000,,0.125000,100,16,1";
        let row = ValidationRow::from_csv(line).unwrap();
        assert_eq!((row.iteration, row.best), (40, true));
        assert_eq!(row.measures.objective, 161.25);
        assert_eq!(row.measures.lifetime_sparsity, None);
        assert_eq!(row.csv(), line);
        assert_eq!(ValidationRow::from_csv(ValidationRow::HEADER), None);
        assert_eq!(ValidationRow::from_csv(&line[..40]), None);
    }
}
