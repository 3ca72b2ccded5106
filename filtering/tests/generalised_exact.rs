//! The causal filter against the posterior of one joint Gaussian over all samples (equations E4), which this
//! file computes by itself: section 10's linear map with dense matrices.

use scotopic_filtering::generalised::causal::{CausalGeneralisedFilter, CausalSettings};
use scotopic_filtering::generalised::model::{GenerativeModel, Linear};
use scotopic_filtering::generalised::noise::Autocorrelation;
use scotopic_filtering::generalised::scheme::{Embedding, Scheme};
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

const BINS: usize = 48;
const SEEDS: u64 = 12;
/// The filter may err by this factor more than the exact posterior.
const OF_THE_BOUND: f64 = 1.05;

/// Columns of K with unit norm: noise = white · K, so K'K is the covariance of the samples.
fn kernel(s: f64) -> DMatrix<f64> {
    let mut k = DMatrix::from_fn(BINS, BINS, |i, j| {
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

/// ∫_0^1 e^{A(1−r)} r^k/k! dr for k = 0 … 6, from the exponential of a block matrix.
fn moments(a: &DMatrix<f64>) -> (DMatrix<f64>, Vec<DMatrix<f64>>) {
    let (n, orders) = (a.nrows(), 7);
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
fn response(a: &DMatrix<f64>) -> DMatrix<f64> {
    let n = a.nrows();
    let taylor = DMatrix::from_fn(7, 7, |i, j| {
        (1..=j).fold(1.0, |p, m| p * (i as f64 - 3.0) / m as f64)
    });
    let embedding = taylor.try_inverse().unwrap();
    let (e, moments) = moments(a);
    let mut map = DMatrix::zeros(n * BINS, n * BINS);
    for t in 0..BINS - 1 {
        let before = map.rows(n * t, n).into_owned();
        let mut now = &e * before;
        for j in 0..7 {
            let at = (t + j).saturating_sub(3).min(BINS - 1);
            for (k, moment) in moments.iter().enumerate() {
                let mut place = now.columns_mut(n * at, n);
                place += moment * embedding[(k, j)];
            }
        }
        map.rows_mut(n * (t + 1), n).copy_from(&now);
    }
    map
}

#[test]
fn fresh_data_is_filtered_as_well_as_by_the_joint_gaussian() {
    let a = DMatrix::from_row_slice(2, 2, &[-0.25, 1.0, -0.5, -0.25]);
    let map = response(&a);
    let equations = Linear::convolution();
    let theta = equations.defaults();
    let c = DMatrix::from_column_slice(4, 2, &theta[4..12]);
    let e8 = f64::exp(8.0);
    for s in [0.0, 0.5, 1.0] {
        let k = kernel(s);
        let samples = k.transpose() * &k;
        // Covariance of the drive B v + w: variance 1 + e^{-8} in the first state, e^{-8} in the second.
        let drive = DMatrix::from_fn(2 * BINS, 2 * BINS, |i, j| {
            let variance = 1.0 / e8 + if i % 2 == 0 { 1.0 } else { 0.0 };
            if i % 2 == j % 2 {
                variance * samples[(i / 2, j / 2)]
            } else {
                0.0
            }
        });
        let states = &map * &drive * map.transpose();
        let mut seen = DMatrix::zeros(4 * BINS, 2 * BINS);
        for t in 0..BINS {
            seen.view_mut((4 * t, 2 * t), (4, 2)).copy_from(&c);
        }
        let cross = &states * seen.transpose();
        let noise = DMatrix::from_fn(4 * BINS, 4 * BINS, |i, j| {
            if i % 4 == j % 4 {
                samples[(i / 4, j / 4)] / e8
            } else {
                0.0
            }
        });
        let outputs = &seen * &cross + noise;
        let rows: Vec<_> = (0..BINS)
            .map(|t| {
                let factor = outputs
                    .view((0, 0), (4 * t + 4, 4 * t + 4))
                    .into_owned()
                    .cholesky();
                let known = cross.view((2 * t, 0), (2, 4 * t + 4)).transpose();
                factor.unwrap().solve(&known).transpose()
            })
            .collect();
        let (mut found, mut bound, mut nees, mut evidence) = (0.0, 0.0, 0.0, 0.0_f64);
        for seed in 0..SEEDS {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(100 + seed);
            let kind = Autocorrelation::SampledGaussian { smoothness: s };
            let drawn = kind.sample(7, BINS, &mut rng).unwrap();
            let input = DVector::from_fn(2 * BINS, |i, _| {
                let w = drawn[(i % 2, i / 2)] / f64::exp(4.0);
                w + if i % 2 == 0 { drawn[(2, i / 2)] } else { 0.0 }
            });
            let x = &map * input;
            let y = &seen * &x
                + DVector::from_fn(4 * BINS, |i, _| drawn[(3 + i % 4, i / 4)] / f64::exp(4.0));
            let model =
                GenerativeModel::single(Linear::convolution(), &theta, e8, e8, 1.0, &[0.0, 0.0]);
            let embedding = Embedding {
                states: 6,
                causes: 2,
                smoothness: s,
            };
            let settings = CausalSettings::from(embedding);
            let mut filter = CausalGeneralisedFilter::new(model.unwrap(), settings, None).unwrap();
            for (t, weights) in rows.iter().enumerate() {
                filter.update(Some(y.rows(4 * t, 4).as_slice())).unwrap();
                let truth = x.rows(2 * t, 2);
                let exact = weights * y.rows(0, 4 * t + 4);
                bound += (exact - truth).norm_squared();
                let error = DVector::from_column_slice(filter.states()) - truth;
                found += error.norm_squared();
                let p = DMatrix::from_row_slice(2, 2, filter.state_covariance());
                if let Some(factor) = p.cholesky() {
                    nees +=
                        error.dot(&factor.solve(&error)) / (2 * (BINS - 1)) as f64 / SEEDS as f64;
                }
            }
            let factor = outputs.clone().cholesky().unwrap();
            let log_determinant: f64 = factor.l().diagonal().iter().map(|d| 2.0 * d.ln()).sum();
            let constant = (4 * BINS) as f64 * (2.0 * std::f64::consts::PI).ln();
            let exact = -0.5 * (y.dot(&factor.solve(&y)) + log_determinant + constant);
            evidence = evidence.max((filter.log_evidence().unwrap() - exact).abs());
        }
        let ratio = (found / bound).sqrt();
        println!(
            "s {s}: RMSE / exact {ratio:.4}, NEES {nees:.3}, log evidence within {evidence:.2} nats"
        );
        assert!(ratio < OF_THE_BOUND, "s {s}: {ratio}");
        // 12 runs of 47 bins: the standard deviation of this mean is about 0.06.
        assert!((0.85..1.15).contains(&nees), "s {s}: {nees}");
        // The first and last bins, where the generator repeats samples, in about 450 nats.
        assert!(evidence < 8.0, "s {s}: {evidence}");
    }
}
