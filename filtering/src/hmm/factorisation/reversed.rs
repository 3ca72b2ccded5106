//! Free backward kernels: the optimum of every step given the past is the exact posterior.

use super::posterior::Posterior;
use crate::hmm::{Emission, Hmm};
use crate::{Result, Sequence};

/// Eq. F6 at every step: q_t is the exact filter, b_t[j][i] ∝ q_{t−1}[i] A[i][j], L_T the log evidence, and
/// the marginals of q_T ∏ b_t are those of the smoother.
pub(super) fn fit<E: Emission>(model: &Hmm<E>, sequence: &Sequence) -> Result<Posterior> {
    let filtered = model.filter(sequence)?;
    let k = model.states();
    let mut kernels = Vec::with_capacity((sequence.len() - 1) * k * k);
    for t in 1..filtered.len() {
        kernels.extend(filtered.kernel(t)?);
    }
    let last = filtered.belief(filtered.len() - 1)?;
    let trace = vec![filtered.log_evidence()];
    Ok(Posterior::reversed(last, kernels, trace))
}
