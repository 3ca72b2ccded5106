//! Correction of the predicted belief by an observation, entry by entry.

use super::{CausalGeneralisedFilter, CorrectionWorkspace};
use crate::Result;
use crate::generalised::model::Equations;
use crate::math::in_place::{add_scaled, dot, symmetrise};

/// The degrees of freedom ν of Student's t for a belief after an outlying observation: seen at a squared distance δ²
/// in d numbers, its covariance is (ν + δ²)/(ν + d) times what it was. Any ν from 4 to 20 does.
const HEAVY: f64 = 10.0;

impl<E: Equations> CausalGeneralisedFilter<E> {
    /// `trial` ← `next` given the observation; the log density of the observation.
    pub(super) fn correct(&mut self, observed: &[f64]) -> Result<f64> {
        let (y, size) = (self.stack.outputs, self.layout.size());
        self.expect_observation()?;
        let variance = self.innovation.variance;
        let rounds = if self.straight {
            1
        } else {
            self.config.iterations
        };
        let (mut log_density, mut scored) = (0.0, None);
        let mut round = 0;
        while round < rounds {
            round += 1;
            let mut surprise = 0.0;
            self.linearise_observation(observed);
            self.trial.copy_from(&self.next);
            if let Some(third) = &mut self.third {
                third.begin();
            }
            log_density = self.log_whitening;
            for k in 0..y {
                let CorrectionWorkspace {
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
                        self.not_finite("g (or output_precision: the variance of the innovation)")
                    );
                }
                for (k, p) in gain.iter_mut().zip(product.iter()) {
                    *k = p / total;
                }
                add_scaled(&mut self.trial.mean, error, gain);
                joseph(covariance, gain, product, row, variance);
                if let Some(third) = &mut self.third {
                    third.correct(&mut self.trial.mean, covariance, row, gain, [error, total]);
                }
                surprise += error * error / total;
                let unit = self.whitening[(k, k)];
                self.update.innovations[k] = [error / unit, libm::log(total / (unit * unit))];
                log_density -=
                    0.5 * (libm::log(2.0 * std::f64::consts::PI * total) + error * error / total);
            }
            let y = y as f64;
            let limit = match self.config.outlier_threshold {
                Some(deviations) if self.linear.is_none() && scored.is_none() => {
                    y + (deviations * deviations - 1.0).max(0.0) * libm::sqrt(y)
                }
                _ => f64::INFINITY,
            };
            if surprise > limit {
                // Once for an observation, and again from the prediction.
                scored = Some(log_density);
                self.widen((HEAVY + surprise) / (HEAVY + y));
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
        if let Some(third) = &mut self.third {
            third.moments(&mut self.trial.third);
        }
        let log_density = scored.unwrap_or(log_density);
        match self.trial.mean.iter().all(|m| m.is_finite()) && log_density.is_finite() {
            true => Ok(log_density),
            false => Err(self.not_finite("g (or its Jacobian)")),
        }
    }

    /// Sets the weights of past samples of z and the point of linearisation for the next observation.
    pub(super) fn expect_observation(&mut self) -> Result<()> {
        if !self.innovation.prepare(&self.seen) {
            return Err(self.not_finite("the prediction of z from its past"));
        }
        self.update.point.copy_from_slice(&self.next.mean);
        Ok(())
    }

    /// The whitened innovation of `observed` at the point of linearisation, and its rows over the joint state.
    pub(super) fn linearise_observation(&mut self, observed: &[f64]) {
        self.update.rows.fill(0.0);
        self.update.residual.fill(0.0);
        self.add_residual(Some(observed), 0, 1.0);
        for lag in 1..=self.config.noise_lags {
            let weight = self.innovation.weights[lag - 1];
            if weight != 0.0 {
                self.add_residual(None, lag, -weight);
            }
        }
    }

    /// Whitening residual U (y_{t−lag} − g) and its rows, scaled by `weight` and added; lag 0 is the present.
    fn add_residual(&mut self, observed: Option<&[f64]>, lag: usize, weight: f64) {
        let layout = &self.layout;
        let (y, size) = (self.stack.outputs, layout.size());
        let CorrectionWorkspace {
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
        if let Some(third) = &mut self.third {
            third.widen(scale);
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
