//! The parameters of each kind of model, and its exact evidence.

use nalgebra::{DMatrix, DVector};

use super::discrete::{driven_hmm, hmm};
use super::parametrisation::{Group, Parametrisation};
use super::{Subject, unsupported};
use crate::any_model::AnyModel;
use crate::gaussian::{DrivenGaussian, LinearGaussian};
use crate::math::square::symmetric_of_lower;
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
            parametrisation: linear(model),
            evidence: Box::new(|model| match model {
                AnyModel::LinearGaussian(model) => {
                    sequences.iter().map(|s| model.log_evidence(s)).sum()
                }
                _ => Ok(f64::NAN),
            }),
            described: EXACT,
        }),
        AnyModel::Driven(model) => Ok(Subject {
            parametrisation: driven(model),
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
            Ok(Some(linear_count(self, all.coordinates().len())))
        };
        match self {
            Self::LinearGaussian(model) => of_linear(linear(model)),
            Self::Driven(model) => of_linear(driven(model)),
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

/// The free parameters of a model of which `left` of `all` coordinates are not held by name.
pub(super) fn count(model: &AnyModel, all: usize, left: usize) -> usize {
    match model {
        AnyModel::LinearGaussian(_) | AnyModel::Driven(_) => linear_count(model, left),
        other => {
            let free = other.free_parameters(&[]).ok().flatten();
            free.unwrap_or(all).saturating_sub(all - left)
        }
    }
}

/// Of so many free entries of a linear-Gaussian model, those that observations can tell, and its diffuse states: the start of each is
/// chosen by the data.
fn linear_count(model: &AnyModel, entries: usize) -> usize {
    let diffuse = |base: &LinearGaussian| base.diffuse().iter().filter(|marked| **marked).count();
    let nonzero = |m: &DMatrix<f64>| m.iter().filter(|v| **v != 0.0).count();
    match model {
        AnyModel::LinearGaussian(base) => entries.min(base.free_parameters()) + diffuse(base),
        AnyModel::Driven(model) => {
            let effects = nonzero(model.control()) + nonzero(model.direct());
            let most = model.base().free_parameters() + effects;
            entries.min(most) + diffuse(model.base())
        }
        _ => entries,
    }
}

/// Those of the model without inputs, B and D; an entry that is 0 is structure.
fn driven(model: &DrivenGaussian) -> Parametrisation {
    let base = linear(model.base());
    let (own, count) = (model.clone(), base.values.len());
    let mut new = Parametrisation::new(|_| Err(Error::setting("parameters", "none", "a model")));
    new.extend(&base);
    if model.is_continuous() {
        for name in &mut new.names {
            *name = name.replacen("transition", "drift", 1);
            *name = name.replacen("process_noise", "diffusion", 1);
        }
    }
    let build = base.build;
    new.build = Box::new(move |p| {
        let (base, rest) = p.split_at(count);
        let AnyModel::LinearGaussian(base) = build(base)? else {
            return Err(Error::setting("model", "another kind", "linear-gaussian"));
        };
        let (b, d) = (own.control(), own.direct());
        let (control, direct) = rest.split_at(b.len());
        let of = |m: &DMatrix<f64>, entries| DMatrix::from_row_slice(m.nrows(), m.ncols(), entries);
        let built = own.with_numbers(base, of(b, control), of(d, direct));
        Ok(AnyModel::Driven(Box::new(built)))
    });
    for (key, m) in [("control", model.control()), ("direct", model.direct())] {
        for i in 0..m.nrows() {
            for j in 0..m.ncols() {
                let v = m[(i, j)];
                let group = match v == 0.0 {
                    true => Group::Held,
                    false => Group::Number(v.abs()),
                };
                new.push(format!("{key}[{},{}]", i + 1, j + 1), v, group);
            }
        }
    }
    new
}

/// The symmetric matrix of a lower triangle, row after row.
fn lower(n: usize, triangle: &[f64]) -> DMatrix<f64> {
    DMatrix::from_row_slice(n, n, &symmetric_of_lower(n, triangle))
}

fn linear(model: &LinearGaussian) -> Parametrisation {
    let (n, m) = (model.states(), model.width());
    let (m0, p0) = (
        model.initial_mean().clone(),
        model.initial_covariance().clone(),
    );
    let (h, diffuse) = (model.observation().clone(), model.diffuse().to_vec());
    let own = model.clone();
    let mut new = Parametrisation::new(move |p| {
        let mut rest = p;
        let mut take = |count: usize| {
            let (taken, left) = rest.split_at(count);
            rest = left;
            taken
        };
        let f = DMatrix::from_row_slice(n, n, take(n * n));
        let b = DVector::from_column_slice(take(n));
        let q = lower(n, take(n * (n + 1) / 2));
        let d = DVector::from_column_slice(take(m));
        let r = lower(m, take(m * (m + 1) / 2));
        let model = LinearGaussian::new(f, q, h.clone(), r)?
            .with_bias(b, d)?
            .with_initial(m0.clone(), p0.clone())?
            .started_as(&own)?;
        let model = match diffuse.is_empty() {
            true => model,
            false => model.with_diffuse(&diffuse)?,
        };
        Ok(AnyModel::LinearGaussian(model))
    });
    // The spread of a state, and of an observation, by the variances of the model.
    let (q, r) = (model.process_noise(), model.observation_noise());
    let spread = |i: usize| (q[(i, i)] + model.initial_covariance()[(i, i)]).sqrt();
    let structure = |v: f64| v == 0.0 || v == 1.0;
    let number = |v: f64, unit: f64, held: bool| match held {
        true => Group::Held,
        false => Group::Number(unit.max(f64::EPSILON * v.abs())),
    };
    let named: Vec<String> = match model.state_names() {
        [] => numbered(n),
        names => names.to_vec(),
    };
    for i in 0..n {
        for j in 0..n {
            let v = model.transition()[(i, j)];
            let name = format!("transition[{},{}]", named[i], named[j]);
            new.push(name, v, number(v, v.abs(), structure(v)));
        }
    }
    for (name, (i, v)) in named.iter().zip(model.bias().iter().enumerate()) {
        let held = *v == 0.0;
        new.push(format!("bias[{name}]"), *v, number(*v, spread(i), held));
    }
    covariance(&mut new, "process_noise", &named, q);
    for (i, v) in model.offset().iter().enumerate() {
        let name = format!("offset[{}]", i + 1);
        new.push(name, *v, number(*v, r[(i, i)].sqrt(), *v == 0.0));
    }
    covariance(&mut new, "observation_noise", &numbered(m), r);
    new
}

/// 1, 2, … n: what entries without names are called.
fn numbered(n: usize) -> Vec<String> {
    (1..=n).map(|i| i.to_string()).collect()
}

/// The lower triangle of a covariance: zeros are held.
fn covariance(new: &mut Parametrisation, key: &str, names: &[String], c: &DMatrix<f64>) {
    for i in 0..c.nrows() {
        for j in 0..=i {
            let v = c[(i, j)];
            let group = match (v == 0.0, i == j) {
                (true, _) => Group::Held,
                (false, true) => Group::Positive,
                (false, false) => Group::Number((c[(i, i)] * c[(j, j)]).sqrt()),
            };
            new.push(format!("{key}[{},{}]", names[i], names[j]), v, group);
        }
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
