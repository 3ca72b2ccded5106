//! A value that was computed outside of autodiff, with its gradient.
//!
//! The gradient comes with the value, so autodiff is given a number that has it:
//!
//! ```text
//! L(θ) = L̂ + Σ_i ⟨g_i, θ_i⟩ − stop(⟨g_i, θ_i⟩),   g_i = ∂L/∂θ_i
//! ```

use burn::tensor::{Device, Tensor, TensorData};

/// Whether tensors of this device are this process's own memory.
pub(super) fn on_processor(device: &Device) -> bool {
    let device = device.clone().inner();
    #[cfg(feature = "flex")]
    if device == Device::flex() {
        return true;
    }
    #[cfg(feature = "ndarray")]
    #[allow(deprecated)] // upstream; it is an opt-in feature here
    if device == Device::ndarray() {
        return true;
    }
    let _ = device;
    false
}

/// A value that is given its gradient by parts.
pub(super) struct WithGradient {
    /// The value so far.
    pub(super) value: Tensor<1>,
    /// Its device.
    pub(super) device: Device,
}

impl WithGradient {
    /// Gives it the part by a parameter, in row-major order.
    pub(super) fn follow<const D: usize>(&mut self, parameter: &Tensor<D>, gradient: Vec<f32>) {
        let data = TensorData::new(gradient, parameter.dims());
        self.follow_tensor(parameter, Tensor::from_data(data, &self.device));
    }

    /// The same of a gradient that is a tensor of the same device.
    pub(super) fn follow_tensor<const D: usize>(
        &mut self,
        parameter: &Tensor<D>,
        gradient: Tensor<D>,
    ) {
        let linear = (parameter.clone() * gradient).sum();
        self.value = self.value.clone() + (linear.clone() - linear.detach());
    }
}

/// `[row, columns]` of rows that are `wide` apart.
pub(super) fn unpadded(values: Vec<f32>, wide: usize, columns: usize) -> Vec<f32> {
    match wide == columns {
        true => values,
        false => {
            let rows = values.chunks(wide).flat_map(|row| &row[..columns]);
            rows.copied().collect()
        }
    }
}
