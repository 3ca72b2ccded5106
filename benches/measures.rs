//! Timing of the measures: Gabor fits, read-outs, neighbours.
//!
//! `cargo bench -p scotopic-benches --bench measures`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scotopic::noise::{NoiseKey, uniform};
use scotopic_measures::Rows;
use scotopic_measures::gabor::{Gabor, fit_all};
use scotopic_measures::logistic::LogisticConfig;
use scotopic_measures::neighbours::NeighboursConfig;

/// Numbers on (−1, 1), `n` of them.
fn numbers(stream: u32, n: usize) -> Vec<f32> {
    let key = NoiseKey::new(3).stream(stream);
    let draw = |i| 2.0 * uniform(key.words(i, 0)[0]) - 1.0;
    (0..n as u32).map(draw).collect()
}

fn gabor(c: &mut Criterion) {
    let noise = numbers(0, 512 * 256);
    let filters: Vec<f32> = (0..512usize)
        .flat_map(|k| {
            let [x0, y0, theta, phase] =
                [0, 1, 2, 3].map(|j| f64::from(noise[(4 * k + j) % noise.len()]));
            let truth = Gabor {
                amplitude: 1.0,
                x0: 7.5 + 4.0 * x0,
                y0: 7.5 + 4.0 * y0,
                sigma_x: 2.0,
                sigma_y: 2.5,
                theta: std::f64::consts::FRAC_PI_2 * (1.0 + theta),
                frequency: 0.2,
                phase: std::f64::consts::PI * phase,
            };
            let patch = truth.render(16, 16);
            let disturbed = patch.into_iter().zip(&noise[256 * k..]);
            disturbed
                .map(|(value, noise)| value as f32 + 0.3 * noise)
                .collect::<Vec<f32>>()
        })
        .collect();
    let rows = Rows::new("filters", &filters, [512, 256]).expect("finite numbers");
    let mut group = c.benchmark_group("measures");
    group.sample_size(10);
    group.bench_function("Gabor fits of 512 filters, 16×16", |b| {
        b.iter(|| black_box(fit_all(rows, 16, 16)));
    });
    let x = numbers(1, 10_000 * 512);
    let labels: Vec<u8> = (0..10_000usize)
        .map(|i| u8::from(x[512 * i] > 0.0))
        .collect();
    let rows = Rows::new("codes", &x, [10_000, 512]).expect("finite numbers");
    group.bench_function("logistic regression, 10 000×512, 2 classes", |b| {
        b.iter(|| black_box(LogisticConfig::default().train(rows, &labels, 2)));
    });
    let y = numbers(2, 1000 * 512);
    let test = Rows::new("test", &y, [1000, 512]).expect("finite numbers");
    group.bench_function("five neighbours, 1 000 of 10 000×512", |b| {
        b.iter(|| black_box(NeighboursConfig::default().nearest(rows, test)));
    });
    group.finish();
}

criterion_group!(benches, gabor);
criterion_main!(benches);
