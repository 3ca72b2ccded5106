//! One filter along one series, and what is told of each row.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use scotopic_filtering::{AnyFilter, AnyLearning, Belief, Filter as _, ForecastSettings};
use serde_json::{Value, json};

use super::parameters;
use super::rows::Row;
use crate::filtering::lines::{LineFormat, Lines, Remarks};
use crate::filtering::model_file::ModelFile;
use crate::filtering::names::LearnSpec;
use crate::filtering::places::from_one;

/// The rows that a client that comes late still sees.
const HISTORY: usize = 2000;
/// Steps of the forecast fan.
const AHEAD: usize = 24;
/// Its quantiles.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];
/// A forecast that takes longer is made only where time stands still.
const QUICK: Duration = Duration::from_millis(40);

/// A filter with what it has seen.
#[derive(Debug)]
pub struct Session {
    filter: AnyFilter,
    name: String,
    history: VecDeque<String>,
    learns: bool,
    rules: Vec<String>,
    left_out: u64,
    slow_forecast: bool,
}

impl Session {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// As [`ModelFile::filter`].
    pub fn new(file: &ModelFile, learn: Option<&LearnSpec>, factorisation: &str) -> Result<Self> {
        let rules = AnyLearning::rules(&file.model).split(", ");
        let name = &file.name;
        Ok(Self {
            filter: file
                .filter(learn, factorisation)
                .with_context(|| format!("the model {name} cannot be used with these options"))?,
            name: name.clone(),
            history: VecDeque::new(),
            learns: learn.is_some(),
            rules: rules.map(str::to_owned).collect(),
            left_out: 0,
            slow_forecast: false,
        })
    }

    /// Whether the filter takes rows of these columns.
    ///
    /// # Errors
    /// Names them.
    pub fn check(&self, origin: &str, names: &[String]) -> Result<()> {
        ensure!(
            names.len() == self.filter.width(),
            "{origin}: found {} columns ({}), but the model {} has {} per observation; select them with --columns, or \
             give a model of these columns",
            names.len(),
            names.join(", "),
            self.name,
            self.filter.width()
        );
        Ok(())
    }

    /// Takes in a row, and says what to tell of it.
    ///
    /// # Errors
    /// What is wrong with the row, by its line.
    pub fn take(&mut self, row: &Row, origin: &str) -> Result<String> {
        let partial = |row: &&[f64]| row.iter().any(|y| y.is_nan());
        let values = match row.values.as_deref() {
            Some(values) if !self.filter.accepts_partial_rows() && partial(&values) => {
                self.left_out += 1;
                None
            }
            other => other,
        };
        let step = self
            .filter
            .update(values)
            .map_err(from_one)
            .with_context(|| format!("{origin}, line {}", row.line))?;
        // The very line of `scotopic filter`.
        let mut lines = Lines::new(Vec::new(), LineFormat::Jsonl);
        let remarks = Remarks {
            time: row.time.as_deref(),
            ..Remarks::default()
        };
        lines.write(&self.filter, remarks, values.is_some(), step)?;
        let line = String::from_utf8_lossy(lines.get_ref());
        let signal = self.filter.signal();
        let rest =
            json!({"observed": values, "signal": signal.mean, "signal_variance": signal.variance});
        let told = format!("{{\"line\":{},\"beside\":{rest}}}", line.trim_end());
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(told.clone());
        Ok(told)
    }

    /// All that is kept of the rows.
    pub fn history(&self) -> String {
        let rows: Vec<&str> = self.history.iter().map(String::as_str).collect();
        rows.join(",")
    }

    /// The forecast fan; null where the model has none, or a slow one while time goes on.
    pub fn forecast(&mut self, at_rest: bool) -> Value {
        if self.filter.observations() == 0 || (self.slow_forecast && !at_rest) {
            return Value::Null;
        }
        let begun = Instant::now();
        let settings = ForecastSettings {
            ahead: AHEAD,
            quantiles: QUANTILES.to_vec(),
            ..ForecastSettings::default()
        };
        let forecast = self.filter.forecast(&settings);
        self.slow_forecast = begun.elapsed() > QUICK;
        match forecast {
            Ok(forecast) => json!({
                "probabilities": QUANTILES, "quantiles": forecast.quantiles, "mean": forecast.mean,
            }),
            Err(_) => Value::Null,
        }
    }

    /// The parameters as they are learned; null where none are.
    pub fn parameters(&self) -> Value {
        match self
            .learns
            .then(|| parameters::numbers(&self.filter.model()))
        {
            Some(Ok(numbers)) => {
                let (names, values): (Vec<String>, Vec<f64>) = numbers.into_iter().unzip();
                json!({"names": names, "values": values, "updates": self.filter.parameter_updates()})
            }
            _ => Value::Null,
        }
    }

    /// What the page needs to know of the filter.
    pub fn described(&self) -> Value {
        let (form, states, causes) = match self.filter.belief() {
            Belief::Discrete(belief) => ("discrete", belief.len(), 0),
            Belief::Gaussian(belief) => ("gaussian", belief.mean.len(), belief.cause_mean.len()),
        };
        json!({
            "name": self.name, "described": self.filter.model().described(), "form": form, "states": states,
            "causes": causes, "width": self.filter.width(), "rules": self.rules, "lag": self.filter.lag(),
        })
    }

    /// How far it is.
    pub fn so_far(&self) -> Value {
        json!({
            "observations": self.filter.observations(), "elbo": self.filter.elbo(), "left_out": self.left_out,
        })
    }
}
