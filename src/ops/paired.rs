//! Element-wise operations of two tensors on CPUs: one pass over rayon's pool, values and slopes in place.

use burn::backend::{Backend, tensor::FloatTensor};
use rayon::prelude::*;

use super::host::{Values, tensor_f32, tensor_f64, values};

/// A piece of both operands. On return `first` holds the result, `slope` its derivative by the first operand
/// and `second` that by the second.
pub(crate) struct Chunk<'a, F> {
    pub(crate) first: &'a mut [F],
    pub(crate) second: &'a mut [F],
    pub(crate) slope: &'a mut [F],
}

/// The result and its slopes by the first and by the second operand.
pub(crate) type Three<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Runs the kernel of the operands' precision over pieces of `task` elements.
pub(crate) fn with_slopes<B: Backend>(
    name: &str,
    task: usize,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    single: impl Fn(Chunk<'_, f32>) + Sync,
    double: impl Fn(Chunk<'_, f64>) + Sync,
) -> Three<B> {
    let (first, shape, device) = values::<B>(first);
    let (second, second_shape, _) = values::<B>(second);
    assert_eq!(
        shape, second_shape,
        "{name}: both operands must have one shape"
    );
    match (first, second) {
        (Values::F32(mut a), Values::F32(mut b)) => {
            let slope = over_chunks(task, &mut a, &mut b, single);
            (
                tensor_f32::<B>(a, shape.clone(), &device),
                tensor_f32::<B>(slope, shape.clone(), &device),
                tensor_f32::<B>(b, shape, &device),
            )
        }
        (Values::F64(mut a), Values::F64(mut b)) => {
            let slope = over_chunks(task, &mut a, &mut b, double);
            (
                tensor_f64::<B>(a, shape.clone(), &device),
                tensor_f64::<B>(slope, shape.clone(), &device),
                tensor_f64::<B>(b, shape, &device),
            )
        }
        _ => panic!("{name}: both operands must have one precision"),
    }
}

fn over_chunks<F: Send + Copy + Default>(
    task: usize,
    first: &mut [F],
    second: &mut [F],
    kernel: impl Fn(Chunk<'_, F>) + Sync,
) -> Vec<F> {
    let mut slope = vec![F::default(); first.len()];
    first
        .par_chunks_mut(task)
        .zip(second.par_chunks_mut(task))
        .zip(slope.par_chunks_mut(task))
        .for_each(|((first, second), slope)| {
            kernel(Chunk {
                first,
                second,
                slope,
            })
        });
    slope
}
