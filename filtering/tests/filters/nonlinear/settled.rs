//! Improving ends early only where nothing is left to be won.

use scotopic_filtering::nonlinear::{NonlinearConfig, NonlinearFilter, StateSpace};
use serde::{Deserialize, Serialize};

const N: usize = 10;
/// The variances of the state's noise and of the observation's.
const NOISE: (f64, f64) = (0.01, 0.06);
/// θ at which sums over the points of degree 3 and their slopes disagree: full steps near the best q lower the bound.
const STEEP: [f64; N] = [
    1.36, -0.7, -1.33, -1.43, 0.54, -1.01, -1.84, 1.61, -0.03, -1.0,
];

/// x_t = 0.8 x + 0.2 tanh(Wx) + N(0, 0.01), y_t = x_t + N(0, 0.06).
#[derive(Clone, Serialize, Deserialize)]
struct Network {
    weights: Vec<f64>,
    noise: Vec<f64>,
    prior: Vec<f64>,
}

impl Network {
    fn new(diagonal: &[f64; N]) -> Self {
        let scaled = |v: f64| -> Vec<f64> {
            let entry = |k: usize| if k.is_multiple_of(N + 1) { v } else { 0.0 };
            (0..N * N).map(entry).collect()
        };
        let entry = |k: usize| match k % (N + 1) {
            0 => diagonal[k / N],
            _ => 0.6 * (0.7 * k as f64).sin(),
        };
        Self {
            weights: (0..N * N).map(entry).collect(),
            noise: scaled(NOISE.0),
            prior: scaled(1.0),
        }
    }

    fn unit(&self, state: &[f64], i: usize) -> f64 {
        let row = self.weights[i * N..(i + 1) * N].iter().zip(state);
        row.map(|(w, x)| w * x).sum::<f64>().tanh()
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
        &[0.0; N]
    }
    fn initial_covariance(&self) -> &[f64] {
        &self.prior
    }
    fn noise(&self) -> &[f64] {
        &self.noise
    }
    fn mean(&self, state: &[f64], into: &mut [f64]) {
        for (i, into) in into.iter_mut().enumerate() {
            *into = 0.8 * state[i] + 0.2 * self.unit(state, i);
        }
    }
    fn mean_slope(&self, state: &[f64], into: &mut [f64]) {
        for (i, row) in into.chunks_exact_mut(N).enumerate() {
            let steep = 0.2 * (1.0 - self.unit(state, i).powi(2));
            let weights = &self.weights[i * N..(i + 1) * N];
            row.iter_mut()
                .zip(weights)
                .for_each(|(into, w)| *into = steep * w);
            row[i] += 0.8;
        }
    }
    fn log_likelihood(&self, y: &[f64], x: &[f64]) -> f64 {
        let squares: f64 = y.iter().zip(x).map(|(y, x)| (y - x) * (y - x)).sum();
        -0.5 * (squares / NOISE.1 + N as f64 * (std::f64::consts::TAU * NOISE.1).ln())
    }
    fn log_likelihood_slopes(&self, y: &[f64], x: &[f64], g: &mut [f64], h: &mut [f64]) -> f64 {
        h.fill(0.0);
        for i in 0..N {
            g[i] = (y[i] - x[i]) / NOISE.1;
            h[i * (N + 1)] = -1.0 / NOISE.1;
        }
        self.log_likelihood(y, x)
    }
}

/// What an update may leave unwon, in tolerances: the last step that is not taken is worth less than one by its own
/// reckoning, which is right to a small factor, and so are those that would have followed it.
const LEFT: f64 = 10.0;

/// Where a full step falls, two evaluations of shorter ones are enough to know that none helps. From the same past, a
/// filter that never gives up wins no more than a few tolerances.
#[test]
fn halving_ends_where_nothing_is_to_be_won() {
    let settings = NonlinearConfig::default();
    let tolerance = settings.tolerance;
    let mut filter = NonlinearFilter::new(Network::new(&STEEP), settings).unwrap();
    let (mut most, mut longest, mut left) = (0, 0, 0.0f64);
    for t in 0..256u32 {
        let round = f64::from(t % 64);
        let y: [f64; N] = std::array::from_fn(|i| 0.4 * (0.3 * round + i as f64).sin());
        let mut saved = serde_json::to_value(&filter).unwrap();
        saved["settings"]["tolerance"] = 0.0.into();
        let mut tireless: NonlinearFilter<Network> = serde_json::from_value(saved).unwrap();
        let bound = filter.update(Some(&y)).unwrap().increment;
        left = left.max(tireless.update(Some(&y)).unwrap().increment - bound);
        most = most.max(filter.evaluations());
        longest = longest.max(tireless.evaluations());
    }
    assert_eq!(filter.unsettled(), 0);
    assert!(left < LEFT * tolerance, "{left}");
    assert!(most <= 6 && longest > 12, "{most} {longest}");
}
