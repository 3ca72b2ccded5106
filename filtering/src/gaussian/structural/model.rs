//! What a structural model consists of: components, fixed and tied parameters, where they start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::component::Component;
use super::parameter::{Kind, Parameter};
use crate::{Error, Result};

/// A structural time series model: one observed number that is the sum of components and irregular noise,
///
/// ```text
/// y_t = μ_t + γ_t + … + ε_t,   ε_t ~ N(0, σ²).                                                   (F50)
/// ```
///
/// Every component contributes entries to one state vector and its parameters, named after it: `level`, `slope`, `seasonal`
/// and so on are the variances of their disturbances, `irregular` is that of ε. Several components of one name are told
/// apart by their numbers (`seasonal:7`, `seasonal:365`). States without a stationary distribution start exactly diffuse
/// unless `initial_variance` is given.
///
/// ```
/// use scotopic_filtering::gaussian::StructuralModel;
/// # fn main() -> scotopic_filtering::Result<()> {
/// let model = StructuralModel::new("level,slope,seasonal:4")?.with_fixed("irregular", 1.0)?;
/// assert_eq!(model.parameter_names(), ["irregular", "level", "slope", "seasonal"]);
/// assert_eq!((model.states(), model.free_parameters()), (5, 3 + 5));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct StructuralModel {
    components: Vec<Component>,
    fixed: BTreeMap<String, f64>,
    tied: Vec<Vec<String>>,
    initial_variance: Option<f64>,
    values: BTreeMap<String, f64>,
    inputs: Vec<String>,
}

impl StructuralModel {
    /// A model of a list of components between commas.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown or repeated component, a slope without a level, or none at all.
    pub fn new(components: &str) -> Result<Self> {
        Self::of(Component::parse_list(components)?)
    }

    /// A model of components.
    ///
    /// # Errors
    /// As [`StructuralModel::new`].
    pub fn of(components: Vec<Component>) -> Result<Self> {
        let said = || {
            let names: Vec<String> = components.iter().map(Component::to_string).collect();
            names.join(",")
        };
        let refuse = |expected: &str| Err(Error::setting("components", said(), expected));
        if components.is_empty() {
            return refuse("at least one component");
        }
        let twice = |i: usize| components[..i].contains(&components[i]);
        if (0..components.len()).any(twice) {
            return refuse("every component once");
        }
        let regressions = components.iter().filter(|c| c.name() == "regression");
        if regressions.count() > 1 {
            return refuse("one regression; fix the variance of a coefficient that stays at 0");
        }
        if components.contains(&Component::Slope) && !components.contains(&Component::Level) {
            return refuse("level beside slope: a slope is the slope of a level");
        }
        Ok(Self {
            components,
            fixed: BTreeMap::new(),
            tied: Vec::new(),
            initial_variance: None,
            values: BTreeMap::new(),
            inputs: Vec::new(),
        })
    }

    /// The same with the columns that its regression is on: they follow the observed number in a row, and none may be missing.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, gaussian::StructuralModel};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = StructuralModel::new("level,regression:walk")?.with_inputs(&["price".to_owned()])?;
    /// assert_eq!(model.parameter_names(), ["irregular", "level", "regression.price"]);
    /// let rows = [Sequence::of_rows([[1.0, 0.5], [2.5, 1.0], [2.0, 0.3]])?];
    /// assert_eq!(model.log_likelihood(&[1.0, 0.5, 0.1], &rows)?.diffuse, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for a model without a regression, no name, an empty one, or one that is there twice.
    pub fn with_inputs(mut self, inputs: &[String]) -> Result<Self> {
        let twice = |i: usize| inputs[i].is_empty() || inputs[..i].contains(&inputs[i]);
        let mut regressions = self.components.iter_mut().filter_map(|c| match c {
            Component::Regression { inputs, .. } => Some(inputs),
            _ => None,
        });
        let (Some(count), false) = (regressions.next(), inputs.is_empty()) else {
            let expected = "columns, of a model with the component regression";
            return Err(Error::setting("inputs", inputs.join(", "), expected));
        };
        if (0..inputs.len()).any(twice) {
            let expected = "the name of a column for each input, every one once";
            return Err(Error::setting("inputs", inputs.join(", "), expected));
        }
        *count = inputs.len();
        self.inputs = inputs.to_vec();
        Ok(self)
    }

    /// Fails where a regression has no inputs.
    pub(super) fn check_inputs(&self) -> Result<()> {
        let lacks = |c: &Component| matches!(c, Component::Regression { inputs: 0, .. });
        match self.components.iter().any(lacks) {
            true => Err(Error::setting(
                "inputs",
                "none",
                "the columns that the component regression is on",
            )),
            false => Ok(()),
        }
    }

    /// The columns that its regression is on.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The same with a parameter that is not estimated.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown parameter or a value out of its range, or one of several coefficients of an
    /// ARMA process, which are fixed together or not at all.
    pub fn with_fixed(mut self, name: &str, value: f64) -> Result<Self> {
        self.check_value("fixed", name, value)?;
        self.fixed.insert(name.to_owned(), value);
        Ok(self)
    }

    /// The same with variances that are one parameter.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown parameter, one that is no variance, or one that is tied or fixed already.
    pub fn with_tied(mut self, names: &[&str]) -> Result<Self> {
        for name in names {
            let parameter = self.find("tied", name)?;
            if parameter.kind != Kind::Variance {
                return Err(Error::setting("tied", name, "variances"));
            }
            let taken = self.fixed.contains_key(*name)
                || self.tied.iter().flatten().any(|tied| tied == name)
                || names.iter().filter(|other| *other == name).count() > 1;
            if taken {
                let expected = "every variance once, and none that is fixed";
                return Err(Error::setting("tied", name, expected));
            }
        }
        if names.len() > 1 {
            self.tied
                .push(names.iter().map(|name| (*name).to_owned()).collect());
        }
        Ok(self)
    }

    /// The same with N(0, variance) in place of the diffuse start, in squared units of the data.
    ///
    /// # Errors
    /// [`Error::Setting`] for a variance that is not positive and finite.
    pub fn with_initial_variance(mut self, variance: f64) -> Result<Self> {
        if !(variance > 0.0 && variance.is_finite()) {
            return Err(Error::setting("initial_variance", variance, "above 0"));
        }
        self.initial_variance = Some(variance);
        Ok(self)
    }

    /// The same with a value of a parameter: where a fit starts, and what a filter takes.
    ///
    /// # Errors
    /// As [`StructuralModel::with_fixed`].
    pub fn with_value(mut self, name: &str, value: f64) -> Result<Self> {
        self.check_value("values", name, value)?;
        self.values.insert(name.to_owned(), value);
        Ok(self)
    }

    /// The components.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The parameters that are not estimated.
    pub fn fixed(&self) -> &BTreeMap<String, f64> {
        &self.fixed
    }

    /// Variances that are one parameter.
    pub fn tied(&self) -> &[Vec<String>] {
        &self.tied
    }

    /// The variance of the start of states without a stationary distribution; none where they start exactly diffuse.
    pub fn initial_variance(&self) -> Option<f64> {
        self.initial_variance
    }

    /// The names of all parameters, fixed ones too, in the order in which values are given.
    pub fn parameter_names(&self) -> Vec<String> {
        self.parameters().into_iter().map(|p| p.name).collect()
    }

    /// The parameters that are variances: `irregular`, which is R, and those of Q.
    pub fn variance_names(&self) -> Vec<String> {
        let all = self.parameters().into_iter();
        all.filter(|p| p.kind == Kind::Variance)
            .map(|p| p.name)
            .collect()
    }

    /// Values of all parameters, fixed ones and those given; `None` where one has none.
    pub fn values(&self) -> Option<Vec<f64>> {
        let value = |name: &String| self.fixed.get(name).or(self.values.get(name)).copied();
        self.parameter_names().iter().map(value).collect()
    }

    /// The values of parameters that have one, fixed or given.
    pub fn given_values(&self) -> BTreeMap<String, f64> {
        let mut all = self.values.clone();
        all.extend(self.fixed.clone());
        all
    }

    /// The value that a parameter was given, if any.
    pub(super) fn value_of(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// n, the entries of the state.
    pub fn states(&self) -> usize {
        self.components.iter().map(Component::states).sum()
    }

    /// The numbers that are estimated: free parameters, and the start of every diffuse state (J. Durbin, S. J. Koopman,
    /// "Time series analysis by state space methods", 2nd ed. 2012, section 7.4).
    pub fn free_parameters(&self) -> usize {
        let tied: usize = self.tied.iter().map(|names| names.len() - 1).sum();
        let diffuse = match self.initial_variance {
            None => self.diffuse_states(),
            Some(_) => 0,
        };
        self.parameters().len() - self.fixed.len() - tied + diffuse
    }

    /// What the entries of the state are called: after their component, with a number where it has several, and after
    /// the input for those of a regression.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::StructuralModel;
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = StructuralModel::new("level,slope,seasonal:3")?;
    /// assert_eq!(model.state_names(), ["level", "slope", "seasonal.1", "seasonal.2"]);
    /// # Ok(()) }
    /// ```
    pub fn state_names(&self) -> Vec<String> {
        let own = self.components.iter().flat_map(|component| {
            let name = self.prefix(component);
            let numbered = |k| format!("{name}.{k}");
            match component {
                Component::Regression { .. } => {
                    let named = self.inputs.iter().map(|input| format!("{name}.{input}"));
                    named.collect()
                }
                _ if component.states() == 1 => vec![name],
                _ => (1..=component.states()).map(numbered).collect::<Vec<_>>(),
            }
        });
        own.collect()
    }

    /// The name of a component, with its numbers where others have the same.
    fn prefix(&self, component: &Component) -> String {
        let name = component.name();
        match self.components.iter().filter(|c| c.name() == name).count() {
            1 => name.to_owned(),
            _ => component.to_string(),
        }
    }

    fn diffuse_states(&self) -> usize {
        let diffuse = self.components.iter().filter(|c| c.is_diffuse());
        diffuse.map(Component::states).sum()
    }

    /// All parameters in their order: `irregular`, then those of each component.
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        let irregular = Parameter {
            name: "irregular".to_owned(),
            kind: Kind::Variance,
        };
        let own = self.components.iter().flat_map(|component| {
            let name = component.name();
            if let Component::Regression { walks, .. } = component {
                let walking = self.inputs.iter().filter(|_| *walks);
                let named = walking.map(|input| Parameter {
                    name: format!("{name}.{input}"),
                    kind: Kind::Variance,
                });
                return named.collect();
            }
            component.parameters(&self.prefix(component))
        });
        std::iter::once(irregular).chain(own).collect()
    }

    fn find(&self, field: &'static str, name: &str) -> Result<Parameter> {
        let all = self.parameters();
        let names: Vec<String> = all.iter().map(|p| p.name.clone()).collect();
        all.into_iter()
            .find(|p| p.name == name)
            .ok_or_else(|| Error::setting(field, name, format!("one of {}", names.join(", "))))
    }

    fn check_value(&self, field: &'static str, name: &str, value: f64) -> Result<()> {
        let (valid, expected) = match self.find(field, name)?.kind {
            Kind::Variance => (value >= 0.0, "a variance, 0 or above"),
            Kind::Period => (value > 2.0, "a period above 2 observations"),
            Kind::Damping => ((0.0..1.0).contains(&value), "from 0 to below 1"),
            Kind::Ar { .. } | Kind::Ma { .. } => (true, "a finite number"),
        };
        if valid && value.is_finite() {
            return Ok(());
        }
        Err(Error::setting(field, format!("{name} = {value}"), expected))
    }
}

/// The form of a model in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    components: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initial_variance: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tied: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fixed: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    values: BTreeMap<String, f64>,
}

impl TryFrom<Parts> for StructuralModel {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        let mut model = Self::new(&parts.components.join(","))?;
        if !parts.inputs.is_empty() {
            model = model.with_inputs(&parts.inputs)?;
        }
        model.check_inputs()?;
        for (name, value) in &parts.fixed {
            super::component::check_once(&parts.values, name)?;
            model = model.with_fixed(name, *value)?;
        }
        for names in &parts.tied {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            model = model.with_tied(&names)?;
        }
        for (name, value) in &parts.values {
            model = model.with_value(name, *value)?;
        }
        match parts.initial_variance {
            Some(variance) => model.with_initial_variance(variance),
            None => Ok(model),
        }
    }
}

impl From<StructuralModel> for Parts {
    fn from(mut model: StructuralModel) -> Self {
        let fixed = model.fixed;
        model.values.retain(|name, _| !fixed.contains_key(name));
        Self {
            components: model.components.iter().map(Component::to_string).collect(),
            initial_variance: model.initial_variance,
            inputs: model.inputs,
            tied: model.tied,
            fixed,
            values: model.values,
        }
    }
}
