//! The arithmetic of one step on K states: products with A, written for K known to the compiler.
//!
//! K = 2 to 8, 16 and 32 have code of their own, without a loop count to look up; every other K takes
//! the general code. All of them add in the same order, so that the same numbers come out bit for bit
//! whichever runs, on whichever CPU.

use crate::math::square::transpose;
use crate::simd_dispatch;

/// The columns taken at once: one register of the widest kind, and the partial sums of a total.
pub(super) const LANES: usize = 8;

/// Rows i, i + 4, i + 8 … are summed apart: four short chains of additions instead of a long one.
const CHAINS: usize = 4;

/// Runs the code for the K at hand: `fixed::<K>(…)` where there is one, or else `general(…)`.
macro_rules! by_size {
    ($k:expr, $fixed:ident, $general:ident, ($($arg:expr),*)) => {
        match $k {
            2 => $fixed::<2>($($arg),*),
            3 => $fixed::<3>($($arg),*),
            4 => $fixed::<4>($($arg),*),
            5 => $fixed::<5>($($arg),*),
            6 => $fixed::<6>($($arg),*),
            7 => $fixed::<7>($($arg),*),
            8 => $fixed::<8>($($arg),*),
            16 => $fixed::<16>($($arg),*),
            32 => $fixed::<32>($($arg),*),
            _ => $general($($arg),*),
        }
    };
}

pub(super) use by_size;

/// C sums in [`CHAINS`] parts. They start at −0, which leaves what is added to it as it is.
type Sums<const C: usize> = [[f64; C]; CHAINS];

/// Adds x · row to the sums.
#[inline(always)]
pub(super) fn add_scaled<const C: usize>(sums: &mut [f64; C], x: f64, row: &[f64; C]) {
    for j in 0..C {
        sums[j] += x * row[j];
    }
}

#[inline(always)]
fn joined<const C: usize>([a, b, c, d]: Sums<C>) -> [f64; C] {
    std::array::from_fn(|j| (a[j] + b[j]) + (c[j] + d[j]))
}

/// Entries `from` to `from + C − 1` of v M, for K the compiler knows.
#[inline(always)]
fn columns_fixed<const C: usize, const K: usize>(
    v: &[f64; K],
    matrix: &[[f64; K]; K],
    from: usize,
    into: &mut [f64; K],
) {
    let mut sums = [[-0.0; C]; CHAINS];
    let (quads, rest) = v.as_chunks::<CHAINS>();
    let (blocks, last) = matrix.as_chunks::<CHAINS>();
    for (quad, block) in quads.iter().zip(blocks) {
        for i in 0..CHAINS {
            if let Some(row) = block[i][from..].first_chunk::<C>() {
                add_scaled(&mut sums[i], quad[i], row);
            }
        }
    }
    for ((sums, x), row) in sums.iter_mut().zip(rest).zip(last) {
        if let Some(row) = row[from..].first_chunk::<C>() {
            add_scaled(sums, *x, row);
        }
    }
    if let Some(into) = into[from..].first_chunk_mut::<C>() {
        *into = joined(sums);
    }
}

#[inline(always)]
pub(super) fn row_by_matrix<const K: usize>(v: &[f64; K], matrix: &[[f64; K]; K]) -> [f64; K] {
    let mut into = [0.0; K];
    let mut from = 0;
    while from + LANES <= K {
        columns_fixed::<LANES, K>(v, matrix, from, &mut into);
        from += LANES;
    }
    while from + 4 <= K {
        columns_fixed::<4, K>(v, matrix, from, &mut into);
        from += 4;
    }
    while from < K {
        columns_fixed::<1, K>(v, matrix, from, &mut into);
        from += 1;
    }
    into
}

/// A flat matrix as rows of an array.
#[inline(always)]
pub(super) fn rows<const K: usize>(matrix: &[f64]) -> Option<&[[f64; K]; K]> {
    matrix.as_chunks::<K>().0.first_chunk::<K>()
}

/// Entries `from` to `from + C − 1` of v M, for any K.
#[inline(always)]
fn columns_general<const C: usize>(v: &[f64], matrix: &[f64], from: usize, into: &mut [f64]) {
    let k = v.len();
    let mut sums = [[-0.0; C]; CHAINS];
    let (quads, rest) = v.as_chunks::<CHAINS>();
    let mut blocks = matrix.chunks_exact(CHAINS * k);
    for (quad, block) in quads.iter().zip(&mut blocks) {
        for i in 0..CHAINS {
            if let Some(row) = block[i * k + from..].first_chunk::<C>() {
                add_scaled(&mut sums[i], quad[i], row);
            }
        }
    }
    let last = matrix[quads.len() * CHAINS * k..].chunks_exact(k);
    for ((sums, x), row) in sums.iter_mut().zip(rest).zip(last) {
        if let Some(row) = row[from..].first_chunk::<C>() {
            add_scaled(sums, *x, row);
        }
    }
    if let Some(into) = into[from..].first_chunk_mut::<C>() {
        *into = joined(sums);
    }
}

#[inline(always)]
fn product_fixed<const K: usize>(v: &[f64], matrix: &[f64], into: &mut [f64]) {
    if let (Some(v), Some(matrix), Some(into)) =
        (v.first_chunk(), rows::<K>(matrix), into.first_chunk_mut())
    {
        *into = row_by_matrix(v, matrix);
    }
}

#[inline(always)]
pub(super) fn product_general(v: &[f64], matrix: &[f64], into: &mut [f64]) {
    let mut from = 0;
    while from + LANES <= into.len() {
        columns_general::<LANES>(v, matrix, from, into);
        from += LANES;
    }
    while from + 4 <= into.len() {
        columns_general::<4>(v, matrix, from, into);
        from += 4;
    }
    while from < into.len() {
        columns_general::<1>(v, matrix, from, into);
        from += 1;
    }
}

#[inline(always)]
fn product_body(v: &[f64], matrix: &[f64], into: &mut [f64]) {
    debug_assert!(matrix.len() >= v.len() * v.len() && into.len() == v.len());
    by_size!(v.len(), product_fixed, product_general, (v, matrix, into))
}

simd_dispatch! {
    /// v M for v `[K]` and M `[K, K]`, into `[K]`.
    pub(crate) fn product(v: &[f64], matrix: &[f64], into: &mut [f64]) = product_body;
}

/// Σ_j u_j in eight partial sums.
#[inline(always)]
fn total(values: &[f64]) -> f64 {
    let mut lanes = [-0.0; LANES];
    let (blocks, rest) = values.as_chunks::<LANES>();
    for block in blocks {
        for j in 0..LANES {
            lanes[j] += block[j];
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += value;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[inline(always)]
fn weigh_fixed<const K: usize>(predicted: &[f64], likelihood: &[f64], belief: &mut [f64]) -> f64 {
    match (
        predicted.first_chunk::<K>(),
        likelihood.first_chunk::<K>(),
        belief.first_chunk_mut::<K>(),
    ) {
        (Some(predicted), Some(likelihood), Some(belief)) => {
            weigh_general(predicted, likelihood, belief)
        }
        _ => 0.0,
    }
}

#[inline(always)]
fn weigh_general(predicted: &[f64], likelihood: &[f64], belief: &mut [f64]) -> f64 {
    for ((u, p), l) in belief.iter_mut().zip(predicted).zip(likelihood) {
        *u = p * l;
    }
    let z = total(belief);
    let scale = 1.0 / z;
    belief.iter_mut().for_each(|u| *u *= scale);
    z
}

#[inline(always)]
fn weigh_body(predicted: &[f64], likelihood: &[f64], belief: &mut [f64]) -> f64 {
    debug_assert!(likelihood.len() == predicted.len() && belief.len() == predicted.len());
    by_size!(
        predicted.len(),
        weigh_fixed,
        weigh_general,
        (predicted, likelihood, belief)
    )
}

simd_dispatch! {
    /// q = p ⊙ l / z into `belief` `[K]`; z = Σ_j p_j l_j.
    pub(crate) fn weigh(predicted: &[f64], likelihood: &[f64], belief: &mut [f64]) -> f64 = weigh_body;
}

#[inline(always)]
fn forward_fixed<const K: usize>(
    before: &[f64],
    transition: &[f64],
    likelihood: &[f64],
    predicted: &mut [f64],
    belief: &mut [f64],
) -> f64 {
    let (Some(before), Some(transition), Some(into)) = (
        before.first_chunk::<K>(),
        rows::<K>(transition),
        predicted.first_chunk_mut::<K>(),
    ) else {
        return 0.0;
    };
    *into = row_by_matrix(before, transition);
    weigh_fixed::<K>(predicted, likelihood, belief)
}

#[inline(always)]
fn forward_general(
    before: &[f64],
    transition: &[f64],
    likelihood: &[f64],
    predicted: &mut [f64],
    belief: &mut [f64],
) -> f64 {
    product_general(before, transition, predicted);
    weigh_general(predicted, likelihood, belief)
}

#[inline(always)]
fn forward_body(
    before: &[f64],
    transition: &[f64],
    likelihood: &[f64],
    predicted: &mut [f64],
    belief: &mut [f64],
) -> f64 {
    debug_assert!(
        transition.len() >= before.len() * before.len() && predicted.len() == before.len()
    );
    by_size!(
        before.len(),
        forward_fixed,
        forward_general,
        (before, transition, likelihood, predicted, belief)
    )
}

simd_dispatch! {
    /// `predicted` = q_{t−1} A, then [`weigh`], at once.
    pub(crate) fn forward(
        before: &[f64],
        transition: &[f64],
        likelihood: &[f64],
        predicted: &mut [f64],
        belief: &mut [f64],
    ) -> f64 = forward_body;
}

/// Aᵀ `[K, K]`.
pub(crate) fn transposed(k: usize, matrix: &[f64]) -> Vec<f64> {
    let mut into = vec![0.0; k * k];
    transpose(matrix, &mut into, k);
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers on (0, 1) without a pattern.
    fn numbers(n: usize, seed: usize) -> Vec<f64> {
        (0..n)
            .map(|i| ((i + seed) as f64 * 0.754_877_666).fract() + 1e-3)
            .collect()
    }

    #[test]
    fn own_code_for_a_size_gives_the_general_bits() {
        for k in [2, 3, 4, 5, 6, 7, 8, 16, 32] {
            let (v, l, m) = (numbers(k, 1), numbers(k, 7), numbers(k * k, 3));
            let (mut p, mut q) = (vec![0.0; k], vec![0.0; k]);
            let (mut p2, mut q2) = (p.clone(), q.clone());
            let z = forward(&v, &m, &l, &mut p, &mut q);
            let z2 = forward_general(&v, &m, &l, &mut p2, &mut q2);
            assert_eq!((z, &p, &q), (z2, &p2, &q2));
        }
    }

    #[test]
    fn products_are_sums_of_products() {
        for k in 1..40 {
            let (v, m) = (numbers(k, 2), numbers(k * k, 5));
            let mut found = vec![f64::NAN; k];
            product(&v, &m, &mut found);
            for j in 0..k {
                let expected: f64 = (0..k).map(|i| v[i] * m[i * k + j]).sum();
                assert!((found[j] - expected).abs() < 1e-13 * expected, "{k} {j}");
            }
        }
    }
}
