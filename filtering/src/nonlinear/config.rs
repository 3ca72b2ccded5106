//! Settings of a filter, with the reasons for the defaults.

use serde::{Deserialize, Serialize};

use super::{CubatureRule, Representation, ScoreShape};
use crate::error::check_count;
use crate::{Error, Result};

/// Which bound is raised at each observation.
///
/// | kind | what is added at t | what of the past is kept |
/// |---|---|---|
/// | `Reversed` | `E_{q_t b_t}[W_{t−1} + ln p + ln g − ln b_t] + H[q_t]` | W_{t−1}, and S_{t−1} of the score |
/// | `Jelbo` | `E_{q_t b_t}[ln q_{t−1} + ln p + ln g − ln b_t] + H[q_t]` | q_{t−1} |
/// | `Vjf` | `E_{q_t q_{t−1}}[ln p + ln g] + H[q_t]` | q_{t−1} |
///
/// The sum of `Vjf` is a bound, that of independent x_t; the sum of `Jelbo` is the sum of bounds on
/// ln ∫∫ q_{t−1} p g and on nothing else. With W_{t−1} a quadratic and q_{t−1} its best Gaussian, e^{W_{t−1}} is
/// proportional to q_{t−1}: `Jelbo` then gives the same beliefs as `Reversed`, and the two differ in what they
/// learn. With a table they differ in beliefs too.
///
/// Eq. F37; the reversed one is that of Campbell et al. 2021.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ElboKind {
    /// The reversed factorisation, with its value and score carried.
    Reversed,
    /// A bound on one step, from q_{t−1}.
    Jelbo,
    /// A bound on one step, with q_{t−1} independent of x_t and left alone.
    Vjf,
}

/// How f is made linear for the first guess at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linearisation {
    /// By its tangent at the mean of q_{t−1} (eq. F36).
    Tangent,
    /// By least squares under q_{t−1}, on the points of the rule.
    Statistical,
}

/// Settings of a [`NonlinearFilter`](super::NonlinearFilter).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonlinearConfig {
    /// Which bound. By default the reversed one.
    #[serde(rename = "scheme")]
    pub elbo: ElboKind,
    /// How W is carried. By default as a quadratic: any dimension, least work.
    pub representation: Representation,
    /// The points of expectations over one state; by default [`CubatureRule::for_dimension`], or 24 Gauss–Hermite
    /// nodes with a table, whose bound is meant to be trusted.
    pub rule: Option<CubatureRule>,
    /// The first guess. By default statistical: a tangent misleads where f bends within q.
    pub linearisation: Linearisation,
    /// Most Newton steps towards the mode of p̂(x_t) g(y_t|x_t), the first guess at q_t. By default 8:
    /// they are cheap, and save improvements.
    pub mode_steps: usize,
    /// Most evaluations of the bound that improve q_t and b_t by natural gradients. By default 30; two to five
    /// are usual. With 0, b_t is the linearised conjugate kernel and q_t the Laplace belief.
    pub improvements: usize,
    /// Improving ends when the next step would move the pair by less than this, in nats of KL, or when two steps have
    /// lowered the bound and the parabola through them has no shorter one that raises it by so much. By default 1e-5:
    /// a hundred observations then lose a thousandth of a nat, and two to four evaluations are enough.
    pub tolerance: f64,
    /// What the score is fitted by; by default there is none, and [`NonlinearLearning`](super::NonlinearLearning) puts one in.
    pub score: Option<ScoreShape>,
}

impl Default for NonlinearConfig {
    fn default() -> Self {
        Self {
            elbo: ElboKind::Reversed,
            representation: Representation::Quadratic,
            rule: None,
            linearisation: Linearisation::Statistical,
            mode_steps: 8,
            improvements: 30,
            tolerance: 1e-5,
            score: None,
        }
    }
}

impl NonlinearConfig {
    pub(crate) fn check(&self, n: usize) -> Result<()> {
        self.representation.check(n)?;
        check_count("mode_steps", self.mode_steps, 0..=10_000)?;
        check_count("improvements", self.improvements, 0..=10_000)?;
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            let expected = "a finite number of nats, not negative";
            return Err(Error::setting("tolerance", self.tolerance, expected));
        }
        Ok(())
    }

    /// A one-step scheme carries ln q_{t−1}, which is a quadratic whatever was asked for.
    pub(crate) fn carried(&self) -> Representation {
        match self.elbo {
            ElboKind::Reversed => self.representation,
            ElboKind::Jelbo | ElboKind::Vjf => Representation::Quadratic,
        }
    }

    pub(crate) fn rule(&self, n: usize) -> CubatureRule {
        self.rule.unwrap_or(match self.representation {
            Representation::Table { .. } => CubatureRule::GaussHermite(24),
            Representation::Quadratic => CubatureRule::for_dimension(n),
        })
    }
}
