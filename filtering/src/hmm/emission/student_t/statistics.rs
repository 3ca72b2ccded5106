//! EM of Student t emissions: the precision τ of each number is what is hidden beside the state (eq. F92).
//!
//! ```text
//! y|τ ~ N(μ, σ²/τ),  τ ~ Gamma(ν/2, ν/2);   E[τ|y] = (ν + 1)/(ν + z²),  E[ln τ|y] = ψ((ν + 1)/2) − ln((ν + z²)/2)
//! ```

use super::StudentT;
use crate::data_spread::{check_variation, unit_variance};
use crate::hmm::emission::statistics_of_states::statistics_of_states;
use crate::hmm::emission::{Emission, Learnable, ScorePart, origin};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::{PseudoObservations, PseudoVariance};
use crate::math::digamma;
use crate::math::gamma_shape::gamma_shape;
use crate::{Coordinate, Error, Result, Sequence};

/// The least and the most degrees of freedom that are learned: beyond, the law is a normal one to 10⁻⁵, or has no digits left.
const LEAST_FREEDOM: f64 = 2e-3;
const MOST_FREEDOM: f64 = 1e5;

/// A slope by ln ν of less than this times n ν is rounding: a difference of logarithms times ν.
const ROUNDING: f64 = 1e-13;

/// Of a column after n: Σ τ, Σ τy, Σ τy², Σ (ln τ − τ), y counted from the origin.
const COLUMN: usize = 4;

impl StudentT {
    fn add_statistic(&self, state: usize, observation: &[f64], w: f64, into: &mut [f64]) {
        into[0] += w;
        let columns = into[1..].chunks_mut(COLUMN).zip(observation);
        for (d, (into, y)) in columns.enumerate() {
            let at = state * self.width + d;
            let (m, scale, v) = (self.locations[at], self.scales[at], self.freedoms[at]);
            let c = self.origin[d];
            let added = match y.is_nan() {
                // Without a number E τ is 1, and y varies about μ.
                true => {
                    let (m, log_tau) = (m - c, digamma(0.5 * v) - (0.5 * v).ln());
                    [1.0, m, m * m + scale * scale, log_tau - 1.0]
                }
                false => {
                    let (z, y) = ((y - m) / scale, y - c);
                    let tau = (v + 1.0) / (v + z * z);
                    let log_tau = digamma(0.5 * (v + 1.0)) - (0.5 * (v + z * z)).ln();
                    [tau, tau * y, tau * y * y, log_tau - tau]
                }
            };
            into.iter_mut()
                .zip(added)
                .for_each(|(sum, x)| *sum += w * x);
        }
    }

    /// σ times the entries of μ in a vector `[K, 3 D]`.
    fn in_scales(&self, vector: &mut [f64]) {
        let d = self.width;
        for (at, scale) in self.scales.iter().enumerate() {
            vector[at / d * 3 * d + at % d] *= scale;
        }
    }

    /// The statistics of place `at`, with n before them.
    fn column<'a>(&self, statistics: &'a [f64], at: usize) -> (f64, &'a [f64]) {
        let row = &statistics[at / self.width * self.statistic_len()..];
        let from = 1 + COLUMN * (at % self.width);
        (row[0], &row[from..from + COLUMN])
    }
}

impl Learnable for StudentT {
    fn statistic_len(&self) -> usize {
        1 + COLUMN * self.width
    }

    statistics_of_states!();

    fn expected_statistic(&self, into: &mut [f64]) {
        into.fill(0.0);
        let nothing = vec![f64::NAN; self.width];
        self.accumulate(&nothing, &vec![1.0; self.states()], &mut [], into);
    }

    /// μ = Σ τy/Σ τ, σ² = Σ τ(y − μ)²/n, and ν by Newton's method; pseudo-observations leave ν as it is.
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (k, d) = (self.states(), self.width);
        let (mut locations, mut scales) = (self.locations.clone(), self.scales.clone());
        let mut freedoms = self.freedoms.clone();
        for i in 0..d {
            let mut all = [0.0; COLUMN];
            for s in 0..k {
                let (_, column) = self.column(statistics, s * d + i);
                all.iter_mut().zip(column).for_each(|(sum, x)| *sum += x);
            }
            let mean = if all[0] > 0.0 { all[1] / all[0] } else { 0.0 };
            let spread = match pseudo.variance {
                PseudoVariance::Number(variance) => variance,
                PseudoVariance::OfData => {
                    unit_variance(self.origin[i] + mean, all[2] / all[0] - mean * mean)
                }
            };
            for at in (0..k).map(|s| s * d + i) {
                let (seen, column) = self.column(statistics, at);
                let n = seen + pseudo.count;
                if n <= 0.0 {
                    continue;
                }
                let own = [1.0, mean, mean * mean + spread];
                let with = |x: usize| match pseudo.count > 0.0 {
                    true => column[x] + pseudo.count * own[x],
                    false => column[x],
                };
                let m = with(1) / with(0);
                scales[at] = ((with(2) - m * with(1)) / n).sqrt();
                locations[at] = self.origin[i] + m;
                if seen > 0.0 {
                    let neutral = digamma(0.5 * freedoms[at]) - (0.5 * freedoms[at]).ln() - 1.0;
                    let average = (column[3] + pseudo.count * neutral) / n;
                    let found = 2.0 * gamma_shape(-1.0 - average);
                    // Not `min`, which would hide what is not a number.
                    freedoms[at] = if found > MOST_FREEDOM {
                        MOST_FREEDOM
                    } else {
                        found
                    };
                }
            }
        }
        self.with_values(locations, scales, freedoms)
    }

    fn parameters_len(&self) -> usize {
        3 * self.width
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        vec![
            ScorePart::new("locations", Coordinate::Value, &[self.width]),
            // The score is by ln σ².
            ScorePart::new("scales", Coordinate::Log, &[self.width]).times(2.0),
            ScorePart::new("freedoms", Coordinate::Log, &[self.width]),
        ]
    }

    /// θ are μ `[D]`, ln σ² `[D]` and ln ν `[D]`.
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let d = self.width;
        for at in 0..self.locations.len() {
            let (n, column) = self.column(statistics, at);
            let (m, precision) = (
                self.locations[at] - self.origin[at % d],
                self.scales[at].powi(-2),
            );
            let half = 0.5 * self.freedoms[at];
            let place = at / d * 3 * d + at % d;
            into[place] = precision * (column[1] - m * column[0]);
            let square = column[2] - 2.0 * m * column[1] + m * m * column[0];
            into[place + d] = 0.5 * (precision * square - n);
            let slope = half * (n * (half.ln() + 1.0 - digamma(half)) + column[3]);
            let ended = self.freedoms[at] >= MOST_FREEDOM && slope > -ROUNDING * n * half;
            into[place + 2 * d] = if ended { 0.0 } else { slope };
        }
    }

    fn units(&self, into: &mut [f64]) {
        into.fill(1.0);
        let d = self.width;
        for (at, scale) in self.scales.iter().enumerate() {
            into[at / d * 3 * d + at % d] = scale.powi(-2);
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let d = self.width;
        let moved = |values: &[f64], from: usize, by: fn(f64, f64) -> f64| -> Vec<f64> {
            let each = values.iter().enumerate();
            each.map(|(at, x)| by(*x, step[at / d * 3 * d + from + at % d]))
                .collect()
        };
        let freedom = |v: f64, step: f64| (v * step.exp()).clamp(LEAST_FREEDOM, MOST_FREEDOM);
        self.with_values(
            moved(&self.locations, 0, |m, step| m + step),
            moved(&self.scales, d, |scale, step| scale * (0.5 * step).exp()),
            moved(&self.freedoms, 2 * d, freedom),
        )
    }

    /// μ = μ₀ + σ₀ z: without units, as the other coordinates are.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let mut step = z.to_vec();
        self.in_scales(&mut step);
        self.ascended(&step)
    }

    fn score_about(&self, base: &Self, _: &[f64], statistics: &[f64], into: &mut [f64]) {
        self.score(statistics, into);
        base.in_scales(into);
    }

    /// Of μ and ln σ² exactly; of ln ν by a bound of its order.
    fn information(&self, into: &mut [f64]) {
        let d = self.width;
        for (at, v) in self.freedoms.iter().enumerate() {
            let place = at / d * 3 * d + at % d;
            into[place] = (v + 1.0) / (v + 3.0);
            into[place + d] = 0.5 * v / (v + 3.0);
            into[place + 2 * d] = 1.5 / (1.0 + v).powi(2);
        }
    }

    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        let d = self.width;
        let ratios = self.scales.chunks(d).map(|row| {
            let each = row.iter().zip(&pooled.scales);
            each.map(|(own, all)| (own / all).powi(2))
                .fold(f64::INFINITY, f64::min)
        });
        ratios.collect()
    }

    fn recentred(mut self) -> Self {
        self.origin = origin::origin(&self.locations, self.width, |at| self.scales[at].powi(2));
        self
    }

    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        check_variation(sequences)
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let d = self.width;
        let location = |(at, m): (usize, &f64)| ParameterGroup::Number {
            name: entry_name("locations", at / d, at % d),
            value: *m,
            unit: self.scales[at],
        };
        let mut groups: Vec<ParameterGroup> =
            self.locations.iter().enumerate().map(location).collect();
        let scales = self.scales.iter().enumerate();
        groups.extend(scales.map(|(at, x)| ParameterGroup::Positive {
            name: entry_name("scales", at / d, at % d),
            value: *x,
        }));
        let freedoms = self.freedoms.iter().enumerate();
        groups.extend(freedoms.map(|(at, x)| ParameterGroup::Limited {
            name: entry_name("freedoms", at / d, at % d),
            value: *x,
            most: MOST_FREEDOM,
        }));
        groups
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let n = self.locations.len();
        if values.len() != 3 * n {
            return Err(Error::size("parameters", values.len(), 3 * n));
        }
        let part = |i: usize| values[i * n..(i + 1) * n].to_vec();
        self.with_values(part(0), part(1), part(2))
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.locations.clone()
    }
}
