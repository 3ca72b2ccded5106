//! Where a search of an ARMA process begins: one local optimum of its likelihood lies near almost every place where a factor of the
//! autoregression nearly cancels one of the moving average.

use std::f64::consts::PI;

use super::component::Component;
use super::model::StructuralModel;

/// Frequencies of pairs of roots: so many, evenly from 0 to half a turn an observation.
const FREQUENCIES: usize = 8;
/// The sizes of the roots of the autoregression and of the moving average: a process with a peak at its frequency, and one with a
/// dip. From these the fits of thirteen processes of orders up to (4, 3) ended no lower than SARIMAX of statsmodels from random starts.
const SIZES: [(f64, f64); 2] = [(0.9, 0.5), (0.8, 0.9)];

/// `first` with polynomials of one factor each: a root or, of orders of 2 and more, a pair of roots in common places. Of each ARMA
/// process whose coefficients are free; a pure autoregression needs none.
pub(super) fn arma_starts(model: &StructuralModel, first: &[f64]) -> Vec<Vec<f64>> {
    let names = model.parameter_names();
    let mut all = Vec::new();
    let mut at = 1;
    for component in model.components() {
        let count = component.parameters("").len();
        if let Component::Arma { ar, ma: ma @ 1.. } = *component {
            let coefficients = at + 1..at + 1 + ar + ma;
            if !coefficients
                .clone()
                .any(|i| model.fixed().contains_key(&names[i]))
            {
                all.extend(factors(ar, ma).into_iter().map(|own| {
                    let mut values = first.to_vec();
                    values[coefficients.clone()].copy_from_slice(&own);
                    values
                }));
            }
        }
        // Those of a regression have the names of inputs, and stand where they stand among all.
        at += match component {
            Component::Regression {
                walks: true,
                inputs,
            } => *inputs,
            _ => count,
        };
    }
    all
}

/// The coefficients φ_1 … φ_p, θ_1 … θ_q of each start.
fn factors(ar: usize, ma: usize) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    for (of_ar, of_ma) in SIZES {
        for side in [1.0, -1.0] {
            let mut own = coefficients(ar, &[side * of_ar]);
            own.extend(coefficients(ma, &[-side * of_ma]));
            all.push(own);
        }
        if ar.max(ma) < 2 {
            continue;
        }
        for j in 0..FREQUENCIES {
            let turn = PI * (j as f64 + 0.5) / FREQUENCIES as f64;
            let pair = |size: f64| [2.0 * size * turn.cos(), -size * size];
            let mut own = coefficients(ar, &pair(of_ar));
            own.extend(coefficients(ma, &pair(of_ma).map(|c| -c)));
            all.push(own);
        }
    }
    all
}

/// The first coefficients of a polynomial of this order, if it has so many, and zeros.
fn coefficients(order: usize, leading: &[f64]) -> Vec<f64> {
    let mut all = vec![0.0; order];
    if leading.len() <= order {
        all[..leading.len()].copy_from_slice(leading);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_is_stationary_and_invertible_and_few_orders_have_few() {
        for (ar, ma, count) in [(1, 1, 4), (0, 2, 20), (3, 3, 20), (2, 1, 20), (3, 0, 0)] {
            let name = if ma == 0 {
                format!("ar:{ar}")
            } else {
                format!("arma:{ar}:{ma}")
            };
            let model = StructuralModel::new(&format!("level,{name}")).unwrap();
            let first = vec![1.0; model.parameter_names().len()];
            let starts = arma_starts(&model, &first);
            assert_eq!(starts.len(), count, "{name}");
            for values in starts {
                let (phi, theta) = values[3..].split_at(ar);
                let theta: Vec<f64> = theta.iter().map(|v| -v).collect();
                for polynomial in [phi, &theta] {
                    assert!(super::super::stationary::partials(polynomial).is_some());
                }
            }
        }
    }
}
