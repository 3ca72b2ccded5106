//! Parameters and log-precisions learned by dynamic expectation maximisation, with and without its published options,
//! by generalised filtering, and by online triple estimation: convolution model, 64 bins, s = ½, cause unknown.
//!
//! `cargo run --release -p scotopic-filtering --example generalised_learning -- 40`
use scotopic_filtering::generalised::causal::{CausalConfig, Generation};
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Deviation, Published};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::model::{GenerativeModel, Linear, NoisePrecision};
use scotopic_filtering::generalised::odem::{OdemConfig, triple_estimation};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Result, Sequence};

const BINS: usize = 64;
/// A_21 and C_11 are free, as in the published demonstration.
const FREE: [usize; 2] = [1, 4];
/// Both log-precisions that made the data.
const TRUTH: f64 = 8.0;
const SWEEPS: usize = 16;

/// Sums of squared errors over data sets.
#[derive(Default)]
struct Score {
    parameters: f64,
    output: f64,
    motion: f64,
    kept: usize,
    sets: usize,
    failed: usize,
}

impl Score {
    fn add(&mut self, parameters: [f64; 2], truth: [f64; 2], h: &[f64], kept: usize) {
        for (found, expected) in parameters.into_iter().zip(truth) {
            self.parameters += (found - expected).powi(2) / 2.0;
        }
        if let [output, motion] = h {
            self.output += (output - TRUTH).powi(2);
            self.motion += (motion - TRUTH).powi(2);
        }
        self.kept += kept;
        self.sets += 1;
    }

    fn print(&self, name: &str, order: usize) {
        let n = self.sets as f64;
        let root = |sum: f64| (sum / n).sqrt();
        println!(
            "{name},{order},{:.4},{:.3},{:.3},{:.1},{}",
            root(self.parameters),
            root(self.output),
            root(self.motion),
            self.kept as f64 / n,
            self.failed
        );
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let sets: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(10), |text| text.parse())?;
    let equations = Linear::convolution();
    let (theta, precision) = (equations.defaults(), TRUTH.exp());
    let start = [0.0, 0.0];
    let world = GenerativeModel::single(equations, &theta, precision, precision, 1.0, &start)?;
    let truth = FREE.map(|i| theta[i]);
    let data: Result<Vec<Sequence>> = (0..sets)
        .map(|seed| {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let drawn = Generation::default().run(world.clone(), BINS, None, &mut rng)?;
            let rows = drawn.outputs.column_iter();
            Sequence::of_rows(rows.map(|y| y.iter().copied().collect::<Vec<_>>()))
        })
        .collect();
    let data = data?;
    let mut model = world;
    let level = &mut model.levels[0];
    for i in FREE {
        level.parameters.mean[i] = 0.0;
        level.parameters.covariance[(i, i)] = 1.0;
    }
    level.output = NoisePrecision::unknown(4, 6.0, 4.0);
    level.motion = NoisePrecision::unknown(2, 6.0, 4.0);

    println!("scheme,order,rmse of parameters,of log-precision of z,of w,sweeps kept,failed");
    let none = Published::default();
    let with = |deviation| Published::of([deviation]);
    for order in [2, 4, 6] {
        let embedding = Embedding {
            states: order,
            ..Embedding::default()
        };
        for (name, first_time, published) in [
            ("dem", 0.0, none),
            ("dem from a long step", 4.0, none),
            ("dem top_order", 0.0, with(Deviation::TopOrder)),
            ("dem half_mean_field", 0.0, with(Deviation::HalfMeanField)),
            (
                "dem stale_restore from a long step",
                4.0,
                with(Deviation::StaleRestore),
            ),
            ("dem published", 0.0, Published::spm()),
            ("dem published from a long step", 4.0, Published::spm()),
        ] {
            let mut score = Score::default();
            for y in &data {
                let settings = DemConfig {
                    embedding,
                    published,
                    sweeps: SWEEPS,
                    first_time,
                    ..DemConfig::default()
                };
                let Ok(found) = Dem::new(model.clone(), settings)?.learn(y, None) else {
                    score.failed += 1;
                    continue;
                };
                let kept = found.sweeps.iter().filter(|(_, kept)| *kept).count();
                let parameters = FREE.map(|i| found.parameters[i]);
                score.add(parameters, truth, &found.log_precisions, kept);
            }
            score.print(name, order);
        }
        for (name, published) in [("lap", none), ("lap published", Published::spm())] {
            let mut score = Score::default();
            for y in &data {
                let settings = DemConfig {
                    embedding,
                    published,
                    sweeps: SWEEPS,
                    ..DemConfig::default()
                };
                let scheme = GeneralisedFiltering::new(model.clone(), settings);
                let Ok(found) = scheme.and_then(|mut scheme| scheme.learn(y, None)) else {
                    score.failed += 1;
                    continue;
                };
                let parameters = FREE.map(|i| found.parameters[i]);
                let passes = found.passes.len();
                score.add(parameters, truth, &found.log_precisions, passes);
            }
            score.print(name, order);
        }
        let settings = OdemConfig {
            filter: CausalConfig::from(embedding),
            ..OdemConfig::default()
        };
        let (mut first, mut last) = (Score::default(), Score::default());
        for y in &data {
            let Ok(passes) = triple_estimation(&model, y, settings, None, SWEEPS) else {
                first.failed += 1;
                last.failed += 1;
                continue;
            };
            for (score, pass) in [(&mut first, passes.first()), (&mut last, passes.last())] {
                if let Some(pass) = pass
                    && let [a, c] = pass.parameters[..]
                {
                    score.add([a, c], truth, &pass.log_precisions, 0);
                }
            }
        }
        first.print("odem: one pass", order);
        last.print("odem: sixteen passes", order);
    }
    Ok(())
}
