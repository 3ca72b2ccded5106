//! The exact posterior of the convolution model with the generator's noise (eqs. G35, G31): all states and
//! all samples are one joint Gaussian, and what is known of the states is a product of dense matrices.

use scotopic_filtering::generalised::model::{GenerativeModel, Linear};
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// States, outputs, and degree of the polynomial along which the generator's noise moves within a bin.
const STATES: usize = 2;
const OUTPUTS: usize = 4;
const DEGREE: usize = 6;

/// The joint Gaussian of `bins` bins.
pub struct JointGaussian {
    pub bins: usize,
    smoothness: f64,
    /// States from drives, `[2 bins, 2 bins]`.
    map: DMatrix<f64>,
    /// Outputs from states, `[4 bins, 2 bins]`.
    seen: DMatrix<f64>,
    /// Covariances of states `[2 bins, 2 bins]`, of states with outputs `[2 bins, 4 bins]`, of outputs.
    states: DMatrix<f64>,
    cross: DMatrix<f64>,
    outputs: DMatrix<f64>,
}

/// What is known of the states of one bin from the outputs up to another.
pub struct Posterior {
    /// `[2, outputs]`: the mean from the outputs.
    weights: DMatrix<f64>,
    pub covariance: DMatrix<f64>,
}

impl Posterior {
    /// The mean, from outputs `[4, bins]` of which the first are known.
    pub fn mean(&self, outputs: &DMatrix<f64>) -> DVector<f64> {
        let known = &outputs.as_slice()[..self.weights.ncols()];
        &self.weights * DVector::from_column_slice(known)
    }
}

/// Data drawn from the model: every column one bin.
pub struct Drawn {
    pub states: DMatrix<f64>,
    pub outputs: DMatrix<f64>,
}

pub fn convolution() -> GenerativeModel<Linear> {
    let equations = Linear::convolution();
    let theta = equations.defaults();
    let e8 = f64::exp(8.0);
    GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0]).unwrap()
}

/// Columns of K with unit norm: noise = white · K, so K'K is the covariance of the samples.
fn kernel(s: f64, bins: usize) -> DMatrix<f64> {
    let mut k = DMatrix::from_fn(bins, bins, |i, j| {
        let apart = i as f64 - j as f64;
        match (s > 0.0, i == j) {
            (true, _) => (-apart * apart / (2.0 * s * s)).exp(),
            (false, same) => f64::from(u8::from(same)),
        }
    });
    for mut column in k.column_iter_mut() {
        let norm = column.norm();
        column /= norm;
    }
    k
}

/// e^A and ∫_0^1 e^{A(1−r)} r^k/k! dr for k = 0 … DEGREE, from the exponential of a block matrix.
fn moments(a: &DMatrix<f64>) -> (DMatrix<f64>, Vec<DMatrix<f64>>) {
    let (n, orders) = (a.nrows(), DEGREE + 1);
    let size = n * (orders + 1);
    let mut block = DMatrix::zeros(size, size);
    block.view_mut((0, 0), (n, n)).copy_from(a);
    for k in 0..orders {
        let identity = DMatrix::identity(n, n);
        block
            .view_mut((k * n, (k + 1) * n), (n, n))
            .copy_from(&identity);
    }
    let e = block.exp();
    let part = |k: usize| e.view((0, k * n), (n, n)).into_owned();
    (part(0), (1..=orders).map(part).collect())
}

/// x_t = Σ_u M_tu (noise at u): blocks [states, states] of a map from all drives to all states.
fn response(a: &DMatrix<f64>, bins: usize) -> DMatrix<f64> {
    let n = a.nrows();
    let taylor = DMatrix::from_fn(DEGREE + 1, DEGREE + 1, |i, j| {
        (1..=j).fold(1.0, |p, m| p * (i as f64 - (DEGREE / 2) as f64) / m as f64)
    });
    let embedding = taylor.try_inverse().unwrap();
    let (e, moments) = moments(a);
    let mut map = DMatrix::zeros(n * bins, n * bins);
    for t in 0..bins - 1 {
        let before = map.rows(n * t, n).into_owned();
        let mut now = &e * before;
        for j in 0..=DEGREE {
            let at = (t + j).saturating_sub(DEGREE / 2).min(bins - 1);
            for (k, moment) in moments.iter().enumerate() {
                let mut place = now.columns_mut(n * at, n);
                place += moment * embedding[(k, j)];
            }
        }
        map.rows_mut(n * (t + 1), n).copy_from(&now);
    }
    map
}

impl JointGaussian {
    pub fn new(smoothness: f64, bins: usize) -> Self {
        let a = DMatrix::from_row_slice(STATES, STATES, &[-0.25, 1.0, -0.5, -0.25]);
        let map = response(&a, bins);
        let theta = Linear::convolution().defaults();
        let c = DMatrix::from_column_slice(OUTPUTS, STATES, &theta[4..12]);
        let k = kernel(smoothness, bins);
        let samples = k.transpose() * &k;
        let e8 = f64::exp(8.0);
        // Covariance of the drive B v + w: variance 1 + e^{-8} in the first state, e^{-8} in the second.
        let drive = DMatrix::from_fn(STATES * bins, STATES * bins, |i, j| {
            let variance = 1.0 / e8 + if i % STATES == 0 { 1.0 } else { 0.0 };
            if i % STATES == j % STATES {
                variance * samples[(i / STATES, j / STATES)]
            } else {
                0.0
            }
        });
        let states = &map * &drive * map.transpose();
        let mut seen = DMatrix::zeros(OUTPUTS * bins, STATES * bins);
        for t in 0..bins {
            seen.view_mut((OUTPUTS * t, STATES * t), (OUTPUTS, STATES))
                .copy_from(&c);
        }
        let cross = &states * seen.transpose();
        let noise = DMatrix::from_fn(OUTPUTS * bins, OUTPUTS * bins, |i, j| {
            if i % OUTPUTS == j % OUTPUTS {
                samples[(i / OUTPUTS, j / OUTPUTS)] / e8
            } else {
                0.0
            }
        });
        let outputs = &seen * &cross + noise;
        Self {
            bins,
            smoothness,
            map,
            seen,
            states,
            cross,
            outputs,
        }
    }

    /// What is known of every bin t from the samples up to t + `ahead`, as far as there are such samples.
    pub fn posteriors(&self, ahead: usize) -> Vec<Posterior> {
        (0..self.bins.saturating_sub(ahead))
            .map(|t| {
                let known = OUTPUTS * (t + ahead + 1);
                let factor = self.outputs.view((0, 0), (known, known)).into_owned();
                let cross = self.cross.view((STATES * t, 0), (STATES, known));
                let solved = factor.cholesky().unwrap().solve(&cross.transpose());
                let prior = self.states.view((STATES * t, STATES * t), (STATES, STATES));
                Posterior {
                    covariance: prior - cross * &solved,
                    weights: solved.transpose(),
                }
            })
            .collect()
    }

    /// A draw of all noises.
    pub fn draw(&self, seed: u64) -> Drawn {
        let bins = self.bins;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let kind = Autocorrelation::SampledGaussian {
            smoothness: self.smoothness,
        };
        let drawn = kind.sample(STATES + 1 + OUTPUTS, bins, &mut rng).unwrap();
        let deviation = f64::exp(-4.0);
        let input = DVector::from_fn(STATES * bins, |i, _| {
            let cause = if i % STATES == 0 {
                drawn[(STATES, i / STATES)]
            } else {
                0.0
            };
            drawn[(i % STATES, i / STATES)] * deviation + cause
        });
        let x = &self.map * input;
        let z = DVector::from_fn(OUTPUTS * bins, |i, _| {
            drawn[(STATES + 1 + i % OUTPUTS, i / OUTPUTS)] * deviation
        });
        let y = &self.seen * &x + z;
        Drawn {
            states: DMatrix::from_column_slice(STATES, bins, x.as_slice()),
            outputs: DMatrix::from_column_slice(OUTPUTS, bins, y.as_slice()),
        }
    }

    /// ln p of the first samples, `[4, at most bins]`.
    pub fn log_evidence(&self, outputs: &DMatrix<f64>) -> f64 {
        let size = outputs.len();
        let y = DVector::from_column_slice(outputs.as_slice());
        let covariance = self.outputs.view((0, 0), (size, size)).into_owned();
        let factor = covariance.cholesky().unwrap();
        let log_determinant: f64 = factor.l().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
        let constant = size as f64 * (2.0 * std::f64::consts::PI).ln();
        -0.5 * (y.dot(&factor.solve(&y)) + log_determinant + constant)
    }
}

/// Squared error, e'P⁻¹e and how many numbers, summed.
#[derive(Default, Clone, Copy)]
pub struct Errors {
    pub squares: f64,
    pub normalised: f64,
    pub count: f64,
    pub ranked: f64,
}

impl Errors {
    /// A mean and covariance against the truth. A start that is known has no variance, and no part in NEES.
    pub fn add(&mut self, mean: &DVector<f64>, covariance: &DMatrix<f64>, truth: &[f64]) {
        let error = mean - DVector::from_column_slice(truth);
        self.squares += error.norm_squared();
        self.count += error.len() as f64;
        if let Some(factor) = covariance.clone().cholesky() {
            self.normalised += error.dot(&factor.solve(&error));
            self.ranked += error.len() as f64;
        }
    }

    pub fn rmse(&self) -> f64 {
        (self.squares / self.count).sqrt()
    }

    pub fn nees(&self) -> f64 {
        self.normalised / self.ranked
    }
}
