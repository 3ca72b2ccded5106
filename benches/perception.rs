//! The clock against the limits: one training step of each kind of model, the operations, inference.
//!
//! `cargo bench -p scotopic-benches`; what the numbers mean is in docs/performance.md.

use std::hint::black_box;

use burn::tensor::{Device, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scotopic::decoder::Decoder;
use scotopic::inference::{RecordOptions, StepForm, Stimulus};
use scotopic::noise::{NoiseKey, uniform};
use scotopic::ops::{
    Law, implicit_step, poisson_counts, relaxed_poisson, softplus_clamped_step, unit_noise,
};
use scotopic::posterior::{Posterior, Sampling};
use scotopic_models::{
    DecoderConfig, Family, ImageDims, Method, Network, NetworkConfig, RuleConfig,
};

const BATCH: usize = 200;
const SIDE: usize = 16;
const PIXELS: usize = SIDE * SIDE;
const LATENTS: usize = 512;
const STEPS: usize = 16;

fn model(family: Family, method: Method, device: &Device) -> Network {
    // Firing rates of a trained network: H = diag ΦᵀΦ of 0.64, for which the explicit step is stable too.
    let config = NetworkConfig {
        picture: ImageDims {
            channels: 1,
            height: SIDE,
            width: SIDE,
        },
        latents: LATENTS,
        family,
        decoder: DecoderConfig {
            init_std: 0.05,
            ..Default::default()
        },
        resting_low: -3.0,
        resting_high: -2.0,
        ..Default::default()
    };
    config
        .init(method, device, 0)
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
    let stimulus = Stimulus::Static(images(&device));
    let mut group = c.benchmark_group("training step, B 200, M 256, K 512, T 16");
    group.sample_size(20);
    let natural = Method::NaturalGradient;
    for (name, family, method, temperature, step) in [
        (
            "iP-VAE, τ = 0.5",
            Family::Poisson,
            natural,
            0.5f32,
            StepForm::Explicit,
        ),
        (
            "iP-VAE, τ = 0.05",
            Family::Poisson,
            natural,
            0.05,
            StepForm::Explicit,
        ),
        (
            "iP-VAE, τ = 0.5, proximal",
            Family::Poisson,
            natural,
            0.5,
            StepForm::Proximal,
        ),
        ("iG-VAE", Family::Gaussian, natural, 0.5, StepForm::Explicit),
        (
            "ia-VAE",
            Family::Gaussian,
            Method::IterativeAmortized,
            0.5,
            StepForm::Explicit,
        ),
        (
            "sa-VAE",
            Family::Gaussian,
            Method::SemiAmortized,
            0.5,
            StepForm::Explicit,
        ),
    ] {
        let model = model(family, method, &device);
        let rule = RuleConfig {
            method,
            step,
            ..Default::default()
        };
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            let mut number = 0u32;
            b.iter(|| {
                number += 1;
                let rule = rule.at(1.0, Sampling::relaxed(temperature));
                let noise = NoiseKey::new(0).step(number);
                let perception = model.perception(rule);
                let (rest, record) = (perception.rest(BATCH), method.learns_from());
                let seen = perception.objective(&stimulus, rest, 0..STEPS, &noise, record, 16.0);
                let loss = seen.expect("there are steps").value;
                let gradients = loss.backward();
                let atoms = model.decoder.atoms().expect("the decoder is linear");
                black_box(atoms.grad(&gradients));
                device.sync().expect("the processor does not fail");
            });
        });
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
        b.iter(|| black_box(softplus_clamped_step(u.clone(), u.clone(), 10.0, 10.0)));
    });
    group.bench_function("implicit step", |b| {
        let gain = u.clone().exp();
        b.iter(|| black_box(implicit_step(u.clone(), gain.clone())));
    });
    for law in [Law::Normal, Law::Laplace, Law::Gumbel] {
        group.bench_function(format!("noise, {law:?}"), |b| {
            b.iter(|| black_box(unit_noise(&u, law, NoiseKey::new(3))));
        });
    }
    group.finish();
}

fn inference(c: &mut Criterion) {
    let device = Device::flex();
    let model = model(Family::Poisson, Method::NaturalGradient, &device);
    let x = images(&device);
    let mut group = c.benchmark_group("inference with exact counts, 16 steps");
    group.sample_size(20);
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("200 images", |b| {
        b.iter(|| {
            let rule = RuleConfig::default().at(1.0, Sampling::EXACT);
            let seen = model.infer(
                x.clone(),
                STEPS,
                rule,
                &NoiseKey::new(0),
                RecordOptions::FINAL,
            );
            black_box(seen.state.components());
        });
    });
    group.finish();
}

criterion_group!(benches, training_step, operations, inference);
criterion_main!(benches);
