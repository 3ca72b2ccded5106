//! Matrices whose rows are padded.

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
