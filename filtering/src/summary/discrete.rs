//! The parameters of hidden Markov models.

use super::parametrisation::{Group, Parametrisation};
use super::unsupported;
use crate::any_model::AnyModel;
use crate::data_spread::deviations;
use crate::hmm::{DrivenHmm, Hmm, Learnable, ParameterGroup, entry_name};
use crate::{Error, Result, Sequence};

/// π, A and what the emission names.
pub(super) fn hmm(model: &Hmm) -> Result<Parametrisation> {
    let k = model.states();
    let groups = model.emission().parameter_groups();
    if groups.is_empty() {
        return Err(unsupported(
            "a hidden Markov model of this emission".to_owned(),
            "the emission does not name its parameters",
        ));
    }
    let emission = model.emission().clone();
    let mut new = Parametrisation::new(move |p| {
        let (initial, rest) = p.split_at(k);
        let (transition, rest) = rest.split_at(k * k);
        let emission = emission.with_parameters(rest)?;
        let model = Hmm::from_flat(initial.to_vec(), transition.to_vec(), emission)?;
        Ok(AnyModel::Hmm(model))
    });
    for (i, p) in model.initial().iter().enumerate() {
        new.push(format!("initial[{}]", i + 1), *p, Group::Held);
    }
    for (i, row) in model.transition().chunks_exact(k).enumerate() {
        new.push_simplex(row, |j| format!("transition[{},{}]", i + 1, j + 1));
    }
    for group in groups {
        match group {
            ParameterGroup::Number { name, value, unit } => {
                new.push(name, value, Group::Number(unit));
            }
            ParameterGroup::Positive { name, value } => new.push(name, value, Group::Positive),
            ParameterGroup::Limited { name, value, most } => new.push_limited(name, value, most),
            ParameterGroup::Probability { name, value } => {
                new.push(name, value, Group::probability(value));
            }
            ParameterGroup::Distribution { name, state, row } => {
                new.push_simplex(&row, |o| entry_name(name, state, o));
            }
        }
    }
    Ok(new)
}

/// Those of the model without inputs in its transitions, and w; a weight of what is impossible is held, and that of each row which the
/// others are told beside.
pub(super) fn driven_hmm(model: &DrivenHmm, sequences: &[Sequence]) -> Result<Parametrisation> {
    let inputs = model.driving(sequences)?;
    let deviations = deviations(&inputs);
    let model = model.measured(sequences)?;
    let base = hmm(model.base())?;
    let mut new = Parametrisation::new(|_| Err(Error::setting("parameters", "none", "a model")));
    new.extend(&base);
    let (own, count, build) = (model.clone(), base.values.len(), base.build);
    new.build = Box::new(move |p| {
        let (base, weights) = p.split_at(count);
        let AnyModel::Hmm(base) = build(base)? else {
            return Err(Error::setting("model", "another kind", "hmm"));
        };
        let built = own.clone().with_base(base);
        let built = built.with_flat_weights(weights.to_vec())?;
        Ok(AnyModel::DrivenHmm(Box::new(built)))
    });
    let (k, m, free) = (
        model.states(),
        deviations.len(),
        model.places_of_free_weights(),
    );
    for (at, w) in model.weights().iter().enumerate() {
        let (i, j, input) = (at / m / k + 1, at / m % k + 1, at % m);
        let group = match free.contains(&at) {
            true => Group::Number(w.abs().max(1.0 / deviations[input])),
            false => Group::Held,
        };
        new.push(
            format!("transition_weights[{i},{j},{}]", input + 1),
            *w,
            group,
        );
    }
    Ok(new)
}
