//! What is said beside a table of several models: where their scores are not on one scale, or not of what they seem to be.

use super::compare_args::{CompareArgs, RankBy};
use super::compare_scores::Row;

/// From which parameters learning begins, so that nobody takes the score of a file that was fitted to the scored rows for one of
/// prediction.
pub(super) fn prequential(args: &CompareArgs, series: usize) -> Option<String> {
    if args.by != RankBy::Prequential {
        return None;
    }
    let each = if series > 1 { " in each series" } else { "" };
    let rows = match args.from() {
        1 => "to other rows, or to the first N − 1 and give --from N".to_owned(),
        2 => "to other series than these".to_owned(),
        from => format!("to rows 1 to {} alone", from - 1),
    };
    Some(format!(
        "prequential: learning begins{each} from the parameters in the files: those of a file that was fitted to rows that are scored \
         have seen them, and the score is too high; for a score of prediction fit every file {rows}"
    ))
}

/// What to say where ln p is not of the same observations for all models.
pub(super) fn diffuse(rows: &[Row], by: RankBy) -> Option<String> {
    let number = |row: &Row| row.diffuse.unwrap_or(0);
    if by == RankBy::Prequential || rows.iter().all(|row| number(row) == number(&rows[0])) {
        return None;
    }
    let each = rows
        .iter()
        .map(|row| format!("{} of {}", number(row), row.model));
    Some(format!(
        "the models differ in the number of states that start diffuse ({}): ln p, and AIC and BIC with it, leaves out so many \
         observations, so that these are not on one scale; give each the same, or a start by initial_mean and \
         initial_covariance",
        each.collect::<Vec<_>>().join(", ")
    ))
}

/// What to say where some models leave out rows whose lags are missing, and others do not.
pub(super) fn lags(rows: &[Row], by: RankBy, from: u64) -> Option<String> {
    let number = |row: &Row| row.lags.unwrap_or(0);
    let most = rows.iter().map(number).max().unwrap_or(0);
    let apart = by == RankBy::Prequential && from > most as u64;
    if apart || rows.iter().all(|row| number(row) == number(&rows[0])) {
        return None;
    }
    let each = rows
        .iter()
        .map(|row| format!("{} of {}", number(row), row.model));
    Some(format!(
        "the models differ in their lags ({}): ln p, and AIC and BIC with it, leaves out the first rows and those after a missing one, so \
         that these are not on one scale; rank by --by prequential --from {}",
        each.collect::<Vec<_>>().join(", "),
        most + 1
    ))
}
