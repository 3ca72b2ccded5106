//! Square matrices `[n, n]` in rows, on slices that the caller keeps: nothing here allocates.
//!
//! The sizes of [`sized`] are compiled for themselves and for the widest vector instructions; every entry is summed in
//! the same order whatever the size and the CPU, so that all ways give the same bits.

use crate::simd_dispatch;

/// Calls `body(n, …)` with n known to the compiler where it is one of these.
macro_rules! sized {
    ($n:expr, $body:ident($($arg:expr),*)) => {
        match $n {
            1 => $body(1, $($arg),*),
            2 => $body(2, $($arg),*),
            3 => $body(3, $($arg),*),
            4 => $body(4, $($arg),*),
            6 => $body(6, $($arg),*),
            8 => $body(8, $($arg),*),
            10 => $body(10, $($arg),*),
            16 => $body(16, $($arg),*),
            n => $body(n, $($arg),*),
        }
    };
}

/// `into[from..from + W] ± = Σ_k c[k·stride] rows[k, from..from + W]`, the sums in registers and in order of k.
#[inline(always)]
fn block<const W: usize>(
    n: usize,
    from: usize,
    into: &mut [f64],
    (c, stride): (&[f64], usize),
    sign: f64,
    rows: &[f64],
) {
    let Some(into) = into[from..].first_chunk_mut::<W>() else {
        return;
    };
    let mut sums = *into;
    for (row, c) in rows.chunks_exact(n).zip(c.iter().step_by(stride)) {
        if let Some(row) = row[from..].first_chunk::<W>() {
            for w in 0..W {
                sums[w] += sign * c * row[w];
            }
        }
    }
    *into = sums;
}

/// `into ± = Σ_k c[k·stride] rows[k]` for as many rows as there are, from the column `from` on.
#[inline(always)]
fn add_rows(n: usize, from: usize, into: &mut [f64], c: (&[f64], usize), sign: f64, rows: &[f64]) {
    let mut at = 0;
    while n - at >= 8 {
        if at + 8 > from {
            block::<8>(n, at, into, c, sign, rows);
        }
        at += 8;
    }
    if n - at >= 4 {
        if at + 4 > from {
            block::<4>(n, at, into, c, sign, rows);
        }
        at += 4;
    }
    if n - at >= 2 {
        if at + 2 > from {
            block::<2>(n, at, into, c, sign, rows);
        }
        at += 2;
    }
    if n > at {
        block::<1>(n, at, into, c, sign, rows);
    }
}

/// Rows of Lᵀ one after another, each from the rows above it; then turned.
#[inline(always)]
fn cholesky_at(n: usize, a: &mut [f64]) -> std::result::Result<(), (usize, f64)> {
    let a = &mut a[..n * n];
    for j in 0..n {
        for i in j + 1..n {
            a[j * n + i] = a[i * n + j];
        }
    }
    for j in 0..n {
        let (above, rest) = a.split_at_mut(j * n);
        let row = &mut rest[..n];
        if j > 0 {
            add_rows(n, j, row, (&above[j..], n), -1.0, above);
        }
        let pivot = row[j];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return Err((j, pivot));
        }
        let root = pivot.sqrt();
        // All of the row, because whole registers are divided at once; what is left of the pivot is overwritten.
        for entry in row.iter_mut() {
            *entry /= root;
        }
        row[j] = root;
    }
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = 0.0;
        }
    }
    Ok(())
}

#[inline(always)]
fn cholesky_sized(a: &mut [f64], n: usize) -> std::result::Result<(), (usize, f64)> {
    sized!(n, cholesky_at(a))
}

simd_dispatch! {
    /// The lower Cholesky factor of a symmetric matrix, in its place; zeros above the diagonal. Only the lower triangle
    /// is read. `Err((pivot, value))` names the first pivot that is not positive.
    pub(crate) fn cholesky(a: &mut [f64], n: usize) -> std::result::Result<(), (usize, f64)> = cholesky_sized;
}

/// ln|A| = 2 Σ ln l_ii of the factor.
pub(crate) fn log_determinant(factor: &[f64], n: usize) -> f64 {
    2.0 * (0..n).map(|i| factor[i * n + i].ln()).sum::<f64>()
}

#[inline(always)]
fn invert_lower_at(n: usize, l: &[f64], into: &mut [f64]) {
    let (l, into) = (&l[..n * n], &mut into[..n * n]);
    for i in 0..n {
        let (above, rest) = into.split_at_mut(i * n);
        let row = &mut rest[..n];
        row.fill(0.0);
        if i > 0 {
            add_rows(n, 0, row, (&l[i * n..i * n + i], 1), 1.0, above);
        }
        let pivot = l[i * n + i];
        for entry in row.iter_mut() {
            *entry = -*entry / pivot;
        }
        row[i] = 1.0 / pivot;
        row[i + 1..].fill(0.0);
    }
}

#[inline(always)]
fn invert_lower_sized(l: &[f64], into: &mut [f64], n: usize) {
    sized!(n, invert_lower_at(l, into))
}

simd_dispatch! {
    /// The inverse of a lower triangle.
    pub(crate) fn invert_lower(l: &[f64], into: &mut [f64], n: usize) = invert_lower_sized;
}

#[inline(always)]
fn lower_gram_at(n: usize, l: &[f64], into: &mut [f64]) {
    let (l, into) = (&l[..n * n], &mut into[..n * n]);
    for (i, row) in into.chunks_exact_mut(n).enumerate() {
        row.fill(0.0);
        // Above row i the column i of L is zero.
        add_rows(n, 0, row, (&l[i * n + i..], n), 1.0, &l[i * n..]);
    }
}

#[inline(always)]
fn lower_gram_sized(l: &[f64], into: &mut [f64], n: usize) {
    sized!(n, lower_gram_at(l, into))
}

simd_dispatch! {
    /// `LᵀL` of a lower triangle: the inverse of a matrix from the inverse of its factor.
    pub(crate) fn lower_gram(l: &[f64], into: &mut [f64], n: usize) = lower_gram_sized;
}

#[inline(always)]
fn add_product_at(n: usize, a: &[f64], b: &[f64], into: &mut [f64]) {
    for (a, into) in a.chunks_exact(n).zip(into.chunks_exact_mut(n)) {
        add_rows(n, 0, into, (a, 1), 1.0, &b[..n * n]);
    }
}

#[inline(always)]
fn add_product_sized(a: &[f64], b: &[f64], into: &mut [f64], n: usize) {
    sized!(n, add_product_at(a, b, into))
}

simd_dispatch! {
    /// `into += AB`, of as many rows as A has.
    pub(crate) fn add_product(a: &[f64], b: &[f64], into: &mut [f64], n: usize) = add_product_sized;
}

/// `AB`, of as many rows as A has.
pub(crate) fn product(a: &[f64], b: &[f64], into: &mut [f64], n: usize) {
    into.fill(0.0);
    match (a, b, &mut *into) {
        ([a], [b], [into]) => *into += a * b,
        _ => add_product(a, b, into, n),
    }
}

#[inline(always)]
fn transposed_product_at(n: usize, a: &[f64], b: &[f64], into: &mut [f64]) {
    let (a, b) = (&a[..n * n], &b[..n * n]);
    for (i, into) in into[..n * n].chunks_exact_mut(n).enumerate() {
        into.fill(0.0);
        add_rows(n, 0, into, (&a[i..], n), 1.0, b);
    }
}

#[inline(always)]
fn transposed_product_sized(a: &[f64], b: &[f64], into: &mut [f64], n: usize) {
    sized!(n, transposed_product_at(a, b, into))
}

simd_dispatch! {
    /// `AᵀB`.
    pub(crate) fn transposed_product(a: &[f64], b: &[f64], into: &mut [f64], n: usize) = transposed_product_sized;
}

/// `Aᵀ`.
pub(crate) fn transpose(a: &[f64], into: &mut [f64], n: usize) {
    for (i, row) in a.chunks_exact(n).enumerate() {
        for (into, a) in into[i..].iter_mut().step_by(n).zip(row) {
            *into = *a;
        }
    }
}

/// `Ax`.
pub(crate) fn apply(a: &[f64], x: &[f64], into: &mut [f64]) {
    for (into, row) in into.iter_mut().zip(a.chunks_exact(x.len())) {
        *into = dot(row, x);
    }
}

/// `Aᵀz` of a z that is mostly zero, as the points of a rule are.
pub(crate) fn combine_rows(a: &[f64], z: &[f64], into: &mut [f64]) {
    into.fill(0.0);
    let rows = a.chunks_exact(z.len()).zip(z);
    for (row, z) in rows.filter(|(_, z)| **z != 0.0) {
        for (into, a) in into.iter_mut().zip(row) {
            *into += a * z;
        }
    }
}

#[inline(always)]
fn add_scaled_body(scale: f64, from: &[f64], into: &mut [f64]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += scale * from;
    }
}

simd_dispatch! {
    fn add_scaled_wide(scale: f64, from: &[f64], into: &mut [f64]) = add_scaled_body;
}

/// `into += scale · from`.
pub(crate) fn add_scaled(scale: f64, from: &[f64], into: &mut [f64]) {
    // Less than a register: asking for the CPU would take longer.
    if from.len() < 8 {
        add_scaled_body(scale, from, into);
    } else {
        add_scaled_wide(scale, from, into);
    }
}

/// `into += Aᵀx`.
pub(crate) fn add_transposed(a: &[f64], x: &[f64], into: &mut [f64]) {
    if let ([a], [x], [into]) = (a, x, &mut *into) {
        *into += x * a;
    } else {
        add_product(x, a, into, x.len());
    }
}

/// Σ aᵢbᵢ; of two symmetric matrices, the trace of their product.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `xᵀAx`.
pub(crate) fn quadratic_form(a: &[f64], x: &[f64]) -> f64 {
    let rows = a.chunks_exact(x.len().max(1)).zip(x);
    rows.map(|(row, xi)| xi * dot(row, x)).sum()
}

/// `(A + Aᵀ)/2` in its place.
pub(crate) fn symmetrise(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (a[i * n + j] + a[j * n + i]);
            a[i * n + j] = mean;
            a[j * n + i] = mean;
        }
    }
}

/// The symmetric matrix `[n, n]` of a lower triangle, row after row.
pub(crate) fn symmetric_of_lower(n: usize, lower: &[f64]) -> Vec<f64> {
    let entry = |at: usize| {
        let (i, j) = ((at / n).max(at % n), (at / n).min(at % n));
        lower[i * (i + 1) / 2 + j]
    };
    (0..n * n).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_and_its_inverse() {
        let a = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];
        let mut l = a;
        cholesky(&mut l, 3).unwrap();
        let (mut turned, mut back) = ([0.0; 9], [0.0; 9]);
        transpose(&l, &mut turned, 3);
        product(&l, &turned, &mut back, 3);
        let (mut inverse, mut li) = ([0.0; 9], [0.0; 9]);
        invert_lower(&l, &mut li, 3);
        lower_gram(&li, &mut inverse, 3);
        let mut one = [0.0; 9];
        product(&a, &inverse, &mut one, 3);
        for i in 0..9 {
            assert!((back[i] - a[i]).abs() < 1e-14);
            assert!((one[i] - f64::from(u8::from(i % 4 == 0))).abs() < 1e-14);
        }
        let mut wrong = [1.0, 2.0, 2.0, 1.0];
        assert_eq!(cholesky(&mut wrong, 2).unwrap_err().0, 1);
    }

    /// Every size, with code of its own or without, on this CPU's registers or not, against plain loops that add
    /// in the same order: bit for bit.
    #[test]
    fn every_way_rounds_alike() {
        for n in 1..=18usize {
            let wave = |i: usize, j: usize| (1.0 + (i * 7 + j * 3) as f64).sin();
            let a: Vec<f64> = (0..n * n).map(|k| wave(k / n, k % n)).collect();
            let b: Vec<f64> = (0..n * n).map(|k| wave(k % n, k / n + 2)).collect();
            let sum = |terms: &mut dyn Iterator<Item = f64>| terms.fold(0.0, |s, t| s + t);
            let plain = |of: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
                (0..n * n).map(|k| of(k / n, k % n)).collect()
            };
            let run = |way: &dyn Fn(&mut [f64])| {
                let mut into = vec![f64::NAN; n * n];
                way(&mut into);
                into
            };
            let ab = plain(&|i, j| sum(&mut (0..n).map(|k| a[i * n + k] * b[k * n + j])));
            assert_eq!(run(&|into| product(&a, &b, into, n)), ab, "AB, n = {n}");
            let atb = plain(&|i, j| sum(&mut (0..n).map(|k| a[k * n + i] * b[k * n + j])));
            assert_eq!(
                run(&|into| transposed_product(&a, &b, into, n)),
                atb,
                "AᵀB, n = {n}"
            );
            let mut more = b.clone();
            add_scaled(0.3, &a, &mut more);
            let scaled: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b + 0.3 * a).collect();
            assert_eq!(more, scaled);

            let spd = plain(&|i, j| {
                let gram = sum(&mut (0..n).map(|k| a[k * n + i] * a[k * n + j]));
                gram + if i == j { 0.5 } else { 0.0 }
            });
            let mut l = plain(&|_, _| 0.0);
            for j in 0..n {
                for i in j..n {
                    let mut rest = spd[i * n + j];
                    (0..j).for_each(|k| rest -= l[i * n + k] * l[j * n + k]);
                    l[i * n + j] = if i == j {
                        rest.sqrt()
                    } else {
                        rest / l[j * n + j]
                    };
                }
            }
            let factor = run(&|into| {
                into.copy_from_slice(&spd);
                cholesky(into, n).unwrap();
            });
            assert_eq!(factor, l, "L, n = {n}");
            let mut inverse = plain(&|_, _| 0.0);
            for j in 0..n {
                inverse[j * n + j] = 1.0 / l[j * n + j];
                for i in j + 1..n {
                    let total = sum(&mut (j..i).map(|k| l[i * n + k] * inverse[k * n + j]));
                    inverse[i * n + j] = -total / l[i * n + i];
                }
            }
            assert_eq!(
                run(&|into| invert_lower(&l, into, n)),
                inverse,
                "L⁻¹, n = {n}"
            );
            let gram = plain(&|i, j| sum(&mut (i.max(j)..n).map(|k| l[k * n + i] * l[k * n + j])));
            assert_eq!(run(&|into| lower_gram(&l, into, n)), gram, "LᵀL, n = {n}");
        }
    }
}
