//! Sequential Monte Carlo backward in time, with a fitted q = q_T ∏ b_t as proposal.

use rand::{Rng, RngExt};

use super::proposal::Proposal;
use crate::{Error, Result, log_sum_exp};

/// q(x_1…x_T) = q_T(x_T) ∏ b_t(x_{t−1}|x_t), drawn from the newest state to the first, and the weights of its draws against
/// p(x_1…x_T, y_1…y_T). Times count from 0.
///
/// The running targets are e^{V_t(x_t)} ∏_{u>t} p(x_u|x_{u−1}) p(y_u|x_u), V_t any function of the newest state that is left;
/// with V_t = W_t of eq. F3 and optimal kernels every weight is 1 (eq. F80).
pub trait BackwardChain {
    /// A state at one time.
    type State: Clone;

    /// T, at least 1.
    fn steps(&self) -> usize;

    /// x_T ~ q_T.
    fn draw_last<R: Rng + ?Sized>(&self, rng: &mut R) -> Self::State;

    /// x_t ~ b_{t+1}(·|x_{t+1}), `after` being x_{t+1}.
    fn draw_before<R: Rng + ?Sized>(
        &self,
        t: usize,
        after: &Self::State,
        rng: &mut R,
    ) -> Self::State;

    /// V_T(x_T) − ln q_T(x_T).
    fn log_weight_last(&self, last: &Self::State) -> f64;

    /// V_t(x_t) + ln p(x_{t+1}|x_t) + ln p(y_{t+1}|x_{t+1}) − ln b_{t+1}(x_t|x_{t+1}) − V_{t+1}(x_{t+1}).
    fn log_weight(&self, t: usize, before: &Self::State, after: &Self::State) -> f64;

    /// ln p(x_1) + ln p(y_1|x_1) − V_1(x_1).
    fn log_weight_first(&self, first: &Self::State) -> f64;

    /// Whether this can be a state.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`] for what cannot.
    fn check_state(&self, t: usize, state: &Self::State) -> Result<()>;
}

impl<C: BackwardChain> Proposal for C {
    type States = [C::State];

    fn log_estimate<R: Rng + ?Sized>(&self, particles: usize, rng: &mut R) -> f64 {
        run(self, None, particles, rng)
    }

    fn log_estimate_about<R: Rng + ?Sized>(
        &self,
        states: &[C::State],
        particles: usize,
        rng: &mut R,
    ) -> f64 {
        run(self, Some(states), particles, rng)
    }

    fn check(&self, states: &[C::State]) -> Result<()> {
        if states.len() != self.steps() {
            let expected = format!("{}, one an observation", self.steps());
            return Err(Error::size("states", states.len(), expected));
        }
        let mut each = states.iter().enumerate();
        each.try_for_each(|(t, state)| self.check_state(t, state))
    }
}

/// ln Ẑ of one run (eq. F80). With `retained`, particle 0 is that path and the others are drawn about it: conditional
/// sequential Monte Carlo, whose law is that of a run reweighted by Ẑ/Z where the path is an exact posterior sample (eq. F83).
///
/// Particles are drawn anew, with replacement, where their effective number is below N/2: that is a function of the weights
/// alone, symmetric in the particles, and so keeps both identities.
fn run<C: BackwardChain, R: Rng + ?Sized>(
    chain: &C,
    retained: Option<&[C::State]>,
    particles: usize,
    rng: &mut R,
) -> f64 {
    let steps = chain.steps();
    let kept = |k: usize, t: usize| retained.filter(|_| k == 0).map(|path| path[t].clone());
    let mut states: Vec<C::State> = (0..particles)
        .map(|k| kept(k, steps - 1).unwrap_or_else(|| chain.draw_last(rng)))
        .collect();
    let mut weights: Vec<f64> = states.iter().map(|x| chain.log_weight_last(x)).collect();
    let mut total = 0.0;
    for t in (0..steps - 1).rev() {
        let mean = log_mean(&weights);
        if !mean.is_finite() {
            return total + mean;
        }
        if effective(&weights, mean) < 0.5 * particles as f64 {
            total += mean;
            states = drawn_anew(&states, &weights, mean, retained.is_some(), rng);
            weights.fill(0.0);
        }
        for (k, (state, weight)) in states.iter_mut().zip(&mut weights).enumerate() {
            let before = kept(k, t).unwrap_or_else(|| chain.draw_before(t, state, rng));
            *weight += chain.log_weight(t, &before, state);
            *state = before;
        }
    }
    for (state, weight) in states.iter().zip(&mut weights) {
        *weight += chain.log_weight_first(state);
    }
    total + log_mean(&weights)
}

/// ln (1/N) Σ_k e^{v_k}; not a number where a weight is none.
pub(super) fn log_mean(weights: &[f64]) -> f64 {
    match weights.iter().any(|w| w.is_nan()) {
        true => f64::NAN,
        false => log_sum_exp(weights) - (weights.len() as f64).ln(),
    }
}

/// (Σ w)²/Σ w², of weights whose mean has the logarithm `mean`.
pub(super) fn effective(weights: &[f64], mean: f64) -> f64 {
    let squares: f64 = weights.iter().map(|w| (2.0 * (w - mean)).exp()).sum();
    (weights.len() as f64).powi(2) / squares
}

/// As many states, each a copy of one drawn in proportion to its weight; the first stays where it is kept.
fn drawn_anew<S: Clone, R: Rng + ?Sized>(
    states: &[S],
    weights: &[f64],
    mean: f64,
    first_is_kept: bool,
    rng: &mut R,
) -> Vec<S> {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = weights
        .iter()
        .map(|w| {
            sum += (w - mean).exp();
            sum
        })
        .collect();
    let one = |k: usize| {
        if k == 0 && first_is_kept {
            return states[0].clone();
        }
        let place = rng.random::<f64>() * sum;
        let ancestor = cumulative.partition_point(|c| *c <= place);
        states[ancestor.min(states.len() - 1)].clone()
    };
    (0..states.len()).map(one).collect()
}
