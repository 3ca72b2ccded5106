//! The series of the published one-layer network (arXiv 2502.08860), its recorded run, and fresh series of the same process.
//!
//! ```text
//! x1' = 0.7 x1 − 0.5 x1 x2,  x2' = −0.3 x2 + 0.2 x1 x2,  Euler steps of 0.1 from (1, 0.5);  y = x + smooth noise
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::rand::rngs::Xoshiro256PlusPlus;

/// Bins of a series.
pub const BINS: usize = 1000;
/// The smoothness of the noise, in bins.
pub const SMOOTHNESS: f64 = 2.0;
/// The published time step, in units of the process.
pub const STEP: f64 = 0.1;
/// θ of the process.
pub const THETA: [f64; 4] = [0.7, 0.5, 0.3, 0.2];
/// Its first state.
const START: [f64; 2] = [1.0, 0.5];
/// Observations a second of the published program, on two shared cores.
pub const PUBLISHED_RATE: f64 = 50.0;

/// Rows of two numbers.
pub type Rows = Vec<[f64; 2]>;

/// Observations and what they are of.
pub struct Observed {
    /// y.
    pub observations: Rows,
    /// x.
    pub states: Rows,
}

/// The recorded run.
pub struct Recorded {
    /// Its series.
    pub observed: Observed,
    /// The network's means of x.
    pub means: Rows,
    /// μ and μ' at first.
    pub start: [f64; 4],
}

/// Reads the recorded run: below the folder of the data sets, `$SCOTOPIC_REFERENCE`, or the fixtures of this project.
///
/// # Errors
/// If it is nowhere, or a file is not rows of numbers; names the file.
pub fn recorded(data: &Path) -> Result<Recorded> {
    let reference = std::env::var_os("SCOTOPIC_REFERENCE").map(PathBuf::from);
    let roots = [
        Some(data.to_path_buf()),
        reference,
        Some(PathBuf::from("tests/fixtures")),
    ];
    let folders = roots
        .into_iter()
        .flatten()
        .map(|root| root.join("pc_network/pullback"));
    let folder = folders.into_iter().find(|folder| folder.join("y.csv").exists()).context(
        "the recorded run of the published network (pc_network/pullback) is not in --data, not below $SCOTOPIC_REFERENCE, and the \
         present folder is not that of the project, which has it in tests/fixtures",
    )?;
    let start = rows(&folder.join("mu0.csv"))?;
    ensure!(
        start.len() == 2,
        "{}: expected two rows",
        folder.join("mu0.csv").display()
    );
    Ok(Recorded {
        observed: Observed {
            observations: rows(&folder.join("y.csv"))?,
            states: rows(&folder.join("x_true.csv"))?,
        },
        means: rows(&folder.join("mu.csv"))?,
        start: [start[0][0], start[0][1], start[1][0], start[1][1]],
    })
}

/// The first two columns of a file of numbers.
fn rows(file: &Path) -> Result<Rows> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read {}", file.display()))?;
    let row = |(number, line): (usize, &str)| -> Result<[f64; 2]> {
        let mut cells = line.split(',').map(|cell| cell.trim().parse::<f64>());
        match (cells.next(), cells.next()) {
            (Some(Ok(a)), Some(Ok(b))) => Ok([a, b]),
            _ => anyhow::bail!(
                "{}, line {}: expected two numbers, found {line}",
                file.display(),
                number + 1
            ),
        }
    };
    text.lines().enumerate().map(row).collect()
}

/// A fresh series of the process: the states are the published ones, the noise is new.
///
/// The published noise is white noise under a Gaussian kernel of sum 1, whose variance is 1/(2 s √π).
///
/// # Errors
/// None that is expected: the noise is of fixed settings.
pub fn fresh(rng: &mut Xoshiro256PlusPlus) -> Result<Observed> {
    let smoothness = SMOOTHNESS;
    let noise = Autocorrelation::SampledGaussian { smoothness }.sample(2, BINS, rng)?;
    let deviation = (1.0 / (2.0 * smoothness * std::f64::consts::PI.sqrt())).sqrt();
    let [a, b, c, d] = THETA;
    let mut state = START;
    let mut made = Observed {
        observations: Rows::with_capacity(BINS),
        states: Rows::with_capacity(BINS),
    };
    for t in 0..BINS {
        let [x, y] = state;
        made.states.push(state);
        made.observations
            .push([x + deviation * noise[(0, t)], y + deviation * noise[(1, t)]]);
        state = [
            x + STEP * (a * x - b * x * y),
            y + STEP * (d * x * y - c * y),
        ];
    }
    Ok(made)
}

/// The mean squared error of estimates, over rows and both states.
pub fn squared_error(found: &[[f64; 2]], states: &[[f64; 2]]) -> f64 {
    let pairs = found.iter().zip(states);
    let squares = pairs.map(|(a, b)| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
    squares.sum::<f64>() / (2 * states.len()) as f64
}
