//! Element-wise operations of two tensors on CPUs: one pass over rayon's pool, values and slopes in place.

use burn::backend::{Backend, tensor::FloatTensor};
use burn::tensor::{Element, Shape};
use rayon::prelude::*;

use super::host::{Values, tensor, values};

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
        (Values::F32(a), Values::F32(b)) => three::<B, _>(task, [a, b], single, shape, &device),
        (Values::F64(a), Values::F64(b)) => three::<B, _>(task, [a, b], double, shape, &device),
        _ => panic!("{name}: both operands must have one precision"),
    }
}

fn three<B: Backend, F: Element + Default>(
    task: usize,
    [mut first, mut second]: [Vec<F>; 2],
    kernel: impl Fn(Chunk<'_, F>) + Sync,
    shape: Shape,
    device: &B::Device,
) -> Three<B> {
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
    [first, slope, second]
        .map(|values| tensor::<B>(values, shape.clone(), device))
        .into()
}

/// Implements an operation of two tensors (and numbers) for the CPU backends from its kernels of both precisions:
/// `on_processors!(Trait, operation, operation_with_slopes(first, second, number, …), task, single, double)`.
macro_rules! on_processors {
    (@for $backend:ty, $trait:ident, $operation:ident,
        $with_slopes:ident($first:ident, $second:ident $(, $number:ident)*), $task:expr, $single:expr, $double:expr) => {
        impl $trait for $backend {
            fn $operation(
                $first: FloatTensor<Self>,
                $second: FloatTensor<Self>
                $(, $number: f64)*
            ) -> FloatTensor<Self> {
                Self::$with_slopes($first, $second $(, $number)*).0
            }

            fn $with_slopes(
                $first: FloatTensor<Self>,
                $second: FloatTensor<Self>
                $(, $number: f64)*
            ) -> Three<Self> {
                with_slopes::<Self>(stringify!($operation), $task, $first, $second, $single, $double)
            }
        }
    };
    ($($operation:tt)*) => {
        #[cfg(feature = "flex")]
        on_processors!(@for burn::backend::Flex, $($operation)*);
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        mod ndarray {
            use super::*;
            on_processors!(@for burn::backend::NdArray, $($operation)*);
        }
    };
}
pub(crate) use on_processors;
