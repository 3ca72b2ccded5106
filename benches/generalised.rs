//! Timing of filtering in generalised coordinates: microseconds per bin.
//!
//! `cargo bench -p scotopic-benches --bench generalised`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, Linearisation,
};
use scotopic_filtering::generalised::model::{
    GenerativeModel, Linear, Lorenz, LorenzOutput, NoisePrecision,
};
use scotopic_filtering::generalised::odem::{Odem, OdemConfig};
use scotopic_filtering::generalised::scheme::Embedding;

fn settings(order: usize) -> CausalConfig {
    CausalConfig::from(Embedding {
        states: order,
        ..Embedding::default()
    })
}

/// A signal that never repeats within a run.
fn signal(t: u64, channel: usize) -> f64 {
    (0.3 * t as f64 + channel as f64).sin() + 0.5 * (0.071 * t as f64).cos()
}

fn convolution(c: &mut Criterion) {
    let mut group = c.benchmark_group("a bin of the linear convolution model");
    for order in [0, 2, 4, 6] {
        let equations = Linear::convolution();
        let theta = equations.defaults();
        let e8 = f64::exp(8.0);
        let model = GenerativeModel::single(equations, &theta, e8, e8, 1.0, &[0.0, 0.0])
            .expect("the demonstration's model");
        let mut filter = CausalGeneralisedFilter::new(model, settings(order), None)
            .expect("the default settings");
        group.bench_function(BenchmarkId::from_parameter(order), |b| {
            b.iter(|| {
                let y: [f64; 4] = std::array::from_fn(|i| 0.1 * signal(filter.bins(), i));
                black_box(filter.update(Some(&y))).expect("finite observations");
            });
        });
    }
    group.finish();
}

fn lorenz(c: &mut Criterion) {
    let mut group = c.benchmark_group("a bin of the Lorenz model, order 6");
    for (name, linearisation) in [
        ("tangent", Linearisation::Tangent),
        ("second order", Linearisation::SecondOrder),
        ("third order", Linearisation::ThirdOrder),
    ] {
        let equations = Lorenz::demonstration();
        let theta = equations.defaults();
        let start = [0.9, 0.8, 30.0];
        let model = GenerativeModel::single(equations, &theta, 1.0, 100.0, 1.0, &start)
            .expect("the demonstration's model");
        let assumed = CausalConfig {
            linearisation,
            ..settings(6)
        };
        let mut filter =
            CausalGeneralisedFilter::new(model, assumed, None).expect("the default settings");
        group.bench_function(name, |b| {
            b.iter(|| {
                let y = [20.0 + 10.0 * signal(filter.bins(), 0)];
                black_box(filter.update(Some(&y))).expect("finite observations");
            });
        });
    }
    group.finish();
}

fn odem(c: &mut Criterion) {
    let mut group = c.benchmark_group("a bin of online triple estimation, Lorenz");
    for order in [2, 3] {
        let equations = Lorenz {
            output: LorenzOutput::Each,
            ..Lorenz::default()
        };
        let theta = equations.defaults();
        let mut model = GenerativeModel::single(equations, &theta, 1.0, 1.0, 1.0, &[0.3; 3])
            .expect("the textbook's model");
        let level = &mut model.levels[0];
        level.parameters.covariance[(1, 1)] = 10.0;
        level.output = NoisePrecision::unknown(3, 3.0, 4.0);
        level.motion = NoisePrecision::unknown(3, 3.0, 4.0);
        let base = OdemConfig::default();
        let assumed = OdemConfig {
            filter: CausalConfig {
                linearisation: base.filter.linearisation,
                ..settings(order)
            },
            ..base
        };
        let mut scheme = Odem::new(model, assumed, None).expect("the default settings");
        group.bench_function(BenchmarkId::from_parameter(order), |b| {
            b.iter(|| {
                let y: [f64; 3] =
                    std::array::from_fn(|i| 0.4 + 0.2 * signal(scheme.observations(), i));
                black_box(scheme.update(Some(&y))).expect("finite observations");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, convolution, lorenz, odem);
criterion_main!(benches);
