//! Timing of the nonlinear filter, per observation.
//!
//! `cargo bench -p scotopic-benches --bench nonlinear`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scotopic_filtering::nonlinear::models::{Ar1Poisson, DiagonalLinear};
use scotopic_filtering::nonlinear::{
    CubatureRule, IndependentCoordinates, LearningConfig, NonlinearConfig, NonlinearFilter,
    NonlinearLearning, Representation, StateSpace, TwoPhaseUpdate,
};

const N: usize = 10;

/// A network of ten units seen through itself: x_t = 0.8 x + 0.2 tanh(Wx) + N(0, 0.01), y_t = x_t + N(0, 0.06);
/// θ is the diagonal of W.
#[derive(Clone)]
struct Network {
    weights: Vec<f64>,
    noise: Vec<f64>,
    prior: Vec<f64>,
    origin: Vec<f64>,
}

impl Network {
    fn new() -> Self {
        let entry = |k: usize| (0.7 * k as f64).sin() * 0.6 + if k % 11 == 0 { 1.0 } else { 0.0 };
        let diagonal = |v: f64| {
            let mut matrix = vec![0.0; N * N];
            matrix.iter_mut().step_by(N + 1).for_each(|m| *m = v);
            matrix
        };
        Self {
            weights: (0..N * N).map(entry).collect(),
            noise: diagonal(0.01),
            prior: diagonal(1.0),
            origin: vec![0.0; N],
        }
    }

    fn input(&self, x: &[f64], i: usize) -> f64 {
        let row = &self.weights[i * N..(i + 1) * N];
        row.iter().zip(x).map(|(w, x)| w * x).sum()
    }
}

impl StateSpace for Network {
    fn dim(&self) -> usize {
        N
    }

    fn observed(&self) -> usize {
        N
    }

    fn initial_mean(&self) -> &[f64] {
        &self.origin
    }

    fn initial_covariance(&self) -> &[f64] {
        &self.prior
    }

    fn noise(&self) -> &[f64] {
        &self.noise
    }

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        for (i, into) in into.iter_mut().enumerate() {
            *into = 0.8 * state[i] + 0.2 * self.input(state, i).tanh();
        }
    }

    fn mean_slope(&self, state: &[f64], into: &mut [f64]) {
        for (i, row) in into.chunks_exact_mut(N).enumerate() {
            let slope = 0.2 * (1.0 - self.input(state, i).tanh().powi(2));
            let weights = &self.weights[i * N..(i + 1) * N];
            row.iter_mut()
                .zip(weights)
                .for_each(|(into, w)| *into = slope * w);
            row[i] += 0.8;
        }
    }

    fn mean_and_slope(&self, state: &[f64], mean: &mut [f64], slope: &mut [f64]) {
        for (i, row) in slope.chunks_exact_mut(N).enumerate() {
            let h = self.input(state, i).tanh();
            mean[i] = 0.8 * state[i] + 0.2 * h;
            let weights = &self.weights[i * N..(i + 1) * N];
            let steep = 0.2 * (1.0 - h * h);
            row.iter_mut()
                .zip(weights)
                .for_each(|(into, w)| *into = steep * w);
            row[i] += 0.8;
        }
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let squares = observation
            .iter()
            .zip(state)
            .map(|(y, x)| (y - x) * (y - x));
        -0.5 * (squares.sum::<f64>() / 0.06 + N as f64 * (std::f64::consts::TAU * 0.06).ln())
    }

    fn log_likelihood_slopes(
        &self,
        observation: &[f64],
        state: &[f64],
        gradient: &mut [f64],
        hessian: &mut [f64],
    ) -> f64 {
        hessian.fill(0.0);
        for i in 0..N {
            gradient[i] = (observation[i] - state[i]) / 0.06;
            hessian[i * (N + 1)] = -1.0 / 0.06;
        }
        self.log_likelihood(observation, state)
    }

    fn parameters_len(&self) -> usize {
        N
    }

    fn parameters(&self, into: &mut [f64]) {
        let diagonal = self.weights.iter().step_by(N + 1);
        into.iter_mut()
            .zip(diagonal)
            .for_each(|(into, w)| *into = *w);
    }

    fn set_parameters(&mut self, theta: &[f64]) -> scotopic_filtering::Result<()> {
        let diagonal = self.weights.iter_mut().step_by(N + 1);
        diagonal.zip(theta).for_each(|(w, t)| *w = *t);
        Ok(())
    }

    fn transition_score(&self, previous: &[f64], state: &[f64], into: &mut [f64]) {
        for (i, into) in into.iter_mut().enumerate() {
            let h = self.input(previous, i).tanh();
            let residual = state[i] - 0.8 * previous[i] - 0.2 * h;
            *into = residual / 0.01 * 0.2 * (1.0 - h * h) * previous[i];
        }
    }
}

/// Observations that go round.
fn rows(width: usize) -> Vec<Vec<f64>> {
    let entry = |t: usize, i: usize| 0.4 * (0.3 * t as f64 + i as f64).sin();
    (0..64)
        .map(|t| (0..width).map(|i| entry(t, i)).collect())
        .collect()
}

fn updates(c: &mut Criterion, name: &str, mut filter: impl TwoPhaseUpdate, rows: &[Vec<f64>]) {
    let mut t = 0;
    c.bench_function(name, |b| {
        b.iter(|| {
            filter
                .propose(Some(&rows[t % rows.len()]))
                .expect("an observation of the model");
            t += 1;
            black_box(filter.commit())
        });
    });
}

fn scalar(c: &mut Criterion) {
    let model = Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0).expect("a model");
    let counts: Vec<Vec<f64>> = (0..64).map(|t| vec![f64::from(t * 7 % 10)]).collect();
    let table = NonlinearConfig {
        representation: Representation::table(),
        ..NonlinearConfig::default()
    };
    let filter = |settings| NonlinearFilter::new(model.clone(), settings).expect("a filter");
    updates(
        c,
        "AR(1)–Poisson, W a quadratic",
        filter(NonlinearConfig::default()),
        &counts,
    );
    updates(c, "AR(1)–Poisson, W a table", filter(table), &counts);
}

fn ten(c: &mut Criterion) {
    let diagonal = DiagonalLinear::new(vec![0.8; N], vec![0.9; N], vec![0.01; N], vec![0.06; N]);
    let diagonal = diagonal.expect("a model");
    let exact = NonlinearConfig {
        rule: Some(CubatureRule::GaussHermite(3)),
        ..NonlinearConfig::default()
    };
    let mut parts = diagonal.coordinates().into_iter();
    let learners = parts
        .by_ref()
        .map(|one| {
            NonlinearLearning::new(one, exact.clone(), LearningConfig::default())
                .expect("a learner")
        })
        .collect();
    let mut product: IndependentCoordinates<NonlinearLearning<DiagonalLinear>> =
        IndependentCoordinates::new(learners).expect("parts");
    let rows = rows(N);
    let mut t = 0;
    c.bench_function("diagonal linear, n = 10, learning F and G", |b| {
        b.iter(|| {
            t += 1;
            black_box(product.update(Some(&rows[t % rows.len()])).expect("finite"))
        });
    });
    let dense = NonlinearLearning::new(
        diagonal,
        NonlinearConfig::default(),
        LearningConfig::default(),
    );
    updates(
        c,
        "the same, n × n, affine score",
        dense.expect("a learner"),
        &rows,
    );
    let filter = NonlinearFilter::new(Network::new(), NonlinearConfig::default());
    updates(c, "network, n = 10", filter.expect("a filter"), &rows);
    let learning = NonlinearLearning::new(
        Network::new(),
        NonlinearConfig::default(),
        LearningConfig::default(),
    );
    updates(
        c,
        "network, n = 10, learning ten weights",
        learning.expect("a learner"),
        &rows,
    );
    // One improvement of the first guess at each observation, for whom 50 µs is the budget.
    let hasty = NonlinearConfig {
        improvements: 1,
        ..NonlinearConfig::default()
    };
    let learning = NonlinearLearning::new(Network::new(), hasty, LearningConfig::default());
    updates(
        c,
        "network, n = 10, learning ten weights, one improvement",
        learning.expect("a learner"),
        &rows,
    );
}

criterion_group!(benches, scalar, ten);
criterion_main!(benches);
