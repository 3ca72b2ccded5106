//! θ as a tensor: one row that all samples share, or a row for each sample.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};

/// The parameters θ of a state-space model, `[rows, P]`; rows is 1 or the batch.
///
/// With a row for each sample, one backward pass gives every sample's own ∇_θ, which is what eq. F41 is fitted to.
#[derive(Debug, Clone)]
pub struct Theta(pub Tensor<2>);

impl Theta {
    /// One row.
    pub fn of(values: &[f64], device: &Device) -> Self {
        Self(constant(values, [1, values.len()], device))
    }

    /// Entries `range` of every row, `[rows, range]`.
    pub fn vector(&self, range: Range<usize>) -> Tensor<2> {
        let [rows, _] = self.0.dims();
        self.0.clone().slice([0..rows, range])
    }

    /// The matrix `[outputs, inputs]` that is stored row by row from entry `from` on: `[rows, outputs, inputs]`.
    pub fn matrix(&self, from: usize, [outputs, inputs]: [usize; 2]) -> Tensor<3> {
        let [rows, _] = self.0.dims();
        let flat = self.vector(from..from + outputs * inputs);
        flat.reshape([rows, outputs, inputs])
    }
}

/// A x for every sample: A `[rows, outputs, inputs]`, x `[batch, inputs]` → `[batch, outputs]`; rows is 1 or batch.
pub fn apply(matrix: Tensor<3>, x: Tensor<2>) -> Tensor<2> {
    let [_, outputs, _] = matrix.dims();
    let [batch, inputs] = x.dims();
    let products = matrix * x.reshape([batch, 1, inputs]);
    products.sum_dim(2).reshape([batch, outputs])
}

/// Numbers as a tensor in the precision of the device.
pub(super) fn constant<const D: usize>(
    values: &[f64],
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let single: Vec<f32> = values.iter().map(|&v| v as f32).collect();
    Tensor::from_data(TensorData::new(single, shape), device)
}
