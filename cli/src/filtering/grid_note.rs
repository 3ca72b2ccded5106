//! How far the bound of a nonlinear filter is below ln p, where that can be had.

use scotopic_filtering::nonlinear::exact_evidence;
use scotopic_filtering::{AnyModel, Sequence};

use crate::table::number;

/// A bound that is no more nats below ln p needs no word.
const NEAR: f64 = 1.0;
/// Series of more rows would take longer on a grid than to filter.
const ROWS: usize = 1000;

/// What to say of a bound `elbo` of the sequence `called` that is far below ln p on a grid; nothing where it is near, or the grid too
/// large.
pub fn note(model: &AnyModel, called: &str, sequence: &Sequence, elbo: f64) -> Option<String> {
    let AnyModel::Nonlinear(model) = model else {
        return None;
    };
    if sequence.len() > ROWS {
        return None;
    }
    let exact = exact_evidence(model, sequence)?;
    let gap = exact - elbo;
    (gap > NEAR).then(|| {
        format!(
            "{called}: ln p is {} nats on a grid, {} above the bound of the filter, whose beliefs have one mode: they miss others, and \
             may follow a wrong one",
            number(exact, 4),
            number(gap, 4)
        )
    })
}
