//! How the cells of a column are written: numbers or dates, never both.

/// How the cells of each column were written first, and in which line.
#[derive(Debug, Default)]
pub(super) struct Writing(Vec<Option<(bool, u64)>>);

impl Writing {
    /// Whether a column has dates.
    pub(super) fn has_dates(&self) -> bool {
        self.0.iter().flatten().any(|(is_date, _)| *is_date)
    }

    /// Takes a cell of column `n` in; a missing cell is neither.
    ///
    /// # Errors
    /// What it should have been.
    pub(super) fn next(&mut self, n: usize, is_date: bool, line: u64) -> Result<(), String> {
        if self.0.len() <= n {
            self.0.resize(n + 1, None);
        }
        let (first, at) = *self.0[n].get_or_insert((is_date, line));
        match (first == is_date, first) {
            (true, _) => Ok(()),
            (false, true) => Err(format!("a date, as in line {at}, such as 2024-03-01")),
            (false, false) => Err(format!("a number, as in line {at}, and no date")),
        }
    }
}
