//! How rows are read: columns, header, delimiter, what a number looks like, what is missing.

use super::time::Time;
use crate::{Error, Result};

/// Whether the first row of a table names its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Header {
    /// Decided by the columns that are taken and by the row after the first.
    #[default]
    Auto,
    /// The first row is names.
    Yes,
    /// The first row is an observation.
    No,
}

/// What to take of each row, and how its cells are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesOptions {
    /// Columns by name, or by number from 1; all of them (but the time) when empty.
    pub columns: Vec<String>,
    /// The column of times, by name or number: never an observation.
    pub time: Option<String>,
    /// Whether tables have a header.
    pub header: Header,
    /// What separates the cells of a table; by the format when none.
    pub delimiter: Option<u8>,
    /// Numbers have a decimal comma; then cells are separated by semicolons unless a delimiter is given.
    pub decimal_comma: bool,
    /// Cells that mean "not measured", beside those that always do. A number stands for every cell of that value.
    pub missing: Vec<String>,
    /// A cell that is a date, such as 2024-03-01 or 2024-03-01T12:30:00, is a number: the days since 1970, with their fraction; a month
    /// its first day. A column has dates or numbers, not both.
    pub dates: bool,
    /// The symbols that cells stand for: the first is 0, the next 1, …; cells are numbers where it is empty.
    pub alphabet: Vec<String>,
    /// So many of `columns`, the last ones, are numbers whatever the alphabet.
    pub numbers: usize,
}

impl SeriesOptions {
    /// # Errors
    /// [`Error::Setting`] for options that contradict each other.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |field, found: String, expected: &str| {
            Err(Error::setting("series", field, found, expected))
        };
        if self.decimal_comma && self.delimiter == Some(b',') {
            let expected = "another delimiter than the comma of the numbers, such as ;";
            return wrong("delimiter", ",".into(), expected);
        }
        let twice = |list: &[String]| {
            let mut sorted: Vec<&String> = list.iter().collect();
            sorted.sort();
            sorted
                .windows(2)
                .find(|w| w[0] == w[1])
                .map(|w| w[0].clone())
        };
        if let Some(symbol) = twice(&self.alphabet) {
            return wrong("alphabet", format!("`{symbol}` twice"), "every symbol once");
        }
        if let Some(symbol) = self.alphabet.iter().find(|symbol| self.is_missing(symbol)) {
            let expected = "a symbol that does not mean missing";
            return wrong("alphabet", format!("`{symbol}`"), expected);
        }
        Ok(())
    }

    /// Whether a cell says "not measured". Nothing, `?`, `NA`, `N/A`, `NaN`, `null`, `none`, `<NA>` and the `#N/A` of
    /// spreadsheets always do.
    pub(super) fn is_missing(&self, cell: &str) -> bool {
        const ALWAYS: [&str; 10] = [
            "?", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none",
        ];
        /// The most bytes of these.
        const LONGEST: usize = 4;
        let always = || ALWAYS.iter().any(|m| cell.eq_ignore_ascii_case(m));
        if cell.is_empty() || cell.len() <= LONGEST && always() {
            return true;
        }
        // An option may have a decimal point.
        let number = |m: &String| self.number(m).or(m.parse().ok());
        self.missing.iter().any(|m| {
            m == cell || matches!((number(m), self.number(cell)), (Some(a), Some(b)) if a == b)
        })
    }

    /// The number that a cell is, infinities included.
    pub(super) fn number(&self, cell: &str) -> Option<f64> {
        if self.decimal_comma {
            // A point separates thousands where there are decimal commas, and decimals in other places: no number.
            return (!cell.contains('.')).then(|| cell.replacen(',', ".", 1).parse().ok())?;
        }
        cell.parse().ok()
    }

    /// Whether the cells of column `n` of those taken are symbols.
    pub(super) fn has_symbols(&self, n: usize) -> bool {
        let numbers = !self.columns.is_empty() && n + self.numbers >= self.columns.len();
        !self.alphabet.is_empty() && !numbers
    }

    /// What a cell of column `n` of those taken stands for.
    pub(super) fn read(&self, n: usize, cell: &str) -> Cell {
        if self.is_missing(cell) {
            return Cell::Missing;
        }
        if !self.has_symbols(n) {
            return match self.number(cell) {
                Some(value) if value.is_finite() => Cell::Value(value),
                None => self.date(cell).map_or(Cell::Other, Cell::Date),
                _ => Cell::Other,
            };
        }
        match self.alphabet.iter().position(|symbol| symbol == cell) {
            Some(symbol) => Cell::Value(symbol as f64),
            None => Cell::Other,
        }
    }

    /// A date, where a column may hold dates.
    pub(super) fn date(&self, cell: &str) -> Option<Time> {
        Time::parse(cell).filter(|time| self.dates && time.is_date())
    }

    /// What a cell of column `n` of those taken should have been.
    pub(super) fn expected(&self, n: usize, cell: &str) -> String {
        if self.has_symbols(n) {
            return format!("one of the symbols {}", self.alphabet.join(", "));
        }
        let mut text = "a finite number, or nothing where it is missing".to_owned();
        let is_given = n + self.numbers >= self.columns.len();
        if self.dates && is_given && looks_like_date(cell) {
            text =
                "a finite number, or a date such as 2024-03-01 or 2024-03-01T12:30:00".to_owned();
        } else if super::time::Time::parse(cell).is_some_and(|time| time.is_date()) {
            text += "; name a column of dates by --time";
        } else if self.decimal_comma && is_pointed(cell) {
            text += POINT;
        } else if !self.decimal_comma
            && cell.contains(',')
            && cell.replacen(',', ".", 1).parse::<f64>().is_ok()
        {
            text += "; say --decimal-comma where numbers have one";
        } else if looks_separated(cell) {
            text += OTHER_DELIMITER;
        }
        text
    }
}

/// Advice where a number has a point among those that have a decimal comma.
pub(super) const POINT: &str = "; a point separates thousands where numbers have a decimal comma: write it without, or leave out --decimal-comma where it is the decimal one";

/// Whether a cell would be a number if points in it were decimal ones or separated thousands.
pub(super) fn is_pointed(cell: &str) -> bool {
    let without = cell.replace('.', "").replacen(',', ".", 1);
    cell.contains('.') && without.parse::<f64>().is_ok()
}

/// Advice where cells seem to be separated by another sign.
pub(super) const OTHER_DELIMITER: &str =
    "; say --delimiter where another sign than this separates the cells";

/// Whether a cell seems to be several that another sign separates.
pub(super) fn looks_separated(cell: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    cell.contains([';', '\t', '|']) || (cell.contains(' ') && cell.contains(digit))
}

/// Whether a cell that is no date seems to have been meant as one.
fn looks_like_date(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    digits > 1 && cell.bytes().skip(1).any(|c| b"-/.:".contains(&c))
}

/// Whether a cell that is no number seems to have been meant as one: it begins like a number behind any signs (`−5`, `<0.01`, `$5`,
/// `(5)`), or marks what is not there.
pub(super) fn looks_like_number(cell: &str) -> bool {
    let unsigned = cell.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
    let begins = unsigned.starts_with(char::is_numeric);
    begins || unsigned.is_empty() || cell.parse::<f64>().is_ok()
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    /// A number, or the number of a symbol.
    Value(f64),
    /// A date.
    Date(Time),
    /// Not measured.
    Missing,
    /// Neither.
    Other,
}
