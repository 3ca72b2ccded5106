//! The streaming filter: one observation in, constant memory, no allocation.

mod diffuse;
mod prepared;
mod snapshot;

use serde::{Deserialize, Serialize};

pub(crate) use self::prepared::Prepared;
pub(super) use self::prepared::check_kept;
use self::snapshot::Snapshot;
use super::belief::Gaussian;
use super::diffuse::DiffuseBelief;
use super::flat::{From as Before, Into as After, Plan, advance, flat};
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use crate::math::cholesky::symmetric;
use crate::sequence::check_partial_row;
use crate::step::{Step, Sum};
use crate::{Belief, Error, Moments, PredictedObservation, Result};

/// The exact filter q_t(x_t) = N(m_t, P_t) of a [`LinearGaussian`] (R. E. Kalman, "A new approach to linear
/// filtering and prediction problems", 1960), with the recursive ELBO, which is the log evidence here.
///
/// An update costs 2n³ + O(m n²) operations and allocates nothing. The covariance is kept in Joseph form,
/// without jitter. The newest backward kernel and fixed-lag beliefs are made from kept beliefs when they
/// are asked for. Of an observation with missing entries (NaN) the others are used, exactly. A start that is diffuse (eq. F51)
/// is too: until enough was seen some variances are infinite, no kernel and no lagged belief is kept, and the evidence leaves
/// out ½ ln 2π of each number that fixed a direction. A snapshot (`serde`) continues bit for bit.
///
/// ```
/// use scotopic_filtering::gaussian::{Kalman, LinearGaussian};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
/// let mut filter = Kalman::new(walk)?.with_lag(3)?;
/// for y in [0.3, 0.1, 0.4] {
///     let step = filter.update(Some(&[y]))?;
///     assert!(step.surprise() > 0.0);
/// }
/// filter.update(None)?; // nothing seen: the belief only spreads
/// assert!(filter.covariance()[0] > filter.lagged(1)?.covariance()[(0, 0)]);
/// assert_eq!(filter.observations(), 4);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct Kalman {
    model: LinearGaussian,
    plan: Plan,
    /// The belief as long as it is diffuse; the ring then holds no other.
    diffuse: Option<DiffuseBelief>,
    /// A ring of lag + 2 beliefs (mean `[n]`, covariance `[n, n]`): the newest, lag before it, and the one
    /// that the next update writes, so that an update that fails has overwritten nothing.
    ring: Vec<f64>,
    newest: usize,
    /// How many beliefs of observations the ring holds, at most lag + 1.
    kept: usize,
    lag: usize,
    observations: u64,
    evidence: Sum,
    scratch: Vec<f64>,
}

impl Kalman {
    /// A filter that has seen nothing: the belief is N(m0, P0).
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] for an R that cannot be factored, which no valid model has.
    pub fn new(model: LinearGaussian) -> Result<Self> {
        let plan = Plan::new(&model)?;
        let mut filter = Self {
            scratch: vec![0.0; plan.scratch()],
            ring: Vec::new(),
            newest: 0,
            kept: 0,
            lag: 1,
            observations: 0,
            evidence: Sum::default(),
            diffuse: None,
            plan,
            model,
        };
        let prior = DiffuseBelief::start(&filter.model);
        let shown = prior.shown();
        filter.diffuse = Some(prior).filter(|prior| !prior.is_proper());
        filter.fill(1, &[shown]);
        Ok(filter)
    }

    /// The same filter with the beliefs of the last `lag` observations before the newest kept for
    /// [`Kalman::lagged`]; one is kept otherwise. Costs lag·(n + n²) numbers.
    ///
    /// # Errors
    /// [`Error::Setting`] for a lag of 0 or above 100 000, more than any filter needs.
    pub fn with_lag(mut self, lag: usize) -> Result<Self> {
        check_kept("lag", lag, 1, &self.model)?;
        let beliefs = self.beliefs();
        let recent = beliefs.len().saturating_sub(lag + 1);
        self.fill(lag, &beliefs[recent..]);
        Ok(self)
    }

    /// Rearranges the ring for `beliefs`, oldest first, at least one and at most `lag + 1`.
    fn fill(&mut self, lag: usize, beliefs: &[Gaussian]) {
        let slot = self.slot();
        self.ring = vec![0.0; (lag + 2) * slot];
        self.lag = lag;
        self.newest = beliefs.len() - 1;
        for (belief, place) in beliefs.iter().zip(self.ring.chunks_exact_mut(slot)) {
            let (mean, covariance) = place.split_at_mut(belief.states());
            mean.copy_from_slice(belief.mean.as_slice());
            covariance.copy_from_slice(&flat(&belief.covariance));
        }
        self.kept = if self.observations == 0 || self.diffuse.is_some() {
            0
        } else {
            beliefs.len()
        };
    }

    /// Takes in the next observation `[m]`, `None` for a missing one, NaN for a missing entry.
    ///
    /// # Errors
    /// [`Error::Observation`] for a row of a wrong width or an infinite entry,
    /// [`Error::NotFinite`] where the belief leaves the range of numbers. The filter is then as it was.
    pub fn update(&mut self, y: Option<&[f64]>) -> Result<Step> {
        let index = self.observations;
        if let Some(y) = y {
            check_partial_row(y, self.plan.m).map_err(|e| e.at_observation(index))?;
        }
        let partial = match y {
            Some(y) if y.iter().any(|v| v.is_nan()) => Some(Plan::of_seen(&self.model, y)?),
            _ => None,
        };
        let y = match &partial {
            Some((_, seen)) => (!seen.is_empty()).then_some(&seen[..]),
            None => y,
        };
        let plan = partial.as_ref().map_or(&self.plan, |(plan, _)| plan);
        if let Some(now) = &self.diffuse {
            let mut next = match index {
                0 => now.clone(),
                _ => now.moved(&self.model),
            };
            let increment = y.map_or(0.0, |y| next.observe(plan, y).0);
            return self.take_diffuse(next, increment);
        }
        let (n, slot) = (self.plan.n, self.slot());
        let next = (self.newest + 1) % (self.lag + 2);
        let (old, new) = two_slots(&mut self.ring, slot, self.newest, next);
        let (old_mean, old_covariance) = old.split_at(n);
        let (mean, covariance) = new.split_at_mut(n);
        let increment = advance(
            plan,
            y,
            Before {
                mean: old_mean,
                covariance: old_covariance,
                earlier: index > 0,
            },
            After { mean, covariance },
            &mut self.scratch,
        );
        let size = new.iter().map(|v| v.abs()).sum::<f64>() + increment.abs();
        if !size.is_finite() {
            let what = "the size of the belief";
            let found = size;
            return Err(Error::NotFinite { index, what, found });
        }
        self.newest = next;
        self.kept = (self.kept + 1).min(self.lag + 1);
        self.observations += 1;
        self.evidence = self.evidence.plus(increment);
        Ok(Step {
            increment,
            elbo: self.elbo(),
        })
    }

    /// How many directions of the state have no prior yet and were not fixed by an observation.
    pub fn diffuse(&self) -> usize {
        self.diffuse
            .as_ref()
            .map_or(0, |belief| belief.basis.rank())
    }

    /// The model.
    pub fn model(&self) -> &LinearGaussian {
        &self.model
    }

    /// m_t `[n]`; m0 before the first observation.
    pub fn mean(&self) -> &[f64] {
        &self.place(0)[..self.plan.n]
    }

    /// P_t `[n·n]`, row after row; P0 before the first observation.
    pub fn covariance(&self) -> &[f64] {
        &self.place(0)[self.plan.n..]
    }

    /// N(m_t, P_t) as nalgebra's vector and matrix.
    pub fn belief(&self) -> Gaussian {
        self.belief_before(0)
    }

    /// The belief about the state that the next observation is of.
    pub fn predicted(&self) -> Gaussian {
        if self.observations == 0 {
            self.belief()
        } else {
            self.predict(1)
        }
    }

    /// The belief about the state `steps` after the newest one; before the first observation, after x_1.
    pub fn predict(&self, steps: usize) -> Gaussian {
        match &self.diffuse {
            Some(now) => self.diffuse_after(now, steps).shown(),
            None => (0..steps).fold(self.belief(), |now, _| self.model.next_state(&now)),
        }
    }

    /// The belief about the observation `steps` after the newest one: N(H m + d, H P Hᵀ + R).
    pub fn predict_observation(&self, steps: usize) -> Gaussian {
        let (h, model) = (self.model.observation(), &self.model);
        if let Some(now) = &self.diffuse {
            let mut signal = self.diffuse_after(now, steps).signal(model);
            signal.covariance += model.observation_noise();
            return signal;
        }
        let state = self.predict(steps);
        Gaussian {
            mean: h * state.mean + model.offset(),
            covariance: symmetric(h * state.covariance * h.transpose() + model.observation_noise()),
        }
    }

    /// The newest backward kernel b_t(x_{t−1}|x_t); none before the second observation.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] where a direction of the prediction has no variance.
    pub fn kernel(&self) -> Result<Option<GaussianKernel>> {
        if self.kept < 2 {
            return Ok(None);
        }
        GaussianKernel::optimal(&self.model, &self.belief_before(1)).map(Some)
    }

    /// The belief about x_{t−back} after all observations so far, by the backward kernels.
    ///
    /// # Errors
    /// [`Error::Setting`] for more than was seen or is kept (see [`Kalman::with_lag`]);
    /// [`Error::NotPositiveDefinite`] where a direction of a prediction has no variance.
    pub fn lagged(&self, back: usize) -> Result<Gaussian> {
        if self.diffuse.is_some() {
            let expected = "a belief that is no longer diffuse: more observations";
            return Err(Error::setting("back", back, expected));
        }
        if back >= self.kept {
            let expected = format!("less than {} (the observations kept)", self.kept);
            return Err(Error::setting("back", back, expected));
        }
        (1..=back).try_fold(self.belief(), |later, back| {
            let kernel = GaussianKernel::optimal(&self.model, &self.belief_before(back))?;
            Ok(kernel.push(&later))
        })
    }

    /// L_t = ln p(y_1 … y_t), in nats.
    pub fn elbo(&self) -> f64 {
        self.evidence.value()
    }

    /// How many observations were taken in, missing ones included.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Continues with another model of the same sizes, and gives back that before; beliefs and evidence are kept.
    pub(crate) fn exchange_model(&mut self, prepared: Prepared) -> Prepared {
        Prepared {
            plan: std::mem::replace(&mut self.plan, prepared.plan),
            model: std::mem::replace(&mut self.model, prepared.model),
        }
    }

    /// What an update changes, the ring's spare belief apart.
    pub(crate) fn mark(&self) -> Mark {
        (self.newest, self.kept, self.observations, self.evidence)
    }

    /// Undoes the one update since `mark`.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        (self.newest, self.kept, self.observations, self.evidence) = mark;
    }

    /// The filtered belief `back` observations before the newest, which the ring must hold.
    pub(crate) fn belief_before(&self, back: usize) -> Gaussian {
        let (mean, covariance) = self.place(back).split_at(self.plan.n);
        Gaussian::from_flat(mean, covariance)
    }

    /// How many beliefs before the newest are kept.
    pub fn lag(&self) -> usize {
        self.lag
    }

    /// How many beliefs the ring holds.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    fn slot(&self) -> usize {
        self.plan.n * (self.plan.n + 1)
    }

    fn place(&self, back: usize) -> &[f64] {
        let (slots, slot) = (self.lag + 2, self.slot());
        let at = (self.newest + slots - back) % slots;
        &self.ring[at * slot..(at + 1) * slot]
    }

    /// The beliefs of the ring, oldest first; N(m0, P0) before the first observation.
    fn beliefs(&self) -> Vec<Gaussian> {
        (0..self.kept.max(1))
            .rev()
            .map(|back| self.belief_before(back))
            .collect()
    }
}

/// The place in the ring, how much of it holds beliefs, how many observations, and their evidence.
pub(crate) type Mark = (usize, usize, u64, Sum);

/// Slot `read` to read and slot `write` to write, of a ring of slots of `size` numbers.
fn two_slots(ring: &mut [f64], size: usize, read: usize, write: usize) -> (&[f64], &mut [f64]) {
    if read < write {
        let (left, right) = ring.split_at_mut(write * size);
        (&left[read * size..][..size], &mut right[..size])
    } else {
        let (left, right) = ring.split_at_mut(read * size);
        (&right[..size], &mut left[write * size..][..size])
    }
}

impl crate::Filter for Kalman {
    fn accepts_partial_rows(&self) -> bool {
        true
    }

    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::normal(self.mean(), self.covariance())
    }

    fn width(&self) -> usize {
        self.model.width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        if self.diffuse.is_some() {
            let steps = usize::from(Self::observations(self) > 0);
            return Ok(PredictedObservation::Numbers(moments(
                &self.predict_observation(steps),
            )));
        }
        Ok(self
            .model
            .predicted_observation(&Self::belief(self), Self::observations(self)))
    }

    fn signal(&self) -> Moments {
        match &self.diffuse {
            Some(now) => moments(&now.signal(&self.model)),
            None => self.model.signal(self.mean(), self.covariance()),
        }
    }
}

fn moments(belief: &Gaussian) -> Moments {
    Moments {
        mean: belief.mean.as_slice().to_vec(),
        variance: belief.covariance.diagonal().as_slice().to_vec(),
    }
}
