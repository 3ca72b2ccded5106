//! Parameters of a linear-Gaussian model learnt in one pass, by three schemes (Campbell et al. 2021, figure 1b).
//!
//! ```text
//! x_t = F x_{t−1} + N(0, Q),  y_t = G x_t + N(0, R),  ten dimensions, F and G diagonal and unknown
//! ```
//!
//! `cargo run --release -p scotopic-filtering --example campbell [observations] [seeds]`

use std::time::Instant;

use scotopic_filtering::nonlinear::models::DiagonalLinear;
use scotopic_filtering::nonlinear::{
    Learn, Learning, Product, Rule, Scheme, Settings, simulate,
};
use scotopic_filtering::rand::rngs::SmallRng;
use scotopic_filtering::rand::{RngExt, SeedableRng};
use scotopic_filtering::{Result, Sequence};

const DIMENSIONS: usize = 10;

/// Mean absolute errors of F and of G, and seconds an observation.
struct Outcome {
    f: f64,
    g: f64,
    elbo: f64,
    seconds: f64,
}

fn model(f: Vec<f64>, g: Vec<f64>) -> Result<DiagonalLinear> {
    DiagonalLinear::new(f, g, vec![0.01; DIMENSIONS], vec![0.0625; DIMENSIONS])
}

fn learn(
    start: &DiagonalLinear,
    truth: &DiagonalLinear,
    data: &Sequence,
    scheme: Scheme,
) -> Result<Outcome> {
    // Three nodes are exact for the cubics at most that a linear-Gaussian step asks for.
    let settings = Settings {
        scheme,
        rule: Some(Rule::GaussHermite(3)),
        ..Settings::default()
    };
    let learners = start
        .coordinates()
        .into_iter()
        .map(|one| Learning::new(one, settings.clone(), Learn::default()))
        .collect::<Result<Vec<_>>>()?;
    let mut learning = Product::new(learners)?;
    let clock = Instant::now();
    for observation in data.iter() {
        learning.update(observation)?;
    }
    let seconds = clock.elapsed().as_secs_f64() / data.len() as f64;
    let error = |which: usize, truth: &[f64]| {
        let parts = learning.parts().iter().zip(truth);
        parts.map(|(part, t)| (part.parameters()[which] - t).abs()).sum::<f64>() / DIMENSIONS as f64
    };
    Ok(Outcome {
        f: error(0, truth.f()),
        g: error(1, truth.g()),
        elbo: learning.elbo() / data.len() as f64,
        seconds,
    })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<usize>());
    let mut next = |default| arguments.next().and_then(|a| a.ok()).unwrap_or(default);
    let (observations, seeds) = (next(50_000), next(10));
    println!("{observations} observations, mean of {seeds} seeds");
    println!("scheme    |F error|  |G error|  elbo per observation  µs per observation");
    for scheme in [Scheme::Reversed, Scheme::Jelbo, Scheme::Vjf] {
        let mut mean = [0.0; 4];
        for seed in 0..seeds as u64 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut within = |low: f64, high: f64| -> Vec<f64> {
                (0..DIMENSIONS).map(|_| rng.random_range(low..high)).collect()
            };
            let (f, g) = (within(0.5, 1.0), within(0.5, 1.0));
            let (df, dg) = (within(-0.2, 0.2), within(-0.2, 0.2));
            let moved = |a: &[f64], d: &[f64]| -> Vec<f64> {
                a.iter().zip(d).map(|(a, d)| (a + d).clamp(0.1, 0.99)).collect()
            };
            let start = model(moved(&f, &df), moved(&g, &dg))?;
            let truth = model(f, g)?;
            let (_, data) = simulate(&truth, observations, &mut rng)?;
            let outcome = learn(&start, &truth, &data, scheme)?;
            let found = [outcome.f, outcome.g, outcome.elbo, outcome.seconds];
            for (mean, found) in mean.iter_mut().zip(found) {
                *mean += found / seeds as f64;
            }
        }
        let [f, g, elbo, seconds] = mean;
        println!(
            "{:<8}  {f:>9.4}  {g:>9.4}  {elbo:>20.4}  {:>18.2}",
            format!("{scheme:?}"),
            1e6 * seconds
        );
    }
    Ok(())
}
