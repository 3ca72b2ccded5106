//! The scan with given kernels, forward and backward.

use burn::backend::{TensorMetadata, cubecl::dtype_to_storage_type};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::without_step;
use super::{IMPOSSIBLE, NONE, groups, returned, taken, threads};

/// Where b_t of a row starts in `[1 or batch, 1 or time, K, K]`.
#[cube]
fn start<F: Float>(kernels: &Tensor<F>, row: usize, t: usize, #[comptime] k: usize) -> usize {
    let row = select(kernels.shape(0) == 1, 0, row);
    let t = select(kernels.shape(1) == 1, 0, t);
    (row * kernels.shape(1) + t) * (k * k)
}

#[cube(launch)]
fn forward_kernel<F: Float>(
    gain: &Tensor<F>,
    belief: &Tensor<F>,
    kernels: &Tensor<F>,
    out: &mut Tensor<F>,
    minus_infinity: f32,
    #[comptime] k: usize,
    #[define(F)] _dtype: ElemType,
) {
    let row = CUBE_POS;
    if row >= gain.shape(0) {
        terminate!();
    }
    let time = gain.shape(1);
    let threads = CUBE_DIM_X as usize;
    let mut before = Shared::<[f32]>::new_slice(k);
    let mut value = Shared::<[f32]>::new_slice(k);
    for t in 0..time {
        let at = (row * time + t) * k;
        let first = start::<F>(kernels, row, t, k);
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let mut y = taken(f32::cast_from(gain[at + s]));
            if t > 0 {
                let mut lost = false;
                for from in 0..k {
                    let b = f32::cast_from(kernels[first + s * k + from]);
                    if b != 0.0f32 {
                        if before[from] < IMPOSSIBLE {
                            lost = true;
                        } else {
                            y += b * before[from];
                        }
                    }
                }
                if lost {
                    y = NONE.runtime();
                }
            }
            value[s] = select(y < IMPOSSIBLE, NONE, y);
            s += threads;
        }
        sync_cube();
        let mut mean = 0.0f32;
        let mut lost = false;
        for i in 0..k {
            let q = f32::cast_from(belief[at + i]);
            if q != 0.0f32 {
                if value[i] < IMPOSSIBLE {
                    lost = true;
                } else {
                    mean += q * value[i];
                }
            }
        }
        let shift = select(lost, 0.0f32, mean);
        let at = (row * time + t) * (k + 1);
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let y = value[s];
            let x = select(y < IMPOSSIBLE, NONE, y - shift);
            before[s] = x;
            out[at + s] = F::cast_from(returned(x, minus_infinity));
            s += threads;
        }
        if UNIT_POS_X == 0 {
            out[at + k] = F::cast_from(select(lost, minus_infinity, mean));
        }
        sync_cube();
    }
}

/// Everything of one row in one work group.
pub(super) fn forward(
    gain: CubeTensor,
    belief: CubeTensor,
    kernels: CubeTensor,
    out: CubeTensor,
) -> CubeTensor {
    let [batch, _, k] = gain.shape().dims();
    if batch == 0 {
        return out;
    }
    let client = gain.client.clone();
    let dtype = gain.dtype;
    forward_kernel::launch(
        &client,
        groups(batch),
        threads(k),
        gain.into_tensor_arg(),
        belief.into_tensor_arg(),
        kernels.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        f32::NEG_INFINITY,
        k,
        dtype_to_storage_type(dtype),
    );
    out
}

#[cube(launch)]
fn backward_kernel<F: Float>(
    scanned: &Tensor<F>,
    cotangent: &Tensor<F>,
    belief: &Tensor<F>,
    kernels: &Tensor<F>,
    by_gain: &mut Tensor<F>,
    by_belief: &mut Tensor<F>,
    by_kernels: &mut Tensor<F>, // [batch, 1 or time, K, K]
    #[comptime] k: usize,
    #[define(F)] _dtype: ElemType,
) {
    let row = CUBE_POS;
    if row >= by_gain.shape(0) {
        terminate!();
    }
    let time = by_gain.shape(1);
    let steps = by_kernels.shape(1);
    let threads = CUBE_DIM_X as usize;
    let mut asked = Shared::<[f32]>::new_slice(k); // X
    let mut by_value = Shared::<[f32]>::new_slice(k); // ȳ
    let mut later = Shared::<[f32]>::new_slice(k); // r; each entry is one thread's own
    let mut s = UNIT_POS_X as usize;
    while s < k {
        later[s] = 0.0f32;
        // The first kernel of a row: that of all times, or of a step that does not read it.
        for to in 0..k {
            by_kernels[(row * steps * k + to) * k + s] = F::cast_from(0.0f32);
        }
        s += threads;
    }
    for back in 0..time {
        let t = time - 1 - back;
        let at = (row * time + t) * (k + 1);
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let x = taken(f32::cast_from(scanned[at + s]));
            let both = f32::cast_from(cotangent[at + s]) + later[s];
            asked[s] = select(x < IMPOSSIBLE, 0.0f32, both);
            s += threads;
        }
        sync_cube();
        let mut sum = 0.0f32;
        for i in 0..k {
            sum += asked[i];
        }
        let mean = taken(f32::cast_from(scanned[at + k]));
        let lost = mean < IMPOSSIBLE;
        let surplus = select(lost, 0.0f32, f32::cast_from(cotangent[at + k]) - sum);
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let state = (row * time + t) * k + s;
            let q = f32::cast_from(belief[state]);
            let value = asked[s] + q * surplus;
            let y = taken(f32::cast_from(scanned[at + s])) + mean;
            by_value[s] = value;
            by_gain[state] = F::cast_from(value);
            by_belief[state] = F::cast_from(select(y < IMPOSSIBLE, 0.0f32, y * surplus));
            s += threads;
        }
        sync_cube();
        if t > 0 {
            let first = start::<F>(kernels, row, t, k);
            let into = (row * steps + select(steps == 1, 0, t)) * (k * k);
            let mut from = UNIT_POS_X as usize;
            while from < k {
                let x = taken(f32::cast_from(scanned[at - (k + 1) + from]));
                let x = select(x < IMPOSSIBLE, 0.0f32, x);
                let mut sum = 0.0f32;
                for to in 0..k {
                    sum += by_value[to] * f32::cast_from(kernels[first + to * k + from]);
                    let entry = into + to * k + from;
                    let mut total = by_value[to] * x;
                    if steps == 1 {
                        total += f32::cast_from(by_kernels[entry]);
                    }
                    by_kernels[entry] = F::cast_from(total);
                }
                later[from] = sum;
                from += threads;
            }
        }
        sync_cube();
    }
}

/// What the way back starts from.
pub(super) struct Given {
    pub scanned: CubeTensor,
    pub cotangent: CubeTensor,
    pub belief: CubeTensor,
    pub kernels: CubeTensor,
}

/// Fills the gradients with respect to g, q and, a part a row, b.
pub(super) fn backward(
    given: Given,
    by_gain: CubeTensor,
    by_belief: CubeTensor,
    by_kernels: CubeTensor,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let Given {
        scanned,
        cotangent,
        belief,
        kernels,
    } = given;
    let [batch, _, k] = without_step(&scanned.shape());
    if batch > 0 {
        let client = scanned.client.clone();
        let dtype = scanned.dtype;
        backward_kernel::launch(
            &client,
            groups(batch),
            threads(k),
            scanned.into_tensor_arg(),
            cotangent.into_tensor_arg(),
            belief.into_tensor_arg(),
            kernels.into_tensor_arg(),
            by_gain.clone().into_tensor_arg(),
            by_belief.clone().into_tensor_arg(),
            by_kernels.clone().into_tensor_arg(),
            k,
            dtype_to_storage_type(dtype),
        );
    }
    (by_gain, by_belief, by_kernels)
}
