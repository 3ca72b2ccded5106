//! The data of a set: the same for all arms, and for all assumptions about one noise.

use anyhow::Result;
use scotopic_filtering::Sequence;
use scotopic_filtering::generalised::causal::Generation;
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::nalgebra::DMatrix;

use super::super::common::rng;
use super::systems::System;

/// The noise of the data, and what the schemes assume of it.
#[derive(Debug, Clone, Copy)]
pub struct Noise {
    /// Its name.
    pub name: &'static str,
    /// The smoothness s of the data, in bins.
    smoothness: f64,
    /// The smoothness that the schemes are told.
    pub assumed: f64,
    /// Whether observation noise has the tails of Student's t with four degrees of freedom, scaled to the same variance.
    heavy: bool,
}

/// All noises.
pub const NOISES: [Noise; 6] = [
    noise("s = 0", 0.0, 0.0),
    noise("s = ½", 0.5, 0.5),
    noise("s = 1", 1.0, 1.0),
    noise("s = ½ told 0", 0.5, 0.0),
    noise("s = ½ told 1", 0.5, 1.0),
    Noise {
        heavy: true,
        ..noise("s = ½ heavy tails", 0.5, 0.5)
    },
];

/// Degrees of freedom of heavy tails: the fourth moment is infinite.
const FREEDOM: usize = 4;

const fn noise(name: &'static str, smoothness: f64, assumed: f64) -> Noise {
    Noise {
        name,
        smoothness,
        assumed,
        heavy: false,
    }
}

/// Observations and true states.
pub struct Drawn {
    /// A row a bin.
    pub observations: Sequence,
    /// `[states, bins]`.
    pub states: DMatrix<f64>,
}

/// The data of a set; the first state is drawn from its prior.
///
/// # Errors
/// If the flow leaves the numbers.
pub fn draw(system: &System, noise: &Noise, bins: usize, seed: u64, set: usize) -> Result<Drawn> {
    let mut rng = rng(seed, &format!("{} {}", system.name, noise.smoothness), set);
    let white = Autocorrelation::White;
    let n = system.start.len();
    let offset = white.sample(n, 1, &mut rng)? * system.start_variance.sqrt();
    let start: Vec<f64> = system
        .start
        .iter()
        .zip(offset.iter())
        .map(|(m, d)| m + d)
        .collect();
    let model = system.model(Some(&start))?;
    let sizes = model.totals();
    let smoothness = noise.smoothness;
    let smooth = Autocorrelation::SampledGaussian { smoothness };
    let c = smooth.sample(sizes.states + sizes.causes, bins, &mut rng)?;
    let mut z = smooth.sample(sizes.outputs, bins, &mut rng)?;
    if noise.heavy {
        // t = n/√(χ²/ν) has variance ν/(ν − 2).
        let squares = white.sample(FREEDOM, bins, &mut rng)?;
        for (mut column, normals) in z.column_iter_mut().zip(squares.column_iter()) {
            column *= ((FREEDOM - 2) as f64 / normals.norm_squared()).sqrt();
        }
    }
    let generation = Generation {
        smoothness,
        ..Generation::default()
    };
    let made = generation.respond(model, &c, &z)?;
    let rows = made.outputs.column_iter();
    let rows = rows.map(|y| y.iter().copied().collect::<Vec<f64>>());
    Ok(Drawn {
        observations: Sequence::of_rows(rows)?,
        states: made.states,
    })
}
