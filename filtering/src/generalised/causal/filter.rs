//! The causal filter: prediction over a bin, correction by an observation, read-out.
//!
//! Longer than most files here: the three share the joint state and its memory, and an update must be
//! seen whole to be seen to leave nothing half done.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::dense::{add_scaled, dot, symmetrise};
use super::innovation::Innovation;
use super::layout::Layout;
use super::settings::{CausalSettings, Linearisation};
use super::shape::NoiseShape;
use super::snapshot::{self, CausalSnapshot};
use super::stack::{Local, Stack, root_of_inverse};
use super::transition::{Channels, Transition};
use crate::generalised::model::{Equations, GenerativeModel};
use crate::generalised::scheme::Scheme;
use crate::{Error, Result};

/// Filtering of states, causes and (if asked) parameters from y_1 … y_t alone, with a posterior that
/// remembers: see the [module](super) for the derivation.
///
/// ```
/// use scotopic_filtering::generalised::causal::{CausalGeneralisedFilter, CausalSettings};
/// use scotopic_filtering::generalised::model::{GenerativeModel, Linear};
/// use scotopic_filtering::generalised::scheme::Scheme;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let equations = Linear::convolution();
/// let theta = equations.defaults();
/// let e8 = f64::exp(8.0);
/// let model = GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0])?;
/// let mut filter = CausalGeneralisedFilter::new(model, CausalSettings::default(), None)?;
/// filter.update(Some(&[0.01, 0.02, -0.01, 0.0]))?;
/// filter.update(None)?; // a gap
/// assert_eq!(filter.bins(), 2);
/// assert_eq!(filter.states().len(), 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    into = "CausalSnapshot<E>",
    try_from = "CausalSnapshot<E>",
    bound(
        serialize = "E: Equations + Clone + Serialize",
        deserialize = "E: Equations + Deserialize<'de>"
    )
)]
pub struct CausalGeneralisedFilter<E> {
    pub(super) stack: Stack<E>,
    pub(super) channels: Channels,
    settings: CausalSettings,
    layout: Layout,
    innovation: Innovation,
    transition: Transition,
    /// The offset of the linear transition, x_{t+1} = head·(x, n) + offset; none for a nonlinear model.
    linear: Option<Vec<f64>>,
    /// Whether g depends on causes, and whether one linearisation of it is exact.
    sees: bool,
    straight: bool,
    /// U with Π_z = U'U, and ln |U|.
    whitening: DMatrix<f64>,
    log_whitening: f64,
    walk: Vec<f64>,
    scratch_theta: Vec<f64>,
    belief: Belief,
    next: Belief,
    trial: Belief,
    scratch: DMatrix<f64>,
    update: Correction,
    /// The last observations, newest first, `[memory, outputs]`, and whether each was seen.
    history: Vec<f64>,
    seen: Vec<bool>,
    bins: u64,
    log_evidence: f64,
    last_log_density: f64,
    report: Report,
}

/// A mean and a covariance of the joint state.
#[derive(Debug, Clone, PartialEq)]
struct Belief {
    mean: Vec<f64>,
    covariance: DMatrix<f64>,
}

impl Belief {
    fn copy_from(&mut self, other: &Self) {
        self.mean.copy_from_slice(&other.mean);
        self.covariance.copy_from(&other.covariance);
    }
}

/// Memory of the correction.
#[derive(Debug, Clone, PartialEq)]
struct Correction {
    local: Local,
    theta: Vec<f64>,
    c: Vec<f64>,
    x: Vec<f64>,
    v: Vec<f64>,
    point: Vec<f64>,
    /// Rows of the linearised, whitened, predicted observation, each over the joint state.
    rows: Vec<f64>,
    residual: Vec<f64>,
    difference: Vec<f64>,
    /// Every entry's innovation given the entries before, and the log of its variance, in units of y.
    innovations: Vec<[f64; 2]>,
    gain: Vec<f64>,
    product: Vec<f64>,
}

/// What is said to the outside.
#[derive(Debug, Clone, PartialEq)]
struct Report {
    states: Vec<f64>,
    state_covariance: Vec<f64>,
    causes: Vec<f64>,
    cause_covariance: Vec<f64>,
    weights: Vec<f64>,
    columns: Vec<f64>,
}

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// A filter that has seen nothing. At the first bin the states have the model's start as mean and
    /// `start_covariance` `[states, states]` as covariance (none: the start is known); noises and causes
    /// have their stationary distribution.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Size`], [`Error::Entry`] or [`Error::NotPositiveDefinite`] for what in
    /// the model or the settings cannot be.
    pub fn new(
        model: GenerativeModel<E>,
        settings: CausalSettings,
        start_covariance: Option<&DMatrix<f64>>,
    ) -> Result<Self> {
        settings.check()?;
        let white = settings.motion == NoiseShape::White;
        let stack = Stack::new(model, !white, settings.learn_parameters)?;
        if settings.cause == NoiseShape::White && (stack.causes > 0) {
            return Err(Error::setting(
                "cause",
                "white in continuous time",
                "a shape with a variance, for example `sampled` with smoothness 0 and order 0",
            ));
        }
        let motion_channels = if white { 0 } else { stack.moving() };
        let kind = (0..stack.noises)
            .map(|c| usize::from(c >= motion_channels))
            .collect();
        let processes = vec![
            settings.motion.process("motion")?,
            settings.cause.process("cause")?,
        ];
        let channels = Channels::new(processes, kind, white);
        let past = settings.memory.max(settings.delay);
        let sees = match stack.model.levels.first() {
            Some(level) => stack.causes > 0 && level.equations.output_sees_causes(),
            None => false,
        };
        // Causes from levels above are not linear in what is filtered, nor is a g whose parameters are free.
        let straight = stack.is_linear()
            || !sees
                && stack.model.levels.first().is_some_and(|level| {
                    let in_g = level.equations.output_has_parameters()
                        && stack.free.iter().any(|f| f.0 == 0);
                    level.equations.output_is_linear() && !in_g
                });
        let keeps_causes = settings.delay > 0 || sees && settings.memory > 0;
        let layout = Layout {
            states: stack.states,
            moving: stack.moving(),
            noises: channels.size,
            kept_causes: if keeps_causes { stack.causes } else { 0 },
            past,
        };
        let belief = start(&stack, &channels, &layout, start_covariance)?;
        let walk = (0..stack.free.len())
            .map(|k| {
                let (l, i) = stack.free[k];
                let variance = stack.model.levels[l].parameters.covariance[(i, i)];
                settings.parameter_walk * variance
            })
            .collect();
        let size = layout.size();
        let (y, x, v) = (stack.outputs, stack.moving(), stack.causes);
        let update = Correction {
            local: stack.local(),
            theta: stack.theta.clone(),
            c: vec![0.0; stack.noises],
            x: vec![0.0; stack.states],
            v: vec![0.0; v],
            point: vec![0.0; size],
            rows: vec![0.0; y * size],
            residual: vec![0.0; y],
            difference: vec![0.0; y],
            innovations: vec![[0.0; 2]; y],
            gain: vec![0.0; size],
            product: vec![0.0; size],
        };
        let report = Report {
            states: vec![0.0; x],
            state_covariance: vec![0.0; x * x],
            causes: vec![0.0; v],
            cause_covariance: vec![0.0; v * v],
            weights: vec![0.0; v * layout.present()],
            columns: vec![0.0; v * layout.present()],
        };
        let mut filter = Self {
            innovation: Innovation::new(settings.output, settings.memory)?,
            transition: Transition::new(&stack, &channels),
            linear: None,
            sees,
            straight,
            whitening: DMatrix::zeros(y, y),
            log_whitening: 0.0,
            walk,
            scratch_theta: stack.theta.clone(),
            next: belief.clone(),
            trial: belief.clone(),
            scratch: DMatrix::zeros(size, size),
            belief,
            update,
            history: vec![0.0; settings.memory * y],
            seen: vec![false; settings.memory],
            bins: 0,
            log_evidence: 0.0,
            last_log_density: 0.0,
            report,
            stack,
            channels,
            settings,
            layout,
        };
        if let Some(level) = filter.stack.model.levels.first() {
            let precision = level.output.expected();
            filter.whiten(&precision)?;
        }
        filter.prepare_linear()?;
        filter.read_out();
        Ok(filter)
    }

    /// What has to be kept to go on later.
    pub fn snapshot(&self) -> CausalSnapshot<E>
    where
        E: Clone,
    {
        CausalSnapshot {
            model: self.stack.model.clone(),
            settings: self.settings,
            mean: self.belief.mean.clone(),
            covariance: self.belief.covariance.clone(),
            history: self.history.clone(),
            seen: self.seen.clone(),
            bins: self.bins,
            log_evidence: [self.log_evidence, self.last_log_density],
            input: self.stack.eta.clone(),
            theta: self.stack.theta.clone(),
            whitening: self.whitening.clone(),
            motion_root: self.stack.motion_root.clone(),
        }
    }

    /// The filter that a snapshot was taken of.
    ///
    /// # Errors
    /// As [`CausalGeneralisedFilter::new`]; [`Error::Size`] or [`Error::Entry`] for a snapshot that does not
    /// fit its own model, or holds what cannot be.
    pub fn restore(kept: CausalSnapshot<E>) -> Result<Self> {
        let (settings, sizes) = (kept.settings, kept.shapes());
        kept.check()?;
        let CausalSnapshot {
            model,
            mean,
            covariance,
            history,
            seen,
            bins,
            log_evidence,
            input,
            theta,
            whitening,
            motion_root,
            ..
        } = kept;
        let mut filter = Self::new(model, settings, None)?;
        let expected = filter.shapes();
        for ((name, found), (_, expected)) in sizes.into_iter().zip(expected) {
            if found != expected {
                let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
                return Err(Error::size(format!("snapshot: {name}"), found, expected));
            }
        }
        filter.belief = Belief { mean, covariance };
        (filter.history, filter.seen) = (history, seen);
        filter.bins = bins;
        [filter.log_evidence, filter.last_log_density] = log_evidence;
        filter.stack.eta = input;
        filter.put_parameters(&theta);
        filter.log_whitening = whitening.diagonal().iter().map(|&d| libm::log(d)).sum();
        filter.whitening = whitening;
        filter.stack.motion_root = motion_root;
        filter.prepare_linear()?;
        filter.read_out();
        Ok(filter)
    }

    fn shapes(&self) -> Vec<(&'static str, (usize, usize))> {
        let belief = (&self.belief.mean[..], &self.belief.covariance);
        let past = (&self.history[..], &self.seen[..]);
        let set = (&self.stack.eta[..], &self.stack.theta[..]);
        snapshot::shapes(belief, past, set, &self.whitening, &self.stack.motion_root)
    }

    /// The settings.
    pub fn settings(&self) -> &CausalSettings {
        &self.settings
    }

    /// The model.
    pub fn model(&self) -> &GenerativeModel<E> {
        &self.stack.model
    }

    /// The number of entries of the joint state: states, free parameters, noises and the past that is kept.
    pub fn joint_size(&self) -> usize {
        self.layout.size()
    }

    /// ln p(y_t | y_1 … y_{t−1}) of the last observation, in nats; 0 for a missing one.
    pub fn last_log_density(&self) -> f64 {
        self.last_log_density
    }

    /// The means of the free parameters, `[free]`, in the order of levels and entries.
    pub fn parameters(&self) -> &[f64] {
        &self.belief.mean[self.layout.moving..self.layout.states]
    }

    /// The variances of the free parameters, `[free]`.
    pub fn parameter_variances(&self) -> Vec<f64> {
        (self.layout.moving..self.layout.states)
            .map(|i| self.belief.covariance[(i, i)])
            .collect()
    }

    /// Means of the states in generalised coordinates now, `[orders][states]`: x, x' = f + w,
    /// x'' = f_x x' + f_c c', …, as many as the noise has derivatives. Read off the filtering belief,
    /// whatever the delay.
    pub fn generalised_states(&self) -> Vec<Vec<f64>> {
        let layout = &self.layout;
        let (x, n) = self.belief.mean[..layout.present()].split_at(layout.states);
        let mut local = self.stack.local();
        let mut theta = self.stack.theta.clone();
        let mut c = vec![0.0; self.stack.noises];
        self.channels.read(n, &mut c);
        self.stack.motion(x, &c, &mut theta, &mut local);
        let mut orders = vec![x.to_vec(), local.f.clone()];
        for k in 1..self.channels.highest() {
            let mut higher = vec![0.0; layout.states];
            for (j, &lower) in orders[k].iter().enumerate() {
                add_scaled(&mut higher, lower, local.f_x.column(j).as_slice());
            }
            for (channel, &offset) in self.channels.offset.iter().enumerate() {
                if k < self.channels.process(channel).size() {
                    let column = local.f_c.column(channel);
                    add_scaled(&mut higher, n[offset + k], column.as_slice());
                }
            }
            orders.push(higher);
        }
        for order in &mut orders {
            order.truncate(layout.moving);
        }
        orders
    }

    /// Sets the known prior mean η of the top causes from the next bin on, `[top causes]`.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::Entry`]; nothing is changed then.
    pub fn set_input(&mut self, eta: &[f64]) -> Result<()> {
        if eta.len() != self.stack.eta.len() {
            return Err(Error::size("input", eta.len(), self.stack.eta.len()));
        }
        crate::error::check_finite("input", eta.len().max(1), eta)?;
        if self.stack.eta == eta {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.stack.eta, eta.to_vec());
        self.prepare_linear()
            .inspect_err(|_| self.stack.eta = before)
    }

    /// Sets the precisions of z `[outputs, outputs]` and of w of each level `[states, states]` from the next
    /// bin on. The belief is kept: noises are held in units of their standard deviation.
    ///
    /// # Errors
    /// [`Error::Size`] or [`Error::NotPositiveDefinite`]; nothing is changed then.
    pub fn set_precisions(&mut self, output: &DMatrix<f64>, motion: &[DMatrix<f64>]) -> Result<()> {
        let y = self.stack.outputs;
        if output.shape() != (y, y) {
            return Err(Error::size("precision of z", output.nrows(), y));
        }
        let levels = &self.stack.motion_root;
        let fits = |(new, old): (&DMatrix<f64>, &DMatrix<f64>)| new.shape() == old.shape();
        if motion.len() != levels.len() || !motion.iter().zip(levels).all(fits) {
            return Err(Error::size("precision of w", motion.len(), levels.len()));
        }
        let roots: Vec<_> = motion
            .iter()
            .map(|precision| root_of_inverse(precision, "precision of w"))
            .collect::<Result<_>>()?;
        self.whiten(output)?;
        let before = std::mem::replace(&mut self.stack.motion_root, roots);
        self.prepare_linear()
            .inspect_err(|_| self.stack.motion_root = before)
    }

    /// Sets θ of all levels, stacked, from the next bin on; free parameters that are filtered are not touched.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::Entry`], or [`Error::NotFinite`] naming f; nothing is changed then.
    pub fn set_parameters(&mut self, theta: &[f64]) -> Result<()> {
        if theta.len() != self.stack.theta.len() {
            return Err(Error::size(
                "parameters",
                theta.len(),
                self.stack.theta.len(),
            ));
        }
        crate::error::check_finite("parameters", theta.len().max(1), theta)?;
        self.scratch_theta.copy_from_slice(&self.stack.theta);
        self.put_parameters(theta);
        let done = self.prepare_linear();
        if done.is_err() {
            std::mem::swap(&mut self.stack.theta, &mut self.scratch_theta);
            self.update.theta.copy_from_slice(&self.stack.theta);
            let _ = self.prepare_linear();
        }
        done
    }

    fn put_parameters(&mut self, theta: &[f64]) {
        self.stack.theta.copy_from_slice(theta);
        self.update.theta.copy_from_slice(theta);
    }

    fn whiten(&mut self, precision: &DMatrix<f64>) -> Result<()> {
        let lost = || Error::NotPositiveDefinite {
            name: "precision of z".to_owned(),
            pivot: 0,
            value: precision
                .diagonal()
                .iter()
                .copied()
                .fold(f64::NAN, f64::min),
        };
        let lower = precision.clone().cholesky().ok_or_else(lost)?.unpack();
        self.log_whitening = lower.diagonal().iter().map(|&d| libm::log(d)).sum();
        self.whitening = lower.transpose();
        Ok(())
    }

    /// The transition of a linear model, once and for all.
    fn prepare_linear(&mut self) -> Result<()> {
        if !self.stack.is_linear() {
            return Ok(());
        }
        let zeros = vec![0.0; self.layout.present()];
        let (x, n) = zeros.split_at(self.layout.states);
        if !self
            .transition
            .compute(&self.stack, &self.channels, x, n, self.settings.steps)
        {
            return Err(self.not_finite("f (its Jacobian over a bin; raise `steps`)"));
        }
        self.linear = Some(self.transition.x.clone());
        let local = &mut self.update.local;
        self.stack.output(
            x,
            &vec![0.0; self.stack.causes],
            &mut self.update.theta,
            local,
        );
        Ok(())
    }

    fn not_finite(&self, what: &'static str) -> Error {
        Error::NotFinite {
            index: self.bins,
            what,
            found: f64::NAN,
        }
    }

    /// `next` ← the belief one bin later.
    fn predict(&mut self) -> Result<()> {
        let (x, rest) = self.belief.mean.split_at(self.layout.states);
        let n = &rest[..self.layout.noises];
        match &self.linear {
            Some(offset) => {
                let step = &mut self.transition;
                step.x.copy_from_slice(offset);
                for (j, &u) in x.iter().chain(n).enumerate() {
                    add_scaled(&mut step.x, u, step.head.column(j).as_slice());
                }
                // v = V (x, c) + η
                if self.layout.kept_causes > 0 {
                    self.channels.read(n, &mut self.update.c);
                    self.stack
                        .motion(x, &self.update.c, &mut self.update.theta, &mut step.local);
                }
            }
            None => {
                let steps = self.settings.steps;
                if !self
                    .transition
                    .compute(&self.stack, &self.channels, x, n, steps)
                {
                    return Err(self.not_finite("f (or its Jacobian; raise `steps` if f is stiff)"));
                }
                if self.settings.linearisation != Linearisation::Tangent {
                    // Where the spread reaches points from which the flow is not finite the tangent is used.
                    let second = self.settings.linearisation == Linearisation::SecondOrder;
                    self.transition.spread_out(
                        &self.stack,
                        &self.channels,
                        (x, n),
                        &self.belief.covariance,
                        steps,
                        second,
                    );
                }
            }
        }
        self.layout.move_mean(
            &mut self.next.mean,
            &self.belief.mean,
            &self.channels,
            &self.transition,
        );
        self.layout.move_covariance(
            &mut self.next.covariance,
            &mut self.scratch,
            &self.belief.covariance,
            &self.channels,
            &self.transition,
        );
        for (k, walk) in self.walk.iter().enumerate() {
            let i = self.layout.moving + k;
            self.next.covariance[(i, i)] += walk;
        }
        Ok(())
    }

    /// Whitened residual U (y_{t−lag} − g) and its rows, scaled by `weight` and added; lag 0 is the present.
    fn add_residual(&mut self, observed: Option<&[f64]>, lag: usize, weight: f64) {
        let layout = &self.layout;
        let (y, size) = (self.stack.outputs, layout.size());
        let Correction {
            local,
            theta,
            c,
            x,
            v,
            point,
            rows,
            residual,
            difference,
            ..
        } = &mut self.update;
        // u = (x, v) there: present states and causes, or those kept of the past with the parameters of now.
        let first = match lag {
            0 => 0,
            _ => layout.at_lag(lag),
        };
        if self.linear.is_some() && !self.sees {
            for (i, g) in local.g.iter_mut().enumerate() {
                *g = (0..layout.moving)
                    .map(|j| local.g_x[(i, j)] * point[first + j])
                    .sum();
            }
        } else {
            x.copy_from_slice(&point[..layout.states]);
            x[..layout.moving].copy_from_slice(&point[first..first + layout.moving]);
            if self.sees && lag == 0 {
                self.channels
                    .read(&point[layout.states..layout.present()], c);
                self.stack.motion(x, c, theta, local);
                v.copy_from_slice(&local.v);
            } else if self.sees {
                let from = first + layout.moving;
                v.copy_from_slice(&point[from..from + layout.kept_causes]);
            }
            self.stack.output(x, v, theta, local);
        }
        let history = match lag {
            0 => observed.unwrap_or(&[]),
            _ => &self.history[(lag - 1) * y..lag * y],
        };
        for (d, (&o, &g)) in difference.iter_mut().zip(history.iter().zip(&local.g)) {
            *d = o - g;
        }
        for k in 0..y {
            let row = &mut rows[k * size..(k + 1) * size];
            for (i, &apart) in difference.iter().enumerate().skip(k) {
                let u = weight * self.whitening[(k, i)];
                if u == 0.0 {
                    continue;
                }
                residual[k] += u * apart;
                for j in 0..layout.states {
                    // Free parameters are not kept of the past: they are those of now.
                    let place = if j < layout.moving { first + j } else { j };
                    row[place] += u * local.g_x[(i, j)];
                }
                for j in 0..self.stack.causes {
                    let by_cause = u * local.g_v[(i, j)];
                    if by_cause == 0.0 || !self.sees {
                        continue;
                    }
                    if lag > 0 {
                        row[first + layout.moving + j] += by_cause;
                        continue;
                    }
                    for (s, entry) in row[..layout.states].iter_mut().enumerate() {
                        *entry += by_cause * local.v_x[(j, s)];
                    }
                    for (channel, &offset) in self.channels.offset.iter().enumerate() {
                        row[layout.states + offset] += by_cause * local.v_c[(j, channel)];
                    }
                }
            }
        }
    }

    /// `trial` ← `next` given the observation; the log density of the observation.
    fn correct(&mut self, observed: &[f64]) -> Result<f64> {
        let (y, size) = (self.stack.outputs, self.layout.size());
        if !self.innovation.prepare(&self.seen) {
            return Err(self.not_finite("the prediction of z from its past"));
        }
        let variance = self.innovation.variance;
        self.update.point.copy_from_slice(&self.next.mean);
        let rounds = if self.straight {
            1
        } else {
            self.settings.iterations
        };
        let (mut log_density, mut scored) = (0.0, None);
        let mut round = 0;
        while round < rounds {
            round += 1;
            let mut surprise = 0.0;
            self.update.rows.fill(0.0);
            self.update.residual.fill(0.0);
            self.add_residual(Some(observed), 0, 1.0);
            for lag in 1..=self.settings.memory {
                let weight = self.innovation.weights[lag - 1];
                if weight != 0.0 {
                    self.add_residual(None, lag, -weight);
                }
            }
            self.trial.copy_from(&self.next);
            log_density = self.log_whitening;
            for k in 0..y {
                let Correction {
                    rows,
                    residual,
                    point,
                    gain,
                    product,
                    ..
                } = &mut self.update;
                let row = &rows[k * size..(k + 1) * size];
                // The residual at the mean so far, from the residual at the point of linearisation.
                let moved: f64 = row
                    .iter()
                    .zip(self.trial.mean.iter().zip(point.iter()))
                    .map(|(h, (m, p))| h * (m - p))
                    .sum();
                let error = residual[k] - moved;
                let covariance = self.trial.covariance.as_mut_slice();
                product.fill(0.0);
                for (j, &h) in row.iter().enumerate() {
                    if h != 0.0 {
                        add_scaled(product, h, &covariance[j * size..(j + 1) * size]);
                    }
                }
                let total = dot(row, product) + variance;
                if !(total.is_finite() && total > 0.0 && error.is_finite()) {
                    return Err(
                        self.not_finite("g (or the precision of z: the innovation's variance)")
                    );
                }
                for (k, p) in gain.iter_mut().zip(product.iter()) {
                    *k = p / total;
                }
                add_scaled(&mut self.trial.mean, error, gain);
                joseph(covariance, gain, product, row, variance);
                surprise += error * error / total;
                let unit = self.whitening[(k, k)];
                self.update.innovations[k] = [error / unit, libm::log(total / (unit * unit))];
                log_density -=
                    0.5 * (libm::log(2.0 * std::f64::consts::PI * total) + error * error / total);
            }
            let y = y as f64;
            let limit = match self.settings.surprise {
                Some(deviations) if self.linear.is_none() && scored.is_none() => {
                    y + (deviations * deviations - 1.0).max(0.0) * libm::sqrt(y)
                }
                _ => f64::INFINITY,
            };
            if surprise > limit {
                // Once for an observation: wider by the surprise, and again from the prediction.
                scored = Some(log_density);
                self.widen(surprise / y);
                self.update.point.copy_from_slice(&self.next.mean);
                round = 0;
                continue;
            }
            let change = self
                .trial
                .mean
                .iter()
                .zip(&self.update.point)
                .map(|(a, b)| (a - b).abs() / (1.0 + b.abs()))
                .fold(0.0, f64::max);
            self.update.point.copy_from_slice(&self.trial.mean);
            if change < 1e-9 {
                break;
            }
        }
        symmetrise(&mut self.trial.covariance);
        let log_density = scored.unwrap_or(log_density);
        match self.trial.mean.iter().all(|m| m.is_finite()) && log_density.is_finite() {
            true => Ok(log_density),
            false => Err(self.not_finite("g (or its Jacobian)")),
        }
    }

    /// Multiplies the predicted variance of all states, past ones included, by `factor`; the noises keep theirs.
    fn widen(&mut self, factor: f64) {
        let root = libm::sqrt(factor);
        let (states, present) = (self.layout.states, self.layout.present());
        let scale = |i: usize| {
            if i < states || i >= present {
                root
            } else {
                1.0
            }
        };
        let size = self.layout.size();
        let covariance = self.next.covariance.as_mut_slice();
        for (j, column) in covariance.chunks_exact_mut(size).enumerate() {
            for (i, entry) in column.iter_mut().enumerate() {
                *entry *= scale(i) * scale(j);
            }
        }
    }

    /// Copies what is said of the bin `delay` back into the report.
    fn read_out(&mut self) {
        let layout = &self.layout;
        let report = &mut self.report;
        let (mean, covariance) = (&self.belief.mean, &self.belief.covariance);
        let lag = self.settings.delay;
        let first = if lag == 0 { 0 } else { layout.at_lag(lag) };
        let x = layout.moving;
        report.states.copy_from_slice(&mean[first..first + x]);
        for j in 0..x {
            for i in 0..x {
                report.state_covariance[i * x + j] = covariance[(first + i, first + j)];
            }
        }
        let v = self.stack.causes;
        if lag > 0 {
            let first = first + x;
            report.causes.copy_from_slice(&mean[first..first + v]);
            for j in 0..v {
                for i in 0..v {
                    report.cause_covariance[i * v + j] = covariance[(first + i, first + j)];
                }
            }
            return;
        }
        if v == 0 {
            return;
        }
        let Correction {
            local, theta, c, ..
        } = &mut self.update;
        let (states, present) = (layout.states, layout.present());
        self.channels.read(&mean[states..present], c);
        // The Jacobians of g are kept for a linear model; motion leaves them alone.
        self.stack.motion(&mean[..states], c, theta, local);
        report.causes.copy_from_slice(&local.v);
        report.weights.fill(0.0);
        report.columns.fill(0.0);
        for i in 0..v {
            let weights = &mut report.weights[i * present..(i + 1) * present];
            for (s, weight) in weights[..states].iter_mut().enumerate() {
                *weight = local.v_x[(i, s)];
            }
            for (channel, &offset) in self.channels.offset.iter().enumerate() {
                weights[states + offset] = local.v_c[(i, channel)];
            }
            let column = &mut report.columns[i * present..(i + 1) * present];
            for (j, &weight) in weights.iter().enumerate() {
                if weight != 0.0 {
                    add_scaled(column, weight, &covariance.column(j).as_slice()[..present]);
                }
            }
        }
        for i in 0..v {
            for j in 0..v {
                let weights = &report.weights[i * present..(i + 1) * present];
                let column = &report.columns[j * present..(j + 1) * present];
                report.cause_covariance[i * v + j] = dot(weights, column);
            }
        }
    }
}

/// P ← (I − k h) P (I − k h)' + k σ² k', with `product` = P h' from before.
fn joseph(p: &mut [f64], gain: &[f64], product: &[f64], row: &[f64], variance: f64) {
    let size = gain.len();
    // First P (I − k h)': column j loses (P h') k_j.
    for (j, column) in p.chunks_exact_mut(size).enumerate() {
        if gain[j] != 0.0 {
            add_scaled(column, -gain[j], product);
        }
    }
    // Then (I − k h) from the left, and the noise, for each column.
    for (j, column) in p.chunks_exact_mut(size).enumerate() {
        let lost = dot(row, column);
        add_scaled(column, variance * gain[j] - lost, gain);
    }
}

/// The belief before the first observation.
fn start<E: Equations>(
    stack: &Stack<E>,
    channels: &Channels,
    layout: &Layout,
    start_covariance: Option<&DMatrix<f64>>,
) -> Result<Belief> {
    let size = layout.size();
    let mut mean = vec![0.0; size];
    let mut covariance = DMatrix::zeros(size, size);
    let starts = stack.model.levels.iter().flat_map(|l| &l.start);
    for (m, &s) in mean.iter_mut().zip(starts) {
        *m = s;
    }
    if let Some(given) = start_covariance {
        let x = layout.moving;
        if given.shape() != (x, x) {
            let found = format!("{:?}", given.shape());
            return Err(Error::size(
                "start covariance",
                found,
                format!("({x}, {x})"),
            ));
        }
        for i in 0..x {
            for j in 0..x {
                let value = 0.5 * (given[(i, j)] + given[(j, i)]);
                if !value.is_finite() || i == j && value < 0.0 {
                    let expected = "a finite covariance, its diagonal at least 0";
                    return Err(Error::entry("start covariance", &[i, j], value, expected));
                }
                covariance[(i, j)] = value;
            }
        }
    }
    for (k, &(l, i)) in stack.free.iter().enumerate() {
        let prior = &stack.model.levels[l].parameters;
        let here = layout.moving + k;
        mean[here] = prior.mean[i];
        for (other, &(m, j)) in stack.free.iter().enumerate() {
            if m == l {
                covariance[(here, layout.moving + other)] = prior.covariance[(i, j)];
            }
        }
    }
    for (channel, &offset) in channels.offset.iter().enumerate() {
        let stationary = &channels.process(channel).stationary;
        let first = layout.states + offset;
        for i in 0..stationary.nrows() {
            for j in 0..stationary.ncols() {
                covariance[(first + i, first + j)] = stationary[(i, j)];
            }
        }
    }
    for lag in 1..=layout.past {
        let first = layout.at_lag(lag);
        mean.copy_within(..layout.moving, first);
    }
    Ok(Belief { mean, covariance })
}

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// Computes the next belief without taking it: the log density of the observation.
    ///
    /// # Errors
    /// As [`Scheme::update`].
    pub(in crate::generalised) fn prepare(&mut self, observation: Option<&[f64]>) -> Result<f64> {
        let y = self.stack.outputs;
        if let Some(row) = observation {
            crate::sequence::check_row(row, y).map_err(|e| e.at_observation(self.bins))?;
        }
        if self.bins == 0 {
            self.next.copy_from(&self.belief);
        } else {
            self.predict()?;
        }
        match observation {
            Some(row) => self.correct(row),
            None => {
                self.trial.copy_from(&self.next);
                Ok(0.0)
            }
        }
    }

    /// Innovations of the last observation that was prepared and the logs of their variances, one an output,
    /// each given those before it.
    pub(in crate::generalised) fn innovations(&self) -> &[[f64; 2]] {
        &self.update.innovations
    }

    /// Takes the belief that [`CausalGeneralisedFilter::prepare`] computed from the same observation.
    pub(in crate::generalised) fn take(&mut self, observation: Option<&[f64]>, log_density: f64) {
        let y = self.stack.outputs;
        std::mem::swap(&mut self.belief, &mut self.trial);
        if self.settings.memory > 0 {
            let kept = self.history.len() - y;
            self.history.copy_within(..kept, y);
            self.seen.copy_within(..self.settings.memory - 1, 1);
            self.seen[0] = observation.is_some();
            if let Some(row) = observation {
                self.history[..y].copy_from_slice(row);
            }
        }
        self.bins += 1;
        self.last_log_density = log_density;
        self.log_evidence += log_density;
        self.read_out();
    }
}

impl<E: Equations> Scheme for CausalGeneralisedFilter<E> {
    fn update(&mut self, observation: Option<&[f64]>) -> Result<()> {
        let log_density = self.prepare(observation)?;
        self.take(observation, log_density);
        Ok(())
    }

    fn bins(&self) -> u64 {
        self.bins
    }

    fn delay(&self) -> usize {
        self.settings.delay
    }

    fn states(&self) -> &[f64] {
        &self.report.states
    }

    fn state_covariance(&self) -> &[f64] {
        &self.report.state_covariance
    }

    fn causes(&self) -> &[f64] {
        &self.report.causes
    }

    fn cause_covariance(&self) -> &[f64] {
        &self.report.cause_covariance
    }

    fn log_evidence(&self) -> Option<f64> {
        Some(self.log_evidence)
    }
}
