//! The GPU kernels, in CubeCL: one work group per row of the batch, its threads over the states.
//!
//! The same arithmetic as the CPU's, state sums in the order of the states. −∞ is kept as a large negative
//! number inside a kernel, and put back on the way out: shading languages do not promise to know infinity.

use burn::backend::{TensorMetadata, ops::FloatTensorOps, tensor::FloatTensor};
use burn::tensor::Shape;
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::prelude::*;

use super::{MOST_STATES_ON_GPU, RecursiveElboScan, with_step, without_step};
use crate::ops::cube_numbers::exp_of;

mod given;
mod optimal;

/// ln 0 inside a kernel: sums of a few of them are numbers still.
const NONE: f32 = -1.0e30;

/// What lies below is ln 0.
const IMPOSSIBLE: f32 = -1.0e29;

/// Threads of a work group at most; each GPU has as many.
const MOST_THREADS: usize = 256;

/// Work groups along one axis at most; each GPU has as many.
const MOST_GROUPS: usize = 65_535;

/// A number from outside: −∞ becomes [`NONE`], what is not a number stays so.
#[cube]
fn taken(x: f32) -> f32 {
    select(x < NONE, NONE, x)
}

/// A number for outside.
#[cube]
fn returned(x: f32, minus_infinity: f32) -> f32 {
    select(x < IMPOSSIBLE, minus_infinity, x)
}

/// eˣ for x ≤ 0 that is 0 at −∞ and keeps what is not a number.
#[cube]
fn exp_down(x: f32) -> f32 {
    let y = select(x < -87.0f32, 0.0f32, exp_of(x));
    select(x.is_nan(), x, y)
}

/// The work group of one row for K states.
fn threads(k: usize) -> CubeDim {
    assert!(
        k <= MOST_STATES_ON_GPU,
        "recursive_elbo: {k} states; on a GPU at most {MOST_STATES_ON_GPU}, use a CPU device for more"
    );
    CubeDim::new_1d(k.min(MOST_THREADS) as u32)
}

/// One work group per row; some of the last may have none.
fn groups(batch: usize) -> CubeCount {
    let across = batch.clamp(1, MOST_GROUPS);
    CubeCount::Static(across as u32, batch.div_ceil(across) as u32, 1)
}

fn empty_like(like: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, like.dtype)
}

/// Σ over the first axis of `[batch, …]`, which is left out.
fn over_rows(x: CubeTensor, shape: Shape) -> CubeTensor {
    CubeBackend::float_reshape(CubeBackend::float_sum_dim(x, 0), shape)
}

impl RecursiveElboScan for CubeBackend {
    fn optimal_scan(
        log_likelihood: FloatTensor<Self>,
        log_initial: FloatTensor<Self>,
        log_transition: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let linear = into_contiguous(Self::float_exp(log_transition.clone()));
        let log = into_contiguous(Self::float_swap_dims(log_transition, 0, 1));
        let out = empty_like(&log_likelihood, with_step(&log_likelihood.shape()));
        optimal::forward(
            into_contiguous(log_likelihood),
            into_contiguous(log_initial),
            linear,
            log,
            out,
        )
    }

    fn optimal_scan_backward(
        scanned: FloatTensor<Self>,
        cotangent: FloatTensor<Self>,
        log_transition: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [batch, time, k] = without_step(&scanned.shape());
        let linear = into_contiguous(Self::float_exp(log_transition.clone()));
        let log = into_contiguous(Self::float_swap_dims(log_transition, 0, 1));
        let by_likelihood = empty_like(&scanned, Shape::new([batch, time, k]));
        let by_initial = empty_like(&scanned, Shape::new([batch, k]));
        let by_transition = empty_like(&scanned, Shape::new([batch, k, k]));
        let (by_likelihood, by_initial, by_transition) = optimal::backward(
            optimal::Given {
                scanned: into_contiguous(scanned),
                cotangent: into_contiguous(cotangent),
                linear,
                log,
            },
            by_likelihood,
            by_initial,
            by_transition,
        );
        let by_transition = over_rows(by_transition, Shape::new([k, k]));
        let by_transition = into_contiguous(Self::float_swap_dims(by_transition, 0, 1));
        (by_likelihood, by_initial, by_transition)
    }

    fn given_scan(
        gain: FloatTensor<Self>,
        belief: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let out = empty_like(&gain, with_step(&gain.shape()));
        given::forward(
            into_contiguous(gain),
            into_contiguous(belief),
            into_contiguous(kernels),
            out,
        )
    }

    fn given_scan_backward(
        scanned: FloatTensor<Self>,
        cotangent: FloatTensor<Self>,
        belief: FloatTensor<Self>,
        kernels: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [batch, time, k] = without_step(&scanned.shape());
        let shape = kernels.shape();
        let [rows, steps, ..] = shape.dims::<4>();
        let by_gain = empty_like(&scanned, Shape::new([batch, time, k]));
        let by_belief = empty_like(&scanned, Shape::new([batch, time, k]));
        let by_kernels = empty_like(&scanned, Shape::new([batch, steps, k, k]));
        let (by_gain, by_belief, by_kernels) = given::backward(
            given::Given {
                scanned: into_contiguous(scanned),
                cotangent: into_contiguous(cotangent),
                belief: into_contiguous(belief),
                kernels: into_contiguous(kernels),
            },
            by_gain,
            by_belief,
            by_kernels,
        );
        let by_kernels = if rows == batch {
            by_kernels
        } else {
            over_rows(by_kernels, shape)
        };
        (by_gain, by_belief, by_kernels)
    }
}
