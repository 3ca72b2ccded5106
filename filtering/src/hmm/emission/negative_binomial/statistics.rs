//! EM of negative binomial emissions: the rate λ of each count is what is hidden beside the state (eq. F91).

use super::{NegativeBinomial, Unit};
use crate::hmm::emission::statistics_of_states::statistics_of_states;
use crate::hmm::emission::{Emission, Learnable, ScorePart};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::math::digamma;
use crate::math::gamma_shape::gamma_shape;
use crate::{Coordinate, Error, Result};

/// The least mean, in counts per observation: that of a column that was never anything but 0.
const LEAST_MEAN: f64 = 1e-10;

/// The largest shape, in mean counts of an observation or alone: beyond, counts have the variance of Poisson ones to 10⁻⁵, which no
/// data tell from them.
const MOST_SHAPE: f64 = 1e5;

/// A slope by ln r of less than this times n r is rounding: a difference of logarithms times r.
const ROUNDING: f64 = 1e-13;

/// A row of statistics is n, Σe, then Σ E[λ|y] and Σ E[ln λ|y] of each column.
const FIRST: usize = 2;

impl NegativeBinomial {
    /// The largest shape that is learned for a rate of this mean.
    fn largest_shape(&self, mean: f64) -> f64 {
        MOST_SHAPE * (mean * self.unit.0).max(1.0)
    }

    /// E[λ|y] and E[ln λ|y] at place `at`; without a count, of the law itself.
    fn rate_given(&self, at: usize, y: f64, exposure: f64) -> (f64, f64) {
        let (mean, shape) = (self.means[at], self.shapes[at]);
        let (a, b) = match y.is_nan() {
            true => (shape, shape / mean),
            false => (shape + y, shape / mean + exposure),
        };
        (a / b, digamma(a) - b.ln())
    }

    fn add_statistic(&self, state: usize, observation: &[f64], w: f64, into: &mut [f64]) {
        let (counts, exposure) = self.parts(observation);
        into[0] += w;
        into[1] += w * if exposure.is_nan() {
            self.unit.0
        } else {
            exposure
        };
        for (d, y) in counts.iter().enumerate() {
            let (rate, log_rate) = self.rate_given(state * self.width + d, *y, exposure);
            into[FIRST + 2 * d] += w * rate;
            into[FIRST + 2 * d + 1] += w * log_rate;
        }
    }
}

impl Learnable for NegativeBinomial {
    fn statistic_len(&self) -> usize {
        FIRST + 2 * self.width
    }

    statistics_of_states!();

    fn expected_statistic(&self, into: &mut [f64]) {
        for (s, row) in into.chunks_mut(self.statistic_len()).enumerate() {
            (row[0], row[1]) = (1.0, self.unit.0);
            for d in 0..self.width {
                let (rate, log_rate) = self.rate_given(s * self.width + d, f64::NAN, 1.0);
                (row[FIRST + 2 * d], row[FIRST + 2 * d + 1]) = (rate, log_rate);
            }
        }
    }

    fn measured(self, statistics: &[f64]) -> Self {
        let p = self.statistic_len();
        let total = |at: usize| -> f64 { statistics.chunks(p).map(|row| row[at]).sum() };
        match total(0) > 0.0 {
            true => Self {
                unit: Unit(total(1) / total(0)),
                ..self
            },
            false => self,
        }
    }

    /// μ = Σ E(λ)/n, and r by Newton's method; ε pseudo-observations are of the mean of all data, with r as it is.
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let p = self.statistic_len();
        let total = |at: usize| -> f64 { statistics.chunks(p).map(|row| row[at]).sum() };
        let measured = self.clone().measured(statistics);
        let least = LEAST_MEAN / measured.unit.0;
        let (mut means, mut shapes) = (self.means.clone(), self.shapes.clone());
        for (at, (mean, shape)) in means.iter_mut().zip(&mut shapes).enumerate() {
            let (row, d) = (
                &statistics[at / self.width * p..],
                FIRST + 2 * (at % self.width),
            );
            let n = row[0] + pseudo.count;
            if n <= 0.0 {
                continue;
            }
            let pooled = if total(0) > 0.0 {
                total(d) / total(0)
            } else {
                *mean
            };
            let log_pooled = pooled.ln() + digamma(*shape) - shape.ln();
            let ratio = |sum: f64, of_pseudo: f64| match pseudo.count > 0.0 {
                true => (sum + pseudo.count * of_pseudo) / n,
                false => sum / n,
            };
            let (rate, log_rate) = (ratio(row[d], pooled), ratio(row[d + 1], log_pooled));
            // Not `max` or `min`, which would hide what is not a number.
            *mean = if rate < least { least } else { rate };
            let (found, most) = (
                gamma_shape(rate.ln() - log_rate),
                measured.largest_shape(*mean),
            );
            *shape = if found > most { most } else { found };
        }
        measured.with_values(means, shapes)
    }

    fn parameters_len(&self) -> usize {
        2 * self.width
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        vec![
            ScorePart::new("means", Coordinate::Log, &[self.width]),
            ScorePart::new("shapes", Coordinate::Log, &[self.width]),
        ]
    }

    /// θ are ln μ `[D]` and ln r `[D]`.
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let d = self.width;
        let rows = statistics.chunks(self.statistic_len());
        for (s, (row, into)) in rows.zip(into.chunks_mut(2 * d)).enumerate() {
            for i in 0..d {
                let (mean, r) = (self.means[s * d + i], self.shapes[s * d + i]);
                let (n, rate, log_rate) =
                    (row[0], row[FIRST + 2 * i] / mean, row[FIRST + 2 * i + 1]);
                into[i] = r * (rate - n);
                let constant = (r / mean).ln() + 1.0 - digamma(r);
                let slope = r * (n * constant + log_rate - rate);
                let ended = r >= self.largest_shape(mean) && slope > -ROUNDING * n * r;
                into[d + i] = if ended { 0.0 } else { slope };
            }
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let d = self.width;
        let moved = |values: &[f64], from: usize| -> Vec<f64> {
            let each = values.iter().enumerate();
            each.map(|(at, x)| x * step[at / d * 2 * d + from + at % d].exp())
                .collect()
        };
        let (means, mut shapes) = (moved(&self.means, 0), moved(&self.shapes, d));
        for (shape, mean) in shapes.iter_mut().zip(&means) {
            let most = self.largest_shape(*mean);
            if *shape > most {
                *shape = most;
            }
        }
        self.with_values(means, shapes)
    }

    /// Of ln μ that of counts of the mean exposure, of ln r as much as counts of this mean tell of the rates.
    fn information(&self, into: &mut [f64]) {
        let d = self.width;
        for (s, into) in into.chunks_mut(2 * d).enumerate() {
            for i in 0..d {
                let m = self.means[s * d + i] * self.unit.0;
                let r = self.shapes[s * d + i];
                into[i] = m * r / (r + m);
                into[d + i] = 0.5 * (m / (m + r)).powi(2);
            }
        }
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let d = self.width;
        let name = |key: &'static str, at: usize| entry_name(key, at / d, at % d);
        let means = self.means.iter().enumerate();
        let means = means.map(|(at, x)| ParameterGroup::Positive {
            name: name("means", at),
            value: *x,
        });
        let shapes = self.shapes.iter().zip(&self.means).enumerate();
        let shapes = shapes.map(|(at, (x, mean))| ParameterGroup::Limited {
            name: name("shapes", at),
            value: *x,
            most: self.largest_shape(*mean),
        });
        means.chain(shapes).collect()
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let n = self.means.len();
        match values.len() == 2 * n {
            true => self.with_values(values[..n].to_vec(), values[n..].to_vec()),
            false => Err(Error::size("parameters", values.len(), 2 * n)),
        }
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.means.clone()
    }
}
