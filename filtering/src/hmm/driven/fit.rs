//! Maximum likelihood: the fit without inputs, then a quasi-Newton ascent of all parameters from several weights.

use rand::rngs::Xoshiro256PlusPlus;

use super::coordinates::DrivenCoordinates;
use super::model::DrivenHmm;
use crate::data_spread::{check_independence, deviations};
use crate::divided;
use crate::hmm::emission_rows::normal;
use crate::hmm::fitting::coordinates::visits;
use crate::hmm::fitting::fitted::{highest, rare_states, separated_states};
use crate::hmm::fitting::starts::stream;
use crate::hmm::{Emission, EmissionKind, FitSettings, FitWarning, Hmm, Learnable};
use crate::math::bfgs::{Limits, minimise};
use crate::{Error, Result, Sequence};

/// No coordinate moves further in a step, in standard deviations of one observation.
const LONGEST: f64 = 2.0;
/// The purpose of the random numbers, beside those of other starts.
const WEIGHTS: u64 = 3;

/// What a fit came to.
#[derive(Debug, Clone, PartialEq)]
pub struct DrivenHmmFitted {
    /// The model, with v₀ at the means of the inputs.
    pub model: DrivenHmm,
    /// Σ ln p(o|v) over the sequences, nats, without the prior of the weights.
    pub log_evidence: f64,
    /// The same of the model that was begun with; of a fit from the data that of the best one without inputs in its transitions.
    pub before: f64,
    /// Steps of the quasi-Newton method in the run that found it.
    pub iterations: usize,
    /// Whether the gradient is small.
    pub converged: bool,
    /// ½ |g|² in coordinates of unit information, nats: what the gradient still promises.
    pub promised: f64,
    /// Numbers that were free to be chosen.
    pub free_parameters: usize,
    /// How many runs reached this maximum, to 0.1 nats, of how many.
    pub found_by: (usize, usize),
    /// What there is to know of it.
    pub warnings: Vec<FitWarning>,
}

impl DrivenHmmFitted {
    /// Whether BIC and AIC may be taken of it.
    pub fn is_ranked(&self) -> bool {
        let collapsed = |w: &FitWarning| matches!(w, FitWarning::AllCollapsed { .. });
        self.converged && !self.warnings.iter().any(collapsed)
    }
}

impl DrivenHmm {
    /// The model of so many states with the highest ln p(o|v) that is found (eq. F105): the best without inputs in its
    /// transitions ([`Hmm::fit_states`]), and from there an ascent of all parameters, once from weights of zero and once from each of
    /// `restarts − 1` draws of them of one log odd a deviation of the input. Weights have a normal prior of standard deviation 100 for
    /// each deviation of their input, a ridge that matters only where inputs separate transitions.
    ///
    /// Rows are outputs, inputs of the emission and its exposure (`settings.covariates`), and last those of `transition_inputs` that
    /// are none of these.
    ///
    /// ```
    /// use scotopic_filtering::Sequence;
    /// use scotopic_filtering::hmm::{DrivenHmm, EmissionKind, FitSettings};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// // Counts are high from a cue of 1 on, until one of −1.
    /// let row = |t: i32| {
    ///     let high = t % 20 >= 10;
    ///     let cue = f64::from(i32::from(t % 20 == 10) - i32::from(t % 20 == 0));
    ///     [f64::from(if high { 9 + t % 3 } else { 1 + t % 2 }), cue]
    /// };
    /// let data = [Sequence::of_rows((0..200).map(row))?];
    /// let settings = FitSettings { restarts: 2, ..FitSettings::default() };
    /// let fit = DrivenHmm::fit_states(EmissionKind::Poisson, 2, &["cue".to_owned()], &data, &settings)?;
    /// assert!(fit.log_evidence > fit.before + 20.0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Hmm::fit_states`]; [`Error::Dependent`] for an input that does not vary or is a combination of others,
    /// [`Error::Unsupported`] for pseudo-observations, [`Error::Observation`] for an input that is missing.
    pub fn fit_states(
        kind: EmissionKind,
        states: usize,
        transition_inputs: &[String],
        sequences: &[Sequence],
        settings: &FitSettings,
    ) -> Result<DrivenHmmFitted> {
        check(settings)?;
        let covariates = &settings.covariates;
        let given: Vec<&String> = covariates
            .inputs
            .iter()
            .chain(&covariates.exposure)
            .collect();
        let added = transition_inputs
            .iter()
            .filter(|name| !given.contains(name));
        let added = added.count();
        let own: Vec<Sequence> = sequences
            .iter()
            .map(|s| without_last(s, added))
            .collect::<Result<_>>()?;
        let plain = Hmm::fit_states(kind, states, &own, settings)?;
        let start = Self::new(plain.model, transition_inputs.to_vec())?;
        let inputs = start.driving(sequences)?;
        check_independence(&inputs).map_err(|error| start.named(error))?;
        let deviations = start.deviations_of(&inputs)?;
        let free = start.places_of_free_weights();
        // Nothing to choose: one state, or transitions of one possibility.
        let runs = if free.is_empty() {
            1
        } else {
            settings.restarts
        };
        let draw = |number: usize| -> Result<Self> {
            let mut weights = start.weights().to_vec();
            let mut rng: Xoshiro256PlusPlus = stream(settings.seed, states, WEIGHTS, number);
            for at in free.iter().filter(|_| number > 0) {
                weights[*at] = normal(&mut rng) / deviations[at % deviations.len()];
            }
            let start = start.clone().with_origin(means(&inputs))?;
            start.with_flat_weights(weights)
        };
        let starts: Vec<Self> = (0..runs).map(draw).collect::<Result<_>>()?;
        let mut fitted = best(starts, sequences, &deviations, settings)?;
        fitted.before = plain.log_evidence;
        let collapsed = |w: &FitWarning| matches!(w, FitWarning::AllCollapsed { .. });
        fitted
            .warnings
            .extend(plain.warnings.into_iter().filter(collapsed));
        Ok(fitted)
    }

    /// The maximum of ln p(o|v) above this model, by the ascent of [`DrivenHmm::fit_states`].
    ///
    /// # Errors
    /// As [`DrivenHmm::fit_states`].
    pub fn fit_from(
        self,
        sequences: &[Sequence],
        settings: &FitSettings,
    ) -> Result<DrivenHmmFitted> {
        check(settings)?;
        let inputs = self.driving(sequences)?;
        check_independence(&inputs).map_err(|error| self.named(error))?;
        let start = self.about(means(&inputs))?;
        let deviations = start.deviations_of(&inputs)?;
        best(vec![start], sequences, &deviations, settings)
    }

    /// The deviations of the inputs of the transitions.
    ///
    /// # Errors
    /// [`Error::Setting`] for one in a unit in which the squares that a fit takes of it are no numbers.
    fn deviations_of(&self, inputs: &[Sequence]) -> Result<Vec<f64>> {
        /// What is left of the range of numbers for sums over rows and parts of them.
        const RANGE: std::ops::Range<f64> = 1e-140..1e140;
        let deviations = deviations(inputs);
        match deviations.iter().position(|d| !RANGE.contains(d)) {
            None => Ok(deviations),
            Some(m) => {
                let name = &self.inputs()[self.column(m) - self.outputs()];
                let found = format!("{name} with a deviation of {:e}", deviations[m]);
                let expected = "inputs in units in which their squares are numbers";
                Err(Error::setting("transition_inputs", found, expected))
            }
        }
    }

    /// The inputs of the transitions in all rows but the first of each sequence.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that is missing; [`Error::Size`] for a sequence of no observations.
    pub(crate) fn driving(&self, sequences: &[Sequence]) -> Result<Vec<Sequence>> {
        let mut v = vec![0.0; self.origin().len()];
        let mut a = vec![0.0; self.states() * self.states()];
        let mut all = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            if sequence.is_empty() {
                return Err(Error::size("sequence", "no observation", "at least one"));
            }
            let mut inputs = Sequence::new(v.len())?;
            for (t, row) in sequence.iter().enumerate().skip(1) {
                let at = |e: Error| e.at_observation(t as u64);
                let (_, given) = self.split(row).map_err(at)?;
                self.transition_given(given, &mut a).map_err(at)?;
                self.centred(given, &mut v);
                v.iter_mut().zip(self.origin()).for_each(|(v, o)| *v += o);
                inputs.push(Some(&v))?;
            }
            all.push(inputs.made_of(sequence));
        }
        Ok(all)
    }

    /// Dependent columns by their place in a row.
    fn named(&self, error: Error) -> Error {
        match error {
            Error::Dependent { columns } => Error::Dependent {
                columns: columns.iter().map(|m| self.column(*m)).collect(),
            },
            other => other,
        }
    }
}

fn check(settings: &FitSettings) -> Result<()> {
    settings.check()?;
    match settings.pseudo_count > 0.0 {
        false => Ok(()),
        true => Err(Error::Unsupported {
            what: "a model with inputs in its transitions".to_owned(),
            asked: "be fitted with pseudo-observations",
            why: "its ascent is on ln p itself: take pseudo_count 0, or a model without transition inputs",
        }),
    }
}

/// Rows without their last entries.
fn without_last(sequence: &Sequence, columns: usize) -> Result<Sequence> {
    let width = sequence.width().saturating_sub(columns);
    let mut own = Sequence::new(width)?;
    for row in sequence.iter() {
        own.push(row.map(|row| &row[..width]))?;
    }
    Ok(own.made_of(sequence))
}

fn means(inputs: &[Sequence]) -> Vec<f64> {
    let width = inputs.first().map_or(0, Sequence::width);
    let count: usize = inputs.iter().map(Sequence::len).sum();
    let mut means = vec![0.0; width];
    for row in inputs.iter().flat_map(|s| s.iter().flatten()) {
        let share = means.iter_mut().zip(row);
        share.for_each(|(mean, v)| *mean += v / count as f64);
    }
    means
}

/// The highest end of the ascents from all starts.
fn best(
    starts: Vec<DrivenHmm>,
    sequences: &[Sequence],
    deviations: &[f64],
    settings: &FitSettings,
) -> Result<DrivenHmmFitted> {
    let ends = divided(starts, settings.threads, |start| {
        ascent(start, sequences, deviations, settings)
    });
    let (mut reached, mut failed) = (Vec::new(), None);
    for end in ends {
        match end {
            Ok(end) => reached.push(end),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let of = reached.len();
    let Some((best, found)) = highest(&reached, |f: &DrivenHmmFitted| f.log_evidence) else {
        let none = || Error::setting("restarts", 0, "at least 1");
        return Err(failed.unwrap_or_else(none));
    };
    let mut best = reached.swap_remove(best);
    best.found_by = (found, of);
    if found == 1 && of > 1 {
        best.warnings.push(FitWarning::FoundOnce { of });
    }
    Ok(best)
}

fn ascent(
    start: DrivenHmm,
    sequences: &[Sequence],
    deviations: &[f64],
    settings: &FitSettings,
) -> Result<DrivenHmmFitted> {
    let own: Vec<Sequence> = sequences
        .iter()
        .map(|s| start.observed(s))
        .collect::<Result<_>>()?;
    start.base().emission().check_data(&own)?;
    let base = start.base().clone().centred_on(&own).recentred();
    let start = start.with_base(base);
    let expected = start.expectations(sequences)?;
    let base = start.base().measured(&expected.chain)?;
    let start = start.with_base(base);
    let before = expected.chain.log_evidence;
    let pooled = pooled(&start, &own);
    let keeps = |model: &DrivenHmm| {
        pooled.as_ref().is_none_or(|pooled| {
            let least = model.base().emission().relative_variances(pooled);
            least.iter().all(|r| *r >= settings.variance_floor)
        })
    };
    let coordinates = DrivenCoordinates::about(&start, &expected, deviations);
    let n = coordinates.len() as f64;
    let limits = Limits {
        iterations: settings.max_iterations,
        gradient: (2.0 * settings.tolerance / n).sqrt(),
        step: LONGEST,
    };
    let zero = vec![0.0; coordinates.len()];
    let found = minimise(&zero, limits, |z| {
        coordinates.objective(z, sequences, &keeps)
    });
    let Some(found) = found else {
        let expected = "a start whose variances are above the floor (variance_floor)";
        return Err(Error::setting("model", "a collapsed state", expected));
    };
    let model = coordinates.model(&found.at)?;
    let end = model.expectations(sequences)?.chain;
    let squares: f64 = found.gradient.iter().map(|g| g * g).sum();
    let promised = 0.5 * squares * end.observations as f64;
    let mut warnings = Vec::new();
    if !found.converged {
        let iterations = found.iterations;
        warnings.push(FitWarning::EndedEarly {
            iterations,
            promised,
        });
    }
    let visits = visits(&end);
    let smoothed = |s: usize| Ok(model.smooth(&sequences[s])?.marginals().to_vec());
    let emission = model.base().emission();
    warnings.extend(separated_states(emission, &visits, &own, smoothed)?);
    warnings.extend(rare_states(&visits));
    let zeros = start.base().structural_zeros(0.0);
    Ok(DrivenHmmFitted {
        log_evidence: end.log_evidence,
        before,
        iterations: found.iterations,
        converged: found.converged,
        promised,
        free_parameters: model.base().parameters() - zeros + model.free_weights(),
        found_by: (1, 1),
        warnings,
        model,
    })
}

/// One state for all data, the unit of variances.
fn pooled(model: &DrivenHmm, own: &[Sequence]) -> Option<crate::hmm::AnyEmission> {
    let one = model.base().emission().relabelled(&[0]);
    crate::hmm::fitting::pooled(one, own)
}
