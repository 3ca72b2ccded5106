//! What a fit has to say beside its numbers.

use std::fmt;

use serde::Serialize;

/// Something about a fit that its user should know; [`Fitted::warnings`](super::Fitted::warnings).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum FitWarning {
    /// The run ended before its gradient was small.
    EndedEarly {
        /// Evaluations of the gradient.
        iterations: usize,
        /// What the gradient still promises, nats.
        promised: f64,
    },
    /// Runs were left out, because a state's variance fell below the floor.
    Collapsed {
        /// How many.
        runs: usize,
        /// Of how many.
        of: usize,
    },
    /// Every run collapsed; the fit is with pseudo-observations.
    AllCollapsed {
        /// ε.
        pseudo_count: f64,
    },
    /// The highest maximum was reached by one run alone: there may be a higher one.
    FoundOnce {
        /// Runs that were followed to their maximum.
        of: usize,
    },
    /// A state that stands for few observations.
    RareState {
        /// Which, from 0.
        state: usize,
        /// Its expected number of observations.
        observations: f64,
    },
    /// A state whose observations the inputs tell without error.
    Separated {
        /// Which, from 0.
        state: usize,
    },
    /// No run got above the fit with fewer states, which is given with a state twice.
    NothingGained {
        /// The number of states of that fit.
        states: usize,
    },
}

/// More nats than this are not promised by a gradient close to a maximum.
const FORECAST: f64 = 1e3;

impl fmt::Display for FitWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // ½ gᵀHg is a forecast where H is the inverse of the curvature; where it is not, it may be any number.
            Self::EndedEarly {
                iterations,
                promised,
            } if promised.is_nan() || *promised >= FORECAST => write!(
                f,
                "ended early, after {iterations} evaluations, at a place without curvature (a state or a class that the inputs separate); not ranked"
            ),
            Self::EndedEarly {
                iterations,
                promised,
            } => write!(
                f,
                "ended early, after {iterations} evaluations: the gradient promises {promised:.2e} nats more; not ranked"
            ),
            Self::Collapsed { runs, of } => write!(
                f,
                "{runs} of {of} runs collapsed onto single values and were left out"
            ),
            Self::AllCollapsed { pseudo_count } => write!(
                f,
                "from every start a state collapsed onto single values; fitted with {pseudo_count:e} pseudo-observations \
                 per state; not ranked"
            ),
            Self::FoundOnce { of } => write!(
                f,
                "the best of {of} runs was reached by one alone: there may be a better one, more restarts would tell"
            ),
            Self::RareState {
                state,
                observations,
            } => write!(
                f,
                "state {} stands for {observations:.1} observations",
                state + 1
            ),
            Self::Separated { state } => write!(
                f,
                "the inputs tell every observation of state {} without error: its weights grow without end, and where they stopped means \
                 nothing; pseudo-observations keep them finite (pseudo_count)",
                state + 1
            ),
            Self::NothingGained { states } => write!(
                f,
                "no run got above the fit with {states} states: it is given with one of them twice"
            ),
        }
    }
}
