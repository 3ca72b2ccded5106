//! The gradient of the likelihood: the filter's adjoint, backward.

use std::collections::BTreeMap;

use nalgebra::DMatrix;

use super::form::{Entry, Form};
use super::pass::{Pass, Taken, dot, symmetric_times};
use crate::Sequence;

impl Form {
    /// ∂ ln p by the values of all parameters, in the model's order (eq. F52). With r and N of the backward recursion,
    /// the derivative by the predicted mean is r and that by the predicted covariance G = ½(r rᵀ − N):
    ///
    /// ```text
    /// seen:      r ← h v/s + Lᵀr,   N ← h hᵀ/s + LᵀNL,   ∂r += ½((v/s − Kᵀr)² − 1/s − KᵀNK),   L = I − K hᵀ
    /// diffuse:   r ← L₀ᵀr,          N ← L₀ᵀNL₀,          ∂r += ½((K₀ᵀr)² − K₀ᵀNK₀),             L₀ = I − K₀hᵀ
    /// moved:     ∂Q += G,   ∂F += r mᵀ + 2 G F P,   r ← Fᵀr,   N ← FᵀNF
    /// ```
    ///
    /// (S. J. Koopman, N. Shephard, "Exact score for time series models in state space form", 1992). `pass` is that over `rows`,
    /// and keeps its beliefs where a parameter moves F.
    pub fn score(&self, pass: &Pass, rows: &Sequence) -> Vec<f64> {
        let n = self.n;
        let moved = self.moved_transitions();
        let mut slopes: BTreeMap<Entry, f64> = self
            .slopes
            .iter()
            .flatten()
            .map(|(entry, _)| (*entry, 0.0))
            .collect();
        let noisy: Vec<(usize, usize)> = slopes
            .keys()
            .filter_map(|entry| match entry {
                Entry::Q(i, j) => Some((*i, *j)),
                _ => None,
            })
            .collect();
        let (mut of_q, mut of_f) = (vec![0.0; noisy.len()], vec![0.0; moved.len()]);
        let mut of_r = 0.0;
        let (mut r, mut big) = (vec![0.0; n], vec![0.0; n * n]);
        let (mut other, mut product) = (vec![0.0; n], vec![0.0; n * n]);
        let mut h = self.h.clone();
        for (t, taken) in pass.taken.iter().enumerate().rev() {
            if let Some(row) = rows.get(t) {
                self.observed(row, &mut h);
            }
            match taken {
                Taken::Missing => {}
                Taken::Diffuse { gain, .. } => {
                    symmetric_times(&big, gain, &mut other);
                    let (along, spread) = (dot(gain, &r), dot(gain, &other));
                    of_r += 0.5 * (along * along - spread);
                    look(&h, &mut r, &mut big, &other, -along, spread);
                }
                Taken::Proper { gain, v, s } => {
                    symmetric_times(&big, gain, &mut other);
                    let (along, spread) = (dot(gain, &r), dot(gain, &other));
                    let u = v / s - along;
                    of_r += 0.5 * (u * u - 1.0 / s - spread);
                    look(&h, &mut r, &mut big, &other, u, 1.0 / s + spread);
                }
            }
            if t == 0 {
                break;
            }
            for (sum, &(i, j)) in of_q.iter_mut().zip(&noisy) {
                *sum += 0.5 * (r[i] * r[j] - big[i * n + j]);
            }
            let before = pass.beliefs.get(t - 1);
            for (sum, &(i, j)) in of_f.iter_mut().zip(&moved) {
                let Some((mean, p)) = before else { continue };
                let g = |k: usize| r[i] * r[k] - big[i * n + k];
                let column = |l: usize| p[j * n + l];
                let mut own = r[i] * mean[j];
                for (k, row) in self.f.iter().enumerate() {
                    own += g(k) * row.iter().map(|&(l, f)| f * column(l)).sum::<f64>();
                }
                *sum += own;
            }
            self.transposed_times(&r, &mut other);
            std::mem::swap(&mut r, &mut other);
            self.pull_back(&mut big, &mut product);
        }
        for (&(i, j), v) in noisy.iter().zip(of_q) {
            slopes.insert(Entry::Q(i, j), v);
        }
        for (&(i, j), v) in moved.iter().zip(of_f) {
            slopes.insert(Entry::F(i, j), v);
        }
        slopes.insert(Entry::R, of_r);
        self.add_start(&r, &big, &mut slopes);
        let by = |entries: &Vec<(Entry, f64)>| {
            let share = |(entry, v): &(Entry, f64)| slopes.get(entry).map_or(0.0, |s| s * v);
            entries.iter().map(share).sum()
        };
        self.slopes.iter().map(by).collect()
    }

    /// What the stationary start P = F P Fᵀ + Q adds: with X = G + FᵀXF, ∂Q += X and ∂F += 2 X F P.
    fn add_start(&self, r: &[f64], big: &[f64], slopes: &mut BTreeMap<Entry, f64>) {
        let at = &self.stationary;
        if at.is_empty() {
            return;
        }
        let (n, k) = (self.n, at.len());
        let g = DMatrix::from_fn(k, k, |i, j| {
            0.5 * (r[at[i]] * r[at[j]] - big[at[i] * n + at[j]])
        });
        let f = self.stationary_f();
        let p = DMatrix::from_fn(k, k, |i, j| self.start[at[i] * n + at[j]]);
        let Some(x) = crate::math::lyapunov::stationary_covariance(&f.transpose(), &g) else {
            return;
        };
        let by_f = 2.0 * &x * f * p;
        for i in 0..k {
            for j in 0..k {
                let (row, column) = (at[i], at[j]);
                if let Some(slope) = slopes.get_mut(&Entry::Q(row, column)) {
                    *slope += x[(i, j)];
                }
                if let Some(slope) = slopes.get_mut(&Entry::F(row, column)) {
                    *slope += by_f[(i, j)];
                }
            }
        }
    }
}

/// Lᵀr + h v/s and LᵀNL + h hᵀ/s, where `along` is v/s − Kᵀr (or −K₀ᵀr), `n_gain` is N K and `spread` 1/s + KᵀNK.
fn look(h: &[f64], r: &mut [f64], big: &mut [f64], n_gain: &[f64], along: f64, spread: f64) {
    let n = h.len();
    for i in 0..n {
        r[i] += h[i] * along;
        if h[i] != 0.0 {
            for j in 0..n {
                big[i * n + j] -= h[i] * n_gain[j];
                big[j * n + i] -= h[i] * n_gain[j];
                big[i * n + j] += h[i] * h[j] * spread;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::StructuralModel;
    use super::*;

    /// A wandering series with gaps.
    fn series() -> Sequence {
        let mut s = Sequence::new(1).unwrap();
        let mut level = 3.0;
        for t in 0..60 {
            let x = f64::from(t);
            level += (x * 1.7).sin();
            let y = level + (x * x * 0.37).cos() + 2.0 * (x * 1.57).sin();
            s.push((t % 7 != 3).then_some(&[y])).unwrap();
        }
        s
    }

    fn is_the_slope(model: &StructuralModel, values: &[f64], data: &Sequence, components: &str) {
        let at = |values: &[f64]| {
            let form = Form::new(model, values).unwrap();
            let pass = form.filter(data.iter(), true).unwrap();
            (form.score(&pass, data), pass.log_likelihood)
        };
        let (score, _) = at(values);
        assert_eq!(score.len(), values.len());
        for k in 0..values.len() {
            // Central differences, with an error of order h² = 1e-10 relative to third derivatives of about 10.
            let moved = |h: f64| {
                let mut v = values.to_vec();
                v[k] += h;
                at(&v).1
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let room = 1e-6 * (1.0 + slope.abs());
            assert!(
                (score[k] - slope).abs() < room,
                "{components} {k}: {} against {slope}",
                score[k]
            );
        }
    }

    #[test]
    fn the_score_is_the_slope_of_the_likelihood() {
        let cases: [(&str, &[f64]); 7] = [
            ("level", &[0.7, 0.4]),
            ("trend", &[0.7, 0.4, 0.1]),
            ("level,seasonal:4", &[0.5, 0.3, 0.2]),
            ("trend,trigonometric:5", &[0.5, 0.3, 0.05, 0.2]),
            ("level,cycle", &[0.5, 0.3, 0.6, 7.3, 0.8]),
            ("ar:2", &[0.2, 0.9, 1.2, -0.5]),
            ("level,arma:2:2", &[0.3, 0.2, 0.5, 0.8, -0.3, 0.4, 0.2]),
        ];
        let data = series();
        for initial in [None, Some(25.0)] {
            for (components, values) in cases {
                let mut model = StructuralModel::new(components).unwrap();
                if let Some(variance) = initial {
                    model = model.with_initial_variance(variance).unwrap();
                }
                is_the_slope(&model, values, &data, components);
            }
        }
    }

    #[test]
    fn the_score_of_a_regression_is_the_slope_too() {
        let mut data = Sequence::new(3).unwrap();
        for (t, row) in series().iter().enumerate() {
            let x = t as f64;
            let u = [(0.7 * x).cos(), 1.0 + (x * x * 0.11).sin()];
            let y = row.map_or(f64::NAN, |row| row[0] + 3.0 * u[0] - 0.02 * x * u[1]);
            data.push(Some(&[y, u[0], u[1]])).unwrap();
        }
        let inputs = ["a".to_owned(), "b".to_owned()];
        for (components, values) in [
            ("level,regression", &[0.7, 0.4][..]),
            (
                "level,regression:walk,ar:1",
                &[0.7, 0.4, 0.1, 0.05, 0.3, 0.5],
            ),
        ] {
            let model = StructuralModel::new(components).unwrap();
            let model = model.with_inputs(&inputs).unwrap();
            is_the_slope(&model, values, &data, components);
        }
    }

    #[test]
    fn a_large_initial_variance_tends_to_the_exact_diffuse_likelihood() {
        let data = series();
        for (components, values) in [
            ("trend", vec![0.7, 0.4, 0.1]),
            ("level,seasonal:4", vec![0.5, 0.3, 0.2]),
        ] {
            let model = StructuralModel::new(components).unwrap();
            let exact = Form::new(&model, &values)
                .unwrap()
                .filter(data.iter(), false)
                .unwrap();
            assert_eq!(exact.diffuse, model.states());
            let error = |variance: f64| {
                let given = model.clone().with_initial_variance(variance).unwrap();
                let pass = Form::new(&given, &values)
                    .unwrap()
                    .filter(data.iter(), false)
                    .unwrap();
                let lost = 0.5 * (variance.ln() + crate::gaussian::flat::LN_2_PI);
                pass.log_likelihood + exact.diffuse as f64 * lost - exact.log_likelihood
            };
            // The difference falls as 1/κ.
            let (first, second) = (error(1e4), error(1e6));
            assert!(first.abs() < 1e-1 && first.abs() > 1e-6, "{first}");
            assert!((first / second - 100.0).abs() < 5.0, "{first} {second}");
        }
    }
}
