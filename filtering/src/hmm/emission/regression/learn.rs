//! Statistics of regressions, and their M-step.

use nalgebra::DVector;

use super::centre::Centre;
use super::family::Family;
use super::moments::{Typical, Whitening, dot, packed_len, solvable, times, unpacked};
use super::statistics::{EXPOSURE, FIRST, Row, SQUARES, Y};
use super::{Information, Regression, predictor};
use crate::data_spread::unit_variance;
use crate::hmm::emission::statistics_of_states::statistics_of_states;
use crate::hmm::emission::{Emission, Learnable, ScorePart};
use crate::hmm::parameter_groups::{ParameterGroup, entry_name};
use crate::hmm::pseudo_observations::{PseudoObservations, PseudoVariance};
use crate::math::cholesky::cholesky;
use crate::{Coordinate, Error, Result, Sequence};

impl<F: Family> Regression<F> {
    /// Adds w φ(o) of state `j`.
    fn add_statistic(&self, j: usize, observation: &[f64], w: f64, into: &mut [f64]) {
        if observation[0].is_nan() {
            return;
        }
        let m = self.weights_len();
        let (y, (inputs, exposure)) = (observation[0], self.given(&observation[1..]));
        let eta = self.predictor(j, inputs);
        let (omega, residual) = F::curvature(y, eta, exposure);
        let off = predictor(&self.origin, inputs);
        into[0] += w;
        into[Y] += w * y;
        into[EXPOSURE] += w * exposure;
        into[SQUARES] += w * (y - off).powi(2);
        // ω z = y − μ + ω η; of a linear regression y itself, whose digits η would take.
        let target = match F::VARIANCE {
            true => w * (y - off),
            false => w * (residual + omega * eta),
        };
        let (b, h) = into[FIRST..].split_at_mut(m);
        let x = |i: usize| match i {
            0 => 1.0,
            _ => self.centre.input(i - 1, inputs[i - 1]),
        };
        let w = w * omega;
        for i in 0..m {
            b[i] += target * x(i);
            let row = &mut h[packed_len(i)..packed_len(i) + i + 1];
            let wx = w * x(i);
            row.iter_mut()
                .enumerate()
                .for_each(|(k, h)| *h += wx * x(k));
        }
    }

    /// β less c of state `j`, about c_x.
    fn centred(&self, j: usize) -> Vec<f64> {
        let m = self.weights_len();
        self.less_origin(&self.weights[j * m..(j + 1) * m])
    }

    /// These weights less c, about c_x.
    fn less_origin(&self, weights: &[f64]) -> Vec<f64> {
        let pairs = weights.iter().zip(&self.origin);
        self.about_centre(pairs.map(|(w, c)| w - c).collect())
    }

    /// [`Learnable::score`] by the weights about c_x.
    fn score_about_centre(&self, statistics: &[f64], into: &mut [f64]) {
        let (m, p) = (self.weights_len(), self.statistic_len());
        let rows = statistics
            .chunks(p)
            .zip(into.chunks_mut(self.parameters_len()));
        for (j, (row, into)) in rows.enumerate() {
            let (row, u, v) = (Row::of(row, m), self.centred(j), self.variances[j]);
            into.iter_mut()
                .zip(row.gradient(&u))
                .for_each(|(i, g)| *i = g / v);
            if F::VARIANCE {
                into[m] = 0.5 * (row.residual(&u) / v - row.n);
            }
        }
    }

    /// The coordinates of state `j`: those of the weights themselves before the information was measured.
    fn whitening(&self, j: usize) -> Result<Option<Whitening>> {
        let m = self.weights_len();
        let scaled = |h: &[f64]| -> Vec<f64> { h.iter().map(|h| h / self.variances[j]).collect() };
        self.information_of(j)
            .map(|h| Whitening::new(m, &scaled(h)))
            .transpose()
    }

    /// The variance of pseudo-observations: that of all data about `null`, their mean.
    fn pseudo_variance(&self, rows: &[Row<'_>], null: &[f64], asked: PseudoVariance) -> f64 {
        /// Of the sum of squares about the origin, of which it is a difference: less is rounding.
        const ROUNDING: f64 = 64.0 * f64::EPSILON;
        if let PseudoVariance::Number(variance) = asked {
            return variance;
        }
        let n: f64 = rows.iter().map(|row| row.n).sum();
        let squares: f64 = rows.iter().map(|row| row.squares).sum();
        let off = self.less_origin(null);
        let left: f64 = rows.iter().map(|row| row.residual(&off)).sum();
        let spread = if left > ROUNDING * squares { left } else { 0.0 };
        unit_variance(null[0], spread / n)
    }
}

impl<F: Family> Learnable for Regression<F> {
    fn statistic_len(&self) -> usize {
        let m = self.weights_len();
        FIRST + m + packed_len(m)
    }

    statistics_of_states!();

    /// Of the inputs that were last learned of; without any, nothing is expected.
    fn expected_statistic(&self, into: &mut [f64]) {
        let (m, p) = (self.weights_len(), self.statistic_len());
        into.fill(0.0);
        for (j, row) in into.chunks_mut(p).enumerate() {
            let Some(h) = self.information_of(j) else {
                continue;
            };
            let u = self.centred(j);
            let b = times(m, h, &u);
            row[0] = 1.0;
            row[EXPOSURE] = 1.0;
            row[SQUARES] = dot(&u, &b) + self.variances[j];
            row[Y] = match (F::VARIANCE, F::EXPOSURE) {
                (true, _) => b[0] + times(m, h, &self.about_centre(self.origin.clone()))[0],
                (_, true) => h[0],
                _ => (b[0] + 0.5).clamp(0.0, 1.0),
            };
            row[FIRST..FIRST + m].copy_from_slice(&b);
            row[FIRST + m..].copy_from_slice(h);
        }
    }

    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self> {
        let (m, p) = (self.weights_len(), self.statistic_len());
        let total = |at: usize| -> f64 { statistics.chunks(p).map(|row| row[at]).sum() };
        let n = total(0);
        if n == 0.0 {
            return Ok(self.clone());
        }
        let pooled: Vec<f64> = (FIRST + m..p).map(|at| total(at) / n).collect();
        let typical = Typical::of(&unpacked(m, &pooled));
        let rows: Vec<Row<'_>> = statistics.chunks(p).map(|row| Row::of(row, m)).collect();
        // The weights of pseudo-observations: no input has an effect.
        let mut null = vec![0.0; m];
        null[0] = F::link(total(Y), n, total(EXPOSURE));
        let least = match F::VARIANCE {
            true => self.pseudo_variance(&rows, &null, pseudo.variance),
            false => 0.0,
        };
        let (mut weights, mut variances) = (self.weights.clone(), self.variances.clone());
        let mut information = Vec::with_capacity(self.states() * packed_len(m));
        for (j, row) in rows.iter().enumerate() {
            let all = row.n + pseudo.count;
            if all <= 0.0 {
                information.extend_from_slice(self.information_of(j).unwrap_or(&pooled));
                continue;
            }
            let own = &mut weights[j * m..(j + 1) * m];
            let mut g = row.gradient(&self.centred(j));
            let off = null.iter().zip(&*own).map(|(a, b)| a - b).collect();
            let pull = times(m, &pooled, &self.about_centre(off));
            g.iter_mut()
                .zip(pull)
                .for_each(|(g, d)| *g += pseudo.count * d);
            let mut h = unpacked(m, row.h) + unpacked(m, &pooled) * pseudo.count;
            let average = &h / all;
            h = solvable(h, &typical, all);
            let step = cholesky("information", &h)?.solve(&DVector::from_vec(g));
            let length = (step.dot(&(&average * &step)) / average[(0, 0)]).sqrt();
            let shorter = if length > F::LONGEST {
                F::LONGEST / length
            } else {
                1.0
            };
            let step = self.about_zero(step.as_slice().to_vec());
            own.iter_mut()
                .zip(step)
                .for_each(|(w, d)| *w += shorter * d);
            if F::VARIANCE {
                let u = self.less_origin(own);
                variances[j] = (row.residual(&u) + pseudo.count * least) / all;
            }
            information.extend(
                (0..m)
                    .flat_map(|i| (0..=i).map(move |k| (i, k)))
                    .map(|at| average[at]),
            );
        }
        let new = self.with_values(weights, variances)?;
        Ok(Self {
            information: Information(information),
            ..new
        })
    }

    fn measured(self, statistics: &[f64]) -> Self {
        let (m, p) = (self.weights_len(), self.statistic_len());
        let n: f64 = statistics.chunks(p).map(|row| row[0]).sum();
        let pooled = |at: usize| statistics.chunks(p).map(|row| row[at]).sum::<f64>() / n;
        let mut information = Vec::new();
        for row in statistics.chunks(p) {
            let own = |at: usize| {
                if row[0] > 0.0 {
                    row[at] / row[0]
                } else {
                    pooled(at)
                }
            };
            information.extend((FIRST + m..p).map(own));
        }
        match information.iter().all(|h| h.is_finite()) {
            true => Self {
                information: Information(information),
                ..self
            },
            false => self,
        }
    }

    fn parameters_len(&self) -> usize {
        self.weights_len() + usize::from(F::VARIANCE)
    }

    fn score_parts(&self) -> Vec<ScorePart> {
        let weights = ScorePart::new("weights", Coordinate::Value, &[self.weights_len()]);
        match F::VARIANCE {
            true => vec![weights, ScorePart::new("variances", Coordinate::Log, &[])],
            false => vec![weights],
        }
    }

    fn score(&self, statistics: &[f64], into: &mut [f64]) {
        let m = self.weights_len();
        self.score_about_centre(statistics, into);
        for own in into.chunks_mut(self.parameters_len()) {
            self.centre.gradient_about_zero(&mut own[..m]);
        }
    }

    fn steps_whitened(&self) -> bool {
        true
    }

    fn ascended(&self, step: &[f64]) -> Result<Self> {
        let m = self.weights_len();
        let (mut weights, mut variances) = (self.weights.clone(), self.variances.clone());
        for (j, step) in step.chunks(self.parameters_len()).enumerate() {
            let own = &mut weights[j * m..(j + 1) * m];
            own.iter_mut().zip(step).for_each(|(w, d)| *w += d);
            if F::VARIANCE {
                variances[j] *= step[m].exp();
            }
        }
        self.with_values(weights, variances)
    }

    /// β = β₀ + L⁻ᵀ z with L Lᵀ the information of one observation, ln v = ln v₀ + z.
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        let m = self.weights_len();
        let mut step = z.to_vec();
        for (j, own) in step.chunks_mut(self.parameters_len()).enumerate() {
            if let Some(whitening) = self.whitening(j)? {
                let moved = self.about_zero(whitening.step(&own[..m]));
                own.iter_mut().zip(moved).for_each(|(d, s)| *d = s);
            }
        }
        self.ascended(&step)
    }

    fn score_about(&self, base: &Self, _: &[f64], statistics: &[f64], into: &mut [f64]) {
        let m = self.weights_len();
        self.score_about_centre(statistics, into);
        for (j, own) in into.chunks_mut(self.parameters_len()).enumerate() {
            match base.whitening(j) {
                Ok(Some(whitening)) => {
                    let g = whitening.gradient(&own[..m]);
                    own.iter_mut().zip(g).for_each(|(o, g)| *o = g);
                }
                Ok(None) => {}
                Err(_) => own.fill(f64::NAN),
            }
        }
    }

    fn information(&self, into: &mut [f64]) {
        let m = self.weights_len();
        for own in into.chunks_mut(self.parameters_len()) {
            own[..m].fill(1.0);
            own[m..].fill(0.5);
        }
    }

    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        match F::VARIANCE {
            true => self
                .variances
                .iter()
                .map(|v| v / pooled.variances[0])
                .collect(),
            false => vec![f64::INFINITY; self.states()],
        }
    }

    fn is_separable(&self) -> bool {
        !F::VARIANCE
    }

    /// The origin at the average of the weights, where they predict far from 0, or where it is not known how far.
    fn recentred(mut self) -> Self {
        /// Squared, in variances: about 0 fewer digits are lost than any data determine.
        const FAR: f64 = 1e4;
        let (m, k) = (self.weights_len(), self.states() as f64);
        if !F::VARIANCE {
            return self;
        }
        let average: Vec<f64> = (0..m)
            .map(|i| self.weights.iter().skip(i).step_by(m).map(|w| w / k).sum())
            .collect();
        let about = self.about_centre(average.clone());
        let far = |j: usize| match self.information_of(j) {
            Some(h) => dot(&about, &times(m, h, &about)) > FAR * self.variances[j],
            None => true,
        };
        self.origin = match (0..self.states()).any(far) {
            true => average,
            false => vec![0.0; m],
        };
        self
    }

    fn centred_on(self, sequences: &[Sequence]) -> Self {
        let rows = sequences.iter().flat_map(|s| s.iter().flatten());
        let centre = Centre::of(rows, self.inputs_len());
        self.with_centre(centre)
    }

    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        super::guess::check_inputs(sequences, self.inputs_len())?;
        match F::VARIANCE {
            true => super::guess::check_outputs(sequences, self.inputs_len()),
            false => Ok(()),
        }
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let m = self.weights_len();
        let plain = self.clone().with_centre(self.centre.about_zero());
        let unit = |at: usize| {
            let h = plain.information_of(at / m)?;
            let i = at % m;
            let unit = (self.variances[at / m] / h[packed_len(i) + i]).sqrt();
            let unit = match i {
                0 => unit,
                _ => unit / self.centre.unit(i - 1),
            };
            Some(unit).filter(|u| u.is_finite())
        };
        let size = |w: f64| if w == 0.0 { 1.0 } else { w.abs() };
        let weight = |(at, w): (usize, &f64)| ParameterGroup::Number {
            name: entry_name("weights", at / m, at % m),
            value: *w,
            unit: unit(at).unwrap_or(size(*w)),
        };
        let mut groups: Vec<ParameterGroup> = self.weights.iter().enumerate().map(weight).collect();
        if F::VARIANCE {
            let variance = |(j, v): (usize, &f64)| ParameterGroup::Positive {
                name: format!("variances[{}]", j + 1),
                value: *v,
            };
            groups.extend(self.variances.iter().enumerate().map(variance));
        }
        groups
    }

    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let (weights, rest) = values
            .split_at_checked(self.weights.len())
            .ok_or_else(|| Error::size("parameters", values.len(), self.weights.len()))?;
        let variances = match F::VARIANCE {
            true => rest.to_vec(),
            false => self.variances.clone(),
        };
        self.with_values(weights.to_vec(), variances)
    }

    fn state_parameters(&self) -> Vec<f64> {
        self.weights.clone()
    }
}
