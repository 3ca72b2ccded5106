//! One step of the Kalman filter on rows of numbers: the inner loops.
//!
//! Observations are whitened once, R = C Cᵀ, H̃ = C⁻¹H, ỹ = C⁻¹(y − d), and then taken one number at a time,
//! so that no matrix is factored while data stream in. Sizes that are known here (n = 1 … 16) are compiled
//! for themselves; all sizes run the same arithmetic in the same order.

pub(crate) use super::plan::{LN_2_PI, Plan, flat};
use crate::simd_dispatch;

/// The belief (mean `[n]`, covariance `[n, n]`) that a step starts from.
#[derive(Clone, Copy)]
pub(crate) struct From<'a> {
    pub mean: &'a [f64],
    pub covariance: &'a [f64],
    /// Whether the belief is of the state before: it is moved by F, b, Q first.
    pub earlier: bool,
}

/// The belief that a step leaves.
pub(crate) struct Into<'a> {
    pub mean: &'a mut [f64],
    pub covariance: &'a mut [f64],
}

simd_dispatch! {
    /// Predicts if the belief is of the state before, takes in the observation if there is one, and
    /// returns ln p(y_t | y_{1:t−1}), 0 where there is none.
    pub(crate) fn advance(
        plan: &Plan,
        y: Option<&[f64]>,
        from: From<'_>,
        into: Into<'_>,
        scratch: &mut [f64],
    ) -> f64 = by_size;
}

#[inline(always)]
fn by_size(
    plan: &Plan,
    y: Option<&[f64]>,
    from: From<'_>,
    into: Into<'_>,
    scratch: &mut [f64],
) -> f64 {
    match plan.n {
        1 => step(1, plan, y, from, into, scratch),
        2 => step(2, plan, y, from, into, scratch),
        3 => step(3, plan, y, from, into, scratch),
        4 => step(4, plan, y, from, into, scratch),
        6 => step(6, plan, y, from, into, scratch),
        8 => step(8, plan, y, from, into, scratch),
        10 => step(10, plan, y, from, into, scratch),
        16 => step(16, plan, y, from, into, scratch),
        n => step(n, plan, y, from, into, scratch),
    }
}

#[inline(always)]
fn step(
    n: usize,
    plan: &Plan,
    y: Option<&[f64]>,
    from: From<'_>,
    into: Into<'_>,
    scratch: &mut [f64],
) -> f64 {
    let (product, scratch) = scratch.split_at_mut(n * n);
    let (p, scratch) = scratch.split_at_mut(n * n);
    let (v, scratch) = scratch.split_at_mut(n);
    let (k, scratch) = scratch.split_at_mut(n);
    let (g, white) = scratch.split_at_mut(n);
    let mean = &mut into.mean[..n];
    if from.earlier {
        predict(n, plan, from, mean, p, product);
    } else {
        mean.copy_from_slice(&from.mean[..n]);
        p.copy_from_slice(&from.covariance[..n * n]);
    }
    let mut log_predictive = 0.0;
    if let Some(y) = y {
        log_predictive = observe(n, plan, y, mean, p, [v, k, g], white);
    }
    into.covariance[..n * n].copy_from_slice(p);
    log_predictive
}

/// F m + b and F P Fᵀ + Q, the second exactly symmetric.
#[inline(always)]
fn predict(
    n: usize,
    plan: &Plan,
    from: From<'_>,
    mean: &mut [f64],
    p: &mut [f64],
    product: &mut [f64],
) {
    mean.copy_from_slice(&plan.b[..n]);
    let covariance = &from.covariance[..n * n];
    let (f, f_transposed) = (&plan.f[..n * n], &plan.f_transposed[..n * n]);
    add_combined(n, mean, &from.mean[..n], f_transposed);
    product.fill(0.0);
    for (row, f) in product.chunks_exact_mut(n).zip(f.chunks_exact(n)) {
        add_combined(n, row, f, covariance);
    }
    p.copy_from_slice(&plan.q[..n * n]);
    for (row, product) in p.chunks_exact_mut(n).zip(product.chunks_exact(n)) {
        add_combined(n, row, product, f_transposed);
    }
    for i in 0..n {
        for j in 0..i {
            p[i * n + j] = p[j * n + i];
        }
    }
}

/// Takes in the whitened numbers of an observation one after another: with one row h of H̃ and the number ỹ,
///
/// ```text
/// v = P h,   s = hᵀv + 1,   k = v/s,   m ← m + k (ỹ − hᵀm),   P ← (I − k hᵀ) P (I − k hᵀ)ᵀ + k kᵀ.
/// ```
///
/// The Joseph form is had in two passes that keep P symmetric: M = P − v vᵀ/s, whose rounding errors are of
/// the size of the old P, and then what is left of them where h looks, e = M h − k (nil in exact
/// arithmetic), is taken out: P ← M − g kᵀ − k gᵀ, g = e − ½(hᵀe) k.
#[inline(always)]
fn observe(
    n: usize,
    plan: &Plan,
    y: &[f64],
    mean: &mut [f64],
    p: &mut [f64],
    [v, k, g]: [&mut [f64]; 3],
    white: &mut [f64],
) -> f64 {
    let m = plan.m;
    for (w, (y, d)) in white.iter_mut().zip(y.iter().zip(&plan.d)) {
        *w = y - d;
    }
    let mut misfit = 0.0;
    let mut log_s = 0.0;
    let mut product_s = 1.0;
    for r in 0..m {
        let h = &plan.h[r * n..(r + 1) * n];
        let mut innovation = 0.0;
        for (c, w) in plan.whiten[r * m..r * m + r + 1].iter().zip(&*white) {
            innovation += c * w;
        }
        innovation -= dot(n, h, mean);
        times(n, p, h, v);
        let s = dot(n, h, v) + 1.0;
        let inverse = 1.0 / s;
        for i in 0..n {
            k[i] = v[i] * inverse;
            mean[i] += k[i] * innovation;
        }
        g.fill(0.0);
        for i in 0..n {
            let (vi, hi) = (v[i], h[i]);
            let row = &mut p[i * n..(i + 1) * n];
            for j in 0..n {
                // In this order, the same number at [i, j] and [j, i].
                row[j] -= (vi * v[j]) * inverse;
                g[j] += hi * row[j];
            }
        }
        for i in 0..n {
            g[i] -= k[i];
        }
        let half = 0.5 * dot(n, h, g);
        for i in 0..n {
            g[i] -= half * k[i];
        }
        for i in 0..n {
            let (gi, ki) = (g[i], k[i]);
            let row = &mut p[i * n..(i + 1) * n];
            for j in 0..n {
                row[j] -= gi * k[j] + ki * g[j];
            }
        }
        misfit += innovation * innovation * inverse;
        // One logarithm for many factors s ≥ 1, taken before their product could overflow.
        if product_s * s > 1e280 {
            log_s += libm::log(product_s);
            product_s = s;
        } else {
            product_s *= s;
        }
    }
    log_s += libm::log(product_s);
    -0.5 * (misfit + log_s) - plan.log_norm
}

/// out += Σ_k c_k rows[k], by blocks of columns whose sums stay in registers. Every entry is summed in order
/// of k, whatever its block.
#[inline(always)]
fn add_combined(n: usize, out: &mut [f64], c: &[f64], rows: &[f64]) {
    let mut from = 0;
    while n - from >= 8 {
        block::<8>(n, from, out, c, rows);
        from += 8;
    }
    if n - from >= 4 {
        block::<4>(n, from, out, c, rows);
        from += 4;
    }
    if n - from >= 2 {
        block::<2>(n, from, out, c, rows);
        from += 2;
    }
    if n > from {
        block::<1>(n, from, out, c, rows);
    }
}

/// The columns `from` to `from + W` of [`add_combined`].
#[inline(always)]
fn block<const W: usize>(n: usize, from: usize, out: &mut [f64], c: &[f64], rows: &[f64]) {
    let out = &mut out[from..from + W];
    let mut sums = [0.0; W];
    sums.copy_from_slice(out);
    for (c, row) in c[..n].iter().zip(rows[..n * n].chunks_exact(n)) {
        let row = &row[from..from + W];
        for w in 0..W {
            sums[w] += c * row[w];
        }
    }
    out.copy_from_slice(&sums);
}

/// out = P x for a symmetric P.
#[inline(always)]
fn times(n: usize, p: &[f64], x: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    add_combined(n, out, x, p);
}

/// xᵀy in four interleaved sums, so that additions need not wait for one another.
#[inline(always)]
fn dot(n: usize, x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (x, y) = (&x[..n], &y[..n]);
    let (xs, ys) = (x.chunks_exact(4), y.chunks_exact(4));
    let mut rest = 0.0;
    for (x, y) in xs.remainder().iter().zip(ys.remainder()) {
        rest += x * y;
    }
    for (x, y) in xs.zip(ys) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::LinearGaussian;
    use nalgebra::DMatrix;
    use std::hint::black_box;

    type Way = fn(&Plan, Option<&[f64]>, From<'_>, Into<'_>, &mut [f64]) -> f64;

    /// Sizes compiled for themselves, the widest instructions and the plain loops give the same bits.
    #[test]
    fn every_way_rounds_alike() {
        for n in 1usize..=17 {
            let m = n.div_ceil(2);
            let wave = |i: usize, j: usize| (1.0 + (i * 7 + j * 3) as f64).sin() * 0.3;
            let noise = |n: usize| {
                let a = DMatrix::from_fn(n, n, wave);
                &a * a.transpose() + DMatrix::identity(n, n) * 0.1
            };
            let model = LinearGaussian::new(
                DMatrix::from_fn(n, n, wave),
                crate::math::cholesky::symmetric(noise(n)),
                DMatrix::from_fn(m, n, |i, j| wave(j, i + 2)),
                crate::math::cholesky::symmetric(noise(m)),
            )
            .unwrap();
            let plan = Plan::new(&model).unwrap();
            let start = flat(model.initial_covariance());
            let y: Vec<f64> = (0..m).map(|i| wave(i, 11)).collect();
            let run = |way: Way| {
                let (mut mean, mut covariance) = (vec![0.5; n], start.clone());
                let mut log = Vec::new();
                for t in 0..20 {
                    let (mut next, mut spread) = (vec![0.0; n], vec![0.0; n * n]);
                    let from = From {
                        mean: &mean,
                        covariance: &covariance,
                        earlier: t > 0,
                    };
                    let into = Into {
                        mean: &mut next,
                        covariance: &mut spread,
                    };
                    let mut scratch = vec![f64::NAN; plan.scratch()];
                    let seen = (t % 3 != 1).then_some(&y[..]);
                    log.push(way(&plan, seen, from, into, &mut scratch));
                    (mean, covariance) = (next, spread);
                }
                (mean, covariance, log)
            };
            let plain = run(|plan, y, from, into, scratch| {
                step(black_box(plan.n), plan, y, from, into, scratch)
            });
            assert_eq!(run(advance), plain, "{n}");
            assert_eq!(run(by_size), plain, "{n}");
            let symmetric = |c: &[f64]| (0..n * n).all(|k| c[k] == c[k % n * n + k / n]);
            assert!(symmetric(&plain.1));
        }
    }
}
