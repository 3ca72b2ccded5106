//! Variational free energy by term.

use burn::tensor::Tensor;

/// F = KL\[q(z) ‖ p(z)\] − E_q\[ln p(x|z)\] = −ELBO of every datum, in nats, terms apart.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::FreeEnergy;
/// let device = Device::flex();
/// let f = FreeEnergy {
///     reconstruction: Tensor::from_floats([3.0], &device),
///     kl: Tensor::from_floats([[0.5, 0.25]], &device),
/// };
/// assert_eq!(f.total(2.0).into_scalar::<f32>(), 4.5);
/// assert_eq!(f.elbo().into_scalar::<f32>(), -3.75);
/// ```
#[derive(Debug, Clone)]
pub struct FreeEnergy {
    /// −ln p(x|z) for the sample that was drawn, `[batch]`.
    pub reconstruction: Tensor<1>,
    /// KL of every latent, `[batch, latent]`.
    pub kl: Tensor<2>,
}

impl FreeEnergy {
    /// The divergence of every datum, `[batch]`.
    pub fn divergence(&self) -> Tensor<1> {
        let [batch, _] = self.kl.dims();
        self.kl.clone().sum_dim(1).reshape([batch])
    }

    /// Reconstruction + β·KL of every datum, `[batch]`.
    pub fn total(&self, beta: f64) -> Tensor<1> {
        self.reconstruction.clone() + self.divergence() * beta
    }

    /// The evidence lower bound of every datum, `[batch]`: −total(1).
    pub fn elbo(&self) -> Tensor<1> {
        self.total(1.0).neg()
    }

    /// The batch means of both terms, as one tensor `[2]`: reconstruction, KL.
    pub fn means(&self) -> Tensor<1> {
        Tensor::cat(
            vec![self.reconstruction.clone().mean(), self.divergence().mean()],
            0,
        )
    }
}
