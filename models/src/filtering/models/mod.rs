//! Built-in models.

mod ar1_poisson;
mod linear;
mod neural;

pub use ar1_poisson::Ar1Poisson;
pub use linear::Linear;
pub use neural::NeuralTransition;

use burn::tensor::Tensor;
use scotopic::filtering::{Error, Result};

/// Whether every one of the numbers is finite in single precision, and positive where it has to be.
fn check(name: &str, values: &[f64], positive: bool) -> Result<()> {
    let fits = |v: f64| (v as f32).is_finite() && (!positive || (v as f32) > 0.0);
    match values.iter().position(|&v| !fits(v)) {
        None => Ok(()),
        Some(at) => Err(Error::Entry {
            name: name.to_string(),
            at: vec![at],
            found: values[at].to_string(),
            expected: match positive {
                true => "a positive number".to_string(),
                false => "a finite number".to_string(),
            },
        }),
    }
}

fn size(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Size {
        name: name.to_string(),
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

/// ½ ln of a variance.
fn half(log_variance: Tensor<2>) -> Tensor<2> {
    log_variance * 0.5
}

/// Names of the entries of a matrix, row by row.
fn entries(name: &str, [rows, columns]: [usize; 2]) -> impl Iterator<Item = String> {
    (0..rows * columns).map(move |k| format!("{name}[{}][{}]", k / columns, k % columns))
}

/// Names of the entries of a vector.
fn coordinates(name: &str, n: usize) -> impl Iterator<Item = String> {
    (0..n).map(move |k| format!("{name}[{k}]"))
}
