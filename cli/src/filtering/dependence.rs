//! Columns of which no fit can be made, or none that is the best, by their names.

use std::ops::Range;

use anyhow::{Result, anyhow};
use scotopic_filtering::{Error, Sequence, dependent_inputs};

/// What the library calls the columns of which one was never seen.
const NEVER_SEEN: &str = "columns";

/// An error of a fit, with columns by their names; those of `inputs` are given. Pseudo-observations are advised where the fit `takes`
/// them.
pub fn by_name(
    error: anyhow::Error,
    names: &[String],
    inputs: &Range<usize>,
    takes: bool,
) -> anyhow::Error {
    let prior = if takes { ", or add --pseudo-count" } else { "" };
    let columns = match error.downcast_ref() {
        Some(Error::Dependent { columns }) => columns,
        Some(Error::Entry { name, at, .. }) if name == NEVER_SEEN => {
            let named = named(at, names).join(", ");
            return anyhow!(
                "the column {named} has no observation: nothing can be learned of it; leave it out with --columns"
            );
        }
        _ => return error,
    };
    // Of an autoregression, the lags follow the observation.
    if columns.iter().any(|column| *column >= names.len()) {
        let mut own: Vec<usize> = columns.iter().map(|c| c % names.len()).collect();
        own.sort_unstable();
        own.dedup();
        return anyhow!(
            "{}: each row is given by those before it exactly, as on a straight line or an exponential, so that an autoregression \
             has no noise to learn; add --pseudo-count",
            named(&own, names).join(", ")
        );
    }
    if columns.iter().all(|column| *column >= inputs.start) {
        let what = of_inputs(columns, names);
        // Inputs of transitions come last; their weights have no pseudo-observations.
        return match columns.iter().all(|column| inputs.contains(column)) {
            true => anyhow!("{what}; leave one out{prior}"),
            false => anyhow!("{what}; leave one out"),
        };
    }
    // An output and inputs: only a regression has both, and its inputs are not to blame.
    if columns.iter().any(|column| inputs.contains(column)) {
        return anyhow!(
            "{}: each row is given by its inputs exactly, so that a regression has no noise to learn; leave out an input that the \
             output is made of{prior}",
            named(columns, names).join(", ")
        );
    }
    match named(columns, names).as_slice() {
        [one] => anyhow!(
            "the column {one} does not vary: no variance can be learned of it; leave it out with --columns{prior}"
        ),
        several => anyhow!(
            "the columns {} are collinear: each is a linear combination of the others, and no covariance can be learned of \
             them; leave one out with --columns{prior}",
            several.join(", ")
        ),
    }
}

/// What to say of inputs whose effects these data do not tell apart; nothing where they do.
///
/// # Errors
/// For rows without these entries.
pub fn input_warning(
    data: &[Sequence],
    names: &[String],
    inputs: &Range<usize>,
) -> Result<Option<String>> {
    let found = dependent_inputs(data, inputs.clone())?;
    Ok(found.map(|columns| of_inputs(&columns, names)))
}

fn of_inputs(columns: &[usize], names: &[String]) -> String {
    match named(columns, names).as_slice() {
        [one] => format!(
            "the input {one} does not vary: its effect cannot be told from that of a constant"
        ),
        several => format!(
            "the inputs {} are collinear: each is a linear combination of the others and a constant, and their effects cannot be \
             told apart",
            several.join(", ")
        ),
    }
}

fn named(columns: &[usize], names: &[String]) -> Vec<String> {
    let some = columns.iter().filter_map(|&column| names.get(column));
    some.cloned().collect()
}
