//! The parameters of each kind of model, and its exact evidence.

use nalgebra::DMatrix;

use super::discrete::{driven_hmm, hmm};
use super::linear::{absent_noise, driven, linear};
use super::parametrisation::{Group, Parametrisation};
use super::{Subject, unsupported};
use crate::any_model::AnyModel;
use crate::gaussian::{Learned, LinearGaussian};
use crate::nonlinear::models::AnyStateSpace;
use crate::nonlinear::{Grid, StateSpace};
use crate::{Error, Result, Sequence};

const EXACT: &str = "exact";

/// What a summary of `model` beside `sequences` is made of.
pub(super) fn subject<'a>(model: &AnyModel, sequences: &'a [Sequence]) -> Result<Subject<'a>> {
    match model {
        AnyModel::Hmm(model) => Ok(Subject {
            parametrisation: hmm(&model.measured(&model.expectations(sequences)?)?)?,
            evidence: Box::new(|model| match model {
                AnyModel::Hmm(model) => sequences.iter().map(|s| model.log_evidence(s)).sum(),
                _ => Ok(f64::NAN),
            }),
            described: EXACT,
        }),
        AnyModel::DrivenHmm(model) => Ok(Subject {
            parametrisation: driven_hmm(model, sequences)?,
            evidence: Box::new(|model| match model {
                AnyModel::DrivenHmm(model) => sequences.iter().map(|s| model.log_evidence(s)).sum(),
                _ => Ok(f64::NAN),
            }),
            described: EXACT,
        }),
        AnyModel::LinearGaussian(model) => Ok(Subject {
            parametrisation: linear(
                model,
                &absent_noise(model, |model| {
                    sequences.iter().map(|s| model.log_evidence(s)).sum()
                }),
            ),
            evidence: Box::new(|model| match model {
                AnyModel::LinearGaussian(model) => {
                    sequences.iter().map(|s| model.log_evidence(s)).sum()
                }
                _ => Ok(f64::NAN),
            }),
            described: EXACT,
        }),
        AnyModel::Driven(model) => Ok(Subject {
            parametrisation: driven(
                model,
                &absent_noise(model.base(), |base| {
                    let (b, d) = (model.control().clone(), model.direct().clone());
                    let model = model.with_numbers(base, b, d);
                    sequences.iter().map(|s| model.log_evidence(s)).sum()
                }),
            ),
            evidence: Box::new(|model| match model {
                AnyModel::Driven(model) => sequences.iter().map(|s| model.log_evidence(s)).sum(),
                _ => Ok(f64::NAN),
            }),
            described: EXACT,
        }),
        AnyModel::Plds(_) => Err(unsupported(
            "a Poisson or Bernoulli linear dynamical system".to_owned(),
            "its evidence is a bound, and its latents are known up to a change of basis: score gives the bound, and \
             --co-smoothing how well held-out neurons are told",
        )),
        AnyModel::Slds(_) => Err(unsupported(
            "a switching linear dynamical system".to_owned(),
            "its evidence is a bound, whose curvature is no information, and its states are known up to a change of basis: score gives the \
             score of its forecasts, smooth the bound",
        )),
        AnyModel::Nonlinear(model) => nonlinear(model, sequences),
        AnyModel::Generalised(_) => Err(unsupported(
            "a model of continuous time".to_owned(),
            "its evidence is that of a linearisation, and its parameters are learned with priors: filter --learn writes their \
             estimates with the model",
        )),
    }
}

impl AnyModel {
    /// The parameters that can be chosen freely, as far as a model tells them by itself: probabilities of exactly 0 are none, and for
    /// a linear-Gaussian model those that [`AnyModel::summary`] holds are none. What a fit chose it says itself
    /// ([`SummarySettings::free_parameters`](crate::SummarySettings)). None for a model of continuous time, whose parameters have
    /// priors.
    ///
    /// ```
    /// use scotopic_filtering::AnyModel;
    /// use scotopic_filtering::hmm::{Hmm, Poisson};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// // From left to right: one transition and two rates.
    /// let transition = vec![vec![0.9, 0.1], vec![0.0, 1.0]];
    /// let emission = Poisson::new(vec![vec![1.0], vec![9.0]])?.into();
    /// let model = Hmm::new(vec![1.0, 0.0], transition, emission)?;
    /// assert_eq!(AnyModel::Hmm(model).free_parameters(&[])?, Some(3));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] where `held` holds what is no parameter, by the beginning of its name, of a linear-Gaussian model.
    pub fn free_parameters(&self, held: &[String]) -> Result<Option<usize>> {
        let of_linear = |mut all: Parametrisation| {
            held.iter().try_for_each(|name| all.hold(name))?;
            Ok(Some(linear_count(self, &all)))
        };
        match self {
            Self::LinearGaussian(model) => of_linear(linear(model, &[])),
            Self::Driven(model) => of_linear(driven(model, &[])),
            _ if !held.is_empty() => Err(Error::setting("hold", held.join(", "), "nothing")),
            Self::Hmm(model) => Ok(Some(model.free_parameters())),
            Self::DrivenHmm(model) => Ok(Some(model.free_parameters())),
            Self::Plds(model) => Ok(Some(model.free_parameters())),
            Self::Slds(model) => Ok(Some(model.free_parameters())),
            Self::Nonlinear(model) => Ok(Some(model.parameters_len())),
            Self::Generalised(_) => Ok(None),
        }
    }
}

/// The free parameters of a model of which those of `left`, of `all` coordinates, are not held by name.
pub(super) fn count(model: &AnyModel, all: usize, left: &Parametrisation) -> usize {
    match model {
        AnyModel::LinearGaussian(_) | AnyModel::Driven(_) => linear_count(model, left),
        other => {
            let free = other.free_parameters(&[]).ok().flatten();
            free.unwrap_or(all).saturating_sub(all - left.estimated())
        }
    }
}

/// Of the free entries of a linear-Gaussian model, those that observations can tell, and its diffuse states: the start of each is
/// chosen by the data.
fn linear_count(model: &AnyModel, free: &Parametrisation) -> usize {
    let diffuse = |base: &LinearGaussian| base.diffuse().iter().filter(|marked| **marked).count();
    let nonzero = |m: &DMatrix<f64>| m.iter().filter(|v| **v != 0.0).count();
    let learned = |base: &LinearGaussian| Learned {
        bias: free.estimated_of("bias[") == base.states(),
        offset: free.estimated_of("offset[") == base.width(),
        initial: false,
        ..Learned::default()
    };
    let entries = free.estimated();
    match model {
        AnyModel::LinearGaussian(base) => {
            let told = entries - base.unseen_origins(&learned(base));
            told.min(base.free_parameters()) + diffuse(base)
        }
        AnyModel::Driven(model) => {
            let base = model.base();
            let effects = nonzero(model.control()) + nonzero(model.direct());
            // Inputs that are entries of H move with the origin.
            let unseen = match model.regressors().next() {
                None => base.unseen_origins(&learned(base)),
                Some(_) => 0,
            };
            let most = base.free_parameters() + effects;
            (entries - unseen).min(most) + diffuse(base)
        }
        _ => entries,
    }
}

/// Names that begin so are those of logarithms.
const LOGARITHM: &str = "ln ";

fn nonlinear<'a>(model: &AnyStateSpace, sequences: &'a [Sequence]) -> Result<Subject<'a>> {
    let own = model.clone();
    let names = model.parameter_names();
    let logarithms: Vec<bool> = names.iter().map(|n| n.starts_with(LOGARITHM)).collect();
    let logs = logarithms.clone();
    let mut new = Parametrisation::new(move |p| {
        let mut model = own.clone();
        let theta = p
            .iter()
            .zip(&logs)
            .map(|(p, log)| if *log { p.ln() } else { *p });
        model.set_parameters(&theta.collect::<Vec<f64>>())?;
        Ok(AnyModel::Nonlinear(model))
    });
    let mut theta = vec![0.0; model.parameters_len()];
    model.parameters(&mut theta);
    for ((name, t), log) in names.iter().zip(&theta).zip(&logarithms) {
        match log {
            true => new.push(name.replacen(LOGARITHM, "", 1), t.exp(), Group::Positive),
            false => new.push(name.clone(), *t, Group::Number(1.0)),
        }
    }
    if let AnyStateSpace::DiagonalLinear(_) = model {
        return Ok(Subject {
            parametrisation: new,
            evidence: Box::new(|model| {
                let each = sequences.iter().map(|s| {
                    let mut filter = crate::AnyFilter::new(model.clone(), "reversed")?;
                    for row in s.iter() {
                        crate::Filter::update(&mut filter, row)?;
                    }
                    Ok::<f64, Error>(crate::Filter::elbo(&filter))
                });
                each.sum()
            }),
            described: EXACT,
        });
    }
    if model.dim() != 1 {
        return Err(unsupported(
            format!("a nonlinear model of {} dimensions", model.dim()),
            "its evidence is a bound, whose curvature is no information; those of one dimension have an exact one",
        ));
    }
    let reach = reach(model, sequences)?;
    Ok(Subject {
        parametrisation: new,
        evidence: Box::new(move |model| match model {
            AnyModel::Nonlinear(model) => on_grid(model, &reach, sequences),
            _ => Ok(f64::NAN),
        }),
        described: "exact on a grid",
    })
}

/// Where the states are, and nodes that are close enough.
struct Reach {
    low: f64,
    high: f64,
    points: usize,
}

fn reach(model: &AnyStateSpace, sequences: &[Sequence]) -> Result<Reach> {
    /// Standard deviations beyond the beliefs, nodes to the narrowest one, and the most nodes.
    const BEYOND: f64 = 8.0;
    const EACH: f64 = 6.0;
    const MOST: f64 = 4001.0;
    /// In nats: what may change when the grid is made wider.
    const SETTLED: f64 = 1e-6;
    let first = model.initial_covariance()[0].sqrt();
    let (mut low, mut high) = (
        model.initial_mean()[0] - BEYOND * first,
        model.initial_mean()[0] + BEYOND * first,
    );
    let mut narrow = first.min(model.noise()[0].sqrt());
    for sequence in sequences {
        let smoothed = AnyModel::Nonlinear(model.clone()).smooth(sequence)?;
        for t in 0..smoothed.len() {
            let Some(belief) = smoothed.belief(t).and_then(crate::Belief::gaussian) else {
                continue;
            };
            let deviation = belief.covariance[0].max(0.0).sqrt();
            low = low.min(belief.mean[0] - BEYOND * deviation);
            high = high.max(belief.mean[0] + BEYOND * deviation);
            narrow = narrow.min(deviation);
        }
    }
    let points = |low: f64, high: f64| (EACH * (high - low) / narrow).ceil().max(101.0);
    if points(low, high) > MOST {
        return Err(unsupported(
            "this nonlinear model".to_owned(),
            "its beliefs are too narrow beside the range of its states for an exact evidence on a grid",
        ));
    }
    // Beliefs may have missed a mode: wider, until that changes nothing.
    let mut last: Option<f64> = None;
    loop {
        let reach = Reach {
            low,
            high,
            points: points(low, high) as usize,
        };
        let total = on_grid(model, &reach, sequences)?;
        let more = 0.5 * (high - low);
        let wider = (low - more, high + more);
        let settled = last.is_some_and(|before| (total - before).abs() < SETTLED);
        if settled || points(wider.0, wider.1) > MOST {
            return Ok(reach);
        }
        last = Some(total);
        (low, high) = wider;
    }
}

/// ln p of all sequences by sums over a grid.
fn on_grid(model: &AnyStateSpace, reach: &Reach, sequences: &[Sequence]) -> Result<f64> {
    let grid = Grid::new(model, reach.low, reach.high, reach.points)?;
    let each = sequences.iter().map(|s| {
        let exact = grid.filter(model, s)?;
        Ok::<f64, Error>(exact.log_evidence.last().copied().unwrap_or(0.0))
    });
    each.sum()
}
