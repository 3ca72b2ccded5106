//! ln p as a function of the coordinates of a fit.

use nalgebra::{DMatrix, DVector};

use super::gradient::DrivenGradient;
use super::model::DrivenGaussian;
use crate::data_spread::deviations;
use crate::gaussian::entries::{Entries, state_deviations};
use crate::gaussian::entry::Entry;
use crate::gaussian::prior::Prior;
use crate::gaussian::{GaussianFit, Learned};
use crate::{Result, Sequence};

/// The difference of coordinates, which are of order 1, where the gradient is taken by differences.
const DIFFERENCE: f64 = 1e-5;

/// ln p as a function of coordinates: those of the model without inputs, of B and D in roots of mean squares of the inputs, and in
/// deviations of the states and of the columns.
pub(super) struct Problem<'a> {
    start: &'a DrivenGaussian,
    sequences: &'a [Sequence],
    entries: Entries,
    learned: Learned,
    prior: Prior<'a>,
    /// The root of the mean square of each input.
    size: Vec<f64>,
    /// The deviation of each output.
    unit: Vec<f64>,
    /// The deviation of each state.
    state: DVector<f64>,
}

impl<'a> Problem<'a> {
    pub fn new(
        start: &'a DrivenGaussian,
        sequences: &'a [Sequence],
        outputs: &[Sequence],
        fit: &GaussianFit,
    ) -> Result<Self> {
        let unit = deviations(outputs);
        let mut beliefs = Vec::new();
        for sequence in sequences {
            beliefs.extend_from_slice(start.smooth(sequence)?.smoothed());
        }
        let state = state_deviations(&beliefs, start.states());
        let learned = Learned {
            // Where all is diffuse there is no m0 and P0.
            initial: fit.learned.initial && start.base.diffuse().is_empty(),
            ..fit.learned
        };
        let m = start.outputs();
        let rows = || sequences.iter().flat_map(|s| s.iter().flatten());
        let count = rows().count().max(1) as f64;
        let size = |k: usize| {
            let largest = rows().map(|r| r[m + k].abs()).fold(0.0, f64::max);
            let scaled = rows().map(|r| (r[m + k] / largest).powi(2)).sum::<f64>();
            match largest > 0.0 {
                true => largest * (scaled / count).sqrt(),
                false => 1.0,
            }
        };
        let columns = DVector::from_vec(unit.clone());
        Ok(Self {
            entries: Entries::new(&start.base, learned, columns, state.clone()),
            learned,
            prior: Prior {
                count: fit.pseudo_count,
                noise: start.base.observation_noise(),
            },
            size: (0..start.effects()).map(size).collect(),
            unit,
            state,
            start,
            sequences,
        })
    }

    /// The same with pseudo-observations of this noise.
    pub fn penalised_about(mut self, noise: &'a DMatrix<f64>) -> Self {
        self.prior.noise = noise;
        self
    }

    /// The units of the entries of B, then of D, of what is learned, row after row.
    fn units(&self) -> (Vec<f64>, Vec<f64>) {
        let state = self.state.iter();
        let control = state.flat_map(|unit| self.size.iter().map(move |s| unit / s));
        let unit = self.unit.iter();
        let direct = unit.flat_map(|unit| self.size.iter().map(move |s| unit / s));
        (
            if self.learned.control {
                control.collect()
            } else {
                Vec::new()
            },
            if self.learned.direct {
                direct.collect()
            } else {
                Vec::new()
            },
        )
    }

    /// What each coordinate is of, and its unit.
    pub fn entries(&self) -> (Vec<Entry>, Vec<f64>) {
        let mut units = self.entries.units();
        let (control, direct) = self.units();
        units.extend(control.into_iter().chain(direct));
        let mut entries = self.entries.entries();
        entries.extend(self.start.entries_of_inputs(&self.learned));
        (entries, units)
    }

    pub fn coordinates(&self) -> Result<Vec<f64>> {
        let mut u = self.entries.coordinates()?;
        let (control, direct) = self.units();
        u.extend(flat(&self.start.control).zip(control).map(|(v, s)| v / s));
        u.extend(flat(&self.start.direct).zip(direct).map(|(v, s)| v / s));
        Ok(u)
    }

    pub fn model(&self, u: &[f64]) -> Result<DrivenGaussian> {
        let (control, direct) = self.units();
        let (base, rest) = u.split_at(u.len() - control.len() - direct.len());
        let (b, d) = rest.split_at(control.len());
        let of = |start: &DMatrix<f64>, values: &[f64], units: &[f64]| match units.is_empty() {
            true => start.clone(),
            false => {
                let entries = values.iter().zip(units).map(|(v, s)| v * s);
                DMatrix::from_row_iterator(start.nrows(), start.ncols(), entries)
            }
        };
        let mut base = self.entries.model(base)?;
        let diffuse = self.start.base.diffuse();
        if !diffuse.is_empty() {
            base = base.with_diffuse(diffuse)?;
        }
        Ok(self.start.with_numbers(
            base,
            of(&self.start.control, b, &control),
            of(&self.start.direct, d, &direct),
        ))
    }

    pub fn evidence(&self, model: &DrivenGaussian) -> Result<f64> {
        self.sequences.iter().map(|s| model.log_evidence(s)).sum()
    }

    /// −ln p and its gradient.
    pub fn exact(&self, u: &[f64]) -> Option<(f64, Vec<f64>)> {
        let model = self.model(u).ok()?;
        let mut by = DrivenGradient::zero(&model);
        for sequence in self.sequences {
            by.add(&model, sequence).ok()?;
        }
        let penalty = self
            .prior
            .value(&model.base, &mut by.base.observation_noise)?;
        let (control, direct) = self.units();
        let base = &u[..u.len() - control.len() - direct.len()];
        let mut gradient = self.entries.gradient(base, &by.base);
        gradient.extend(flat(&by.control).zip(control).map(|(v, s)| v * s));
        gradient.extend(flat(&by.direct).zip(direct).map(|(v, s)| v * s));
        gradient.iter_mut().for_each(|g| *g = -*g);
        Some((-by.base.log_evidence - penalty, gradient))
    }

    /// The same, the gradient by central differences, 0 where a coordinate does not move.
    pub fn by_differences(
        &self,
        u: &[f64],
        moves: impl Fn(usize) -> bool,
    ) -> Option<(f64, Vec<f64>)> {
        let value = |u: &[f64]| {
            let model = self.model(u).ok()?;
            let mut unused = model.base.observation_noise().clone();
            let penalty = self.prior.value(&model.base, &mut unused)?;
            Some(-self.evidence(&model).ok()? - penalty)
        };
        let slope = |k: usize| {
            if !moves(k) {
                return Some(0.0);
            }
            let at = |h: f64| {
                let mut moved = u.to_vec();
                moved[k] += h;
                value(&moved)
            };
            Some((at(DIFFERENCE)? - at(-DIFFERENCE)?) / (2.0 * DIFFERENCE))
        };
        Some((value(u)?, (0..u.len()).map(slope).collect::<Option<_>>()?))
    }
}

/// Entries row after row.
fn flat(m: &DMatrix<f64>) -> impl Iterator<Item = f64> + '_ {
    (0..m.nrows()).flat_map(move |i| (0..m.ncols()).map(move |j| m[(i, j)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::LinearGaussian;

    #[test]
    fn the_gradient_is_the_slope_of_the_evidence() {
        let mut data = Sequence::new(4).unwrap();
        for t in 0..40 {
            let x = f64::from(t);
            let u = [(0.7 * x).sin(), 300.0 + 100.0 * (x * x).cos()];
            let mut y = [0.3 * x.cos() + u[0], 5.0 + 2.0 * (0.2 * x).sin()];
            if t % 5 == 3 {
                y[t as usize % 2] = f64::NAN;
            }
            data.push(Some(&[y[0], y[1], u[0], u[1]])).unwrap();
        }
        let base = LinearGaussian::from_rows(
            &[[0.8, 0.1], [-0.2, 0.6]],
            &[[0.3, 0.1], [0.1, 0.4]],
            &[[1.0, 0.5], [0.3, 1.0]],
            &[[0.5, 0.1], [0.1, 0.6]],
        )
        .unwrap();
        let start = DrivenGaussian::new(base, vec!["a".to_owned(), "b".to_owned()])
            .unwrap()
            .with_regressor(1, 0, "a")
            .unwrap()
            .with_control(DMatrix::from_row_slice(2, 2, &[0.3, 1e-3, 0.0, -1e-3]))
            .unwrap();
        let sequences = [data];
        let outputs = [start.outputs_of(&sequences[0]).unwrap()];
        let fit = GaussianFit {
            pseudo_count: 0.5,
            ..GaussianFit::default()
        };
        let problem = Problem::new(&start, &sequences, &outputs, &fit).unwrap();
        let u = problem.coordinates().unwrap();
        let (value, exact) = problem.exact(&u).unwrap();
        let (same, slopes) = problem.by_differences(&u, |_| true).unwrap();
        assert!((value - same).abs() < 1e-9);
        // The entry of H that is an input is a coordinate that stays.
        let held = 4 + 2 + 3 + 2;
        assert_eq!(exact[held], 0.0);
        for (k, (own, slope)) in exact.iter().zip(&slopes).enumerate() {
            // Central differences: an error of third order, 1e-8 of gradients of some 100.
            let room = 1e-5 * (1.0 + slope.abs());
            assert!((own - slope).abs() < room, "{k}: {own} {slope}");
        }
    }
}
