//! Sums in log space.

/// ln Σ_k e^{v_k}, without overflow; −∞ for no entry or where all are −∞.
///
/// ```
/// use scotopic_filtering::log_sum_exp;
/// assert!((log_sum_exp(&[-1e4, -1e4]) - (-1e4 + 2f64.ln())).abs() < 1e-9);
/// assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
/// ```
pub fn log_sum_exp(values: &[f64]) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return top;
    }
    top + values.iter().map(|v| (v - top).exp()).sum::<f64>().ln()
}

/// Turns log-weights into the distribution p_k = e^{v_k}/Σ_l e^{v_l} in place and returns ln Σ_k e^{v_k}.
///
/// Where all weights are −∞ there is no distribution: the entries become 0 and −∞ is returned.
///
/// ```
/// let mut v = [2f64.ln(), 6f64.ln()];
/// let total = scotopic_filtering::softmax(&mut v);
/// assert!((v[0] - 0.25).abs() < 1e-15 && (total - 8f64.ln()).abs() < 1e-15);
/// ```
pub fn softmax(values: &mut [f64]) -> f64 {
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        values.fill(0.0);
        return top;
    }
    let mut total = 0.0;
    for v in values.iter_mut() {
        *v = (*v - top).exp();
        total += *v;
    }
    values.iter_mut().for_each(|v| *v /= total);
    top + total.ln()
}

/// The entropy −Σ_k p_k ln p_k of a distribution, in nats; 0 ln 0 = 0.
///
/// ```
/// assert!((scotopic_filtering::entropy(&[0.5, 0.5, 0.0]) - 2f64.ln()).abs() < 1e-15);
/// ```
pub fn entropy(p: &[f64]) -> f64 {
    -p.iter()
        .filter(|&&p| p > 0.0)
        .map(|&p| p * p.ln())
        .sum::<f64>()
}
