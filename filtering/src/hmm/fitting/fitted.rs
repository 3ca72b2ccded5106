//! What a fit came to.

use super::ascent::{Ascent, SAME};
use super::coordinates::visits;
use super::warning::FitWarning;
use crate::hmm::{Fit, Hmm, Learnable};
use crate::{Error, Result, Sequence};

/// The place of the highest end, and how many are at its maximum; none of no ends.
pub(in crate::hmm) fn highest<T>(ends: &[T], height: impl Fn(&T) -> f64) -> Option<(usize, usize)> {
    let heights: Vec<f64> = ends.iter().map(height).collect();
    let higher = |best: usize, at: usize| {
        if heights[at] > heights[best] {
            at
        } else {
            best
        }
    };
    let best = (0..ends.len()).reduce(higher)?;
    let same = heights.iter().filter(|h| **h >= heights[best] - SAME);
    Some((best, same.count()))
}

/// States of fewer expected observations are told.
const RARE: f64 = 3.0;

/// A warning for each state of few of these expected observations `[K]`.
pub(in crate::hmm) fn rare_states(visits: &[f64]) -> impl Iterator<Item = FitWarning> {
    let rare = visits.iter().enumerate().filter(|(_, n)| **n < RARE);
    rare.map(|(state, &observations)| FitWarning::RareState {
        state,
        observations,
    })
}

/// Observations of a state that together miss a probability of 1 by less than this, in nats, are told by their inputs: one that is not
/// misses it by some 0.1, and an ascent goes on to 10⁻⁵.
const SEPARATED: f64 = 0.01;

/// A warning for each state that is not rare whose observations the inputs tell without error; `smoothed` gives the probabilities of
/// states `[T·K]` of a sequence.
pub(in crate::hmm) fn separated_states<E: Learnable>(
    emission: &E,
    visits: &[f64],
    sequences: &[Sequence],
    smoothed: impl Fn(usize) -> Result<Vec<f64>>,
) -> Result<Vec<FitWarning>> {
    if !emission.is_separable() {
        return Ok(Vec::new());
    }
    let k = visits.len();
    let (mut missed, mut log) = (vec![0.0; k], vec![0.0; k]);
    for (number, sequence) in sequences.iter().enumerate() {
        let states = smoothed(number)?;
        for (row, q) in sequence.iter().zip(states.chunks_exact(k)) {
            let Some(row) = row.filter(|row| !row[0].is_nan()) else {
                continue;
            };
            emission.log_likelihood(row, &mut log)?;
            for ((missed, q), log) in missed.iter_mut().zip(q).zip(&log) {
                // Of a state that an observation rules out there is nothing to miss.
                if *q > 0.0 {
                    *missed -= q * log;
                }
            }
        }
    }
    let states = missed.iter().zip(visits).enumerate();
    Ok(states
        .filter(|(_, (missed, visits))| **missed < SEPARATED && **visits >= RARE)
        .map(|(state, _)| FitWarning::Separated { state })
        .collect())
}

/// A model at a maximum of ln p(o; θ); [`Hmm::fit_states`](crate::hmm::Hmm::fit_states).
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted<E: Learnable> {
    /// θ.
    pub model: Hmm<E>,
    /// Σ ln p(o) over the sequences, nats.
    pub log_evidence: f64,
    /// Evaluations of the gradient in the run that found it.
    pub iterations: usize,
    /// Whether the gradient is small; a fit that ended early cannot be compared with others.
    pub converged: bool,
    /// What the gradient still promises, ½ gᵀHg in nats; of EM with pseudo-observations, the last gain.
    pub promised: f64,
    /// Numbers that were free to be chosen.
    pub free_parameters: usize,
    /// How many of the runs that were followed reached this maximum, to 0.1 nats.
    pub found_by: (usize, usize),
    /// ε that the fit was made with.
    pub pseudo_count: f64,
    /// What there is to know of it.
    pub warnings: Vec<FitWarning>,
    /// Σ_t γ_t `[K]`.
    pub visits: Vec<f64>,
}

impl<E: Learnable> Fitted<E> {
    pub(super) fn of(
        ascent: Ascent<E>,
        found_by: (usize, usize),
        mut warnings: Vec<FitWarning>,
    ) -> Self {
        if !ascent.converged {
            let early = FitWarning::EndedEarly {
                iterations: ascent.evaluations,
                promised: ascent.promised,
            };
            warnings.insert(0, early);
        }
        Self {
            log_evidence: ascent.point.log_evidence(),
            iterations: ascent.evaluations,
            converged: ascent.converged,
            promised: ascent.promised,
            free_parameters: ascent.point.model.parameters(),
            found_by,
            pseudo_count: 0.0,
            warnings,
            visits: visits(&ascent.point.expected),
            model: ascent.point.model,
        }
    }

    /// The best of several runs of EM with pseudo-observations; `asked` is the pseudo-count that was asked for.
    pub(super) fn of_penalised(fits: Vec<Result<Fit<E>>>, asked: f64) -> Result<Self> {
        let (mut ended, mut failed) = (Vec::new(), None);
        for fit in fits {
            match fit {
                Ok(fit) => ended.push(fit),
                Err(error) => failed = Some(error),
            }
        }
        let reached = ended.len();
        let Some((best, found)) = highest(&ended, Fit::log_evidence) else {
            return Err(failed.unwrap_or_else(|| Error::setting("restarts", 0, "at least 1")));
        };
        let fit = ended.swap_remove(best);
        let gain = match fit.trace.as_slice() {
            [.., before, last] => (last - before).abs(),
            _ => 0.0,
        };
        let mut warnings = Vec::new();
        if !fit.converged {
            warnings.push(FitWarning::EndedEarly {
                iterations: fit.iterations,
                promised: gain,
            });
        }
        if asked == 0.0 {
            let pseudo_count = fit.pseudo_count;
            warnings.push(FitWarning::AllCollapsed { pseudo_count });
        } else if found == 1 && reached > 1 {
            warnings.push(FitWarning::FoundOnce { of: reached });
        }
        Ok(Self {
            log_evidence: fit.log_evidence(),
            iterations: fit.iterations,
            converged: fit.converged,
            promised: gain,
            free_parameters: fit.free_parameters,
            found_by: (found, reached),
            pseudo_count: fit.pseudo_count,
            warnings,
            visits: Vec::new(),
            model: fit.model,
        })
    }

    /// Whether it is a maximum of the likelihood (or, where pseudo-observations were asked for, of its product with the
    /// prior) that BIC and AIC may be taken of.
    pub fn is_ranked(&self) -> bool {
        let collapsed = |w: &FitWarning| matches!(w, FitWarning::AllCollapsed { .. });
        self.converged && !self.warnings.iter().any(collapsed)
    }

    pub(super) fn with_separated_states(mut self, sequences: &[Sequence]) -> Result<Self> {
        let smoothed = |s: usize| Ok(self.model.smooth(&sequences[s])?.marginals().to_vec());
        let found = separated_states(self.model.emission(), &self.visits, sequences, smoothed)?;
        self.warnings.extend(found);
        Ok(self)
    }

    pub(super) fn with_rare_states(mut self) -> Self {
        self.warnings.extend(rare_states(&self.visits));
        self
    }
}
