//! Comparison of factorisations on one free-energy scale.

use std::time::Instant;

use anyhow::Result;
use scotopic_figures::RgbImage;
use scotopic_figures::chart::{self, Panel, Series};
use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::hmm::{BatchEm, Factorisation, Hmm};
use scotopic_filtering::nonlinear::{self, NonlinearConfig, models::AnyStateSpace};
use serde::Serialize;

use super::label_matching::parameter_error;
use super::{Model, Running, names, snapshot};

/// The results of one factorisation on one sequence.
#[derive(Debug, Clone, Serialize)]
pub struct FactorisationRow {
    /// Its name on the command line.
    pub factorisation: String,
    /// Whether it can be updated one observation at a time.
    pub online: bool,
    /// F = −L, in nats.
    pub free_energy: f64,
    /// ln p − L, in nats, where ln p is known.
    pub gap: Option<f64>,
    /// Mean |q_t − p(s_t|all)| of the marginals over states and times, where both are there.
    pub marginal_error: Option<f64>,
    /// Mean |A − A*| and |θ − θ*| of the parameters learned under it, against the true model.
    pub parameter_error: Option<(f64, f64)>,
    /// Iterations of variational EM until convergence.
    pub updates: Option<usize>,
    /// Whether it converged within the maximum number of iterations.
    pub settled: bool,
    /// Time per observation in µs: of one update online; of the whole posterior, divided by T, in batch.
    pub micros: f64,
    /// Bytes of the state carried between observations online; of the whole posterior in batch.
    pub bytes: usize,
    /// ln p(o_1…t) − L_t over time, for those that run online.
    #[serde(skip)]
    pub gaps: Vec<f64>,
    /// The bound after each iteration of learning, an observation.
    #[serde(skip)]
    pub trace: Vec<f64>,
}

/// Settings of the learning.
#[derive(Debug, Clone)]
pub struct Learning {
    /// Initial parameters of EM.
    pub start: Hmm,
    /// The true parameters, if known.
    pub truth: Option<Hmm>,
    /// Stopping criteria of EM.
    pub em: BatchEm,
}

/// The factorisations that are compared by default.
pub fn all(model: &Model) -> Vec<&'static str> {
    match model {
        Model::Hmm(_) => vec![
            "reversed",
            "forward-markov",
            "block-8",
            "block-4",
            "block-2",
            "fully-factorised",
            "decoupled-lag1",
            "frozen",
            "tied",
        ],
        Model::LinearGaussian(_) => vec![
            "reversed",
            "temporal-mean-field",
            "diagonal",
            "decoupled",
            "frozen-mean-field",
            "jelbo",
        ],
        Model::Nonlinear(_) => vec!["reversed", "jelbo", "vjf"],
        Model::Generalised(_) => Vec::new(),
    }
}

/// One row of the comparison of discrete factorisations.
///
/// # Errors
/// If the name is unknown, or the posterior does not exist.
pub fn discrete(
    model: &Hmm,
    data: &Sequence,
    name: &str,
    learning: Option<&Learning>,
) -> Result<FactorisationRow> {
    let factorisation = names::discrete(name)?;
    let exact = model.smooth(data)?;
    let k = model.states();
    let clock = Instant::now();
    let posterior = model.posterior(data, &factorisation)?;
    let batch = clock.elapsed().as_secs_f64();
    let error = posterior
        .marginals()
        .iter()
        .zip(exact.marginals())
        .map(|(q, p)| (q - p).abs())
        .sum::<f64>()
        / (data.len() * k) as f64;
    let online = !matches!(
        factorisation,
        Factorisation::ForwardMarkov
            | Factorisation::FullyFactorised(_)
            | Factorisation::Block { .. }
    );
    let mut row = FactorisationRow {
        factorisation: name.to_owned(),
        online,
        free_energy: -posterior.elbo(),
        gap: Some(exact.log_evidence() - posterior.elbo()),
        marginal_error: Some(error),
        parameter_error: None,
        updates: None,
        settled: true,
        micros: 1e6 * batch / data.len() as f64,
        bytes: 8 * data.len() * k * if posterior.is_product() { 1 } else { 1 + k },
        gaps: Vec::new(),
        trace: Vec::new(),
    };
    if online {
        let mut filter = Running::new(Model::Hmm(model.clone()), name)?;
        let predictive = exact.filtered().log_predictive();
        (row.micros, row.bytes, row.gaps) = stream(&mut filter, data, predictive)?;
    }
    if let Some(learning) = learning {
        let fit = learning.start.clone().fit_under(
            std::slice::from_ref(data),
            &factorisation,
            &learning.em,
        )?;
        row.updates = Some(fit.iterations);
        row.settled = fit.converged;
        row.parameter_error = learning
            .truth
            .as_ref()
            .and_then(|truth| parameter_error(&fit.model, truth));
        row.trace = fit.trace.iter().map(|l| l / data.len() as f64).collect();
    }
    Ok(row)
}

/// One row of the comparison of linear-Gaussian factorisations.
///
/// # Errors
/// As [`discrete`].
pub fn gaussian(model: &LinearGaussian, data: &Sequence, name: &str) -> Result<FactorisationRow> {
    let factorisation = names::gaussian(name)?;
    let exact = model.smooth(data)?;
    let clock = Instant::now();
    let posterior = model.posterior(data, factorisation)?;
    let batch = clock.elapsed().as_secs_f64();
    let n = model.states();
    let (mut error, mut count) = (0.0, 0usize);
    for (q, p) in posterior.marginals().iter().zip(exact.smoothed()) {
        error += (q.mean() - p.mean()).abs().sum();
        count += n;
    }
    let mut row = FactorisationRow {
        factorisation: name.to_owned(),
        online: false,
        free_energy: posterior.free_energy(),
        gap: Some(posterior.gap()),
        marginal_error: (count > 0).then(|| error / count as f64),
        parameter_error: None,
        updates: None,
        settled: true,
        micros: 1e6 * batch / data.len() as f64,
        bytes: 8 * data.len() * n * (1 + n),
        gaps: Vec::new(),
        trace: Vec::new(),
    };
    if let Ok(mut filter) = Running::new(Model::LinearGaussian(model.clone()), name) {
        let mut before = 0.0;
        let predictive: Vec<f64> = exact
            .cumulative()
            .iter()
            .map(|l| l - std::mem::replace(&mut before, *l))
            .collect();
        (row.micros, row.bytes, row.gaps) = stream(&mut filter, data, &predictive)?;
        row.online = true;
    }
    Ok(row)
}

/// One row of the comparison of schemes for a nonlinear model; the log evidence is known in one dimension.
///
/// # Errors
/// As [`discrete`].
pub fn nonlinear(model: &AnyStateSpace, data: &Sequence, name: &str) -> Result<FactorisationRow> {
    let mut filter = Running::new(Model::Nonlinear(model.clone()), name)?;
    let exact = evidence(model, data);
    let empty = Vec::new();
    let (micros, bytes, gaps) = stream(&mut filter, data, exact.as_ref().unwrap_or(&empty))?;
    let total = exact.as_ref().map(|e| e.iter().sum::<f64>());
    Ok(FactorisationRow {
        factorisation: name.to_owned(),
        online: true,
        free_energy: -filter.elbo(),
        gap: total.map(|t| t - filter.elbo()),
        marginal_error: None,
        parameter_error: None,
        updates: None,
        settled: true,
        micros,
        bytes,
        gaps,
        trace: Vec::new(),
    })
}

/// ln p(o_t|o_<t) on a grid, for one-dimensional models; `None` where no grid of affordable size converges.
///
/// The grid first covers the beliefs of the filter and is widened until the evidence no longer changes, since the beliefs may
/// have missed a mode; its spacing is small against the noise of the transition.
fn evidence(model: &AnyStateSpace, data: &Sequence) -> Option<Vec<f64>> {
    use nonlinear::StateSpace;
    /// A grid of this size takes about a second per hundred observations.
    const MOST: usize = 6001;
    /// The first grid reaches this many standard deviations beyond the beliefs.
    const REACH: f64 = 8.0;
    /// Grid steps per standard deviation of the transition: the sum over a Gaussian is then exact to rounding.
    const STEPS: f64 = 3.0;
    /// Tolerated change, in nats over all data, when the grid is widened.
    const SETTLED: f64 = 1e-6;
    if model.dim() != 1 {
        return None;
    }
    let mut filter =
        nonlinear::NonlinearFilter::new(model.clone(), NonlinearConfig::default()).ok()?;
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
        let grid = nonlinear::Grid::new(model, low, high, points as usize + 1).ok()?;
        let cumulative = grid.filter(model, data).ok()?.log_evidence;
        let total = cumulative.last().copied().filter(|l| l.is_finite())?;
        if last.is_some_and(|before| (total - before).abs() < SETTLED) {
            let mut before = 0.0;
            let each = cumulative
                .iter()
                .map(|l| l - std::mem::replace(&mut before, *l));
            return Some(each.collect());
        }
        last = Some(total);
        let more = 0.5 * (high - low);
        (low, high) = (low - more, high + more);
    }
}

/// Runs `filter` over the data: µs per update, bytes carried, the gap to the exact evidence over time.
fn stream(
    filter: &mut Running,
    data: &Sequence,
    predictive: &[f64],
) -> Result<(f64, usize, Vec<f64>)> {
    /// Short sequences are repeated until this many seconds were measured.
    const ENOUGH: f64 = 0.05;
    let fresh = filter.clone();
    let (mut gaps, mut exact) = (Vec::with_capacity(data.len()), 0.0);
    for (row, increment) in data
        .iter()
        .zip(predictive.iter().map(Some).chain(std::iter::repeat(None)))
    {
        let step = filter.update(row)?;
        if let Some(increment) = increment {
            exact += increment;
            gaps.push(exact - step.elbo);
        }
    }
    let bytes = snapshot::bytes(filter)?.len();
    let (mut seconds, mut updates) = (0.0, 0usize);
    while seconds < ENOUGH {
        let mut filter = fresh.clone();
        let clock = Instant::now();
        for row in data.iter() {
            filter.update(row)?;
        }
        seconds += clock.elapsed().as_secs_f64();
        updates += data.len().max(1);
    }
    Ok((1e6 * seconds / updates as f64, bytes, gaps))
}

/// The gap over time of what runs online, and the bound over learning.
///
/// # Errors
/// If there is nothing to draw.
pub fn picture(rows: &[FactorisationRow]) -> Result<Option<RgbImage>> {
    let series = |values: &dyn Fn(&FactorisationRow) -> &Vec<f64>, first: usize| -> Vec<Series> {
        rows.iter()
            .filter(|row| !values(row).is_empty())
            .map(|row| {
                let y = values(row).clone();
                let x = (first..).take(y.len()).map(|t| t as f64).collect();
                Series::line(row.factorisation.clone(), x, y)
            })
            .collect()
    };
    let panels = [
        Panel::new(
            "Evidence gap over time",
            "observation",
            "gap to ln p, nats",
            series(&|row| &row.gaps, 1),
        ),
        Panel::new(
            "ELBO during learning",
            "update",
            "ELBO per observation (nats)",
            series(&|row| &row.trace, 0),
        ),
    ];
    Ok(chart::lines_if_any(panels)?)
}
