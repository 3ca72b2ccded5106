//! The kernels for CPUs: the rows of a batch, spread over the threads of rayon's pool.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn::tensor::Shape;
use rayon::prelude::*;

use super::RecursiveElboScan;
use super::lanes::Real;
use super::optimal_rows::{self, ByTransition, Scratch, Transition};
use super::{given_rows, given_rows::Kernels};
use crate::ops::host::{Values, tensor, values};

/// Parts that gradients shared by all rows are summed in: a fixed number, so that the bits do not
/// depend on the number of threads.
const PARTS: usize = 32;

/// A width of numbers and its kernels.
trait Width: Real {
    fn optimal(row: optimal_rows::Forward<'_, Self>);
    fn optimal_back(row: optimal_rows::Backward<'_, Self>);
    fn given(row: given_rows::Forward<'_, Self>);
    fn given_back(row: given_rows::Backward<'_, Self>);
}

macro_rules! width {
    ($real:ty, $forward:ident, $backward:ident) => {
        impl Width for $real {
            fn optimal(row: optimal_rows::Forward<'_, Self>) {
                optimal_rows::$forward(row);
            }
            fn optimal_back(row: optimal_rows::Backward<'_, Self>) {
                optimal_rows::$backward(row);
            }
            fn given(row: given_rows::Forward<'_, Self>) {
                given_rows::$forward(row);
            }
            fn given_back(row: given_rows::Backward<'_, Self>) {
                given_rows::$backward(row);
            }
        }
    };
}

width!(f32, forward_f32, backward_f32);
width!(f64, forward_f64, backward_f64);

/// Runs `$body` with the values of tensors, whichever of the two widths they have in common.
macro_rules! with_values {
    ($backend:ty, [$($tensor:ident),+], $body:expr) => {
        match ($(values::<$backend>($tensor).0),+) {
            ($(Values::F32($tensor)),+) => $body,
            ($(Values::F64($tensor)),+) => $body,
            _ => panic!("recursive_elbo: all tensors of a call must have the same precision"),
        }
    };
}

/// `[batch, time, K]`
#[derive(Clone, Copy)]
struct Size {
    batch: usize,
    time: usize,
    k: usize,
}

impl Size {
    fn of(shape: &Shape) -> Self {
        let [batch, time, k] = shape.dims();
        Self { batch, time, k }
    }

    /// Of (λ, c).
    fn of_scanned(shape: &Shape) -> Self {
        let [batch, time, k] = shape.dims();
        Self {
            batch,
            time,
            k: k - 1,
        }
    }

    fn states(self) -> Shape {
        Shape::new([self.batch, self.time, self.k])
    }

    fn scanned(self) -> Shape {
        Shape::new([self.batch, self.time, self.k + 1])
    }

    /// Rows of the batch in one part of a sum over it.
    fn rows_of_part(self) -> usize {
        self.batch.div_ceil(PARTS).max(1)
    }
}

fn optimal<R: Width>(size: Size, l: &[R], initial: &[R], transition: &[R]) -> Vec<R> {
    let Size { batch, time, k } = size;
    let transition = Transition::new(transition, k);
    let mut out = vec![R::ZERO; batch * time * (k + 1)];
    let rows = out.par_chunks_mut(time * (k + 1));
    rows.zip(l.par_chunks(time * k))
        .zip(initial.par_chunks(k))
        .for_each_init(
            || Scratch::new(k),
            |scratch, ((out, log_likelihood), log_initial)| {
                let transition = &transition;
                R::optimal(optimal_rows::Forward {
                    transition,
                    log_likelihood,
                    log_initial,
                    out,
                    scratch,
                });
            },
        );
    out
}

/// Gradients with respect to ℓ `[batch, time, K]`, ln p(s_1) `[batch, K]`, ln p(s|s') `[K, K]`.
fn optimal_back<R: Width>(
    size: Size,
    scanned: &[R],
    cotangent: &[R],
    transition: &[R],
) -> [Vec<R>; 3] {
    let Size { batch, time, k } = size;
    let transition = &Transition::new(transition, k);
    let mut by_likelihood = vec![R::ZERO; batch * time * k];
    let mut by_initial = vec![R::ZERO; batch * k];
    let (outer, inner) = (time * (k + 1), time * k);
    let rows = size.rows_of_part();
    let written = by_likelihood
        .par_chunks_mut(rows * inner)
        .zip(by_initial.par_chunks_mut(rows * k));
    let given = scanned
        .par_chunks(rows * outer)
        .zip(cotangent.par_chunks(rows * outer));
    let parts: Vec<ByTransition<R>> = written
        .zip(given)
        .map(|((by_likelihood, by_initial), (scanned, cotangent))| {
            let mut scratch = Scratch::new(k);
            let mut by_transition = ByTransition::new(k);
            let written = by_likelihood
                .chunks_exact_mut(inner)
                .zip(by_initial.chunks_exact_mut(k));
            let given = scanned
                .chunks_exact(outer)
                .zip(cotangent.chunks_exact(outer));
            for ((by_likelihood, by_initial), (scanned, cotangent)) in written.zip(given) {
                R::optimal_back(optimal_rows::Backward {
                    transition,
                    scanned,
                    cotangent,
                    by_likelihood,
                    by_initial,
                    by_transition: &mut by_transition,
                    scratch: &mut scratch,
                });
            }
            by_transition
        })
        .collect();
    let mut total = ByTransition::new(k);
    parts.iter().for_each(|part| total.add(part));
    [by_likelihood, by_initial, total.finish(transition)]
}

/// The kernels of every row, of `[1 or batch, 1 or time, K, K]`.
fn kernels_of<'a, R>(
    k: usize,
    shared: bool,
    all: &'a [R],
    row: usize,
    one: usize,
) -> Kernels<'a, R> {
    let start = if shared { 0 } else { row * one };
    Kernels {
        k,
        values: &all[start..][..one],
    }
}

fn given<R: Width>(size: Size, shape: &Shape, gain: &[R], belief: &[R], kernels: &[R]) -> Vec<R> {
    let Size { batch, time, k } = size;
    let [rows, steps, ..] = shape.dims::<4>();
    let mut out = vec![R::ZERO; batch * time * (k + 1)];
    let given = gain.par_chunks(time * k).zip(belief.par_chunks(time * k));
    let all = out.par_chunks_mut(time * (k + 1)).zip(given).enumerate();
    all.for_each(|(row, (out, (gain, belief)))| {
        let kernels = kernels_of(k, rows == 1, kernels, row, steps * k * k);
        R::given(given_rows::Forward {
            kernels,
            gain,
            belief,
            out,
        });
    });
    out
}

/// Gradients with respect to g and q `[batch, time, K]`, and b `[1 or batch, 1 or time, K, K]`.
fn given_back<R: Width>(
    size: Size,
    shape: &Shape,
    scanned: &[R],
    cotangent: &[R],
    belief: &[R],
    kernels: &[R],
) -> [Vec<R>; 3] {
    let Size { batch, time, k } = size;
    let [own, steps, ..] = shape.dims::<4>();
    let (outer, inner, one) = (time * (k + 1), time * k, steps * k * k);
    let shared = own == 1;
    let rows = size.rows_of_part();
    let parts = batch.div_ceil(rows);
    let mut by_gain = vec![R::ZERO; batch * inner];
    let mut by_belief = vec![R::ZERO; batch * inner];
    // Where rows share kernels, a part of the sum for each part of the batch.
    let mut by_kernels = vec![R::ZERO; if shared { parts } else { batch } * one];
    let by_part = one * if shared { 1 } else { rows };
    let written = by_gain
        .par_chunks_mut(rows * inner)
        .zip(by_belief.par_chunks_mut(rows * inner));
    let written = written.zip(by_kernels.par_chunks_mut(by_part));
    let given = scanned
        .par_chunks(rows * outer)
        .zip(cotangent.par_chunks(rows * outer));
    let given = given.zip(belief.par_chunks(rows * inner));
    written
        .zip(given)
        .enumerate()
        .for_each(|(part, (written, given))| {
            let ((by_gain, by_belief), by_kernels) = written;
            let ((scanned, cotangent), belief) = given;
            let mut later = vec![R::ZERO; k];
            for row in 0..belief.len() / inner {
                let start = if shared { 0 } else { row * one };
                R::given_back(given_rows::Backward {
                    kernels: kernels_of(k, shared, kernels, part * rows + row, one),
                    belief: &belief[row * inner..][..inner],
                    scanned: &scanned[row * outer..][..outer],
                    cotangent: &cotangent[row * outer..][..outer],
                    by_gain: &mut by_gain[row * inner..][..inner],
                    by_belief: &mut by_belief[row * inner..][..inner],
                    by_kernels: &mut by_kernels[start..][..one],
                    later: &mut later,
                });
            }
        });
    if shared && parts > 1 {
        let (total, others) = by_kernels.split_at_mut(one);
        for part in others.chunks_exact(one) {
            total
                .iter_mut()
                .zip(part)
                .for_each(|(total, part)| *total += *part);
        }
        by_kernels.truncate(one);
    }
    [by_gain, by_belief, by_kernels]
}

macro_rules! on_processor {
    ($backend:ty) => {
        impl RecursiveElboScan for $backend {
            fn optimal_scan(
                log_likelihood: FloatTensor<Self>,
                log_initial: FloatTensor<Self>,
                log_transition: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                let (size, device) = (Size::of(&log_likelihood.shape()), log_likelihood.device());
                with_values!(Self, [log_likelihood, log_initial, log_transition], {
                    let out = optimal(size, &log_likelihood, &log_initial, &log_transition);
                    tensor::<Self>(out, size.scanned(), &device)
                })
            }

            fn optimal_scan_backward(
                scanned: FloatTensor<Self>,
                cotangent: FloatTensor<Self>,
                log_transition: FloatTensor<Self>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                let (size, device) = (Size::of_scanned(&scanned.shape()), scanned.device());
                let Size { batch, k, .. } = size;
                with_values!(Self, [scanned, cotangent, log_transition], {
                    let [l, i, a] = optimal_back(size, &scanned, &cotangent, &log_transition);
                    (
                        tensor::<Self>(l, size.states(), &device),
                        tensor::<Self>(i, Shape::new([batch, k]), &device),
                        tensor::<Self>(a, Shape::new([k, k]), &device),
                    )
                })
            }

            fn given_scan(
                gain: FloatTensor<Self>,
                belief: FloatTensor<Self>,
                kernels: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                let (size, device) = (Size::of(&gain.shape()), gain.device());
                let shape = kernels.shape();
                with_values!(Self, [gain, belief, kernels], {
                    let out = given(size, &shape, &gain, &belief, &kernels);
                    tensor::<Self>(out, size.scanned(), &device)
                })
            }

            fn given_scan_backward(
                scanned: FloatTensor<Self>,
                cotangent: FloatTensor<Self>,
                belief: FloatTensor<Self>,
                kernels: FloatTensor<Self>,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                let (size, device) = (Size::of_scanned(&scanned.shape()), scanned.device());
                let shape = kernels.shape();
                with_values!(Self, [scanned, cotangent, belief, kernels], {
                    let [g, q, b] =
                        given_back(size, &shape, &scanned, &cotangent, &belief, &kernels);
                    (
                        tensor::<Self>(g, size.states(), &device),
                        tensor::<Self>(q, size.states(), &device),
                        tensor::<Self>(b, shape, &device),
                    )
                })
            }
        }
    };
}

#[cfg(feature = "flex")]
on_processor!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
#[allow(deprecated)]
mod ndarray {
    use super::*;
    on_processor!(burn::backend::NdArray);
}
