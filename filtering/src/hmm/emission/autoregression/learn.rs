//! The M-step of autoregressions, and what a fit asks of them.

use nalgebra::DMatrix;

use super::statistics::{Row, packed};
use super::{Autoregression, LagMoments};
use crate::data_spread::{check_independence, unit_variance};
use crate::hmm::emission::regression::moments::{Typical, move_origin, packed_len, solvable};
use crate::hmm::emission::statistics_of_states::statistics_of_states;
use crate::hmm::emission::{Emission, Learnable, Sample, ScorePart};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::{PseudoObservations, PseudoVariance};
use crate::math::cholesky::cholesky;
use crate::math::square::symmetric_of_lower;
use crate::{Error, Result, Sequence, Slope};

impl Autoregression {
    fn rows(&self, statistics: &[f64]) -> Vec<Row> {
        let rows = statistics.chunks_exact(self.row_len());
        rows.map(|row| Row::of(row, self.width, self.weights_len()))
            .collect()
    }

    /// The variances of pseudo-observations: those of all data about their one regression.
    fn pseudo_variances(
        &self,
        pooled: &Row,
        scatter: &DMatrix<f64>,
        asked: PseudoVariance,
    ) -> Vec<f64> {
        let of = |i: usize| match asked {
            PseudoVariance::Number(variance) => variance,
            _ => {
                /// A residual of this part of Σ r² is rounding.
                const ROUNDING: f64 = 64.0 * f64::EPSILON;
                let (left, all) = (scatter[(i, i)], pooled.rr[(i, i)]);
                let spread = if left > ROUNDING * all { left } else { all };
                unit_variance(self.origin[i], spread / pooled.n)
            }
        };
        (0..self.width).map(of).collect()
    }
}

/// B + (Σ (r − B g) gᵀ) (Σ g gᵀ)⁻¹: the regression, from B for the digits.
fn solved(b: &DMatrix<f64>, row: &Row, typical: &Typical) -> Result<DMatrix<f64>> {
    let gg = solvable(row.gg.clone(), typical, row.n);
    let step = cholesky("lags", &gg)?.solve(&row.gradient(b).transpose());
    Ok(b + step.transpose())
}

impl Learnable for Autoregression {
    fn statistic_len(&self) -> usize {
        self.row_len()
    }

    statistics_of_states!();

    /// At the lags that were last learned of; without any, nothing is expected.
    fn expected_statistic(&self, into: &mut [f64]) {
        let (d, m) = (self.width, self.weights_len());
        into.fill(0.0);
        for (k, into) in into.chunks_mut(self.row_len()).enumerate() {
            let Some(moments) = self.moments_of(k) else {
                continue;
            };
            let h = crate::hmm::emission::regression::moments::unpacked(m, moments);
            let b = self.centred(k);
            let rg = &b * h;
            let rr = &rg * b.transpose() + self.covariance(k);
            into[0] = 1.0;
            let all = packed(&rr)
                .chain(rg.transpose().as_slice().to_vec())
                .chain(moments.iter().copied())
                .collect::<Vec<f64>>();
            debug_assert_eq!(all.len(), packed_len(d) + d * m + packed_len(m));
            into[1..].copy_from_slice(&all);
        }
    }

    /// (eq. F94)
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (d, m) = (self.width, self.weights_len());
        let rows = self.rows(statistics);
        let n: f64 = rows.iter().map(|row| row.n).sum();
        if n <= 0.0 {
            return Ok(self.clone());
        }
        let pooled = Row {
            n,
            rr: rows.iter().map(|row| &row.rr).sum(),
            rg: rows.iter().map(|row| &row.rg).sum(),
            gg: rows.iter().map(|row| &row.gg).sum(),
        };
        let lags = &pooled.gg / n;
        let typical = Typical::of(&lags);
        // Pseudo-observations are what one regression of all data predicts, at the lags of the data.
        let one = solved(&self.centred(0), &pooled, &typical)?;
        let spread = self.pseudo_variances(&pooled, &pooled.scatter(&one), pseudo.variance);
        let spread = DMatrix::from_diagonal(&spread.into());
        let (mut weights, mut covariances, mut moments) = (Vec::new(), Vec::new(), Vec::new());
        for (k, row) in rows.iter().enumerate() {
            let all = row.n + pseudo.count;
            if all <= 0.0 {
                weights.extend_from_slice(&self.weights[k * d * m..(k + 1) * d * m]);
                covariances.extend_from_slice(self.covariance(k).as_slice());
                match self.moments_of(k) {
                    Some(own) => moments.extend_from_slice(own),
                    None => moments.extend(packed(&lags)),
                }
                continue;
            }
            let added = &lags * pseudo.count;
            let whole = Row {
                n: all,
                rr: &row.rr + &one * &added * one.transpose() + &spread * pseudo.count,
                rg: &row.rg + &one * &added,
                gg: &row.gg + added,
            };
            let b = solved(&self.centred(k), &whole, &typical)?;
            covariances.extend_from_slice((whole.scatter(&b) / all).as_slice());
            moments.extend(packed(&(&whole.gg / all)));
            weights.extend(self.uncentred(b));
        }
        let new = self.with_values(weights, covariances)?;
        Ok(Self {
            moments: LagMoments(moments),
            ..new
        })
    }

    fn measured(self, statistics: &[f64]) -> Self {
        let rows = self.rows(statistics);
        let n: f64 = rows.iter().map(|row| row.n).sum();
        let pooled: DMatrix<f64> = rows.iter().map(|row| &row.gg).sum();
        let mut moments = Vec::new();
        for row in &rows {
            let own = if row.n > 0.0 {
                &row.gg / row.n
            } else {
                &pooled / n
            };
            moments.extend(packed(&own));
        }
        match moments.iter().all(|h| h.is_finite()) {
            true => Self {
                moments: LagMoments(moments),
                ..self
            },
            false => self,
        }
    }

    fn parameters_len(&self) -> usize {
        self.free_len()
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        Vec::new()
    }

    fn slopes(&self, statistics: &[f64]) -> Vec<Slope> {
        self.slopes_of_parameters(statistics)
    }

    /// In the coordinates about this emission itself: they have no units.
    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        if self.score_whitened(self, statistics, into).is_err() {
            into.fill(f64::NAN);
        }
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        self.displaced_whitened(step)
    }

    fn steps_whitened(&self) -> bool {
        true
    }

    fn score_about(&self, base: &Self, _: &[f64], statistics: &[f64], into: &mut [f64]) {
        if self.score_whitened(base, statistics, into).is_err() {
            into.fill(f64::NAN);
        }
    }

    fn information(&self, into: &mut [f64]) {
        self.information_whitened(into);
    }

    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        self.least_eigenvalues(pooled)
    }

    /// The origin at the mean of the lags, where that is far from 0; before there are lags, where the states rest on average.
    fn recentred(mut self) -> Self {
        /// In standard deviations: nearer, fewer digits are lost than any data determine.
        const FAR: f64 = 100.0;
        let (d, len) = (self.width, packed_len(self.weights_len()));
        let states = self.moments.0.len() / len;
        if states == 0 {
            let each: Vec<Vec<f64>> = (0..self.states()).map(|k| self.resting_lags(k)).collect();
            let k = each.len() as f64;
            let rest = |i: usize| each.iter().map(|lags| lags[i] / k).sum();
            self.origin = (0..d).map(rest).collect();
            return self;
        }
        let average = |i: usize, j: usize| {
            let each = self.moments.0.chunks_exact(len);
            each.map(|h| h[packed_len(i) + j]).sum::<f64>() / states as f64
        };
        let of = |i: usize| {
            let off = average(1 + i, 0);
            let (mean, variance) = (self.origin[i] + off, average(1 + i, 1 + i) - off * off);
            if mean * mean > FAR * FAR * variance.max(0.0) {
                mean
            } else {
                0.0
            }
        };
        let origin: Vec<f64> = (0..d).map(of).collect();
        // g about the new origin is g less δ, but for its first entry.
        let delta: Vec<f64> = std::iter::once(0.0)
            .chain((0..self.order * d).map(|i| origin[i % d] - self.origin[i % d]))
            .collect();
        for h in self.moments.0.chunks_exact_mut(len) {
            move_origin(h, &delta);
        }
        self.origin = origin;
        self
    }

    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        let (mut whole, mut outputs) = (Vec::new(), Vec::new());
        for sequence in sequences {
            let mut part = Sequence::new(self.width())?;
            let mut seen = Sequence::new(self.width)?;
            for row in sequence.iter().flatten() {
                if row.iter().all(|x| !x.is_nan()) {
                    part.push(Some(row))?;
                    seen.push(Some(&row[..self.width]))?;
                }
            }
            whole.push(part);
            outputs.push(seen);
        }
        let rows: usize = whole.iter().map(Sequence::len).sum();
        let least = 1 + self.weights_len() + self.width;
        if rows < least {
            let found = format!("{rows} observations with all their lags");
            return Err(Error::size("sequences", found, format!("at least {least}")));
        }
        // First those that do not vary, or vary together: each is also a combination of lags.
        check_independence(&outputs)?;
        check_independence(&whole)
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let (d, m) = (self.width, self.weights_len());
        let deviation = |k: usize, i: usize| self.covariance(k)[(i, i)].sqrt();
        let size = |k: usize, at: usize| {
            let moments = self.moments_of(k)?;
            Some(moments[packed_len(at) + at].sqrt()).filter(|s| *s > 0.0 && s.is_finite())
        };
        let weight = |(at, w): (usize, &f64)| {
            let (k, i, place) = (at / (d * m), at / m % d, at % m);
            let name = match place {
                0 => entry_name("intercepts", k, i),
                _ => {
                    let (l, j) = ((place - 1) / d, (place - 1) % d);
                    format!("coefficients[{},{},{},{}]", k + 1, l + 1, i + 1, j + 1)
                }
            };
            let unit = match (place, size(k, place)) {
                (1.., Some(size)) => deviation(k, i) / size,
                (0, _) => deviation(k, i),
                _ => 1.0,
            };
            let value = *w;
            ParameterGroup::Number { name, value, unit }
        };
        let mut groups: Vec<ParameterGroup> = self.weights.iter().enumerate().map(weight).collect();
        for k in 0..self.states() {
            let c = self.covariance(k);
            for i in 0..d {
                for j in 0..=i {
                    let value = c[(i, j)];
                    let unit = (c[(i, i)] * c[(j, j)]).sqrt();
                    let full = format!("covariances[{},{},{}]", k + 1, i + 1, j + 1);
                    groups.extend(match (self.diagonal, i == j) {
                        (true, true) => Some(ParameterGroup::Positive {
                            name: entry_name("variances", k, i),
                            value,
                        }),
                        (true, false) => None,
                        (false, true) => Some(ParameterGroup::Positive { name: full, value }),
                        (false, false) => Some(ParameterGroup::Number {
                            name: full,
                            value,
                            unit,
                        }),
                    });
                }
            }
        }
        groups
    }

    /// Weights, and variances or the lower triangles of the covariances.
    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let d = self.width;
        let (weights, rest) = values
            .split_at_checked(self.weights.len())
            .ok_or_else(|| Error::size("parameters", values.len(), self.weights.len()))?;
        let covariances = match self.diagonal {
            true => {
                let square = |v: &[f64]| {
                    DMatrix::from_diagonal(&v.to_vec().into())
                        .as_slice()
                        .to_vec()
                };
                rest.chunks_exact(d).flat_map(square).collect()
            }
            false => {
                let triangles = rest.chunks_exact(packed_len(d));
                triangles.flat_map(|t| symmetric_of_lower(d, t)).collect()
            }
        };
        self.with_values(weights.to_vec(), covariances)
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.weights.clone()
    }
}
