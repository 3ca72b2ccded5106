//! Learning while filtering: one interface for the three rules.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::block::Block;
use super::em::Learned;
use super::kalman::{Kalman, Prepared};
use super::matrices::{check_covariance, matrix, rows};
use super::model::LinearGaussian;
use super::quadratic::{RecursiveStatistics, second_moment, seen};
use super::regression::Regression;
use super::settings::{GaussianLearn, OnlineEm, Rmle};
use super::statistics::Statistics;
use crate::math::cholesky::{cholesky, symmetric};
use crate::step::Step;
use crate::{Error, Moments, Result};

/// A filter whose model follows the observations. [`Step::increment`] is the prequential score: ln p of the
/// observation under the model that was learned from those before it.
///
/// An update that does not end a block allocates nothing with [`BlockOnlineEm`](super::BlockOnlineEm); M-steps
/// and recursive statistics do allocate. A snapshot (`serde`) continues bit for bit.
///
/// ```
/// use scotopic_filtering::gaussian::{GaussianLearn, LinearGaussian};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let guess = LinearGaussian::from_rows(&[[0.5]], &[[1.0]], &[[1.0]], &[[1.0]])?;
/// let mut learning = guess.learn_online(&GaussianLearn::default())?;
/// for t in 0..500 {
///     learning.update(Some(&[(0.1 * f64::from(t)).sin()]))?;
/// }
/// assert_eq!(learning.steps(), 5);
/// assert!(learning.model().transition()[0] > 0.5, "a slow wave: neighbours are alike");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct GaussianLearning {
    filter: Kalman,
    learn: GaussianLearn,
    state: State,
    steps: u64,
}

/// What each rule carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Block(Block),
    Em(RecursiveStatistics),
    Rmle(Ascent),
}

/// The increments of the statistics, and S̄, the average of E[z zᵀ].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ascent {
    statistics: RecursiveStatistics,
    scale: Vec<Vec<f64>>,
}

impl LinearGaussian {
    /// A filter that learns this model's parameters while it runs.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting that makes no sense, [`Error::Unsupported`] for recursive statistics
    /// of a model that is too large for them.
    pub fn learn_online(self, learn: &GaussianLearn) -> Result<GaussianLearning> {
        self.check_proper("a linear-Gaussian model", "learn online")?;
        learn.check(&self)?;
        let diagonal = learn.learned().diagonal;
        let n = self.states();
        let filter = Kalman::new(self)?;
        let model = filter.model();
        let state = match learn {
            GaussianLearn::BlockOnlineEm(rule) => State::Block(Block::new(rule, model)),
            GaussianLearn::OnlineEm(_) => State::Em(RecursiveStatistics::new(model, diagonal)),
            GaussianLearn::Rmle(_) => State::Rmle(Ascent {
                statistics: RecursiveStatistics::new(model, diagonal),
                scale: vec![vec![0.0; n + 1]; n + 1],
            }),
        };
        let filter = match learn {
            GaussianLearn::BlockOnlineEm(rule) => filter.with_lag(rule.block)?,
            _ => filter,
        };
        Ok(GaussianLearning {
            filter,
            learn: learn.clone(),
            state,
            steps: 0,
        })
    }
}

impl GaussianLearning {
    /// Takes in the next observation `[m]`, `None` for a missing one, and learns from it.
    ///
    /// # Errors
    /// As [`Kalman::update`]; [`Error::NotPositiveDefinite`] or [`Error::Entry`] where the parameters have
    /// collapsed or left the range of numbers. Filter and model are then as they were.
    pub fn update(&mut self, y: Option<&[f64]>) -> Result<Step> {
        // Nothing but missing entries is a missing observation; a row without entries is wrong.
        let y = y.filter(|y| y.is_empty() || y.iter().any(|v| !v.is_nan()));
        let before = self.filter.mark();
        let step = self.filter.update(y)?;
        match self.learn(y) {
            Ok(()) => Ok(step),
            Err(error) => {
                self.filter.back_to(before);
                Err(error.at_observation(self.filter.observations()))
            }
        }
    }

    /// What the newest observation, which the filter has taken in, says about the model. Changes nothing where
    /// it fails.
    fn learn(&mut self, y: Option<&[f64]>) -> Result<()> {
        let learned = self.learn.learned();
        let filter = &self.filter;
        let t = filter.observations() - 1;
        let learnt = match (&self.learn, &mut self.state) {
            (GaussianLearn::BlockOnlineEm(rule), State::Block(block)) => {
                block.update(rule, &learned, filter, y)?
            }
            (GaussianLearn::OnlineEm(rule), State::Em(statistics)) => {
                let (next, model) = online_em(rule, &learned, filter, statistics, t, y)?;
                let model = model.map(Prepared::new).transpose()?;
                *statistics = next;
                model
            }
            (GaussianLearn::Rmle(rule), State::Rmle(ascent)) => {
                let (next, model) = rmle(rule, &learned, filter, ascent, t, y)?;
                let model = model.map(Prepared::new).transpose()?;
                *ascent = next;
                model
            }
            // A learner is made, and read from a file, with the state of its rule.
            _ => None,
        };
        if let Some(model) = learnt {
            self.filter.exchange_model(model);
            self.steps += 1;
        }
        Ok(())
    }

    /// The model as it is now.
    pub fn model(&self) -> &LinearGaussian {
        self.filter.model()
    }

    /// The filter, with the model as it is now and the evidence of each observation under the model of its time.
    pub fn filter(&self) -> &Kalman {
        &self.filter
    }

    /// How it learns.
    pub fn settings(&self) -> &GaussianLearn {
        &self.learn
    }

    /// How many times the model has changed.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

fn online_em(
    rule: &OnlineEm,
    learned: &Learned,
    filter: &Kalman,
    statistics: &RecursiveStatistics,
    t: u64,
    y: Option<&[f64]>,
) -> Result<(RecursiveStatistics, Option<LinearGaussian>)> {
    let gain = rule.gain.at(t).max(1.0 / (t as f64 + 1.0));
    let mut next = statistics.clone();
    let y = y.map(|y| seen(filter.model(), y)).transpose()?;
    next.advance(filter.kernel()?.as_ref(), y.as_ref(), 1.0 - gain, gain);
    let mut model = None;
    if t + 1 >= rule.first && (t + 1).is_multiple_of(rule.every) {
        let expected = next.expected(&filter.belief());
        model = Some(
            filter
                .model()
                .maximised(&expected, learned, rule.pseudo_count)?,
        );
    }
    Ok((next, model))
}

fn rmle(
    rule: &Rmle,
    learned: &Learned,
    filter: &Kalman,
    ascent: &Ascent,
    t: u64,
    y: Option<&[f64]>,
) -> Result<(Ascent, Option<LinearGaussian>)> {
    let belief = filter.belief();
    let mut statistics = ascent.statistics.clone();
    let y = y.map(|y| seen(filter.model(), y)).transpose()?;
    statistics.advance(filter.kernel()?.as_ref(), y.as_ref(), 1.0, 1.0);
    // Their expectation was taken out at the last observation: what is there now is the increment.
    let increment = statistics.expected(&belief);
    statistics.forget_expected(&belief);
    let share = 1.0 / (t as f64 + 1.0);
    let share = share.max(rule.gain.at(t));
    let moment = second_moment(&belief.mean, &belief.covariance);
    let scale = matrix("scale", &ascent.scale)? * (1.0 - share) + moment * share;
    let mut model = None;
    if t + 1 >= rule.first {
        let rate = rule.rate * rule.gain.at(t);
        model = Some(ascended(filter.model(), learned, &increment, &scale, rate)?);
    }
    let scale = rows(&scale);
    Ok((Ascent { statistics, scale }, model))
}

/// A step of length `rate` along the natural gradient of the statistics' log-likelihood.
fn ascended(
    model: &LinearGaussian,
    learned: &Learned,
    increment: &Statistics,
    scale: &DMatrix<f64>,
    rate: f64,
) -> Result<LinearGaussian> {
    let increment = increment.about(model);
    let n = model.states();
    // `best` solves by the inputs: with S̄/η in their place it returns Θ + η C S̄⁻¹.
    let step = |part: &Regression, whole: bool, vector: bool| {
        let part = Regression {
            weight: 1.0,
            inputs: scale / rate,
            ..part.clone()
        };
        let free = |i: usize, j: usize| match j == n {
            true => vector,
            false => whole && (!learned.diagonal || i == j),
        };
        part.best(free, 0.0)
    };
    let spread = |name: &str, part: &Regression, noise: &DMatrix<f64>, free: bool| {
        if !free {
            return Ok(noise.clone());
        }
        let factor = cholesky(name, noise)?;
        let root = factor.l();
        let mut change = part.residual() - noise * part.weight();
        if learned.diagonal {
            change = DMatrix::from_diagonal(&change.diagonal());
        }
        // A = G⁻¹ change G⁻ᵀ.
        let half = root.solve_lower_triangular(&change).unwrap_or(change);
        let a = root
            .solve_lower_triangular(&half.transpose())
            .unwrap_or(half)
            * rate;
        let size = a.nrows();
        let grown = DMatrix::identity(size, size) + &a + 0.5 * &a * &a;
        Ok::<_, Error>(symmetric(&root * grown * root.transpose()))
    };
    let (moves, sees) = (&increment.transition, &increment.observation);
    model.with_regressions(
        &step(moves, learned.transition, learned.bias)?,
        spread(
            "process_noise",
            moves,
            model.process_noise(),
            learned.process_noise,
        )?,
        &step(sees, learned.observation, learned.offset)?,
        spread(
            "observation_noise",
            sees,
            model.observation_noise(),
            learned.observation_noise,
        )?,
    )
}

impl crate::Filter for GaussianLearning {
    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        Self::update(self, observation)
    }

    fn parameter_updates(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn signal(&self) -> Moments {
        self.filter.signal()
    }

    crate::filter::methods_of!(learning => &learning.filter);
}

/// The form of a learner in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    filter: Kalman,
    learn: GaussianLearn,
    state: State,
    steps: u64,
}

impl From<GaussianLearning> for Snapshot {
    fn from(learning: GaussianLearning) -> Self {
        Self {
            filter: learning.filter,
            learn: learning.learn,
            state: learning.state,
            steps: learning.steps,
        }
    }
}

impl TryFrom<Snapshot> for GaussianLearning {
    type Error = Error;
    fn try_from(snapshot: Snapshot) -> Result<Self> {
        let model = snapshot.filter.model();
        snapshot.learn.check(model)?;
        let n = model.states();
        let fits = match (&snapshot.learn, &snapshot.state) {
            (GaussianLearn::BlockOnlineEm(rule), State::Block(block)) => {
                block.fits(rule, &snapshot.filter)
            }
            (GaussianLearn::OnlineEm(_), State::Em(statistics)) => statistics.fits(model),
            (GaussianLearn::Rmle(_), State::Rmle(ascent)) => {
                let scale = matrix("scale", &ascent.scale)?;
                check_covariance("scale", scale, n + 1)?;
                ascent.statistics.fits(model)
            }
            _ => false,
        };
        if !fits {
            let expected = "what its rule carries for a model of these sizes";
            return Err(Error::size("state", "another", expected));
        }
        Ok(Self {
            filter: snapshot.filter,
            learn: snapshot.learn,
            state: snapshot.state,
            steps: snapshot.steps,
        })
    }
}
