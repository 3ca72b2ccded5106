//! What smoothed beliefs of the causal filter imply for f and g.
//!
//! A filter must not learn from its filtered belief, in which the motion is the predicted motion. The smoothed joint
//! belief about x_b, x_{b+1} and a few bins before is used instead.
//!
//! **The motion of a bin.** In the model that is filtered, x' = f(x, v) + w with f linearised at the start of the bin,
//! A = f_x, and w̄ the noise averaged over it,
//!
//! ```text
//! x_{b+1} = x_b + φ_1(A) (f(x_b, v_b) + w̄_b),   so   x'_b = φ_1(A)⁻¹ (x_{b+1} − x_b) = f(x_b, v_b) + w̄_b
//! ```
//!
//! is the mean motion of the bin, a linear function of two neighbouring states. It is exact for noise that stands
//! still within a bin (order 0); for other noise w̄ leaves out how A weighs the derivatives of w, which is of the order
//! of A. A is that of the equations that filtered, at the mean of the belief.
//!
//! **Coloured noise.** w̄ is correlated from bin to bin with γ(h) (`bin_average.rs`). x_b was moved by w̄_{b−1}, so a
//! plain regression of x'_b on x_b is biased. e_b = r_b − Σ a_i r_{b−i} with r = x' − f and the weights of the
//! best prediction is new at b and independent of x_b, up to the memory that is kept; the same for y − g.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::CausalGeneralisedFilter;
use super::config::CausalConfig;
use super::innovation::Innovation;
use super::transition::phi_functions;
use crate::generalised::model::{Argument, Equations, Point};
use crate::generalised::regression_points::{RegressionPoints, Whitening, semi_root};
use crate::{Error, Result};

/// The smoothing lag, and the memory of the noise in bins.
///
/// Noise that is constant within a bin (order 0, or white) is exact with a memory of one. The average of a
/// polynomial of order N ≥ 1 is a moving average of samples, which is predicted from its past slowly: at order 2 and s = ½
/// a memory of 3 misses the slope of the evidence by a fifth, one of 8 by 4 %. To learn, filter with order 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmoothingLag {
    /// Observations after the end of a bin that its belief has to have seen, at least 1.
    #[serde(alias = "wait")]
    pub lag: usize,
    /// How many past residuals predict the noise of the motion and of the observation; 0 for independent noise.
    #[serde(alias = "memory")]
    pub noise_lags: usize,
}

impl Default for SmoothingLag {
    /// Four observations: the joint state stays small, and what comes later says little about a state
    /// that is seen in every bin. Two residuals: at s = ½ the third predicts less than a thousandth.
    fn default() -> Self {
        Self {
            lag: 4,
            noise_lags: 2,
        }
    }
}

impl SmoothingLag {
    /// The filter's settings with as much past as this needs.
    pub fn of(self, config: CausalConfig) -> CausalConfig {
        CausalConfig {
            keep: self.oldest().max(config.keep),
            ..config
        }
    }

    /// The lag of the oldest state that is asked for.
    fn oldest(self) -> usize {
        self.lag + self.noise_lags + 1
    }
}

/// Turns what a filter believes, bin by bin, into [`RegressionPoints`].
///
/// ```
/// use scotopic_filtering::generalised::causal::{
///     CausalGeneralisedFilter, CausalConfig, TransitionCollector, SmoothingLag,
/// };
/// use scotopic_filtering::generalised::model::{GenerativeModel, Trigonometric};
/// use scotopic_filtering::Filter;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = GenerativeModel::single(Trigonometric::default(), &[1.0], 4.0, 9.0, 1.0, &[0.5])?;
/// let hindsight = SmoothingLag::default();
/// let settings = hindsight.of(CausalConfig::default());
/// let mut filter = CausalGeneralisedFilter::new(model, settings, None)?;
/// let mut collector = TransitionCollector::new(&filter, hindsight, 100)?;
/// for t in 0..20 {
///     let y = [f64::sin(0.3 * f64::from(t))];
///     filter.update(Some(&y))?;
///     collector.observe(&filter, Some(&y))?;
/// }
/// assert_eq!(collector.points().bins(), 20 - 7);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionCollector {
    smoothing: SmoothingLag,
    points: RegressionPoints,
    /// The last observations, newest first.
    observations: Vec<Option<Vec<f64>>>,
    taken: u64,
    mean: Vec<f64>,
    root: DMatrix<f64>,
    slope: DMatrix<f64>,
    phi: [DMatrix<f64>; 2],
    term: DMatrix<f64>,
}

impl TransitionCollector {
    /// For the beliefs of `filter` about a model of one level, of which the last `capacity` bins are kept.
    ///
    /// # Errors
    /// [`Error::Setting`] for a filter that keeps less of the past than the hindsight needs ([`SmoothingLag::of`]), for no wait,
    /// or for a memory that predicts noise from itself; [`Error::Unsupported`] for several levels.
    pub fn new<E: Equations>(
        filter: &CausalGeneralisedFilter<E>,
        smoothing: SmoothingLag,
        capacity: usize,
    ) -> Result<Self> {
        let config = filter.config();
        let model = filter.model();
        let [level] = &model.levels[..] else {
            return Err(Error::Unsupported {
                what: "a model of several levels".to_owned(),
                asked: "say what its functions should be",
                why: "their outputs are not observed; learn levels one by one",
            });
        };
        if smoothing.lag == 0 {
            return Err(Error::setting("lag", 0, "at least one observation"));
        }
        if config.keep < smoothing.oldest() {
            let expected = format!("{} or more for this smoothing", smoothing.oldest());
            return Err(Error::setting("keep", config.keep, expected));
        }
        let noise_lags = smoothing.noise_lags;
        let flow = whitened(config.motion.bin_average(noise_lags)?)?;
        let output = whitened(config.output.at_lags(noise_lags))?;
        let sizes = level.equations.sizes();
        let (n, window) = (sizes.states, noise_lags + 1);
        let wide = (window + 1) * (n + sizes.causes);
        let all = [n, sizes.causes, sizes.outputs];
        // The causes at the end of the last bin are not used, but lie in between.
        let points = RegressionPoints::new(all, 2 * wide, flow, output, capacity)?;
        let square = DMatrix::zeros(n, n);
        Ok(Self {
            smoothing,
            points,
            observations: vec![None; smoothing.oldest() + 1],
            taken: 0,
            mean: vec![0.0; wide],
            root: DMatrix::zeros(wide, wide),
            slope: square.clone(),
            phi: [square.clone(), square.clone()],
            term: square,
        })
    }

    /// Notes the observation that `filter` has just taken in and, once there is enough hindsight, what it says of
    /// the bin that many observations ago. True if it said something.
    ///
    /// # Errors
    /// [`Error::Size`] for an observation of another length; [`Error::NotFinite`] for beliefs or slopes of f that no
    /// motion can be read off.
    pub fn observe<E: Equations>(
        &mut self,
        filter: &CausalGeneralisedFilter<E>,
        observation: Option<&[f64]>,
    ) -> Result<bool> {
        let Some(level) = filter.model().levels.first() else {
            return Ok(false);
        };
        let sizes = level.equations.sizes();
        if let Some(y) = observation.filter(|y| y.len() != sizes.outputs) {
            return Err(Error::size("observation", y.len(), sizes.outputs));
        }
        if filter.bins() == 1 {
            self.taken = 0; // another series
        }
        self.observations.rotate_right(1);
        self.observations[0] = observation.map(<[f64]>::to_vec);
        self.taken += 1;
        let SmoothingLag { lag, .. } = self.smoothing;
        let oldest = self.smoothing.oldest();
        if self.taken <= oldest as u64 || filter.bins() <= oldest as u64 {
            return Ok(false);
        }
        filter.past(lag..=oldest, &mut self.mean, &mut self.root)?;
        let lost = |what| Error::NotFinite {
            index: filter.bins(),
            what,
            found: f64::NAN,
        };
        if !semi_root(&mut self.root) {
            return Err(lost("the covariance of past states"));
        }
        let (n, width) = (sizes.states, sizes.states + sizes.causes);
        let window = self.points.window();
        // M_i = φ_1(A)⁻¹ at each bin of the window, newest first; block 0 of the belief is where the newest ends.
        let mut inverses = Vec::with_capacity(window);
        for i in 1..=window {
            let (x, v) = self.mean[i * width..(i + 1) * width].split_at(n);
            let theta = filter.parameters_of_first();
            let at = Point { x, v, theta };
            level.equations.f_by(Argument::State, at, &mut self.slope);
            let fine = phi_functions(&self.slope, &mut self.phi, &mut self.term);
            let inverse = fine.then(|| self.phi[1].clone().try_inverse()).flatten();
            inverses.push(inverse.ok_or_else(|| lost("the Jacobian of f over a bin"))?);
        }
        let first = lag + 1;
        let observed: Vec<_> = self.observations[first..first + window]
            .iter()
            .map(Option::as_deref)
            .collect();
        let read = |point: &[f64], inputs: &mut [f64], motions: &mut [f64]| {
            inputs.copy_from_slice(&point[width..]);
            for (i, inverse) in inverses.iter().enumerate() {
                let states = |block: usize| {
                    DVector::from_column_slice(&point[block * width..block * width + n])
                };
                let motion = inverse * (states(i) - states(i + 1));
                motions[i * n..(i + 1) * n].copy_from_slice(motion.as_slice());
            }
        };
        self.points.push(&self.mean, &self.root, &observed, read);
        Ok(true)
    }

    /// What was collected.
    pub fn points(&self) -> &RegressionPoints {
        &self.points
    }
}

/// (1, −a_1, …) and σ² from covariances at lags 0 …
fn whitened(covariances: Vec<f64>) -> Result<Whitening> {
    let memory = covariances.len() - 1;
    let innovation = Innovation::of(covariances).ok_or_else(|| {
        Error::setting(
            "noise_lags",
            memory,
            "fewer bins: the noise predicts itself",
        )
    })?;
    let past = innovation.weights.iter().map(|a| -a);
    Ok(Whitening {
        weights: std::iter::once(1.0).chain(past).collect(),
        variance: innovation.variance,
    })
}
