//! The product of a row that is mostly zeros with a matrix: the rows of those that are none, added up.

use scotopic_filtering::simd_dispatch;

use super::rows::Rows;
use super::vector::Vectors;

simd_dispatch! {
    /// `y = a·B` for one row a that is mostly zeros, given by the places and values of the others: for each number the
    /// same sum as in [`product`](super::products::product), without the terms that are zero.
    pub(crate) fn sparse_product(places: &[u32], values: &[f32], b: Rows<'_>, y: &mut [f32]) = sparse_product_body(SET);
}

#[inline(always)]
fn sparse_product_body<S: Vectors>(
    set: S,
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    y: &mut [f32],
) {
    // As many sums as registers hold beside what is read: rows are gathered from all over the matrix, and the longer
    // the pieces, the fewer the places.
    let mut column = if S::LANES == 16 {
        by_blocks::<S, 16>(set, places, values, b, 0, y)
    } else {
        by_blocks::<S, 8>(set, places, values, b, 0, y)
    };
    column = by_blocks::<S, 2>(set, places, values, b, column, y);
    debug_assert_eq!(column, y.len(), "rows are padded");
}

/// Whole blocks of V vectors from a column on; the column behind them.
#[inline(always)]
fn by_blocks<S: Vectors, const V: usize>(
    set: S,
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    mut column: usize,
    y: &mut [f32],
) -> usize {
    let width = V * S::LANES;
    while column + width <= y.len() {
        let mut sums = [set.splat(0.0); V];
        for (&place, &x) in places.iter().zip(values) {
            let row = &b.values[place as usize * b.pitch + column..][..width];
            let x = set.splat(x);
            for v in 0..V {
                sums[v] = set.multiply_add(x, set.load(&row[v * S::LANES..]), sums[v]);
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
