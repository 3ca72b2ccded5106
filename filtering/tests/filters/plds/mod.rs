//! Poisson and Bernoulli linear dynamical systems: against quadrature, an optimiser and Laplace-EM (tests/golden/plds.py),
//! importance sampling, and simulated populations.

mod bound;
mod golden;
mod learning;
mod rows;

use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::plds::{CountLaw, Plds};

/// Two latents that turn about each other at `turn` a bin, with memory of 1/(1 − 0.98), seen by `neurons` neurons.
fn population(law: CountLaw, neurons: usize, turn: f64) -> Plds {
    let decay = 0.98;
    let (sin, cos) = (decay * turn.sin(), decay * turn.cos());
    let f = DMatrix::from_row_slice(2, 2, &[cos, -sin, sin, cos]);
    let q = DMatrix::identity(2, 2) * (1.0 - decay * decay);
    let c = DMatrix::from_fn(neurons, 2, |i, a| {
        0.9 * (1.3 * i as f64 + 2.1 * a as f64).sin()
    });
    let d = DVector::from_fn(neurons, |i, _| -0.4 + 0.5 * (0.7 * i as f64).cos());
    Plds::new(law, f, q, c, d).unwrap()
}

/// The sine of the largest angle between the spaces that the columns span.
fn largest_angle(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let basis = |m: &DMatrix<f64>| m.clone().qr().q();
    let overlap = basis(a).transpose() * basis(b);
    let least = overlap.svd(false, false).singular_values.min();
    (1.0 - least * least).max(0.0).sqrt()
}
