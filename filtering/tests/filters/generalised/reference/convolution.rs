//! Data of the convolution model, and settings of the causal filter for it.

use scotopic_filtering::generalised::causal::{CausalConfig, Generated, Generation};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

use super::joint_gaussian::convolution;

pub fn smooth(order: usize, smoothness: f64) -> CausalConfig {
    CausalConfig::from(Embedding {
        states: order,
        causes: 2,
        smoothness,
    })
}

pub fn drawn(smoothness: f64, bins: usize, seed: u64) -> Generated {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let generation = Generation {
        smoothness,
        ..Generation::default()
    };
    generation.run(convolution(), bins, None, &mut rng).unwrap()
}
