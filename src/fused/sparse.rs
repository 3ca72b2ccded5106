//! The product of a row that is mostly zeros with a matrix: the rows of those that are none, added up.

use scotopic_filtering::simd_dispatch;

use super::rows::Rows;
use super::vector::Vectors;

simd_dispatch! {
    /// `y = a·B` for one row a that is mostly zeros, given by the places and values of the others: for each number the
    /// same sum as in [`product`](super::products::product), without the terms that are zero.
    pub(crate) fn sparse_product(places: &[u32], values: &[f32], b: Rows<'_>, y: &mut [f32]) = sparse_product_body(SET);
}

simd_dispatch! {
    /// `y = x − a·B`, of the same sums, in the same pass.
    pub(crate) fn sparse_remainder(x: &[f32], places: &[u32], values: &[f32], b: Rows<'_>, y: &mut [f32]) = sparse_remainder_body(SET);
}

#[inline(always)]
fn sparse_product_body<S: Vectors>(
    set: S,
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    y: &mut [f32],
) {
    all_columns::<S, false>(set, &[], places, values, b, y);
}

#[inline(always)]
fn sparse_remainder_body<S: Vectors>(
    set: S,
    x: &[f32],
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    y: &mut [f32],
) {
    all_columns::<S, true>(set, x, places, values, b, y);
}

#[inline(always)]
fn all_columns<S: Vectors, const REMAINDER: bool>(
    set: S,
    x: &[f32],
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    y: &mut [f32],
) {
    // As many sums as registers hold beside what is read: rows are gathered from all over the matrix, and the longer
    // the pieces, the fewer the places.
    let mut column = if S::LANES == 16 {
        by_blocks::<S, 16, REMAINDER>(set, x, places, values, b, 0, y)
    } else {
        by_blocks::<S, 8, REMAINDER>(set, x, places, values, b, 0, y)
    };
    column = by_blocks::<S, 2, REMAINDER>(set, x, places, values, b, column, y);
    debug_assert_eq!(column, y.len(), "rows are padded");
}

/// Whole blocks of V vectors from a column on; the column behind them.
#[inline(always)]
fn by_blocks<S: Vectors, const V: usize, const REMAINDER: bool>(
    set: S,
    x: &[f32],
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    mut column: usize,
    y: &mut [f32],
) -> usize {
    let width = V * S::LANES;
    while column + width <= y.len() {
        let mut sums = [set.splat(0.0); V];
        for (&place, &value) in places.iter().zip(values) {
            let row = &b.values[place as usize * b.pitch + column..][..width];
            let value = set.splat(value);
            for v in 0..V {
                sums[v] = set.multiply_add(value, set.load(&row[v * S::LANES..]), sums[v]);
            }
        }
        if REMAINDER {
            // x + (−1)·sum rounds as x − sum does.
            let x = &x[column..][..width];
            for (v, sum) in sums.iter_mut().enumerate() {
                let minus = set.multiply(*sum, set.splat(-1.0));
                *sum = set.add(set.load(&x[v * S::LANES..]), minus);
            }
        }
        let y = &mut y[column..][..width];
        for (v, sum) in sums.iter().enumerate() {
            set.store(*sum, &mut y[v * S::LANES..]);
        }
        column += width;
    }
    column
}
