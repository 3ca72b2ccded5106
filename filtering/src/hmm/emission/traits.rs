//! What an emission has to say of itself: to be filtered with, learned, guessed and drawn from.

use rand::Rng;

use super::slopes::{ScorePart, by_parts};
use crate::hmm::parameter_groups::ParameterGroup;
use crate::hmm::pseudo_observations::PseudoObservations;
use crate::{Error, PredictedObservation, Predictive, Result, Sequence, Slope};

/// A likelihood p(o|s) for each of K states; implement it for your own.
///
/// An observation is a row `[width]` of finite numbers, and NaN for a missing entry where [`Emission::accepts_partial_rows`]. Filters check its width and that it is finite
/// before they ask; an emission checks the rest (that a symbol is one of its alphabet, a count whole),
/// with an [`Error::Observation`](crate::Error::Observation) of index 0: the filter puts the number in.
///
/// ```
/// use scotopic_filtering::{Result, hmm::{Emission, Hmm}};
///
/// /// Each state k is a centre c_k with Cauchy tails.
/// #[derive(Clone)]
/// struct Cauchy(Vec<f64>);
///
/// impl Emission for Cauchy {
///     fn states(&self) -> usize { self.0.len() }
///     fn width(&self) -> usize { 1 }
///     fn log_likelihood(&self, o: &[f64], into: &mut [f64]) -> Result<()> {
///         for (l, c) in into.iter_mut().zip(&self.0) {
///             *l = -(std::f64::consts::PI * (1.0 + (o[0] - c).powi(2))).ln();
///         }
///         Ok(())
///     }
///     fn relabelled(&self, order: &[usize]) -> Self { Self(order.iter().map(|&s| self.0[s]).collect()) }
/// }
/// # fn main() -> Result<()> {
/// let model = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], Cauchy(vec![-3.0, 3.0]))?;
/// # assert_eq!(model.width(), 1);
/// # Ok(()) }
/// ```
pub trait Emission: Clone {
    /// The number of states K.
    fn states(&self) -> usize;

    /// The entries of one observation.
    fn width(&self) -> usize;

    /// ℓ_j = ln p(o | s = j) for an observation `[width]`, into `[K]`; −∞ where it is impossible.
    ///
    /// # Errors
    /// [`Error::Observation`](crate::Error::Observation) for something that is no observation at all.
    fn log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<()>;

    /// ℓ_j − c into `[K]`, and c, which is the same for all states: 0 unless an emission has logarithms of units to keep apart, whose
    /// rounding would reach the posterior.
    ///
    /// # Errors
    /// As [`Emission::log_likelihood`].
    fn relative_log_likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        self.log_likelihood(observation, into)?;
        Ok(0.0)
    }

    /// e^{ℓ_j − m} into `[K]`, and m = max_j ℓ_j; all 0 and −∞ where no state could have made it.
    ///
    /// # Errors
    /// As [`Emission::log_likelihood`].
    fn likelihood(&self, observation: &[f64], into: &mut [f64]) -> Result<f64> {
        let common = self.relative_log_likelihood(observation, into)?;
        let top = into.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if top == f64::NEG_INFINITY {
            into.fill(0.0);
        } else {
            into.iter_mut().for_each(|l| *l = (*l - top).exp());
        }
        Ok(top + common)
    }

    /// Whether an entry of an observation may be missing (NaN): ln p is then of the entries that are there. By default not: a row
    /// that is missing in part is an error.
    fn accepts_partial_rows(&self) -> bool {
        false
    }

    /// The same emission with the states renumbered: new state k is old state `order[k]`. Any may be named more than once or
    /// not at all.
    fn relabelled(&self, order: &[usize]) -> Self;

    /// What an observation is like on average if the state is k with probability `weights[k]`; `None`, the default,
    /// where that is not said.
    fn expected(&self, _weights: &[f64]) -> Option<PredictedObservation> {
        None
    }

    /// The distribution of each entry of an observation if the state is k with probability `weights[k]`; `None`, the
    /// default, where that is not said. Forecasts, residuals and alarms are made of it.
    fn predictive(&self, _weights: &[f64]) -> Option<Vec<Predictive>> {
        None
    }

    /// The names of the last entries of an observation, which are given and not emitted: inputs, and last an exposure. By default
    /// there are none.
    fn inputs(&self) -> &[String] {
        &[]
    }

    /// p > 0 for an emission whose inputs are the outputs of the p observations before, newest first: nobody has to give them, what takes
    /// a sequence of outputs makes them ([`Sequence::with_lags`]). By default 0.
    fn lags(&self) -> usize {
        0
    }

    /// [`Emission::predictive`] of the outputs, with what `given` says in place of [`Emission::inputs`]; `None` where it says too little.
    fn predictive_given(&self, weights: &[f64], given: &[f64]) -> Option<Vec<Predictive>> {
        match given.is_empty() {
            true => self.predictive(weights),
            false => None,
        }
    }
}

/// An emission that can be learned: an exponential family with a statistic φ(o) `[P]` of the observation
/// alone, so that all that has to be remembered of the past is Σ_t q_t(j) φ(o_t), a row per state.
pub trait Learnable: Emission {
    /// P, the length of φ(o).
    fn statistic_len(&self) -> usize;

    /// φ(o) into `[P]`: one-hot symbol; (1, y, y²); (1, y, yyᵀ); (1, y). Of normal emissions y is counted
    /// from their origin (`DiagonalGaussian::origin`): 0, unless their means are far from it.
    fn statistic(&self, observation: &[f64], into: &mut [f64]);

    /// E[φ(o) | the entries of o that are there, s = j] into row j of `[K, P]`. Of a whole row that is φ(o) for every state, the
    /// default; what [`Emission::accepts_partial_rows`] has to say more.
    fn completed(&self, observation: &[f64], into: &mut [f64]) {
        let (first, rest) = into.split_at_mut(self.statistic_len());
        self.statistic(observation, first);
        rest.chunks_exact_mut(first.len())
            .for_each(|row| row.copy_from_slice(first));
    }

    /// Whether φ(o) is another for each state, and depends on the parameters: the expectation of what is hidden beside the state, or
    /// the curvature about the parameters. [`Learnable::completed`] and [`Learnable::accumulate`] say it of every state then, and the
    /// learning rules that keep one statistic for all states are refused. By default not.
    fn statistic_of_state(&self) -> bool {
        false
    }

    /// The same parameters, with what these statistics `[K, P]` say of their units. By default itself.
    fn measured(self, statistics: &[f64]) -> Self {
        let _ = statistics;
        self
    }

    /// Adds w_j φ(o) to row j of `into` `[K, P]` for weights w `[K]`, of a row that is missing in part [`Learnable::completed`];
    /// `statistic` `[P]` is workspace. Worth writing where φ(o) is mostly zeros.
    fn accumulate(
        &self,
        observation: &[f64],
        weights: &[f64],
        statistic: &mut [f64],
        into: &mut [f64],
    ) {
        if self.accepts_partial_rows() && observation.iter().any(|y| y.is_nan()) {
            let mut rows = vec![0.0; into.len()];
            self.completed(observation, &mut rows);
            let rows = into
                .chunks_mut(statistic.len())
                .zip(rows.chunks(statistic.len()));
            for ((row, completed), w) in rows.zip(weights) {
                row.iter_mut()
                    .zip(completed)
                    .for_each(|(sum, x)| *sum += w * x);
            }
            return;
        }
        self.statistic(observation, statistic);
        for (row, w) in into.chunks_mut(statistic.len()).zip(weights) {
            row.iter_mut()
                .zip(statistic.iter())
                .for_each(|(sum, x)| *sum += w * x);
        }
    }

    /// E[φ(o)] under each state, into `[K, P]`: where running averages are started.
    fn expected_statistic(&self, into: &mut [f64]);

    /// The M-step: the emission whose parameters maximise the expected log-likelihood of the statistics
    /// `[K, P]` together with ε pseudo-observations a state:
    ///
    /// ```text
    /// categorical   B_j ∝ n_j + ε
    /// others        n + ε,  Σy + ε m,  Σy² + ε (m² + v)  [full: ε (mmᵀ + diag v)]
    ///               m = Σ_k Σy_k / Σ_k n_k,  v = Σ_k Σy²_k / Σ_k n_k − m² unless another variance is asked for
    /// ```
    ///
    ///
    /// A state with no weight at all keeps its parameters. A count that was never seen gets a rate of 10⁻¹⁰.
    ///
    /// # Errors
    /// [`Error::NotPositiveDefinite`](crate::Error::NotPositiveDefinite) or
    /// [`Error::Entry`](crate::Error::Entry) where the statistics leave no spread and `pseudo_count` is 0.
    fn maximise(&self, statistics: &[f64], pseudo: PseudoObservations) -> Result<Self>;

    /// Q, the number of unconstrained parameters of a state.
    fn parameters_len(&self) -> usize;

    /// ∇_θ Σ_t q_t(j) ln p(o_t|j) for each state, from its statistics `[K, P]`, into `[K, Q]`. Linear in
    /// the statistics; θ are categorical logits `[M]`; Poisson log-rates `[D]`; Gaussian means and
    /// log-variances `[2D]`; means and the symmetrised entries of the covariance `[D + D²]`.
    fn score(&self, statistics: &[f64], into: &mut [f64]);

    /// What the Q entries of a state's [`Learnable::score`] are of, in their order; none of an emission whose score is in other
    /// coordinates than its parameters, which says its [`Learnable::slopes`] by itself.
    fn score_parts(&self) -> Vec<ScorePart>;

    /// The slopes of Σ_t q_t(j) ln p(o_t|j) by the parameters as files have them, of statistics `[K, P]`.
    fn slopes(&self, statistics: &[f64]) -> Vec<Slope> {
        let mut score = vec![0.0; self.states() * self.parameters_len()];
        self.score(statistics, &mut score);
        by_parts(&self.score_parts(), &score, self.states())
    }

    /// The units of θ `[K, Q]`: an information of about one observation in the coordinates of [`Learnable::score`], for those that
    /// have units, and 1 for those that have none, the default.
    fn units(&self, into: &mut [f64]) {
        into.fill(1.0);
    }

    /// θ + step, `step` `[K, Q]` in the coordinates of [`Learnable::score`]. The covariances of a
    /// `FullGaussian` stay as they are: a step along the gradient can leave the positive definite ones
    /// ([`Learnable::displaced`] moves them).
    ///
    /// # Errors
    /// [`Error::Entry`](crate::Error::Entry) where the step leaves the range of numbers.
    fn ascended(&self, step: &[f64]) -> Result<Self>;

    /// Whether recursive maximum likelihood steps in the coordinates of [`Learnable::displaced`] about the emission as it is, measured
    /// by the data so far ([`Learnable::measured`]): they have neither units nor an origin. By default it steps in those of
    /// [`Learnable::score`].
    fn steps_whitened(&self) -> bool {
        false
    }

    /// Q', the coordinates of a state in which a fit moves ([`Learnable::displaced`]).
    fn coordinates_len(&self) -> usize {
        self.parameters_len()
    }

    /// θ(z): the emission at the coordinates z `[K, Q']` about this one; z = 0 is this one. They are without bounds, and
    /// the same coordinates for as long as this emission is what they are about. By default those of
    /// [`Learnable::ascended`]; where θ have units, as means do, z are to have none: a fit holds them against numbers.
    ///
    /// # Errors
    /// As [`Learnable::ascended`].
    fn displaced(&self, z: &[f64]) -> Result<Self> {
        self.ascended(z)
    }

    /// ∇_z Σ_t q_t(j) ln p(o_t|j) at this emission, which is at z about `base`, from statistics `[K, P]` into `[K, Q']`. By
    /// default [`Learnable::score`].
    fn score_about(&self, base: &Self, z: &[f64], statistics: &[f64], into: &mut [f64]) {
        let _ = (base, z);
        self.score(statistics, into);
    }

    /// The diagonal of the Fisher information of one observation of each state, in the coordinates about this emission
    /// at z = 0, into `[K, Q']`: what the length of a step is measured by. By default 1.
    fn information(&self, into: &mut [f64]) {
        into.fill(1.0);
    }

    /// For each state the least variance that it gives any direction of the observations, in units of the variance that
    /// `pooled`, one state for all data, gives it; infinite (the default) for an emission without variances.
    ///
    /// ```text
    /// diagonal   min_d v_jd / v_d        full   the least λ with |Σ_j − λ Σ| = 0
    /// ```
    fn relative_variances(&self, pooled: &Self) -> Vec<f64> {
        let _ = pooled;
        vec![f64::INFINITY; self.states()]
    }

    /// Whether inputs can tell all observations of a state without error, so that its weights grow without end.
    fn is_separable(&self) -> bool {
        false
    }

    /// The same emission with the origin of its statistics where it is best for the means as they are.
    /// [`Learnable::maximise`] and [`Learnable::ascended`] keep the origin, which running averages refer to;
    /// this is for when there are none: before the first statistics, and between iterations over whole sequences.
    fn recentred(self) -> Self {
        self
    }

    /// The same emission with the inputs of its statistics counted from their means in these sequences, from 0 without any; by default
    /// itself.
    fn centred_on(self, sequences: &[Sequence]) -> Self {
        let _ = sequences;
        self
    }

    /// Whether these observations have a best emission of this kind at all, without pseudo-observations.
    ///
    /// # Errors
    /// [`Error::Dependent`](crate::Error::Dependent) for columns whose variance, or covariance, would shrink to nothing.
    fn check_data(&self, sequences: &[Sequence]) -> Result<()> {
        let _ = sequences;
        Ok(())
    }

    /// The entries of a state that can be chosen freely: [`Learnable::parameters_len`], less one for a distribution.
    fn free_parameters(&self) -> usize {
        self.parameters_len()
    }

    /// Probabilities of all states that are zero, which EM leaves at zero.
    fn structural_zeros(&self) -> usize {
        0
    }

    /// The parameters of all states by name, in the order of a file, for standard errors; none, the default, where they have
    /// no names.
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        Vec::new()
    }

    /// The emission of other values of the parameters of [`Learnable::parameter_groups`], in their order.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported), the default, where they have no names; as the constructor of the
    /// emission for values that cannot be.
    fn with_parameters(&self, values: &[f64]) -> Result<Self> {
        let _ = values;
        Err(Error::Unsupported {
            what: "this emission".to_owned(),
            asked: "be given parameters",
            why: "it does not name them",
        })
    }

    /// What tells the states apart, a row a state: probabilities, rates or means. Learned states are matched to the
    /// true ones by it, and their error is measured in it.
    fn state_parameters(&self) -> Vec<f64> {
        let mut rows = vec![0.0; self.states() * self.statistic_len()];
        self.expected_statistic(&mut rows);
        rows
    }
}

/// An emission that can be drawn from.
pub trait Sample: Emission {
    /// o ~ p(·|s = state), into `[width]`; the entries of [`Emission::inputs`] are there already, and stay.
    fn sample<R: Rng + ?Sized>(&self, state: usize, rng: &mut R, into: &mut [f64]);

    /// The inputs of an emission with [`Emission::lags`] from which a sample that begins in `state` starts. By default 0.
    fn resting_lags(&self, state: usize) -> Vec<f64> {
        let _ = state;
        vec![0.0; self.inputs().len()]
    }
}
