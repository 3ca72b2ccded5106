//! The arithmetic of one backward step, of smoothing, on K states.

use super::products::{LANES, by_size, product_general, row_by_matrix, rows};
use crate::simd_dispatch;

/// γ_j / pred_j above this is not multiplied out but computed kernel by kernel: a sum over a long
/// sequence of numbers below it stays far from the largest double.
const LARGEST_RATIO: f64 = 1e100;

/// ρ = γ ⊘ pred in the place of pred (`predicted`), 0 where pred = 0; whether every entry is below
/// [`LARGEST_RATIO`].
#[inline(always)]
fn ratios(after: &[f64], predicted: &mut [f64]) -> bool {
    let mut largest = [0.0; LANES];
    let largest_of = |a: f64, b: f64| if a > b { a } else { b };
    // Divided first and chosen after: a choice between numbers needs no jump.
    let ratio = |g: f64, p: f64| {
        let ratio = g / p;
        if p > 0.0 { ratio } else { 0.0 }
    };
    let (blocks, rest) = predicted.as_chunks_mut::<LANES>();
    let (after, after_rest) = after.as_chunks::<LANES>();
    for (block, after) in blocks.iter_mut().zip(after) {
        for j in 0..LANES {
            block[j] = ratio(after[j], block[j]);
            largest[j] = largest_of(block[j], largest[j]);
        }
    }
    for ((p, g), largest) in rest.iter_mut().zip(after_rest).zip(&mut largest) {
        *p = ratio(*g, *p);
        *largest = largest_of(*p, *largest);
    }
    let [a, b, c, d, e, f, g, h] = largest;
    let [a, b, c, d] = [(a, e), (b, f), (c, g), (d, h)].map(|(x, y)| largest_of(x, y));
    largest_of(largest_of(a, b), largest_of(c, d)) < LARGEST_RATIO
}

#[inline(always)]
fn backward_fixed<const K: usize>(
    after: &[f64],
    belief: &[f64],
    transition: &[f64],
    transposed: &[f64],
    ratio: &mut [f64],
    marginal: &mut [f64],
) -> bool {
    let (Some(belief), Some(transition), Some(transposed), Some(ratio), Some(marginal)) = (
        belief.first_chunk::<K>(),
        rows::<K>(transition),
        rows::<K>(transposed),
        ratio.first_chunk_mut::<K>(),
        marginal.first_chunk_mut::<K>(),
    ) else {
        return false;
    };
    let Some(after) = after.first_chunk::<K>() else {
        return false;
    };
    *ratio = row_by_matrix(belief, transition);
    if !ratios(after, ratio) {
        return false;
    }
    let pulled = row_by_matrix(ratio, transposed);
    *marginal = std::array::from_fn(|i| belief[i] * pulled[i]);
    true
}

#[inline(always)]
fn backward_general(
    after: &[f64],
    belief: &[f64],
    transition: &[f64],
    transposed: &[f64],
    ratio: &mut [f64],
    marginal: &mut [f64],
) -> bool {
    product_general(belief, transition, ratio);
    if !ratios(after, ratio) {
        return false;
    }
    product_general(ratio, transposed, marginal);
    marginal.iter_mut().zip(belief).for_each(|(g, q)| *g *= q);
    true
}

#[inline(always)]
fn backward_body(
    after: &[f64],
    belief: &[f64],
    transition: &[f64],
    transposed: &[f64],
    ratio: &mut [f64],
    marginal: &mut [f64],
) -> bool {
    debug_assert!(
        after.len() == belief.len()
            && ratio.len() == belief.len()
            && marginal.len() == belief.len()
    );
    by_size!(
        belief.len(),
        backward_fixed,
        backward_general,
        (after, belief, transition, transposed, ratio, marginal)
    )
}

simd_dispatch! {
    /// ρ = γ_{t+1} ⊘ (q_t A) into `ratio` and γ_t = q_t ⊙ (A ρ) into `marginal`, from γ_{t+1} (`after`),
    /// q_t (`belief`), A and Aᵀ. The prediction q_t A is computed again: to have kept it costs more time
    /// than that, in memory. False, with γ_t not computed, where an entry of ρ is too large to be
    /// multiplied with.
    pub(crate) fn backward(
        after: &[f64],
        belief: &[f64],
        transition: &[f64],
        transposed: &[f64],
        ratio: &mut [f64],
        marginal: &mut [f64],
    ) -> bool = backward_body;
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
            let (v, q, m) = (numbers(k, 1), numbers(k, 7), numbers(k * k, 3));
            let (mut p, mut p2) = (vec![0.0; k], vec![0.0; k]);
            let m2 = numbers(k * k, 11);
            let (mut g, mut g2) = (vec![0.0; k], vec![0.0; k]);
            assert!(backward(&q, &v, &m, &m2, &mut p, &mut g));
            assert!(backward_general(&q, &v, &m, &m2, &mut p2, &mut g2));
            assert_eq!((p, g), (p2, g2));
        }
    }
}
