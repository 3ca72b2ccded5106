//! The filter: one observation in, a Gaussian belief, a kernel and a bound out.
//!
//! Longer than most: one update is one story, from the first guess to the state that replaces the old one.

use std::mem::swap;

use serde::{Deserialize, Serialize};

use super::bound::{Bound, Noise, Past, Slopes};
use super::fit::{Tabulated, fit_quadratic};
use super::kernel::{Joint, Kernel, Tie};
use super::matrix::{
    add_transposed, apply, cholesky, combine_rows, dot, invert_lower, log_determinant, lower_gram,
    product, quadratic_form, symmetrise, transpose, transposed_product,
};
use super::score::{Score, ScoreFit};
use super::sigma::Points;
use super::snapshot::Snapshot;
use super::{Representation, Scheme, Settings, StateSpace, Value};
use crate::step::{Step, Sum};
use crate::{Error, Result};

/// A step of the natural gradient is halved at most so often before it is given up.
const HALVINGS: u32 = 12;
/// A bound may fall by this much, relative to its size, and still count as not fallen: rounding.
const ROUNDING: f64 = 1e-12;

/// f is linear where it differs from its linearisation by no more than this, relative to what it is made of: the
/// rounding of a linear f in a state of any sensible dimension.
const LINEAR: f64 = 1e-9;

/// What a filter knows after t observations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub time: u64,
    pub elbo: Sum,
    pub increment: f64,
    /// What q lost in bending f at the missing observations since the last one that was seen: they are no
    /// evidence, so the bound does not fall for them, but what comes next is bounded by way of this q.
    #[serde(default)]
    pub owed: f64,
    pub mean: Vec<f64>,
    pub covariance: Vec<f64>,
    pub precision: Vec<f64>,
    pub value: Value,
    pub kernel: Kernel,
    pub score: Option<Score>,
    pub evaluations: usize,
    pub unsettled: u64,
}

/// An online filter with q_t = N(μ_t, Σ_t), kernels b_t(x_{t−1}|x_t) = N(E x_t + f, L) and a recursive bound.
///
/// Each update starts from the linearised prediction and the mode under it, and then improves q_t and b_t
/// together by natural gradients of the newest bound with the past frozen. Memory is constant, and no update
/// allocates where the model does not.
///
/// ```
/// use scotopic_filtering::nonlinear::{Filter, Representation, Settings, models::SinQuadratic};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = SinQuadratic::new(0.09, 0.25, 0.0, 1.0)?;
/// let settings = Settings { representation: Representation::table(), ..Settings::default() };
/// let mut filter = Filter::new(model, settings)?;
/// let step = filter.update(Some(&[-1.3]))?;
/// filter.update(None)?; // a missing observation: the belief spreads
/// assert!(step.elbo < 0.0 && filter.covariance()[0] > 0.09);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    try_from = "Snapshot<M>",
    into = "Snapshot<M>",
    bound(
        serialize = "M: StateSpace + Clone + Serialize",
        deserialize = "M: StateSpace + Deserialize<'de>"
    )
)]
pub struct Filter<M: StateSpace> {
    pub(crate) model: M,
    pub(super) settings: Settings,
    pub(crate) noise: Noise,
    prior: Noise,
    pub(crate) state: State,
    pub(crate) next: State,
    /// Whether `next` is the outcome of a proposal that went well.
    ready: bool,
    pub(super) work: Work,
}

/// Scratch: nothing here outlives an update.
#[derive(Debug, Clone)]
pub(super) struct Work {
    joint: Joint,
    proposal: Joint,
    slopes: Slopes,
    proposed: Slopes,
    pub(super) bound: Bound,
    fit: Option<ScoreFit>,
    step: Vec<f64>,
    previous_step: Vec<f64>,
    x: Vec<f64>,
    y: Vec<f64>,
    gradient: Vec<f64>,
    predicted: Vec<f64>,
    hessian: Vec<f64>,
    factor: Vec<f64>,
    rows: Vec<f64>,
    inverse: Vec<f64>,
    slope: Vec<f64>,
    precision: Vec<f64>,
}

/// A step of rate ρ that lowered the bound by ρ · slope. Slopes of points that are not exact for f do so near the best
/// q: they are no slopes of the sum over points, and then no ρ helps.
#[derive(Clone, Copy)]
struct Fall {
    rate: f64,
    slope: f64,
}

impl Fall {
    /// The most, in nats, that a step shorter than this one can win. The falls of two rates make the parabola aρ + bρ²
    /// of the bound along the step: −a²/4b at its lowest where a < 0, and else nothing.
    fn most(self, longer: Fall) -> f64 {
        let b = (longer.slope - self.slope) / (longer.rate - self.rate);
        let a = self.slope - b * self.rate;
        match (a < 0.0, b > 0.0) {
            (false, _) => 0.0 * a,
            (true, true) => a * a / (4.0 * b),
            (true, false) => f64::INFINITY,
        }
    }
}

impl<M: StateSpace> Filter<M> {
    /// A filter that has seen nothing.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense, [`Error::Size`] and [`Error::NotPositiveDefinite`] for
    /// covariances that are none.
    pub fn new(model: M, settings: Settings) -> Result<Self> {
        let n = model.dim();
        if n == 0 || model.observed() == 0 {
            return Err(Error::size("the model", 0, "a state and an observation"));
        }
        if model.initial_mean().len() != n {
            return Err(Error::size("m0", model.initial_mean().len(), n));
        }
        settings.check(n)?;
        let noise = Noise::new("Q", model.noise(), n)?;
        let prior = Noise::new("P0", model.initial_covariance(), n)?;
        let parameters = model.parameters_len();
        let state = State {
            time: 0,
            elbo: Sum::default(),
            increment: 0.0,
            owed: 0.0,
            mean: model.initial_mean().to_vec(),
            covariance: model.initial_covariance().to_vec(),
            precision: prior.precision.clone(),
            value: Value::zero(settings.carried(), n),
            kernel: Kernel::zero(n),
            score: settings
                .score
                .map(|shape| Score::zero(shape, parameters, n)),
            evaluations: 0,
            unsettled: 0,
        };
        let fit = match settings.score {
            None => None,
            Some(shape) => {
                let points = Points::new(shape.rule(n), 2 * n)?;
                Some(ScoreFit::new(points, parameters, n))
            }
        };
        let points = Points::new(settings.rule(n), n)?;
        let (vector, matrix) = (|| vec![0.0; n], || vec![0.0; n * n]);
        let work = Work {
            joint: Joint::zero(n),
            proposal: Joint::zero(n),
            slopes: Slopes::zero(n),
            proposed: Slopes::zero(n),
            bound: Bound::new(points, n),
            fit,
            step: vector(),
            previous_step: vector(),
            x: vector(),
            y: vector(),
            gradient: vector(),
            predicted: vector(),
            hessian: matrix(),
            factor: matrix(),
            rows: matrix(),
            inverse: matrix(),
            slope: matrix(),
            precision: matrix(),
        };
        Ok(Self {
            next: state.clone(),
            state,
            ready: false,
            model,
            settings,
            noise,
            prior,
            work,
        })
    }

    /// Takes the next observation `[m]` in, `None` for a missing one, whose increment is 0: it is no evidence. What
    /// q loses there, where f bends, is counted with the next observation that is seen.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that is not of the model, [`Error::NotFinite`] where the bound or the
    /// covariance leaves the range of numbers. The filter is then as it was.
    pub fn update(&mut self, observation: Option<&[f64]>) -> Result<Step> {
        self.propose(observation)?;
        Ok(self.commit())
    }

    /// The first half of an update: works the next state out and leaves the present one.
    ///
    /// # Errors
    /// As [`Filter::update`].
    pub(crate) fn propose(&mut self, observation: Option<&[f64]>) -> Result<()> {
        self.ready = false;
        let number = self.state.time;
        if let Some(y) = observation {
            self.model.check(y).map_err(|e| e.at_observation(number))?;
        }
        if observation.is_none() && self.predict_exactly()? {
            self.next.evaluations = 0;
            self.next.unsettled = self.state.unsettled;
            self.write(observation, 0.0, true);
        } else {
            let bound = self.first_guess(observation);
            let bound = self.improve(observation, bound);
            if !bound.is_finite() {
                return Err(not_finite(number, "the evidence lower bound", bound));
            }
            self.write(observation, bound, false);
        }
        self.write_score(observation)?;
        self.ready = true;
        Ok(())
    }

    /// The second half: the next state becomes the present one, if there is one.
    pub(crate) fn commit(&mut self) -> Step {
        if std::mem::take(&mut self.ready) {
            swap(&mut self.state, &mut self.next);
        }
        self.step()
    }

    /// What the newest update did.
    pub(crate) fn step(&self) -> Step {
        Step {
            increment: self.state.increment,
            elbo: self.elbo(),
        }
    }

    /// What came before, as the bound wants it.
    fn past<'a>(model: &'a M, prior: &'a Noise, state: &'a State) -> Past<'a> {
        match &state.value {
            _ if state.time == 0 => Past::First(model.initial_mean(), prior),
            Value::Quadratic(w) => Past::Quadratic(w),
            Value::Table(w) => Past::Table(w),
        }
    }

    fn evaluate(&mut self, observation: Option<&[f64]>, proposal: bool) -> f64 {
        let past = Self::past(&self.model, &self.prior, &self.state);
        let work = &mut self.work;
        let (joint, slopes) = match proposal {
            true => (&work.proposal, &mut work.proposed),
            false => (&work.joint, &mut work.slopes),
        };
        let (model, noise) = (&self.model, &self.noise);
        work.bound
            .evaluate(model, noise, past, observation, joint, slopes)
    }

    /// The linearised prediction, moved to the mode under it, with the curvature there. Where the bound of that is
    /// not finite, the prediction alone.
    fn first_guess(&mut self, observation: Option<&[f64]>) -> f64 {
        if !self.predict_joint() {
            return f64::NAN;
        }
        if let Some(y) = observation {
            if self.climb_to_mode(y) && self.work.joint.finish() {
                let bound = self.evaluate(observation, false);
                if bound.is_finite() {
                    return bound;
                }
            }
            if !self.predict_joint() {
                return f64::NAN;
            }
        }
        if !self.work.joint.finish() {
            return f64::NAN;
        }
        self.evaluate(observation, false)
    }

    /// The kernel and the marginal precision of the pair before y_t: A = P⁻¹ + FᵀQ⁻¹F, B = −FᵀQ⁻¹, D = Q⁻¹ (eq. F36).
    fn predict_joint(&mut self) -> bool {
        let (n, work) = (self.model.dim(), &mut self.work);
        let joint = &mut work.joint;
        if self.state.time == 0 {
            joint.tie = Tie::First;
            joint.mean.copy_from_slice(self.model.initial_mean());
            joint.d.copy_from_slice(&self.prior.precision);
            return joint.condition();
        }
        if !self.linearise() {
            return false;
        }
        let (state, noise, work) = (&self.state, &self.noise, &mut self.work);
        let joint = &mut work.joint;
        joint.previous_mean.copy_from_slice(&state.mean);
        joint.d.copy_from_slice(&noise.precision);
        if self.settings.scheme == Scheme::Vjf {
            joint.tie = Tie::Frozen;
            joint.slope.fill(0.0);
            joint.cross.fill(0.0);
            joint.conditional.copy_from_slice(&state.covariance);
            joint.previous_covariance.copy_from_slice(&state.covariance);
            work.factor.copy_from_slice(&state.covariance);
            if cholesky(&mut work.factor, n).is_err() {
                return false;
            }
            joint.log_conditional = super::matrix::log_determinant(&work.factor, n);
            return joint.condition();
        }
        joint.tie = Tie::Free;
        transposed_product(&work.slope, &noise.precision, &mut joint.b, n);
        product(&joint.b, &work.slope, &mut joint.a, n);
        symmetrise(&mut joint.a, n);
        for (a, p) in joint.a.iter_mut().zip(&state.precision) {
            *a += p;
        }
        joint.b.iter_mut().for_each(|b| *b = -*b);
        joint.condition()
    }

    /// f(x') ≈ m + F (x' − m'): m into the pair's mean, F into `slope`.
    fn linearise(&mut self) -> bool {
        let (n, state, work) = (self.model.dim(), &self.state, &mut self.work);
        let joint = &mut work.joint;
        if self.settings.linearisation == super::Linearisation::Tangent {
            self.model.mean(&state.mean, &mut joint.mean);
            self.model.mean_slope(&state.mean, &mut work.slope);
            return true;
        }
        work.factor.copy_from_slice(&state.covariance);
        if cholesky(&mut work.factor, n).is_err() {
            return false;
        }
        transpose(&work.factor, &mut work.rows, n);
        invert_lower(&work.factor, &mut work.inverse, n);
        joint.mean.fill(0.0);
        work.hessian.fill(0.0);
        for (z, w) in work.bound.points.iter() {
            combine_rows(&work.rows, z, &mut work.x);
            for (x, m) in work.x.iter_mut().zip(&state.mean) {
                *x += m;
            }
            self.model.mean(&work.x, &mut work.y);
            for (m, y) in joint.mean.iter_mut().zip(&work.y) {
                *m += w * y;
            }
            // E[z fᵀ], in rows.
            let rows = work.hessian.chunks_exact_mut(n).zip(z);
            for (row, z) in rows.filter(|(_, z)| **z != 0.0) {
                for (into, y) in row.iter_mut().zip(&work.y) {
                    *into += w * y * z;
                }
            }
        }
        transposed_product(&work.hessian, &work.inverse, &mut work.slope, n);
        true
    }

    /// The pair of a missing observation where f is linear as far as q_{t−1} reaches: then q_t = N(m, FPFᵀ + Q) and
    /// b_t are exact and nothing is lost. From moments, because the precisions of the pair cancel where P is many
    /// times Q. `false` where f bends, and where q_{t−1} is not a part of the pair.
    fn predict_exactly(&mut self) -> Result<bool> {
        let free = self.state.time > 0 && self.settings.scheme != Scheme::Vjf;
        if !free || !self.linearise() {
            return Ok(false);
        }
        let (n, state, noise, work) = (self.model.dim(), &self.state, &self.noise, &mut self.work);
        let joint = &mut work.joint;
        work.factor.copy_from_slice(&state.covariance);
        if cholesky(&mut work.factor, n).is_err() {
            return Ok(false);
        }
        for (z, _) in work.bound.points.iter() {
            apply(&work.factor, z, &mut work.x);
            for ((point, x), m) in work.step.iter_mut().zip(&work.x).zip(&state.mean) {
                *point = m + x;
            }
            self.model.mean(&work.step, &mut work.y);
            for ((f, m), row) in (work.y.iter().zip(&joint.mean)).zip(work.slope.chunks_exact(n)) {
                let (mut line, mut size) = (*m, m.abs() + f.abs());
                for (slope, x) in row.iter().zip(&work.x) {
                    line += slope * x;
                    size += (slope * x).abs();
                }
                let within = (f - line).abs() <= LINEAR * size;
                if !within {
                    return Ok(false);
                }
            }
        }
        joint.tie = Tie::Free;
        joint.previous_mean.copy_from_slice(&state.mean);
        joint.previous_covariance.copy_from_slice(&state.covariance);
        product(&work.slope, &state.covariance, &mut work.hessian, n);
        transpose(&work.slope, &mut work.inverse, n);
        product(&work.hessian, &work.inverse, &mut joint.covariance, n);
        for (s, q) in joint.covariance.iter_mut().zip(self.model.noise()) {
            *s += q;
        }
        symmetrise(&mut joint.covariance, n);
        let spread = joint.covariance.iter().chain(&joint.mean);
        if let Some(found) = spread.copied().find(|s| !s.is_finite()) {
            return Err(not_finite(state.time, "the belief of a state", found));
        }
        for i in 0..n {
            for j in 0..n {
                joint.cross[i * n + j] = work.hessian[j * n + i];
            }
        }
        work.factor.copy_from_slice(&joint.covariance);
        if cholesky(&mut work.factor, n).is_err() {
            return Ok(false);
        }
        joint.log_covariance = log_determinant(&work.factor, n);
        invert_lower(&work.factor, &mut work.inverse, n);
        lower_gram(&work.inverse, &mut joint.precision, n);
        joint.d.copy_from_slice(&noise.precision);
        transposed_product(&work.slope, &noise.precision, &mut joint.b, n);
        product(&joint.b, &work.slope, &mut joint.a, n);
        symmetrise(&mut joint.a, n);
        for (a, p) in joint.a.iter_mut().zip(&state.precision) {
            *a += p;
        }
        joint.b.iter_mut().for_each(|b| *b = -*b);
        work.factor.copy_from_slice(&joint.a);
        if cholesky(&mut work.factor, n).is_err() {
            return Ok(false);
        }
        joint.log_conditional = -log_determinant(&work.factor, n);
        invert_lower(&work.factor, &mut work.inverse, n);
        lower_gram(&work.inverse, &mut joint.conditional, n);
        product(&joint.conditional, &joint.b, &mut joint.slope, n);
        joint.slope.iter_mut().for_each(|e| *e = -*e);
        Ok(joint.log_conditional.is_finite() && joint.log_covariance.is_finite())
    }

    /// Newton's method on ln g(y|x) − ½(x − μ̂)ᵀΠ(x − μ̂), with steps halved until it rises.
    fn climb_to_mode(&mut self, y: &[f64]) -> bool {
        let (n, model, work) = (self.model.dim(), &self.model, &mut self.work);
        let joint = &mut work.joint;
        work.predicted.copy_from_slice(&joint.mean);
        work.precision.copy_from_slice(&joint.precision);
        let (mut height, mut drop) = (f64::NAN, 0.0);
        for _ in 0..=self.settings.mode_steps {
            let likelihood =
                model.log_likelihood_slopes(y, &joint.mean, &mut work.gradient, &mut work.hessian);
            height = likelihood - drop;
            if !height.is_finite() {
                return false;
            }
            for ((x, m), p) in work.x.iter_mut().zip(&joint.mean).zip(&work.predicted) {
                *x = m - p;
            }
            apply(&work.precision, &work.x, &mut work.y);
            for (g, y) in work.gradient.iter_mut().zip(&work.y) {
                *g -= y;
            }
            for ((f, p), h) in work
                .factor
                .iter_mut()
                .zip(&work.precision)
                .zip(&work.hessian)
            {
                *f = p - h;
            }
            // Where ln g curves upward too much, the curvature of the prediction stands in.
            if cholesky(&mut work.factor, n).is_err() {
                work.hessian.fill(0.0);
                work.factor.copy_from_slice(&work.precision);
                if cholesky(&mut work.factor, n).is_err() {
                    return false;
                }
            }
            invert_lower(&work.factor, &mut work.inverse, n);
            apply(&work.inverse, &work.gradient, &mut work.y);
            work.step.fill(0.0);
            add_transposed(&work.inverse, &work.y, &mut work.step);
            let promised = 0.5 * dot(&work.step, &work.gradient);
            // Far finer than needed: the mode is only where improving starts.
            if promised < 1e-10 {
                break;
            }
            let mut rate = 1.0;
            let risen = (0..HALVINGS).any(|_| {
                for i in 0..n {
                    work.y[i] = joint.mean[i] + rate * work.step[i];
                    work.x[i] = work.y[i] - work.predicted[i];
                }
                drop = 0.5 * quadratic_form(&work.precision, &work.x);
                rate *= 0.5;
                model.log_likelihood(y, &work.y) - drop >= height
            });
            if !risen {
                break;
            }
            joint.mean.copy_from_slice(&work.y);
        }
        // x' moves along with x; the observation's curvature joins that of the prediction.
        for ((x, m), p) in work.x.iter_mut().zip(&joint.mean).zip(&work.predicted) {
            *x = m - p;
        }
        if joint.tie == Tie::Free {
            apply(&joint.slope, &work.x, &mut work.y);
            for (m, y) in joint.previous_mean.iter_mut().zip(&work.y) {
                *m += y;
            }
        }
        for (d, h) in joint.d.iter_mut().zip(&work.hessian) {
            *d -= h;
        }
        height.is_finite()
    }

    /// Natural-gradient steps of the newest bound: precision ← (1 − ρ) precision − ρ E[∇²T],
    /// mean ← mean + ρ precision⁻¹ E[∇T], ρ halved until the bound does not fall, or until two falls say that no
    /// shorter step is worth its while.
    fn improve(&mut self, observation: Option<&[f64]>, mut bound: f64) -> f64 {
        let (mut rate, mut halvings, mut evaluations) = (1.0f64, 0, 1);
        let mut fallen: Option<Fall> = None;
        let mut settled = self.settings.improvements == 0 || !bound.is_finite();
        while !settled && evaluations <= self.settings.improvements && halvings < HALVINGS {
            let work = &mut self.work;
            let (joint, proposal, slopes) = (&work.joint, &mut work.proposal, &work.slopes);
            let towards = |into: &mut [f64], from: &[f64], hessian: &[f64]| {
                for ((into, from), h) in into.iter_mut().zip(from).zip(hessian) {
                    *into = (1.0 - rate) * from - rate * h;
                }
            };
            proposal.tie = joint.tie;
            towards(&mut proposal.d, &joint.d, &slopes.hessian);
            if joint.tie == Tie::Free {
                towards(&mut proposal.a, &joint.a, &slopes.previous_hessian);
                towards(&mut proposal.b, &joint.b, &slopes.mixed_hessian);
            } else {
                proposal.slope.copy_from_slice(&joint.slope);
                proposal.cross.copy_from_slice(&joint.cross);
                proposal.conditional.copy_from_slice(&joint.conditional);
                let from = &joint.previous_covariance;
                proposal.previous_covariance.copy_from_slice(from);
                proposal.log_conditional = joint.log_conditional;
            }
            if !(proposal.condition() && proposal.marginalise()) {
                (rate, halvings) = (0.5 * rate, halvings + 1);
                continue;
            }
            let (previous_step, step) = (&mut work.previous_step, &mut work.step);
            let (pg, g) = (&slopes.previous_gradient, &slopes.gradient);
            proposal.solve(pg, g, previous_step, step, &mut work.x);
            let mut decrement = dot(step, g);
            if joint.tie == Tie::Free {
                decrement += dot(previous_step, pg);
            }
            let moved = joint.divergence(proposal) + 0.5 * rate * decrement;
            if moved < self.settings.tolerance * rate {
                settled = true;
                break;
            }
            for i in 0..joint.n {
                proposal.mean[i] = joint.mean[i] + rate * step[i];
                proposal.previous_mean[i] = joint.previous_mean[i];
                if joint.tie == Tie::Free {
                    proposal.previous_mean[i] += rate * previous_step[i];
                }
            }
            proposal.pair();
            let reached = self.evaluate(observation, true);
            evaluations += 1;
            if reached >= bound - ROUNDING * bound.abs().max(1.0) {
                bound = reached;
                swap(&mut self.work.joint, &mut self.work.proposal);
                swap(&mut self.work.slopes, &mut self.work.proposed);
                (rate, halvings) = ((2.0 * rate).min(1.0), 0);
                fallen = None;
            } else {
                let fall = Fall {
                    rate,
                    slope: (bound - reached) / rate,
                };
                if fallen.is_some_and(|longer| fall.most(longer) < self.settings.tolerance) {
                    settled = true;
                    break;
                }
                fallen = Some(fall);
                (rate, halvings) = (0.5 * rate, halvings + 1);
            }
        }
        self.next.evaluations = evaluations;
        self.next.unsettled = self.state.unsettled + u64::from(!settled);
        bound
    }

    /// The next state from the pair that was reached; `exact` for one of [`Filter::predict_exactly`].
    fn write(&mut self, observation: Option<&[f64]>, bound: f64, exact: bool) {
        let (work, next) = (&mut self.work, &mut self.next);
        let (joint, slopes) = (&work.joint, &work.slopes);
        next.time = self.state.time + 1;
        let reached = self.state.owed + bound;
        (next.increment, next.owed) = match observation {
            Some(_) => (reached, 0.0),
            // The prior is its own best Gaussian.
            None if self.state.time == 0 => (0.0, 0.0),
            None => (0.0, reached),
        };
        next.elbo = self.state.elbo.plus(next.increment);
        next.mean.copy_from_slice(&joint.mean);
        next.covariance.copy_from_slice(&joint.covariance);
        next.precision.copy_from_slice(&joint.precision);
        if joint.tie != Tie::First {
            next.kernel.slope.copy_from_slice(&joint.slope);
            next.kernel.covariance.copy_from_slice(&joint.conditional);
            joint.offset(&mut next.kernel.offset);
        }
        // E_q[W_t] = L_t − H[q_t], and W is kept less L_t.
        let unit = joint.n as f64 * (std::f64::consts::TAU * std::f64::consts::E).ln();
        let expected = -0.5 * (unit + joint.log_covariance);
        let one_step = self.settings.scheme != Scheme::Reversed;
        match (&mut next.value, self.settings.representation) {
            (Value::Quadratic(w), _) => {
                w.centre.copy_from_slice(&joint.mean);
                if exact && let (Value::Quadratic(past), false) = (&self.state.value, one_step) {
                    // W_t = ln q_t + E_b[W_{t−1} − ln q_{t−1}], the second a quadratic with what W_{t−1} has beyond
                    // ln q_{t−1}: its slope, and the difference of the curvatures.
                    w.slope.fill(0.0);
                    add_transposed(&joint.slope, &past.slope, &mut w.slope);
                    let beyond = past.curvature.iter().zip(&self.state.precision);
                    for (b, (c, p)) in work.factor.iter_mut().zip(beyond) {
                        *b = c - p;
                    }
                    product(&work.factor, &joint.slope, &mut work.inverse, joint.n);
                    transposed_product(&joint.slope, &work.inverse, &mut w.curvature, joint.n);
                    for (c, p) in w.curvature.iter_mut().zip(&joint.precision) {
                        *c += p;
                    }
                } else if one_step {
                    w.slope.fill(0.0);
                    w.curvature.copy_from_slice(&joint.precision);
                } else {
                    let (a, b) = (&mut work.factor, &mut work.inverse);
                    fit_quadratic(joint, slopes, w, a, b);
                }
                w.set_expectation(expected, &joint.covariance);
            }
            (Value::Table(w), Representation::Table { reach, .. }) => {
                let (centre, spread) = (joint.mean[0], joint.covariance[0].sqrt());
                let from = Tabulated {
                    model: &self.model,
                    noise: &self.noise,
                    state: &self.state,
                    past: Self::past(&self.model, &self.prior, &self.state),
                    observation,
                    points: &work.bound.points,
                    joint,
                    bound,
                };
                w.fill(centre, spread, reach * spread, |x| from.at(x));
            }
            (Value::Table(_), Representation::Quadratic) => {}
        }
    }

    fn write_score(&mut self, observation: Option<&[f64]>) -> Result<()> {
        let (Some(fit), Some(next)) = (&mut self.work.fit, &mut self.next.score) else {
            return Ok(());
        };
        let carry = self.settings.scheme == Scheme::Reversed && self.state.time > 0;
        let past = self.state.score.as_ref().filter(|_| carry);
        let past = past.map(|score| (score, &self.state.mean[..]));
        if !fit.step(&self.model, observation, &self.work.joint, past, next) {
            return Err(not_finite(self.state.time, "the score", f64::NAN));
        }
        Ok(())
    }
}

pub(super) fn not_finite(index: u64, what: &'static str, found: f64) -> Error {
    Error::NotFinite { index, what, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Along a step the bound rises by sρ − cρ²: at most by s²/4c.
    #[test]
    fn two_falls_say_how_much_a_shorter_step_can_win() {
        let fall = |rate: f64, s: f64, c: f64| Fall {
            rate,
            slope: c * rate - s,
        };
        let most = |s, c| fall(0.25, s, c).most(fall(0.5, s, c));
        assert!((most(0.02, 0.5) - 0.02f64.powi(2) / 2.0).abs() < 1e-15);
        // It falls from the start on.
        assert_eq!(most(-0.02, 0.5), 0.0);
        // A fall that is none of a parabola with a top says nothing.
        assert_eq!(most(0.2, -0.5), f64::INFINITY);
        assert!(most(f64::NAN, 0.5).is_nan());
    }
}
