//! Probabilities as squares: coordinates in which a probability of zero is a place like any other.
//!
//! ```text
//! p_i = u_i² / S,   S = Σ_l u_l²,   u = √p + z        ∂L/∂u_i = (2/u_i) ∂L/∂a_i  for logits a
//! ```
//!
//! The Fisher information of n draws is 4n/S for each u_i, whatever p; of a logit it is n p_i, which is lost as p goes to zero,
//! where half of the parameters of a good fit are. An ascent in u gets there in a few steps.

/// Rows p(z) of rows p `[·, columns]`.
pub(super) fn displaced(probabilities: &[f64], z: &[f64], columns: usize) -> Vec<f64> {
    let mut new = probabilities.to_vec();
    for (row, z) in new.chunks_exact_mut(columns).zip(z.chunks_exact(columns)) {
        for (p, z) in row.iter_mut().zip(z) {
            if *p > 0.0 {
                *p = (p.sqrt() + z).powi(2);
            }
        }
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= total);
    }
    new
}

/// ∂L/∂z at z about p, in place of ∂L/∂(logits).
pub(super) fn from_logits(probabilities: &[f64], z: &[f64], gradient: &mut [f64]) {
    for ((g, p), z) in gradient.iter_mut().zip(probabilities).zip(z) {
        let u = p.sqrt() + z;
        *g = if *p > 0.0 && u != 0.0 {
            2.0 * *g / u
        } else {
            0.0
        };
    }
}
