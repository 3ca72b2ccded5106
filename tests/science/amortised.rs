//! The filter whose value and score are carried by networks, against the exact answers of linear-Gaussian models.

use burn::tensor::{Device, Tensor};
use scotopic::filtering::gaussian::{
    GaussianKernel, Kalman, LinearGaussian, Value, ValueRecursion,
};
use scotopic::filtering::nalgebra::{DMatrix, DVector};
use scotopic::filtering::nonlinear::{
    self, Learn, Schedule, Settings, models::Ar1Poisson as Counts,
};
use scotopic::filtering::{Error, Sequence};
use scotopic_models::filtering::{
    AmortisedFilter, AmortisedSettings, AmortisedSnapshot, AmortisedState, Ar1Poisson, Linear,
    NeuralTransition, TensorStateSpace,
};

use crate::devices::on_every_device;
use crate::numbers::read;
use crate::toy::numbers;

fn place() -> Device {
    Device::flex()
}

fn fast() -> AmortisedSettings {
    AmortisedSettings {
        iterations: 120,
        ..AmortisedSettings::default()
    }
}

/// Observations that wander, `[m]` each.
fn wandering(len: usize, m: usize) -> Vec<Vec<f64>> {
    let noise = numbers(31, len * m, -1.0, 1.0);
    let at = |(t, row): (usize, &[f64])| {
        let wave = 1.5 * (t as f64 * 0.4).sin();
        row.iter().map(|e| wave + e).collect()
    };
    noise.chunks(m).enumerate().map(at).collect()
}

fn run<M: TensorStateSpace>(filter: &AmortisedFilter<M>, data: &[Vec<f64>]) -> Vec<AmortisedState> {
    let mut states = vec![filter.start().expect("a state")];
    for y in data {
        let next = filter.update(&states[states.len() - 1], Some(y));
        states.push(next.expect("an update"));
    }
    states
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let dot = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let cross = dot(&|i| (a[i] - ma) * (b[i] - mb));
    cross / (dot(&|i| (a[i] - ma).powi(2)) * dot(&|i| (b[i] - mb).powi(2))).sqrt()
}

#[test]
fn debug_figures() {
    let (f, q, h, r) = (0.9, 0.2, 1.2, 0.5);
    let data = wandering(20, 1);
    let model = Linear::new([f], [q], [h], [r]).unwrap();
    let exact = LinearGaussian::from_rows(&[[f]], &[[q]], &[[h]], &[[r]]).unwrap();
    let settings = AmortisedSettings {
        score: true,
        ..fast()
    };
    let filter = AmortisedFilter::new(model, settings, &place()).unwrap();
    let now = std::time::Instant::now();
    let states = run(&filter, &data);
    println!("{:?} per observation", now.elapsed() / 20);
    let mut kalman = Kalman::new(exact.clone()).unwrap();
    for (y, s) in data.iter().zip(&states[1..]) {
        let step = kalman.update(Some(y)).unwrap();
        println!(
            "{:.5} {:.5}  {:.5} {:.5}  {:.5} {:.5}",
            s.mean()[0],
            kalman.mean()[0],
            s.variance()[0],
            kalman.covariance()[0],
            s.elbo(),
            step.elbo
        );
    }
    let g = exact.gradient(&Sequence::of_rows(&data).unwrap()).unwrap();
    println!("{:?}", states[20].score());
    println!(
        "{} {} {} {}",
        g.transition[(0, 0)],
        g.process_noise[(0, 0)] * q,
        g.observation[(0, 0)],
        g.observation_noise[(0, 0)] * r
    );
    let _ = (Learn::default(), Schedule::default(), Settings::default());
    let _ = correlation;
    let _: Option<(
        GaussianKernel,
        Value,
        ValueRecursion,
        DMatrix<f64>,
        DVector<f64>,
        Error,
        AmortisedSnapshot,
        Ar1Poisson,
        NeuralTransition,
        Counts,
        Tensor<2>,
    )> = None;
    let _ = read::<2>;
    let _: Option<nonlinear::Filter<Counts>> = None;
}
