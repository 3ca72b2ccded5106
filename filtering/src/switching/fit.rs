//! Fits to whole sequences: variational expectation–maximisation.

use super::densities::Densities;
use super::maximum::Floor;
use super::model::Slds;
use super::smoother::SldsSmoothed;
use super::start::start;
use crate::data_spread::check_independence;
use crate::divided;
use crate::gaussian::LinearGaussian;
use crate::{Error, Result, Sequence};

/// Passes of the smoother in an iteration: the E-step need not end before the M-step begins, the bound rises in any case.
const PASSES: usize = 2;
/// Iterations after which the starts are compared: most of what one is ahead of another shows by then.
const HEAT: usize = 20;

/// How a model is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct SldsFit {
    /// Most iterations of EM.
    pub max_iterations: usize,
    /// Converged when an iteration has gained less than this, in nats an observation.
    pub tolerance: f64,
    /// Starts of [`Slds::fit_regimes`], of which the best after some iterations is followed; where it ends degenerate, the next.
    pub restarts: usize,
    /// The least variance of Q and R in any direction, in units of the variances of states and of columns of the data.
    pub variance_floor: f64,
    /// Seed of the starts. The same seed gives the same fit, bit for bit, on any number of threads.
    pub seed: u64,
    /// Threads that starts are divided between; 0 is one a core.
    pub threads: usize,
}

impl Default for SldsFit {
    fn default() -> Self {
        Self {
            // EM moves Q and R slowly: three regimes of two hundred rows take six hundred iterations.
            max_iterations: 2000,
            // A hundredth of a nat over a thousand rows.
            tolerance: 1e-5,
            // Regimes have many local maxima: the best of ten is found again by other seeds, in most series.
            restarts: 10,
            // A deviation of 1/300 of the data's, as for hidden Markov models.
            variance_floor: 1e-5,
            seed: 0,
            threads: 0,
        }
    }
}

impl SldsFit {
    fn check(&self) -> Result<()> {
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(Error::setting("tolerance", self.tolerance, "0 or above"));
        }
        if self.restarts == 0 {
            return Err(Error::setting("restarts", 0, "at least 1"));
        }
        match self.variance_floor > 0.0 && self.variance_floor < 1.0 {
            true => Ok(()),
            false => {
                let expected = "above 0, and below 1: without one a regime could collapse onto values that are equal by chance";
                Err(Error::setting(
                    "variance_floor",
                    self.variance_floor,
                    expected,
                ))
            }
        }
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct SldsFitted {
    /// The model.
    pub model: Slds,
    /// The bound of all sequences before each iteration and at the end, nats; it never falls.
    pub elbo: Vec<f64>,
    /// Iterations of EM.
    pub iterations: usize,
    /// Whether the last iteration gained less than the tolerance.
    pub converged: bool,
    /// Whether a regime predicts with the least variance that `variance_floor` lets it have: the bound is that of the floor, not of the
    /// data, and rises without end as the floor falls. Stretches of one value do that.
    pub degenerate: bool,
    /// Starts of [`Slds::fit_regimes`] that were followed to such an end and left out, as another ended elsewhere.
    pub left_out: usize,
}

/// A fit on its way.
struct Run {
    model: Slds,
    smoothed: Vec<SldsSmoothed>,
    floor: Floor,
    elbo: Vec<f64>,
    converged: bool,
}

impl Run {
    fn new(model: &Slds, sequences: &[Sequence], fit: &SldsFit) -> Result<Self> {
        let smoothed = |model: &Slds| -> Result<Vec<SldsSmoothed>> {
            sequences.iter().map(|s| model.smooth(s)).collect()
        };
        let floor = Floor::of(fit.variance_floor, sequences, &smoothed(model)?);
        let model = floor.raise(model)?;
        let mut run = Self {
            smoothed: smoothed(&model)?,
            model,
            floor,
            elbo: Vec::new(),
            converged: false,
        };
        run.elbo.push(run.bound());
        Ok(run)
    }

    fn bound(&self) -> f64 {
        self.smoothed.iter().map(SldsSmoothed::elbo).sum()
    }

    fn is_degenerate(&self) -> bool {
        self.floor.holds(&self.model)
    }

    /// Iterations until there are `most` in all, or one gains less than the tolerance.
    fn follow(&mut self, sequences: &[Sequence], most: usize, tolerance: f64) -> Result<()> {
        let rows: usize = sequences.iter().map(|s| s.iter().flatten().count()).sum();
        let room = tolerance * rows as f64;
        while !self.converged && self.elbo.len() <= most {
            let initial = sequences.len() > 1;
            let model = self
                .model
                .maximised(sequences, &self.smoothed, &self.floor, initial)?;
            let densities = Densities::new(&model)?;
            let pairs = sequences.iter().zip(&self.smoothed);
            let smoothed = pairs
                .map(|(s, own)| densities.ascend(s, own.regimes().to_vec(), PASSES))
                .collect::<Result<Vec<_>>>()?;
            (self.model, self.smoothed) = (model, smoothed);
            let (bound, before) = (self.bound(), self.elbo.last().copied());
            self.converged = before.is_some_and(|before| bound - before <= room);
            self.elbo.push(bound);
        }
        Ok(())
    }

    fn fitted(self) -> SldsFitted {
        SldsFitted {
            degenerate: self.is_degenerate(),
            left_out: 0,
            model: self.model,
            iterations: self.elbo.len() - 1,
            elbo: self.elbo,
            converged: self.converged,
        }
    }
}

impl Slds {
    /// A model of so many regimes and states that describes `sequences`: several starts, each from a hidden Markov model of autoregressions
    /// fitted to the smoothed states of a linear-Gaussian guess, and [`Slds::fit`] from the best whose fit is not degenerate; from the best of
    /// all where every one is. H, d and R are the same in all regimes.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::switching::{Slds, SldsFit};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// // Quiet, then lively, then quiet.
    /// let noise = |t: u32| (f64::from(t * t) * 0.618_033_988_749_895).fract() - 0.5;
    /// let seen = Sequence::of_numbers((0..150).map(|t| noise(t) * if (50..100).contains(&t) { 5.0 } else { 0.5 }))?;
    /// let fitted = Slds::fit_regimes(2, 1, &[seen.clone()], &SldsFit { restarts: 3, ..Default::default() })?;
    /// let regimes = fitted.model.smooth(&seen)?;
    /// let regimes = regimes.regimes();
    /// assert!((regimes[2 * 25] - regimes[2 * 75]).abs() > 0.9);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Slds::fit`]; [`Error::Setting`] for no regime or state; [`Error::Size`] for fewer than two observations.
    pub fn fit_regimes(
        regimes: usize,
        states: usize,
        sequences: &[Sequence],
        fit: &SldsFit,
    ) -> Result<SldsFitted> {
        fit.check()?;
        check_data(sequences)?;
        if regimes == 0 {
            return Err(Error::setting("regimes", regimes, "at least one"));
        }
        let guess = LinearGaussian::initial_guess(states, sequences)?;
        // Of one regime there is nothing to choose.
        let numbers = if regimes == 1 { 1 } else { fit.restarts };
        let runs = divided(
            (0..numbers).collect(),
            fit.threads,
            |number| -> Result<Run> {
                let (seed, floor) = (fit.seed, fit.variance_floor);
                let start = start(number, &guess, regimes, sequences, seed, floor)?;
                let mut run = Run::new(&start, sequences, fit)?;
                run.follow(sequences, HEAT.min(fit.max_iterations), fit.tolerance)?;
                Ok(run)
            },
        );
        let (mut begun, mut failed) = (Vec::new(), None);
        for run in runs {
            match run {
                Ok(run) => begun.push(run),
                Err(error) => failed = Some(error),
            }
        }
        // Of equal bounds the first.
        begun.sort_by(|a, b| b.bound().total_cmp(&a.bound()));
        let mut best: Option<Run> = None;
        for (left_out, mut run) in begun.into_iter().enumerate() {
            run.follow(sequences, fit.max_iterations, fit.tolerance)?;
            if !run.is_degenerate() {
                let fitted = run.fitted();
                return Ok(SldsFitted { left_out, ..fitted });
            }
            if best.as_ref().is_none_or(|best| run.bound() > best.bound()) {
                best = Some(run);
            }
        }
        match best {
            Some(run) => Ok(run.fitted()),
            None => Err(failed.unwrap_or_else(|| Error::setting("restarts", 0, "at least 1"))),
        }
    }

    /// Variational EM from this model (eqs. F113, F116, F117): some passes of the smoother from where it was, then all parameters in closed form.
    /// π, m0 and P0 are learned from two sequences or more: of one, they would become what one state and regime are. Q and R have the
    /// least variance `variance_floor`, and are raised to it to begin with.
    ///
    /// # Errors
    /// As [`Slds::smooth`]; [`Error::Setting`] for a setting that is none; [`Error::Dependent`] for a column that does not vary, or is a
    /// linear combination of others.
    pub fn fit(&self, sequences: &[Sequence], fit: &SldsFit) -> Result<SldsFitted> {
        fit.check()?;
        check_data(sequences)?;
        let mut run = Run::new(self, sequences, fit)?;
        run.follow(sequences, fit.max_iterations, fit.tolerance)?;
        Ok(run.fitted())
    }
}

/// Refuses data that no covariance can be learned of.
fn check_data(sequences: &[Sequence]) -> Result<()> {
    let rows = sequences.iter().map(|s| s.iter().flatten().count());
    let rows: usize = rows.sum();
    if rows < 2 {
        let found = format!("{rows} observations");
        return Err(Error::size("sequences", found, "at least two"));
    }
    check_independence(sequences)
}
