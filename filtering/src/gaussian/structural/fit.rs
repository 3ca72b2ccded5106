//! Maximum likelihood from several starts.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::coordinates::Coordinates;
use super::data::Data;
use super::form::Form;
use super::information::{covariance, standard_errors};
use super::model::StructuralModel;
use super::parameter::Kind;
use super::starts::starts;
use crate::math::bfgs::{Limits, Minimum, minimise};
use crate::{Error, Result, Sequence};

/// How a structural model is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StructuralSettings {
    /// Starts: one from the data's spread (or the values given), the others at random.
    pub restarts: usize,
    /// Seed of the random starts.
    pub seed: u64,
    /// At most so many quasi-Newton steps from a start.
    pub max_iterations: usize,
    /// Converged where no entry of the gradient is larger, in nats per unit of ln σ² (or of the coordinates of a period,
    /// damping or partial autocorrelation).
    pub tolerance: f64,
}

impl Default for StructuralSettings {
    fn default() -> Self {
        Self {
            // The likelihood of variances has few optima; ten starts have found the best in all series tried.
            restarts: 10,
            seed: 0,
            // Each start takes 10 to 40.
            max_iterations: 500,
            // At this gradient ln p is within some 1e-12 nats of its maximum.
            tolerance: 1e-6,
        }
    }
}

/// What a fit ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct StructuralFit {
    /// The model that was fitted.
    pub model: StructuralModel,
    /// Values of all parameters, in the order of [`StructuralModel::parameter_names`].
    pub estimates: Vec<f64>,
    /// Standard errors by the observed information; none of a fixed parameter, of a variance at its boundary 0, or where
    /// the likelihood is flat.
    pub standard_errors: Vec<Option<f64>>,
    /// The variances that are 0 because ln p falls with them: the component does not change.
    pub at_boundary: Vec<bool>,
    /// ln p in nats (eq. F51).
    pub log_likelihood: f64,
    /// The observations that fixed a diffuse direction and have no ½ ln 2π in ln p.
    pub diffuse: usize,
    /// The observations that are not missing.
    pub observations: usize,
    /// Numbers estimated: parameters and diffuse states.
    pub free_parameters: usize,
    /// Whether the gradient is within the tolerance, and no variance at 0 would gain by growing.
    pub converged: bool,
    /// The largest entry of the gradient by the coordinates of interior parameters.
    pub gradient: f64,
    /// Quasi-Newton steps of all starts together.
    pub iterations: usize,
    /// ln p that each start led to, best first: what was not pursued to the end is lower than its optimum.
    pub starts: Vec<f64>,
}

/// Steps of each start before the best are pursued to the end.
const SHORT: usize = 12;
/// So many starts are pursued to the end,
const PURSUED: usize = 3;
/// and all of a model whose filter has fewer products of entries than this, n² a row: which is best cannot be told early.
const SMALL: usize = 20_000;
/// The largest change of a coordinate in one step: e³ = 20 times a variance.
const STEP: f64 = 3.0;
/// A variance at 0 should grow if this share of the unit variance would gain so many nats by the slope.
const SHARE: f64 = 1e-3;
const GAIN: f64 = 1e-6;
/// Rounding of a log-likelihood, as a part of it.
const ROUNDING: f64 = 1e-12;

impl StructuralModel {
    /// Fits the free parameters to sequences of one number each by maximum likelihood: BFGS on the exact score, from
    /// several starts.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, gaussian::{StructuralModel, StructuralSettings}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let noise = (0..100).map(|t| (f64::from(t) * 0.618_033_988_749_895).fract());
    /// let data = [Sequence::of_numbers(noise)?];
    /// let fit = StructuralModel::new("level")?.fit(&data, &StructuralSettings::default())?;
    /// assert!(fit.converged);
    /// // White noise has a level that does not move.
    /// assert_eq!((fit.estimates[1], fit.at_boundary[1]), (0.0, true));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Size`] for rows of several numbers or too few of them, [`Error::Dependent`] for a series that does not
    /// vary, [`Error::Setting`] for a setting that makes no sense or where no start has a likelihood.
    pub fn fit(
        &self,
        sequences: &[Sequence],
        settings: &StructuralSettings,
    ) -> Result<StructuralFit> {
        if settings.restarts == 0 {
            return Err(Error::setting("restarts", 0, "at least one"));
        }
        if settings.tolerance.is_nan() || settings.tolerance <= 0.0 {
            return Err(Error::setting("tolerance", settings.tolerance, "above 0"));
        }
        let data = Data::of(self, sequences)?;
        data.check(self)?;
        let problem = Problem {
            model: self,
            data: &data,
            settings,
        };
        let at_zero = |name: &String| self.fixed().get(name) == Some(&0.0);
        if self.variance_names().iter().all(at_zero) {
            let expected = "a variance above 0, or one that is estimated: without any no observation has a likelihood";
            return Err(Error::setting("fixed", "0 for every variance", expected));
        }
        let coordinates = Coordinates::new(self, &data.units, &[])?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(settings.seed);
        let begun = starts(self, &data, settings.restarts, &mut rng);
        let mut found: Vec<Minimum> = begun
            .iter()
            .filter_map(|values| coordinates.at(values))
            .filter_map(|u| problem.descend(&coordinates, &u, SHORT))
            .collect();
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        let mut iterations: usize = found.iter().map(|m| m.iterations).sum();
        let rows: usize = sequences.iter().map(Sequence::len).sum();
        let pursued = match rows * self.states().pow(2) < SMALL {
            true => found.len(),
            false => PURSUED,
        };
        for minimum in found.iter_mut().take(pursued) {
            if let Some(end) = problem.descend(&coordinates, &minimum.at, settings.max_iterations) {
                iterations += end.iterations;
                *minimum = end;
            }
        }
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        let Some(best) = found.first() else {
            let found = format!("{} starts", settings.restarts);
            return Err(Error::setting(
                "values",
                found,
                "a start that has a likelihood",
            ));
        };
        let mut end = problem.to_boundary(coordinates, best.clone())?;
        end.iterations += iterations;
        let starts = found.iter().map(|m| -m.value).collect();
        problem.told(end, starts)
    }
}

struct Problem<'a> {
    model: &'a StructuralModel,
    data: &'a Data<'a>,
    settings: &'a StructuralSettings,
}

/// Where the search ended, and which variances are at 0.
struct End {
    coordinates: Coordinates,
    zero: Vec<usize>,
    minimum: Minimum,
    iterations: usize,
}

impl Problem<'_> {
    fn value(&self, coordinates: &Coordinates, u: &[f64]) -> Option<(f64, Vec<f64>)> {
        self.data.objective(self.model, coordinates, u)
    }

    fn descend(&self, coordinates: &Coordinates, u: &[f64], iterations: usize) -> Option<Minimum> {
        let limits = Limits {
            iterations,
            gradient: self.settings.tolerance,
            step: STEP,
        };
        minimise(u, limits, |u| self.value(coordinates, u))
    }

    /// Puts variances that ln p falls with to 0, and lets those grow that it rises with at 0.
    fn to_boundary(&self, coordinates: Coordinates, minimum: Minimum) -> Result<End> {
        let mut end = End {
            coordinates,
            zero: Vec::new(),
            minimum,
            iterations: 0,
        };
        // Every round fixes one group at 0, or moves one away from it: there are fewer of both than this.
        for _ in 0..4 * self.model.parameter_names().len() {
            let Some(step) = self.boundary_step(&end)? else {
                break;
            };
            end = step;
        }
        Ok(end)
    }

    fn boundary_step(&self, end: &End) -> Result<Option<End>> {
        let values = end.coordinates.values(&end.minimum.at);
        let continued = |coordinates: Coordinates, zero: Vec<usize>, u: &[f64]| {
            let minimum = self.descend(&coordinates, u, self.settings.max_iterations)?;
            Some(End {
                iterations: end.iterations + minimum.iterations,
                coordinates,
                zero,
                minimum,
            })
        };
        for group in end.coordinates.groups() {
            if group.kind != Kind::Variance {
                continue;
            }
            let mut at_zero = values.clone();
            group.parameters.iter().for_each(|&i| at_zero[i] = 0.0);
            let Some(found) = Form::new(self.model, &at_zero)
                .ok()
                .and_then(|form| self.data.at(&form))
            else {
                continue;
            };
            let slope: f64 = group.parameters.iter().map(|&i| found.score[i]).sum();
            let unit = end.coordinates.unit(group);
            if slope * SHARE * unit > GAIN {
                // Inside, unless the search was stuck where the likelihood is flat in ln σ².
                let flat = values[group.parameters[0]] < 1e-9 * unit;
                let lost = -end.minimum.value - found.log_likelihood;
                if flat && lost.abs() < GAIN {
                    let mut grown = values.clone();
                    group
                        .parameters
                        .iter()
                        .for_each(|&i| grown[i] = SHARE * unit);
                    let Some(u) = end.coordinates.at(&grown) else {
                        continue;
                    };
                    let next = continued(end.coordinates.clone(), end.zero.clone(), &u);
                    if let Some(next) = next.filter(|n| n.minimum.value < end.minimum.value) {
                        return Ok(Some(next));
                    }
                }
                continue;
            }
            // Where it does not fall but by rounding.
            let rounding = ROUNDING * end.minimum.value.abs().max(1.0);
            if found.log_likelihood >= -end.minimum.value - rounding {
                let mut zero = end.zero.clone();
                zero.extend(&group.parameters);
                let coordinates = Coordinates::new(self.model, &self.data.units, &zero)?;
                let Some(u) = coordinates.at(&at_zero) else {
                    continue;
                };
                return Ok(continued(coordinates, zero, &u));
            }
        }
        Ok(None)
    }

    fn told(&self, end: End, mut starts: Vec<f64>) -> Result<StructuralFit> {
        let estimates = end.coordinates.values(&end.minimum.at);
        let form = Form::new(self.model, &estimates)?;
        let Some(found) = self.data.at(&form) else {
            let found = format!("{estimates:?}");
            return Err(Error::setting("values", found, "values with a likelihood"));
        };
        // By group: tied variances stand or fall together.
        let all = Coordinates::new(self.model, &self.data.units, &[])?;
        let would_grow = all
            .groups()
            .iter()
            .filter(|group| end.zero.contains(&group.parameters[0]))
            .any(|group| {
                let slope: f64 = group.parameters.iter().map(|&i| found.score[i]).sum();
                slope * SHARE * all.unit(group) > GAIN
            });
        let gradient = crate::math::bfgs::largest(&end.minimum.gradient);
        let u = &end.minimum.at;
        let covariance = covariance(u, |u| Some(self.value(&end.coordinates, u)?.1));
        let standard_errors = standard_errors(&end.coordinates, u, covariance.as_ref());
        if let Some(best) = starts.first_mut() {
            *best = best.max(found.log_likelihood);
        }
        Ok(StructuralFit {
            model: self.model.clone(),
            at_boundary: (0..estimates.len())
                .map(|i| end.zero.contains(&i))
                .collect(),
            standard_errors,
            log_likelihood: found.log_likelihood,
            diffuse: found.diffuse,
            observations: found.observations,
            free_parameters: self.model.free_parameters(),
            converged: end.minimum.converged && !would_grow,
            gradient,
            iterations: end.iterations,
            starts,
            estimates,
        })
    }
}
