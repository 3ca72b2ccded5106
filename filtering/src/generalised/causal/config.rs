//! What the causal filter assumes of the noises, and how it computes.

use serde::{Deserialize, Serialize};

use super::noise_process::GENERATED;
use super::noise_shape::NoiseShape;
use crate::error::check_count;
use crate::generalised::noise::Autocorrelation;
use crate::generalised::scheme::Embedding;
use crate::{Error, Result};

/// How a nonlinear flow moves the covariance over a bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linearisation {
    /// By e^A with the Jacobian A at the start of each part of a bin: cheapest; the change of A with the
    /// state within a part is ignored.
    Tangent,
    /// By the derivative of the whole bin's flow, from central differences.
    Differences,
    /// To second order in the spread of the states: mean and covariance are exact for a quadratic flow and a
    /// Gaussian belief.
    SecondOrder,
    /// The same for a belief that is skewed: its third moments are carried from bin to bin, and taken into
    /// account where the covariance moves and where it is corrected.
    #[default]
    ThirdOrder,
}

/// Settings of [`super::CausalGeneralisedFilter`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CausalConfig {
    /// How w moves.
    pub motion: NoiseShape,
    /// How the causes of the top level and the noises between levels move; not white.
    pub cause: NoiseShape,
    /// How z is correlated from bin to bin.
    pub output: Autocorrelation,
    /// How many past bins predict z at the present one; 0 for independent samples.
    #[serde(alias = "memory")]
    pub noise_lags: usize,
    /// How many bins the belief lies behind the last observation (fixed-lag smoothing); 0 filters.
    #[serde(alias = "delay")]
    pub lag: usize,
    /// How many past bins are kept to be asked for with [`past`](super::CausalGeneralisedFilter::past), at least; what is
    /// reported is not delayed by it.
    pub keep: usize,
    /// Parts of a bin after each of which a nonlinear flow is linearised anew.
    pub steps: usize,
    /// How a nonlinear flow moves the covariance.
    pub linearisation: Linearisation,
    /// At most this many linearisations of a nonlinear g at one observation.
    pub iterations: usize,
    /// How many standard deviations off an observation may be before a nonlinear model's belief about its
    /// states is widened; none for never. A belief made of a few moments that has lost the truth does not know it,
    /// and with little motion noise would take very long to find back. It is widened as Student's t is by an
    /// observation far out. The evidence is not touched: every observation is scored before the belief is widened.
    /// Linear models never do this.
    #[serde(alias = "surprise")]
    pub outlier_threshold: Option<f64>,
    /// Whether parameters with prior variance are filtered along with the states.
    pub learn_parameters: bool,
    /// The variance that a free parameter gains in each bin, as a fraction of its prior variance.
    #[serde(alias = "parameter_walk")]
    pub parameter_drift: f64,
}

impl Default for CausalConfig {
    /// The noise of [`Embedding::default`]; one linearisation per bin, as the data generator of the
    /// published schemes; up to 5 linearisations of g, after which Gauss and Newton's steps are below
    /// rounding in every model here; 3 standard deviations, which right beliefs exceed at one observation
    /// of one number in 370, and which on Lorenz's system (100 000 bins) costs nothing in error and takes NEES from 1.2 to 1.0;
    /// parameters known.
    fn default() -> Self {
        Self::from(Embedding::default())
    }
}

impl From<Embedding> for CausalConfig {
    /// Sampled Gaussian noise of the embedding's smoothness on everything, in polynomials of the embedding's
    /// state order. The order of causes is not used: causes carry all orders of their noise.
    ///
    /// White samples (s = 0) have no derivatives to keep more or fewer of, so that the order says nothing
    /// about them. Between the bins they go along the polynomials of degree [`GENERATED`] of the data
    /// generator, whatever the embedding's order, and the filter is the exact one of every order.
    fn from(embedding: Embedding) -> Self {
        let smoothness = embedding.smoothness;
        let order = match smoothness > 0.0 {
            true => embedding.states,
            false => GENERATED,
        };
        let shape = NoiseShape::Sampled { smoothness, order };
        Self {
            motion: shape,
            cause: shape,
            output: shape.autocorrelation(),
            noise_lags: if smoothness > 0.0 { order + 1 } else { 0 },
            lag: 0,
            keep: 0,
            steps: 1,
            linearisation: Linearisation::ThirdOrder,
            iterations: 5,
            outlier_threshold: Some(3.0),
            learn_parameters: false,
            parameter_drift: 0.0,
        }
    }
}

impl CausalConfig {
    /// Noise of one shape on everything, z included as its samples; `noise_lags` past bins predict z.
    pub fn of_shape(shape: NoiseShape, noise_lags: usize) -> Self {
        Self {
            motion: shape,
            cause: shape,
            output: shape.autocorrelation(),
            noise_lags,
            ..Self::default()
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the field.
    pub fn check(&self) -> Result<()> {
        self.motion.check("motion")?;
        self.cause.check("cause")?;
        self.output.check()?;
        check_count("noise_lags", self.noise_lags, 0..=32)?;
        check_count("lag", self.lag, 0..=64)?;
        check_count("keep", self.keep, 0..=64)?;
        check_count("steps", self.steps, 1..=1000)?;
        check_count("iterations", self.iterations, 1..=100)?;
        if let Some(found) = self.outlier_threshold.filter(|&s| s.is_nan() || s <= 0.0) {
            let expected = "a positive number of standard deviations, or none";
            return Err(Error::setting("outlier_threshold", found, expected));
        }
        let drift = self.parameter_drift;
        match drift >= 0.0 && drift.is_finite() {
            true => Ok(()),
            false => Err(Error::setting(
                "parameter_drift",
                drift,
                "a fraction, at least 0",
            )),
        }
    }
}
