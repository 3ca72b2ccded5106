//! Maximum likelihood from several starts.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::boundary::End;
use super::component::Component;
use super::coordinates::Coordinates;
use super::data::Data;
use super::fit_settings::StructuralSettings;
use super::form::Form;
use super::information::{covariance, promised, standard_errors};
use super::model::StructuralModel;
use super::parameter::Kind;
use super::problem::{NOTHING, Problem};
use super::starts::starts;
use crate::math::bfgs::Minimum;
use crate::{Error, Result, Sequence, dependent_inputs, divided};

/// What a fit ends with.
#[derive(Debug, Clone, PartialEq)]
pub struct StructuralFit {
    /// The model that was fitted.
    pub model: StructuralModel,
    /// Values of all parameters, in the order of [`StructuralModel::parameter_names`].
    pub estimates: Vec<f64>,
    /// Standard errors by the observed information; none of a fixed parameter, of one at its boundary, or where the
    /// likelihood is flat.
    pub standard_errors: Vec<Option<f64>>,
    /// The parameters at the end of their range because ln p rises towards it: variances of 0, of a component that does not
    /// change; the damping of a cycle that never fades, 1 − 10⁻⁹; coefficients of a polynomial with roots on the unit
    /// circle.
    pub at_boundary: Vec<bool>,
    /// ln p in nats (eq. F51).
    pub log_likelihood: f64,
    /// The observations that fixed a diffuse direction and have no ½ ln 2π in ln p.
    pub diffuse: usize,
    /// The observations that are not missing.
    pub observations: usize,
    /// Numbers estimated: parameters and diffuse states.
    pub free_parameters: usize,
    /// Whether the gradient is within the tolerance or promises less than 10⁻⁶ nats, and no variance at 0 would gain by growing.
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
/// Variances below this part of the squares of the numbers are rounding, 2⁻⁵² of a number to either side.
const ROUNDING: f64 = 1e-30;

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
    /// vary, and beside a level for inputs that do not, or are combinations of one another: their coefficients are not determined;
    /// [`Error::Setting`] for a setting that makes no sense or where no start has a likelihood, and for components that explain
    /// the series exactly: ln p has no maximum.
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
        let inputs = 1..1 + self.inputs().len();
        if self.components().contains(&Component::Level)
            && let Some(columns) = dependent_inputs(sequences, inputs)?
        {
            return Err(Error::Dependent { columns });
        }
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
        let begun = begun.iter().filter_map(|values| coordinates.at(values));
        let short = SHORT.min(settings.max_iterations);
        let found = divided(begun.collect(), settings.threads, |u| {
            problem.descend(&coordinates, &u, short)
        });
        let mut found: Vec<Minimum> = found.into_iter().flatten().collect();
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        let mut iterations: usize = found.iter().map(|m| m.iterations).sum();
        let rows: usize = sequences.iter().map(Sequence::len).sum();
        let pursued = match rows * self.states().pow(2) < SMALL {
            true => found.len(),
            false => PURSUED,
        };
        let most = settings.max_iterations;
        let ends = divided(
            found.iter().take(pursued).collect(),
            settings.threads,
            |minimum: &Minimum| problem.descend(&coordinates, &minimum.at, most),
        );
        for (minimum, end) in found.iter_mut().zip(ends) {
            if let Some(end) = end {
                iterations += end.iterations;
                *minimum = end;
            }
        }
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        let Some(best) = found.first() else {
            let expected = "fixed values that the data can have: variances near theirs, autoregressions that are stationary";
            return Err(Error::setting(
                "fixed",
                "no start with a likelihood",
                expected,
            ));
        };
        let mut end = problem.to_boundary(coordinates, best.clone())?;
        end.iterations += iterations;
        let starts = found.iter().map(|m| -m.value).collect();
        problem.told(end, starts)
    }
}

impl Problem<'_> {
    fn told(&self, end: End, mut starts: Vec<f64>) -> Result<StructuralFit> {
        let estimates = end.coordinates.values(&end.minimum.at);
        let exact = self
            .model
            .parameters()
            .iter()
            .zip(&estimates)
            .all(|(p, value)| p.kind != Kind::Variance || *value <= ROUNDING * self.data.square);
        if exact {
            let expected = "some noise: ln p has no maximum; leave components out";
            return Err(Error::setting(
                "components",
                "observations that they explain exactly",
                expected,
            ));
        }
        let form = Form::new(self.model, &estimates)?;
        let Some(found) = self.data.at(&form) else {
            let found = format!("{estimates:?}");
            return Err(Error::setting("values", found, "values with a likelihood"));
        };
        let gradient = crate::math::bfgs::largest(&end.minimum.gradient);
        let u = &end.minimum.at;
        let covariance = covariance(u, |u| Some(self.value(&end.coordinates, u)?.1));
        let standard_errors = standard_errors(&end.coordinates, u, covariance.as_ref());
        // Where rounding keeps the gradient above the tolerance, what it still promises tells.
        let settled = end.minimum.converged
            || promised(u, &end.minimum.gradient, covariance.as_ref()) <= NOTHING;
        if let Some(best) = starts.first_mut() {
            *best = best.max(found.log_likelihood);
        }
        Ok(StructuralFit {
            model: self.model.clone(),
            at_boundary: end.at_boundary(estimates.len()),
            standard_errors,
            log_likelihood: found.log_likelihood,
            diffuse: found.diffuse,
            observations: found.observations,
            free_parameters: self.model.free_parameters(),
            converged: settled && !self.would_grow(&end, &found.score),
            gradient,
            iterations: end.iterations,
            starts,
            estimates,
        })
    }
}
