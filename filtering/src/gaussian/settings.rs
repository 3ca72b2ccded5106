//! Settings of the learning rules, with the reason for each default.

use serde::{Deserialize, Serialize};

use super::em::{Learned, check_pseudo_count};
use super::kalman::check_kept;
use super::model::LinearGaussian;
use crate::{Error, Gain, Result};

/// How parameters follow the observations; [`LinearGaussian::learn_online`].
///
/// | rule | cost per observation | use |
/// |---|---|---|
/// | [`BlockOnlineEm`] | n³ | nearly everything: the default |
/// | [`OnlineEm`] | n⁵ | the statistics of the whole past at every step, the textbook algorithm; n ≤ 8 or diagonal |
/// | [`Rmle`] | n⁵ | parameters that move at every observation; n ≤ 8 or diagonal |
///
/// m0 and P0 are not learned: one stream starts once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum GaussianLearn {
    /// Smoothing in blocks, an M-step per block.
    BlockOnlineEm(BlockOnlineEm),
    /// Recursive quadratic statistics.
    OnlineEm(OnlineEm),
    /// Ascent of the log evidence.
    Rmle(Rmle),
}

impl Default for GaussianLearn {
    fn default() -> Self {
        Self::BlockOnlineEm(BlockOnlineEm::default())
    }
}

/// ε of every rule by default, on the scale of averages: enough that Q and R cannot shrink to nothing in one
/// step, too little to be seen in what is learned.
const PSEUDO_COUNT: f64 = 1e-4;

/// Block online EM: the smoother on blocks of observations with the carried filter as prior,
/// S ← (1 − γ)S + γ·(mean of the block), M-step.
///
/// γ = 1 − ∏(1 − γ_t) over the observations of the block, so that the block's length does not change how fast the
/// past is forgotten. S starts as if the initial model had fitted the states of the first block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlockOnlineEm {
    /// Observations per block, from 2 to 100 000.
    pub block: usize,
    /// γ_t.
    pub gain: Gain,
    /// ε of the M-step; statistics are averages per observation.
    pub pseudo_count: f64,
    /// Which parameters.
    pub learned: Learned,
}

impl Default for BlockOnlineEm {
    fn default() -> Self {
        Self {
            // The last few states of a block are smoothed with less of their future, and the M-step is paid
            // once a block: many times the memory of most models.
            block: 100,
            gain: Gain::default(),
            pseudo_count: PSEUDO_COUNT,
            learned: Learned::default(),
        }
    }
}

/// Online EM (O. Cappé, "Online EM algorithm for hidden Markov models", JCGS 20, 2011) with the quadratic
/// statistics of eq. F33.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnlineEm {
    /// γ_t; plain averages (1/(t + 1)) as long as these are larger.
    pub gain: Gain,
    /// No M-step before so many observations.
    pub first: u64,
    /// Observations from an M-step to the next.
    pub every: u64,
    /// ε of the M-step; statistics are averages per observation.
    pub pseudo_count: f64,
    /// Which parameters.
    pub learned: Learned,
}

impl Default for OnlineEm {
    fn default() -> Self {
        Self {
            gain: Gain::default(),
            // As many as the first averages of `gain` are over.
            first: 250,
            // γ is below 1/250: ten observations move the statistics by less than their noise.
            every: 10,
            pseudo_count: PSEUDO_COUNT,
            learned: Learned::default(),
        }
    }
}

/// Recursive maximum likelihood (eq. F10): a step along the gradient of the newest increment of the
/// log evidence, measured by the Fisher information of the three regressions (a natural gradient): with the
/// increments C of Σ E[r zᵀ] and V of Σ E[r rᵀ], and S̄ the average of z zᵀ,
///
/// ```text
/// Θ ← Θ + η C S̄⁻¹,   Q ← G (I + ηA + ½η²A²) Gᵀ,   A = G⁻¹(V − Q)G⁻ᵀ,   Q = G Gᵀ,
/// ```
///
/// the second a covariance whatever A is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rmle {
    /// η_t for γ_t = 1.
    pub rate: f64,
    /// γ_t; η_t = rate·γ_t.
    pub gain: Gain,
    /// No step before so many observations: S̄ is an average of few.
    pub first: u64,
    /// Which parameters.
    pub learned: Learned,
}

impl Default for Rmle {
    fn default() -> Self {
        Self {
            // Measured by the Fisher information, a step of γ is what online EM makes.
            rate: 1.0,
            // Gradients, unlike averages, do not lose the initial value by themselves: smaller exponents travel
            // further.
            gain: Gain {
                exponent: 0.6,
                offset: 1000.0,
            },
            // Many times the entries of a row of Θ for n ≤ 8.
            first: 100,
            learned: Learned::default(),
        }
    }
}

/// Largest n for which n² statistics of n² coefficients each are kept.
pub(super) const LARGEST_QUADRATIC: usize = 8;

impl GaussianLearn {
    /// Which parameters; never m0 and P0.
    pub(super) fn learned(&self) -> Learned {
        let learned = match self {
            Self::BlockOnlineEm(rule) => rule.learned,
            Self::OnlineEm(rule) => rule.learned,
            Self::Rmle(rule) => rule.learned,
        };
        Learned {
            initial: false,
            ..learned
        }
    }

    pub(super) fn check(&self, model: &LinearGaussian) -> Result<()> {
        self.learned().check_side_by_side(model)?;
        match self {
            Self::BlockOnlineEm(rule) => {
                rule.gain.check()?;
                check_kept("block", rule.block, 2, model)?;
                check_pseudo_count(rule.pseudo_count)
            }
            Self::OnlineEm(rule) => {
                rule.gain.check()?;
                at_least_one("first", rule.first)?;
                at_least_one("every", rule.every)?;
                check_pseudo_count(rule.pseudo_count)?;
                self.check_size(model)
            }
            Self::Rmle(rule) => {
                rule.gain.check()?;
                at_least_one("first", rule.first)?;
                if !(rule.rate > 0.0 && rule.rate.is_finite()) {
                    return Err(Error::setting("rate", rule.rate, "above 0"));
                }
                self.check_size(model)
            }
        }
    }

    fn check_size(&self, model: &LinearGaussian) -> Result<()> {
        if model.states() <= LARGEST_QUADRATIC || self.learned().diagonal {
            return Ok(());
        }
        Err(Error::Unsupported {
            what: format!("a model of {} states", model.states()),
            asked: "be learned by recursive quadratic statistics",
            why: "they take n⁵ operations an observation and stop at n = 8; \
                  take BlockOnlineEm, or `learned.diagonal` for a diagonal model",
        })
    }
}

fn at_least_one(field: &'static str, found: u64) -> Result<()> {
    if found == 0 {
        return Err(Error::setting(field, found, "at least 1"));
    }
    Ok(())
}
