//! Parameters ε and log-precisions h filtered along with the states, over passes through a series.
//!
//! With b = (ε, h), the Gibbs energy L = ½ eᵀiSe − ½ ln det iS + ½ εᵀP_pε + ½ δᵀP_hδ and its curvatures
//!
//! ```text
//! L_uu = JᵀiSJ + P,  L_up = JᵀiSJ_p,  L_pp = J_pᵀiSJ_p + P_p,  L_hh,ij = ½ δ_ij eᵀP_i e + P_h,  L_hp = (P_i e)ᵀJ_p
//! C = [L_uu L_up; L_pu L_pp]⁻¹,   entropy gradient  H_b = ½ tr(C ∂_b[L_uu L_up; L_pu L_pp])
//! ```
//!
//! states and b move together,
//!
//! ```text
//! u̇ = D u − L_u        ḃ = b'        b'̇ = −κ b' − Γ (L_b + H_b),   κ = T
//! Γ = (L̄_bb + e^λ diag L̄_bb)⁻¹,     L̄_bb ← (1 − 1/T) L̄_bb + L_bb/T, from L_bb + 32 I
//! ```
//!
//! that is: parameters have momentum, and change slowly because κ is the length of the series. λ starts at 0, falls by 1
//! after a pass that raised F and rises by 2 (to at least 2) after one that did not. What a pass reports of b is its
//! average over time weighted by precision. The next pass starts the states anew, and b and b' go on from where they are.
//!
//! One step takes the whole flow as linear, its Jacobian included the blocks by which u and b move each other
//! (`published.uncoupled` leaves these out).

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::joint_flow::Course;
use super::pass::Pass;
use super::scheme::GeneralisedFiltering;
use crate::generalised::embedded::dem::{Deviation, Priors, Recording, as_prior};
use crate::generalised::embedded::record::Record;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result, Sequence};

/// What was learned from a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LapFit {
    /// Posterior means of θ of all levels `[parameters]`.
    pub parameters: Vec<f64>,
    /// Their covariance `[parameters, parameters]`.
    pub parameter_covariance: DMatrix<f64>,
    /// Posterior means of the log-precisions: of outputs and causes, then of motions.
    pub log_precisions: Vec<f64>,
    /// Their covariance.
    pub log_precision_covariance: DMatrix<f64>,
    /// The beliefs of the last pass, bin by bin.
    pub beliefs: Vec<Record>,
    /// F of each pass, in nats.
    pub passes: Vec<f64>,
}

impl LapFit {
    /// `model` with what was learned as its prior, to go on learning from another series; as
    /// [`crate::generalised::embedded::dem::DemFit::as_prior`]. The momentum of the parameters begins anew with the states.
    ///
    /// # Errors
    /// [`Error::Size`] if this was learned of another model.
    pub fn as_prior<E: Equations>(&self, model: GenerativeModel<E>) -> Result<GenerativeModel<E>> {
        as_prior(
            model,
            (&self.parameters, &self.parameter_covariance),
            (&self.log_precisions, &self.log_precision_covariance),
        )
    }
}

impl<E: Equations> GeneralisedFiltering<E> {
    /// Learns parameters and log-precisions over passes through a whole series.
    ///
    /// # Errors
    /// As [`crate::generalised::embedded::dem::Dem::learn`]; the scheme is as it was then.
    pub fn learn(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<LapFit> {
        let kept = self.dem.d_step.clone();
        let learned = self.passes(series, inputs);
        self.dem.d_step = kept;
        learned
    }

    fn passes(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<LapFit> {
        let (model, noise) = (&self.dem.stack.model, &self.dem.noise);
        let recording = Recording::new(series, inputs, &model.cause.mean, &self.dem.layout())?;
        let priors = Priors::new(model, noise)?;
        let free = &priors.free;
        let size = free.len() + noise.mean.len();
        let mut course = Course {
            b: DVector::zeros(size),
            momentum: DVector::zeros(size),
            average: None,
            damping: 0.0,
        };
        let mut log_precisions = course.b.rows_mut(free.len(), noise.mean.len());
        log_precisions.copy_from(&noise.mean);
        let mut passes: Vec<f64> = Vec::new();
        let mut last: Option<Pass> = None;
        let mut still = 0;
        for _ in 0..self.dem.config.sweeps.max(1) {
            let pass = self.pass(&recording, &priors, &mut course)?;
            let before = passes.last().copied().unwrap_or(f64::NEG_INFINITY);
            let gain = pass.free_energy - before;
            course.damping = match gain > 0.0 {
                true => f64::max(course.damping - 1.0, -8.0),
                false => f64::max(course.damping + 2.0, 2.0),
            };
            still = if gain < 1.0 { still + 1 } else { 0 };
            passes.push(pass.free_energy);
            let stop = still >= 5 || course.damping > 6.0;
            let keeps_last = self.dem.config.published.has(Deviation::PassBeforeLast);
            if last.is_none() || !(stop && keeps_last) {
                last = Some(pass);
            }
            if stop {
                break;
            }
        }
        let Some(last) = last else {
            return Err(Error::setting("sweeps", 0, "at least one"));
        };
        Ok(LapFit {
            log_precision_covariance: last.h_spread,
            parameters: free.at(&last.deviation),
            parameter_covariance: free.covariance_of(&last.spread),
            log_precisions: last.h.as_slice().to_vec(),
            beliefs: last.beliefs,
            passes,
        })
    }
}
