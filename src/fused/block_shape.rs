//! The block of a product whose sums stay in vector registers, R rows and W columns, on each instruction set.
//!
//! | instruction set | R × W | registers: C, a row of B, a number of A | of |
//! |---|---|---|---|
//! | AVX-512 | 13 × 32 | 26 + 2 + 1 | 32 of 16 numbers |
//! | AVX2 | 6 × 16 | 12 + 2 + 1 | 16 of 8 |
//! | Neon | 6 × 16 | 24 + 4 + 1 | 32 of 4 |
//! | SSE2 and others | 6 × 8 | 12 + 2 + 1 | 16 of 4 |

#[cfg(target_arch = "x86_64")]
use scotopic_filtering::simd::{Avx2, Avx512};
use scotopic_filtering::simd::{InstructionSet, Portable};

use super::vector::Vectors;

/// R and W.
pub(super) trait BlockShape: Vectors {
    /// R, the most rows that a block of C spans.
    const ROWS: usize;
    /// W, the columns that it spans.
    const COLUMNS: usize;
}

#[cfg(target_arch = "x86_64")]
impl BlockShape for Avx512 {
    const ROWS: usize = 13;
    const COLUMNS: usize = 32;
}

#[cfg(target_arch = "x86_64")]
impl BlockShape for Avx2 {
    const ROWS: usize = 6;
    const COLUMNS: usize = 16;
}

impl BlockShape for Portable {
    const ROWS: usize = 6;
    const COLUMNS: usize = if cfg!(target_arch = "aarch64") { 16 } else { 8 };
}

/// W on this CPU.
pub(super) fn block_columns() -> usize {
    match InstructionSet::in_use() {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => Avx512::COLUMNS,
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => Avx2::COLUMNS,
        _ => Portable::COLUMNS,
    }
}

/// The rows of a batch that go through time together: those of one block, or of two where blocks are low, so that a
/// dictionary is read once for as many rows as can be.
pub(super) fn rows_together() -> usize {
    match InstructionSet::in_use() {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => Avx512::ROWS,
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => 2 * Avx2::ROWS,
        _ => 2 * Portable::ROWS,
    }
}
