//! One bound of a nonlinear model beside the exact evidence.

use super::{ElboKind, Grid, NonlinearConfig, NonlinearFilter, StateSpace};
use crate::comparison::{Compared, FactorisationRow, increments};
use crate::{Result, Sequence};

/// One row of the comparison of bounds on a sequence; the log evidence is known in one dimension.
///
/// # Errors
/// As [`NonlinearFilter::new`] and [`NonlinearFilter::update`].
pub fn compare<M: StateSpace + Clone>(
    model: &M,
    data: &Sequence,
    name: &str,
    elbo: ElboKind,
) -> Result<Compared<NonlinearFilter<M>>> {
    let config = NonlinearConfig {
        elbo,
        ..NonlinearConfig::default()
    };
    let filter = NonlinearFilter::new(model.clone(), config)?;
    let exact = evidence(model, data);
    let row = FactorisationRow {
        factorisation: name.to_owned(),
        settled: true,
        ..FactorisationRow::default()
    };
    let mut compared = Compared::online(row, filter, data, exact.as_deref().unwrap_or_default())?;
    let bound = compared.filter.as_ref().map_or(0.0, NonlinearFilter::elbo);
    compared.row.free_energy = -bound;
    compared.row.gap = exact.map(|exact| exact.iter().sum::<f64>() - bound);
    Ok(compared)
}

/// ln p(o_1…o_T) of a model of one dimension on a grid, in nats, right to 1e-6 or so; `None` where no grid that can be
/// afforded settles, and for more dimensions.
///
/// ```
/// use scotopic_filtering::Sequence;
/// use scotopic_filtering::nonlinear::{exact_evidence, models::Ar1Poisson};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0)?;
/// assert!(exact_evidence(&model, &Sequence::of_numbers([5.0, 5.0, 10.0])?).is_some_and(|l| l < 0.0));
/// # Ok(()) }
/// ```
pub fn exact_evidence<M: StateSpace + Clone>(model: &M, data: &Sequence) -> Option<f64> {
    Some(evidence(model, data)?.iter().sum())
}

/// ln p(o_t|o_<t) on a grid, for models of one dimension; `None` where no grid that can be afforded settles.
///
/// The grid starts where the beliefs of the filter are and is made wider, then finer, until neither changes the
/// evidence: the beliefs may have missed a mode, and a step must be small against the noise of the transition.
fn evidence<M: StateSpace + Clone>(model: &M, data: &Sequence) -> Option<Vec<f64>> {
    /// A grid of so many points takes a second for some hundred observations.
    const MOST: usize = 6001;
    /// The first grid reaches so many standard deviations beyond the beliefs.
    const REACH: f64 = 8.0;
    /// Steps a standard deviation of the transition: the sum over a Gaussian is then exact to rounding.
    const STEPS: f64 = 3.0;
    /// In nats, of all data: what may change when the grid is made wider.
    const SETTLED: f64 = 1e-6;
    if model.dim() != 1 {
        return None;
    }
    let mut filter = NonlinearFilter::new(model.clone(), NonlinearConfig::default()).ok()?;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for row in data.iter() {
        filter.update(row).ok()?;
        let (m, s) = (filter.mean()[0], filter.covariance()[0].sqrt());
        (low, high) = (low.min(m - REACH * s), high.max(m + REACH * s));
    }
    let noise = model.noise()[0].sqrt();
    let mut last: Option<f64> = None;
    loop {
        let points = (STEPS * (high - low) / noise).ceil().max(200.0);
        if !(points.is_finite() && points < MOST as f64) {
            return None;
        }
        let grid = Grid::new(model, low, high, points as usize + 1).ok()?;
        let cumulative = grid.filter(model, data).ok()?.log_evidence;
        let total = cumulative.last().copied().filter(|l| l.is_finite())?;
        if last.is_some_and(|before| (total - before).abs() < SETTLED) {
            return Some(increments(&cumulative));
        }
        last = Some(total);
        let more = 0.5 * (high - low);
        (low, high) = (low - more, high + more);
    }
}
