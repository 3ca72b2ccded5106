//! One number of a linear-Gaussian model by its name: `F[0][1]`, `offset[2]`.

use std::fmt;

use crate::{Error, Result};

/// The parameters, in the order of the coordinates of a fit; those of inputs last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Parameter {
    Transition,
    Bias,
    ProcessNoise,
    Observation,
    Offset,
    ObservationNoise,
    InitialMean,
    InitialCovariance,
    Control,
    Direct,
}

impl Parameter {
    pub const ALL: [Self; 10] = [
        Self::Transition,
        Self::Bias,
        Self::ProcessNoise,
        Self::Observation,
        Self::Offset,
        Self::ObservationNoise,
        Self::InitialMean,
        Self::InitialCovariance,
        Self::Control,
        Self::Direct,
    ];

    /// Its letter, its key in a file, and its key in continuous time.
    fn names(self) -> [&'static str; 3] {
        match self {
            Self::Transition => ["F", "transition", "drift"],
            Self::Bias => ["b", "bias", "bias"],
            Self::ProcessNoise => ["Q", "process_noise", "diffusion"],
            Self::Observation => ["H", "observation", "observation"],
            Self::Offset => ["d", "offset", "offset"],
            Self::ObservationNoise => ["R", "observation_noise", "observation_noise"],
            Self::InitialMean => ["m0", "initial_mean", "initial_mean"],
            Self::InitialCovariance => ["P0", "initial_covariance", "initial_covariance"],
            Self::Control => ["B", "control", "control"],
            Self::Direct => ["D", "direct", "direct"],
        }
    }

    pub fn letter(self) -> &'static str {
        self.names()[0]
    }

    /// Its key in a file, of discrete or of continuous time.
    pub fn key(self, continuous: bool) -> &'static str {
        self.names()[if continuous { 2 } else { 1 }]
    }

    pub fn is_covariance(self) -> bool {
        matches!(
            self,
            Self::ProcessNoise | Self::ObservationNoise | Self::InitialCovariance
        )
    }

    pub fn is_vector(self) -> bool {
        matches!(self, Self::Bias | Self::Offset | Self::InitialMean)
    }
}

/// A number of a parameter: its row and its column, from 0; of a covariance the one of the lower triangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub(crate) parameter: Parameter,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl Entry {
    /// Two entries of a covariance across its diagonal are one number, and one entry.
    pub(crate) fn new(parameter: Parameter, (i, j): (usize, usize)) -> Self {
        let (row, column) = match parameter.is_covariance() {
            true => (i.max(j), i.min(j)),
            false => (i, j),
        };
        Self {
            parameter,
            row,
            column,
        }
    }

    /// The entry of a name, which the setting `field` holds: a letter (F, b, Q, H, d, R, m0, P0, B, D) or key (`transition`), and
    /// an index in brackets for each axis, from 0.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::Entry;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// assert_eq!(Entry::named("fixed", "transition[0][1]")?.to_string(), "F[0][1]");
    /// assert!(Entry::named("fixed", "F[1,1]").is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] with the field and the text.
    pub fn named(field: &'static str, text: &str) -> Result<Self> {
        let wrong = |expected: String| Error::setting(field, format!("\"{text}\""), expected);
        let (name, rest) = text.split_at(text.find('[').unwrap_or(text.len()));
        let known = |p: &Parameter| p.names().contains(&name.trim());
        let Some(parameter) = Parameter::ALL.into_iter().find(known) else {
            let expected =
                "an entry such as F[0][1] of F, b, Q, H, d, R, m0, P0, B or D, by letter or by key";
            return Err(wrong(expected.to_owned()));
        };
        let inside = |part: &str| part.trim().strip_suffix(']')?.trim().parse::<usize>().ok();
        let indices: Option<Vec<usize>> = rest.split('[').skip(1).map(inside).collect();
        match (indices.as_deref(), parameter.is_vector()) {
            (Some(&[i]), true) => Ok(Self::new(parameter, (i, 0))),
            (Some(&[i, j]), false) => Ok(Self::new(parameter, (i, j))),
            (_, true) => Err(wrong(format!(
                "{}[0] or the like: an index in brackets, from 0",
                name.trim()
            ))),
            (_, false) => Err(wrong(format!(
                "{}[0][1] or the like: row and column in brackets of their own, from 0",
                name.trim()
            ))),
        }
    }

    /// Whether it is a variance.
    pub(crate) fn is_variance(self) -> bool {
        self.parameter.is_covariance() && self.row == self.column
    }

    /// Whether both can be one number: of one parameter, or variances.
    pub(crate) fn is_like(self, other: Self) -> bool {
        self.parameter == other.parameter || (self.is_variance() && other.is_variance())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.parameter.letter(), self.row)?;
        match self.parameter.is_vector() {
            true => Ok(()),
            false => write!(f, "[{}]", self.column),
        }
    }
}
