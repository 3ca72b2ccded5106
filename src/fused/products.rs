//! Products of a few rows with a matrix that stays in the cache.
//!
//! ```text
//! C = A·B      a block of R rows of A and W columns of B at a time, whose sums stay in vector registers
//! ```
//!
//! R and W are in [`block_shape`](super::block_shape). A block's B is streamed from the cache at W numbers for every
//! R × W multiply-adds, so the arithmetic and not the memory is the limit. For that it lies in [`Panels`].
//!
//! Unlike the element-wise kernels, which round alike everywhere, these use fused multiply-add only where the CPU
//! has it (as every matrix library does): the last bits of a product depend on the instruction set. Within one set each
//! number of C is the same sum in the same order for any number of rows.

use scotopic_filtering::simd::Portable;
#[cfg(target_arch = "x86_64")]
use scotopic_filtering::simd::{Avx2, Avx512};
use scotopic_filtering::simd_dispatch;

use super::block_shape::BlockShape;
use super::panels::Panels;
use super::rows::{Rows, RowsMut};
use super::vector::Vectors;

/// What a stretch of B may take in a sum of outer products.
const STRETCH_BYTES: usize = 320 << 10;

/// The longest stretch.
const LONGEST: usize = 512;

/// As many columns of A as any block has rows, in whole vectors.
const STRIP: usize = 16;

/// The products of a block.
trait Block: BlockShape {
    /// A block of C = A·B of so many rows, with fused multiply-add or without.
    fn product<const FUSED: bool>(self, rows: usize, a: Rows<'_>, panel: &[f32], c: RowsMut<'_>);

    /// A block of C += Aᵀ·B of so many rows.
    fn add_outer(self, rows: usize, strip: &[[f32; STRIP]], b: Rows<'_>, c: RowsMut<'_>);
}

/// A [`Block`] of a number of vectors in a row, and of up to as many rows as the last number says.
macro_rules! block {
    ($set:ty, $vectors:literal, [$($n:literal)*], $rows:literal) => {
        const _: () = assert!(<$set>::ROWS == $rows && <$set>::COLUMNS == $vectors * <$set>::LANES);

        impl Block for $set {
            #[inline(always)]
            fn product<const FUSED: bool>(self, rows: usize, a: Rows<'_>, panel: &[f32], c: RowsMut<'_>) {
                match rows {
                    $($n => product_block::<Self, FUSED, $n, $vectors>(self, a, panel, c),)*
                    _ => product_block::<Self, FUSED, $rows, $vectors>(self, a, panel, c),
                }
            }

            #[inline(always)]
            fn add_outer(self, rows: usize, strip: &[[f32; STRIP]], b: Rows<'_>, c: RowsMut<'_>) {
                match rows {
                    $($n => add_outer_block::<Self, $n, $vectors>(self, strip, b, c),)*
                    _ => add_outer_block::<Self, $rows, $vectors>(self, strip, b, c),
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
block!(Avx512, 2, [1 2 3 4 5 6 7 8 9 10 11 12], 13);
#[cfg(target_arch = "x86_64")]
block!(Avx2, 2, [1 2 3 4 5], 6);
#[cfg(target_arch = "aarch64")]
block!(Portable, 4, [1 2 3 4 5], 6);
#[cfg(not(target_arch = "aarch64"))]
block!(Portable, 2, [1 2 3 4 5], 6);

simd_dispatch! {
    /// `C = A·B` of `[rows, inner]` and `[inner, columns]`; every column of the padded C is written.
    pub(crate) fn product(rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) = product_body(SET);
}

simd_dispatch! {
    /// As [`product`] without fused multiply-add: slower, and the same bits on every CPU.
    pub(crate) fn unfused_product(rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) = unfused_body(SET);
}

simd_dispatch! {
    /// `C += Aᵀ·B` of `[inner, rows]` and `[inner, columns]`: a sum of outer products.
    pub(crate) fn add_outer(rows: usize, inner: usize, a: Rows<'_>, b: Rows<'_>, c: RowsMut<'_>) = add_outer_body(SET);
}

/// `(first row, rows)` of blocks of nearly equal height, at most `most`.
#[inline(always)]
fn blocks(rows: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = rows.div_ceil(most);
    (0..count).map(move |i| {
        let (from, to) = (i * rows / count, (i + 1) * rows / count);
        (from, to - from)
    })
}

#[inline(always)]
fn product_body<S: Block>(set: S, rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) {
    by_blocks::<S, true>(set, rows, a, b, c);
}

#[inline(always)]
fn unfused_body<S: Block>(set: S, rows: usize, a: Rows<'_>, b: &Panels, c: RowsMut<'_>) {
    by_blocks::<S, false>(set, rows, a, b, c);
}

#[inline(always)]
fn by_blocks<S: Block, const FUSED: bool>(
    set: S,
    rows: usize,
    a: Rows<'_>,
    b: &Panels,
    c: RowsMut<'_>,
) {
    for column in (0..c.pitch).step_by(S::COLUMNS) {
        for (first, height) in blocks(rows, S::ROWS) {
            let a = Rows {
                values: &a.values[first * a.pitch..],
                ..a
            };
            let c = RowsMut {
                values: &mut c.values[first * c.pitch + column..],
                pitch: c.pitch,
            };
            set.product::<FUSED>(height, a, b.panel_at(column), c);
        }
    }
}

#[inline(always)]
fn product_block<S: Vectors, const FUSED: bool, const N: usize, const V: usize>(
    set: S,
    a: Rows<'_>,
    panel: &[f32],
    c: RowsMut<'_>,
) {
    let width = V * S::LANES;
    let inner = panel.len() / width;
    let mut sums = [[set.splat(0.0); V]; N];
    let rows: [&[f32]; N] = std::array::from_fn(|r| &a.values[r * a.pitch..][..inner]);
    for (p, row) in panel.chunks_exact(width).enumerate() {
        let b: [S::Vector; V] = std::array::from_fn(|v| set.load(&row[v * S::LANES..]));
        for r in 0..N {
            let x = set.splat(rows[r][p]);
            for v in 0..V {
                sums[r][v] = if FUSED {
                    set.multiply_add(x, b[v], sums[r][v])
                } else {
                    set.add(sums[r][v], set.multiply(x, b[v]))
                };
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let c = &mut c.values[r * c.pitch..][..width];
        for (v, sum) in sums.iter().enumerate() {
            set.store(*sum, &mut c[v * S::LANES..]);
        }
    }
}

#[inline(always)]
fn add_outer_body<S: Block>(
    set: S,
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
        for (first, height) in blocks(rows, S::ROWS) {
            for (p, to) in strip[..inner].iter_mut().enumerate() {
                let from = &a.values[(start + p) * a.pitch + first..];
                match from.first_chunk() {
                    Some(more) => *to = *more, // of known length: a load, where the other way is a call
                    None => to[..height].copy_from_slice(&from[..height]),
                }
            }
            for column in (0..c.pitch).step_by(S::COLUMNS) {
                let b = Rows {
                    values: &b.values[start * b.pitch + column..],
                    ..b
                };
                let c = RowsMut {
                    values: &mut c.values[first * c.pitch + column..],
                    pitch: c.pitch,
                };
                set.add_outer(height, &strip[..inner], b, c);
            }
        }
    }
}

#[inline(always)]
fn add_outer_block<S: Vectors, const N: usize, const V: usize>(
    set: S,
    strip: &[[f32; STRIP]],
    b: Rows<'_>,
    c: RowsMut<'_>,
) {
    let width = V * S::LANES;
    let mut sums = [[set.splat(0.0); V]; N];
    for (p, column) in strip.iter().enumerate() {
        let row = &b.values[p * b.pitch..][..width];
        let b: [S::Vector; V] = std::array::from_fn(|v| set.load(&row[v * S::LANES..]));
        for r in 0..N {
            let x = set.splat(column[r]);
            for v in 0..V {
                sums[r][v] = set.multiply_add(x, b[v], sums[r][v]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let c = &mut c.values[r * c.pitch..][..width];
        for (v, sum) in sums.iter().enumerate() {
            let c = &mut c[v * S::LANES..];
            set.store(set.add(set.load(c), *sum), c);
        }
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
