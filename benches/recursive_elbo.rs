//! Timing of the recursive evidence bound, and of the same composed of tensor operations.
//!
//! `cargo bench -p scotopic-benches --bench recursive_elbo`

use std::hint::black_box;

use burn::tensor::{Device, Tensor, TensorData, activation::log_softmax};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scotopic::noise::{NoiseKey, uniform};
use scotopic::ops::recursive_elbo;

const BATCH: usize = 64;
const TIME: usize = 1000;
const STATES: usize = 16;

/// Numbers on (−`spread`, 0).
fn numbers<const D: usize>(
    stream: u32,
    shape: [usize; D],
    spread: f32,
    device: &Device,
) -> Tensor<D> {
    let key = NoiseKey::new(5).stream(stream);
    let n = shape.iter().product::<usize>() as u32;
    let values: Vec<f32> = (0..n)
        .map(|i| -spread * uniform(key.words(i, 0)[0]))
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// ℓ, logits of p(s_1) and of p(s|s').
fn arguments(device: &Device) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
    (
        numbers(0, [BATCH, TIME, STATES], 3.0, device),
        numbers(1, [1, STATES], 1.0, device),
        numbers(2, [STATES, STATES], 4.0, device),
    )
}

fn scanned(l: Tensor<3>, initial: Tensor<2>, transition: Tensor<2>) -> Tensor<1> {
    let (initial, transition) = (log_softmax(initial, 1), log_softmax(transition, 1));
    recursive_elbo(l, initial, transition).increments.sum()
}

fn composed(l: Tensor<3>, initial: Tensor<2>, transition: Tensor<2>) -> Tensor<1> {
    let (initial, transition) = (log_softmax(initial, 1), log_softmax(transition, 1));
    let [batch, time, k] = l.dims();
    let transition = transition.reshape([1, k, k]);
    let mut predicted = initial.expand([batch, k]);
    let mut evidence = Vec::with_capacity(time);
    for t in 0..time {
        let seen = l.clone().slice([0..batch, t..t + 1, 0..k]);
        let w = predicted + seen.reshape([batch, k]);
        let c = log_sum_exp(w.clone(), 1);
        let paths = (w - c.clone()).reshape([batch, k, 1]) + transition.clone();
        predicted = log_sum_exp(paths, 1).reshape([batch, k]);
        evidence.push(c);
    }
    Tensor::cat(evidence, 1).sum()
}

fn log_sum_exp<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let most = x.clone().detach().max_dim(dim);
    (x - most.clone()).exp().sum_dim(dim).log() + most
}

fn evidence(c: &mut Criterion) {
    type Bound = fn(Tensor<3>, Tensor<2>, Tensor<2>) -> Tensor<1>;
    let device = Device::flex();
    let (l, initial, transition) = arguments(&device);
    let mut group = c.benchmark_group(format!("evidence of [{BATCH}, {TIME}, {STATES}]"));
    group.sample_size(10);
    group.throughput(Throughput::Elements((BATCH * TIME) as u64));
    for (name, bound) in [("one scan", scanned as Bound), ("composed", composed)] {
        group.bench_function(format!("{name}, forward"), |b| {
            b.iter(|| {
                let bound = bound(l.clone(), initial.clone(), transition.clone());
                black_box(bound.into_scalar::<f32>())
            });
        });
        let (l, initial, transition) = arguments(&device.clone().autodiff());
        let (l, transition) = (l.require_grad(), transition.require_grad());
        group.bench_function(format!("{name}, forward and backward"), |b| {
            b.iter(|| {
                let bound = bound(l.clone(), initial.clone(), transition.clone());
                let gradients = bound.backward();
                black_box((l.grad(&gradients), transition.grad(&gradients)))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, evidence);
criterion_main!(benches);
