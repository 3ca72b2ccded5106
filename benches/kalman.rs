//! Timing of linear-Gaussian models: updates of the filter, smoothing, learning.
//!
//! `cargo bench -p scotopic-benches --bench kalman`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{
    BlockOnlineEm, GaussianLearn, Kalman, LinearGaussian, OnlineEm, Rmle,
};
use scotopic_filtering::nalgebra::DMatrix;

/// Observations per iteration.
const LENGTH: usize = 1000;

/// A stable model of n states and m observed entries, none of its matrices diagonal.
fn model(n: usize, m: usize) -> LinearGaussian {
    let wave = |i: usize, j: usize| (1.0 + (7 * i + 3 * j) as f64).sin();
    let noise = |n: usize| {
        let a = DMatrix::from_fn(n, n, wave);
        let c = &a * a.transpose() + DMatrix::identity(n, n) * 0.1;
        (&c + c.transpose()) * 0.5
    };
    let f = DMatrix::identity(n, n) * 0.6 + DMatrix::from_fn(n, n, wave) * (0.3 / n as f64);
    let h = DMatrix::from_fn(m, n, |i, j| wave(j + 1, i));
    LinearGaussian::new(f, noise(n), h, noise(m)).unwrap()
}

fn data(m: usize) -> Sequence {
    let row = |t: usize| (0..m).map(move |i| (0.1 * (t * (i + 1)) as f64).sin());
    Sequence::of_rows((0..LENGTH).map(|t| row(t).collect::<Vec<_>>())).unwrap()
}

fn update(c: &mut Criterion) {
    let mut group = c.benchmark_group("kalman update");
    group.throughput(Throughput::Elements(LENGTH as u64));
    for (n, m) in [
        (2, 1),
        (2, 2),
        (4, 2),
        (4, 4),
        (10, 5),
        (10, 10),
        (16, 8),
        (16, 16),
    ] {
        let data = data(m);
        let mut filter = Kalman::new(model(n, m)).unwrap();
        group.bench_function(format!("n {n}, m {m}"), |b| {
            b.iter(|| {
                for y in data.iter() {
                    black_box(filter.update(y).unwrap());
                }
            })
        });
    }
    group.finish();
}

fn smooth(c: &mut Criterion) {
    let mut group = c.benchmark_group("smoother");
    group.throughput(Throughput::Elements(LENGTH as u64));
    for n in [2, 4, 10] {
        let (model, data) = (model(n, n), data(n));
        group.bench_function(format!("n {n}"), |b| {
            b.iter(|| black_box(model.smooth(&data).unwrap()))
        });
    }
    group.finish();
}

fn learn(c: &mut Criterion) {
    let mut group = c.benchmark_group("gaussian learning");
    group
        .throughput(Throughput::Elements(LENGTH as u64))
        .sample_size(20);
    for (n, name, rule) in [
        (
            2,
            "block",
            GaussianLearn::BlockOnlineEm(BlockOnlineEm::default()),
        ),
        (2, "recursive", GaussianLearn::OnlineEm(OnlineEm::default())),
        (2, "rmle", GaussianLearn::Rmle(Rmle::default())),
        (
            10,
            "block",
            GaussianLearn::BlockOnlineEm(BlockOnlineEm::default()),
        ),
    ] {
        let (model, data) = (model(n, n), data(n));
        group.bench_function(format!("{name}, n {n}"), |b| {
            b.iter(|| {
                let mut learning = model.clone().learn_online(&rule).unwrap();
                for y in data.iter() {
                    black_box(learning.update(y).unwrap());
                }
            })
        });
    }
    group.finish();
}

criterion_group!(benches, update, smooth, learn);
criterion_main!(benches);
