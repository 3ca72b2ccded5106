//! Parameters of a linear-Gaussian model learned in one pass, by three schemes (Campbell et al. 2021, figure 1b).
//!
//! ```text
//! x_t = F x_{t−1} + N(0, Q),  y_t = G x_t + N(0, R),  ten dimensions, F and G diagonal and unknown
//! ```
//!
//! `cargo run --release -p scotopic-filtering --example campbell [observations] [seeds]`

use std::time::Instant;

use scotopic_filtering::nonlinear::models::DiagonalLinear;
use scotopic_filtering::nonlinear::{
    CubatureRule, ElboKind, IndependentCoordinates, LearningConfig, NonlinearConfig,
    NonlinearLearning, simulate,
};
use scotopic_filtering::rand::rngs::SmallRng;
use scotopic_filtering::rand::{RngExt, SeedableRng};
use scotopic_filtering::{Result, Sequence};

const DIMENSIONS: usize = 10;

/// Mean absolute errors of F and of G, of the last θ and of the average; seconds an observation.
struct Outcome {
    last: [f64; 2],
    average: [f64; 2],
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
    elbo: ElboKind,
) -> Result<Outcome> {
    // Three nodes are exact for the cubics at most that a linear-Gaussian step asks for.
    let settings = NonlinearConfig {
        elbo,
        rule: Some(CubatureRule::GaussHermite(3)),
        ..NonlinearConfig::default()
    };
    let learners = start
        .coordinates()
        .into_iter()
        .map(|one| NonlinearLearning::new(one, settings.clone(), LearningConfig::default()))
        .collect::<Result<Vec<_>>>()?;
    let mut learning = IndependentCoordinates::new(learners)?;
    let clock = Instant::now();
    for observation in data.iter() {
        learning.update(observation)?;
    }
    let seconds = clock.elapsed().as_secs_f64() / data.len() as f64;
    let error =
        |which: usize, truth: &[f64], of: fn(&NonlinearLearning<DiagonalLinear>) -> &[f64]| {
            let parts = learning.parts().iter().zip(truth);
            parts
                .map(|(part, t)| (of(part)[which] - t).abs())
                .sum::<f64>()
                / DIMENSIONS as f64
        };
    Ok(Outcome {
        last: [
            error(0, truth.f(), NonlinearLearning::parameters),
            error(1, truth.g(), NonlinearLearning::parameters),
        ],
        average: [
            error(0, truth.f(), NonlinearLearning::average),
            error(1, truth.g(), NonlinearLearning::average),
        ],
        elbo: learning.elbo() / data.len() as f64,
        seconds,
    })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<usize>());
    let mut next = |default| arguments.next().and_then(|a| a.ok()).unwrap_or(default);
    let (observations, seeds) = (next(50_000), next(10));
    println!("{observations} observations, mean of {seeds} seeds");
    println!("                  last θ             average");
    println!("scheme            F          G          F          G  elbo/obs, nats         µs/obs");
    for elbo in [ElboKind::Reversed, ElboKind::Jelbo, ElboKind::Vjf] {
        let mut mean = [0.0; 6];
        for seed in 0..seeds as u64 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut within = |low: f64, high: f64| -> Vec<f64> {
                (0..DIMENSIONS)
                    .map(|_| rng.random_range(low..high))
                    .collect()
            };
            let (f, g) = (within(0.5, 1.0), within(0.5, 1.0));
            let (df, dg) = (within(-0.2, 0.2), within(-0.2, 0.2));
            let moved = |a: &[f64], d: &[f64]| -> Vec<f64> {
                a.iter()
                    .zip(d)
                    .map(|(a, d)| (a + d).clamp(0.1, 0.99))
                    .collect()
            };
            let start = model(moved(&f, &df), moved(&g, &dg))?;
            let truth = model(f, g)?;
            let (_, data) = simulate(&truth, observations, &mut rng)?;
            let outcome = learn(&start, &truth, &data, elbo)?;
            let ([f, g], [af, ag]) = (outcome.last, outcome.average);
            let found = [f, g, af, ag, outcome.elbo, outcome.seconds];
            for (mean, found) in mean.iter_mut().zip(found) {
                *mean += found / seeds as f64;
            }
        }
        let [f, g, af, ag, elbo, seconds] = mean;
        println!(
            "{:<8}  {f:>9.4}  {g:>9.4}  {af:>9.4}  {ag:>9.4}  {elbo:>14.4}  {:>14.2}",
            format!("{elbo:?}"),
            1e6 * seconds
        );
    }
    Ok(())
}
