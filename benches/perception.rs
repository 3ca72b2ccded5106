//! The clock against the limits: one training step, the operations, inference.
//!
//! `cargo bench --bench perception`; what the numbers mean is in docs/performance.md.

use std::hint::black_box;

use burn::tensor::{Device, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scotopic::inference::Record;
use scotopic::noise::{NoiseKey, uniform};
use scotopic::ops::{clamped_step, poisson_counts, relaxed_poisson};
use scotopic::posterior::Sampling;
use scotopic_models::{IterativeVae, IterativeVaeConfig, RuleConfig};

const BATCH: usize = 200;
const PIXELS: usize = 256;
const LATENTS: usize = 512;
const STEPS: usize = 16;

fn model(device: &Device) -> IterativeVae {
    // Atoms large enough that the network is busy, about 0.1 spikes per neuron and step.
    let config = IterativeVaeConfig {
        pixels: PIXELS,
        latents: LATENTS,
        init_deviation: 0.1,
        resting_low: -3.0,
        resting_high: -2.0,
        ..Default::default()
    };
    config
        .init(device, 0)
        .expect("the constants above are valid")
}

fn images(device: &Device) -> Tensor<2> {
    let key = NoiseKey::new(1);
    let values: Vec<f32> = (0..(BATCH * PIXELS) as u32)
        .map(|i| 2.0 * uniform(key.words(i, 0)[0]) - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, [BATCH, PIXELS]), device)
}

fn training_step(c: &mut Criterion) {
    let device = Device::flex().autodiff();
    let (model, x) = (model(&device), images(&device));
    let mut group = c.benchmark_group("training step, B 200, M 256, K 512, T 16");
    group.sample_size(20);
    for temperature in [0.5f32, 0.05] {
        group.bench_function(
            BenchmarkId::from_parameter(format!("τ = {temperature}")),
            |b| {
                let mut step = 0u32;
                b.iter(|| {
                    step += 1;
                    let rule = RuleConfig::default().at(1.0, Sampling::relaxed(temperature));
                    let seen = model.infer(
                        x.clone(),
                        STEPS,
                        rule,
                        &NoiseKey::new(0).step(step),
                        Record::GENERATED,
                    );
                    let loss = seen.objective(16.0).expect("free energy was recorded");
                    let gradients = loss.backward();
                    black_box(model.decoder.atoms.val().grad(&gradients));
                    device.sync().expect("the processor does not fail");
                });
            },
        );
    }
    group.finish();
}

fn operations(c: &mut Criterion) {
    let device = Device::flex();
    let mut group = c.benchmark_group("operations on [200, 512]");
    group.throughput(Throughput::Elements((BATCH * LATENTS) as u64));
    for log_rate in [-5.0f64, -1.0, 1.0] {
        let u = Tensor::<2>::full([BATCH, LATENTS], log_rate, &device);
        group.bench_function(format!("relaxed, τ = 0.5, ln λ = {log_rate}"), |b| {
            b.iter(|| black_box(relaxed_poisson(u.clone(), 0.5, NoiseKey::new(3))));
        });
        group.bench_function(format!("counts, ln λ = {log_rate}"), |b| {
            b.iter(|| black_box(poisson_counts(u.clone(), NoiseKey::new(3))));
        });
    }
    let u = Tensor::<2>::full([BATCH, LATENTS], -1.0, &device);
    group.bench_function("clamped step", |b| {
        b.iter(|| black_box(clamped_step(u.clone(), u.clone(), 10.0, 10.0)));
    });
    group.finish();
}

fn inference(c: &mut Criterion) {
    let device = Device::flex();
    let (model, x) = (model(&device), images(&device));
    let mut group = c.benchmark_group("inference with exact counts, 16 steps");
    group.sample_size(20);
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("200 images", |b| {
        b.iter(|| {
            let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
            let seen = model.infer(x.clone(), STEPS, rule, &NoiseKey::new(0), Record::FINAL);
            black_box(seen.state.potential());
        });
    });
    group.finish();
}

criterion_group!(benches, training_step, operations, inference);
criterion_main!(benches);
