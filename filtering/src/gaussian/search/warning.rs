//! What a search of linear-Gaussian models has to say beside its numbers.

use std::fmt;

use serde::Serialize;

/// Something about a fit that its user should know; [`GaussianFound::warnings`](super::GaussianFound::warnings).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub enum GaussianWarning {
    /// The noise of columns collapsed: the states stand for the data themselves. The fit is with pseudo-observations.
    NoiseKept {
        /// Which columns, from 1.
        columns: Vec<usize>,
        /// ln p where it collapsed, nats.
        log_evidence: f64,
        /// How many of them.
        pseudo_count: f64,
    },
    /// It collapsed from every start, to where there is no number. The fit is with pseudo-observations.
    NoiseKeptEverywhere {
        /// The error.
        error: String,
        /// How many of them.
        pseudo_count: f64,
    },
    /// It collapsed in a fit from a model that was given.
    NoiseCollapsed {
        /// Which columns, from 1.
        columns: Vec<usize>,
        /// What would keep it from that.
        pseudo_count: f64,
    },
    /// The covariance of the start of one series shrank to nothing. To hold it at a number would not help: m0 and P0 are any others
    /// in another basis of the states, and the rest would follow.
    StartCollapsed,
}

impl GaussianWarning {
    /// Whether it says that pseudo-observations which nobody asked for keep the fit from collapse.
    pub fn is_of_a_prior(&self) -> bool {
        matches!(
            self,
            Self::NoiseKept { .. } | Self::NoiseKeptEverywhere { .. }
        )
    }
}

fn columns(numbers: &[usize]) -> String {
    let text: Vec<String> = numbers.iter().map(usize::to_string).collect();
    match text.as_slice() {
        [one] => format!("column {one}"),
        many => format!("a combination of columns {}", many.join(", ")),
    }
}

impl fmt::Display for GaussianWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collapsed = |numbers: &[usize]| {
            let of = columns(numbers);
            format!("the noise of {of} collapsed to less than a millionth of its variance")
        };
        let kept = |f: &mut fmt::Formatter<'_>, said: &str, count: f64| {
            write!(
                f,
                "{said}; fitted with a pseudo-count of {count}, observations of a tenth of each column's variance, and not ranked"
            )
        };
        match self {
            Self::NoiseKept {
                columns,
                log_evidence,
                pseudo_count,
            } => {
                let said = format!("{} (ln p {log_evidence:.3})", collapsed(columns));
                kept(f, &said, *pseudo_count)
            }
            Self::NoiseKeptEverywhere {
                error,
                pseudo_count,
            } => {
                let said = format!("the noise collapsed from every start ({error})");
                kept(f, &said, *pseudo_count)
            }
            Self::NoiseCollapsed {
                columns,
                pseudo_count,
            } => write!(
                f,
                "{}; a pseudo-count of {pseudo_count} keeps it from that",
                collapsed(columns)
            ),
            Self::StartCollapsed => f.write_str(
                "initial_covariance collapsed to next to nothing: one series has one start, which its initial_mean stands for, and \
                 tells no covariance of it; fit several series for one",
            ),
        }
    }
}
