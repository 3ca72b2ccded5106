//! Least squares on whitened samples: variance-reduced means, and the polynomial part of T̂ and Ŝ.

use burn::tensor::Tensor;

use super::settings::AmortisedSettings;

/// Steps of conjugate gradients. The Gram matrix of the features is near 1: with four samples a coefficient its
/// eigenvalues lie within a factor of some 25 of each other, and each step leaves at most two thirds of the error.
const STEPS: usize = 32;
/// Added to the Gram matrix: too little to be seen, and enough to keep directions that the samples miss at zero.
const RIDGE: f64 = 1e-6;
/// Keeps 0/0 at 0 in single precision.
const NOTHING: f64 = 1e-30;

/// Targets `[M, d]` at samples (w, ε') of two independent white vectors, as
///
/// ```text
/// target = BᵀΦ(w) + CᵀΨ(w, ε') + left,   E[Φ] = (1, 0, …, 0),   E[Ψ|w] = 0.
/// ```
///
/// Φ has the polynomials in w up to the second degree, Ψ those that ε' is in. The first row of B is then the mean of
/// the target, and BᵀΦ its mean given w, without the sampling noise of any quadratic: in linear-Gaussian models,
/// without any.
#[derive(Debug, Clone)]
pub(super) struct Regression {
    /// B `[k, d]`.
    pub readout: Tensor<2>,
    /// `[M, d]`.
    pub left: Tensor<2>,
}

impl Regression {
    pub fn of(
        w: &Tensor<2>,
        before: &Tensor<2>,
        targets: Tensor<2>,
        settings: &AmortisedSettings,
    ) -> Self {
        let ([samples, n], [_, d]) = (w.dims(), targets.dims());
        let products = settings.network_products;
        let k = settings.features(n);
        let own = features(before.clone(), products);
        let mut seen = vec![features(w.clone(), products), own.slice([0..samples, 1..k])];
        for i in (0..n).filter(|_| products) {
            seen.push(w.clone().slice([0..samples, i..i + 1]) * before.clone());
        }
        let seen = Tensor::cat(seen, 1);
        let solution = least_squares(seen.clone(), targets.clone());
        Self {
            left: targets - seen.matmul(solution.clone()),
            readout: solution.slice([0..k, 0..d]),
        }
    }

    /// The means of the targets, `[1, d]`.
    pub fn means(&self) -> Tensor<2> {
        let [_, d] = self.readout.dims();
        self.readout.clone().slice([0..1, 0..d])
    }

    /// Targets `from` to `to − 1` alone.
    pub fn columns(&self, from: usize, to: usize) -> Self {
        let ([k, _], [samples, _]) = (self.readout.dims(), self.left.dims());
        Self {
            readout: self.readout.clone().slice([0..k, from..to]),
            left: self.left.clone().slice([0..samples, from..to]),
        }
    }
}

/// Φ(u) = (1, u_i, [(u_i² − 1)/√2, u_i u_j]): `[batch, n]` → `[batch, k]`, k = 1 + n, and n(n + 1)/2 more with
/// products.
pub(super) fn features(u: Tensor<2>, products: bool) -> Tensor<2> {
    let [batch, n] = u.dims();
    let column = |from: usize, to: usize| u.clone().slice([0..batch, from..to]);
    let mut all = vec![Tensor::ones([batch, 1], &u.device()), u.clone()];
    for i in (0..n).filter(|_| products) {
        let own = column(i, i + 1);
        all.push((own.clone().square() - 1.0) * std::f64::consts::FRAC_1_SQRT_2);
        if i + 1 < n {
            all.push(column(i + 1, n) * own);
        }
    }
    Tensor::cat(all, 1)
}

/// The matrix that makes the mean square of targets − features · matrix least, by conjugate gradients, each column
/// its own.
fn least_squares(features: Tensor<2>, targets: Tensor<2>) -> Tensor<2> {
    let [samples, k] = features.dims();
    let across = features.clone().transpose() * (1.0 / samples as f64);
    let ridge = Tensor::<2>::eye(k, &features.device()) * RIDGE;
    let gram = across.clone().matmul(features) + ridge;
    let moments = across.matmul(targets);
    let mut solution = moments.clone();
    let mut left = moments - gram.clone().matmul(solution.clone());
    let mut direction = left.clone();
    let mut square = left.clone().square().sum_dim(0);
    for _ in 0..STEPS {
        let bent = gram.clone().matmul(direction.clone());
        let curvature = (direction.clone() * bent.clone()).sum_dim(0);
        let length = square.clone() / (curvature + NOTHING);
        solution = solution + direction.clone() * length.clone();
        left = left - bent * length;
        let next = left.clone().square().sum_dim(0);
        direction = left.clone() + direction * (next.clone() / (square + NOTHING));
        square = next;
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filtering::pair::noise;
    use burn::tensor::Device;
    use scotopic::noise::NoiseKey;

    /// Single precision, thirty-two steps.
    const ROUNDING: f32 = 1e-4;

    fn values(t: Tensor<2>) -> Vec<f32> {
        t.try_into_vec_as().unwrap()
    }

    #[test]
    fn a_quadratic_is_averaged_without_error() {
        let like = Tensor::<2>::zeros([1, 1], &Device::flex());
        let [w, e] = noise(&like, 64, NoiseKey::new(4));
        // 1 + 2w − w² + 3we + e² has the mean 1, and 1 + 2w − (w² − 1) given w.
        let target = (w.clone() * 2.0 - w.clone().square() + 1.0)
            + (w.clone() * e.clone() * 3.0 + e.clone().square());
        let settings = AmortisedSettings::default();
        let fitted = Regression::of(&w, &e, target, &settings);
        let expected = [1.0, 2.0, -std::f32::consts::SQRT_2];
        for (ours, expected) in values(fitted.readout).iter().zip(expected) {
            assert!((ours - expected).abs() < ROUNDING, "{ours} for {expected}");
        }
        assert!(values(fitted.left).iter().all(|x| x.abs() < ROUNDING));
    }
}
