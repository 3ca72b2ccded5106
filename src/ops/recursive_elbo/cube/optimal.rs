//! The scan with optimal kernels, forward and backward.

use burn::backend::{TensorMetadata, cubecl::dtype_to_storage_type};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::without_step;
use super::{IMPOSSIBLE, NONE, exp_down, groups, returned, taken, threads};
use crate::ops::cube_numbers::ln_of;

/// A predicted probability below this is summed again in logarithms, as on a CPU.
const SMALL: f32 = 1.0e-18;

/// ln Σ_{s'} e^{log_belief(s')} p(s|s') for one s, in logarithms.
#[cube]
fn log_predicted<F: Float>(
    log_belief: &Shared<[f32]>,
    log_transition: &Tensor<F>,
    s: usize,
    #[comptime] k: usize,
) -> f32 {
    let mut most = NONE.runtime();
    for from in 0..k {
        let path = log_belief[from] + taken(f32::cast_from(log_transition[s * k + from]));
        most = select(path > most, path, most);
    }
    let mut log = NONE.runtime();
    if most > IMPOSSIBLE {
        let mut total = 0.0f32;
        for from in 0..k {
            let path = log_belief[from] + taken(f32::cast_from(log_transition[s * k + from]));
            total += exp_down(path - most);
        }
        log = most + ln_of(total);
    }
    log
}

#[cube(launch)]
fn forward_kernel<F: Float>(
    log_likelihood: &Tensor<F>,
    log_initial: &Tensor<F>,
    linear: &Tensor<F>,
    log_transition: &Tensor<F>, // [s, s']
    out: &mut Tensor<F>,
    minus_infinity: f32,
    #[comptime] k: usize,
    #[define(F)] _dtype: ElemType,
) {
    let row = CUBE_POS;
    if row >= log_likelihood.shape(0) {
        terminate!();
    }
    let time = log_likelihood.shape(1);
    let threads = CUBE_DIM_X as usize;
    let mut belief = Shared::<[f32]>::new_slice(k); // not normalised: the largest is 1
    let mut log_belief = Shared::<[f32]>::new_slice(k);
    let mut predicted = Shared::<[f32]>::new_slice(k);
    let mut likelihood = Shared::<[f32]>::new_slice(k);
    let mut scale = 1.0f32;
    for t in 0..time {
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let mut log = taken(f32::cast_from(log_initial[row * k + s]));
            if t > 0 {
                let mut sum = 0.0f32;
                for from in 0..k {
                    sum += belief[from] * f32::cast_from(linear[from * k + s]);
                }
                sum *= scale;
                if sum >= SMALL || sum.is_nan() {
                    log = select(sum.is_nan(), sum, ln_of(sum));
                } else {
                    log = log_predicted::<F>(&log_belief, log_transition, s, k);
                }
            }
            predicted[s] = log;
            likelihood[s] = taken(f32::cast_from(log_likelihood[(row * time + t) * k + s]));
            s += threads;
        }
        sync_cube();
        // Every thread finds the same numbers in the same order.
        let mut top = NONE.runtime();
        let mut unknown = 0.0f32;
        for i in 0..k {
            top = select(likelihood[i] > top, likelihood[i], top);
            unknown = select(likelihood[i].is_nan(), likelihood[i], unknown);
            unknown = select(predicted[i].is_nan(), predicted[i], unknown);
        }
        let mut most = NONE.runtime();
        if top > IMPOSSIBLE {
            for i in 0..k {
                let log = predicted[i] + (likelihood[i] - top);
                most = select(log > most, log, most);
            }
        }
        let possible = most > IMPOSSIBLE;
        if !possible {
            for i in 0..k {
                most = select(predicted[i] > most, predicted[i], most);
            }
        }
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let log = select(possible, predicted[s] + (likelihood[s] - top), predicted[s]);
            let value = select(log > IMPOSSIBLE, exp_down(log - most), 0.0f32);
            belief[s] = select(unknown.is_nan(), unknown, value);
            s += threads;
        }
        sync_cube();
        let mut total = 0.0f32;
        for i in 0..k {
            total += belief[i];
        }
        let log_total = ln_of(max(total, 1.0e-30f32));
        scale = 1.0f32 / max(total, 1.0e-30f32);
        let at = (row * time + t) * (k + 1);
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let log = select(possible, predicted[s] + (likelihood[s] - top), predicted[s]);
            let value = select(log > IMPOSSIBLE, (log - most) - log_total, NONE);
            let value = select(unknown.is_nan(), unknown, value);
            log_belief[s] = value;
            out[at + s] = F::cast_from(returned(value, minus_infinity));
            s += threads;
        }
        if UNIT_POS_X == 0 {
            let increment = select(possible, top + (most + log_total), NONE);
            let increment = select(unknown.is_nan(), unknown, increment);
            out[at + k] = F::cast_from(returned(increment, minus_infinity));
        }
        sync_cube();
    }
}

/// Everything of one row in one work group.
pub(super) fn forward(
    log_likelihood: CubeTensor,
    log_initial: CubeTensor,
    linear: CubeTensor,
    log_transition: CubeTensor,
    out: CubeTensor,
) -> CubeTensor {
    let [batch, _, k] = log_likelihood.shape().dims();
    if batch == 0 {
        return out;
    }
    let client = log_likelihood.client.clone();
    let dtype = log_likelihood.dtype;
    forward_kernel::launch(
        &client,
        groups(batch),
        threads(k),
        log_likelihood.into_tensor_arg(),
        log_initial.into_tensor_arg(),
        linear.into_tensor_arg(),
        log_transition.into_tensor_arg(),
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
    linear: &Tensor<F>,
    log_transition: &Tensor<F>, // [s, s']
    by_likelihood: &mut Tensor<F>,
    by_initial: &mut Tensor<F>,
    by_transition: &mut Tensor<F>, // [row, s, s']
    #[comptime] k: usize,
    #[define(F)] _dtype: ElemType,
) {
    let row = CUBE_POS;
    if row >= by_likelihood.shape(0) {
        terminate!();
    }
    let time = by_likelihood.shape(1);
    let threads = CUBE_DIM_X as usize;
    let mut log_before = Shared::<[f32]>::new_slice(k);
    let mut asked = Shared::<[f32]>::new_slice(k); // λ̄
    let mut by_value = Shared::<[f32]>::new_slice(k); // w̄
    let mut ratio = Shared::<[f32]>::new_slice(k);
    let mut log_small = Shared::<[f32]>::new_slice(k); // ln of what is predicted where it is small, 1 elsewhere
    let mut later = Shared::<[f32]>::new_slice(k); // r; each entry is one thread's own
    let mut s = UNIT_POS_X as usize;
    while s < k {
        later[s] = 0.0f32;
        for to in 0..k {
            by_transition[(row * k + to) * k + s] = F::cast_from(0.0f32);
        }
        s += threads;
    }
    for back in 0..time {
        let t = time - 1 - back;
        let at = (row * time + t) * (k + 1);
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let log = taken(f32::cast_from(scanned[at + s]));
            let both = f32::cast_from(cotangent[at + s]) + later[s];
            asked[s] = select(log < IMPOSSIBLE, 0.0f32, both);
            if t > 0 {
                log_before[s] = taken(f32::cast_from(scanned[at - (k + 1) + s]));
            }
            s += threads;
        }
        sync_cube();
        let mut sum = 0.0f32;
        for i in 0..k {
            sum += asked[i];
        }
        let increment = taken(f32::cast_from(scanned[at + k]));
        let seen = increment >= IMPOSSIBLE || increment.is_nan();
        let surplus = select(seen, f32::cast_from(cotangent[at + k]), 0.0f32) - sum;
        let mut s = UNIT_POS_X as usize;
        while s < k {
            let value = asked[s] + exp_down(taken(f32::cast_from(scanned[at + s]))) * surplus;
            by_value[s] = value;
            by_likelihood[(row * time + t) * k + s] = F::cast_from(select(seen, value, 0.0f32));
            if t == 0 {
                by_initial[row * k + s] = F::cast_from(value);
            } else {
                let mut sum = 0.0f32;
                for from in 0..k {
                    sum += exp_down(log_before[from]) * f32::cast_from(linear[from * k + s]);
                }
                if sum >= SMALL || sum.is_nan() {
                    ratio[s] = value / sum;
                    log_small[s] = 1.0f32;
                } else {
                    ratio[s] = 0.0f32;
                    log_small[s] = log_predicted::<F>(&log_before, log_transition, s, k);
                }
            }
            s += threads;
        }
        sync_cube();
        if t > 0 {
            let mut from = UNIT_POS_X as usize;
            while from < k {
                let log = log_before[from];
                let q = exp_down(log);
                let mut sum = 0.0f32;
                for to in 0..k {
                    let mut passed = f32::cast_from(linear[from * k + to]) * ratio[to] * q;
                    if log_small[to] < 0.0f32 {
                        let path = log + taken(f32::cast_from(log_transition[to * k + from]));
                        if log_small[to] > IMPOSSIBLE && path > IMPOSSIBLE {
                            passed = by_value[to] * exp_down(path - log_small[to]);
                        }
                    }
                    let entry = (row * k + to) * k + from;
                    by_transition[entry] =
                        F::cast_from(f32::cast_from(by_transition[entry]) + passed);
                    sum += passed;
                }
                later[from] = sum;
                from += threads;
            }
        }
        // The next step writes over what this one reads.
        sync_cube();
    }
}

/// What the way back starts from.
pub(super) struct Given {
    pub scanned: CubeTensor,
    pub cotangent: CubeTensor,
    /// p(s|s') at `[s', s]`.
    pub linear: CubeTensor,
    /// ln p(s|s') at `[s, s']`.
    pub log: CubeTensor,
}

/// Fills the gradients with respect to ℓ, ln p(s_1) and, a part a row and transposed, ln p(s|s').
pub(super) fn backward(
    given: Given,
    by_likelihood: CubeTensor,
    by_initial: CubeTensor,
    by_transition: CubeTensor,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let Given {
        scanned,
        cotangent,
        linear,
        log,
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
            linear.into_tensor_arg(),
            log.into_tensor_arg(),
            by_likelihood.clone().into_tensor_arg(),
            by_initial.clone().into_tensor_arg(),
            by_transition.clone().into_tensor_arg(),
            k,
            dtype_to_storage_type(dtype),
        );
    }
    (by_likelihood, by_initial, by_transition)
}
