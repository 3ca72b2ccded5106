//! Where a search begins.

use rand::RngExt;
use rand_distr::StandardNormal;

use super::arma_starts::arma_starts;
use super::data::Data;
use super::model::StructuralModel;
use super::parameter::{Kind, to_values};

/// Random variances lie between these powers of ten of the unit variance.
const LEAST: f64 = -5.0;
const MOST: f64 = 0.3;

/// Cycles that a search begins with beside the others: so many frequencies, evenly from 0 to half a turn an observation.
const CYCLES: usize = 8;

/// Values of all parameters for each start: the first from the data's spread, or the values that the model gives; of a model with
/// a cycle of free period the same at periods over their whole range, short ones too; of one with an ARMA process the same with roots
/// at all frequencies; the others are random.
pub(super) fn starts(
    model: &StructuralModel,
    data: &Data<'_>,
    count: usize,
    rng: &mut impl RngExt,
) -> Vec<Vec<f64>> {
    let first = first(model, data);
    let mut all = vec![first.clone()];
    for (i, parameter) in model.parameters().iter().enumerate() {
        let given = model.fixed().contains_key(&parameter.name);
        if parameter.kind == Kind::Period && !given && count > 1 {
            // In the middle of eight parts: periods from 2.1 to 32.
            let frequency = |j: usize| 0.5 * (j as f64 + 0.5) / CYCLES as f64;
            all.extend((0..CYCLES).map(|j| {
                let mut values = first.clone();
                values[i] = 1.0 / frequency(j);
                values
            }));
        }
    }
    if count > 1 {
        all.extend(arma_starts(model, &first));
    }
    all.extend((1..count).map(|_| random(model, data, rng)));
    all
}

fn first(model: &StructuralModel, data: &Data<'_>) -> Vec<f64> {
    let parameters = model.parameters();
    let default = |kind: Kind, name: &str, unit: f64| match kind {
        // A slope moves less than the level that it adds up in, a season less than noise.
        Kind::Variance => {
            let share = match name.split(':').next() {
                Some("irregular") => 0.3,
                Some("slope") => 1e-3,
                Some("seasonal" | "trigonometric") => 1e-2,
                _ => 0.1,
            };
            share * unit
        }
        Kind::Period => (data.longest as f64 / 5.0).clamp(3.0, 20.0),
        Kind::Damping => 0.8,
        Kind::Ar { at: 0, order: 1 } => 0.5,
        Kind::Ar { .. } | Kind::Ma { .. } => 0.0,
    };
    let value = |name: &str, kind, unit| {
        let given = model.fixed().get(name).copied().or(model.value_of(name));
        given
            .filter(|&v| kind != Kind::Variance || v > 0.0 || model.fixed().contains_key(name))
            .unwrap_or_else(|| default(kind, name, unit))
    };
    let with_units = parameters.iter().zip(&data.units);
    let mut values: Vec<f64> = with_units
        .map(|(p, unit)| value(&p.name, p.kind, *unit))
        .collect();
    join(model, &mut values);
    values
}

fn random(model: &StructuralModel, data: &Data<'_>, rng: &mut impl RngExt) -> Vec<f64> {
    let parameters = model.parameters();
    let mut values = Vec::with_capacity(parameters.len());
    for (parameter, unit) in parameters.iter().zip(&data.units) {
        let own = match parameter.kind {
            Kind::Variance => {
                let power = LEAST + (MOST - LEAST) * rng.random::<f64>();
                vec![unit * 10f64.powf(power)]
            }
            // Periods from 2 to half the series, evenly in their logarithm.
            Kind::Period => {
                let most = (data.longest as f64 / 2.0).max(4.0);
                vec![2.0 * (most / 2.0).powf(0.01 + 0.99 * rng.random::<f64>())]
            }
            // From 0.5 to 0.9995, evenly in the logarithm of what is lost.
            Kind::Damping => vec![1.0 - 0.5 * 10f64.powf(-3.0 * rng.random::<f64>())],
            Kind::Ar { at: 0, order } | Kind::Ma { at: 0, order } => {
                let normal = |_| 0.7 * rng.sample::<f64, _>(StandardNormal);
                let u: Vec<f64> = (0..order).map(normal).collect();
                to_values(parameter.kind, 1.0, &u)
            }
            Kind::Ar { .. } | Kind::Ma { .. } => continue,
        };
        values.extend(own);
    }
    for (value, parameter) in values.iter_mut().zip(&parameters) {
        if let Some(fixed) = model.fixed().get(&parameter.name) {
            *value = *fixed;
        }
    }
    join(model, &mut values);
    values
}

/// Gives tied variances one value.
fn join(model: &StructuralModel, values: &mut [f64]) {
    let names = model.parameter_names();
    for set in model.tied() {
        let places: Vec<usize> = (0..names.len())
            .filter(|&i| set.contains(&names[i]))
            .collect();
        let Some(&first) = places.first() else {
            continue;
        };
        for &i in &places {
            values[i] = values[first];
        }
    }
}
