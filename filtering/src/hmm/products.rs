//! The arithmetic of one step on K states: products with A, written for K known to the compiler.
//!
//! K = 2, 3, 4, 8, 16 and 32 have code of their own, without a loop count to look up; every other K takes
//! the general code, eight columns at a time. All of them add in the same order, so that the same
//! numbers come out bit for bit whichever runs, on whichever processor.

use crate::widest::widest;

/// The columns that the general code takes at once, and the partial sums of a total.
const LANES: usize = 8;

/// Rows i, i + 4, i + 8 … are summed apart: four short chains of additions instead of a long one.
const CHAINS: usize = 4;

/// Runs the body for the K at hand: `fixed::<K>(…)` where there is one, or else `general(…)`.
macro_rules! by_size {
    ($k:expr, $fixed:ident, $general:ident, ($($arg:expr),*)) => {
        match $k {
            2 => $fixed::<2>($($arg),*),
            3 => $fixed::<3>($($arg),*),
            4 => $fixed::<4>($($arg),*),
            8 => $fixed::<8>($($arg),*),
            16 => $fixed::<16>($($arg),*),
            32 => $fixed::<32>($($arg),*),
            _ => $general($($arg),*),
        }
    };
}

/// v M for an array of columns.
#[inline(always)]
fn row_by_matrix<const K: usize>(v: &[f64; K], matrix: &[[f64; K]]) -> [f64; K] {
    let mut sums = [[0.0; K]; CHAINS];
    for (i, (x, row)) in v.iter().zip(matrix).enumerate() {
        let sum = &mut sums[i % CHAINS];
        for j in 0..K {
            sum[j] += x * row[j];
        }
    }
    let [a, b, c, d] = sums;
    std::array::from_fn(|j| (a[j] + b[j]) + (c[j] + d[j]))
}

/// Σ_j u_j in eight partial sums.
#[inline(always)]
fn total(values: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
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
fn product_fixed<const K: usize>(v: &[f64], matrix: &[f64], into: &mut [f64]) {
    // The sizes are those of a checked model; a caller's mistake leaves `into` as it was.
    if let (Some(v), Some(into)) = (v.first_chunk::<K>(), into.first_chunk_mut::<K>()) {
        *into = row_by_matrix(v, matrix.as_chunks::<K>().0);
    }
}

#[inline(always)]
fn product_general(v: &[f64], matrix: &[f64], into: &mut [f64]) {
    let k = v.len();
    let (blocks, rest) = into.as_chunks_mut::<LANES>();
    let start = blocks.len() * LANES;
    for (n, block) in blocks.iter_mut().enumerate() {
        let mut sums = [[0.0; LANES]; CHAINS];
        for (i, (x, row)) in v.iter().zip(matrix.chunks_exact(k)).enumerate() {
            if let Some(row) = row[n * LANES..].first_chunk::<LANES>() {
                let sum = &mut sums[i % CHAINS];
                for j in 0..LANES {
                    sum[j] += x * row[j];
                }
            }
        }
        let [a, b, c, d] = sums;
        *block = std::array::from_fn(|j| (a[j] + b[j]) + (c[j] + d[j]));
    }
    let mut sums = [[0.0; LANES]; CHAINS];
    for (i, (x, row)) in v.iter().zip(matrix.chunks_exact(k)).enumerate() {
        for (sum, a) in sums[i % CHAINS].iter_mut().zip(&row[start..]) {
            *sum += x * a;
        }
    }
    let [a, b, c, d] = sums;
    for (j, into) in rest.iter_mut().enumerate() {
        *into = (a[j] + b[j]) + (c[j] + d[j]);
    }
}

#[inline(always)]
fn product_body(v: &[f64], matrix: &[f64], into: &mut [f64]) {
    by_size!(v.len(), product_fixed, product_general, (v, matrix, into))
}

widest! {
    /// v M for v `[K]` and M `[K, K]`, into `[K]`.
    pub(crate) fn product(v: &[f64], matrix: &[f64], into: &mut [f64]) = product_body;
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
    by_size!(
        predicted.len(),
        weigh_fixed,
        weigh_general,
        (predicted, likelihood, belief)
    )
}

widest! {
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
    product_fixed::<K>(before, transition, predicted);
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
    by_size!(
        before.len(),
        forward_fixed,
        forward_general,
        (before, transition, likelihood, predicted, belief)
    )
}

widest! {
    /// `predicted` = q_{t−1} A, then [`weigh`], at once.
    pub(crate) fn forward(
        before: &[f64],
        transition: &[f64],
        likelihood: &[f64],
        predicted: &mut [f64],
        belief: &mut [f64],
    ) -> f64 = forward_body;
}

/// γ_j / pred_j above this is not multiplied out but computed kernel by kernel: a sum over a long
/// sequence of numbers below it stays far from the largest double.
const LARGEST_RATIO: f64 = 1e100;

/// ρ = γ ⊘ pred, 0 where pred = 0; whether every entry is below [`LARGEST_RATIO`].
#[inline(always)]
fn ratios(after: &[f64], predicted: &[f64], rho: &mut [f64]) -> bool {
    let mut largest = 0.0;
    for ((r, g), p) in rho.iter_mut().zip(after).zip(predicted) {
        let ratio = g / p;
        *r = if *p > 0.0 { ratio } else { 0.0 };
        largest = if *r > largest { *r } else { largest };
    }
    largest < LARGEST_RATIO
}

#[inline(always)]
fn backward_fixed<const K: usize>(
    after: &[f64],
    predicted: &[f64],
    belief: &[f64],
    transposed: &[f64],
    rho: &mut [f64],
    marginal: &mut [f64],
) -> bool {
    let (Some(after), Some(predicted), Some(belief), Some(rho), Some(marginal)) = (
        after.first_chunk::<K>(),
        predicted.first_chunk::<K>(),
        belief.first_chunk::<K>(),
        rho.first_chunk_mut::<K>(),
        marginal.first_chunk_mut::<K>(),
    ) else {
        return false;
    };
    if !ratios(after, predicted, rho) {
        return false;
    }
    let pulled = row_by_matrix(rho, transposed.as_chunks::<K>().0);
    *marginal = std::array::from_fn(|i| belief[i] * pulled[i]);
    true
}

#[inline(always)]
fn backward_general(
    after: &[f64],
    predicted: &[f64],
    belief: &[f64],
    transposed: &[f64],
    rho: &mut [f64],
    marginal: &mut [f64],
) -> bool {
    if !ratios(after, predicted, rho) {
        return false;
    }
    product_general(rho, transposed, marginal);
    marginal.iter_mut().zip(belief).for_each(|(g, q)| *g *= q);
    true
}

#[inline(always)]
fn backward_body(
    after: &[f64],
    predicted: &[f64],
    belief: &[f64],
    transposed: &[f64],
    rho: &mut [f64],
    marginal: &mut [f64],
) -> bool {
    by_size!(
        belief.len(),
        backward_fixed,
        backward_general,
        (after, predicted, belief, transposed, rho, marginal)
    )
}

widest! {
    /// ρ = γ_{t+1} ⊘ pred_{t+1} and γ_t = q_t ⊙ (A ρ) from γ_{t+1} (`after`), pred_{t+1}, q_t (`belief`)
    /// and Aᵀ. False, with γ_t not computed, where an entry of ρ is too large to be multiplied with.
    pub(crate) fn backward(
        after: &[f64],
        predicted: &[f64],
        belief: &[f64],
        transposed: &[f64],
        rho: &mut [f64],
        marginal: &mut [f64],
    ) -> bool = backward_body;
}

#[inline(always)]
fn add_outer_fixed<const K: usize>(left: &[f64], right: &[f64], into: &mut [f64]) {
    if let Some(right) = right.first_chunk::<K>() {
        for (row, x) in into.as_chunks_mut::<K>().0.iter_mut().zip(left) {
            for j in 0..K {
                row[j] += x * right[j];
            }
        }
    }
}

#[inline(always)]
fn add_outer_general(left: &[f64], right: &[f64], into: &mut [f64]) {
    for (row, x) in into.chunks_exact_mut(right.len()).zip(left) {
        row.iter_mut().zip(right).for_each(|(n, y)| *n += x * y);
    }
}

#[inline(always)]
fn add_outer_body(left: &[f64], right: &[f64], into: &mut [f64]) {
    by_size!(
        right.len(),
        add_outer_fixed,
        add_outer_general,
        (left, right, into)
    )
}

widest! {
    /// `into` `[K, K]` += x yᵀ.
    pub(crate) fn add_outer(left: &[f64], right: &[f64], into: &mut [f64]) = add_outer_body;
}

/// Aᵀ `[K, K]`.
pub(crate) fn transposed(k: usize, matrix: &[f64]) -> Vec<f64> {
    (0..k * k).map(|n| matrix[(n % k) * k + n / k]).collect()
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
        for k in [2, 3, 4, 8, 16, 32] {
            let (v, l, m) = (numbers(k, 1), numbers(k, 7), numbers(k * k, 3));
            let (mut p, mut q) = (vec![0.0; k], vec![0.0; k]);
            let (mut p2, mut q2) = (p.clone(), q.clone());
            let z = forward(&v, &m, &l, &mut p, &mut q);
            let z2 = forward_general(&v, &m, &l, &mut p2, &mut q2);
            assert_eq!((z, &p, &q), (z2, &p2, &q2));
            let (mut rho, mut g) = (vec![0.0; k], vec![0.0; k]);
            let (mut rho2, mut g2) = (rho.clone(), g.clone());
            assert!(backward(&q, &p, &v, &m, &mut rho, &mut g));
            assert!(backward_general(&q, &p, &v, &m, &mut rho2, &mut g2));
            assert_eq!((rho, g), (rho2, g2));
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
            let mut outer = m.clone();
            add_outer(&v, &found, &mut outer);
            for (n, o) in outer.iter().enumerate() {
                assert_eq!(*o, m[n] + v[n / k] * found[n % k]);
            }
        }
    }
}
