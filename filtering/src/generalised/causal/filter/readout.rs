//! Read-outs of the joint belief: states and causes at the lag, and states in generalised coordinates.

use super::{CausalGeneralisedFilter, CorrectionWorkspace};
use crate::generalised::model::Equations;
use crate::math::in_place::{add_scaled, dot};

impl<E: Equations> CausalGeneralisedFilter<E> {
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

    /// Copies the belief about the bin `delay` back into the report.
    pub(super) fn read_out(&mut self) {
        let layout = &self.layout;
        let report = &mut self.report;
        let (mean, covariance) = (&self.belief.mean, &self.belief.covariance);
        let lag = self.config.lag;
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
        let CorrectionWorkspace {
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
