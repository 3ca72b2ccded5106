//! What a structural model with values says about its parameters.

use super::boundary::on_unit_circle;
use super::coordinates::{Coordinates, Group};
use super::data::Data;
use super::information::{covariance, quadratic, standard_errors};
use super::model::StructuralModel;
use super::parameter::Kind;
use crate::summary::{BOUNDARY, HELD, Link, UNIDENTIFIED};
use crate::{Error, ParameterEstimate, Result, Sequence, Summary, SummarySettings, deviations_of};

impl StructuralModel {
    /// The parameters with standard errors, intervals and criteria, as [`AnyModel::summary`](crate::AnyModel::summary) has them of
    /// matrices: here of the parameters themselves, tied variances as one, by the exact score (eq. F52, F63). Held are fixed parameters
    /// and those of `settings.hold`, by the beginning of their names; a variance of 0 or a damping of 1 − 10⁻⁹ is at its boundary.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, SummarySettings, gaussian::StructuralModel};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = StructuralModel::new("level")?;
    /// let data = [Sequence::of_numbers([1.0, 1.5, 0.5, 2.0, 1.1, 3.0, 2.2])?];
    /// let summary = walk.summary(&[0.2, 0.3], &data, &SummarySettings::default())?;
    /// assert_eq!(summary.estimates[1].name, "level");
    /// assert_eq!(summary.free_parameters, 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`StructuralModel::log_likelihood`]; [`Error::Setting`] for a level or held name that is none, and where `settings.hold`
    /// leaves nothing to estimate; where all was fixed there are ln p and criteria alone.
    pub fn summary(
        &self,
        values: &[f64],
        sequences: &[Sequence],
        settings: &SummarySettings,
    ) -> Result<Summary> {
        let z = deviations_of(settings.level)?;
        let found = self.log_likelihood(values, sequences)?;
        let data = Data::of(self, sequences)?;
        data.check(self)?;
        let parameters = self.parameters();
        let mut model = self.clone();
        for beginning in &settings.hold {
            let mut named = parameters.iter().zip(values);
            if !named.any(|(p, _)| !beginning.is_empty() && p.name.starts_with(beginning)) {
                let expected = format!(
                    "the beginning of one of {}",
                    self.parameter_names().join(", ")
                );
                return Err(Error::setting("hold", beginning, expected));
            }
        }
        let begins = |name: &str| settings.hold.iter().any(|held| name.starts_with(held));
        for (parameter, value) in parameters.iter().zip(values) {
            if begins(&parameter.name) {
                model = model.with_fixed(&parameter.name, *value)?;
            }
        }
        let at_end = |(i, value): &(usize, f64)| parameters[*i].kind.ends_at(*value);
        let all = values.iter().copied().enumerate();
        let ends: Vec<(usize, f64)> = all.filter(at_end).collect();
        let whole = Coordinates::new(self, &data.units, &[])?;
        let coordinates = Coordinates::new(&model, &data.units, &ends)?;
        let u = coordinates.at(values).ok_or_else(|| {
            let expected = "values inside their ranges, with equal values of tied variances";
            Error::setting("values", format!("{values:?}"), expected)
        })?;
        if u.is_empty() && !settings.hold.is_empty() {
            let expected = "at least one parameter that is estimated";
            return Err(Error::setting("hold", "all parameters", expected));
        }
        let objective = |u: &[f64]| Some(data.objective(&model, &coordinates, u)?.1);
        // Of no parameter that is free there is none, and nothing to gain.
        let covariance = match u.is_empty() {
            true => None,
            false => covariance(&u, objective),
        };
        let errors = standard_errors(&coordinates, &u, covariance.as_ref());
        let shortfall = match (&covariance, objective(&u)) {
            (Some(covariance), Some(mut gradient)) => {
                // A flat direction promises nothing.
                let flat = |i: usize| covariance[(i, i)].is_nan();
                let slopes = gradient.iter_mut().enumerate();
                slopes
                    .filter(|(i, _)| flat(*i))
                    .for_each(|(_, slope)| *slope = 0.0);
                0.5 * quadratic(covariance, &gradient)
            }
            _ if u.is_empty() => 0.0,
            _ => f64::NAN,
        };
        let edge = on_unit_circle(&coordinates, &u);
        let estimates = parameters.iter().enumerate().map(|(i, parameter)| {
            let remark = match errors[i] {
                Some(_) => None,
                None if model.fixed().contains_key(&parameter.name) => Some(HELD),
                None if parameter.kind.ends_at(values[i]) || edge.contains(&i) => Some(BOUNDARY),
                None => Some(UNIDENTIFIED),
            };
            ParameterEstimate {
                name: parameter.name.clone(),
                value: values[i],
                standard_error: errors[i],
                interval: errors[i].map(|error| interval(parameter.kind, values[i], error, z)),
                remark,
            }
        });
        // What is at its boundary was estimated too; what is held beyond the fixed was not.
        let held = whole.groups().iter().filter(|group| {
            let name = &parameters[group.parameters[0]].name;
            begins(name)
        });
        let held: usize = held.map(Group::size).sum();
        let free_parameters = self.free_parameters().saturating_sub(held);
        let (k, n) = (free_parameters as f64, found.observations as f64);
        Ok(Summary {
            estimates: estimates.collect(),
            level: settings.level,
            observations: found.observations,
            log_evidence: found.log_likelihood,
            evidence: "exact",
            free_parameters,
            aic: 2.0 * k - 2.0 * found.log_likelihood,
            bic: k * n.ln() - 2.0 * found.log_likelihood,
            shortfall,
        })
    }
}

/// value ± z·error where the parameter is unbounded, and back.
fn interval(kind: Kind, value: f64, error: f64, z: f64) -> [f64; 2] {
    match kind {
        Kind::Variance => Link::Log.interval(value, error, z),
        Kind::Period => Link::Log
            .interval(value - 2.0, error, z)
            .map(|end| 2.0 + end),
        Kind::Damping => Link::Logit.interval(value, error, z),
        Kind::Ar { .. } | Kind::Ma { .. } => Link::Identity.interval(value, error, z),
    }
}
