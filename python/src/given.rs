//! What is given with each observation of a filter: inputs, and the exposure of counts.

use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyList};
use scotopic_filtering::hmm::Emission;
use scotopic_filtering::{AnyFilter, AnyModel, Belief, Error, Sequence};

use crate::emission::given_of;
use crate::errors::{Result, setting};
use crate::forecast::Forecast;
use crate::inner::Inner;
use crate::observation::{OBSERVATION, read};

/// The columns of a row after its outputs.
#[derive(Default, Clone)]
pub struct Given {
    inputs: Vec<String>,
    exposure: Option<String>,
    /// The inputs of the transitions, and which of them follow: the others are among `inputs`.
    driving: Vec<String>,
    alone: Vec<bool>,
    /// Whether they are given with what was not seen, too: they move the state.
    always: bool,
}

impl Given {
    /// Those of a model; none of functions of Python.
    ///
    /// # Errors
    /// None that a checked model can cause.
    pub fn of(model: Option<AnyModel>) -> Result<Self> {
        match model {
            Some(AnyModel::Hmm(model)) => {
                let (inputs, exposure) = given_of(model.emission())?;
                Ok(Self {
                    inputs,
                    exposure,
                    ..Self::default()
                })
            }
            Some(AnyModel::DrivenHmm(model)) => {
                let (inputs, exposure) = given_of(model.base().emission())?;
                let driving = model.transition_inputs();
                let own = |name: &String| inputs.contains(name) || exposure.as_ref() == Some(name);
                Ok(Self {
                    alone: driving.iter().map(|name| !own(name)).collect(),
                    inputs,
                    exposure,
                    driving,
                    always: true,
                })
            }
            Some(AnyModel::Driven(model)) => Ok(Self {
                inputs: model.inputs().to_vec(),
                always: true,
                ..Self::default()
            }),
            _ => Ok(Self::default()),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        let alone = self.alone.iter().filter(|alone| **alone).count();
        self.inputs.len() + usize::from(self.exposure.is_some()) + alone
    }

    /// The names of the inputs of the transitions.
    pub fn driving(&self) -> &[String] {
        &self.driving
    }

    /// The names of the inputs, and of the exposure if there is one.
    pub fn names(&self) -> (Vec<String>, Option<String>) {
        (self.inputs.clone(), self.exposure.clone())
    }

    /// Appends what is given, inputs, exposure and inputs of the transition, to the `outputs` entries in `row` of an observation that was
    /// seen; checks it of one that was not. Whether the row says something.
    ///
    /// # Errors
    /// `SettingError` for what is missing or is not taken, `SizeError` for another number of entries.
    pub fn append(
        &self,
        seen: bool,
        given: [Option<&Bound<'_, PyAny>>; 3],
        outputs: usize,
        row: &mut Vec<f64>,
    ) -> Result<bool> {
        if seen && row.len() != outputs {
            return Err(size("observation", row.len(), outputs));
        }
        let says = seen || self.always;
        if self.always && !seen {
            row.clear();
            row.resize(outputs, f64::NAN);
        }
        let driven = !self.driving.is_empty();
        let mut numbers = Vec::new();
        let names = [
            ("inputs", &self.inputs[..]),
            ("exposure", self.exposure.as_slice()),
            ("transition_inputs", &self.driving[..]),
        ];
        for ((field, names), given) in names.into_iter().zip(given) {
            // The first transition to a state has no input, and what an emission is given does not move the state.
            let optional = driven && (field == "transition_inputs" || !seen);
            match given {
                Some(_) if names.is_empty() => {
                    let expected = format!("None: the model has no {field}");
                    return Err(setting(field, "some", expected));
                }
                Some(given) => {
                    check_labels(field, given, names)?;
                    read(given, OBSERVATION, &mut numbers)?;
                    if numbers.len() != names.len() {
                        return Err(size(field, numbers.len(), names.len()));
                    }
                }
                // Of what was not seen it does not matter.
                None if names.is_empty() || !says => continue,
                None if optional => {
                    numbers.clear();
                    numbers.resize(names.len(), f64::NAN);
                }
                None => {
                    let expected = format!("a number for each of {}", names.join(", "));
                    return Err(setting(field, "None", expected));
                }
            }
            match field {
                "transition_inputs" => {
                    let alone = numbers.iter().zip(&self.alone);
                    row.extend(alone.filter(|(_, alone)| **alone).map(|(number, _)| number));
                }
                _ => row.extend_from_slice(&numbers),
            }
        }
        Ok(says)
    }

    /// One step for each row of what is `given` in the future.
    ///
    /// # Errors
    /// `SettingError` for rows that leave out something.
    pub fn forecast(&self, filter: &Inner, given: &Sequence, into: &mut Forecast) -> Result<()> {
        let inputs = || {
            let rows = given.iter();
            let rows = rows.map(|row| row.map_or(Vec::new(), <[f64]>::to_vec));
            rows.collect::<Vec<_>>()
        };
        let ahead = match filter {
            Inner::Any(AnyFilter::Driven(filter)) => Some(filter.predictive_given(&inputs())?),
            Inner::Any(AnyFilter::HmmDriven(filter)) => Some(filter.predictive_given(&inputs())?),
            _ => None,
        };
        if let Some(ahead) = ahead {
            ahead.into_iter().for_each(|laws| into.push_laws(laws));
            return Ok(());
        }
        let Some(AnyModel::Hmm(model)) = filter.model() else {
            return Err(setting("inputs", "some", "None: the model has no inputs"));
        };
        let mut ahead = filter.clone();
        for row in given.iter() {
            ahead.update(None)?;
            let predictive = match (ahead.belief(), row) {
                (Belief::Discrete(q), Some(row)) => model.emission().predictive_given(q, row),
                _ => None,
            };
            let Some(predictive) = predictive else {
                let (names, exposure) = self.names();
                let names: Vec<String> = names.into_iter().chain(exposure).collect();
                let expected = format!(
                    "a finite number for each of {}, an exposure above 0",
                    names.join(", ")
                );
                let found = row.map_or("none".to_owned(), |row| format!("{row:?}"));
                return Err(setting("inputs", found, expected));
            };
            into.push_laws(predictive);
        }
        Ok(())
    }
}

/// Refuses a row of a table of pandas whose labels are in another order than `names`.
fn check_labels(field: &'static str, given: &Bound<'_, PyAny>, names: &[String]) -> Result<()> {
    if given.is_instance_of::<PyFloat>() || given.is_instance_of::<PyList>() {
        return Ok(());
    }
    let Ok(true) = given.hasattr("iloc") else {
        return Ok(());
    };
    let labels = given.getattr("index")?.call_method0("tolist")?;
    match labels.extract::<Vec<String>>() {
        Ok(labels) if labels != names => Err(setting(field, labels.join(", "), names.join(", "))),
        // Numbers for labels say nothing.
        _ => Ok(()),
    }
}

fn size(name: &str, found: usize, expected: usize) -> crate::errors::Failure {
    Error::Size {
        name: name.to_owned(),
        found: format!("{found} entries"),
        expected: expected.to_string(),
    }
    .into()
}
