//! Sufficient statistics carried forward as quadratic functions of the newest state.
//!
//! For a sum φ of products of affine functions of (x_{t−1}, x_t), Φ_t(x) = E_b[Σ_u φ_u | x_t = x] is a quadratic
//! form x̂ᵀÛx̂ of x̂ = (x, 1), and by eq. F8
//!
//! ```text
//! Û_t = keep·(ÊᵀÛ_{t−1}Ê + tr(UL) on the constant) + add·(newest term),   Ê = [E f; 0 1].
//! ```

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::belief::Gaussian;
use super::imputed::{imputed, is_partial};
use super::kernel::GaussianKernel;
use super::model::LinearGaussian;
use super::regression::Regression;
use super::statistics::Statistics;
use crate::Result;

/// The statistics of a model as functions of the newest state: full, or entry by entry for a diagonal model.
///
/// Residuals are about the model that the recursion started with; [`RecursiveStatistics::expected`] says so, and
/// the caller moves them to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecursiveStatistics {
    reference: LinearGaussian,
    diagonal: bool,
    /// One set of forms; of a diagonal model one for each entry of the state.
    sets: Vec<Forms>,
}

/// Quadratic forms over one state of n entries: those of the transition, then those of the observation. Each
/// half has the products, pair by pair i ≤ j, of (z, r): the inputs with their 1, and the residuals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forms {
    n: usize,
    m: usize,
    transition: Vec<f64>,
    observation: Vec<f64>,
}

/// Affine functions of x̂ with noise: rows `[rows, n + 1]` and what multiplies ε ~ N(0, L), `[rows, n]`.
struct Affine {
    rows: DMatrix<f64>,
    noise: DMatrix<f64>,
}

impl RecursiveStatistics {
    pub fn new(reference: &LinearGaussian, diagonal: bool) -> Self {
        let (n, m) = (reference.states(), reference.width());
        Self {
            sets: if diagonal {
                vec![Forms::new(1, 1); n]
            } else {
                vec![Forms::new(n, m)]
            },
            reference: reference.clone(),
            diagonal,
        }
    }

    pub fn fits(&self, model: &LinearGaussian) -> bool {
        let (n, m) = (model.states(), model.width());
        let of = |sizes| move |forms: &Forms| forms.fits(sizes);
        self.reference.states() == n
            && self.reference.width() == m
            && match self.diagonal {
                true => n == m && self.sets.len() == n && self.sets.iter().all(of((1, 1))),
                false => self.sets.len() == 1 && self.sets.iter().all(of((n, m))),
            }
    }

    /// One step: `kernel` is the newest, none at the first observation; `y` if something was seen.
    pub fn advance(
        &mut self,
        kernel: Option<&GaussianKernel>,
        y: Option<&Seen>,
        keep: f64,
        add: f64,
    ) {
        let model = &self.reference;
        for (i, forms) in self.sets.iter_mut().enumerate() {
            let cut = |m: &DMatrix<f64>| match self.diagonal {
                true => DMatrix::from_element(1, 1, m[(i, i)]),
                false => m.clone(),
            };
            let pick = |v: &DVector<f64>| match self.diagonal {
                true => DVector::from_element(1, v[i]),
                false => v.clone(),
            };
            if let Some(kernel) = kernel {
                let (gain, offset) = (cut(&kernel.gain), pick(&kernel.offset));
                let spread = cut(&kernel.covariance);
                let (f, b) = (cut(model.transition()), pick(model.bias()));
                forms.advance(
                    &moved(&gain, &offset, &f, &b),
                    &gain,
                    &offset,
                    &spread,
                    keep,
                    add,
                );
            } else {
                forms.scale(keep);
            }
            if let Some(y) = y {
                let constant = pick(&(&y.constant - model.offset()));
                let mut slope = cut(model.observation());
                if let Some((moved, _)) = &y.missing {
                    slope -= cut(moved);
                }
                forms.observe(&residual(&slope, &constant), add);
                if let Some((_, noise)) = &y.missing {
                    forms.add_noise(&cut(noise), add);
                }
            }
        }
    }

    /// E_q[Φ_t] under a belief about the newest state.
    pub fn expected(&self, belief: &Gaussian) -> Statistics {
        let mut statistics = Statistics::new(&self.reference);
        let n = belief.states();
        for (i, forms) in self.sets.iter().enumerate() {
            // Where the rows and columns of this set lie among those of the whole.
            let at = |k: usize| if self.diagonal { i } else { k };
            let mean = DVector::from_fn(forms.n, |k, _| belief.mean[at(k)]);
            let covariance =
                DMatrix::from_fn(forms.n, forms.n, |k, l| belief.covariance[(at(k), at(l))]);
            let moment = second_moment(&mean, &covariance);
            let place = |k: usize| if k == forms.n { n } else { at(k) };
            forms.put(
                &forms.transition,
                forms.n,
                &moment,
                &place,
                &mut statistics.transition,
            );
            forms.put(
                &forms.observation,
                forms.m,
                &moment,
                &place,
                &mut statistics.observation,
            );
        }
        statistics
    }

    /// Takes E_q[Φ_t] out of the constants, so that only what comes is counted.
    pub fn forget_expected(&mut self, belief: &Gaussian) {
        for (i, forms) in self.sets.iter_mut().enumerate() {
            let at = |k: usize| if self.diagonal { i } else { k };
            let mean = DVector::from_fn(forms.n, |k, _| belief.mean[at(k)]);
            let covariance =
                DMatrix::from_fn(forms.n, forms.n, |k, l| belief.covariance[(at(k), at(l))]);
            let moment = second_moment(&mean, &covariance);
            let size = (forms.n + 1) * (forms.n + 1);
            for half in [&mut forms.transition, &mut forms.observation] {
                for form in half.chunks_exact_mut(size) {
                    form[size - 1] -= dot(form, moment.as_slice());
                }
            }
        }
    }
}

/// (x_{t−1}, 1, x_t − F x_{t−1} − b) as functions of x_t.
fn moved(gain: &DMatrix<f64>, offset: &DVector<f64>, f: &DMatrix<f64>, b: &DVector<f64>) -> Affine {
    let n = offset.len();
    let mut rows = DMatrix::zeros(2 * n + 1, n + 1);
    let mut noise = DMatrix::zeros(2 * n + 1, n);
    rows.view_mut((0, 0), (n, n)).copy_from(gain);
    rows.view_mut((0, n), (n, 1)).copy_from(offset);
    rows[(n, n)] = 1.0;
    rows.view_mut((n + 1, 0), (n, n))
        .copy_from(&(DMatrix::identity(n, n) - f * gain));
    rows.view_mut((n + 1, n), (n, 1))
        .copy_from(&-(f * offset + b));
    noise.view_mut((0, 0), (n, n)).fill_with_identity();
    noise.view_mut((n + 1, 0), (n, n)).copy_from(&-f);
    Affine { rows, noise }
}

/// An observation: what is seen, and slope `[m, n]` and noise `[m, m]` of what is missing of it (eq. F54).
pub(super) struct Seen {
    constant: DVector<f64>,
    missing: Option<(DMatrix<f64>, DMatrix<f64>)>,
}

/// An observation `[m]` under `model`, NaN for what is missing.
///
/// # Errors
/// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) for an R that cannot be factored.
pub(super) fn seen(model: &LinearGaussian, y: &[f64]) -> Result<Seen> {
    if !is_partial(y) {
        return Ok(Seen {
            constant: DVector::from_column_slice(y),
            missing: None,
        });
    }
    let whole = imputed(model, y)?;
    Ok(Seen {
        constant: whole.constant,
        missing: Some((whole.slope, whole.noise)),
    })
}

/// (x_t, 1, y − H x_t) as functions of x_t, `y` without d.
fn residual(h: &DMatrix<f64>, y: &DVector<f64>) -> Affine {
    let (m, n) = h.shape();
    let mut rows = DMatrix::zeros(n + 1 + m, n + 1);
    rows.view_mut((0, 0), (n + 1, n + 1)).fill_with_identity();
    rows.view_mut((n + 1, 0), (m, n)).copy_from(&-h);
    rows.view_mut((n + 1, n), (m, 1)).copy_from(y);
    Affine {
        noise: DMatrix::zeros(n + 1 + m, n),
        rows,
    }
}

/// E[x̂ x̂ᵀ].
pub(super) fn second_moment(mean: &DVector<f64>, covariance: &DMatrix<f64>) -> DMatrix<f64> {
    let n = mean.len();
    let mut moment = DMatrix::zeros(n + 1, n + 1);
    moment
        .view_mut((0, 0), (n, n))
        .copy_from(&(covariance + mean * mean.transpose()));
    moment.view_mut((0, n), (n, 1)).copy_from(mean);
    moment.view_mut((n, 0), (1, n)).copy_from(&mean.transpose());
    moment[(n, n)] = 1.0;
    moment
}

fn pairs(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |i| (i..rows).map(move |j| (i, j)))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Forms {
    fn new(n: usize, m: usize) -> Self {
        let (transition, observation) = Self::sizes(n, m);
        Self {
            n,
            m,
            transition: vec![0.0; transition],
            observation: vec![0.0; observation],
        }
    }

    /// The numbers in each half.
    fn sizes(n: usize, m: usize) -> (usize, usize) {
        let of = |rows: usize| rows * (rows + 1) / 2 * (n + 1) * (n + 1);
        (of(2 * n + 1), of(n + 1 + m))
    }

    fn fits(&self, (n, m): (usize, usize)) -> bool {
        let sizes = (self.transition.len(), self.observation.len());
        (self.n, self.m) == (n, m)
            && sizes == Self::sizes(n, m)
            && [&self.transition, &self.observation]
                .into_iter()
                .flatten()
                .all(|v| v.is_finite())
    }

    fn scale(&mut self, keep: f64) {
        for half in [&mut self.transition, &mut self.observation] {
            half.iter_mut().for_each(|v| *v *= keep);
        }
    }

    /// Pushes all forms through the kernel and adds the newest transition.
    fn advance(
        &mut self,
        newest: &Affine,
        gain: &DMatrix<f64>,
        offset: &DVector<f64>,
        spread: &DMatrix<f64>,
        keep: f64,
        add: f64,
    ) {
        let n = self.n;
        let size = (n + 1) * (n + 1);
        // Ê `[n + 1, n + 1]` and L with a border of zeros, row after row.
        let mut wide = vec![0.0; size];
        let mut noise = vec![0.0; size];
        for i in 0..n {
            for j in 0..n {
                wide[i * (n + 1) + j] = gain[(i, j)];
                noise[i * (n + 1) + j] = spread[(i, j)];
            }
            wide[i * (n + 1) + n] = offset[i];
        }
        wide[size - 1] = 1.0;
        let mut product = vec![0.0; size];
        for half in [&mut self.transition, &mut self.observation] {
            for form in half.chunks_exact_mut(size) {
                push(n + 1, form, &wide, &noise, &mut product, keep);
            }
        }
        let rows = newest.rows.nrows();
        let stirred = &newest.noise * spread * newest.noise.transpose();
        for ((i, j), form) in pairs(rows).zip(self.transition.chunks_exact_mut(size)) {
            add_product(n + 1, form, &newest.rows, i, j, add);
            form[size - 1] += add * stirred[(i, j)];
        }
    }

    fn observe(&mut self, newest: &Affine, add: f64) {
        let size = (self.n + 1) * (self.n + 1);
        let rows = newest.rows.nrows();
        for ((i, j), form) in pairs(rows).zip(self.observation.chunks_exact_mut(size)) {
            add_product(self.n + 1, form, &newest.rows, i, j, add);
        }
    }

    /// Adds the covariance `[m, m]` of residuals that does not depend on the state.
    fn add_noise(&mut self, noise: &DMatrix<f64>, add: f64) {
        let p = self.n + 1;
        let forms = self.observation.chunks_exact_mut(p * p);
        for ((i, j), form) in pairs(p + self.m).zip(forms) {
            if i >= p {
                form[p * p - 1] += add * noise[(i - p, j - p)];
            }
        }
    }

    /// Puts the expectations of one half, with k residuals, where they belong in a regression.
    fn put(
        &self,
        half: &[f64],
        k: usize,
        moment: &DMatrix<f64>,
        place: &dyn Fn(usize) -> usize,
        into: &mut Regression,
    ) {
        let p = self.n + 1;
        let size = p * p;
        for ((i, j), form) in pairs(p + k).zip(half.chunks_exact(size)) {
            let value = dot(form, moment.as_slice());
            if j < p {
                into.inputs[(place(i), place(j))] = value;
                into.inputs[(place(j), place(i))] = value;
                if i == self.n {
                    into.weight = value;
                }
            } else if i < p {
                into.cross[(place(j - p), place(i))] = value;
            } else {
                into.residual[(place(i - p), place(j - p))] = value;
                into.residual[(place(j - p), place(i - p))] = value;
            }
        }
    }
}

/// Û ← keep·(ÊᵀÛÊ + tr(UL) on the constant), Û and Ê `[p, p]`.
fn push(p: usize, form: &mut [f64], wide: &[f64], noise: &[f64], product: &mut [f64], keep: f64) {
    let trace = dot(form, noise);
    // product = Û Ê, then form = Êᵀ product.
    product.fill(0.0);
    for (row, out) in form.chunks_exact(p).zip(product.chunks_exact_mut(p)) {
        for (u, e) in row.iter().zip(wide.chunks_exact(p)) {
            for (out, e) in out.iter_mut().zip(e) {
                *out += u * e;
            }
        }
    }
    form.fill(0.0);
    for (e, row) in wide.chunks_exact(p).zip(product.chunks_exact(p)) {
        for (e, out) in e.iter().zip(form.chunks_exact_mut(p)) {
            let e = e * keep;
            for (out, v) in out.iter_mut().zip(row) {
                *out += e * v;
            }
        }
    }
    form[p * p - 1] += keep * trace;
}

/// Û += add·½(a bᵀ + b aᵀ) of rows i and j.
fn add_product(p: usize, form: &mut [f64], rows: &DMatrix<f64>, i: usize, j: usize, add: f64) {
    for k in 0..p {
        for l in 0..p {
            let both = rows[(i, k)] * rows[(j, l)] + rows[(j, k)] * rows[(i, l)];
            form[k * p + l] += 0.5 * add * both;
        }
    }
}

#[cfg(test)]
mod tests;
