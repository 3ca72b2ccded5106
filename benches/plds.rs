//! Timing of Poisson and Bernoulli linear dynamical systems: one bin of the filter, of the smoother, of learning online.
//!
//! `cargo bench -p scotopic-benches --bench plds`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scotopic_filtering::Sequence;
use scotopic_filtering::nalgebra::{DMatrix, DVector};
use scotopic_filtering::plds::{CountLaw, Plds, PldsFilter, PldsLearn};
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

/// Bins per iteration.
const LENGTH: usize = 1000;

/// Latents that decay within 300 ms, in bins of 10 ms, and neurons of 5 spikes a second.
fn model(law: CountLaw, neurons: usize, latents: usize) -> Plds {
    let decay = 0.967;
    let f = DMatrix::from_fn(latents, latents, |i, j| match i as i64 - j as i64 {
        0 => decay,
        1 => 0.05,
        -1 => -0.05,
        _ => 0.0,
    });
    let q = DMatrix::identity(latents, latents) * (1.0 - decay * decay);
    let scale = 0.8 / (latents as f64).sqrt();
    let c = DMatrix::from_fn(neurons, latents, |i, a| {
        scale * ((1 + 7 * i + 3 * a) as f64).sin()
    });
    let d = DVector::from_element(neurons, 0.05_f64.ln());
    Plds::new(law, f, q, c, d).unwrap()
}

fn data(model: &Plds) -> Sequence {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    model.sample(LENGTH, &mut rng).unwrap().1
}

fn update(c: &mut Criterion) {
    let mut group = c.benchmark_group("plds update");
    group.throughput(Throughput::Elements(LENGTH as u64));
    for (law, neurons, latents) in [
        (CountLaw::Poisson, 20, 3),
        (CountLaw::Poisson, 100, 10),
        (CountLaw::Bernoulli, 100, 10),
    ] {
        let model = model(law, neurons, latents);
        let data = data(&model);
        let name = format!("{}, {neurons} neurons, {latents} latents", law.name());
        group.bench_function(&name, |b| {
            let mut filter = PldsFilter::new(model.clone()).unwrap();
            b.iter(|| {
                for y in data.iter() {
                    black_box(filter.update(y).unwrap());
                }
            })
        });
    }
    group.finish();
}

fn whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("plds of 100 neurons, 10 latents");
    group
        .throughput(Throughput::Elements(LENGTH as u64))
        .sample_size(10);
    let model = model(CountLaw::Poisson, 100, 10);
    let data = data(&model);
    group.bench_function("smoother", |b| {
        b.iter(|| black_box(model.smooth(&data).unwrap()))
    });
    group.bench_function("learning online", |b| {
        b.iter(|| {
            let mut learning = model.clone().learn_online(PldsLearn::default()).unwrap();
            for y in data.iter() {
                black_box(learning.update(y).unwrap());
            }
        })
    });
    group.finish();
}

criterion_group!(benches, update, whole);
criterion_main!(benches);
