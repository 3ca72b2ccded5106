//! The free coordinates of a fit that holds entries.

use crate::gaussian::Constraints;
use crate::gaussian::entry::Entry;
use crate::{Error, Result};

/// Where coordinates u of entries come from: from free ones v in a unit that the entries of a number share,
///
/// ```text
/// u_k = v_g s_g / s_k,   s_g = max_k s_k,      ∂/∂v_g = Σ_k (s_g / s_k) ∂/∂u_k,
/// ```
///
/// where s_k is the unit of u_k, or from nowhere, where they stay.
pub(super) struct Reduction {
    from: Vec<Option<(usize, f64)>>,
    held: Vec<f64>,
    start: Vec<f64>,
}

impl Reduction {
    /// Of the coordinates `u` of `entries` in these units.
    ///
    /// # Errors
    /// [`Error::Setting`] where nothing is left to learn.
    pub fn new(
        constraints: &Constraints,
        entries: &[Entry],
        units: &[f64],
        u: Vec<f64>,
    ) -> Result<Self> {
        let numbers = constraints.numbered(entries);
        let free = numbers.iter().flatten().max().map_or(0, |last| last + 1);
        if free == 0 && !constraints.is_empty() {
            let found = "every entry that is learned";
            return Err(Error::setting("fixed", found, "one that is not, at least"));
        }
        let mut unit = vec![0.0f64; free];
        for (number, own) in numbers.iter().zip(units) {
            if let Some(g) = number {
                unit[*g] = unit[*g].max(*own);
            }
        }
        let mut start = vec![0.0; free];
        let from = numbers.iter().zip(units).zip(&u);
        let from = from.map(|((number, own), u)| {
            number.map(|g| {
                let ratio = unit[g] / own;
                start[g] = u / ratio;
                (g, ratio)
            })
        });
        Ok(Self {
            from: from.collect(),
            start,
            held: u,
        })
    }

    /// The free coordinates of the start.
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// Whether coordinate k moves.
    pub fn moves(&self, k: usize) -> bool {
        self.from[k].is_some()
    }

    /// All coordinates.
    pub fn whole(&self, v: &[f64]) -> Vec<f64> {
        let all = self.from.iter().zip(&self.held);
        all.map(|(from, held)| from.map_or(*held, |(g, ratio)| v[g] * ratio))
            .collect()
    }

    /// The gradient by the free ones, of that by all.
    pub fn gradient(&self, by: &[f64]) -> Vec<f64> {
        let mut gradient = vec![0.0; self.start.len()];
        for (from, by) in self.from.iter().zip(by) {
            if let Some((g, ratio)) = from {
                gradient[*g] += ratio * by;
            }
        }
        gradient
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sequence;
    use crate::gaussian::driven::DrivenGaussian;
    use crate::gaussian::driven::problem::Problem;
    use crate::gaussian::{GaussianFit, Learned, LinearGaussian};
    use nalgebra::DMatrix;

    /// Fixed and tied entries of every parameter: columns and inputs of other units, and variances across covariances.
    #[test]
    fn the_gradient_is_the_slope_of_the_evidence() {
        let mut data = Sequence::new(4).unwrap();
        for t in 0..40 {
            let x = f64::from(t);
            let u = [(0.7 * x).sin(), 300.0 + 100.0 * (x * x).cos()];
            let y = [0.3 * x.cos() + u[0], 50.0 + 20.0 * (0.2 * x).sin()];
            data.push(Some(&[y[0], y[1], u[0], u[1]])).unwrap();
        }
        let base = LinearGaussian::from_rows(
            &[[0.8, 0.1], [-0.2, 0.8]],
            &[[0.4, 0.0], [0.0, 0.4]],
            &[[1.0, 0.5], [0.3, 1.0]],
            &[[0.4, 0.0], [0.0, 60.0]],
        )
        .unwrap();
        let control = DMatrix::from_row_slice(2, 2, &[0.3, 1e-3, 0.3, -1e-3]);
        let start = DrivenGaussian::new(base, vec!["a".to_owned(), "b".to_owned()])
            .unwrap()
            .with_control(control)
            .unwrap();
        let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let tied = [
            texts(&["F[0][0]", "F[1][1]"]),
            texts(&["Q[0][0]", "Q[1][1]", "R[0][0]"]),
            texts(&["B[0][0]", "B[1][0]"]),
        ];
        let fixed = texts(&["H[0][0]", "H[1][1]", "d[0]", "P0[1][1]", "D[0][1]"]);
        let fit = GaussianFit {
            learned: Learned {
                diagonal: true,
                ..Learned::default()
            },
            constraints: Constraints::new(&fixed, &tied).unwrap(),
            ..GaussianFit::default()
        };
        let sequences = [data];
        let outputs = [start.outputs_of(&sequences[0]).unwrap()];
        let problem = Problem::new(&start, &sequences, &outputs, &fit).unwrap();
        let (entries, units) = problem.entries();
        let u = problem.coordinates().unwrap();
        assert_eq!((u.len(), entries.len()), (units.len(), units.len()));
        let free = Reduction::new(&fit.constraints, &entries, &units, u).unwrap();
        // 4 + 2 + 2 + 4 + 2 + 2 + 2 + 2 and 8 of inputs, less 5 that stay and 4 of ties.
        assert_eq!(free.start().len(), 28 - 9);
        let moved: Vec<f64> = free
            .start()
            .iter()
            .enumerate()
            .map(|(k, v)| v + 0.03 * (k as f64).sin())
            .collect();
        let value = |v: &[f64]| problem.exact(&free.whole(v)).unwrap().0;
        let gradient = free.gradient(&problem.exact(&free.whole(&moved)).unwrap().1);
        let model = problem.model(&free.whole(&moved)).unwrap();
        let (q, r) = (
            model.base().process_noise(),
            model.base().observation_noise(),
        );
        // Numbers of order 1 after a product and a quotient.
        assert!((q[(0, 0)] / r[(0, 0)] - 1.0).abs() < 1e-14);
        assert!((model.control()[(0, 0)] / model.control()[(1, 0)] - 1.0).abs() < 1e-14);
        assert!((model.base().observation()[(1, 1)] - 1.0).abs() < 1e-14);
        for k in 0..moved.len() {
            let at = |h: f64| {
                let mut v = moved.clone();
                v[k] += h;
                value(&v)
            };
            // Central differences: an error of third order, 1e-8 of gradients of some 100.
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            let room = 1e-5 * (1.0 + slope.abs());
            assert!(
                (gradient[k] - slope).abs() < room,
                "{k}: {} {slope}",
                gradient[k]
            );
        }
    }
}
