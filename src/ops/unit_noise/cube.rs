//! The GPU kernel, in CubeCL: one thread per element, the same arithmetic as the CPU's.

use burn::backend::{cubecl::dtype_to_storage_type, tensor::FloatTensor};
use burn_cubecl::{CubeBackend, ops::numeric::empty_device_contiguous_dtype};
use cubecl::{calculate_cube_count_elemwise, prelude::*};

use super::UnitNoise;
use crate::ops::cube_numbers::{cos_turns, ln_of, philox4x32, uniform};

#[cube(launch)]
fn unit_noise_kernel<F: Float>(
    out: &mut Tensor<F>,
    key0: u32,
    key1: u32,
    stream: u32,
    step: u32,
    first: u32,
    #[comptime] law: u32,
    #[define(F)] _dtype: ElemType,
) {
    let i = ABSOLUTE_POS;
    if i >= out.len() {
        terminate!();
    }
    let w = philox4x32(first + i as u32, 0u32, step, stream, key0, key1);
    if comptime!(law == 0) {
        let radius = f32::sqrt(-2.0f32 * ln_of(uniform(w.a)));
        out[i] = F::cast_from(radius * cos_turns(uniform(w.b)));
    } else if comptime!(law == 1) {
        out[i] = F::cast_from(ln_of(uniform(w.b)) - ln_of(uniform(w.a)));
    } else {
        out[i] = F::cast_from(-ln_of(-ln_of(uniform(w.a))));
    }
}

impl UnitNoise for CubeBackend {
    fn unit_noise(
        like: FloatTensor<Self>,
        law: u32,
        seed: u64,
        stream: u32,
        step: u32,
        first: u32,
    ) -> FloatTensor<Self> {
        let (dtype, shape) = (like.dtype, like.meta.shape().clone());
        let n = shape.num_elements();
        let client = like.client.clone();
        let out = empty_device_contiguous_dtype(client.clone(), like.device.clone(), shape, dtype);
        if n > 0 {
            let cube_dim = CubeDim::new(&client, n);
            let cube_count = calculate_cube_count_elemwise(&client, n, cube_dim);
            unit_noise_kernel::launch(
                &client,
                cube_count,
                cube_dim,
                out.clone().into_tensor_arg(),
                seed as u32,
                (seed >> 32) as u32,
                stream,
                step,
                first,
                law,
                dtype_to_storage_type(dtype),
            );
        }
        out
    }
}
