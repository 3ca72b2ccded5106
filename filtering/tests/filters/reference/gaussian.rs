//! The model, the observations and the matrices of an `lgssm_*` recording.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::nalgebra::{DMatrix, DVector};

use super::Recording;

/// The model whose parameters are below `path`.
pub fn model(r: &Recording, path: &str) -> LinearGaussian {
    let (n, m) = (r.size("n"), r.size("m"));
    let matrix = |name: &str, rows: usize, columns: usize| {
        DMatrix::from_row_slice(rows, columns, &r.numbers(&format!("{path}.{name}")))
    };
    let vector = |name: &str| DVector::from_vec(r.numbers(&format!("{path}.{name}")));
    LinearGaussian::new(
        matrix("F", n, n),
        matrix("Q", n, n),
        matrix("H", m, n),
        matrix("R", m, m),
    )
    .and_then(|model| model.with_bias(vector("b"), vector("d")))
    .and_then(|model| model.with_initial(vector("m0"), matrix("P0", n, n)))
    .unwrap_or_else(|e| panic!("{}: {e}", r.name))
}

/// The observations, with the gaps.
pub fn observations(r: &Recording) -> Sequence {
    let rows = r.rows("obs");
    let missing = r.numbers("missing");
    let mut sequence = Sequence::new(r.size("m")).unwrap();
    for (t, row) in rows.iter().enumerate() {
        let seen = !missing.contains(&(t as f64));
        sequence.push(seen.then_some(&row[..])).unwrap();
    }
    sequence
}

/// The entries of a matrix, row after row.
pub fn flat(m: &DMatrix<f64>) -> Vec<f64> {
    m.transpose().as_slice().to_vec()
}
