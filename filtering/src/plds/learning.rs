//! Learning while filtering: block online EM.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::filter::PldsFilter;
use super::fit::add_dynamics;
use super::model::Plds;
use super::neuron::{Rows, direction};
use super::smoother::PldsSmoothed;
use crate::gaussian::{Gaussian, Regression, Statistics, average};
use crate::{Error, Gain, Moments, Result, Sequence, Step};

/// ε of the M-step, on the scale of averages: Q cannot shrink to nothing in one step.
const PSEUDO_COUNT: f64 = 1e-4;

/// How parameters follow the observations: the smoother on blocks of observations with the filter's belief as the start, then
/// a step of stochastic approximation (eq. F78).
///
/// ```text
/// S ← (1 − γ)S + γ·(mean of the block),   F, b, Q from S
/// H_i ← (1 − γ)H_i + γ·(mean of the block),   (c_i, d_i) ← (c_i, d_i) + γ H_i⁻¹·(mean slope of the block)
/// ```
///
/// γ = 1 − ∏(1 − γ_t) over the observations of the block. m0 and P0 are not learned: one stream starts once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PldsLearn {
    /// Observations per block, from 2 to 100 000.
    pub block: usize,
    /// γ_t.
    pub gain: Gain,
}

impl Default for PldsLearn {
    fn default() -> Self {
        Self {
            // The last few states of a block are smoothed with less of their future; many times the memory of most
            // populations, a second of bins of 10 ms.
            block: 100,
            gain: Gain::default(),
        }
    }
}

impl PldsLearn {
    fn check(&self) -> Result<()> {
        self.gain.check()?;
        crate::error::check_count("block", self.block, 2..=100_000)
    }
}

/// A filter whose model follows the observations: each is filtered under the model learned from those before its block.
///
/// ```
/// use scotopic_filtering::plds::{CountLaw, Plds, PldsLearn};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let guess = Plds::from_rows(CountLaw::Poisson, &[[0.9]], &[[0.2]], &[[0.5], [0.5]], &[0.0, 0.0])?;
/// let mut learning = guess.learn_online(PldsLearn { block: 50, ..PldsLearn::default() })?;
/// for t in 0..200 {
///     let rate = 2.0 + 2.0 * (0.1 * f64::from(t)).sin();
///     learning.update(Some(&[rate.round(), (2.0 * rate).round()]))?;
/// }
/// let offset = learning.model().offset();
/// assert!(learning.updates() > 0 && offset[1] > offset[0], "the second neuron fires more");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct PldsLearning {
    filter: PldsFilter,
    learn: PldsLearn,
    block: Block,
    updates: u64,
}

/// The observations since the last update, and running averages.
#[derive(Debug, Clone)]
struct Block {
    /// The belief before the block.
    start: Gaussian,
    /// Rows one after another, NaN where missing.
    rows: Vec<f64>,
    transition: Option<Regression>,
    /// H of each neuron that was seen `[n + 1, n + 1]`, row by row; empty of one that was not.
    curvatures: Vec<Vec<f64>>,
}

impl Plds {
    /// A filter that learns this model's parameters while it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense; as [`PldsFilter::new`].
    pub fn learn_online(self, learn: PldsLearn) -> Result<PldsLearning> {
        learn.check()?;
        let filter = PldsFilter::new(self)?;
        let width = filter.model().width();
        Ok(PldsLearning {
            block: Block {
                start: Gaussian::from_flat(filter.mean(), filter.covariance()),
                // A long block grows when it is filled.
                rows: Vec::with_capacity(learn.block.min(1 << 12) * width),
                transition: None,
                curvatures: vec![Vec::new(); width],
            },
            filter,
            learn,
            updates: 0,
        })
    }
}

impl PldsLearning {
    /// Takes in the next observation `[N]` and learns at the end of a block.
    ///
    /// # Errors
    /// As [`PldsFilter::update`]; [`Error::NotPositiveDefinite`] where the parameters have collapsed. Filter and model are
    /// then as they were.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        let width = self.filter.model().width();
        let last = self.block.rows.len() + width >= self.learn.block * width;
        let before = last.then(|| self.filter.clone());
        let step = self.filter.update(observation)?;
        match observation {
            Some(row) => self.block.rows.extend_from_slice(row),
            None => self
                .block
                .rows
                .resize(self.block.rows.len() + width, f64::NAN),
        }
        if let Some(before) = before {
            if let Err(error) = self.learn() {
                self.block.rows.truncate(self.block.rows.len() - width);
                self.filter = before;
                return Err(error.at_observation(self.filter.observations()));
            }
            self.block.rows.clear();
            self.block.start = Gaussian::from_flat(self.filter.mean(), self.filter.covariance());
            self.updates += 1;
        }
        Ok(step)
    }

    /// The model as it is now.
    pub fn model(&self) -> &Plds {
        self.filter.model()
    }

    /// The filter, with the model as it is now.
    pub fn filter(&self) -> &PldsFilter {
        &self.filter
    }

    /// How many times the model has changed.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The share of the newest block, which ends with observation `last` − 1.
    fn gain(&self, last: u64) -> f64 {
        let first = last - self.learn.block as u64;
        let kept = (first..last).map(|t| 1.0 - self.learn.gain.at(t).min(1.0));
        1.0 - kept.product::<f64>()
    }

    /// Changes nothing where it fails.
    fn learn(&mut self) -> Result<()> {
        let model = self.filter.model();
        let last = self.filter.observations();
        let gain = self.gain(last);
        let mut sequence = Sequence::new(model.width())?;
        for row in self.block.rows.chunks_exact(model.width()) {
            sequence.push(Some(row))?;
        }
        let seen = last - self.learn.block as u64;
        let first = (model.predictor()).state_ahead(&self.block.start, seen, 1);
        let started = model.clone().with_initial(first.mean, first.covariance)?;
        let smoothed = started.smooth(&sequence)?;
        let mut statistics = Statistics::new(model.predictor());
        add_dynamics(model, &smoothed, &mut statistics);
        let past = self.block.transition.as_ref();
        let transition = average(past, statistics.transition, model.process_noise(), gain);
        let mut total = Statistics::new(model.predictor());
        total.transition.add(1.0, &transition);
        let dynamics = model.with_dynamics(&total, false, PSEUDO_COUNT)?;
        let (rows, curvatures) = self.loadings(&sequence, &smoothed, gain)?;
        let next = dynamics.with_rows(&rows)?;
        self.block.transition = Some(transition);
        self.block.curvatures = curvatures;
        self.filter.change_model(next);
        Ok(())
    }

    /// Natural-gradient steps of all neurons, and their curvatures.
    fn loadings(&self, sequence: &Sequence, smoothed: &PldsSmoothed, gain: f64) -> Result<Moved> {
        let model = self.filter.model();
        let size = model.states() + 1;
        let pairs = sequence.iter().zip(smoothed.beliefs());
        let pairs = pairs.filter_map(|(row, belief)| Some((row?, belief)));
        let rows = Rows::new(model, pairs.collect());
        let mut curvatures = self.block.curvatures.clone();
        let mut moved = Vec::with_capacity(curvatures.len());
        for (i, kept) in curvatures.iter_mut().enumerate() {
            let theta = model.row(i);
            let slopes = rows.slopes(i, &theta);
            if slopes.count == 0.0 {
                moved.push(theta);
                continue;
            }
            let own = slopes.curvature / slopes.count;
            let curvature = match kept.is_empty() {
                true => own,
                false => DMatrix::from_row_slice(size, size, kept) * (1.0 - gain) + own * gain,
            };
            let step = direction(&curvature, &(slopes.gradient * (gain / slopes.count)));
            let next = step.and_then(|step| rows.raised(i, &theta, &step, slopes.value));
            moved.push(next.unwrap_or(theta));
            *kept = curvature.as_slice().to_vec();
        }
        Ok((moved, curvatures))
    }
}

/// (c, d) of every neuron, and its curvature.
type Moved = (Vec<DVector<f64>>, Vec<Vec<f64>>);

impl crate::Filter for PldsLearning {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        Self::update(self, observation)
    }

    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn parameter_updates(&self) -> Option<u64> {
        Some(self.updates)
    }

    fn signal(&self) -> Moments {
        crate::Filter::signal(&self.filter)
    }

    crate::filter::methods_of!(learning => &learning.filter);
}

/// Two learners are equal that will do the same from here on.
impl PartialEq for PldsLearning {
    fn eq(&self, other: &Self) -> bool {
        Saved::from(self.clone()) == Saved::from(other.clone())
    }
}

/// The form of a learner in a file: missing entries have no number there.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    filter: PldsFilter,
    learn: PldsLearn,
    start: Gaussian,
    rows: Vec<Option<f64>>,
    transition: Option<Regression>,
    curvatures: Vec<Vec<f64>>,
    updates: u64,
}

impl From<PldsLearning> for Saved {
    fn from(learning: PldsLearning) -> Self {
        let rows = learning.block.rows.iter();
        Self {
            rows: rows.map(|y| (!y.is_nan()).then_some(*y)).collect(),
            filter: learning.filter,
            learn: learning.learn,
            start: learning.block.start,
            transition: learning.block.transition,
            curvatures: learning.block.curvatures,
            updates: learning.updates,
        }
    }
}

impl TryFrom<Saved> for PldsLearning {
    type Error = Error;
    fn try_from(saved: Saved) -> Result<Self> {
        saved.learn.check()?;
        let model = saved.filter.model();
        let (n, width) = (model.states(), model.width());
        let rows: Vec<f64> = (saved.rows.iter()).map(|y| y.unwrap_or(f64::NAN)).collect();
        for row in rows.chunks(width) {
            model.check(row)?;
        }
        let side = (n + 1) * (n + 1);
        let sized = |c: &Vec<f64>| c.is_empty() || c.len() == side;
        let finite = |c: &Vec<f64>| c.iter().all(|v| v.is_finite());
        let regression = |r: &Regression| r.coefficients().shape() == (n, n + 1);
        let taken = saved.filter.observations();
        let held = (rows.len() / width) as u64;
        let fits = saved.curvatures.len() == width
            && saved.curvatures.iter().all(|c| sized(c) && finite(c))
            && saved.transition.as_ref().is_none_or(regression)
            && saved.start.states() == n
            && held == taken % saved.learn.block as u64;
        if !fits {
            let expected = "what block online EM carries for a model of these sizes";
            return Err(Error::size("state", "another", expected));
        }
        Ok(Self {
            block: Block {
                start: saved.start,
                rows,
                transition: saved.transition,
                curvatures: saved.curvatures,
            },
            filter: saved.filter,
            learn: saved.learn,
            updates: saved.updates,
        })
    }
}
