//! The backward kernel of one step, and the pair marginals that it gives.

/// Below this a prediction is divided by, not multiplied with its reciprocal, which would be infinite.
const SMALLEST_DIVISOR: f64 = 1e-300;

/// b_t `[K, K]` from q_{t−1}, A and pred_t = q_{t−1} A (equations (OPT)):
///
/// ```text
/// b[j][i] = p(s_{t−1} = i | s_t = j, o_<t) = q_{t−1}[i] A[i][j] / pred_t[j],   0 where pred_t[j] = 0
/// ```
pub(crate) fn kernel(before: &[f64], transition: &[f64], predicted: &[f64], into: &mut [f64]) {
    let k = before.len();
    for (j, (row, &p)) in into.chunks_exact_mut(k).zip(predicted).enumerate() {
        let joint = before.iter().zip(transition.iter().skip(j).step_by(k));
        let joint = row.iter_mut().zip(joint.map(|(q, a)| q * a));
        if p >= SMALLEST_DIVISOR {
            let scale = 1.0 / p;
            joint.for_each(|(b, u)| *b = u * scale);
        } else if p > 0.0 {
            joint.for_each(|(b, u)| *b = u / p);
        } else {
            row.fill(0.0);
        }
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
