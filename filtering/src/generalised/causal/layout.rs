//! Layout of the joint state, and propagation of its covariance over a bin.

use nalgebra::DMatrix;

use super::transition::{Channels, Transition};
use crate::math::in_place::{add_scaled, symmetrise, transpose};

/// The joint state (x, n, u_{t−1}, …, u_{t−L}): states and free parameters, noises, and the past
/// u = (x without parameters, v) as far back as the observation noise or the delay needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CausalLayout {
    /// Entries of x, free parameters included.
    pub states: usize,
    /// Entries of x without free parameters.
    pub moving: usize,
    /// Entries of n.
    pub noises: usize,
    /// Entries of v that are kept for past bins: all or none.
    pub kept_causes: usize,
    /// L.
    pub past: usize,
}

impl CausalLayout {
    /// Entries of (x, n).
    pub(super) fn present(&self) -> usize {
        self.states + self.noises
    }

    /// The first entry of u_{t−lag}, lag ≥ 1.
    pub(super) fn at_lag(&self, lag: usize) -> usize {
        self.present() + (lag - 1) * (self.moving + self.kept_causes)
    }

    /// All entries.
    pub(super) fn size(&self) -> usize {
        self.at_lag(self.past + 1)
    }

    /// The mean after one bin, from the mean before it.
    pub(super) fn move_mean(
        &self,
        to: &mut [f64],
        from: &[f64],
        channels: &Channels,
        step: &Transition,
    ) {
        to[..self.states].copy_from_slice(&step.x);
        self.move_noise(to, from, channels);
        if self.past > 0 {
            let width = self.moving + self.kept_causes;
            let first = self.at_lag(1);
            to[first..first + self.moving].copy_from_slice(&from[..self.moving]);
            to[first + self.moving..first + width]
                .copy_from_slice(&step.local.v[..self.kept_causes]);
            to[first + width..self.size()].copy_from_slice(&from[first..self.size() - width]);
        }
    }

    /// `to` = T `from`, the linear part of what a bin does to a deviation of the joint state.
    pub(super) fn move_deviation(
        &self,
        to: &mut [f64],
        from: &[f64],
        channels: &Channels,
        step: &Transition,
    ) {
        to[..self.states].fill(0.0);
        for (j, &entry) in from[..self.present()].iter().enumerate() {
            if entry != 0.0 {
                let column = step.head.column(j);
                add_scaled(&mut to[..self.states], entry, column.as_slice());
            }
        }
        self.move_noise(to, from, channels);
        if self.past == 0 {
            return;
        }
        let (width, first) = (self.moving + self.kept_causes, self.at_lag(1));
        to[first..first + self.moving].copy_from_slice(&from[..self.moving]);
        for i in 0..self.kept_causes {
            let by_state = (0..self.states).map(|j| step.local.v_x[(i, j)] * from[j]);
            let by_noise = (channels.offset.iter().enumerate())
                .map(|(c, &offset)| step.local.v_c[(i, c)] * from[self.states + offset]);
            to[first + self.moving + i] = by_state.chain(by_noise).sum();
        }
        to[first + width..self.size()].copy_from_slice(&from[first..self.size() - width]);
    }

    fn move_noise(&self, to: &mut [f64], from: &[f64], channels: &Channels) {
        for (channel, &offset) in channels.offset.iter().enumerate() {
            let matrix = &channels.process(channel).step;
            let first = self.states + offset;
            let before = &from[first..first + matrix.nrows()];
            for i in 0..matrix.nrows() {
                to[first + i] = (0..matrix.ncols())
                    .map(|j| matrix[(i, j)] * before[j])
                    .sum();
            }
        }
    }

    /// P ← T P T' + Q into `to`; `scratch` and `to` are overwritten.
    pub(super) fn move_covariance(
        &self,
        to: &mut DMatrix<f64>,
        scratch: &mut DMatrix<f64>,
        from: &DMatrix<f64>,
        channels: &Channels,
        step: &Transition,
    ) {
        // P is symmetric, so P T' is made of combinations of its columns, and so is T (P T').
        self.combine(to, from, channels, step);
        transpose(scratch, to);
        self.combine(to, scratch, channels, step);
        for (channel, &offset) in channels.offset.iter().enumerate() {
            let fresh = &channels.process(channel).fresh;
            let first = self.states + offset;
            for j in 0..fresh.ncols() {
                for i in 0..fresh.nrows() {
                    to[(first + i, first + j)] += fresh[(i, j)];
                }
            }
        }
        for j in 0..self.states {
            for i in 0..self.states {
                to[(i, j)] += step.curvature[(i, j)];
            }
        }
        if !channels.polynomial {
            for j in 0..self.present() {
                for i in 0..self.present() {
                    to[(i, j)] += step.noise[(i, j)];
                }
            }
        }
        symmetrise(to);
    }

    /// `to` = `from` T', column by column.
    fn combine(
        &self,
        to: &mut DMatrix<f64>,
        from: &DMatrix<f64>,
        channels: &Channels,
        step: &Transition,
    ) {
        let size = self.size();
        let source = from.as_slice();
        let column = |j: usize| &source[j * size..(j + 1) * size];
        let out = to.as_mut_slice();
        let (x_part, rest) = out.split_at_mut(self.states * size);
        let (n_part, past) = rest.split_at_mut(self.noises * size);
        for (i, sum) in x_part.chunks_exact_mut(size).enumerate() {
            sum.fill(0.0);
            for j in 0..self.present() {
                let weight = step.head[(i, j)];
                if weight != 0.0 {
                    add_scaled(sum, weight, column(j));
                }
            }
        }
        for (channel, &offset) in channels.offset.iter().enumerate() {
            let matrix = &channels.process(channel).step;
            for i in 0..matrix.nrows() {
                let sum = &mut n_part[(offset + i) * size..(offset + i + 1) * size];
                sum.fill(0.0);
                for j in 0..matrix.ncols() {
                    add_scaled(sum, matrix[(i, j)], column(self.states + offset + j));
                }
            }
        }
        if self.past == 0 {
            return;
        }
        let width = self.moving + self.kept_causes;
        past[..self.moving * size].copy_from_slice(&source[..self.moving * size]);
        for i in 0..self.kept_causes {
            let first = (self.moving + i) * size;
            let sum = &mut past[first..first + size];
            sum.fill(0.0);
            for j in 0..self.states {
                let weight = step.local.v_x[(i, j)];
                if weight != 0.0 {
                    add_scaled(sum, weight, column(j));
                }
            }
            for (channel, &offset) in channels.offset.iter().enumerate() {
                let weight = step.local.v_c[(i, channel)];
                if weight != 0.0 {
                    add_scaled(sum, weight, column(self.states + offset));
                }
            }
        }
        let first = self.at_lag(1);
        past[width * size..].copy_from_slice(&source[first * size..(self.size() - width) * size]);
    }
}
