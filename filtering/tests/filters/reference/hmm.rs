//! The model and the observations of an `hmm_*` recording.

use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    AnyEmission, Categorical, DiagonalGaussian, FullGaussian, Hmm, Poisson,
};

use super::Recording;

/// The emissions that recordings are read of.
pub const KINDS: [&str; 4] = ["categorical", "poisson", "gaussian_diag", "gaussian_full"];

/// The model whose parts are below `path` (`A`, `emission`, and `pi` there or in `params`).
pub fn model(r: &Recording, path: &str) -> Hmm {
    let pi = if r.has(&format!("{path}.pi")) {
        r.numbers(&format!("{path}.pi"))
    } else {
        r.numbers("params.pi")
    };
    let emission = emission(r, &format!("{path}.emission"));
    Hmm::from_flat(pi, r.numbers(&format!("{path}.A")), emission)
        .unwrap_or_else(|e| panic!("{}: {e}", r.name))
}

/// The emission whose parameters are below `path`.
pub fn emission(r: &Recording, path: &str) -> AnyEmission {
    let k = r.size("K");
    let part = |name: &str| r.numbers(&format!("{path}.{name}"));
    match r.text("kind") {
        "categorical" => Categorical::from_flat(k, part("B")).map(Into::into),
        "poisson" => Poisson::from_flat(k, part("rate")).map(Into::into),
        "gaussian_diag" => {
            DiagonalGaussian::from_flat(k, part("mean"), part("var")).map(Into::into)
        }
        "gaussian_full" => FullGaussian::from_flat(k, part("mean"), part("cov")).map(Into::into),
        other => panic!("{}: unknown kind {other}", r.name),
    }
    .unwrap_or_else(|e| panic!("{}: {e}", r.name))
}

/// The observations, with the gaps.
pub fn observations(r: &Recording) -> Sequence {
    let rows = r.rows("obs");
    let missing = r.numbers("missing");
    let mut sequence = Sequence::new(rows[0].len()).unwrap();
    for (t, row) in rows.iter().enumerate() {
        let seen = !missing.contains(&(t as f64));
        sequence.push(seen.then_some(&row[..])).unwrap();
    }
    sequence
}
