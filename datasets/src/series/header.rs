//! Whether the first row of a table names its columns.

use super::SeriesOptions;
use super::options::{Cell, Header, looks_like_number};
use super::time::Time;

/// What the first row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Names of columns.
    Names,
    /// An observation.
    Observation,
    /// It depends on the row after it.
    Undecided,
    /// Neither: the cell in this column is wrong.
    Neither(usize),
}

/// Decides by the columns that are taken: a text in a column that is not taken says nothing. `second` is the row after,
/// where it has been read: a reader of a pipe asks without it first, since a row of numbers has to be answered at once.
pub(super) fn decide(first: &[&str], second: Option<&[&str]>, options: &SeriesOptions) -> Verdict {
    match options.header {
        Header::Yes => return Verdict::Names,
        Header::No => return Verdict::Observation,
        Header::Auto => {}
    }
    // A column that is asked for by name is named by the first row.
    let by_name = |wanted: &String| {
        place(wanted, first.len()).is_none()
            && (wanted.parse::<usize>().is_err() || first.contains(&wanted.as_str()))
    };
    if options.columns.iter().chain(&options.time).any(by_name) {
        return Verdict::Names;
    }
    let taken = taken(first.len(), options);
    let read = |n: usize, cell: &str| options.read(place_taken(options, n), cell);
    let texts: Vec<usize> = taken
        .iter()
        .copied()
        .filter(|&n| read(n, first[n]) == Cell::Other)
        .collect();
    let numbers = taken
        .iter()
        .filter(|&&n| matches!(read(n, first[n]), Cell::Value(_) | Cell::Date(_)))
        .count();
    if texts.is_empty() {
        return match is_numbered(first, options) {
            false => Verdict::Observation,
            true => match second {
                None => Verdict::Undecided,
                Some(second)
                    if second
                        .first()
                        .is_some_and(|cell| options.number(cell).is_some()) =>
                {
                    Verdict::Names
                }
                Some(_) => Verdict::Observation,
            },
        };
    }
    // Mostly numbers: a row with a slip of the pen, not a header.
    if 2 * numbers >= taken.len() {
        return Verdict::Neither(texts[0]);
    }
    // Slips of the pen and marks of what is missing, and not one name.
    if texts.iter().all(|&n| looks_like_number(first[n])) {
        return Verdict::Neither(texts[0]);
    }
    let Some(second) = second else {
        return Verdict::Undecided;
    };
    // Words again where the header would have them: no header explains that, unless they are dates, which headers are not.
    let is_date = |cell: &str| Time::parse(cell).is_some_and(Time::is_date);
    let again = texts.iter().all(|&n| {
        let word = |cell: &str| read(n, cell) == Cell::Other && !looks_like_number(cell);
        let same_kind = |cell: &&str| match is_date(first[n]) {
            true => is_date(cell),
            false => word(cell) && !is_date(cell),
        };
        second.get(n).is_some_and(same_kind)
    });
    match again {
        true => Verdict::Neither(texts[0]),
        false => Verdict::Names,
    }
}

/// An empty corner and 0, 1, 2, …: how pandas writes the header of columns without names, beside its index.
fn is_numbered(first: &[&str], options: &SeriesOptions) -> bool {
    let numbered = |(n, cell): (usize, &&str)| options.number(cell) == Some(n as f64);
    first.len() > 1 && first[0].is_empty() && first[1..].iter().enumerate().all(numbered)
}

/// The places of the columns that are taken, as far as they are asked for by number.
fn taken(width: usize, options: &SeriesOptions) -> Vec<usize> {
    let time = options.time.as_ref().and_then(|time| place(time, width));
    match options.columns.is_empty() {
        true => (0..width).filter(|n| Some(*n) != time).collect(),
        false => options
            .columns
            .iter()
            .filter_map(|wanted| place(wanted, width))
            .collect(),
    }
}

/// Which of the columns that are taken by number the one at place `n` is; `n` where all are.
pub(super) fn place_taken(options: &SeriesOptions, n: usize) -> usize {
    let is = |wanted: &String| wanted.parse() == Ok(n + 1);
    options.columns.iter().position(is).unwrap_or(n)
}

fn place(wanted: &str, width: usize) -> Option<usize> {
    let number: usize = wanted.parse().ok()?;
    (1..=width).contains(&number).then(|| number - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_that_are_taken_decide() {
        let all = SeriesOptions::default();
        let third = SeriesOptions {
            columns: vec!["3".into()],
            ..SeriesOptions::default()
        };
        let case = |first: &[&str], second: &[&str], options| decide(first, Some(second), options);
        assert_eq!(
            case(
                &["2024-01-01", "pier", "0.1"],
                &["2024-01-02", "pier", "0.2"],
                &third
            ),
            Verdict::Observation
        );
        assert_eq!(
            case(
                &["day", "place", "y"],
                &["2024-01-02", "pier", "0.2"],
                &third
            ),
            Verdict::Names
        );
        assert_eq!(case(&["", "0"], &["0", "0.126"], &all), Verdict::Names);
        assert_eq!(case(&["", "0.5"], &["1", "2"], &all), Verdict::Observation);
        assert_eq!(case(&["N/A"], &["1.0"], &all), Verdict::Observation);
        assert_eq!(case(&["a", "b"], &["", "2"], &all), Verdict::Names);
        assert_eq!(case(&["a"], &["b"], &all), Verdict::Neither(0));
        assert_eq!(case(&["1", "x"], &["3", "4"], &all), Verdict::Neither(1));
        // A slip in the first row is no header, and one in the second does not make the first one a slip.
        for slip in ["1e400", "inf", "-", ".", "1.5x", "1.5D0", "−1.5", "0x10"] {
            assert_eq!(case(&[slip], &["1"], &all), Verdict::Neither(0), "{slip}");
            assert_eq!(case(&["y"], &[slip], &all), Verdict::Names, "{slip}");
        }
        assert_eq!(case(&["1st", "rate"], &["1", "2"], &all), Verdict::Names);
        assert_eq!(decide(&["1", "2"], None, &all), Verdict::Observation);
        assert_eq!(decide(&["a", "b"], None, &all), Verdict::Undecided);
    }
}
