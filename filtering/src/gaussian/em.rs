//! Expectation–maximisation: the M-step, and fitting to whole sequences.

use serde::{Deserialize, Serialize};

use nalgebra::DMatrix;

use super::constraints::Constraints;
use super::entry::Parameter;
use super::model::{LinearGaussian, is_diagonal};
use super::start_kind::Start;
use super::statistics::Statistics;
use crate::data_spread::{check_independence, check_variation};
use crate::{Error, Result, Sequence};

/// Which parameters are learned; the others stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Learned {
    /// F.
    pub transition: bool,
    /// b.
    pub bias: bool,
    /// Q.
    pub process_noise: bool,
    /// B, of models with inputs.
    pub control: bool,
    /// H.
    pub observation: bool,
    /// d.
    pub offset: bool,
    /// D, of models with inputs.
    pub direct: bool,
    /// R.
    pub observation_noise: bool,
    /// m0 and P0; from whole sequences only.
    pub initial: bool,
    /// Whether Q, R and P0 are learned as diagonal matrices, which they must be to begin with. F and H may have any form; where they
    /// are diagonal too ([`LinearGaussian::is_diagonal`]), they stay so: n models side by side.
    pub diagonal: bool,
}

impl Default for Learned {
    /// Everything, full matrices.
    fn default() -> Self {
        Self {
            transition: true,
            bias: true,
            process_noise: true,
            control: true,
            observation: true,
            offset: true,
            direct: true,
            observation_noise: true,
            initial: true,
            diagonal: false,
        }
    }
}

impl Learned {
    /// Nothing.
    pub const NOTHING: Self = Self {
        transition: false,
        bias: false,
        process_noise: false,
        control: false,
        observation: false,
        offset: false,
        direct: false,
        observation_noise: false,
        initial: false,
        diagonal: false,
    };

    /// Checks that a model can be learned so.
    pub(crate) fn check(&self, model: &LinearGaussian) -> Result<()> {
        let covariances = [
            ("Q", self.process_noise, model.process_noise()),
            ("R", self.observation_noise, model.observation_noise()),
            ("P0", self.initial, model.initial_covariance()),
        ];
        let wrong = |(_, learned, m): &(&str, bool, &DMatrix<f64>)| *learned && !is_diagonal(m);
        match covariances.into_iter().find(wrong) {
            Some((name, _, _)) if self.diagonal => {
                let found = format!("true, and a {name} with covariances");
                let expected = format!("a diagonal {name} to begin with, or to learn no {name}");
                Err(Error::setting("learned.diagonal", found, expected))
            }
            _ => Ok(()),
        }
    }

    /// Whether this parameter is learned.
    pub(crate) fn learns(&self, parameter: Parameter) -> bool {
        match parameter {
            Parameter::Transition => self.transition,
            Parameter::Bias => self.bias,
            Parameter::ProcessNoise => self.process_noise,
            Parameter::Observation => self.observation,
            Parameter::Offset => self.offset,
            Parameter::ObservationNoise => self.observation_noise,
            Parameter::InitialMean | Parameter::InitialCovariance => self.initial,
            Parameter::Control => self.control,
            Parameter::Direct => self.direct,
        }
    }

    /// Checks that n models side by side can be learned so: rules that keep statistics of each by itself know no others.
    pub(super) fn check_side_by_side(&self, model: &LinearGaussian) -> Result<()> {
        if self.diagonal && !model.is_diagonal() {
            let expected = "false, or transition, process_noise, observation, observation_noise and initial_covariance diagonal to \
                            begin with";
            return Err(Error::setting("learned.diagonal", true, expected));
        }
        Ok(())
    }

    /// Whether F and H stay diagonal.
    pub(super) fn side_by_side(&self, model: &LinearGaussian) -> bool {
        self.diagonal && model.is_diagonal()
    }
}

/// How to fit a model to whole sequences.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GaussianFit {
    /// At most so many E- and M-steps.
    pub max_iterations: usize,
    /// Stops where a step gains less than so many nats per observation.
    pub tolerance: f64,
    /// Which parameters.
    pub learned: Learned,
    /// So many transitions and observations that the model before the step fits are added to the data: a prior
    /// that keeps Q and R from shrinking to nothing on short sequences. The observations have the noise of the model that
    /// the fit starts from: that of the model before would shrink with it, where columns are collinear.
    pub pseudo_count: f64,
    /// Entries of what is learned that stay, and entries that are one number: of
    /// [`LinearGaussian::maximum_likelihood`] alone, since EM has no such M-step.
    pub constraints: Constraints,
}

impl Default for GaussianFit {
    fn default() -> Self {
        Self {
            // EM is slow where Q is small against R; most of what is to be gained comes in a hundred steps.
            max_iterations: 100,
            // A thousandth of a nat over a thousand observations is below what any test could tell.
            tolerance: 1e-6,
            learned: Learned::default(),
            // Maximum likelihood unless asked otherwise.
            pseudo_count: 0.0,
            constraints: Constraints::default(),
        }
    }
}

/// What a fit ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianFitted {
    /// The model after the last M-step.
    pub model: LinearGaussian,
    /// The log evidence of all sequences in nats: of the initial model, and after each M-step. It never falls
    /// where the pseudo-count is 0.
    pub log_evidence: Vec<f64>,
    /// Steps: of EM, and of the quasi-Newton method.
    pub iterations: usize,
    /// Whether the last step gained less than the tolerance, or the gradient vanishes.
    pub converged: bool,
}

impl LinearGaussian {
    /// One E- and M-step on sequences of observations `[m]`: the new model, and the log evidence of the old.
    ///
    /// # Errors
    /// As [`LinearGaussian::fit`].
    pub fn em_step(&self, sequences: &[Sequence], fit: &GaussianFit) -> Result<(Self, f64)> {
        self.em_step_about(sequences, fit, self.observation_noise())
    }

    /// The same with pseudo-observations of this noise.
    fn em_step_about(
        &self,
        sequences: &[Sequence],
        fit: &GaussianFit,
        noise: &DMatrix<f64>,
    ) -> Result<(Self, f64)> {
        fit.constraints.check_none()?;
        fit.learned.check(self)?;
        let mut total = Statistics::new(self);
        let mut log_evidence = 0.0;
        for sequence in sequences {
            let (statistics, own) = self.statistics(sequence)?;
            total.add(1.0, &statistics);
            log_evidence += own;
        }
        let model = self.maximised_about(&total, &fit.learned, fit.pseudo_count, noise)?;
        Ok((model, log_evidence))
    }

    /// Fits the model to sequences of observations `[m]` by EM (R. H. Shumway, D. S. Stoffer, "An approach to time
    /// series smoothing and forecasting using the EM algorithm", 1982), missing observations and all.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::{GaussianFit, LinearGaussian};
    /// use scotopic_filtering::Sequence;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let guess = LinearGaussian::from_rows(&[[0.5]], &[[1.0]], &[[1.0]], &[[1.0]])?;
    /// let data = Sequence::of_numbers((0..60).map(|t| (0.3 * t as f64).sin()))?;
    /// let fitted = guess.fit(&[data], &GaussianFit::default())?;
    /// assert!(fitted.log_evidence.windows(2).all(|w| w[1] >= w[0] - 1e-9));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting that makes no sense, [`Error::Dependent`] for columns without variance or
    /// covariance of their own where R would follow them to nothing, errors of [`LinearGaussian::smooth`], and
    /// [`Error::NotPositiveDefinite`] where the data do not determine the parameters: states or noise that have
    /// collapsed.
    pub fn fit(&self, sequences: &[Sequence], fit: &GaussianFit) -> Result<GaussianFitted> {
        if fit.tolerance.is_nan() || fit.tolerance < 0.0 {
            let found = fit.tolerance;
            return Err(Error::setting("tolerance", found, "0 or above"));
        }
        check_pseudo_count(fit.pseudo_count)?;
        fit.constraints.check_none()?;
        fit.learned.check(self)?;
        let explains = fit.learned.offset && fit.learned.observation;
        if fit.pseudo_count == 0.0 && fit.learned.observation_noise && explains {
            match fit.learned.diagonal {
                true => check_variation(sequences)?,
                false => check_independence(sequences)?,
            }
        }
        let evidence =
            |model: &Self| -> Result<f64> { sequences.iter().map(|s| model.log_evidence(s)).sum() };
        let observations: usize = sequences.iter().map(Sequence::len).sum();
        let room = fit.tolerance * observations as f64;
        let mut model = self.clone();
        let mut log_evidence = Vec::new();
        let (mut converged, mut ended) = (false, false);
        let tied = model.start() != Start::Given && !fit.learned.initial;
        for _ in 0..fit.max_iterations {
            let (next, before) = model.em_step_about(sequences, fit, self.observation_noise())?;
            let settled = |last: &f64| (before - last).abs() <= room;
            converged = log_evidence.last().is_some_and(settled);
            log_evidence.push(before);
            if converged {
                break;
            }
            // The M-step knows nothing of a stationary start, which follows it: no further than that gains.
            let gains = |next: &Self| evidence(next).is_ok_and(|after| after >= before);
            let next = match tied {
                false => Some(next),
                true => next.started_as(&model).ok().filter(gains),
            };
            ended = next.is_none();
            let Some(next) = next else { break };
            model = next;
        }
        if !converged && !ended {
            log_evidence.push(evidence(&model)?);
        }
        Ok(GaussianFitted {
            model,
            iterations: log_evidence.len().saturating_sub(1),
            log_evidence,
            converged,
        })
    }

    /// The M-step: the parameters that are best for `statistics`,
    ///
    /// ```text
    /// [F b] = Σ E[x_t zᵀ] (Σ E[z zᵀ])⁻¹,   Q = Σ E[r rᵀ] / Σ 1,   z = (x_{t−1}, 1),   r = x_t − [F b] z,
    /// ```
    ///
    /// likewise `[H d]`, R over seen observations, and m0, P0 over sequences. `pseudo_count` data that this model
    /// fits are added. Where nothing was seen of a part it stays.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`] where the statistics do not determine the parameters.
    pub fn maximised(
        &self,
        statistics: &Statistics,
        learned: &Learned,
        pseudo_count: f64,
    ) -> Result<Self> {
        self.maximised_about(statistics, learned, pseudo_count, self.observation_noise())
    }

    fn maximised_about(
        &self,
        statistics: &Statistics,
        learned: &Learned,
        pseudo_count: f64,
        noise: &DMatrix<f64>,
    ) -> Result<Self> {
        check_pseudo_count(pseudo_count)?;
        let n = self.states();
        let statistics = statistics.about(self);
        let only = |m: DMatrix<f64>| match learned.diagonal {
            true => DMatrix::from_diagonal(&m.diagonal()),
            false => m,
        };
        let side_by_side = learned.side_by_side(self);
        // Which entries of [F b] or [H d] move.
        let free = |matrix: bool, vector: bool| {
            move |i: usize, j: usize| {
                if j == n {
                    vector
                } else {
                    matrix && (!side_by_side || i == j)
                }
            }
        };
        let (moves, sees) = (&statistics.transition, &statistics.observation);
        let f = moves.best(free(learned.transition, learned.bias), pseudo_count)?;
        let h = sees.best(free(learned.observation, learned.offset), pseudo_count)?;
        let mut q = self.process_noise().clone();
        if learned.process_noise {
            q = only(moves.noise_about(&f, &q, pseudo_count));
        }
        let mut r = self.observation_noise().clone();
        if learned.observation_noise {
            r = only(sees.noise_about(&h, noise, pseudo_count));
        }
        let start = &statistics.initial;
        let mut m0 = self.initial_mean().clone();
        let mut p0 = self.initial_covariance().clone();
        if learned.initial && start.weight > 0.0 {
            let mean = start.best(|_, _| true, 0.0)?;
            p0 = only(start.noise_about(&mean, &p0, 0.0));
            m0 = mean.column(0).into_owned();
        }
        self.with_regressions(&f, q, &h, r)?.with_initial(m0, p0)
    }

    /// The same start with [F b] = `moves`, Q, [H d] = `sees` and R.
    pub(crate) fn with_regressions(
        &self,
        moves: &DMatrix<f64>,
        q: DMatrix<f64>,
        sees: &DMatrix<f64>,
        r: DMatrix<f64>,
    ) -> Result<Self> {
        let n = self.states();
        Self::new(
            moves.columns(0, n).into_owned(),
            q,
            sees.columns(0, n).into_owned(),
            r,
        )?
        .with_bias(moves.column(n).into_owned(), sees.column(n).into_owned())?
        .with_initial(
            self.initial_mean().clone(),
            self.initial_covariance().clone(),
        )
        .map(|model| model.named_as(self))
    }
}

pub(crate) fn check_pseudo_count(found: f64) -> Result<()> {
    if found >= 0.0 && found.is_finite() {
        return Ok(());
    }
    Err(Error::setting("pseudo_count", found, "0 or above"))
}
