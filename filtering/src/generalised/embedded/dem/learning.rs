//! The E- and M-step: parameters and log-precisions learned over sweeps of a whole series.
//!
//! While the D-step sweeps over T bins these are summed, e and J those of the last step of each bin:
//!
//! ```text
//! F_p   = Σ_t [ −J_pᵀ iS e − ∂_ε ½tr(C_u Jᵀ iS J) ] − P_p ε          Λ_p = Σ_t J_pᵀ iS J_p + P_p,   C_p = Λ_p⁻¹
//! F_pp  = Σ_t [ −J_pᵀ iS J_p − ∂²_ε ½tr(C_u Jᵀ iS J) ] − P_p
//! E     = Σ_t [ e eᵀ + J C_u Jᵀ + J_p C_p J_pᵀ ]
//! ```
//!
//! The M-step is in `m_step.rs`.
//!
//! Free energy of a sweep, with δ = h − h₀ and the D-step's part from `free_energy.rs`:
//!
//! ```text
//! F = Σ_t F_t − ½ εᵀ P_p ε − ½ δᵀ P_h δ + ½ ln det(C_p P_p) + ½ ln det(C_h P_h)
//! ```
//!
//! Each step Δ solves the ascent along its gradient for a time exp(τ)/|det|^{1/dim} of its curvature: long for
//! large τ (a Newton step), short for small τ. A sweep that does not raise F is taken back.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::ascent::{LONGEST, left, regularised_step};
use super::posterior::as_prior;
use super::priors::Priors;
use super::published::Deviation;
use super::recording::Recording;
use super::scheme::Dem;
use super::sweep::Estimate;
use crate::generalised::embedded::record::Record;
use crate::generalised::model::{Equations, GenerativeModel};
use crate::{Error, Result, Sequence};

/// What was learned from a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemFit {
    /// The posterior mean of θ of all levels `[parameters]`.
    pub parameters: Vec<f64>,
    /// Its covariance `[parameters, parameters]`.
    pub parameter_covariance: DMatrix<f64>,
    /// Posterior means of the log-precisions: of outputs and causes, then of motions.
    pub log_precisions: Vec<f64>,
    /// Their covariance.
    pub log_precision_covariance: DMatrix<f64>,
    /// The beliefs of the best sweep, bin by bin.
    pub beliefs: Vec<Record>,
    /// Each sweep: F in nats, and whether it was kept.
    pub sweeps: Vec<(f64, bool)>,
}

impl DemFit {
    /// `model` with what was learned as its prior, to go on learning from another series.
    ///
    /// That is the M- and E-step's own way of carrying over: the second series sees the first through means and
    /// covariances of parameters and log-precisions. Covariances between levels and between noises are left out, as a
    /// model has a prior for each; the states begin anew.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::generalised::dem::{Dem, DemConfig};
    /// use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
    ///
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let leak = Linear::ornstein_uhlenbeck(0.5);
    /// let mut model = GenerativeModel::single(leak.clone(), &leak.defaults(), 9.0, 9.0, 1.0, &[0.0])?;
    /// model.levels[0].output = NoisePrecision::unknown(1, 2.0, 4.0);
    /// let wave = |from: u32| Sequence::of_numbers((from..from + 32).map(|t| (0.4 * f64::from(t)).sin()));
    /// let first = Dem::new(model.clone(), DemConfig::default())?.learn(&wave(0)?, None)?;
    /// let second = Dem::new(first.as_prior(model)?, DemConfig::default())?.learn(&wave(32)?, None)?;
    /// // Two series tell more than one.
    /// assert!(second.log_precision_covariance[(0, 0)] < first.log_precision_covariance[(0, 0)]);
    /// # Ok(()) }
    /// ```
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

/// A sweep that was accepted.
struct Kept {
    free_energy: f64,
    estimate: Estimate,
    gradient: DVector<f64>,
    curvature: DMatrix<f64>,
    beliefs: Vec<Record>,
}

impl<E: Equations> Dem<E> {
    /// Learns parameters and log-precisions from a whole series; afterwards the scheme filters with them.
    ///
    /// # Errors
    /// As [`Dem::run`]. What was learned up to then is discarded.
    pub fn learn(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<DemFit> {
        let start = self.d_step.clone();
        let learned = self.sweeps(series, inputs);
        if learned.is_err() {
            self.d_step = start;
        }
        learned
    }

    fn sweeps(&mut self, series: &Sequence, inputs: Option<&Sequence>) -> Result<DemFit> {
        let mean = &self.stack.model.cause.mean;
        let recording = Recording::new(series, inputs, mean, &self.layout())?;
        let priors = Priors::new(&self.stack.model, &self.noise)?;
        let free = &priors.free;
        let published = self.config.published;
        let mut estimate = Estimate::start(free.len(), &self.noise);
        let mut time = self.config.first_time;
        let mut kept: Option<Kept> = None;
        let mut sweeps = Vec::new();
        let mut precision_steps = self.config.precision_steps;
        let mut step = DVector::zeros(free.len());
        let mut before = None;
        for _ in 0..self.config.sweeps {
            let (sums, beliefs) = self.sweep(&recording, &priors, &mut estimate)?;
            let prior_h = &priors.log_precisions;
            let (moved, judged) = self.m_step(&sums, prior_h, &mut estimate, precision_steps)?;
            let f = self.sweep_free_energy(&sums, &priors, &estimate, &judged);
            // Later sweeps are taken back, but there is nothing before the first.
            if kept.is_none() && !f.is_finite() {
                return Err(Error::NotFinite {
                    index: 0,
                    what: "the free energy of the first sweep",
                    found: f,
                });
            }
            let better = kept.as_ref().is_none_or(|k| f > k.free_energy);
            sweeps.push((f, better));
            if better {
                time = f64::min(time + 0.5, LONGEST);
                kept = Some(Kept {
                    free_energy: f,
                    estimate: estimate.clone(),
                    gradient: sums.gradient,
                    curvature: sums.curvature,
                    beliefs,
                });
            } else {
                time = f64::min(time - 2.0, -2.0);
            }
            let Some(best) = &kept else { break };
            if !better {
                estimate.clone_from(&best.estimate);
            }
            let stale = !better && published.has(Deviation::StaleRestore);
            precision_steps = if stale {
                1
            } else {
                self.config.precision_steps
            };
            step = match stale {
                true => DVector::zeros(free.len()),
                false => {
                    let unit = published.has(Deviation::DiagonalTime);
                    regularised_step(&best.curvature, &best.gradient, time, unit)
                }
            };
            let small = (-4f64).exp();
            let length = step.lp_norm(1);
            let left = match published.has(Deviation::SmallStep) {
                true => length,
                false => left(length, before),
            };
            before = better.then_some(length);
            let so_far = estimate.deviation.lp_norm(1).max(f64::MIN_POSITIVE);
            let settled = better && left < small * so_far && moved < small;
            estimate.deviation += &step;
            if settled || time < -8.0 {
                break;
            }
        }
        let Some(mut best) = kept else {
            return Err(Error::setting("sweeps", 0, "at least one"));
        };
        let ends_better = sweeps.last().is_some_and(|&(_, better)| better);
        if published.has(Deviation::UntriedStep) && ends_better {
            best.estimate.deviation += step;
        }
        let found = best.estimate;
        self.parameters = free.at(&found.deviation);
        self.d_step.set_precision(self.noise.at(&found.h));
        self.log_precisions.copy_from(&found.h);
        Ok(DemFit {
            parameters: self.parameters.clone(),
            parameter_covariance: free.covariance_of(&found.spread),
            log_precisions: found.h.as_slice().to_vec(),
            log_precision_covariance: found.h_spread,
            beliefs: best.beliefs,
            sweeps,
        })
    }
}
