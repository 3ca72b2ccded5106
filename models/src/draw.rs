//! Initial values from counter-based noise: the same on any device.

use burn::tensor::{Device, Tensor, TensorData};
use scotopic::noise::{NoiseKey, uniform};

/// Uniform numbers on `[low, high)`, `[n]`.
pub(crate) fn uniform_vector(
    n: usize,
    low: f32,
    high: f32,
    key: NoiseKey,
    device: &Device,
) -> Tensor<1> {
    let values: Vec<f32> = (0..n as u32)
        .map(|i| low + (high - low) * uniform(key.words(i, 0)[0]))
        .collect();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

/// Normal numbers with mean 0 (Box–Muller), `[n]`.
pub(crate) fn normal_vector(n: usize, deviation: f32, key: NoiseKey, device: &Device) -> Tensor<1> {
    let values: Vec<f32> = (0..n as u32)
        .map(|i| {
            let [a, b, ..] = key.words(i, 0);
            let radius = (-2.0 * uniform(a).ln()).sqrt();
            deviation * radius * (std::f32::consts::TAU * uniform(b)).cos()
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [n]), device)
}
