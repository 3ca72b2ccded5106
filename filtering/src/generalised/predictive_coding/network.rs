//! The network: two orders of motion of x, one of y, a belief flow for every observation.
//!
//! ```text
//! e_y = y − g(μ)          e_x = (μ' − f(μ), −f_x μ')          F = ½ e_yᵀ Π_y e_y + ½ e_xᵀ Π_x e_x
//! dμ̃/ds = D μ̃ − ∂F/∂μ̃,    s from 0 to 1 for each observation
//! ```
//!
//! with Π_x = R₂(s) ⊗ Π_w over two orders and f_x treated as constant when differentiating. (Bazargani, Urbas, Friston,
//! arXiv 2502.08860.) The sample is held while the beliefs flow: time within an observation is
//! the network's own, not the data's.

mod snapshot;

pub use snapshot::PredictiveCodingSnapshot;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::runge_kutta::{RungeKutta45, Workspace};
use crate::error::check_count;
use crate::generalised::integrator::LocalLinearisation;
use crate::generalised::model::stacked::{Derivatives, Local, Stack, finite};
use crate::generalised::model::{Equations, GenerativeModel};
use crate::generalised::precision::temporal_precision;
use crate::sequence::check_row;
use crate::{Belief, Error, Filter, Moments, PredictedObservation, Result, Step};

/// How the belief flow of one observation is integrated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Integrator {
    /// Adaptive steps, as published.
    RungeKutta(RungeKutta45),
    /// Steps of the locally linear flow: one is exact for linear f and g.
    LocalLinearisation {
        /// How many steps an observation.
        steps: usize,
    },
}

/// Settings of [`PredictiveCoding`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PredictiveCodingConfig {
    /// How the flow is integrated.
    pub integrator: Integrator,
    /// Smoothness of the noise of the motion, s in ρ(h) = exp(−h²/4s²). √½, the default, makes ρ(h) =
    /// exp(−h²/2), for which R₂ = I.
    pub smoothness: f64,
}

impl Default for PredictiveCodingConfig {
    fn default() -> Self {
        Self {
            integrator: Integrator::LocalLinearisation { steps: 1 },
            smoothness: std::f64::consts::FRAC_1_SQRT_2,
        }
    }
}

/// A one-layer predictive coding network of a model without causes.
///
/// ```
/// use scotopic_filtering::generalised::model::GenerativeModel;
/// use scotopic_filtering::generalised::predictive_coding::{PredictiveCoding, Pullback};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = GenerativeModel::single(Pullback { states: 1 }, &[], 1.0, 1.0, 1.0, &[0.0])?;
/// let mut network = PredictiveCoding::new(model, Default::default())?;
/// for _ in 0..20 {
///     network.update(&[3.0])?;
/// }
/// // Between what is seen, 3, and where the model pulls, 1.
/// assert!(network.states()[0] > 1.0 && network.states()[0] < 3.0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "PredictiveCodingSnapshot<E>",
    into = "PredictiveCodingSnapshot<E>",
    bound(
        serialize = "E: Equations + Clone + Serialize",
        deserialize = "E: Equations + Deserialize<'de>"
    )
)]
pub struct PredictiveCoding<E> {
    stack: Stack<E>,
    config: PredictiveCodingConfig,
    output_precision: DMatrix<f64>,
    /// R₂ ⊗ Π_w `[2n, 2n]`.
    motion_precision: DMatrix<f64>,
    theta: Vec<f64>,
    belief: Vec<f64>,
    trial: Vec<f64>,
    local: Local,
    workspace: Workspace,
    step: LocalLinearisation,
    free_energy: f64,
    action: f64,
    seen: u64,
}

impl<E: Equations> PredictiveCoding<E> {
    /// A network at the start of the model, at rest.
    ///
    /// # Errors
    /// As [`GenerativeModel::check`]; [`Error::Unsupported`] for a model with causes or several levels;
    /// [`Error::Setting`] for no step or an s that is not positive.
    pub fn new(model: GenerativeModel<E>, config: PredictiveCodingConfig) -> Result<Self> {
        let stack = Stack::new(model, Derivatives::Exact)?;
        let total = stack.totals();
        if total.causes > 0 || stack.model.levels.len() != 1 {
            return Err(Error::Unsupported {
                what: "a one-layer network".to_owned(),
                asked: "have causes or several levels",
                why: "its beliefs are about the states of one level; use Dem",
            });
        }
        match config.integrator {
            Integrator::LocalLinearisation { steps } => check_count("steps", steps, 1..=1000)?,
            Integrator::RungeKutta(tolerances) => tolerances.check()?,
        }
        if !(config.smoothness > 0.0 && config.smoothness.is_finite()) {
            let expected = "a positive number";
            return Err(Error::setting("smoothness", config.smoothness, expected));
        }
        let level = &stack.model.levels[0];
        let n = total.states;
        let mut belief = level.start.clone();
        belief.resize(2 * n, 0.0);
        Ok(Self {
            output_precision: level.output.expected(),
            motion_precision: temporal_precision(2, config.smoothness)?
                .kronecker(&level.motion.expected()),
            theta: stack.prior_parameters(),
            trial: belief.clone(),
            belief,
            local: Local::zeros(total),
            workspace: Workspace::new(2 * n),
            step: LocalLinearisation::new(2 * n, 1),
            free_energy: 0.0,
            action: 0.0,
            seen: 0,
            config,
            stack,
        })
    }

    /// Sets μ̃ `[2n]`: μ, then μ'.
    ///
    /// # Errors
    /// [`Error::Observation`] for a wrong length or an entry that is not finite.
    pub fn set_belief(&mut self, belief: &[f64]) -> Result<()> {
        check_row(belief, self.belief.len())?;
        self.belief.copy_from_slice(belief);
        Ok(())
    }

    /// One observation y `[outputs]`: the beliefs flow, then F is evaluated.
    ///
    /// # Errors
    /// An observation of the wrong width or not finite; f, g or the flow not finite. The network is as it was then.
    pub fn update(&mut self, y: &[f64]) -> Result<()> {
        let moved = check_row(y, self.local.g.len()).and_then(|()| {
            self.trial.copy_from_slice(&self.belief);
            self.flow(y)
        });
        let free_energy = moved.map_err(|e| e.at_observation(self.seen))?;
        self.belief.copy_from_slice(&self.trial);
        self.free_energy = free_energy;
        self.action += free_energy;
        self.seen += 1;
        Ok(())
    }

    /// A time without an observation: its error has no precision, the beliefs flow by the motion alone.
    ///
    /// # Errors
    /// f, g or the flow not finite. The network is as it was then.
    pub fn update_missing(&mut self) -> Result<()> {
        let outputs = self.local.g.len();
        let nothing = DMatrix::zeros(outputs, outputs);
        let precision = std::mem::replace(&mut self.output_precision, nothing);
        let moved = self.update(&vec![0.0; outputs]);
        self.output_precision = precision;
        moved
    }

    fn flow(&mut self, y: &[f64]) -> Result<f64> {
        let n = self.local.f.len();
        let Self {
            stack,
            local,
            theta,
            output_precision,
            motion_precision,
            ..
        } = self;
        match self.config.integrator {
            Integrator::RungeKutta(tolerance) => {
                let slope = |u: &[f64], d: &mut [f64]| {
                    stack.evaluate(&u[..n], &[], theta, local)?;
                    slope(local, output_precision, motion_precision, u, y, d);
                    Ok(())
                };
                tolerance.integrate(&mut self.trial, 1.0, &mut self.workspace, slope)?;
            }
            Integrator::LocalLinearisation { steps } => {
                let mut change = DVector::zeros(2 * n);
                let mut forcing = DMatrix::zeros(2 * n, 1);
                for _ in 0..steps {
                    stack.evaluate(&self.trial[..n], &[], theta, local)?;
                    let d = forcing.as_mut_slice();
                    slope(local, output_precision, motion_precision, &self.trial, y, d);
                    let a = flow_jacobian(local, output_precision, motion_precision);
                    self.step
                        .step(&a, &forcing, 1.0 / steps as f64, &mut change);
                    self.trial
                        .iter_mut()
                        .zip(change.iter())
                        .for_each(|(u, c)| *u += c);
                    finite("the motion of the beliefs", &self.trial)?;
                }
            }
        }
        stack.evaluate(&self.trial[..n], &[], theta, local)?;
        let (errors, seen) = errors(local, &self.trial, y);
        let energy =
            errors.dot(&(&*motion_precision * &errors)) + seen.dot(&(&*output_precision * &seen));
        Ok(0.5 * energy)
    }

    /// What has to be kept to go on later.
    pub fn into_snapshot(self) -> PredictiveCodingSnapshot<E> {
        PredictiveCodingSnapshot {
            model: self.stack.model,
            config: self.config,
            belief: self.belief,
            free_energy: self.free_energy,
            action: self.action,
            seen: self.seen,
        }
    }

    /// A network that continues from a snapshot with the same numbers bit for bit: all else is recomputed.
    ///
    /// # Errors
    /// As [`PredictiveCoding::new`]; a belief of another length; a number that is not finite.
    pub fn restore(kept: PredictiveCodingSnapshot<E>) -> Result<Self> {
        let mut network = Self::new(kept.model, kept.config)?;
        if kept.belief.len() != network.belief.len() {
            let expected = network.belief.len();
            return Err(Error::size("snapshot: belief", kept.belief.len(), expected));
        }
        let sums = [kept.free_energy, kept.action];
        if let Some(&v) = (kept.belief.iter().chain(&sums)).find(|v| !v.is_finite()) {
            return Err(Error::entry("snapshot", &[], v, "finite numbers"));
        }
        network.belief = kept.belief;
        (network.free_energy, network.action) = (kept.free_energy, kept.action);
        network.seen = kept.seen;
        Ok(network)
    }

    /// μ `[n]`.
    pub fn states(&self) -> &[f64] {
        &self.belief[..self.belief.len() / 2]
    }

    /// μ' `[n]`.
    pub fn motion(&self) -> &[f64] {
        &self.belief[self.belief.len() / 2..]
    }

    /// F after the last observation: an energy, smaller is better.
    pub fn free_energy(&self) -> f64 {
        self.free_energy
    }

    /// Σ F over all observations, the free action.
    pub fn action(&self) -> f64 {
        self.action
    }
}

/// Its belief is a point, and its free energy bounds no evidence of the samples.
impl<E: Equations + Clone> Filter for PredictiveCoding<E> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        match observation {
            Some(y) => Self::update(self, y)?,
            None => self.update_missing()?,
        }
        Ok(Step::NO_EVIDENCE)
    }

    fn belief(&self) -> Belief<'_> {
        Belief::normal(self.states(), &[])
    }

    fn elbo(&self) -> f64 {
        f64::NAN
    }

    fn observations(&self) -> u64 {
        self.seen
    }

    fn width(&self) -> usize {
        self.local.g.len()
    }

    /// g(μ) with the variance of z: the beliefs flow only once there is an observation.
    fn predicted_observation(&self) -> Result<PredictedObservation> {
        let mut now = self.clone();
        let states = self.states();
        now.stack
            .evaluate(states, &[], &now.theta, &mut now.local)?;
        let noise = self.output_precision.clone().cholesky();
        let noise =
            noise.ok_or_else(|| Error::not_finite(self.seen, "the noise of y", f64::NAN))?;
        Ok(PredictedObservation::Numbers(Moments {
            mean: now.local.g.iter().copied().collect(),
            variance: noise.inverse().diagonal().iter().copied().collect(),
        }))
    }
}

/// D μ̃ − ∂F/∂μ̃, with
///
/// ```text
/// −∂F/∂μ = g_xᵀ Π_y e_y + f_xᵀ (Π_x e_x)₀        −∂F/∂μ' = −(Π_x e_x)₀ + f_xᵀ (Π_x e_x)₁
/// ```
fn slope(
    local: &Local,
    output: &DMatrix<f64>,
    motion: &DMatrix<f64>,
    u: &[f64],
    y: &[f64],
    d: &mut [f64],
) {
    let n = local.f.len();
    let (errors, seen) = errors(local, u, y);
    let weighted = motion * errors;
    let (low, high) = (weighted.rows(0, n), weighted.rows(n, n));
    let first = local.g_x.tr_mul(&(output * seen)) + local.f_x.tr_mul(&low);
    let second = local.f_x.tr_mul(&high) - low;
    for i in 0..n {
        d[i] = u[n + i] + first[i];
        d[n + i] = second[i];
    }
}

/// e_x `[2n]` and e_y.
fn errors(local: &Local, u: &[f64], y: &[f64]) -> (DVector<f64>, DVector<f64>) {
    let n = local.f.len();
    let motion = nalgebra::DVectorView::from_slice(&u[n..], n);
    let mut errors = DVector::zeros(2 * n);
    errors.rows_mut(0, n).copy_from(&(motion - &local.f));
    errors.rows_mut(n, n).copy_from(&-(&local.f_x * motion));
    (errors, DVector::from_column_slice(y) - &local.g)
}

/// D − Jᵀ Π J, f_x and g_x constant.
fn flow_jacobian(local: &Local, output: &DMatrix<f64>, motion: &DMatrix<f64>) -> DMatrix<f64> {
    let n = local.f.len();
    let mut j = DMatrix::zeros(2 * n, 2 * n);
    j.view_mut((0, 0), (n, n)).copy_from(&-&local.f_x);
    j.view_mut((n, n), (n, n)).copy_from(&-&local.f_x);
    let mut a = DMatrix::zeros(2 * n, 2 * n);
    for i in 0..n {
        j[(i, n + i)] += 1.0;
        a[(i, n + i)] = 1.0;
    }
    a -= j.tr_mul(&(motion * &j));
    let mut place = a.view_mut((0, 0), (n, n));
    place -= local.g_x.tr_mul(&(output * &local.g_x));
    a
}
