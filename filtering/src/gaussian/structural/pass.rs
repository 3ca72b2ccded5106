//! The likelihood of one sequence: the exact diffuse filter, forward, on sparse transitions.

use super::form::Form;
use crate::gaussian::diffuse::DiffuseBasis;
use crate::gaussian::flat::LN_2_PI;

/// What one observation did.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Taken {
    /// Nothing: it is missing.
    Missing,
    /// It fixed one diffuse direction: K₀ and F∞ of eq. F51.
    Diffuse { gain: Vec<f64>, infinite: f64 },
    /// It was predicted: K, v and s.
    Proper { gain: Vec<f64>, v: f64, s: f64 },
}

/// The filter's run over a sequence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pass {
    pub taken: Vec<Taken>,
    /// m_{t|t} `[n]` and P_{t|t} `[n, n]` of all t, where they were asked for.
    pub beliefs: Vec<(Vec<f64>, Vec<f64>)>,
    pub log_likelihood: f64,
    /// The observations that fixed a diffuse direction, whose ½ ln 2π is not counted.
    pub diffuse: usize,
    pub observed: usize,
    /// Diffuse directions that no observation has fixed.
    pub left: usize,
}

impl Form {
    /// ln p of a sequence of rows (y, u) in nats (eq. F51); `None`, or NaN, marks a missing number. Fails (`None`) where an observation is
    /// predicted without variance, or numbers leave their range.
    pub fn filter<'a>(
        &self,
        ys: impl Iterator<Item = Option<&'a [f64]>>,
        keep: bool,
    ) -> Option<Pass> {
        let n = self.n;
        let mut mean = vec![0.0; n];
        let mut p = self.start.clone();
        let mut basis = DiffuseBasis::new(&self.diffuse);
        let (mut next, mut product) = (vec![0.0; n], vec![0.0; n * n]);
        let mut pass = Pass {
            taken: Vec::with_capacity(ys.size_hint().0),
            beliefs: Vec::new(),
            log_likelihood: 0.0,
            diffuse: 0,
            observed: 0,
            left: 0,
        };
        let (mut misfit, mut logs, mut proper) = (0.0, 0.0, 0.0);
        let mut h = self.h.clone();
        for (t, y) in ys.enumerate() {
            if t > 0 {
                self.times(&mean, &mut next);
                std::mem::swap(&mut mean, &mut next);
                self.spread(&mut p, &mut product);
                basis.transform(|i| self.f[i].iter().copied());
            }
            let taken = match y {
                Some(y) if !y[0].is_nan() => {
                    self.observed(y, &mut h);
                    pass.observed += 1;
                    let mut gain = vec![0.0; n];
                    let v = y[0] - dot(&h, &mean);
                    let m = &mut next;
                    symmetric_times(&p, &h, m);
                    let s = dot(&h, m) + self.r;
                    let infinite = match basis.rank() {
                        0 => None,
                        _ => basis.take(&h, &mut gain),
                    };
                    if let Some(infinite) = infinite {
                        logs += infinite.ln();
                        pass.diffuse += 1;
                        for i in 0..n {
                            mean[i] += gain[i] * v;
                            for j in 0..n {
                                p[i * n + j] +=
                                    gain[i] * gain[j] * s - m[i] * gain[j] - gain[i] * m[j];
                            }
                        }
                        Taken::Diffuse { gain, infinite }
                    } else {
                        if s.is_nan() || s <= 0.0 {
                            return None;
                        }
                        for (k, m) in gain.iter_mut().zip(&*m) {
                            *k = m / s;
                        }
                        for i in 0..n {
                            mean[i] += gain[i] * v;
                            for j in 0..n {
                                p[i * n + j] -= (m[i] * m[j]) / s;
                            }
                        }
                        misfit += v * v / s;
                        logs += s.ln();
                        proper += 1.0;
                        Taken::Proper { gain, v, s }
                    }
                }
                _ => Taken::Missing,
            };
            pass.taken.push(taken);
            if keep {
                pass.beliefs.push((mean.clone(), p.clone()));
            }
        }
        pass.log_likelihood = -0.5 * (proper * LN_2_PI + logs + misfit);
        pass.left = basis.rank();
        pass.log_likelihood.is_finite().then_some(pass)
    }

    /// out = F x.
    pub fn times(&self, x: &[f64], out: &mut [f64]) {
        for (out, row) in out.iter_mut().zip(&self.f) {
            *out = row.iter().map(|&(j, v)| v * x[j]).sum();
        }
    }

    /// out = Fᵀ x.
    pub fn transposed_times(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (x, row) in x.iter().zip(&self.f) {
            row.iter().for_each(|&(j, v)| out[j] += v * x);
        }
    }

    /// P ← F P Fᵀ + Q, exactly symmetric.
    fn spread(&self, p: &mut [f64], product: &mut [f64]) {
        let n = self.n;
        product.fill(0.0);
        for (row, out) in self.f.iter().zip(product.chunks_exact_mut(n)) {
            for &(k, v) in row {
                let source = &p[k * n..(k + 1) * n];
                out.iter_mut().zip(source).for_each(|(o, p)| *o += v * p);
            }
        }
        for i in 0..n {
            let row = &product[i * n..(i + 1) * n];
            for j in 0..=i {
                let sum: f64 = self.f[j].iter().map(|&(k, v)| v * row[k]).sum();
                p[i * n + j] = sum;
                p[j * n + i] = sum;
            }
        }
        for &(i, j, v) in &self.q {
            p[i * n + j] += v;
        }
    }

    /// N ← Fᵀ N F.
    pub fn pull_back(&self, matrix: &mut [f64], product: &mut [f64]) {
        let n = self.n;
        product.fill(0.0);
        for i in 0..n {
            let (source, out) = (&matrix[i * n..][..n], &mut product[i * n..][..n]);
            for (x, row) in source.iter().zip(&self.f) {
                row.iter().for_each(|&(j, v)| out[j] += v * x);
            }
        }
        matrix.fill(0.0);
        for (row, source) in self.f.iter().zip(product.chunks_exact(n)) {
            for &(i, v) in row {
                let out = &mut matrix[i * n..(i + 1) * n];
                out.iter_mut().zip(source).for_each(|(o, x)| *o += v * x);
            }
        }
    }
}

/// out = P x of a symmetric P, by the entries of x that are not zero.
pub(super) fn symmetric_times(p: &[f64], x: &[f64], out: &mut [f64]) {
    let n = x.len();
    out.fill(0.0);
    for (row, &x) in p.chunks_exact(n).zip(x) {
        if x != 0.0 {
            out.iter_mut().zip(row).for_each(|(o, p)| *o += x * p);
        }
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
