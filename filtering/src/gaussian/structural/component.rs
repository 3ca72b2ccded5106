//! Components of a structural model, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parameter::{Kind, Parameter};
use crate::{Error, Result};

/// The longest season, and the highest order of an ARMA process: more states than these are a misprint.
const MOST: usize = 400;

/// One component of a structural time series model (A. C. Harvey, "Forecasting, structural time series models and the
/// Kalman filter", 1989). As text: the name, then its numbers after colons.
///
/// ```
/// use scotopic_filtering::gaussian::Component;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let season: Component = "seasonal:12".parse()?;
/// assert_eq!(season, Component::Seasonal { period: 12 });
/// assert_eq!(season.states(), 11);
/// assert!("seasonal:1".parse::<Component>().is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Component {
    /// `level`: a random walk μ_t = μ_{t−1} (+ ν_{t−1}) + N(0, σ²).
    Level,
    /// `slope`: the drift ν_t = ν_{t−1} + N(0, σ²) of the level.
    Slope,
    /// `seasonal:N`: γ_t = −γ_{t−1} − … − γ_{t−N+1} + N(0, σ²), effects that sum to nil over N observations.
    Seasonal {
        /// N, the observations of one season.
        period: usize,
    },
    /// `trigonometric:N` or `trigonometric:N:K`: rotations by 2πj/N, j = 1 … K, with one variance; K = ⌊N/2⌋ unless given.
    Trigonometric {
        /// N, the observations of one season.
        period: usize,
        /// K, the number of harmonics.
        harmonics: usize,
    },
    /// `cycle`: a damped rotation of estimated period.
    Cycle,
    /// `ar:p` or `arma:p:q`: a stationary and invertible process with N(0, σ²) innovations.
    Arma {
        /// p, the autoregressive order.
        ar: usize,
        /// q, the moving-average order.
        ma: usize,
    },
    /// `regression`: Σ β_k u_tk of the inputs of the model, with coefficients that stay; `regression:walk`: that walk.
    Regression {
        /// How many inputs: those of the model ([`StructuralModel::with_inputs`](super::StructuralModel::with_inputs)).
        inputs: usize,
        /// Whether each coefficient is a random walk.
        walks: bool,
    },
}

impl Component {
    /// The components, each as text with a description.
    pub const KNOWN: &[(&str, &str)] = &[
        ("level", "a level that follows a random walk"),
        ("slope", "the slope of the level, a random walk itself"),
        ("trend", "level and slope together"),
        (
            "seasonal:N",
            "N seasonal effects that sum to nil (dummy form)",
        ),
        (
            "trigonometric:N",
            "a season of N observations as N/2 harmonics; trigonometric:N:K as K",
        ),
        ("cycle", "a damped cycle; its period is estimated"),
        ("ar:P", "a stationary autoregressive process of order P"),
        (
            "regression",
            "a regression on inputs, its coefficients states that stay",
        ),
        (
            "regression:walk",
            "the same with coefficients that walk, each with a variance",
        ),
        ("arma:P:Q", "a stationary and invertible ARMA(P, Q) process"),
    ];

    /// The components of a list between commas; `trend` is `level,slope`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is not known or numbers that make no sense.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for name in text.split(',').map(str::trim) {
            match name {
                "trend" => all.extend([Self::Level, Self::Slope]),
                name => all.push(name.parse()?),
            }
        }
        Ok(all)
    }

    /// The name without numbers, which its parameters begin with.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Slope => "slope",
            Self::Seasonal { .. } => "seasonal",
            Self::Trigonometric { .. } => "trigonometric",
            Self::Cycle => "cycle",
            Self::Arma { ma: 0, .. } => "ar",
            Self::Arma { .. } => "arma",
            Self::Regression { .. } => "regression",
        }
    }

    /// How many entries of the state it takes.
    pub fn states(&self) -> usize {
        match *self {
            Self::Level | Self::Slope => 1,
            Self::Seasonal { period } => period - 1,
            // The harmonic of period 2 has one entry.
            Self::Trigonometric { period, harmonics } => {
                2 * harmonics - usize::from(2 * harmonics == period)
            }
            Self::Cycle => 2,
            Self::Arma { ar, ma } => ar.max(ma + 1),
            Self::Regression { inputs, .. } => inputs,
        }
    }

    /// Whether it has no stationary distribution to start from.
    pub fn is_diffuse(&self) -> bool {
        !matches!(self, Self::Cycle | Self::Arma { .. })
    }

    /// Its parameters, the variance of its disturbances first; `prefix` is its name in the model. Those of a regression have the
    /// names of inputs, which the model knows.
    pub(super) fn parameters(&self, prefix: &str) -> Vec<Parameter> {
        let one = |name: String, kind| Parameter { name, kind };
        let mut all = vec![one(prefix.to_owned(), Kind::Variance)];
        match *self {
            Self::Regression { inputs, walks } => {
                let walking = 0..if walks { inputs } else { 0 };
                all = walking
                    .map(|k| one(format!("{prefix}.{}", k + 1), Kind::Variance))
                    .collect();
            }
            Self::Cycle => {
                all.push(one(format!("{prefix}.period"), Kind::Period));
                all.push(one(format!("{prefix}.damping"), Kind::Damping));
            }
            Self::Arma { ar, ma } => {
                let dotted = prefix.strip_prefix("arma").or(prefix.strip_prefix("ar"));
                let rest = dotted.unwrap_or_default();
                all.extend(
                    (0..ar)
                        .map(|k| one(format!("ar{rest}.{}", k + 1), Kind::Ar { at: k, order: ar })),
                );
                all.extend(
                    (0..ma)
                        .map(|k| one(format!("ma{rest}.{}", k + 1), Kind::Ma { at: k, order: ma })),
                );
            }
            _ => {}
        }
        all
    }
}

impl FromStr for Component {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            let known: Vec<&str> = Self::KNOWN.iter().map(|(name, _)| *name).collect();
            Error::setting("component", text, format!("one of {}", known.join(", ")))
        };
        if let "regression" | "regression:walk" = text.trim() {
            return Ok(Self::Regression {
                inputs: 0,
                walks: text.contains(':'),
            });
        }
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let numbers: Option<Vec<usize>> = parts.map(|part| part.trim().parse().ok()).collect();
        let numbers = numbers.ok_or_else(unknown)?;
        let component = match (name, numbers.as_slice()) {
            ("level", []) => Self::Level,
            ("slope", []) => Self::Slope,
            ("cycle", []) => Self::Cycle,
            ("seasonal", &[period]) => Self::Seasonal { period },
            ("trigonometric", &[period]) => Self::Trigonometric {
                period,
                harmonics: period / 2,
            },
            ("trigonometric", &[period, harmonics]) => Self::Trigonometric { period, harmonics },
            ("ar", &[ar]) => Self::Arma { ar, ma: 0 },
            ("arma", &[ar, ma]) => Self::Arma { ar, ma },
            _ => return Err(unknown()),
        };
        let expected = match component {
            Self::Seasonal { period } | Self::Trigonometric { period, .. }
                if !(2..=MOST).contains(&period) =>
            {
                format!("a season of 2 to {MOST} observations")
            }
            Self::Trigonometric { period, harmonics } if !(1..=period / 2).contains(&harmonics) => {
                format!("1 to {} harmonics", period / 2)
            }
            Self::Arma { ar, ma } if ar + ma == 0 || ar.max(ma) > MOST => {
                format!("orders up to {MOST}, not both 0")
            }
            _ => return Ok(component),
        };
        Err(Error::setting("component", text, expected))
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match *self {
            Self::Level | Self::Slope | Self::Cycle | Self::Regression { walks: false, .. } => {
                f.write_str(name)
            }
            Self::Regression { .. } => write!(f, "{name}:walk"),
            Self::Seasonal { period } => write!(f, "{name}:{period}"),
            Self::Trigonometric { period, harmonics } if harmonics == period / 2 => {
                write!(f, "{name}:{period}")
            }
            Self::Trigonometric { period, harmonics } => write!(f, "{name}:{period}:{harmonics}"),
            Self::Arma { ar, ma: 0 } => write!(f, "{name}:{ar}"),
            Self::Arma { ar, ma } => write!(f, "{name}:{ar}:{ma}"),
        }
    }
}

impl TryFrom<String> for Component {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Component> for String {
    fn from(component: Component) -> Self {
        component.to_string()
    }
}

/// Refuses a fixed parameter that has another value among those of a file.
pub(super) fn check_once(values: &BTreeMap<String, f64>, name: &str) -> Result<()> {
    match values.contains_key(name) {
        true => {
            let expected = "a value in [fixed] or in [values], not in both";
            Err(Error::setting("fixed", name, expected))
        }
        false => Ok(()),
    }
}
