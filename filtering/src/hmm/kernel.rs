//! The backward kernel of one step, and the pair marginals that it gives.

use crate::simd_dispatch;

/// Below this a prediction is divided by, not multiplied with its reciprocal, which would be infinite.
const SMALLEST_DIVISOR: f64 = 1e-300;

#[inline(always)]
fn kernel_body(before: &[f64], transposed: &[f64], predicted: &[f64], into: &mut [f64]) {
    let k = before.len();
    let rows = transposed.chunks_exact(k).zip(into.chunks_exact_mut(k));
    for ((column, row), &p) in rows.zip(predicted) {
        for ((b, q), a) in row.iter_mut().zip(before).zip(column) {
            *b = q * a;
        }
        normalise(p, row);
    }
}

/// One row of a kernel: the joint probabilities with state j divided by pred[j].
#[inline(always)]
fn normalise(predicted: f64, row: &mut [f64]) {
    if predicted >= SMALLEST_DIVISOR {
        let scale = 1.0 / predicted;
        row.iter_mut().for_each(|b| *b *= scale);
    } else if predicted > 0.0 {
        row.iter_mut().for_each(|b| *b /= predicted);
    } else {
        row.fill(0.0);
    }
}

simd_dispatch! {
    /// b_t `[K, K]` from q_{t−1} (`before`), Aᵀ and pred_t = q_{t−1} A (eq. F15):
    ///
    /// ```text
    /// b[j][i] = p(s_{t−1} = i | s_t = j, o_<t) = q_{t−1}[i] A[i][j] / pred_t[j],   0 where pred_t[j] = 0
    /// ```
    pub(crate) fn kernel_of_transposed(
        before: &[f64],
        transposed: &[f64],
        predicted: &[f64],
        into: &mut [f64],
    ) = kernel_body;
}

/// b_t as [`kernel_of_transposed`] has it, from A itself.
pub(crate) fn kernel(before: &[f64], transition: &[f64], predicted: &[f64], into: &mut [f64]) {
    let k = before.len();
    for (i, (q, row)) in before.iter().zip(transition.chunks_exact(k)).enumerate() {
        for (a, b) in row.iter().zip(into.iter_mut().skip(i).step_by(k)) {
            *b = q * a;
        }
    }
    for (row, &p) in into.chunks_exact_mut(k).zip(predicted) {
        normalise(p, row);
    }
}

/// ξ_t `[K, K]` from q_t, A, pred_{t+1} and γ_{t+1} (`after`), as b_{t+1}[j][i] γ_{t+1}[j]: every factor is
/// at most 1, so that nothing overflows however unlikely a transition was.
///
/// ```text
/// ξ[i][j] = p(s_t = i, s_{t+1} = j | o_1…o_T)
/// ```
pub(crate) fn pairwise(
    belief: &[f64],
    transition: &[f64],
    predicted: &[f64],
    after: &[f64],
    into: &mut [f64],
) {
    let k = belief.len();
    let rows = into.chunks_exact_mut(k).zip(transition.chunks_exact(k));
    for ((row, transition), q) in rows.zip(belief) {
        for (j, (xi, a)) in row.iter_mut().zip(transition).enumerate() {
            let p = predicted[j];
            *xi = if p > 0.0 { q * a / p * after[j] } else { 0.0 };
        }
    }
}
