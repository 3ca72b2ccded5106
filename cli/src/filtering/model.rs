//! A state-space model as a TOML file describes it.

use std::path::Path;

use anyhow::{Context, Result};
use scotopic_datasets::replace::replace;
use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::hmm::Hmm;
use scotopic_filtering::nonlinear::StateSpace;
use scotopic_filtering::nonlinear::models::AnyStateSpace;
use serde::{Deserialize, Serialize};

use super::generalised::Generalised;

/// The kinds that a file can have, for messages and help.
pub const KINDS: &str = "hmm, linear-gaussian, generalised, ar1-poisson, sin-quadratic, \
                         stochastic-volatility, diagonal-linear";

/// A model of one of the kinds that filters are made for; `kind` names it.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// `kind = "hmm"`: `initial`, `transition`, `emission`.
    Hmm(Hmm),
    /// `kind = "linear-gaussian"`: F, Q, H, R and the rest.
    LinearGaussian(LinearGaussian),
    /// A nonlinear model of the library, by name.
    Nonlinear(AnyStateSpace),
    /// `kind = "generalised"`: `equations`, precisions, `embedding`.
    Generalised(Box<Generalised>),
}

impl Model {
    /// Reads a model; errors name the file.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or does not describe a valid model.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read the model {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("the model {} cannot be used", path.display()))
    }

    /// The model that a text in TOML describes.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(text)?;
        let kind = match table.get("kind") {
            Some(toml::Value::String(kind)) => kind.clone(),
            Some(other) => anyhow::bail!("`kind` is {other}, expected one of {KINDS}"),
            None => anyhow::bail!("it has no `kind`; it must be one of {KINDS}"),
        };
        match kind.as_str() {
            "hmm" => {
                table.remove("kind");
                Ok(Self::Hmm(table.try_into()?))
            }
            "linear-gaussian" => {
                table.remove("kind");
                Ok(Self::LinearGaussian(table.try_into()?))
            }
            "generalised" => {
                table.remove("kind");
                Ok(Self::Generalised(Box::new(Generalised::parse(table)?)))
            }
            kind if KINDS.split(", ").any(|known| known == kind) => {
                Ok(Self::Nonlinear(table.try_into()?))
            }
            kind => anyhow::bail!("`kind` is \"{kind}\", expected one of {KINDS}"),
        }
    }

    /// The same as a text in TOML, `kind` first.
    ///
    /// # Errors
    /// None that a checked model can cause.
    pub fn to_toml(&self) -> Result<String> {
        let mut table = match self {
            Self::Hmm(model) => toml::Table::try_from(model)?,
            Self::LinearGaussian(model) => toml::Table::try_from(model)?,
            Self::Nonlinear(model) => toml::Table::try_from(model)?,
            Self::Generalised(model) => model.table()?,
        };
        table.remove("kind");
        Ok(format!(
            "kind = \"{}\"\n{}",
            self.kind(),
            toml::to_string(&table)?
        ))
    }

    /// The name of the kind in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hmm(_) => "hmm",
            Self::LinearGaussian(_) => "linear-gaussian",
            Self::Generalised(_) => "generalised",
            Self::Nonlinear(AnyStateSpace::Ar1Poisson(_)) => "ar1-poisson",
            Self::Nonlinear(AnyStateSpace::SinQuadratic(_)) => "sin-quadratic",
            Self::Nonlinear(AnyStateSpace::StochasticVolatility(_)) => "stochastic-volatility",
            Self::Nonlinear(AnyStateSpace::DiagonalLinear(_)) => "diagonal-linear",
        }
    }

    /// Writes the model, whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(replace(path, self.to_toml()?.as_bytes())?)
    }

    /// The entries of one observation.
    pub fn width(&self) -> usize {
        match self {
            Self::Hmm(model) => model.width(),
            Self::LinearGaussian(model) => model.width(),
            Self::Nonlinear(model) => model.observed(),
            Self::Generalised(model) => model.sizes().1,
        }
    }

    /// A short description.
    pub fn described(&self) -> String {
        let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match self {
            Self::Hmm(model) => format!("hidden Markov model of {}", many(model.states(), "state")),
            Self::LinearGaussian(model) => {
                let size = many(model.states(), "dimension");
                format!("linear-Gaussian model of {size}")
            }
            Self::Nonlinear(model) => {
                format!("nonlinear model of {}", many(model.dim(), "dimension"))
            }
            Self::Generalised(model) => {
                let size = many(model.sizes().0, "state");
                format!("continuous-time model of {size}")
            }
        }
    }
}

impl Serialize for Model {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        self.to_toml()
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASINO: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.95, 0.05], [0.1, 0.9]]\n\
                          [emission]\nkind = \"poisson\"\nrates = [[1.0], [9.0]]\n";

    #[test]
    fn a_model_is_written_as_it_is_read() {
        for text in [
            CASINO,
            "kind = \"generalised\"\noutput_precision = 4.0\nmotion_precision = 50.0\nstart = [1.0, 1.0, 16.0]\n\
             start_variance = 100.0\n[equations]\nkind = \"lorenz\"\n[embedding]\nstates = 2\n",
            "kind = \"stochastic-volatility\"\na = 0.95\nq = 0.1\nbeta = 0.6\nm0 = 0.0\nv0 = 1.0\n",
        ] {
            let model = Model::parse(text).unwrap();
            assert_eq!(Model::parse(&model.to_toml().unwrap()).unwrap(), model);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("initial = [1.0]", "no `kind`"),
            ("kind = \"hnm\"", "expected one of hmm"),
            (&CASINO.replace("0.95", "0.85"), "transition[0]"),
            (&CASINO.replace("9.0", "-9.0"), "rates[1][0]"),
            (&CASINO.replace("rates", "rate"), "rate"),
        ] {
            let error = format!("{:#}", Model::parse(text).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }
}
