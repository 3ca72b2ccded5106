//! The product of a row that is mostly zeros with a matrix: the rows of those that are none, added up.

use super::panels::PANEL;
use super::rows::{Rows, multiply_add};
use scotopic_filtering::simd_dispatch;

simd_dispatch! {
    /// `y = a·B` for one row a that is mostly zeros, given by the places and values of the others.
    pub(crate) fn sparse_product(places: &[u32], values: &[f32], b: Rows<'_>, y: &mut [f32]) = sparse_product_body::<FMA>;
}

#[inline(always)]
fn sparse_product_body<const FMA: bool>(
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    y: &mut [f32],
) {
    /// Eight panels: sixteen registers of AVX-512.
    const WIDE: usize = 8 * PANEL;
    let mut column = 0;
    while column + WIDE <= y.len() {
        sparse_block::<FMA, WIDE>(places, values, b, column, y);
        column += WIDE;
    }
    while column < y.len() {
        sparse_block::<FMA, PANEL>(places, values, b, column, y);
        column += PANEL;
    }
}

#[inline(always)]
fn sparse_block<const FMA: bool, const W: usize>(
    places: &[u32],
    values: &[f32],
    b: Rows<'_>,
    column: usize,
    y: &mut [f32],
) {
    let mut sums = [0f32; W];
    for (&place, &x) in places.iter().zip(values) {
        let row = &b.values[place as usize * b.pitch + column..][..W];
        for l in 0..W {
            sums[l] = multiply_add::<FMA>(x, row[l], sums[l]);
        }
    }
    y[column..column + W].copy_from_slice(&sums);
}
