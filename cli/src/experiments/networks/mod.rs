//! The first paper's experiments (arXiv 2410.19315): networks, trained per arm and seed.
//!
//! | question | file |
//! |---|---|
//! | reconstruction, sparsity and read-outs on MNIST (Table 2) | `table2_mnist.rs` |
//! | images that no model was trained on | `ood.rs` |
//! | read-outs of the same networks from few labels | `read_outs.rs` |
//! | a thousand inference steps (Figure 3) | `convergence.rs` |
//! | reconstruction against sparsity (Figure 4) | `rate_distortion.rs` |
//! | activity over β and the number of latents | `metabolic.rs` |
//! | what the learned neurons are like | `hubel_wiesel.rs` |
//! | their contrast responses, masks, surround, adaptation | `normalisation.rs` |
//! | whether they separate brightness from colour | `colour.rs` |
//! | the explicit and the proximal step, trained alike and swapped at inference | `stability.rs` |
//! | indicators of the relaxed spikes | `indicators.rs` |
//! | priors in time on moving scenes | `moving_scenes.rs` |
//! | films hidden for some frames, and with a cut | `prediction.rs` |
//! | learning from films through inference, and with beliefs held fixed | `film_learning.rs` |
//! | the models of Table 2: how each is trained | `mnist_models.rs` |
//! | published numbers | `published.rs` |
//! | networks: trained, continued or loaded | `training.rs` |

use super::protocol::Protocol;

mod colour;
mod convergence;
mod film_learning;
mod hubel_wiesel;
mod indicators;
mod metabolic;
mod mnist_models;
mod moving_scenes;
mod normalisation;
mod ood;
mod prediction;
mod published;
mod rate_distortion;
mod read_outs;
mod stability;
mod table2_mnist;
pub mod training;

/// All of them.
pub const PROTOCOLS: &[Protocol] = &[
    table2_mnist::PROTOCOL,
    ood::PROTOCOL,
    read_outs::PROTOCOL,
    convergence::PROTOCOL,
    rate_distortion::PROTOCOL,
    metabolic::PROTOCOL,
    hubel_wiesel::PROTOCOL,
    normalisation::PROTOCOL,
    colour::PROTOCOL,
    stability::PROTOCOL,
    indicators::PROTOCOL,
    moving_scenes::PROTOCOL,
    prediction::PROTOCOL,
    film_learning::PROTOCOL,
];
