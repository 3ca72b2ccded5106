//! What a model file says of the fit that it is from.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use scotopic_filtering::gaussian::{Constraints, GaussianLearn, Learned, StructuralModel};
use scotopic_filtering::{AnyLearning, AnyModel};
use serde::{Deserialize, Serialize};

use super::Source;
use super::model_text::{LINEAR, STRUCTURAL, text};
use super::trials::same_order;

/// The parameters of a linear-Gaussian model, by letter and by key.
const LEARNED: [&str; 18] = [
    "F",
    "b",
    "Q",
    "B",
    "H",
    "d",
    "D",
    "R",
    "initial",
    "diagonal",
    "transition",
    "bias",
    "process_noise",
    "control",
    "observation",
    "offset",
    "direct",
    "observation_noise",
];

/// What a file says of the fit that it is from, beside the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfFit {
    /// The parameters of a linear-Gaussian model that are learned (`learned = ["Q", "R"]`); all if none are named.
    pub learned: Vec<String>,
    /// The entries of those that stay as they are (`fixed = ["F[0][1]"]`).
    pub fixed: Vec<String>,
    /// The entries of those that are one number (`tied = [["R[0][0]", "R[1][1]"]]`).
    pub tied: Vec<Vec<String>>,
    /// How many numbers the fit chose, k of AIC and BIC (`free_parameters = 4`).
    pub free_parameters: Option<usize>,
    /// The columns that were predicted, in the order of the model (`columns = ["x", "y"]`); none where they had no names, or are one.
    pub columns: Vec<String>,
    /// The symbols that 0, 1, … stand for (`alphabet = ["left", "right"]`), of a fit that was given them.
    pub alphabet: Vec<String>,
}

impl OfFit {
    /// Takes it out of the table of a file of any kind but a structural one.
    pub(super) fn taken(table: &mut toml::Table) -> Result<Self> {
        let linear = table.get("kind").and_then(toml::Value::as_str) == Some(LINEAR);
        let learned = match table.remove("learned") {
            Some(names) if linear => {
                let names: Vec<String> = names.try_into().context("learned")?;
                if let Some(name) = names.iter().find(|name| !LEARNED.contains(&name.as_str())) {
                    bail!(
                        "learned: found {name:?}, expected some of {}",
                        LEARNED.join(", ")
                    );
                }
                names
            }
            Some(_) => bail!("`learned` is of the kind {LINEAR}"),
            None => Vec::new(),
        };
        let mut held = |key: &str| match table.remove(key) {
            Some(_) if !linear => bail!("`{key}` is of the kinds {LINEAR} and {STRUCTURAL}"),
            found => Ok(found),
        };
        let fixed = held("fixed")?.map(toml::Value::try_into).transpose();
        let fixed = fixed.context("fixed: expected a list of entries, such as [\"F[0][1]\"]")?;
        let tied = held("tied")?.map(toml::Value::try_into).transpose();
        let tied =
            tied.context("tied: expected lists of entries, such as [[\"R[0][0]\", \"R[1][1]\"]]")?;
        let chosen = table.remove("free_parameters");
        let free_parameters = chosen.map(|number| match number {
            toml::Value::Integer(number) if number >= 0 => Ok(number as usize),
            other => bail!("free_parameters is {other}, expected a whole number, 0 or more"),
        });
        let mut names = |key: &str| -> Result<Vec<String>> {
            let names = table.remove(key).map(toml::Value::try_into);
            let names = names.transpose().with_context(|| key.to_owned())?;
            Ok(names.unwrap_or_default())
        };
        Ok(Self {
            learned,
            fixed: fixed.unwrap_or_default(),
            tied: tied.unwrap_or_default(),
            free_parameters: free_parameters.transpose()?,
            columns: names("columns")?,
            alphabet: names("alphabet")?,
        })
    }

    /// What a file of the same model says after a filter of it, for which cells stood for `symbols`.
    ///
    /// Alphabet and columns stay: without them the parameters would be those of other symbols; and what is learned, fixed and tied. The
    /// number that the fit chose is of the parameters that it came to, so that it goes where the filter learns others.
    pub fn of_filter(self, symbols: &[String], learns: bool) -> Self {
        Self {
            learned: self.learned,
            fixed: self.fixed,
            tied: self.tied,
            free_parameters: self.free_parameters.filter(|_| !learns),
            columns: self.columns,
            alphabet: symbols.to_vec(),
        }
    }

    /// The entries that a fit holds.
    ///
    /// # Errors
    /// Names `fixed` or `tied` and what is wrong there.
    pub fn constraints(&self) -> Result<Constraints> {
        Ok(Constraints::new(&self.fixed, &self.tied)?)
    }

    /// Refuses entries that `model` has not.
    ///
    /// # Errors
    /// The same.
    pub(super) fn check(&self, model: &AnyModel) -> Result<()> {
        let held = self.constraints()?;
        match model {
            AnyModel::LinearGaussian(model) => model.check_constraints(&held)?,
            AnyModel::Driven(model) => model.check_constraints(&held)?,
            _ => {}
        }
        Ok(())
    }

    /// The same rule for the parameters alone that the file names in `learned`; every rule where it names none.
    ///
    /// # Errors
    /// If it names none that is learned while filtering, or holds entries of one that is.
    pub fn restricted(&self, how: AnyLearning) -> Result<AnyLearning> {
        let AnyLearning::LinearGaussian(mut rule) = how else {
            return Ok(how);
        };
        let held = self.constraints()?;
        // `diagonal` says how, not what.
        let whole = self.learned.iter().all(|name| name == "diagonal");
        let named = |letter: &str, key: &str| {
            let name = |name: &String| name == letter || name == key;
            whole || self.learned.iter().any(name)
        };
        let all = match &mut rule {
            GaussianLearn::BlockOnlineEm(rule) => &mut rule.learned,
            GaussianLearn::OnlineEm(rule) => &mut rule.learned,
            GaussianLearn::Rmle(rule) => &mut rule.learned,
        };
        *all = Learned {
            transition: all.transition && named("F", "transition"),
            bias: all.bias && named("b", "bias"),
            process_noise: all.process_noise && named("Q", "process_noise"),
            control: all.control && named("B", "control"),
            observation: all.observation && named("H", "observation"),
            offset: all.offset && named("d", "offset"),
            direct: all.direct && named("D", "direct"),
            observation_noise: all.observation_noise && named("R", "observation_noise"),
            initial: all.initial && named("initial", "initial"),
            diagonal: all.diagonal || self.learned.iter().any(|name| name == "diagonal"),
        };
        let online = [
            all.transition,
            all.bias,
            all.process_noise,
            all.observation,
            all.offset,
            all.observation_noise,
        ];
        ensure!(
            online.contains(&true),
            "the file says learned = {}, and of these the rule learns none while it filters: it learns F, b, Q, H, d and R",
            toml::Value::from(self.learned.clone())
        );
        // Rules do not learn the start.
        let whole = Learned {
            initial: false,
            ..*all
        };
        if let Some(entry) = held.learned_entry(&whole) {
            bail!(
                "the file holds {entry} (`fixed`, `tied`), and a rule learns whole matrices while it filters: leave its matrix out of \
                 `learned`, or fit with scotopic fit --model, and filter without learning"
            );
        }
        Ok(AnyLearning::LinearGaussian(rule))
    }

    /// The same with its columns in the order of `outputs`, where these are them: whoever names them in another says which is which.
    pub fn in_order_of(mut self, outputs: &[String]) -> Self {
        let mut alike = [self.columns.clone(), outputs.to_vec()];
        alike.iter_mut().for_each(|names| names.sort_unstable());
        if alike[0] == alike[1] {
            self.columns = outputs.to_vec();
        }
        self
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses another alphabet by --alphabet than that of the filter that was saved in `file`.
    ///
    /// # Errors
    /// Names the file and both.
    pub fn check_saved(&self, file: &Path, source: &Source) -> Result<()> {
        ensure_alphabet(file, "saved", &self.alphabet, source)
    }

    /// `source` for the model of `file`, whose symbols are those that it was fitted to.
    ///
    /// # Errors
    /// For a file that cannot be read.
    pub fn source_of(file: &Path, source: &Source) -> Result<Source> {
        Ok(source.with_symbols(Self::read(file)?.alphabet))
    }

    /// Of a file.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or says something else there.
    pub fn read(path: &Path) -> Result<Self> {
        Self::of_text(&text(path)?)
    }

    /// Of the text of a file.
    ///
    /// # Errors
    /// If it is not TOML, or says something else there.
    pub fn of_text(text: &str) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(text)?;
        match table.get("kind").and_then(toml::Value::as_str) {
            Some(STRUCTURAL) => {
                table.remove("kind");
                let model: StructuralModel = table.try_into()?;
                Ok(Self {
                    free_parameters: Some(model.free_parameters()),
                    ..Self::default()
                })
            }
            _ => Self::taken(&mut table),
        }
    }

    /// The columns called `names` that a fit has predicted, as far as a file can be told by them.
    pub fn of_columns(names: &[String]) -> Vec<String> {
        let numbered = names.iter().all(|name| name.parse::<f64>().is_ok());
        match numbered || names.len() < 2 {
            true => Vec::new(),
            false => names.to_vec(),
        }
    }

    /// Refuses columns `names` of `data`, read from `source`, that have the names of those that the model of `file` was fitted to, and
    /// another order: they would be matched by their places; and another alphabet than it was fitted with.
    ///
    /// # Errors
    /// Names both files.
    pub fn check_data(file: &Path, data: &Path, names: &[String], source: &Source) -> Result<()> {
        let Self {
            columns, alphabet, ..
        } = Self::read(file)?;
        ensure_alphabet(file, "fitted", &alphabet, source)?;
        // Whoever names the columns says the order.
        if source.columns.is_some() {
            return Ok(());
        }
        same_order(
            file,
            &columns,
            data,
            &names[..columns.len().min(names.len())],
        )
    }

    /// What a linear-Gaussian fit did not learn, and the groups of entries that are one number, as
    /// [`scotopic_filtering::SummarySettings`] calls them.
    ///
    /// # Errors
    /// As [`OfFit::constraints`].
    pub fn held(&self, model: &AnyModel) -> Result<(Vec<String>, Vec<Vec<String>>)> {
        let (fixed, tied) = model.names_of(&self.constraints()?);
        let mut not_learned = self.not_learned(model);
        not_learned.extend(fixed);
        Ok((not_learned, tied))
    }

    /// The whole parameters of a linear-Gaussian model that are not learned.
    fn not_learned(&self, model: &AnyModel) -> Vec<String> {
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
        // `diagonal` says how, not what.
        if self.learned.iter().all(|name| name == "diagonal") {
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
            None => {
                let (mut held, tied) = self.held(model)?;
                // Of a group one is estimated.
                held.extend(tied.into_iter().flat_map(|group| group.into_iter().skip(1)));
                Ok(model.free_parameters(&held)?)
            }
        }
    }
}

/// Refuses symbols of --alphabet that are not those of `file`, where it has some.
fn ensure_alphabet(file: &Path, made: &str, alphabet: &[String], source: &Source) -> Result<()> {
    ensure!(
        alphabet.is_empty() || source.alphabet.is_empty() || alphabet == source.alphabet,
        "{} was {made} with --alphabet {}, and here it is {}: its symbols would be others",
        file.display(),
        alphabet.join(","),
        source.alphabet.join(",")
    );
    Ok(())
}
