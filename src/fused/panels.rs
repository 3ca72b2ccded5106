//! Memory layout of a dictionary for repeated reading.
//!
//! A product goes through a block of columns from the first row to the last. In a row-major matrix every few rows are on
//! another page, and the CPU neither foresees them nor knows where they are; in panels the whole block is one piece.

use super::block_shape::block_columns;

/// Rows are padded to a multiple of this, which is one of the columns that a block of C spans on every CPU.
pub(crate) const PANEL: usize = 32;

/// `n` rounded up to whole panels.
pub(crate) fn padded(n: usize) -> usize {
    n.next_multiple_of(PANEL)
}

/// Numbers that begin with a cache line: a vector of sixteen then lies in one and not in two, and rows that are gathered
/// cost half as much to read.
#[derive(Debug)]
pub(crate) struct Aligned {
    memory: Vec<f32>,
    from: usize,
    count: usize,
}

impl Aligned {
    /// A copy that lies so.
    pub(crate) fn of(values: &[f32]) -> Self {
        const LINE: usize = 16;
        let mut memory = vec![0f32; values.len() + LINE];
        // Where nothing is known of addresses, any place will do.
        let from = memory.as_ptr().align_offset(4 * LINE).min(LINE);
        memory[from..from + values.len()].copy_from_slice(values);
        Self {
            memory,
            from,
            count: values.len(),
        }
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        Self::of(self)
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.memory[self.from..self.from + self.count]
    }
}

/// The right factor of a product, `[inner, columns]`, in panels of as many columns as a block of C spans on this CPU:
/// `[panel, inner, width]`, zeros behind the last column.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    inner: usize,
    width: usize,
    values: Aligned,
}

impl Panels {
    /// A row-major matrix `[inner, columns]` in panels.
    pub(crate) fn of(values: &[f32], columns: usize) -> Self {
        let inner = values.len() / columns.max(1);
        Self::filled(inner, columns, |first, width, panel| {
            let used = width.min(columns.saturating_sub(first));
            for (to, row) in panel.chunks_mut(width).zip(values.chunks(columns)) {
                to[..used].copy_from_slice(&row[first.min(columns)..][..used]);
            }
        })
    }

    /// The transpose of a row-major matrix `[columns, inner]` in panels.
    pub(crate) fn of_transpose(values: &[f32], inner: usize) -> Self {
        let columns = values.len() / inner.max(1);
        Self::filled(inner, columns, |first, width, panel| {
            let rows = values.chunks(inner).skip(first).take(width);
            for (l, row) in rows.enumerate() {
                for (to, from) in panel.chunks_mut(width).zip(row) {
                    to[l] = *from;
                }
            }
        })
    }

    /// Panels of zeros, each of which `fill(first column, width, panel)` fills.
    fn filled(inner: usize, columns: usize, fill: impl Fn(usize, usize, &mut [f32])) -> Self {
        let width = block_columns();
        let mut values = vec![0f32; inner * padded(columns)];
        let panels = values.chunks_mut((inner * width).max(1)).enumerate();
        panels.for_each(|(panel, rows)| fill(panel * width, width, rows));
        Self {
            inner,
            width,
            values: Aligned::of(&values),
        }
    }

    /// The rows of the panel that begins with a column, each as wide as a panel.
    #[inline(always)]
    pub(super) fn panel_at(&self, column: usize) -> &[f32] {
        &self.values[column * self.inner..][..self.width * self.inner]
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{NoiseKey, uniform};

    fn numbers(count: usize) -> Vec<f32> {
        let key = NoiseKey::new(5);
        let words = (0..count as u32).map(|i| key.words(i, 0)[0]);
        words.map(uniform).collect()
    }

    #[test]
    fn panels_of_a_matrix_are_those_of_its_transpose_turned() {
        let (inner, columns) = (7, 37);
        let b = numbers(inner * columns);
        let entry = |i: usize| b[i % inner * columns + i / inner];
        let turned: Vec<f32> = (0..inner * columns).map(entry).collect();
        let (of, of_transpose) = (
            Panels::of(&b, columns),
            Panels::of_transpose(&turned, inner),
        );
        assert_eq!(*of.values, *of_transpose.values);
        assert_eq!(of.values.len(), inner * padded(columns));
        let row = &of.panel_at(32)[3 * of.width..][..of.width];
        assert_eq!(row[..5], b[3 * columns + 32..4 * columns]);
        assert!(row[5..].iter().all(|x| *x == 0.0));
    }

    #[test]
    fn aligned_numbers_are_the_same_on_a_line_of_their_own() {
        let values = numbers(37);
        let aligned = Aligned::of(&values);
        let again = aligned.clone();
        assert_eq!((&*aligned, &*again), (&values[..], &values[..]));
        assert!(aligned.as_ptr().addr().is_multiple_of(64));
        assert!(again.as_ptr().addr().is_multiple_of(64));
    }
}
