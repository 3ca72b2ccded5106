//! Entries of a linear-Gaussian model that a fit leaves as they are, and entries that are one number.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Parameter};
use crate::{Error, Result};

/// Which entries of what is learned stay as they are, and which are one number. Fits begin with the mean of those that are one.
///
/// ```
/// use scotopic_filtering::gaussian::Constraints;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
/// // A velocity that moves a position, and two columns of the same noise.
/// let fixed = texts(&["F[0][0]", "F[0][1]"]);
/// let held = Constraints::new(&fixed, &[texts(&["R[0][0]", "R[1][1]"])])?;
/// assert!(held.fixes("transition[0][1]") && !held.fixes("F[1][1]"));
/// assert!(Constraints::new(&texts(&["F[0][0]", "transition[0][0]"]), &[]).is_err());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Names", into = "Names")]
pub struct Constraints {
    fixed: Vec<Entry>,
    tied: Vec<Vec<Entry>>,
}

/// The same by names.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Names {
    fixed: Vec<String>,
    tied: Vec<Vec<String>>,
}

impl TryFrom<Names> for Constraints {
    type Error = Error;
    fn try_from(names: Names) -> Result<Self> {
        Self::new(&names.fixed, &names.tied)
    }
}

impl From<Constraints> for Names {
    fn from(own: Constraints) -> Self {
        let texts = |entries: &Vec<Entry>| entries.iter().map(ToString::to_string).collect();
        Self {
            fixed: texts(&own.fixed),
            tied: own.tied.iter().map(texts).collect(),
        }
    }
}

impl Constraints {
    /// Entries that stay, and groups of entries that are one number, by their names ([`Entry::named`]). Entries of one parameter can be
    /// one number, and variances of Q, R and P0.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is none, an entry named twice, a group of one, and a group of what is not alike.
    pub fn new(fixed: &[String], tied: &[Vec<String>]) -> Result<Self> {
        let mut seen: Vec<Entry> = Vec::new();
        let mut once = |field: &'static str, text: &String| {
            let entry = Entry::named(field, text)?;
            if seen.contains(&entry) {
                let expected = format!("every entry once in `fixed` and `tied`, and {entry} twice");
                return Err(Error::setting(field, quoted(text), expected));
            }
            seen.push(entry);
            Ok(entry)
        };
        let fixed = fixed.iter().map(|text| once("fixed", text));
        let fixed = fixed.collect::<Result<_>>()?;
        let mut groups = Vec::new();
        for names in tied {
            let group = names.iter().map(|text| once("tied", text));
            let group: Vec<Entry> = group.collect::<Result<_>>()?;
            let wrong = |expected: &str| Err(Error::setting("tied", listed(names), expected));
            let Some((first, others)) = group.split_first().filter(|(_, o)| !o.is_empty()) else {
                return wrong("two entries or more that are one number");
            };
            if others.iter().any(|other| !first.is_like(*other)) {
                return wrong("entries of one parameter, or variances of Q, R and P0");
            }
            if first.parameter.is_covariance() && !group.iter().all(|e| e.is_variance()) {
                return wrong("of a covariance the variances, on its diagonal");
            }
            groups.push(group);
        }
        let tied = groups;
        Ok(Self { fixed, tied })
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.tied.is_empty()
    }

    /// Whether the entry of this name stays as it is.
    pub fn fixes(&self, name: &str) -> bool {
        Entry::named("fixed", name).is_ok_and(|entry| self.fixed.contains(&entry))
    }

    /// The entries that stay.
    pub fn fixed(&self) -> &[Entry] {
        &self.fixed
    }

    /// The groups of entries that are one number.
    pub fn tied(&self) -> &[Vec<Entry>] {
        &self.tied
    }

    /// All entries that are held, with the field that holds each.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'static str, Entry)> + '_ {
        let fixed = self.fixed.iter().map(|entry| ("fixed", *entry));
        let tied = self.tied.iter().flatten();
        fixed.chain(tied.map(|entry| ("tied", *entry)))
    }

    /// Whether an entry of this parameter is held.
    pub(crate) fn holds(&self, parameter: Parameter) -> bool {
        self.entries().any(|(_, e)| e.parameter == parameter)
    }

    /// The free number that each of these entries is, counted from 0; none where it stays.
    pub(crate) fn numbered(&self, entries: &[Entry]) -> Vec<Option<usize>> {
        let mut groups = vec![None; self.tied.len()];
        let mut count = 0;
        let mut new = || {
            count += 1;
            count - 1
        };
        let of = |entry: &Entry| {
            if self.fixed.contains(entry) {
                return None;
            }
            match self.tied.iter().position(|group| group.contains(entry)) {
                Some(group) => Some(*groups[group].get_or_insert_with(&mut new)),
                None => Some(new()),
            }
        };
        entries.iter().map(of).collect()
    }

    /// Refuses EM, whose M-step chooses whole matrices.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(crate) fn check_none(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let found = self.entries().map(|(_, e)| e.to_string());
        let expected = "none: an M-step chooses whole matrices; maximum_likelihood takes them";
        let found = found.collect::<Vec<_>>().join(", ");
        Err(Error::setting("constraints", found, expected))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Names as they stand in a file.
fn listed(names: &[String]) -> String {
    let texts: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", texts.join(", "))
}
