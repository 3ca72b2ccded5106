//! The causal filter compared with the published schemes, on data of the published generator: error and calibration
//! of the states by order of motion, averaged over data sets.
//!
//! `cargo run --release -p scotopic-filtering --example generalised_schemes -- 40`
//!
//! Every scheme is scored on the same bins: from the ninth, when the start is forgotten, to the fourth from the end,
//! after which the widest window reaches past the data.
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter, Generation};
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Deviation, Published};
use scotopic_filtering::generalised::model::{AnyEquations, GenerativeModel, Linear, Lorenz};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Result, Sequence};

const BURN: usize = 8;
const END: usize = 3;

type Model = GenerativeModel<AnyEquations>;
/// Mean and covariance of the states, bin by bin.
type Beliefs = Vec<(Vec<f64>, Vec<f64>)>;

fn causal(
    model: &Model,
    data: &Sequence,
    embedding: Embedding,
    start: Option<&DMatrix<f64>>,
    lag: usize,
) -> Result<Beliefs> {
    let settings = CausalConfig {
        lag,
        ..CausalConfig::from(embedding)
    };
    let mut filter = CausalGeneralisedFilter::new(model.clone(), settings, start)?;
    let mut beliefs = Beliefs::new();
    for (t, y) in data.iter().enumerate() {
        filter.update(y)?;
        if t >= lag {
            beliefs.push((filter.states().to_vec(), filter.state_covariance().to_vec()));
        }
    }
    Ok(beliefs)
}

fn dem(
    model: &Model,
    data: &Sequence,
    embedding: Embedding,
    published: Published,
) -> Result<Beliefs> {
    let settings = DemConfig {
        embedding,
        published,
        ..DemConfig::default()
    };
    let records = Dem::new(model.clone(), settings)?.run(data, None)?;
    Ok(records
        .into_iter()
        .map(|r| (r.states, r.state_covariance))
        .collect())
}

#[derive(Default)]
struct Score {
    squares: f64,
    count: f64,
    normalised: f64,
    ranked: f64,
    failed: usize,
}

impl Score {
    fn add(&mut self, beliefs: Result<Beliefs>, truth: &DMatrix<f64>) {
        let Ok(beliefs) = beliefs else {
            self.failed += 1;
            return;
        };
        let n = truth.nrows();
        let bins = BURN..truth.ncols() - END;
        for ((mean, covariance), at) in beliefs[bins.clone()].iter().zip(bins) {
            let error = DVector::from_column_slice(mean) - truth.column(at);
            self.squares += error.norm_squared();
            self.count += n as f64;
            if let Some(factor) = DMatrix::from_row_slice(n, n, covariance).cholesky() {
                self.normalised += error.dot(&factor.solve(&error));
                self.ranked += n as f64;
            }
        }
    }
}

/// A model, the generator of its data, and the settings of the filters.
struct Case {
    name: &'static str,
    model: Model,
    bins: usize,
    smoothness: Vec<f64>,
    /// Whether the cause is the published bump at bin 12; else it is drawn from its prior.
    bump: bool,
    /// The filters' prior mean and variance of the initial states.
    start: Vec<f64>,
    variance: f64,
}

fn cases() -> Result<Vec<Case>> {
    let (e8, e16) = (f64::exp(8.0), f64::exp(16.0));
    let single = |equations, theta: &[f64], output, motion, start: &[f64]| {
        GenerativeModel::single(equations, theta, output, motion, 1.0, start)
    };
    let linear = Linear::convolution();
    let theta = linear.defaults();
    let convolution = single(AnyEquations::Linear(linear), &theta, e8, e8, &[0.0; 2])?;
    let lorenz = Lorenz::demonstration();
    let (theta, start) = (lorenz.defaults(), vec![0.9, 0.8, 30.0]);
    let lorenz = single(AnyEquations::Lorenz(lorenz), &theta, 1.0, e16, &start)?;
    let of_convolution = |name, bump| Case {
        name,
        model: convolution.clone(),
        bins: 64,
        smoothness: vec![0.0, 0.5, 1.0],
        bump,
        start: vec![0.0; 2],
        variance: 0.0,
    };
    let of_lorenz = |name, start, variance| Case {
        name,
        model: lorenz.clone(),
        bins: 128,
        smoothness: vec![0.125],
        bump: false,
        start,
        variance,
    };
    Ok(vec![
        of_convolution("convolution with a bump", true),
        of_convolution("convolution", false),
        of_lorenz("lorenz from the true start", start, 0.0),
        of_lorenz("lorenz from a wrong start", vec![1.0, 1.0, 16.0], 100.0),
    ])
}

/// Observations and hidden states.
fn draw(case: &Case, smoothness: f64, seed: u64) -> Result<(Sequence, DMatrix<f64>)> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let generation = Generation {
        smoothness,
        ..Generation::default()
    };
    let causes = case.model.totals().causes;
    let bump = DMatrix::from_fn(causes, case.bins, |_, t| {
        f64::exp(-(t as f64 - 11.0).powi(2) / 4.0)
    });
    let given = case.bump.then_some(&bump);
    let drawn = generation.run(case.model.clone(), case.bins, given, &mut rng)?;
    let rows = drawn
        .outputs
        .column_iter()
        .map(|y| y.iter().copied().collect::<Vec<_>>());
    Ok((Sequence::of_rows(rows)?, drawn.states))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let sets: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(10), |text| text.parse())?;
    println!("model,s,order,scheme,waits,rmse,nees,failed");
    for case in cases()? {
        let mut told = case.model.clone();
        told.levels[0].start.clone_from(&case.start);
        let states = case.start.len();
        let start =
            (case.variance > 0.0).then(|| DMatrix::identity(states, states) * case.variance);
        for &smoothness in &case.smoothness {
            let data: Result<Vec<_>> = (0..sets)
                .map(|seed| draw(&case, smoothness, seed))
                .collect();
            let data = data?;
            for order in [1, 2, 3, 4, 6] {
                // The published default keeps two orders of the causes.
                let of = |causes| Embedding {
                    states: order,
                    causes,
                    smoothness,
                };
                let embedding = of(order.min(2));
                // Without the floor, white noise has no derivatives and no embedding.
                let ours = Published::of([Deviation::WhiteFloor]);
                let ahead = order / 2;
                for (scheme, waits) in [
                    ("causal", 0),
                    ("causal later", ahead),
                    ("dem", ahead),
                    ("dem with d = N", ahead),
                    ("dem published", ahead),
                ] {
                    let mut score = Score::default();
                    for (y, truth) in &data {
                        let beliefs = match scheme {
                            "dem" => dem(&told, y, embedding, ours),
                            "dem with d = N" => dem(&told, y, of(order), ours),
                            "dem published" => dem(&told, y, embedding, Published::spm()),
                            _ => causal(&told, y, embedding, start.as_ref(), waits),
                        };
                        score.add(beliefs, truth);
                    }
                    println!(
                        "{},{smoothness},{order},{scheme},{waits},{:.4},{:.3},{}",
                        case.name,
                        (score.squares / score.count).sqrt(),
                        score.normalised / score.ranked,
                        score.failed
                    );
                }
            }
        }
    }
    Ok(())
}
