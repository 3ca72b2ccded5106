//! Which columns are taken.

use super::SeriesOptions;
use super::records::shown;
use crate::{Error, Result};

/// Names of columns in a message.
const MOST_NAMES: usize = 50;

/// The columns to take, by their place in a row, and what they are called.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ColumnSelection {
    pub(super) places: Vec<usize>,
    pub(super) names: Vec<String>,
    /// The place of the time, and what its column is called.
    pub(super) time: Option<usize>,
    time_name: String,
}

impl ColumnSelection {
    /// Finds the columns that `options` asks for among `names`. A name counts before a number.
    pub(super) fn of(series: &str, names: &[String], options: &SeriesOptions) -> Result<Self> {
        let find = |wanted: &String| {
            let mut named = (0..names.len()).filter(|n| &names[*n] == wanted);
            let by_name = named.next();
            if let (Some(first), Some(second)) = (by_name, named.next()) {
                let found = format!("several columns `{}`", shown(wanted));
                let expected = format!("their numbers: {}, {}, …", first + 1, second + 1);
                return Err(Error::row(series, 1, wanted, found, expected));
            }
            let number = || {
                wanted
                    .parse::<usize>()
                    .ok()
                    .filter(|n| (1..=names.len()).contains(n))
            };
            by_name.or_else(|| number().map(|n| n - 1)).ok_or_else(|| {
                let some: Vec<String> = names.iter().take(MOST_NAMES).map(|n| shown(n)).collect();
                let more = if names.len() > MOST_NAMES {
                    ", …"
                } else {
                    ""
                };
                let expected = format!(
                    "one of {}{more}, or a number from 1 to {}",
                    some.join(", "),
                    names.len()
                );
                Error::row(series, 1, wanted, format!("no column `{wanted}`"), expected)
            })
        };
        let time = options.time.as_ref().map(find).transpose()?;
        let places: Vec<usize> = match options.columns.is_empty() {
            true => (0..names.len())
                .filter(|place| Some(*place) != time)
                .collect(),
            false => options.columns.iter().map(find).collect::<Result<_>>()?,
        };
        // Inputs may be looked up twice; who has them says what it means.
        let outputs = places.len() - options.numbers.min(places.len());
        let again = |n: &usize| places[..*n].contains(&places[*n]);
        if let Some(n) = (0..outputs).find(again) {
            let wanted = options.columns.get(n).map_or("", |wanted| wanted);
            let found = format!("the same column a second time (`{}`)", shown(wanted));
            return Err(Error::row(
                series,
                1,
                &names[places[n]],
                found,
                "every column once in the list of those to read (--columns)",
            ));
        }
        // The time of a row may be an input as well: who has inputs says what it means where it is an output too. Who reads inputs alone
        // has no others.
        let inputs_alone = options.dates && options.numbers == 0;
        let is_input = inputs_alone || places[outputs..].iter().any(|place| Some(*place) == time);
        let data = if is_input { 0 } else { outputs };
        let clash = places[..data].iter().find(|place| Some(**place) == time);
        if let Some(&place) = clash {
            return Err(Error::row(
                series,
                1,
                &names[place],
                "the time (--time), and data as well",
                "a column of its own for the time",
            ));
        }
        let time_name = time.map(|place| names[place].clone()).unwrap_or_default();
        if places.is_empty() {
            return Err(Error::row(
                series,
                1,
                &time_name,
                "no column beside the time",
                "at least one column of data",
            ));
        }
        let names = places.iter().map(|&place| names[place].clone()).collect();
        Ok(Self {
            places,
            names,
            time,
            time_name,
        })
    }

    /// Whether the time is among the columns that are taken: whoever is given it judges its order.
    pub(super) fn time_is_taken(&self) -> bool {
        self.time.is_some_and(|time| self.places.contains(&time))
    }

    /// The name of the column of times.
    pub(super) fn time_name(&self) -> &str {
        &self.time_name
    }

    /// The names "1", "2", … of so many columns.
    pub(super) fn numbers(columns: usize) -> Vec<String> {
        (1..=columns).map(|n| n.to_string()).collect()
    }
}
