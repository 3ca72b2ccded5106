//! Regressors counted from their means in their own deviations.

use super::component::Component;
use super::model::StructuralModel;
use crate::{Result, Sequence};

/// (u − c)/s in place of the inputs u of coefficients that stay. Beside a large mean the variation of an input would be lost: what rows say
/// of its coefficient would be a difference of nearly equal numbers. With a level l + Σ c β in place of l and s β in place of β the model
/// is the same; diffuse, it has no prior of either, and ln p of a sequence that determines all states is greater by Σ ln s.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standard {
    centres: Vec<f64>,
    scales: Vec<f64>,
}

impl Standard {
    /// None for a model whose inputs stay as they are: with a start that has a prior, with coefficients that walk, and without inputs.
    pub fn of(model: &StructuralModel, sequences: &[Sequence]) -> Option<Self> {
        let stays = |c: &Component| matches!(c, Component::Regression { walks: false, .. });
        if model.initial_variance().is_some() || !model.components().iter().any(stays) {
            return None;
        }
        let level = model.components().contains(&Component::Level);
        let (mut centres, mut scales) = (Vec::new(), Vec::new());
        for k in 0..model.inputs().len() {
            let values = || {
                let rows = sequences.iter().flat_map(|s| s.iter().flatten());
                rows.map(|row| row[1 + k])
            };
            let count = values().count().max(1) as f64;
            // The mean from the first, so that it has the digits of what varies.
            let first = values().next().unwrap_or(0.0);
            let mean = first + values().map(|u| (u - first) / count).sum::<f64>();
            let centre = if level && mean.is_finite() { mean } else { 0.0 };
            let size = |c: f64| values().fold(0.0, |most: f64, u| most.max((u - c).abs()));
            // What does not vary stays as it is.
            let (centre, scale) = match size(centre) {
                size if size > 0.0 && size.is_finite() => (centre, size),
                _ => (0.0, 1.0),
            };
            centres.push(centre);
            scales.push(scale);
        }
        Some(Self { centres, scales })
    }

    /// s of each input.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// Rows (y, (u − c)/s).
    ///
    /// # Errors
    /// As [`Sequence::mapped`].
    pub fn rows(&self, sequence: &Sequence) -> Result<Sequence> {
        sequence.mapped(|row| {
            let inputs = row[1..].iter_mut().zip(&self.centres).zip(&self.scales);
            inputs.for_each(|((u, c), s)| *u = (*u - c) / s);
        })
    }

    /// By how much ln p of such rows is above that of the rows as they are.
    pub fn gain(&self) -> f64 {
        self.scales.iter().map(|s| s.ln()).sum()
    }
}
