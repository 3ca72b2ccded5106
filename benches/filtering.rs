//! Timing of exact inference in hidden Markov models, one thread.
//!
//! `cargo bench -p scotopic-benches --bench filtering`
//!
//! Times are of a whole sequence; the throughput is observations per second. A product with A is K²
//! multiplications and additions, 256 for K = 16: 20 to 40 ns, which no filter can be faster than.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{Categorical, DiagonalGaussian, Emission, Filter, Hmm, Sample};
use scotopic_filtering::rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// T, and M of the symbols.
const LENGTH: usize = 100_000;
const SYMBOLS: usize = 32;

/// Distributions drawn evenly over all there are.
fn distributions(rows: usize, n: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<Vec<f64>> {
    let mut row = || {
        let p: Vec<f64> = (0..n).map(|_| -(1.0 - rng.random::<f64>()).ln()).collect();
        let total: f64 = p.iter().sum();
        p.iter().map(|p| p / total).collect()
    };
    (0..rows).map(|_| row()).collect()
}

/// A model that stays in a state with probability 0.7 and more, and data from it.
fn sticky<E: Sample>(emission: E, rng: &mut Xoshiro256PlusPlus) -> (Hmm<E>, Sequence) {
    let k = emission.states();
    let initial = distributions(1, k, rng).concat();
    let mut transition = distributions(k, k, rng);
    for (i, row) in transition.iter_mut().enumerate() {
        row.iter_mut().for_each(|a| *a *= 0.3);
        row[i] += 0.7;
    }
    let model = Hmm::new(initial, transition, emission).expect("distributions");
    let (_, sequence) = model.sample(LENGTH, rng).expect("numbers");
    (model, sequence)
}

fn symbols(k: usize) -> (Hmm<Categorical>, Sequence) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(k as u64);
    let emission = Categorical::new(distributions(k, SYMBOLS, &mut rng)).expect("distributions");
    sticky(emission, &mut rng)
}

fn stream<E: Emission>(model: &Hmm<E>, sequence: &Sequence, lag: usize) -> f64 {
    let mut filter = Filter::new(model.clone()).with_lag(lag);
    for observation in sequence.iter() {
        filter.update(observation).expect("a possible observation");
    }
    filter.elbo()
}

fn hmm(c: &mut Criterion) {
    let mut group = c.benchmark_group("hmm");
    group.throughput(Throughput::Elements(LENGTH as u64));
    group.sample_size(20);
    for k in [2, 4, 8, 16, 20, 32] {
        let (model, sequence) = symbols(k);
        group.bench_function(BenchmarkId::new("log_evidence", k), |b| {
            b.iter(|| black_box(model.log_evidence(&sequence)));
        });
        group.bench_function(BenchmarkId::new("filter", k), |b| {
            b.iter(|| black_box(model.filter(&sequence)));
        });
        group.bench_function(BenchmarkId::new("update", k), |b| {
            b.iter(|| black_box(stream(&model, &sequence, 0)));
        });
        group.bench_function(BenchmarkId::new("update, lag 5", k), |b| {
            b.iter(|| black_box(stream(&model, &sequence, 5)));
        });
        group.bench_function(BenchmarkId::new("smooth", k), |b| {
            b.iter(|| black_box(model.smooth(&sequence)));
        });
        group.bench_function(BenchmarkId::new("expectations", k), |b| {
            b.iter(|| black_box(model.expectations(std::slice::from_ref(&sequence))));
        });
        group.bench_function(BenchmarkId::new("viterbi", k), |b| {
            b.iter(|| black_box(model.viterbi(&sequence)));
        });
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let row = |s: usize| (0..3).map(|d| (s * (d + 1) % 7) as f64).collect::<Vec<_>>();
    let means = (0..16).map(row).collect();
    let emission = DiagonalGaussian::new(means, vec![vec![1.0; 3]; 16]).expect("variances");
    let (model, sequence) = sticky(emission, &mut rng);
    group.bench_function("update, 16 states, 3 normal entries", |b| {
        b.iter(|| black_box(stream(&model, &sequence, 0)));
    });
    group.bench_function("expectations, 16 states, 3 normal entries", |b| {
        b.iter(|| black_box(model.expectations(std::slice::from_ref(&sequence))));
    });
    group.finish();
}

criterion_group!(benches, hmm);
criterion_main!(benches);
