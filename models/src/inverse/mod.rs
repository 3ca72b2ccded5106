//! Inference methods other than natural-gradient descent.
//!
//! | method | type |
//! |---|---|
//! | one pass of an encoder | [`Amortized`] |
//! | a learned update from gradients | [`IterativeAmortized`] |
//! | an encoder, then gradient steps | [`SemiAmortized`] |
//! | gradient steps; only the decoder is learned | [`Descent`] |
//!
//! The natural-gradient descent itself is [`scotopic::inference::Iterative`].

use burn::tensor::Tensor;

mod amortized;
mod descent;
mod iterative_amortized;
mod semi_amortized;

pub use amortized::Amortized;
pub use descent::Descent;
pub use iterative_amortized::IterativeAmortized;
pub use semi_amortized::SemiAmortized;

/// `[batch, components·latent]` cut into components `[batch, latent]`.
pub(crate) fn split(joined: Tensor<2>, components: usize) -> Vec<Tensor<2>> {
    let [_, width] = joined.dims();
    let latent = width / components.max(1);
    (0..components)
        .map(|c| joined.clone().narrow(1, c * latent, latent))
        .collect()
}
