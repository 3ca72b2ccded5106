//! The parameters of linear-Gaussian models, and which of their covariances are at a boundary.

use nalgebra::{DMatrix, DVector};

use super::parametrisation::{Group, LEAST, Parametrisation};
use crate::any_model::AnyModel;
use crate::gaussian::{DrivenGaussian, LinearGaussian};
use crate::math::square::symmetric_of_lower;
use crate::{Error, Result};

/// An entry takes part in a direction with at least this part of its largest weight, each in its own deviation.
const TAKES_PART: f64 = 1e-3;
/// So many nats are none: no interval tells them.
const NOTHING: f64 = 1e-6;
/// How much more noise is looked at in one step, and so many steps: from the least number to one that data can have.
const MORE: f64 = 1e8;
const TRIES: i32 = 30;

/// Those of the model without inputs, B and D; an entry that is 0 is structure.
pub(super) fn driven(model: &DrivenGaussian, absent: &[bool]) -> Parametrisation {
    let base = linear(model.base(), absent);
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

/// The entries of the model; the noise of the states `absent` is at its boundary, 0.
pub(super) fn linear(model: &LinearGaussian, absent: &[bool]) -> Parametrisation {
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
    covariance(&mut new, "process_noise", &named, q, absent);
    for (i, v) in model.offset().iter().enumerate() {
        let name = format!("offset[{}]", i + 1);
        new.push(name, *v, number(*v, r[(i, i)].sqrt(), *v == 0.0));
    }
    covariance(&mut new, "observation_noise", &numbered(m), r, &[]);
    new
}

/// 1, 2, … n: what entries without names are called.
fn numbered(n: usize) -> Vec<String> {
    (1..=n).map(|i| i.to_string()).collect()
}

/// The lower triangle of a covariance: zeros are held. Entries of `absent` noise, and those that a direction without variance ties to one
/// another, are at the boundary: hardly any of them can be another number by itself.
fn covariance(
    new: &mut Parametrisation,
    key: &str,
    names: &[String],
    c: &DMatrix<f64>,
    absent: &[bool],
) {
    let mut tied = in_singular_directions(c);
    tied.iter_mut().zip(absent).for_each(|(t, a)| *t |= a);
    for i in 0..c.nrows() {
        for j in 0..=i {
            let v = c[(i, j)];
            let group = match (v == 0.0, i == j) {
                (true, _) => Group::Held,
                _ if tied[i] || tied[j] => Group::Boundary,
                (false, true) => Group::Positive,
                (false, false) => Group::Number((c[(i, i)] * c[(j, j)]).sqrt()),
            };
            new.push(format!("{key}[{},{}]", names[i], names[j]), v, group);
        }
    }
}

/// Whether each entry takes part in a direction of which a covariance has no variance: less than [`LEAST`] of the most of any, each
/// entry in its own deviation, whatever its unit is. An entry of variance 0 is structure, and takes part in none.
fn in_singular_directions(c: &DMatrix<f64>) -> Vec<bool> {
    let n = c.nrows();
    let deviation: Vec<f64> = c.diagonal().iter().map(|v| v.sqrt()).collect();
    let correlation = DMatrix::from_fn(n, n, |i, j| match deviation[i] * deviation[j] > 0.0 {
        true => c[(i, j)] / deviation[i] / deviation[j],
        false if i == j => 1.0,
        false => 0.0,
    });
    let eigen = correlation.symmetric_eigen();
    let largest = eigen.eigenvalues.amax();
    let mut part = vec![false; n];
    for (k, value) in eigen.eigenvalues.iter().enumerate() {
        if *value < LEAST * largest {
            let weights = eigen.eigenvectors.column(k);
            let enough = TAKES_PART * weights.amax();
            for (i, w) in weights.iter().enumerate() {
                part[i] |= w.abs() >= enough;
            }
        }
    }
    part
}

/// Which states have noise that is not 0 and as good as none, by ln p of a model, `evidence`: it is the same to NOTHING without that of
/// the state, and another with many times as much.
pub(super) fn absent_noise(
    model: &LinearGaussian,
    evidence: impl Fn(LinearGaussian) -> Result<f64>,
) -> Vec<bool> {
    let q = model.process_noise();
    let Ok(before) = evidence(model.clone()) else {
        return Vec::new();
    };
    let moves = |i: usize, variance: f64| {
        let mut other = q.clone();
        other.row_mut(i).fill(0.0);
        other.column_mut(i).fill(0.0);
        other[(i, i)] = variance;
        let (f, b) = (model.transition().clone(), model.bias().clone());
        let after = evidence(model.with_dynamics(f, b, other)).ok()?;
        Some((after - before).abs() > NOTHING)
    };
    let grown = |i: usize| {
        let sizes = (1..=TRIES).map(|k| q[(i, i)] * MORE.powi(k));
        let sizes = sizes.take_while(|size| size.is_finite());
        sizes
            .map(|size| moves(i, size))
            .any(|moved| moved == Some(true))
    };
    let absent = |i: usize| q[(i, i)] > 0.0 && moves(i, 0.0) == Some(false) && grown(i);
    (0..model.states()).map(absent).collect()
}
