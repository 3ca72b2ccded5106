//! Settings of the learning rules, with the reason for each default.

use serde::{Deserialize, Serialize};

use super::super::pseudo_observations::{PseudoObservations, PseudoVariance};
use crate::{Error, Gain, Result};

/// How parameters follow the observations; [`Hmm::learn_online`](crate::hmm::Hmm::learn_online).
///
/// | rule | cost per observation | use |
/// |---|---|---|
/// | [`BlockOnlineEm`] | K² | nearly everything: the default |
/// | [`OnlineEm`] | about 3K²(K + P) | the statistics of the whole past at every step, the textbook algorithm |
/// | [`FixedLag`] | lag·K² | parameters that move at every observation, at less than K³ |
/// | [`Rmle`] | as `OnlineEm` | the gradient itself: emissions without a closed M-step |
/// | [`Dirichlet`] | K² | few observations, prior knowledge, intervals, drift |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Learn {
    /// Smoothing in blocks, an M-step per block.
    BlockOnlineEm(BlockOnlineEm),
    /// Recursive statistics, an M-step every observation.
    OnlineEm(OnlineEm),
    /// Smoothing a fixed number of steps back.
    FixedLag(FixedLag),
    /// Ascent of the log evidence.
    Rmle(Rmle),
    /// Conjugate counts.
    Dirichlet(Dirichlet),
}

impl Default for Learn {
    fn default() -> Self {
        Learn::BlockOnlineEm(BlockOnlineEm::default())
    }
}

/// ε of every rule by default, on the scale of averages: a hundredth of one of the 10⁴ observations that an
/// average over 10⁵ effectively holds. Enough that a symbol never seen has a probability, not −∞ when it comes; little
/// enough that all of them together, ε·K·M, are nothing (with 16 states and 32 symbols, 10⁻⁴ would make 5% of all
/// emissions up, and costs 0.013 nats per observation).
const PSEUDO_COUNT: f64 = 1e-6;

/// Averages of parameters leave out so many observations by default: as many as it takes, with [`Gain`] as it
/// is, until the start weighs less than 1e-4 (∏(1 − γ_t) at t = 10⁴ is e^−11).
const AVERAGE_FROM: u64 = 10_000;

/// Block online EM: forward–backward on blocks of observations with the carried filter as prior,
/// S ← (1 − γ)S + γ·(mean of the block), M-step.
///
/// γ = 1 − ∏(1 − γ_t) over the observations of the block, so that the block's length does not change how fast the
/// past is forgotten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlockOnlineEm {
    /// Observations per block, at most 100 000.
    pub block: usize,
    /// γ_t.
    pub gain: Gain,
    /// ε of the M-step; statistics are averages per observation.
    pub pseudo_count: f64,
    /// The variance of pseudo-observations.
    pub pseudo_variance: PseudoVariance,
    /// The observation from which on parameters are averaged.
    pub average_from: u64,
}

impl BlockOnlineEm {
    pub(super) fn pseudo(&self) -> PseudoObservations {
        PseudoObservations {
            count: self.pseudo_count,
            variance: self.pseudo_variance,
        }
    }
}

impl Default for BlockOnlineEm {
    fn default() -> Self {
        Self {
            // The last few states of a block, as many as the chain's memory, are smoothed with less of their
            // future, and the M-step is paid once a block: many times the memory of most chains, and still
            // a tenth of the first averaging window of the gain.
            block: 100,
            gain: Gain::default(),
            pseudo_count: PSEUDO_COUNT,
            pseudo_variance: PseudoVariance::OfData,
            average_from: AVERAGE_FROM,
        }
    }
}

/// Online EM (O. Cappé, "Online EM algorithm for hidden Markov models", JCGS 20, 2011): the recursive statistics
/// of eq. F22, exactly, and an M-step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnlineEm {
    /// γ_t.
    pub gain: Gain,
    /// No M-step before so many observations: the statistics of the first few determine nothing.
    pub first: u64,
    /// Observations from an M-step to the next.
    pub every: u64,
    /// ε of the M-step; statistics are averages per observation.
    pub pseudo_count: f64,
    /// The variance of pseudo-observations.
    pub pseudo_variance: PseudoVariance,
    /// The observation from which on parameters are averaged.
    pub average_from: u64,
}

impl OnlineEm {
    pub(super) fn pseudo(&self) -> PseudoObservations {
        PseudoObservations {
            count: self.pseudo_count,
            variance: self.pseudo_variance,
        }
    }
}

impl Default for OnlineEm {
    fn default() -> Self {
        Self {
            gain: Gain::default(),
            // With t₀ = 1000 the statistics are those of a whole model from the start. (There is never an
            // M-step after the first observation alone: it has made no transition.)
            first: 2,
            // The algorithm as published. Less often is cheaper and hardly worse: γ is small.
            every: 1,
            pseudo_count: PSEUDO_COUNT,
            pseudo_variance: PseudoVariance::OfData,
            average_from: AVERAGE_FROM,
        }
    }
}

/// Online EM with each observation's state smoothed by the `lag` observations after it, and no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FixedLag {
    /// Steps back, at most 100 000; 0 counts with the filter.
    pub lag: usize,
    /// γ_t.
    pub gain: Gain,
    /// Observations from an M-step to the next.
    pub every: u64,
    /// ε of the M-step; statistics are averages per observation.
    pub pseudo_count: f64,
    /// The variance of pseudo-observations.
    pub pseudo_variance: PseudoVariance,
    /// The observation from which on parameters are averaged.
    pub average_from: u64,
}

impl FixedLag {
    pub(super) fn pseudo(&self) -> PseudoObservations {
        PseudoObservations {
            count: self.pseudo_count,
            variance: self.pseudo_variance,
        }
    }
}

impl Default for FixedLag {
    fn default() -> Self {
        Self {
            // The correlation of a chain that stays with probability 0.7 after 10 steps is 3 in 100.
            lag: 10,
            gain: Gain::default(),
            // γ is below 1/250: ten observations move the statistics by less than their noise.
            every: 10,
            pseudo_count: PSEUDO_COUNT,
            pseudo_variance: PseudoVariance::OfData,
            average_from: AVERAGE_FROM,
        }
    }
}

/// Recursive maximum likelihood (eq. F10): ascent along the gradient of the newest increment,
///
/// ```text
/// θ ← θ + η_t (E_{q_t}[S_t] − E_{q_{t−1}}[S_{t−1}]),   η_t = rate·(t + t₀)^−α
/// ```
///
/// for the logits of A and the parameters of the emission. π stays. Of regressions, autoregressions and full covariances θ are the
/// coordinates of [`Learnable::displaced`](crate::hmm::Learnable::displaced) about the emission as it is, whitened by the moments of
/// the inputs and lags so far and by the covariances: they have neither units nor an origin. Without `scaled` they are the plain ones,
/// and full covariances stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rmle {
    /// η_t for (t + t₀)^−α = 1.
    pub rate: f64,
    /// (t + t₀)^−α.
    pub gain: Gain,
    /// Whether steps are measured by the Fisher information where that is above one in the unit of the parameter: each entry
    /// of the gradient is divided by max(u, running mean of its square), u = 1/v for a mean of variance v and 1 for what has no
    /// unit, and no entry of θ moves by more than 0.25/√u an observation: the units of the data do not matter.
    /// Without, steps are those of the formula, whatever the units of the observations.
    pub scaled: bool,
    /// The observation from which on parameters are averaged.
    pub average_from: u64,
}

impl Default for Rmle {
    fn default() -> Self {
        Self {
            // An observation's gradient is about q_j(1 − p) ≤ 1 a logit: the first steps move a logit by up to
            // rate·t₀^−α = 0.13. A state is seen one time in K, so the best rate grows with K.
            rate: 8.0,
            // Gradients, unlike averages, do not lose the initial value by themselves: smaller exponents travel
            // further, and averaging takes out the noise they leave.
            gain: Gain {
                exponent: 0.6,
                offset: 1000.0,
            },
            // The score of a logit is below 1 and is not touched; that of the log-rate of 20 counts is of order
            // √20, that of a mean of deviation σ of order 1/σ: with the rate of logits their steps would diverge.
            scaled: true,
            average_from: AVERAGE_FROM,
        }
    }
}

/// Conjugate counting with forgetting: q(A_i) = Dirichlet(α_i), and the conjugate prior of the emission.
///
/// ```text
/// α ← α⁰ + λ(α − α⁰) + ξ_t,   ξ_t[i][j] = p(s_{t−1} = i, s_t = j | o_≤t)
/// E ← E⁰ + λ(E − E⁰) + q_t(j) φ(o_t)
/// ```
///
/// The filter runs on the posterior mean. The prior is the initial model, with the strength that the weights give;
/// a uniform prior would make all states alike, and they would stay so. For symbols, E are the concentrations of
/// the rows of B; for counts, of Gamma(a, b) on each rate, a = E_Σy and b = E_n.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dirichlet {
    /// Σ_j α⁰_ij: the number of transitions out of each state that the initial model is worth.
    pub transition_weight: f64,
    /// The number of observations of each state that the initial model is worth.
    pub emission_weight: f64,
    /// λ ∈ (0, 1]: counts are of the last 1/(1 − λ) observations.
    pub forgetting: f64,
    /// Observations from one look at the posterior mean to the next.
    pub every: u64,
    /// The observation from which on parameters are averaged.
    pub average_from: u64,
}

impl Default for Dirichlet {
    fn default() -> Self {
        Self {
            // Counts of the filter are, at first, mostly what the model expected anyway: with less weight the
            // first hundred observations decide which states there are.
            transition_weight: 50.0,
            emission_weight: 50.0,
            // A posterior, not a moving average.
            forgetting: 1.0,
            every: 1,
            average_from: AVERAGE_FROM,
        }
    }
}

impl Learn {
    /// Fails for settings that make no sense.
    pub(super) fn check(&self) -> Result<()> {
        let every = |n: u64| at_least_one("every", n);
        match self {
            Learn::BlockOnlineEm(s) => {
                at_least_one("block", s.block as u64)?;
                at_most("block", s.block, "K + D numbers")?;
                pseudo_count(s.pseudo_count)?;
                s.pseudo_variance.check()?;
                s.gain.check()
            }
            Learn::OnlineEm(s) => {
                every(s.every)?;
                pseudo_count(s.pseudo_count)?;
                s.pseudo_variance.check()?;
                s.gain.check()
            }
            Learn::FixedLag(s) => {
                every(s.every)?;
                at_most("lag", s.lag, "K² + P numbers")?;
                pseudo_count(s.pseudo_count)?;
                s.pseudo_variance.check()?;
                s.gain.check()
            }
            Learn::Rmle(s) => {
                positive("rate", s.rate)?;
                s.gain.check()
            }
            Learn::Dirichlet(s) => {
                every(s.every)?;
                positive("transition_weight", s.transition_weight)?;
                positive("emission_weight", s.emission_weight)?;
                if !(s.forgetting > 0.0 && s.forgetting <= 1.0) {
                    let expected = "above 0 and at most 1";
                    return Err(Error::setting("forgetting", s.forgetting, expected));
                }
                Ok(())
            }
        }
    }

    pub(super) fn average_from(&self) -> u64 {
        match self {
            Learn::BlockOnlineEm(s) => s.average_from,
            Learn::OnlineEm(s) => s.average_from,
            Learn::FixedLag(s) => s.average_from,
            Learn::Rmle(s) => s.average_from,
            Learn::Dirichlet(s) => s.average_from,
        }
    }
}

fn at_least_one(field: &'static str, value: u64) -> Result<()> {
    match value {
        0 => Err(Error::setting(field, value, "at least 1")),
        _ => Ok(()),
    }
}

/// Observations that a rule may keep. The memory of a chain is a few of these, so that more would add nothing;
/// a misprint must not take all memory.
const MOST_KEPT: usize = 100_000;

fn at_most(field: &'static str, value: usize, each: &str) -> Result<()> {
    if value <= MOST_KEPT {
        return Ok(());
    }
    let expected = format!("at most {MOST_KEPT}: each takes {each} of memory");
    Err(Error::setting(field, value, expected))
}

fn positive(field: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(field, value, "a positive finite number"))
}

/// ε may be 0: then a state or symbol that is never seen keeps no probability.
pub(super) fn pseudo_count(value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::setting(
        "pseudo_count",
        value,
        "0 or a positive finite number",
    ))
}
