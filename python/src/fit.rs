//! Fitting HMMs: the library's search of the highest evidence, and EM one iteration after another, which a callback can follow.

use std::borrow::Cow;

use pyo3::prelude::*;
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    self, BatchEm, Covariates, Emission, Expectations, FitSearch, FitSettings, Learnable,
    SearchProgress,
};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::driven_hmm::DrivenHmm;
use crate::errors::{Failure, Result, setting};
use crate::hmm::{Hmm, emission_kind};
use crate::interrupt::{followed, interruptible};
use crate::observations::Observations;

/// What Python hears of an iteration: `callback(run, iteration, log_evidence)`.
pub struct Watch<'a, 'py> {
    pub py: Python<'py>,
    pub callback: Option<&'a Bound<'py, PyAny>>,
    pub run: usize,
}

impl Watch<'_, '_> {
    pub fn told(&self, iteration: usize, log_evidence: f64) -> Result<()> {
        self.py.check_signals()?;
        if let Some(callback) = self.callback {
            callback.call1((self.run, iteration, log_evidence))?;
        }
        Ok(())
    }
}

/// The model, the log evidence before each iteration and after the last, and whether it converged.
type Fitted<M> = (M, Vec<f64>, bool);

/// The hidden Markov model of the highest evidence that a search finds, and what there is to say of it: the evidence,
/// gradients evaluated, convergence, by how many runs of how many it was found, the pseudo-count, warnings. `inputs` and `exposure` name
/// the last entries of a row, if those are given: without names the inputs are numbered. `lags` are those of an autoregression. `look` hears
/// now and then of a search among starts: `look(evaluations, runs that ended, the highest ln p of these or None)`.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
#[allow(clippy::type_complexity)] // named in the estimator
pub fn search_hmm(
    py: Python<'_>,
    data: &Observations,
    emission: &str,
    states: usize,
    runs: usize,
    seed: u64,
    max_iterations: usize,
    tolerance: f64,
    pseudo_count: f64,
    threads: usize,
    start: Option<&Hmm>,
    inputs: Vec<String>,
    exposure: Option<String>,
    lags: usize,
    look: Option<&Bound<'_, PyAny>>,
) -> Result<(Hmm, f64, usize, bool, (usize, usize), f64, Vec<String>)> {
    let kind = emission_kind(emission)?;
    let settings = FitSettings {
        restarts: runs,
        max_iterations,
        tolerance,
        pseudo_count,
        seed,
        threads,
        covariates: Covariates {
            inputs,
            exposure,
            lags,
        },
        ..FitSettings::default()
    };
    let start = start.map(|start| start.model.clone());
    let progress = SearchProgress::default();
    let mut tell = |_: Python<'_>| match look {
        Some(look) => {
            let far = (progress.evaluations(), progress.ended(), progress.highest());
            look.call1(far).map(|_| ())
        }
        None => Ok(()),
    };
    let fitted = followed(py, &data.source(), &mut tell, |sequences| match start {
        Some(start) => start.fit_from(sequences, &settings),
        None => FitSearch::new(kind, sequences, &settings)?
            .watched(&progress)
            .fit(states),
    })?;
    tell(py)?;
    Ok((
        fitted.model.into(),
        fitted.log_evidence,
        fitted.iterations,
        fitted.converged,
        fitted.found_by,
        fitted.pseudo_count,
        fitted.warnings.iter().map(ToString::to_string).collect(),
    ))
}

/// The same with inputs of the transitions, which are the last entries of a row but for those that are inputs or exposure of the
/// emission; `inputs` are named. Beside what [`search_hmm`] says, but for the pseudo-count, the evidence without these inputs.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // called with keywords
#[allow(clippy::type_complexity)] // named in the estimator
pub fn search_driven_hmm(
    py: Python<'_>,
    data: &Observations,
    emission: &str,
    states: usize,
    runs: usize,
    seed: u64,
    max_iterations: usize,
    tolerance: f64,
    threads: usize,
    start: Option<&DrivenHmm>,
    inputs: Vec<String>,
    exposure: Option<String>,
    transition_inputs: Vec<String>,
) -> Result<(
    DrivenHmm,
    f64,
    usize,
    bool,
    (usize, usize),
    f64,
    Vec<String>,
)> {
    let kind = emission_kind(emission)?;
    let settings = FitSettings {
        restarts: runs,
        max_iterations,
        tolerance,
        seed,
        threads,
        covariates: Covariates {
            inputs,
            exposure,
            lags: 0,
        },
        ..FitSettings::default()
    };
    let start = start.map(|start| start.model.clone());
    let fitted = interruptible(py, &data.source(), |sequences| match start {
        Some(start) => start.fit_from(sequences, &settings),
        None => hmm::DrivenHmm::fit_states(kind, states, &transition_inputs, sequences, &settings),
    })?;
    Ok((
        fitted.model.into(),
        fitted.log_evidence,
        fitted.iterations,
        fitted.converged,
        fitted.found_by,
        fitted.before,
        fitted.warnings.iter().map(ToString::to_string).collect(),
    ))
}

/// EM from `start`, or from the best of `runs` guesses; a callback hears of each iteration.
#[pyfunction]
#[pyo3(signature = (data, emission, states, runs, seed, max_iterations, tolerance, pseudo_count, start=None, callback=None, inputs=Vec::new(), exposure=None, lags=0))]
#[allow(clippy::too_many_arguments)] // called with keywords
pub fn fit_hmm(
    py: Python<'_>,
    data: &Observations,
    emission: &str,
    states: usize,
    runs: usize,
    seed: u64,
    max_iterations: usize,
    tolerance: f64,
    pseudo_count: f64,
    start: Option<&Hmm>,
    callback: Option<&Bound<'_, PyAny>>,
    inputs: Vec<String>,
    exposure: Option<String>,
    lags: usize,
) -> Result<Fitted<Hmm>> {
    let em = BatchEm {
        max_iterations,
        tolerance,
        pseudo_count,
    };
    if tolerance.is_nan() || tolerance < 0.0 {
        return Err(setting("tol", tolerance, "0 or positive"));
    }
    let starts = match start {
        Some(start) => vec![start.model.clone()],
        None => {
            let kind = emission_kind(emission)?;
            let given = Covariates {
                inputs,
                exposure,
                lags,
            };
            let guesses = |sequences: &[Sequence]| {
                let sequences = &*lagged(sequences, lags)?;
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                let guess =
                    |_| hmm::Hmm::initial_guess_given(kind, states, sequences, &given, &mut rng);
                (0..runs).map(guess).collect()
            };
            interruptible(py, &data.source(), guesses)?
        }
    };
    let lags = start.map_or(lags, |start| start.model.emission().lags());
    let sequences = &*lagged(data.sequences(), lags)?;
    let (model, trace, converged) = best_of(py, &starts, sequences, &em, callback)?;
    Ok((model.into(), trace, converged))
}

/// The rows that an autoregression sees, made once for all iterations.
fn lagged(sequences: &[Sequence], lags: usize) -> scotopic_filtering::Result<Cow<'_, [Sequence]>> {
    if lags == 0 {
        return Ok(Cow::Borrowed(sequences));
    }
    let longest = sequences.iter().map(Sequence::len).max().unwrap_or(0);
    if lags >= longest {
        return Err(scotopic_filtering::Error::Setting {
            field: "lags",
            found: lags.to_string(),
            expected: format!("fewer than the {longest} observations of the longest sequence"),
        });
    }
    let all = sequences.iter().map(|s| s.with_lags(lags));
    all.collect::<scotopic_filtering::Result<Vec<_>>>()
        .map(Cow::Owned)
}

fn best_of(
    py: Python<'_>,
    starts: &[hmm::Hmm],
    sequences: &[Sequence],
    em: &BatchEm,
    callback: Option<&Bound<'_, PyAny>>,
) -> Result<Fitted<hmm::Hmm>> {
    let mut best: Option<Fitted<hmm::Hmm>> = None;
    let mut failed = setting("n_init", starts.len(), "at least one");
    for (run, start) in starts.iter().enumerate() {
        let watch = Watch { py, callback, run };
        match climb(start.clone(), sequences, em, &watch) {
            Ok(fit) => {
                let better = |best: &Fitted<_>| fit.1.last() > best.1.last();
                if best.as_ref().is_none_or(better) {
                    best = Some(fit);
                }
            }
            Err(Failure::Library(error)) => failed = error.into(),
            Err(interrupted) => return Err(interrupted),
        }
    }
    best.ok_or(failed)
}

fn expect(watch: &Watch<'_, '_>, model: &hmm::Hmm, sequences: &[Sequence]) -> Result<Expectations> {
    /// Observations between two looks at the interpreter.
    const MANY: usize = 1 << 20;
    let mut total: Option<Expectations> = None;
    let mut from = 0;
    while from < sequences.len() {
        let mut to = from + 1;
        let mut rows = sequences[from].len();
        while to < sequences.len() && rows + sequences[to].len() <= MANY {
            rows += sequences[to].len();
            to += 1;
        }
        let own = watch
            .py
            .detach(|| model.expectations(&sequences[from..to]))?;
        match &mut total {
            None => total = Some(own),
            Some(total) => total.add(&own)?,
        }
        watch.py.check_signals()?;
        from = to;
    }
    total.ok_or_else(|| setting("X", "no sequence", "at least one"))
}

fn climb(
    start: hmm::Hmm,
    sequences: &[Sequence],
    em: &BatchEm,
    watch: &Watch<'_, '_>,
) -> Result<Fitted<hmm::Hmm>> {
    if em.pseudo_count == 0.0 {
        start.emission().check_data(sequences)?;
    }
    let mut model = start;
    let mut expected = expect(watch, &model, sequences)?;
    let enough = em.tolerance * expected.observations as f64;
    let mut trace = vec![expected.log_evidence];
    let mut converged = false;
    while trace.len() <= em.max_iterations && !converged {
        watch.told(trace.len() - 1, expected.log_evidence)?;
        model = model.maximised(&expected, em.pseudo_count)?;
        let next = expect(watch, &model, sequences)?;
        converged = (next.log_evidence - expected.log_evidence).abs() <= enough;
        trace.push(next.log_evidence);
        expected = next;
    }
    watch.told(trace.len() - 1, expected.log_evidence)?;
    Ok((model, trace, converged))
}
