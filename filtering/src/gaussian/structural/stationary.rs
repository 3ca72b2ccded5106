//! Stationary autoregressions: coefficients by partial autocorrelations.

/// The coefficients φ of the autoregression with partial autocorrelations r_k in (−1, 1): φ_kk = r_k,
/// φ_kj = φ_{k−1,j} − r_k φ_{k−1,k−j} (J. Durbin, "The fitting of time-series models", 1960; J. F. Monahan, 1984).
pub(super) fn coefficients(partial: &[f64]) -> Vec<f64> {
    let mut phi: Vec<f64> = Vec::with_capacity(partial.len());
    for &r in partial {
        let before = phi.clone();
        let k = before.len();
        for j in 0..k {
            phi[j] -= r * before[k - 1 - j];
        }
        phi.push(r);
    }
    phi
}

/// ∂φ/∂r_`by`.
pub(super) fn derivative(partial: &[f64], by: usize) -> Vec<f64> {
    let (mut phi, mut slope): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (k, &r) in partial.iter().enumerate() {
        let (before, change) = (phi.clone(), slope.clone());
        let own = f64::from(u8::from(k == by));
        for j in 0..k {
            phi[j] -= r * before[k - 1 - j];
            slope[j] -= own * before[k - 1 - j] + r * change[k - 1 - j];
        }
        phi.push(r);
        slope.push(own);
    }
    slope
}

/// The partial autocorrelations of stationary coefficients; `None` where they are not stationary.
pub(super) fn partials(phi: &[f64]) -> Option<Vec<f64>> {
    let mut phi = phi.to_vec();
    let mut partial = vec![0.0; phi.len()];
    for k in (0..phi.len()).rev() {
        let r = phi[k];
        if r.is_nan() || r.abs() >= 1.0 {
            return None;
        }
        partial[k] = r;
        let after = phi.clone();
        for j in 0..k {
            phi[j] = (after[j] + r * after[k - 1 - j]) / (1.0 - r * r);
        }
    }
    Some(partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_autocorrelations_return() {
        let partial = [0.5, -0.9, 0.3, 0.99];
        let back = partials(&coefficients(&partial)).unwrap();
        assert!(back.iter().zip(partial).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(partials(&[0.5, 0.6]).is_none());
    }
}
