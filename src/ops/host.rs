//! The bridge between a CPU backend's tensors and slices, for both float widths.

use burn::backend::{Backend, TensorMetadata, tensor::FloatTensor};
use burn::tensor::{DType, Element, Shape, TensorData};

/// The values of one tensor, in the precision it has.
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// Takes a tensor of a CPU backend apart: values in row-major order, shape, device.
///
/// Half precision is widened to f32: no kernel here gains from less.
///
/// # Panics
/// Where the backend cannot hand out memory that it owns; the CPU backends always can.
pub(crate) fn values<B: Backend>(tensor: FloatTensor<B>) -> (Values, Shape, B::Device) {
    let (shape, device) = (tensor.shape(), tensor.device());
    let data = burn::tensor::read_sync(B::float_into_data(tensor))
        .expect("a CPU backend reads its own memory");
    let values = match data.dtype() {
        DType::F64 => Values::F64(
            data.try_into_vec::<f64>()
                .expect("the width was just checked"),
        ),
        DType::F32 => Values::F32(
            data.try_into_vec::<f32>()
                .expect("the width was just checked"),
        ),
        _ => Values::F32(data.iter::<f32>().collect()),
    };
    (values, shape, device)
}

/// A tensor of a CPU backend.
pub(crate) fn tensor<B: Backend>(
    values: Vec<impl Element>,
    shape: Shape,
    device: &B::Device,
) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape), device)
}
