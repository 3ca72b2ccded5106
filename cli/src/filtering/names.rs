//! Names on the command line: factorisations, schemes, rules of learning.

use anyhow::{Context, Result, bail};
use scotopic_filtering::gaussian::GaussianFactorisation;
use scotopic_filtering::hmm::Factorisation;
use scotopic_filtering::nonlinear::ElboKind;

/// The factorisations that a discrete model can be filtered with, by the names of the command line.
pub const DISCRETE: &str = "reversed, decoupled-lag1, frozen, tied";
/// Those of a linear-Gaussian model.
pub const GAUSSIAN: &str = "reversed, diagonal, decoupled, frozen-mean-field, jelbo";
/// Those of a nonlinear model.
pub const NONLINEAR: &str = "reversed, jelbo, vjf";

/// The learning rule, as given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The default rule of the model.
    Default,
    /// A rule with default settings.
    Named(String),
    /// A rule with settings, in TOML.
    Settings(String),
}

impl Rule {
    pub(super) fn settings<T: Default + serde::de::DeserializeOwned>(
        &self,
        rules: &str,
    ) -> Result<T> {
        let text = match self {
            Self::Default => return Ok(T::default()),
            Self::Named(name) => format!("rule = {name:?}"),
            Self::Settings(text) => text.clone(),
        };
        toml::from_str(&text).with_context(|| {
            format!("unknown learning rule or settings; the rules of this model are {rules}")
        })
    }
}

/// Settings of the only rule of a kind of model; a `rule` among them must be that one.
pub(super) fn without_rule<T: serde::de::DeserializeOwned>(text: &str, rule: &str) -> Result<T> {
    let mut table: toml::Table = toml::from_str(text)?;
    match table.remove("rule") {
        Some(toml::Value::String(name)) if name != rule => {
            bail!("this model learns by the rule {rule}, not {name}")
        }
        _ => Ok(table.try_into()?),
    }
}

/// The factorisation of a discrete model by name, batch ones included.
pub fn discrete(name: &str) -> Result<Factorisation> {
    Factorisation::named(name).with_context(|| {
        format!(
            "unknown factorisation `{name}` of a hidden Markov model: online there are {DISCRETE}; for whole sequences \
             also forward-markov, fully-factorised and block-N with blocks of N time steps"
        )
    })
}

/// The factorisation of a linear-Gaussian model by name.
pub fn gaussian(name: &str) -> Result<GaussianFactorisation> {
    let value = toml::Value::String(name.to_owned());
    value.try_into().with_context(|| {
        format!("unknown factorisation `{name}` of a linear-Gaussian model: there are {GAUSSIAN}; for whole sequences also temporal-mean-field")
    })
}

/// The scheme of a nonlinear model by name.
pub(super) fn scheme(name: &str) -> Result<ElboKind> {
    Ok(match name {
        "reversed" => ElboKind::Reversed,
        "jelbo" => ElboKind::Jelbo,
        "vjf" => ElboKind::Vjf,
        other => bail!("unknown scheme `{other}` of a nonlinear model: there are {NONLINEAR}"),
    })
}
