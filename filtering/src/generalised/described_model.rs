//! A model of continuous time as a value: equations by name, and how it is filtered.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::causal::{CausalConfig, CausalGeneralisedFilter};
use super::model::{AnyEquations, GenerativeModel, ModelFile, Named, Neural};
use super::odem::{Odem, OdemConfig};
use super::scheme::Embedding;
use crate::{Error, Result};

/// x' = f(x, v, θ) + w, y = g(x, v, θ) + z with smooth noise: the model of the library and how it is filtered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneralisedModel {
    /// Equations, precisions, priors, start.
    pub model: ModelFile,
    /// Orders of motion and smoothness of the noise.
    pub embedding: Embedding,
    /// The variance of every state at the first bin; 0 for a start that is known.
    pub start_variance: f64,
}

impl GeneralisedModel {
    /// The equations, if they are a network.
    pub fn network(&self) -> Option<&Neural> {
        match &self.model.equations {
            Named::Neural(neural) => Some(neural),
            _ => None,
        }
    }

    /// The model itself.
    ///
    /// # Errors
    /// What cannot be, by name.
    pub fn build(&self) -> Result<GenerativeModel<AnyEquations>> {
        self.model.build()
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
        let config = CausalConfig::from(self.embedding);
        CausalGeneralisedFilter::new(self.build()?, config, self.start().as_ref())
    }

    /// Online triple estimation: parameters with prior variance, and precisions with a prior on their logarithm, are
    /// learned; with the noise of the file, or other settings.
    ///
    /// # Errors
    /// As its constructor, and for a model that leaves nothing to learn.
    pub fn odem(&self, config: Option<OdemConfig>) -> Result<Odem<AnyEquations>> {
        // Without settings of its own, learning assumes the noise that the file does.
        let config = config.unwrap_or_else(|| OdemConfig {
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
        let model = &self.model;
        if !(unknown || model.output_log_variance > 0.0 || model.motion_log_variance > 0.0) {
            return Err(Error::Unsupported {
                what: "the model".to_owned(),
                asked: "learn",
                why: "it has nothing to learn: set at least one of these keys in its file: parameter_variances (prior \
                      variance of each parameter of the equations), output_log_variance, motion_log_variance (prior \
                      variances of the log precisions), for example output_log_variance = 1.0",
            });
        }
        Odem::new(self.build()?, config, self.start().as_ref())
    }

    /// Dimensions of state and observation.
    pub fn sizes(&self) -> (usize, usize) {
        let totals = self
            .model
            .build()
            .map(|m| (m.totals().states, m.totals().outputs));
        totals.unwrap_or_default()
    }

    /// The same description with what was learned put in.
    pub fn learned(&self, odem: &Odem<AnyEquations>) -> Self {
        let mut new = self.clone();
        let file = &mut new.model;
        if let Ok(built) = self.build()
            && let Some(level) = built.levels.first()
        {
            let mut theta: Vec<f64> = level.parameters.mean.iter().copied().collect();
            for (place, value) in level.parameters.free().into_iter().zip(odem.parameters()) {
                theta[place] = *value;
            }
            file.parameters = Some(theta);
        }
        let mut logs = odem.log_precisions().iter();
        if file.output_log_variance > 0.0 {
            file.output_precision = logs.next().map_or(file.output_precision, |h| h.exp());
        }
        if file.motion_log_variance > 0.0 {
            file.motion_precision = logs.next().map_or(file.motion_precision, |h| h.exp());
        }
        new
    }
}
