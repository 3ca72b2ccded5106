//! The backward chain of a hidden Markov model under any factorisation.

use rand::{Rng, RngExt};

use super::particles::BackwardChain;
use crate::hmm::{Emission, Factorisation, Hmm, LogDynamics};
use crate::{Error, Result, Sequence, softmax};

/// How much of each draw is left to the kernel that is optimal for V, which leaves out nothing that is possible: no weight is
/// above 1/0.25 times the one it gives.
const DEFENCE: f64 = 0.25;

/// q of a hidden Markov model over a series, and the weights of its draws.
///
/// V_t is W_t of the reversed factorisation (eq. F6), whatever q is: the W of a loose q misleads the particles.
#[derive(Debug, Clone)]
pub struct DiscreteChain {
    states: usize,
    steps: usize,
    /// Cumulative probabilities `[K]`.
    last: Vec<f64>,
    /// The same of every kernel, `[T − 1, K, K]`, row j is b(·|j).
    kernels: Vec<f64>,
    /// V_T − ln q_T `[K]`.
    weight_last: Vec<f64>,
    /// `[T − 1, K, K]`, as the kernels.
    weights: Vec<f64>,
    /// `[K]`.
    weight_first: Vec<f64>,
    elbo: f64,
}

impl DiscreteChain {
    /// The q of `factorisation` over `data`, as [`Hmm::posterior`] fits it.
    ///
    /// # Errors
    /// As [`Hmm::posterior`].
    pub fn new<E: Emission>(
        model: &Hmm<E>,
        data: &Sequence,
        factorisation: &Factorisation,
    ) -> Result<Self> {
        let data = &*model.lagged(data)?;
        let posterior = model.posterior(data, factorisation)?;
        let (k, steps) = (model.states(), data.len());
        let dynamics = LogDynamics::of(model);
        let (mut loglik, mut value) = (vec![0.0; k], vec![0.0; k]);
        let mut kernels = Vec::with_capacity(steps.saturating_sub(1) * k * k);
        let mut weights = Vec::with_capacity(kernels.capacity());
        log_likelihood(model, data.get(0), &mut loglik)?;
        for ((v, p), l) in value.iter_mut().zip(dynamics.initial()).zip(&loglik) {
            *v = p + l;
        }
        // V_1 is exact, so that nothing is left to weigh at the first state but its level.
        let mut weight_first = vec![level(&mut value); k];
        for t in 1..steps {
            log_likelihood(model, data.get(t), &mut loglik)?;
            let fitted = posterior.kernel(t)?;
            let mut next = vec![0.0; k];
            for (j, row) in fitted.chunks_exact(k).enumerate() {
                let terms: Vec<f64> = value
                    .iter()
                    .zip(dynamics.into_state(j))
                    .map(|(v, a)| v + a)
                    .collect();
                let mut mixed = terms.clone();
                next[j] = loglik[j] + softmax(&mut mixed);
                blend(row, &mut mixed);
                for (term, b) in terms.iter().zip(&mixed) {
                    // What has no weight is not drawn; a state that V rules out leaves nothing to weigh.
                    weights.push(match *b > 0.0 && next[j] > f64::NEG_INFINITY {
                        true => term + loglik[j] - b.ln() - next[j],
                        false => f64::NEG_INFINITY,
                    });
                }
                kernels.extend(cumulative(&mixed));
            }
            value = next;
            // The level goes into the first weight: every path has it.
            let fallen = level(&mut value);
            weight_first.iter_mut().for_each(|w| *w += fallen);
        }
        let mut last = value.clone();
        softmax(&mut last);
        blend(posterior.marginal(steps - 1)?, &mut last);
        let weigh = |(v, q): (&f64, &f64)| match *q > 0.0 {
            true => v - q.ln(),
            false => f64::NEG_INFINITY,
        };
        Ok(Self {
            states: k,
            steps,
            weight_last: value.iter().zip(&last).map(weigh).collect(),
            last: cumulative(&last),
            kernels,
            weights,
            weight_first,
            elbo: posterior.elbo(),
        })
    }

    /// L of the fitted q, in nats.
    pub fn elbo(&self) -> f64 {
        self.elbo
    }
}

/// ℓ `[K]` of an observation, 0 of a missing one.
fn log_likelihood<E: Emission>(
    model: &Hmm<E>,
    observation: Option<&[f64]>,
    into: &mut [f64],
) -> Result<()> {
    match observation {
        None => into.fill(0.0),
        Some(o) => {
            model.emission().log_likelihood(o, into)?;
        }
    }
    Ok(())
}

/// (1 − ε) fitted + ε safe, into `safe`; the safe one alone where the fitted one is none.
fn blend(fitted: &[f64], safe: &mut [f64]) {
    if fitted.iter().any(|b| *b > 0.0) {
        for (s, b) in safe.iter_mut().zip(fitted) {
            *s = (1.0 - DEFENCE) * b + DEFENCE * *s;
        }
    }
}

/// Takes the largest value out, unless none is finite, and returns it.
fn level(values: &mut [f64]) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return 0.0;
    }
    values.iter_mut().for_each(|v| *v -= top);
    top
}

fn cumulative(probabilities: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let each = probabilities.iter();
    each.map(|p| {
        sum += p;
        sum
    })
    .collect()
}

/// One of 0, 1, … by cumulative weights, none that has no weight.
fn draw<R: Rng + ?Sized>(cumulative: &[f64], rng: &mut R) -> usize {
    let total = cumulative.last().copied().unwrap_or(0.0);
    let place = rng.random::<f64>() * total;
    let at = cumulative.partition_point(|c| *c <= place);
    // Rounding can reach the total itself: that is the first state that does.
    match at < cumulative.len() {
        true => at,
        false => cumulative.partition_point(|c| *c < total),
    }
}

impl BackwardChain for DiscreteChain {
    type State = usize;

    fn steps(&self) -> usize {
        self.steps
    }

    fn draw_last<R: Rng + ?Sized>(&self, rng: &mut R) -> usize {
        draw(&self.last, rng)
    }

    fn draw_before<R: Rng + ?Sized>(&self, t: usize, after: &usize, rng: &mut R) -> usize {
        let k = self.states;
        let from = (t * k + after) * k;
        draw(&self.kernels[from..from + k], rng)
    }

    fn log_weight_last(&self, last: &usize) -> f64 {
        self.weight_last[*last]
    }

    fn log_weight(&self, t: usize, before: &usize, after: &usize) -> f64 {
        self.weights[(t * self.states + after) * self.states + before]
    }

    fn log_weight_first(&self, first: &usize) -> f64 {
        self.weight_first[*first]
    }

    fn check_state(&self, t: usize, state: &usize) -> Result<()> {
        match *state < self.states {
            true => Ok(()),
            false => Err(Error::entry(
                "states",
                &[t],
                *state as f64,
                "the number of a state",
            )),
        }
    }
}
