//! The learning rule, as given on the command line.

use std::path::Path;

use anyhow::{Context, Result, bail};
use scotopic_datasets::bounded::read_text;
use scotopic_filtering::{AnyLearning, AnyModel};

/// The learning rule, as given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnSpec {
    /// The default rule of the model.
    Default,
    /// A rule with default settings.
    Named(String),
    /// A rule with settings, in TOML.
    Settings(String),
}

impl LearnSpec {
    /// What `--learn` was given: nothing, the name of a rule, or a TOML file.
    ///
    /// # Errors
    /// For a file that cannot be read.
    pub fn given(text: &str) -> Result<Self> {
        Ok(match text {
            "" => Self::Default,
            file if file.ends_with(".toml") => Self::Settings(
                read_text(Path::new(file)).with_context(|| format!("could not read {file}"))?,
            ),
            name => Self::Named(name.to_owned()),
        })
    }

    /// The settings of a rule for `model`.
    ///
    /// # Errors
    /// For a rule that the kind of model does not know, or settings that make no sense.
    pub fn of(&self, model: &AnyModel) -> Result<AnyLearning> {
        let rules = AnyLearning::rules(model);
        let unknown =
            || format!("unknown learning rule or settings; the rules of this model are {rules}");
        let text = match self {
            Self::Default => return Ok(AnyLearning::named(model, None)?),
            Self::Named(name) => {
                return AnyLearning::named(model, Some(name)).with_context(unknown);
            }
            Self::Settings(text) => text,
        };
        let mut table: toml::Table = toml::from_str(text)?;
        // The only rule of a kind of model need not be named.
        if !rules.contains(',')
            && let Some(toml::Value::String(name)) = table.remove("rule")
            && name != rules
        {
            bail!("this model learns by the rule {rules}, not {name}");
        }
        let read = match model {
            AnyModel::Hmm(_) => table.try_into().map(AnyLearning::Hmm),
            AnyModel::LinearGaussian(_) => table.try_into().map(AnyLearning::LinearGaussian),
            AnyModel::DrivenHmm(_) | AnyModel::Driven(_) | AnyModel::Slds(_) => {
                return Ok(AnyLearning::named(model, None)?);
            }
            AnyModel::Plds(_) => table.try_into().map(AnyLearning::Plds),
            AnyModel::Nonlinear(_) => table.try_into().map(AnyLearning::Nonlinear),
            AnyModel::Generalised(_) => table.try_into().map(|c| AnyLearning::Generalised(Some(c))),
        };
        read.with_context(unknown)
    }
}
