//! Matrices whose rows are padded, and the one step that all products with them are made of.

/// A matrix in row-major order: its values and the distance between rows.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) pitch: usize,
}

/// Where a product goes: rows of padded length.
pub(crate) struct RowsMut<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) pitch: usize,
}

/// `sum + x·y`, rounded once where the CPU does so in one instruction.
#[inline(always)]
pub(super) fn multiply_add<const FMA: bool>(x: f32, y: f32, sum: f32) -> f32 {
    if FMA { x.mul_add(y, sum) } else { sum + x * y }
}
