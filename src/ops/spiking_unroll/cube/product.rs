//! The product of a few rows with a matrix by one work group.

use cubecl::prelude::*;

/// Numbers that a thread asks for before it waits for the first.
const IN_FLIGHT: usize = 4;

/// `sums[row, i] = Σ_j rows[row, j]·matrix[j, thread + i·threads]`: every thread the columns that it owns, `columns` of
/// them (the last one may lie beyond the matrix, and holds anything).
///
/// `rows` `[rows, inner]`, `matrix` `[inner, outer]`, `sums` `[rows, columns]`.
#[cube]
pub(super) fn product(
    rows: &Shared<[f32]>,
    matrix: &Tensor<f32>,
    sums: &mut Array<f32>,
    #[comptime] count: usize,
    #[comptime] inner: usize,
    #[comptime] outer: usize,
    #[comptime] columns: usize,
) {
    let threads = CUBE_DIM_X as usize;
    let thread = UNIT_POS_X as usize;
    // Only ever indexed by constants, these stay in registers; `sums` may not.
    let mut own = Array::<f32>::new(comptime!(count * columns));
    #[unroll]
    for i in 0..comptime!(count * columns) {
        own[i] = 0.0f32;
    }
    let together = comptime!(IN_FLIGHT.div_ceil(columns).min(inner));
    let whole = comptime!(inner / together * together);
    let mut j = 0usize;
    while j < whole {
        #[unroll]
        for ahead in 0..together {
            add_row(
                rows,
                matrix,
                &mut own,
                j + ahead,
                thread,
                threads,
                count,
                inner,
                outer,
                columns,
            );
        }
        j += together;
    }
    for rest in whole..inner {
        add_row(
            rows, matrix, &mut own, rest, thread, threads, count, inner, outer, columns,
        );
    }
    #[unroll]
    for i in 0..comptime!(count * columns) {
        sums[i] = own[i];
    }
}

/// The terms of one j.
#[cube]
fn add_row(
    rows: &Shared<[f32]>,
    matrix: &Tensor<f32>,
    own: &mut Array<f32>,
    j: usize,
    thread: usize,
    threads: usize,
    #[comptime] count: usize,
    #[comptime] inner: usize,
    #[comptime] outer: usize,
    #[comptime] columns: usize,
) {
    #[unroll]
    for i in 0..columns {
        let column = min(thread + i * threads, outer - 1);
        let weight = matrix[j * outer + column];
        #[unroll]
        for row in 0..count {
            own[row * columns + i] += rows[row * inner + j] * weight;
        }
    }
}
