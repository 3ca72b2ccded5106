//! Products of a few rows with a matrix that stays in the cache.
//!
//! ```text
//! C = A·B      a block of up to 13 rows of A and 32 columns of B at a time: 26 vector registers hold C,
//!              two hold a row of B, one a number of A
//! ```
//!
//! A block's B is streamed from the second-level cache at two vectors for every 13 × 2 multiply-adds, so the
//! arithmetic and not the memory is the limit. For that it lies in [`Panels`].
//!
//! Unlike the element-wise kernels, which round alike everywhere, these use fused multiply-add only where the CPU
//! has it (as every matrix library does): the last bits of a product depend on the CPU.

use super::panels::{PANEL, Panels};
use super::rows::{Rows, RowsMut, multiply_add};
use scotopic_filtering::simd_dispatch;

/// The most rows that a block of C spans.
const BLOCK: usize = 13;

/// What a stretch of B may take in a sum of outer products.
const STRETCH_BYTES: usize = 320 << 10;

/// The longest stretch.
const LONGEST: usize = 512;

/// [`BLOCK`] columns of A in a whole vector.
const STRIP: usize = 16;

simd_dispatch! {
    /// `C = A·B` of `[rows, inner]` and `[inner, columns]`; every column of the padded C is written.
    pub(crate) fn product(rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) = product_body::<FMA>;
}

simd_dispatch! {
    /// As [`product`] without fused multiply-add: slower, and the same bits on every CPU.
    pub(crate) fn unfused_product(rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) = unfused_body;
}

#[inline(always)]
fn unfused_body(rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) {
    product_body::<false>(rows, a, b, c);
}

simd_dispatch! {
    /// `C += Aᵀ·B` of `[inner, rows]` and `[inner, columns]`: a sum of outer products.
    pub(crate) fn add_outer(rows: usize, inner: usize, a: Rows<'_>, b: Rows<'_>, c: RowsMut<'_>) = add_outer_body::<FMA>;
}

/// Picks the block function of `$n` rows.
macro_rules! by_rows {
    ($n:expr, $function:ident, $args:tt) => {
        match $n {
            1 => by_rows!(@call $function, 1, $args),
            2 => by_rows!(@call $function, 2, $args),
            3 => by_rows!(@call $function, 3, $args),
            4 => by_rows!(@call $function, 4, $args),
            5 => by_rows!(@call $function, 5, $args),
            6 => by_rows!(@call $function, 6, $args),
            7 => by_rows!(@call $function, 7, $args),
            8 => by_rows!(@call $function, 8, $args),
            9 => by_rows!(@call $function, 9, $args),
            10 => by_rows!(@call $function, 10, $args),
            11 => by_rows!(@call $function, 11, $args),
            12 => by_rows!(@call $function, 12, $args),
            _ => by_rows!(@call $function, 13, $args),
        }
    };
    (@call $function:ident, $n:literal, ($($arg:expr),*)) => {
        $function::<FMA, $n>($($arg),*)
    };
}

/// `(first row, rows)` of blocks of nearly equal height, at most [`BLOCK`].
#[inline(always)]
fn blocks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = rows.div_ceil(BLOCK);
    (0..count).map(move |i| {
        let (from, to) = (i * rows / count, (i + 1) * rows / count);
        (from, to - from)
    })
}

#[inline(always)]
fn product_body<const FMA: bool>(rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) {
    for (first, height) in blocks(rows) {
        for column in (0..c.pitch).step_by(PANEL) {
            let a = Rows {
                values: &a.values[first * a.pitch..],
                ..a
            };
            let panel = b.panel_at(column);
            let c = RowsMut {
                values: &mut c.values[first * c.pitch + column..],
                pitch: c.pitch,
            };
            by_rows!(height, product_block, (a, panel, c));
        }
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn product_block<const FMA: bool, const N: usize>(
    a: Rows<'_>,
    panel: &[[f32; PANEL]],
    c: RowsMut<'_>,
) {
    let mut sums = [[0f32; PANEL]; N];
    let rows: [&[f32]; N] = std::array::from_fn(|r| &a.values[r * a.pitch..][..panel.len()]);
    for p in 0..panel.len() {
        // A copy: of rows by reference the compiler makes vectors of the N numbers, and is thirty times slower.
        let row = panel[p];
        for r in 0..N {
            let x = rows[r][p];
            for l in 0..PANEL {
                sums[r][l] = multiply_add::<FMA>(x, row[l], sums[r][l]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        c.values[r * c.pitch..][..PANEL].copy_from_slice(sums);
    }
}

#[inline(always)]
fn add_outer_body<const FMA: bool>(
    rows: usize,
    inner: usize,
    a: Rows<'_>,
    b: Rows<'_>,
    c: RowsMut<'_>,
) {
    // A stretch of the sum at a time, of which B stays in the second-level cache while all rows of C pass.
    let stretch = (STRETCH_BYTES / (4 * b.pitch)).clamp(64, LONGEST);
    // A block's columns of A, side by side: where they lie, every line is on another page, and they all want the same
    // few places of the first-level cache.
    let mut strip = [[0f32; STRIP]; LONGEST];
    for start in (0..inner).step_by(stretch) {
        let inner = stretch.min(inner - start);
        for (first, height) in blocks(rows) {
            for (p, to) in strip[..inner].iter_mut().enumerate() {
                let from = &a.values[(start + p) * a.pitch + first..];
                match from.first_chunk() {
                    Some(more) => *to = *more, // of known length: a load, where the other way is a call
                    None => to[..height].copy_from_slice(&from[..height]),
                }
            }
            for column in (0..c.pitch).step_by(PANEL) {
                let b = Rows {
                    values: &b.values[start * b.pitch + column..],
                    ..b
                };
                let c = RowsMut {
                    values: &mut c.values[first * c.pitch + column..],
                    pitch: c.pitch,
                };
                by_rows!(height, add_outer_block, (&strip[..inner], b, c));
            }
        }
    }
}

#[inline(always)]
fn add_outer_block<const FMA: bool, const N: usize>(
    strip: &[[f32; STRIP]],
    b: Rows<'_>,
    c: RowsMut<'_>,
) {
    let strip = strip.as_flattened();
    let Some(last) = strip.len().checked_sub(STRIP) else {
        return; // an empty sum
    };
    let mut sums = [[0f32; PANEL]; N];
    // One strided slice for each row, not N numbers side by side: with those the compiler makes vectors of the
    // N numbers, and the product is thirty times slower.
    let columns: [&[f32]; N] = std::array::from_fn(|r| &strip[r..][..last + 1]);
    for p in 0..strip.len() / STRIP {
        let mut row = [0f32; PANEL];
        row.copy_from_slice(&b.values[p * b.pitch..][..PANEL]);
        for r in 0..N {
            let x = columns[r][p * STRIP];
            for l in 0..PANEL {
                sums[r][l] = multiply_add::<FMA>(x, row[l], sums[r][l]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let c = &mut c.values[r * c.pitch..][..PANEL];
        let mut row = [0f32; PANEL];
        row.copy_from_slice(c);
        for l in 0..PANEL {
            row[l] += sums[l];
        }
        c.copy_from_slice(&row);
    }
}

#[cfg(test)]
mod tests {
    use super::super::panels::padded;
    use super::super::sparse::sparse_product;
    use super::*;

    /// Sums of up to 70 products of numbers below 1.
    const ROUNDING: f32 = 1e-5;

    fn matrix(rows: usize, columns: usize, pitch: usize, from: u32) -> Vec<f32> {
        let key = crate::noise::NoiseKey::new(5).stream(from);
        let mut m = vec![0f32; rows * pitch];
        for r in 0..rows {
            for c in 0..columns {
                let word = key.words((r * columns + c) as u32, 0)[0];
                m[r * pitch + c] = crate::noise::uniform(word) - 0.5;
            }
        }
        m
    }

    #[test]
    fn products_of_every_height_are_sums_of_products() {
        for (rows, inner, columns) in [(1, 7, 5), (13, 3, 32), (14, 70, 33), (30, 64, 300)] {
            let pitch = padded(columns);
            let a = matrix(rows, inner, inner + 2, 1);
            let b = matrix(inner, columns, pitch, 2);
            let exact = |r: usize, c: usize| -> f32 {
                let terms = (0..inner).map(|p| a[r * (inner + 2) + p] * b[p * pitch + c]);
                terms.sum()
            };
            let (a_rows, b_rows) = (
                Rows {
                    values: &a,
                    pitch: inner + 2,
                },
                Rows { values: &b, pitch },
            );
            let mut c = vec![f32::NAN; rows * pitch];
            product(
                rows,
                a_rows,
                &Panels::of(&b, pitch),
                RowsMut {
                    values: &mut c,
                    pitch,
                },
            );
            // A transposed, for the sum of outer products, on top of C itself.
            let mut turned = vec![0f32; inner * rows];
            for r in 0..rows {
                for p in 0..inner {
                    turned[p * rows + r] = a[r * (inner + 2) + p];
                }
            }
            let mut twice = c.clone();
            let turned = Rows {
                values: &turned,
                pitch: rows,
            };
            add_outer(
                rows,
                inner,
                turned,
                b_rows,
                RowsMut {
                    values: &mut twice,
                    pitch,
                },
            );
            for r in 0..rows {
                let places: Vec<u32> = (0..inner as u32).collect();
                let mut y = vec![f32::NAN; pitch];
                sparse_product(&places, &a[r * (inner + 2)..][..inner], b_rows, &mut y);
                assert_eq!(
                    y,
                    c[r * pitch..][..pitch],
                    "the same sums in the same order"
                );
                for j in 0..pitch {
                    let expected = if j < columns { exact(r, j) } else { 0.0 };
                    let title = format!("{rows}×{inner}×{columns} at ({r}, {j})");
                    assert!((c[r * pitch + j] - expected).abs() < ROUNDING, "{title}");
                    let sum = twice[r * pitch + j];
                    assert!((sum - 2.0 * expected).abs() < ROUNDING, "outer, {title}");
                }
            }
        }
    }

    #[test]
    fn leaving_zeros_out_changes_no_bit() {
        let b = matrix(64, 96, 96, 3);
        let a: Vec<f32> = (0..64)
            .map(|k| if k % 5 == 0 { k as f32 } else { 0.0 })
            .collect();
        let mut dense = vec![0f32; 96];
        let rows = Rows {
            values: &b,
            pitch: 96,
        };
        let whole = Rows {
            values: &a,
            pitch: 64,
        };
        product(
            1,
            whole,
            &Panels::of(&b, 96),
            RowsMut {
                values: &mut dense,
                pitch: 96,
            },
        );
        let places: Vec<u32> = (0..64u32).filter(|k| k % 5 == 0).collect();
        let values: Vec<f32> = places.iter().map(|k| *k as f32).collect();
        let mut sparse = vec![0f32; 96];
        sparse_product(&places, &values, rows, &mut sparse);
        assert_eq!(dense, sparse);
    }
}
