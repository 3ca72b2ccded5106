//! The data of `examples/lorenz.toml`: 64 bins of a Lorenz system, observed through the noisy sum of its states.
//!
//! `cargo run --release -p scotopic-filtering --example lorenz_data -- examples`
//!
//! Writes `lorenz.csv` and, with the hidden states, `lorenz-states.csv`. The system starts at (0.9, 0.8, 30),
//! which the model does not know; both noises have s = 1/8.
use std::fs;
use std::path::PathBuf;

use scotopic_filtering::generalised::causal::Generation;
use scotopic_filtering::generalised::model::{AnyEquations, GenerativeModel, Lorenz};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

const BINS: usize = 64;
const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let lorenz = Lorenz::demonstration();
    let model = GenerativeModel::single(
        AnyEquations::Lorenz(lorenz),
        &lorenz.defaults(),
        1.0,
        16.0f64.exp(),
        1.0,
        &[0.9, 0.8, 30.0],
    )?;
    let generation = Generation {
        smoothness: 0.125,
        ..Generation::default()
    };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let data = generation.run(model, BINS, None, &mut rng)?;
    for (name, header, values) in [
        ("lorenz.csv", "y", &data.outputs),
        ("lorenz-states.csv", "x1,x2,x3", &data.states),
    ] {
        let mut text = format!("{header}\n");
        for bin in values.column_iter() {
            let cells: Vec<String> = bin.iter().map(|v| format!("{v:.4}")).collect();
            text += &(cells.join(",") + "\n");
        }
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
