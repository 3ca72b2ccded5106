//! What a model file says of the fit that it is from.

use std::path::Path;

use anyhow::{Context, Result, bail};
use scotopic_filtering::AnyModel;
use scotopic_filtering::gaussian::StructuralModel;

use super::model_text::{LINEAR, STRUCTURAL, text};

/// What a file says of the fit that it is from, beside the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfFit {
    /// The parameters of a linear-Gaussian model that are learned (`learned = ["Q", "R"]`); all if none are named.
    pub learned: Vec<String>,
    /// How many numbers the fit chose, k of AIC and BIC (`free_parameters = 4`).
    pub free_parameters: Option<usize>,
}

impl OfFit {
    /// Takes it out of the table of a file of any kind but a structural one.
    pub(super) fn taken(table: &mut toml::Table) -> Result<Self> {
        let linear = table.get("kind").and_then(toml::Value::as_str) == Some(LINEAR);
        let learned = match table.remove("learned") {
            Some(names) if linear => names.try_into().context("learned")?,
            Some(_) => bail!("`learned` is of the kind {LINEAR}"),
            None => Vec::new(),
        };
        let chosen = table.remove("free_parameters");
        let free_parameters = chosen.map(|number| match number {
            toml::Value::Integer(number) if number >= 0 => Ok(number as usize),
            other => bail!("free_parameters is {other}, expected a whole number, 0 or more"),
        });
        Ok(Self {
            learned,
            free_parameters: free_parameters.transpose()?,
        })
    }

    /// Of a file.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or says something else there.
    pub fn read(path: &Path) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(&text(path)?)?;
        match table.get("kind").and_then(toml::Value::as_str) {
            Some(STRUCTURAL) => {
                table.remove("kind");
                let model: StructuralModel = table.try_into()?;
                Ok(Self {
                    learned: Vec::new(),
                    free_parameters: Some(model.free_parameters()),
                })
            }
            _ => Self::taken(&mut table),
        }
    }

    /// The parameters of a linear-Gaussian model that are not learned, as [`scotopic_filtering::SummarySettings`] calls them.
    pub fn not_learned(&self, model: &AnyModel) -> Vec<String> {
        let continuous = matches!(model, AnyModel::Driven(model) if model.is_continuous());
        let mut names = vec![
            ("F", if continuous { "drift" } else { "transition" }),
            ("b", "bias"),
            (
                "Q",
                if continuous {
                    "diffusion"
                } else {
                    "process_noise"
                },
            ),
            ("d", "offset"),
            ("R", "observation_noise"),
        ];
        if let AnyModel::Driven(model) = model {
            if model.control().ncols() > 0 {
                names.push(("B", "control"));
            }
            if model.direct().ncols() > 0 {
                names.push(("D", "direct"));
            }
        }
        if self.learned.is_empty() {
            names.clear();
        }
        let is_learned = |(short, long): (&str, &str)| {
            let key = match long {
                "drift" => "transition",
                "diffusion" => "process_noise",
                key => key,
            };
            self.learned.iter().any(|name| name == short || name == key)
        };
        names.retain(|name| !is_learned(*name));
        names.into_iter().map(|(_, long)| long.to_owned()).collect()
    }

    /// k of AIC and BIC: what the fit chose, or else what the model tells; none for a model whose parameters have priors.
    ///
    /// # Errors
    /// None that a checked model can cause.
    pub fn parameters(&self, model: &AnyModel) -> Result<Option<usize>> {
        match self.free_parameters {
            Some(chosen) => Ok(Some(chosen)),
            None => Ok(model.free_parameters(&self.not_learned(model))?),
        }
    }
}
