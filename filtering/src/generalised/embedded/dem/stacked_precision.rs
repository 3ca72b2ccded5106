//! The precisions of all noises of a model, stacked, with unknown log-precisions.
//!
//! ```text
//! iS(h) = iS(V, W) + Σ_i e^{h_i} Q̃_i,        Q̃_i = R(s) ⊗ Q_i in the rows of its noise
//! ```
//!
//! h holds the log-precisions of the outputs of each level and of the causes, then those of the motions.

use nalgebra::{DMatrix, DVector};

use crate::Result;
use crate::generalised::embedded::energy::generalised_precision;
use crate::generalised::embedded::errors::TopOrder;
use crate::generalised::embedded::layout::Layout;
use crate::generalised::model::{Equations, GenerativeModel, NoisePrecision};

/// From here on a precision counts as certainty in the published masks: e¹⁶.
fn certain() -> f64 {
    libm::exp(16.0)
}

/// iS as a function of h.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StackedPrecision {
    /// iS(V, W).
    pub fixed: DMatrix<f64>,
    /// Q̃_i.
    pub components: Vec<DMatrix<f64>>,
    /// How many of them, the first ones, are of the noise of the data.
    pub of_data: usize,
    /// The prior mean of h.
    pub mean: DVector<f64>,
    /// The prior variances and covariances of h.
    pub covariance: DMatrix<f64>,
}

impl StackedPrecision {
    pub fn new<E: Equations>(
        model: &GenerativeModel<E>,
        layout: &Layout,
        s: f64,
        top: TopOrder,
    ) -> Result<Self> {
        let outputs = model.levels.iter().map(|level| &level.output);
        let cause: Vec<&NoisePrecision> = outputs.chain([&model.cause.precision]).collect();
        let motion: Vec<&NoisePrecision> = model.levels.iter().map(|l| &l.motion).collect();
        let no_cause = DMatrix::zeros(
            layout.outputs + layout.causes,
            layout.outputs + layout.causes,
        );
        let no_motion = DMatrix::zeros(layout.states, layout.states);
        let (mut fixed_cause, mut fixed_motion) = (no_cause.clone(), no_motion.clone());
        let mut components = Vec::new();
        let mut mean = Vec::new();
        let mut covariances = Vec::new();
        for (noises, fixed, is_motion) in [
            (&cause, &mut fixed_cause, false),
            (&motion, &mut fixed_motion, true),
        ] {
            let mut at = 0;
            for noise in noises {
                let size = noise.size();
                let mut place = fixed.view_mut((at, at), (size, size));
                place.copy_from(&noise.fixed);
                for q in &noise.components {
                    let (mut c, mut m) = (no_cause.clone(), no_motion.clone());
                    let block = if is_motion { &mut m } else { &mut c };
                    block.view_mut((at, at), (size, size)).copy_from(q);
                    components.push(generalised_precision(layout, s, top, &c, &m)?);
                }
                mean.extend(noise.log_precision.mean.iter().copied());
                covariances.push(&noise.log_precision.covariance);
                at += size;
            }
        }
        let mut covariance = DMatrix::zeros(mean.len(), mean.len());
        let mut at = 0;
        for block in covariances {
            let mut place = covariance.view_mut((at, at), block.shape());
            place.copy_from(block);
            at += block.nrows();
        }
        Ok(Self {
            fixed: generalised_precision(layout, s, top, &fixed_cause, &fixed_motion)?,
            components,
            of_data: model
                .levels
                .first()
                .map_or(0, |l| l.output.components.len()),
            mean: DVector::from_vec(mean),
            covariance,
        })
    }

    /// iS at the log-precisions h.
    pub fn at(&self, h: &DVector<f64>) -> DMatrix<f64> {
        let mut precision = self.fixed.clone();
        for (component, &h) in self.components.iter().zip(h.iter()) {
            precision += component * libm::exp(h);
        }
        precision
    }

    /// Errors that count in F, and unknowns whose variance is reported.
    pub fn masks(&self, layout: &Layout, masks: bool) -> (Vec<bool>, Vec<bool>) {
        let diagonal = self.fixed.diagonal();
        let kept = diagonal.iter().map(|&d| !masks || d < certain()).collect();
        let mut masked = vec![false; layout.unknowns()];
        for order in 0..layout.orders {
            for (unknown, row) in layout.x(order).zip(layout.motion_error(order)) {
                masked[unknown] = masks && diagonal[row] >= certain();
            }
        }
        (kept, masked)
    }
}
