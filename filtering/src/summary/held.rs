//! What a summary calls the entries that a fit held.

use crate::any_model::AnyModel;
use crate::gaussian::{Constraints, Entry, LinearGaussian};

impl AnyModel {
    /// The names that [`AnyModel::summary`] gives to entries which a fit of a linear-Gaussian model held: those that stayed, and the
    /// groups that are one number. It names none of H, m0 and P0, which it holds in any case.
    pub fn names_of(&self, held: &Constraints) -> (Vec<String>, Vec<Vec<String>>) {
        let (base, continuous) = match self {
            Self::LinearGaussian(model) => (model, false),
            Self::Driven(model) => (model.base(), model.is_continuous()),
            _ => return (Vec::new(), Vec::new()),
        };
        let names = |entries: &[Entry]| -> Vec<String> {
            let each = entries.iter().map(|entry| name(base, continuous, *entry));
            each.flatten().collect()
        };
        let tied = held.tied().iter().map(|group| names(group));
        (names(held.fixed()), tied.collect())
    }
}

/// The name of an entry of which a summary tells.
fn name(base: &LinearGaussian, continuous: bool, entry: Entry) -> Option<String> {
    use crate::gaussian::Parameter::{
        Bias, Control, Direct, InitialCovariance, InitialMean, Observation, ObservationNoise,
        Offset, ProcessNoise, Transition,
    };
    let numbered = |i: usize| (i + 1).to_string();
    let state = |i: usize| match base.state_names() {
        [] => numbered(i),
        names => names[i].clone(),
    };
    let (i, j) = (entry.row, entry.column);
    let inside = match entry.parameter {
        Transition | ProcessNoise => format!("{},{}", state(i), state(j)),
        Bias => state(i),
        Offset => numbered(i),
        ObservationNoise | Control | Direct => format!("{},{}", numbered(i), numbered(j)),
        Observation | InitialMean | InitialCovariance => return None,
    };
    let key = entry.parameter.key(continuous);
    Some(format!("{key}[{inside}]"))
}
