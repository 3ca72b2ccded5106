//! Learning rules by name, and what they learn.

use pyo3::prelude::*;
use scotopic_filtering::gaussian::{Constraints, Learned};
use scotopic_filtering::hmm::Learn;
use scotopic_filtering::{AnyLearning, AnyModel};

use crate::errors::{Failure, Result, setting};

/// A learning rule by its name, with settings in JSON.
///
/// # Errors
/// [`Error::Setting`](scotopic_filtering::Error::Setting) for a rule or a setting that the kind of model does not know.
pub fn learning(model: &AnyModel, rule: Option<&str>, settings: &str) -> Result<AnyLearning> {
    if settings == "{}" {
        return Ok(AnyLearning::named(model, rule)?);
    }
    // Which rules there are is told where the name is wrong.
    AnyLearning::named(model, rule)?;
    let wrong = |error: serde_json::Error| wrong_setting(settings, &error);
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(settings).map_err(wrong)?;
    Ok(match model {
        AnyModel::Hmm(_) | AnyModel::LinearGaussian(_) => {
            let name = rule.unwrap_or("block-online-em");
            fields.insert("rule".to_owned(), name.into());
            let value = serde_json::Value::Object(fields);
            match model {
                AnyModel::Hmm(_) => {
                    AnyLearning::Hmm(serde_json::from_value::<Learn>(value).map_err(wrong)?)
                }
                _ => AnyLearning::LinearGaussian(serde_json::from_value(value).map_err(wrong)?),
            }
        }
        AnyModel::DrivenHmm(_) | AnyModel::Driven(_) | AnyModel::Slds(_) => {
            AnyLearning::named(model, rule)?
        }
        AnyModel::Plds(_) => AnyLearning::Plds(serde_json::from_str(settings).map_err(wrong)?),
        AnyModel::Nonlinear(_) => {
            AnyLearning::Nonlinear(serde_json::from_str(settings).map_err(wrong)?)
        }
        AnyModel::Generalised(_) => {
            AnyLearning::Generalised(Some(serde_json::from_str(settings).map_err(wrong)?))
        }
    })
}

/// What the reader of settings says of one that it does not take, in the words of this package.
fn wrong_setting(settings: &str, error: &serde_json::Error) -> Failure {
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    match said.split_once(", expected ") {
        Some((found, expected)) => {
            let kinds = [
                "unknown field ",
                "invalid type: ",
                "invalid value: ",
                "unknown variant ",
            ];
            let strip = |found: &str, kind: &&str| found.strip_prefix(*kind).map(str::to_owned);
            let found = kinds.iter().find_map(|kind| strip(found, kind));
            setting("settings", found.unwrap_or(settings.to_owned()), expected)
        }
        None => setting("settings", settings, said),
    }
}

/// What is learned, by the names of the parameters; all of them without names.
///
/// # Errors
/// `SettingError` for a name that is none.
pub fn learned_of(names: Option<Vec<String>>, diagonal: bool) -> Result<Learned> {
    let all = Learned {
        diagonal,
        ..Learned::default()
    };
    let Some(names) = names else {
        return Ok(all);
    };
    let mut learned = Learned {
        diagonal,
        ..Learned::NOTHING
    };
    for name in &names {
        let flag = match name.as_str() {
            "transition" => &mut learned.transition,
            "bias" => &mut learned.bias,
            "process_noise" => &mut learned.process_noise,
            "control" => &mut learned.control,
            "observation" => &mut learned.observation,
            "offset" => &mut learned.offset,
            "direct" => &mut learned.direct,
            "observation_noise" => &mut learned.observation_noise,
            "initial" => &mut learned.initial,
            other => {
                let expected = "transition, bias, process_noise, control, observation, offset, direct, observation_noise or initial";
                return Err(setting("learned", other, expected));
            }
        };
        *flag = true;
    }
    Ok(learned)
}

/// The entries that a fit holds, by their names: those that stay, and groups that are one number.
#[derive(Default, FromPyObject)]
pub struct Held(Vec<String>, Vec<Vec<String>>);

impl Held {
    /// The same for the library.
    ///
    /// # Errors
    /// `SettingError` for names that are none, and for what cannot be one number.
    pub fn constraints(&self) -> Result<Constraints> {
        Ok(Constraints::new(&self.0, &self.1)?)
    }
}
