//! Sums of outer products over time: expected transitions.

use super::products::add_scaled;
use crate::simd_dispatch;

/// Adds Σ_t x_t y_tᵀ to rows i … i + R − 1 and columns n … n + C − 1 of `into` `[K, K]`, kept in registers
/// from the first t to the last.
#[inline(always)]
fn tile<const R: usize, const C: usize>(
    k: usize,
    (i, n): (usize, usize),
    left: &[f64],
    right: &[f64],
    into: &mut [f64],
) {
    let mut sums = [[0.0; C]; R];
    for (r, sums) in sums.iter_mut().enumerate() {
        if let Some(row) = into[(i + r) * k + n..].first_chunk::<C>() {
            *sums = *row;
        }
    }
    for (x, y) in left.chunks_exact(k).zip(right.chunks_exact(k)) {
        if let (Some(x), Some(y)) = (x[i..].first_chunk::<R>(), y[n..].first_chunk::<C>()) {
            for r in 0..R {
                add_scaled(&mut sums[r], x[r], y);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        if let Some(row) = into[(i + r) * k + n..].first_chunk_mut::<C>() {
            *row = *sums;
        }
    }
}

#[inline(always)]
fn band<const R: usize>(k: usize, i: usize, left: &[f64], right: &[f64], into: &mut [f64]) {
    let mut n = 0;
    while n + 8 <= k {
        tile::<R, 8>(k, (i, n), left, right, into);
        n += 8;
    }
    while n + 4 <= k {
        tile::<R, 4>(k, (i, n), left, right, into);
        n += 4;
    }
    while n < k {
        tile::<R, 1>(k, (i, n), left, right, into);
        n += 1;
    }
}

#[inline(always)]
fn body(left: &[f64], right: &[f64], into: &mut [f64]) {
    let k = into.len().isqrt();
    let mut i = 0;
    while i + 4 <= k {
        band::<4>(k, i, left, right, into);
        i += 4;
    }
    while i < k {
        band::<1>(k, i, left, right, into);
        i += 1;
    }
}

simd_dispatch! {
    /// `into` `[K, K]` += Σ_t x_t y_tᵀ for the rows x_t, y_t of `left` and `right`, each `[T, K]`: one row,
    /// or better several at once.
    pub(crate) fn add_outer(left: &[f64], right: &[f64], into: &mut [f64]) = body;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_its_sum_over_time() {
        for k in 1..20 {
            let left: Vec<f64> = (0..5 * k).map(|n| (n * n % 17) as f64).collect();
            let right: Vec<f64> = (0..5 * k).map(|n| (n * 7 % 11) as f64).collect();
            let mut found = vec![1.0; k * k];
            add_outer(&left, &right, &mut found);
            for (n, found) in found.iter().enumerate() {
                let (i, j) = (n / k, n % k);
                let sum: f64 = (0..5).map(|t| left[t * k + i] * right[t * k + j]).sum();
                assert_eq!(*found, 1.0 + sum);
            }
        }
    }
}
