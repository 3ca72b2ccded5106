//! Memory layout of a dictionary for repeated reading.
//!
//! A product goes through a block of 32 columns from the first row to the last. In a row-major matrix every few rows are on
//! another page, and the CPU neither foresees them nor knows where they are; in panels the whole block is one piece.

/// Columns that a block of C spans.
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

/// The right factor of a product, `[inner, columns]`, in panels of [`PANEL`] columns: `[panel, inner, PANEL]`, zeros behind
/// the last column.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    inner: usize,
    values: Vec<f32>,
}

impl Panels {
    /// A row-major matrix `[inner, columns]` in panels.
    pub(crate) fn of(values: &[f32], columns: usize) -> Self {
        let inner = values.len() / columns.max(1);
        let mut panels = Self::zeros(inner, columns);
        for (first, panel) in panels.each() {
            let width = PANEL.min(columns - first);
            for (to, row) in panel.iter_mut().zip(values.chunks(columns)) {
                to[..width].copy_from_slice(&row[first..first + width]);
            }
        }
        panels
    }

    /// The transpose of a row-major matrix `[columns, inner]` in panels.
    pub(crate) fn of_transpose(values: &[f32], inner: usize) -> Self {
        let columns = values.len() / inner.max(1);
        let mut panels = Self::zeros(inner, columns);
        for (first, panel) in panels.each() {
            let rows = values.chunks(inner).skip(first).take(PANEL);
            for (l, row) in rows.enumerate() {
                for (to, from) in panel.iter_mut().zip(row) {
                    to[l] = *from;
                }
            }
        }
        panels
    }

    fn zeros(inner: usize, columns: usize) -> Self {
        Self {
            inner,
            values: vec![0.0; inner * padded(columns)],
        }
    }

    /// Every panel's first column and its rows.
    fn each(&mut self) -> impl Iterator<Item = (usize, &mut [[f32; PANEL]])> {
        let (rows, _) = self.values.as_chunks_mut::<PANEL>();
        let panels = rows.chunks_mut(self.inner.max(1)).enumerate();
        panels.map(|(panel, rows)| (panel * PANEL, rows))
    }

    /// The rows of the panel that begins with a column.
    #[inline(always)]
    pub(super) fn panel_at(&self, column: usize) -> &[[f32; PANEL]] {
        let (rows, _) = self.values.as_chunks::<PANEL>();
        &rows[column / PANEL * self.inner..][..self.inner]
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.values.as_slice())
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
        assert_eq!(of.values, of_transpose.values);
        assert_eq!(of.values.len(), inner * padded(columns));
        assert_eq!(of.panel_at(32)[3][..5], b[3 * columns + 32..4 * columns]);
        assert!(of.panel_at(32)[3][5..].iter().all(|x| *x == 0.0));
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
