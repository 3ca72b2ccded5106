//! One bin of motion: the mean, and the matrix and noise that propagate the covariance.

pub(super) mod spread;

use nalgebra::DMatrix;

use super::noise_process::NoiseProcess;
use super::stack::{CausalLocal, CausalStack};
use crate::generalised::model::Equations;
use crate::math::in_place::{Discretisation, add_scaled, multiply, norm};

/// The noises c as one state n: channel j is entries `offset[j]` … of n, (c_j, c_j', …).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Channels {
    pub processes: Vec<NoiseProcess>,
    /// The process of each channel.
    pub kind: Vec<usize>,
    /// The first entry of each channel.
    pub offset: Vec<usize>,
    /// The entries of n.
    pub size: usize,
    /// Whether nothing diffuses within a bin, so that the noise is a polynomial there.
    pub polynomial: bool,
}

impl Channels {
    pub(super) fn new(processes: Vec<NoiseProcess>, kind: Vec<usize>, white: bool) -> Self {
        let mut size = 0;
        let offset = kind
            .iter()
            .map(|&k| {
                size += processes[k].size();
                size - processes[k].size()
            })
            .collect();
        let still = |p: &NoiseProcess| p.diffusion.iter().all(|&d| d == 0.0);
        Self {
            polynomial: !white && processes.iter().all(still),
            processes,
            kind,
            offset,
            size,
        }
    }

    pub(super) fn process(&self, channel: usize) -> &NoiseProcess {
        &self.processes[self.kind[channel]]
    }

    /// c from n.
    pub(super) fn read(&self, n: &[f64], c: &mut [f64]) {
        for (c, &offset) in c.iter_mut().zip(&self.offset) {
            *c = n[offset];
        }
    }

    pub(super) fn highest(&self) -> usize {
        self.processes
            .iter()
            .map(NoiseProcess::size)
            .max()
            .unwrap_or(0)
    }
}

/// The transition of (x, n) over one bin, and memory for computing it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Transition {
    /// ∂x_{t+1}/∂(x_t, n_t), `[states, states + n]`.
    pub head: DMatrix<f64>,
    /// What diffuses into (x, n) within the bin, `[states + n, states + n]`, if anything does.
    pub noise: DMatrix<f64>,
    /// The variance of x_{t+1} that the curvature of the flow adds, `[states, states]`.
    pub curvature: DMatrix<f64>,
    /// x_{t+1}, `[states]`.
    pub x: Vec<f64>,
    pub spread: Spread,
    /// f, v and their Jacobians at the start of the bin.
    pub local: CausalLocal,
    within: CausalLocal,
    theta: Vec<f64>,
    c: Vec<f64>,
    n: Vec<f64>,
    phi: Vec<DMatrix<f64>>,
    drive: Vec<DMatrix<f64>>,
    scaled: DMatrix<f64>,
    square: DMatrix<f64>,
    product: DMatrix<f64>,
    /// For noise that diffuses: drift and diffusion of (x, n, 1).
    drift: DMatrix<f64>,
    diffusion: DMatrix<f64>,
    step: Discretisation,
    whole: DMatrix<f64>,
    other: DMatrix<f64>,
    turned: DMatrix<f64>,
}

/// Memory for flows from points about the mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    /// Directions S, lower triangular, `[states, states]`, and which of them carry variance.
    pub directions: DMatrix<f64>,
    pub active: Vec<bool>,
    /// Second derivatives q_jk of the flow along pairs of directions, `[states (of q), states, states]`; zero for
    /// directions without variance.
    pub second: Vec<f64>,
    /// The flow from the mean, from x + h S_j and from x − h S_j, `[states]` each.
    centre: Vec<f64>,
    ahead: DMatrix<f64>,
    behind: DMatrix<f64>,
    point: Vec<f64>,
    tangent: DMatrix<f64>,
    now: Vec<f64>,
    then: Vec<f64>,
}

/// The largest norm of f_x × step at which the series of the φ functions keeps its figures.
const LARGEST: f64 = 12.0;

impl Transition {
    pub(super) fn new<E: Equations>(stack: &CausalStack<E>, channels: &Channels) -> Self {
        let (x, n, c) = (stack.states, channels.size, stack.noises);
        let orders = channels.highest().max(1);
        let joint = if channels.polynomial { 0 } else { x + n + 1 };
        let square = DMatrix::zeros(joint, joint);
        Self {
            head: DMatrix::zeros(x, x + n),
            noise: DMatrix::zeros(x + n, x + n),
            curvature: DMatrix::zeros(x, x),
            x: vec![0.0; x],
            spread: Spread {
                directions: DMatrix::zeros(x, x),
                active: vec![false; x],
                second: vec![0.0; x * x * x],
                centre: vec![0.0; x],
                ahead: DMatrix::zeros(x, x),
                behind: DMatrix::zeros(x, x),
                point: vec![0.0; x],
                tangent: DMatrix::zeros(x, x + n),
                now: vec![0.0; x],
                then: vec![0.0; x],
            },
            local: stack.local(),
            within: stack.local(),
            theta: stack.theta.clone(),
            c: vec![0.0; c],
            n: vec![0.0; n],
            phi: vec![DMatrix::zeros(x, x); orders + 2],
            drive: vec![DMatrix::zeros(x, c); orders],
            scaled: DMatrix::zeros(x, x),
            square: DMatrix::zeros(x, x),
            product: DMatrix::zeros(x, x + n),
            drift: square.clone(),
            diffusion: square.clone(),
            step: Discretisation::new(joint),
            whole: square.clone(),
            other: square.clone(),
            turned: square,
        }
    }

    /// Moves the mean (x, n) by one bin in `steps` parts, by local linearisation of f: exact if f is
    /// linear. False if a number that is not finite came up.
    pub(super) fn compute<E: Equations>(
        &mut self,
        stack: &CausalStack<E>,
        channels: &Channels,
        x: &[f64],
        n: &[f64],
        steps: usize,
    ) -> bool {
        self.x.copy_from_slice(x);
        self.theta.copy_from_slice(&stack.theta);
        channels.read(n, &mut self.c);
        stack.motion(x, &self.c, &mut self.theta, &mut self.local);
        let fine = match channels.polynomial {
            true => self.along_polynomials(stack, channels, n, steps),
            false => self.with_diffusion(stack, channels, n, steps),
        };
        fine && self.x.iter().chain(self.head.iter()).all(|v| v.is_finite())
    }

    /// The noise's derivatives at `time` after the start of the bin, into `self.n`.
    fn noise_at(&mut self, channels: &Channels, n: &[f64], time: f64) {
        if time == 0.0 {
            self.n.copy_from_slice(n);
            return;
        }
        for (channel, &offset) in channels.offset.iter().enumerate() {
            let size = channels.process(channel).size();
            for k in 0..size {
                let (mut sum, mut power) = (0.0, 1.0);
                for m in k..size {
                    sum += power * n[offset + m];
                    power *= time / (m - k + 1) as f64;
                }
                self.n[offset + k] = sum;
            }
        }
    }

    /// The noise within the bin is Σ_k c^(k) r^k/k!, so that over a part of length h
    ///
    /// ```text
    /// x(h) = x + h φ_1(hA) f + Σ_{k≥1} h^{k+1} φ_{k+1}(hA) f_c c^(k),      A = f_x
    /// φ_k(Z) = Σ_j Z^j/(j + k)!
    /// ```
    fn along_polynomials<E: Equations>(
        &mut self,
        stack: &CausalStack<E>,
        channels: &Channels,
        n: &[f64],
        steps: usize,
    ) -> bool {
        let (states, orders) = (stack.states, channels.highest());
        let h = 1.0 / steps as f64;
        self.head.fill(0.0);
        self.head.fill_diagonal(1.0);
        for part in 0..steps {
            let start = part as f64 * h;
            self.noise_at(channels, n, start);
            let at = if part == 0 {
                &self.local
            } else {
                channels.read(&self.n, &mut self.c);
                stack.motion(&self.x, &self.c, &mut self.theta, &mut self.within);
                &self.within
            };
            self.scaled.copy_from(&at.f_x);
            self.scaled *= h;
            if !phi_functions(&self.scaled, &mut self.phi[..orders + 2], &mut self.square) {
                return false;
            }
            let mut power = h;
            for k in 0..orders.max(1) {
                multiply(&mut self.drive[k], &self.phi[k + 1], &at.f_c);
                self.drive[k] *= power;
                power *= h;
            }
            for j in 0..states {
                add_scaled(&mut self.x, h * at.f[j], self.phi[1].column(j).as_slice());
            }
            multiply(&mut self.product, &self.phi[0], &self.head);
            std::mem::swap(&mut self.head, &mut self.product);
            for (channel, &offset) in channels.offset.iter().enumerate() {
                for m in 0..channels.process(channel).size() {
                    if m > 0 {
                        let column = self.drive[m].column(channel);
                        add_scaled(&mut self.x, self.n[offset + m], column.as_slice());
                    }
                    let place = (states + offset + m) * states;
                    let to = &mut self.head.as_mut_slice()[place..place + states];
                    let mut weight = 1.0;
                    for k in (0..=m).rev() {
                        add_scaled(to, weight, self.drive[k].column(channel).as_slice());
                        weight *= start / (m - k + 1) as f64;
                    }
                }
            }
        }
        true
    }

    /// The noise diffuses within the bin: (x, n, 1) as one linear system about the present point.
    fn with_diffusion<E: Equations>(
        &mut self,
        stack: &CausalStack<E>,
        channels: &Channels,
        n: &[f64],
        steps: usize,
    ) -> bool {
        let (states, joint) = (stack.states, stack.states + channels.size);
        let h = 1.0 / steps as f64;
        self.n.copy_from_slice(n);
        self.diffusion.fill(0.0);
        if !stack.motion_in_c {
            let mut place = 0;
            for root in &stack.motion_root {
                let size = root.nrows();
                for i in 0..size {
                    for j in 0..size {
                        let product: f64 = (0..size).map(|k| root[(i, k)] * root[(j, k)]).sum();
                        self.diffusion[(place + i, place + j)] = product;
                    }
                }
                place += size;
            }
        }
        for (channel, &offset) in channels.offset.iter().enumerate() {
            let process = channels.process(channel);
            for i in 0..process.size() {
                for j in 0..process.size() {
                    let (row, column) = (states + offset + i, states + offset + j);
                    self.diffusion[(row, column)] = process.diffusion[(i, j)];
                }
            }
        }
        self.whole.fill_with_identity();
        self.noise.fill(0.0);
        for part in 0..steps {
            let at = if part == 0 {
                &self.local
            } else {
                channels.read(&self.n, &mut self.c);
                stack.motion(&self.x, &self.c, &mut self.theta, &mut self.within);
                &self.within
            };
            self.drift.fill(0.0);
            for i in 0..states {
                for j in 0..states {
                    self.drift[(i, j)] = at.f_x[(i, j)];
                }
                for (channel, &offset) in channels.offset.iter().enumerate() {
                    self.drift[(i, states + offset)] = at.f_c[(i, channel)];
                }
                self.drift[(i, joint)] = at.f[i];
            }
            for (channel, &offset) in channels.offset.iter().enumerate() {
                let flow = &channels.process(channel).flow;
                for i in 0..flow.nrows() {
                    let row = states + offset + i;
                    for j in 0..flow.ncols() {
                        self.drift[(row, states + offset + j)] = flow[(i, j)];
                        self.drift[(row, joint)] += flow[(i, j)] * self.n[offset + j];
                    }
                }
            }
            if !self.step.compute(&self.drift, &self.diffusion, h) {
                return false;
            }
            for i in 0..states {
                self.x[i] += self.step.transition[(i, joint)];
            }
            for i in 0..channels.size {
                self.n[i] += self.step.transition[(states + i, joint)];
            }
            // The last column moves the mean; the covariance moves with the rest.
            for i in 0..joint {
                self.step.transition[(i, joint)] = 0.0;
            }
            multiply(&mut self.other, &self.step.transition, &self.whole);
            std::mem::swap(&mut self.whole, &mut self.other);
            if part == 0 {
                self.turned.copy_from(&self.step.noise);
            } else {
                multiply(&mut self.other, &self.step.transition, &self.turned);
                crate::math::in_place::transpose(&mut self.turned, &self.other);
                multiply(&mut self.other, &self.step.transition, &self.turned);
                self.other += &self.step.noise;
                std::mem::swap(&mut self.turned, &mut self.other);
            }
        }
        for j in 0..joint {
            for i in 0..states {
                self.head[(i, j)] = self.whole[(i, j)];
            }
            for i in 0..joint {
                self.noise[(i, j)] = self.turned[(i, j)];
            }
        }
        true
    }
}

/// φ_0 = e^Z, φ_1, … into `phi`: the highest by its series, the others by φ_k = Z φ_{k+1} + I/k!.
pub(super) fn phi_functions(
    z: &DMatrix<f64>,
    phi: &mut [DMatrix<f64>],
    term: &mut DMatrix<f64>,
) -> bool {
    let size = norm(z);
    if !size.is_finite() || size > LARGEST {
        return false;
    }
    let Some(highest) = phi.len().checked_sub(1) else {
        return true;
    };
    let mut factorial: f64 = (1..=highest).map(|m| m as f64).product();
    let (below, top) = phi.split_at_mut(highest);
    let top = &mut top[0];
    // Horner's scheme from the term that is below rounding: I + Z/(k+1) (I + Z/(k+2) (…)).
    let mut terms = 1;
    let mut bound = 1.0;
    while bound > 1e-18 {
        bound *= size / (highest + terms) as f64;
        terms += 1;
    }
    top.fill_with_identity();
    for j in (1..=terms).rev() {
        multiply(term, z, top);
        *term /= (highest + j) as f64;
        for i in 0..term.nrows() {
            term[(i, i)] += 1.0;
        }
        top.copy_from(term);
    }
    *top /= factorial;
    for k in (0..highest).rev() {
        factorial /= (k + 1) as f64;
        let (lower, upper) = below.split_at_mut(k + 1);
        let above = upper.first().unwrap_or(top);
        multiply(&mut lower[k], z, above);
        for i in 0..z.nrows() {
            lower[k][(i, i)] += 1.0 / factorial;
        }
    }
    true
}
