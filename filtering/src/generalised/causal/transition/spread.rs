//! The flow of a bin to second order in the spread of the states.

use nalgebra::DMatrix;

use super::{Channels, LARGEST, Spread, Transition};
use crate::generalised::causal::stack::CausalStack;
use crate::generalised::model::Equations;
use crate::math::in_place::{add_scaled, norm};

impl Transition {
    /// After [`Transition::compute`]: the derivatives of the bin's flow by x from central differences, and,
    /// if `second` is asked for, mean and variance to second order in the spread of x. With P = S S',
    /// h² = 3, and the flow φ taken from x, x ± h S_j and x + h S_j + h S_k,
    ///
    /// ```text
    /// d_j  = (φ(+j) − φ(−j)) / 2h          Φ S = [d_1 d_2 …]
    /// q_jj = (φ(+j) + φ(−j) − 2 φ(0)) / h²,     q_jk = (φ(+j+k) − φ(+j) − φ(+k) + φ(0)) / h²
    /// E[φ] = φ(0) + ½ Σ_j q_jj             cov[φ] = Φ P Φ' + ½ Σ_j q_jj q_jj' + Σ_{j<k} q_jk q_jk'
    /// ```
    ///
    /// which is exact for a flow that is quadratic (as Nørgaard, Poulsen and Ravn 2000, with the mixed terms).
    /// False if a flow from one of the points is not finite; the transition is then as before.
    pub(in crate::generalised::causal) fn spread_out<E: Equations>(
        &mut self,
        stack: &CausalStack<E>,
        channels: &Channels,
        mean: (&[f64], &[f64]),
        covariance: &DMatrix<f64>,
        steps: usize,
        second: bool,
    ) -> bool {
        let (x, n) = mean;
        let states = stack.states;
        self.curvature.fill(0.0);
        self.spread.second.fill(0.0);
        self.spread.centre.copy_from_slice(&self.x);
        self.spread.tangent.copy_from(&self.head);
        let h = if second { libm::sqrt(3.0) } else { 1.0 };
        let Spread {
            directions, active, ..
        } = &mut self.spread;
        choose_directions(directions, active, x, covariance, second);
        let mut fine = true;
        for j in 0..states {
            for sign in [1.0, -1.0] {
                let step = sign * if self.spread.active[j] { h } else { 1.0 };
                self.spread.point.copy_from_slice(x);
                let direction = self.spread.directions.column(j);
                add_scaled(&mut self.spread.point, step, direction.as_slice());
                fine &= self.flow(stack, channels, n, steps);
                let to = match sign > 0.0 {
                    true => &mut self.spread.ahead,
                    false => &mut self.spread.behind,
                };
                to.as_mut_slice()[j * states..(j + 1) * states].copy_from_slice(&self.x);
            }
            if !fine {
                break;
            }
        }
        if second && fine {
            for j in 1..states {
                for k in 0..j {
                    if !(self.spread.active[j] && self.spread.active[k]) {
                        continue;
                    }
                    self.spread.point.copy_from_slice(x);
                    for column in [j, k] {
                        let direction = self.spread.directions.column(column);
                        add_scaled(&mut self.spread.point, h, direction.as_slice());
                    }
                    fine &= self.flow(stack, channels, n, steps);
                    for i in 0..states {
                        let both = self.spread.ahead[(i, j)] + self.spread.ahead[(i, k)];
                        self.x[i] = (self.x[i] - both + self.spread.centre[i]) / (h * h);
                        self.spread.second[(i * states + j) * states + k] = self.x[i];
                        self.spread.second[(i * states + k) * states + j] = self.x[i];
                    }
                    add_square(&mut self.curvature, 1.0, &self.x);
                }
            }
        }
        self.x.copy_from_slice(&self.spread.centre);
        self.head.copy_from(&self.spread.tangent);
        if !fine {
            self.curvature.fill(0.0);
            self.spread.second.fill(0.0);
            return false;
        }
        // Φ S = D column by column from the last, because S is lower triangular.
        for j in (0..states).rev() {
            let step = if self.spread.active[j] { h } else { 1.0 };
            for i in 0..states {
                let mut sum =
                    (self.spread.ahead[(i, j)] - self.spread.behind[(i, j)]) / (2.0 * step);
                for k in j + 1..states {
                    sum -= self.head[(i, k)] * self.spread.directions[(k, j)];
                }
                self.head[(i, j)] = sum / self.spread.directions[(j, j)];
            }
            if second && self.spread.active[j] {
                for i in 0..states {
                    let sum = self.spread.ahead[(i, j)] + self.spread.behind[(i, j)];
                    self.spread.point[i] = (sum - 2.0 * self.spread.centre[i]) / (h * h);
                    self.spread.second[(i * states + j) * states + j] = self.spread.point[i];
                }
                add_square(&mut self.curvature, 0.5, &self.spread.point);
                add_scaled(&mut self.x, 0.5, &self.spread.point);
            }
        }
        true
    }

    /// The flow from `spread.point`, into `self.x`. With noise that is a polynomial within the bin the
    /// derivatives of the linearised motion are y_1 = f, y_{j+1} = A y_j + f_c c^(j), and
    /// x(h) = x + Σ_j h^j/j! y_j: no matrix function is needed.
    fn flow<E: Equations>(
        &mut self,
        stack: &CausalStack<E>,
        channels: &Channels,
        n: &[f64],
        steps: usize,
    ) -> bool {
        self.x.copy_from_slice(&self.spread.point);
        if !channels.polynomial {
            channels.read(n, &mut self.c);
            // The Jacobians at the mean are needed later: they are swapped out of the way.
            std::mem::swap(&mut self.local, &mut self.within);
            stack.motion(&self.x, &self.c, &mut self.theta, &mut self.local);
            let fine = self.with_diffusion(stack, channels, n, steps);
            std::mem::swap(&mut self.local, &mut self.within);
            return fine && self.x.iter().all(|v| v.is_finite());
        }
        let h = 1.0 / steps as f64;
        for part in 0..steps {
            self.noise_at(channels, n, part as f64 * h);
            channels.read(&self.n, &mut self.c);
            stack.motion(&self.x, &self.c, &mut self.theta, &mut self.within);
            let at = &self.within;
            let size = norm(&at.f_x) * h;
            if !size.is_finite() || size > LARGEST {
                return false;
            }
            let Spread { now, then, .. } = &mut self.spread;
            now.copy_from_slice(&at.f);
            let (mut power, mut bound, mut j) = (h, 1.0, 1);
            loop {
                add_scaled(&mut self.x, power, now);
                bound *= size / j as f64;
                if j > channels.highest() && bound < 1e-18 {
                    break;
                }
                then.fill(0.0);
                for (k, &y) in now.iter().enumerate() {
                    add_scaled(then, y, at.f_x.column(k).as_slice());
                }
                for (channel, &offset) in channels.offset.iter().enumerate() {
                    if j < channels.process(channel).size() {
                        add_scaled(then, self.n[offset + j], at.f_c.column(channel).as_slice());
                    }
                }
                std::mem::swap(now, then);
                j += 1;
                power *= h / j as f64;
            }
        }
        self.x.iter().all(|v| v.is_finite())
    }
}

/// S, lower triangular: the Cholesky factor of P, or of its part about x, where P has variance (`active`), else a
/// small step along the axis.
pub(in crate::generalised::causal) fn choose_directions(
    directions: &mut DMatrix<f64>,
    active: &mut [bool],
    x: &[f64],
    covariance: &DMatrix<f64>,
    second: bool,
) {
    /// The step of central differences, of the size of the third root of rounding.
    const STEP: f64 = 1e-5;
    let states = x.len();
    directions.fill(0.0);
    for j in 0..states {
        let small = STEP * (1.0 + x[j].abs());
        let mut pivot = covariance[(j, j)];
        for k in (0..j).filter(|&k| active[k]) {
            pivot -= directions[(j, k)] * directions[(j, k)];
        }
        active[j] = second && pivot > small * small;
        if !active[j] {
            directions[(j, j)] = small;
            continue;
        }
        let root = libm::sqrt(pivot);
        directions[(j, j)] = root;
        for i in j + 1..states {
            let mut sum = covariance[(i, j)];
            for k in (0..j).filter(|&k| active[k]) {
                sum -= directions[(i, k)] * directions[(j, k)];
            }
            directions[(i, j)] = sum / root;
        }
    }
}

/// `to` += factor · v v'.
fn add_square(to: &mut DMatrix<f64>, factor: f64, v: &[f64]) {
    let n = v.len();
    for (column, &entry) in to.as_mut_slice().chunks_exact_mut(n).zip(v) {
        add_scaled(column, factor * entry, v);
    }
}
