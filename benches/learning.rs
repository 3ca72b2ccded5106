//! Learning in hidden Markov models: 16 states, 32 symbols, 100 000 observations, one thread.
//!
//! What is timed: one update of each online rule with its defaults (an M-step every observation for online EM, so
//! that the statistics of the whole past are read out and used), and one iteration of batch EM over all of it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scotopic_filtering::Sequence;
use scotopic_filtering::hmm::{
    BatchEm, BlockOnlineEm, Categorical, Dirichlet, FixedLag, Hmm, Learn, OnlineEm, Rmle,
};
use scotopic_filtering::rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

const STATES: usize = 16;
const SYMBOLS: usize = 32;
const LENGTH: usize = 100_000;

fn model(seed: u64) -> Hmm<Categorical> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut rows = |rows: usize, columns: usize, stay: f64| -> Vec<Vec<f64>> {
        (0..rows)
            .map(|i| {
                let mut row: Vec<f64> = (0..columns).map(|_| rng.random_range(0.05..1.0)).collect();
                let total: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p *= (1.0 - stay) / total);
                row[i % columns] += stay;
                row
            })
            .collect()
    };
    let transition = rows(STATES, STATES, 0.7);
    let emission = Categorical::new(rows(STATES, SYMBOLS, 0.2)).unwrap();
    Hmm::new(vec![1.0 / STATES as f64; STATES], transition, emission).unwrap()
}

fn learning(c: &mut Criterion) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let (_, data) = model(2).sample(LENGTH, &mut rng).unwrap();
    let mut group = c.benchmark_group("learning");
    group.sample_size(10);
    group.throughput(Throughput::Elements(LENGTH as u64));
    for (name, learn, used) in [
        (
            "block-online-em",
            Learn::BlockOnlineEm(BlockOnlineEm::default()),
            LENGTH,
        ),
        ("fixed-lag", Learn::FixedLag(FixedLag::default()), LENGTH),
        ("dirichlet", Learn::Dirichlet(Dirichlet::default()), LENGTH),
        (
            "online-em, M-step every observation",
            Learn::OnlineEm(OnlineEm::default()),
            LENGTH / 10,
        ),
        ("rmle", Learn::Rmle(Rmle::default()), LENGTH / 10),
    ] {
        let data = data.part(0, used);
        group.throughput(Throughput::Elements(used as u64));
        group.bench_function(BenchmarkId::new("update", name), |b| {
            b.iter(|| pass(&learn, &data));
        });
    }
    group.throughput(Throughput::Elements(LENGTH as u64));
    let once = BatchEm {
        max_iterations: 1,
        tolerance: 0.0,
        ..BatchEm::default()
    };
    let data = [data];
    // Two E-steps and an M-step: the evidence of the new model is reported as well.
    group.bench_function(
        "one iteration of batch EM, and the evidence after it",
        |b| {
            b.iter(|| model(3).fit(&data, &once).unwrap());
        },
    );
    group.finish();
}

fn pass(learn: &Learn, data: &Sequence) -> f64 {
    let mut learning = model(3).learn_online(learn).unwrap();
    for row in data.iter() {
        learning.update(row).unwrap();
    }
    learning.elbo()
}

criterion_group!(benches, learning);
criterion_main!(benches);
