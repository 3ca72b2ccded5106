//! Continuous-time models in files: `kind = "generalised"`.

use anyhow::{Context, Result, ensure};
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::model::{
    AnyEquations, GenerativeModel, ModelFile, Named, Neural,
};
use scotopic_filtering::generalised::odem::{Odem, OdemConfig};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// x' = f(x, v, θ) + w, y = g(x, v, θ) + z with smooth noise: the model of the library and how it is filtered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generalised {
    /// Equations, precisions, priors, start.
    pub model: ModelFile,
    /// Orders of motion and smoothness of the noise.
    pub embedding: Embedding,
    /// The variance of every state at the first bin; 0 for a known start.
    pub start_variance: f64,
}

impl Generalised {
    /// From the table of a file without its `kind`.
    ///
    /// # Errors
    /// For a key that is not known, or a model that cannot be.
    pub fn parse(mut table: toml::Table) -> Result<Self> {
        let embedding = match table.remove("embedding") {
            Some(value) => value.try_into().context("embedding")?,
            None => Embedding::default(),
        };
        let start_variance = match table.remove("start_variance") {
            Some(value) => value.try_into().context("start_variance")?,
            None => 0.0,
        };
        let known = start_variance >= 0.0 && f64::is_finite(start_variance);
        ensure!(
            known,
            "start_variance is {start_variance}, expected a variance; 0 is a known start"
        );
        let new = Self {
            model: table.try_into()?,
            embedding,
            start_variance,
        };
        new.filter()?; // report at once what cannot be filtered
        Ok(new)
    }

    /// The table of a file.
    ///
    /// # Errors
    /// None that a checked model can cause.
    pub fn table(&self) -> Result<toml::Table> {
        let mut table = toml::Table::try_from(&self.model)?;
        table.insert("start_variance".into(), self.start_variance.into());
        table.insert("embedding".into(), toml::Value::try_from(self.embedding)?);
        Ok(table)
    }

    /// The model itself.
    ///
    /// # Errors
    /// Names the key that is not possible.
    pub fn build(&self) -> Result<GenerativeModel<AnyEquations>> {
        Ok(self.model.build()?)
    }

    /// The covariance of the start, where it is not known.
    pub fn start(&self) -> Option<DMatrix<f64>> {
        let states = self.model.build().ok()?.totals().states;
        (self.start_variance > 0.0).then(|| DMatrix::identity(states, states) * self.start_variance)
    }

    /// The causal filter.
    ///
    /// # Errors
    /// As its constructor.
    pub fn filter(&self) -> Result<CausalGeneralisedFilter<AnyEquations>> {
        self.embedding.check()?;
        let settings = CausalConfig::from(self.embedding);
        Ok(CausalGeneralisedFilter::new(
            self.build()?,
            settings,
            self.start().as_ref(),
        )?)
    }

    /// Online triple estimation: parameters with prior variance, and precisions with a prior on their logarithm, are
    /// learned; with the noise of the file, or other settings.
    ///
    /// # Errors
    /// As its constructor, and for a model that leaves nothing to learn.
    pub fn odem(&self, settings: Option<OdemConfig>) -> Result<Odem<AnyEquations>> {
        // Without settings of its own, learning assumes the noise that the file does.
        let settings = settings.unwrap_or_else(|| OdemConfig {
            filter: CausalConfig {
                linearisation: OdemConfig::default().filter.linearisation,
                ..CausalConfig::from(self.embedding)
            },
            ..OdemConfig::default()
        });
        let unknown = self
            .model
            .parameter_variances
            .iter()
            .flatten()
            .any(|v| *v > 0.0);
        ensure!(
            unknown || self.model.output_log_variance > 0.0 || self.model.motion_log_variance > 0.0,
            "the model has nothing to learn: set at least one of these keys in its file: parameter_variances (prior \
             variance of each parameter of the equations), output_log_variance, motion_log_variance (prior variances \
             of the log precisions), for example output_log_variance = 1.0"
        );
        Ok(Odem::new(self.build()?, settings, self.start().as_ref())?)
    }

    /// The equations of the file, if they are a network.
    pub fn network(&self) -> Option<&Neural> {
        match &self.model.equations {
            Named::Neural(neural) => Some(neural),
            _ => None,
        }
    }

    /// Dimensions of state and observation.
    pub fn sizes(&self) -> (usize, usize) {
        let totals = self
            .model
            .build()
            .map(|m| (m.totals().states, m.totals().outputs));
        totals.unwrap_or_default()
    }
}
