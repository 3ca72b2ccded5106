//! The built-in models by name, as in configuration files.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{
    Argument, CausePrior, DoubleWell, Equations, FitzHughNagumo, GaussianPrior,
    GeneralisedLotkaVolterra, GenerativeModel, Level, Linear, Lorenz, LotkaVolterra, Neural,
    NoisePrecision, Number, Point, Pullback, Sizes, Trigonometric,
};
use crate::error::check_finite;
use crate::{Error, Result};

/// Equations by name. In a file: `kind = "lorenz"` and the fields of that kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Named {
    /// [`Linear::convolution`].
    LinearConvolution,
    /// Any linear model, by its matrices in rows.
    Linear(LinearRows),
    /// [`Linear::ornstein_uhlenbeck`].
    OrnsteinUhlenbeck {
        /// The leak per bin.
        #[serde(default = "sixteenth")]
        rate: f64,
    },
    /// [`Lorenz`].
    Lorenz(Lorenz),
    /// [`LotkaVolterra`].
    LotkaVolterra(LotkaVolterra),
    /// [`GeneralisedLotkaVolterra`].
    GeneralisedLotkaVolterra(GeneralisedLotkaVolterra),
    /// [`DoubleWell`].
    DoubleWell,
    /// [`Pullback`].
    Pullback(Pullback),
    /// [`Trigonometric`].
    Trigonometric(Trigonometric),
    /// [`FitzHughNagumo`].
    FitzhughNagumo(FitzHughNagumo),
    /// [`Neural`].
    Neural(Neural),
}

/// Matrices of x' = A x + B v, y = C x in rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearRows {
    /// A, `[states][states]`.
    pub a: Vec<Vec<f64>>,
    /// B, `[states][causes]`; no causes if it is not given.
    #[serde(default)]
    pub b: Vec<Vec<f64>>,
    /// C, `[outputs][states]`.
    pub c: Vec<Vec<f64>>,
}

fn sixteenth() -> f64 {
    1.0 / 16.0
}

/// A whole model of one level as a file holds it. Precisions are scalars; noise is independent between
/// entries.
///
/// ```
/// use scotopic_filtering::generalised::model::ModelFile;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "equations": { "kind": "lorenz", "doubled": true, "time_step": 0.03125, "output": "sum" },
///     "output_precision": 1.0, "motion_precision": 8886110.5, "start": [0.9, 0.8, 30.0]
/// }"#;
/// let file: ModelFile = serde_json::from_str(text)?;
/// let model = file.build()?;
/// assert_eq!(model.levels[0].parameters.mean.as_slice(), [18.0, -4.0, 46.92]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The equations.
    pub equations: Named,
    /// θ, or its prior mean; the defaults of the equations if it is not given.
    #[serde(default)]
    pub parameters: Option<Vec<f64>>,
    /// Prior variances of θ; all known if it is not given.
    #[serde(default)]
    pub parameter_variances: Option<Vec<f64>>,
    /// The precision of every entry of z.
    pub output_precision: f64,
    /// The precision of every entry of w.
    pub motion_precision: f64,
    /// The prior variance of ln `output_precision`; 0, it is known, if it is not given.
    #[serde(default)]
    pub output_log_variance: f64,
    /// The prior variance of ln `motion_precision`; 0, it is known, if it is not given.
    #[serde(default)]
    pub motion_log_variance: f64,
    /// The precision of every cause about its prior mean; 1 if it is not given.
    #[serde(default = "one")]
    pub cause_precision: f64,
    /// The prior mean of the causes; 0 if it is not given.
    #[serde(default)]
    pub cause_mean: Option<Vec<f64>>,
    /// The states at the first bin; 0 if it is not given.
    #[serde(default)]
    pub start: Option<Vec<f64>>,
}

fn one() -> f64 {
    1.0
}

/// A precision of independent entries: known, or with a prior on its logarithm.
fn noise(name: &str, size: usize, precision: f64, log_variance: f64) -> Result<NoisePrecision> {
    if log_variance == 0.0 {
        return Ok(NoisePrecision::scalar(size, precision));
    }
    if !(log_variance > 0.0 && log_variance.is_finite() && precision > 0.0) {
        let expected = "a variance, 0 or more, of the logarithm of a positive precision";
        return Err(Error::entry(name, &[], log_variance, expected));
    }
    Ok(NoisePrecision::unknown(size, precision.ln(), log_variance))
}

impl ModelFile {
    /// The model.
    ///
    /// # Errors
    /// What does not fit or cannot be, by name, as [`GenerativeModel::check`].
    pub fn build(&self) -> Result<GenerativeModel<AnyEquations>> {
        let equations = self.equations.build()?;
        let sizes = equations.sizes();
        let mean = match &self.parameters {
            Some(given) => given.clone(),
            None => equations.defaults(),
        };
        let known = vec![0.0; mean.len()];
        let variances = self.parameter_variances.as_ref().unwrap_or(&known);
        let start = self.start.clone();
        let cause_mean = self.cause_mean.clone();
        let model = GenerativeModel {
            levels: vec![Level {
                parameters: GaussianPrior::independent(&mean, variances)?,
                output: noise(
                    "output_log_variance",
                    sizes.outputs,
                    self.output_precision,
                    self.output_log_variance,
                )?,
                motion: noise(
                    "motion_log_variance",
                    sizes.states,
                    self.motion_precision,
                    self.motion_log_variance,
                )?,
                start: start.unwrap_or_else(|| vec![0.0; sizes.states]),
                equations,
            }],
            cause: CausePrior {
                mean: cause_mean.unwrap_or_else(|| vec![0.0; sizes.causes]),
                precision: NoisePrecision::scalar(sizes.causes, self.cause_precision),
            },
        };
        model.check()?;
        Ok(model)
    }
}

impl Named {
    /// The equations.
    ///
    /// # Errors
    /// [`Error::Size`] for matrices that do not fit, [`Error::Entry`] for an entry that is not finite, a bin that
    /// is not positive, or no states.
    pub fn build(&self) -> Result<AnyEquations> {
        self.check()?;
        Ok(match self {
            Named::LinearConvolution => AnyEquations::Linear(Linear::convolution()),
            Named::Linear(rows) => AnyEquations::Linear(rows.build()?),
            Named::OrnsteinUhlenbeck { rate } => {
                AnyEquations::Linear(Linear::ornstein_uhlenbeck(*rate))
            }
            Named::Lorenz(lorenz) => AnyEquations::Lorenz(*lorenz),
            Named::LotkaVolterra(pair) => AnyEquations::LotkaVolterra(*pair),
            Named::GeneralisedLotkaVolterra(many) => {
                let n = many.growth.len();
                let square = many.interactions.len() == n;
                if !square || many.interactions.iter().any(|row| row.len() != n) {
                    let found = many.interactions.len();
                    return Err(Error::size(
                        "interactions",
                        found,
                        format!("{n} rows of {n}"),
                    ));
                }
                AnyEquations::GeneralisedLotkaVolterra(many.clone())
            }
            Named::DoubleWell => AnyEquations::DoubleWell(DoubleWell {}),
            Named::Pullback(pullback) => AnyEquations::Pullback(*pullback),
            Named::Trigonometric(wave) => AnyEquations::Trigonometric(*wave),
            Named::FitzhughNagumo(neuron) => AnyEquations::FitzHughNagumo(*neuron),
            Named::Neural(network) => AnyEquations::Neural(network.clone()),
        })
    }
}

/// The states of models whose states do not interact: beyond, their matrices do not fit into memory.
const MOST_STATES: usize = 10_000;

impl Named {
    fn check(&self) -> Result<()> {
        let positive = |name: &str, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::entry(name, &[], value, "a positive finite number")),
        };
        let states = |size: usize| match (1..=MOST_STATES).contains(&size) {
            true => Ok(()),
            false => Err(Error::size(
                "size",
                size,
                format!("from 1 to {MOST_STATES}"),
            )),
        };
        match self {
            // A rate below 0 is a flow away from 0: a model, if an unstable one.
            Named::OrnsteinUhlenbeck { rate } if !rate.is_finite() => {
                Err(Error::entry("rate", &[], rate, "a finite number"))
            }
            Named::Lorenz(Lorenz { time_step, .. })
            | Named::LotkaVolterra(LotkaVolterra { time_step })
            | Named::FitzhughNagumo(FitzHughNagumo { time_step }) => {
                positive("time_step", *time_step)
            }
            Named::GeneralisedLotkaVolterra(many) => {
                positive("time_step", many.time_step)?;
                if many.growth.is_empty() {
                    return Err(Error::size("growth", 0, "at least one population"));
                }
                let columns = many.growth.len();
                check_finite("growth", columns, &many.growth)?;
                check_finite("interactions", columns, &many.interactions.concat())
            }
            Named::Pullback(Pullback { size }) => states(*size),
            Named::Trigonometric(Trigonometric { size }) => states(*size),
            _ => Ok(()),
        }
    }
}

impl LinearRows {
    fn build(&self) -> Result<Linear> {
        let matrix = |name: &str, rows: &[Vec<f64>], height: usize| {
            let width = rows.first().map_or(0, Vec::len);
            if !rows.is_empty() && rows.len() != height {
                return Err(Error::size(name, rows.len(), height));
            }
            if let Some(row) = rows.iter().find(|row| row.len() != width) {
                return Err(Error::size(format!("{name}: a row"), row.len(), width));
            }
            Ok(DMatrix::from_fn(height, width, |i, j| rows[i][j]))
        };
        let n = self.a.len();
        Linear::new(
            matrix("a", &self.a, n)?,
            matrix("b", &self.b, n)?,
            matrix("c", &self.c, self.c.len())?,
        )
    }
}

/// Any of the equations that come with this crate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)] // each is the type of its name
pub enum AnyEquations {
    Linear(Linear),
    Lorenz(Lorenz),
    LotkaVolterra(LotkaVolterra),
    GeneralisedLotkaVolterra(GeneralisedLotkaVolterra),
    DoubleWell(DoubleWell),
    Pullback(Pullback),
    Trigonometric(Trigonometric),
    FitzHughNagumo(FitzHughNagumo),
    Neural(Neural),
}

macro_rules! each {
    ($any:expr, $e:ident => $result:expr) => {
        match $any {
            AnyEquations::Linear($e) => $result,
            AnyEquations::Lorenz($e) => $result,
            AnyEquations::LotkaVolterra($e) => $result,
            AnyEquations::GeneralisedLotkaVolterra($e) => $result,
            AnyEquations::DoubleWell($e) => $result,
            AnyEquations::Pullback($e) => $result,
            AnyEquations::Trigonometric($e) => $result,
            AnyEquations::FitzHughNagumo($e) => $result,
            AnyEquations::Neural($e) => $result,
        }
    };
}

impl AnyEquations {
    /// The usual values of θ.
    pub fn defaults(&self) -> Vec<f64> {
        match self {
            AnyEquations::Linear(e) => e.defaults(),
            AnyEquations::Lorenz(e) => e.defaults(),
            AnyEquations::LotkaVolterra(e) => e.defaults(),
            AnyEquations::GeneralisedLotkaVolterra(e) => e.defaults(),
            AnyEquations::DoubleWell(_) => Vec::new(),
            AnyEquations::Pullback(e) => e.defaults(),
            AnyEquations::Trigonometric(e) => e.defaults(),
            AnyEquations::FitzHughNagumo(e) => e.defaults(),
            AnyEquations::Neural(e) => e.defaults(),
        }
    }
}

impl Equations for AnyEquations {
    fn sizes(&self) -> Sizes {
        each!(self, e => e.sizes())
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        each!(self, e => e.f(at, out));
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        each!(self, e => e.g(at, out));
    }
    fn is_linear(&self) -> bool {
        each!(self, e => e.is_linear())
    }
    fn output_sees_causes(&self) -> bool {
        each!(self, e => e.output_sees_causes())
    }
    fn output_is_linear(&self) -> bool {
        each!(self, e => e.output_is_linear())
    }
    fn output_has_parameters(&self) -> bool {
        each!(self, e => e.output_has_parameters())
    }
    fn f_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        each!(self, e => e.f_by(by, at, out));
    }
    fn g_by(&self, by: Argument, at: Point<'_>, out: &mut DMatrix<f64>) {
        each!(self, e => e.g_by(by, at, out));
    }
}
