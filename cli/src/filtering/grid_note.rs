//! How far the bound of a nonlinear filter is below ln p, where that can be had.

use scotopic_filtering::{AnyModel, Sequence};

use crate::table::number;

/// A bound that is no more nats below ln p needs no word.
const NEAR: f64 = 1.0;

/// What to say of a bound `elbo` of the sequence `called` that is far below ln p on a grid; nothing where it is near, or the grid too
/// large.
pub fn note(model: &AnyModel, called: &str, sequence: &Sequence, elbo: f64) -> Option<String> {
    let exact = model.log_evidence_on_grid(sequence)?;
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
