//! Sums, maxima and products over the states, eight at a time.
//!
//! Every loop over `LANES` is straight-line arithmetic on arrays, which the compiler turns into vector
//! instructions. Partial sums are added in a fixed order: the bits depend neither on the CPU nor
//! on the number of threads.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use crate::ops::scalar;

/// States that are taken together; buffers over states are padded to a multiple of it.
pub(super) const LANES: usize = 8;

/// The two float widths of the kernels.
pub(super) trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
{
    const ZERO: Self;
    const ONE: Self;
    /// ln 0.
    const NONE: Self;
    const NAN: Self;
    /// A predicted probability below this has lost digits to underflow, or will; it is taken again in
    /// logarithms. Its inverse, squared, is still a number.
    const SMALL: Self;

    /// eˣ for x ≤ 0; exactly 0 at −∞.
    fn exp(self) -> Self;
    /// ln x for x ≥ [`Real::SMALL`].
    fn ln(self) -> Self;
    fn nan(self) -> bool;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NONE: Self = f32::NEG_INFINITY;
    const NAN: Self = f32::NAN;
    const SMALL: Self = 1e-18;

    #[inline(always)]
    fn exp(self) -> Self {
        let y = scalar::exp(self);
        if self < -87.0 { 0.0 } else { y }
    }

    #[inline(always)]
    fn ln(self) -> Self {
        scalar::ln(self)
    }

    #[inline(always)]
    fn nan(self) -> bool {
        self.is_nan()
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NONE: Self = f64::NEG_INFINITY;
    const NAN: Self = f64::NAN;
    const SMALL: Self = 1e-140;

    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        f64::ln(self)
    }

    #[inline(always)]
    fn nan(self) -> bool {
        self.is_nan()
    }
}

/// `k` rounded up to whole lanes.
pub(super) fn padded(k: usize) -> usize {
    k.next_multiple_of(LANES)
}

/// Σ x over whole lanes.
#[inline(always)]
pub(super) fn sum<R: Real>(x: &[R]) -> R {
    let mut parts = [R::ZERO; LANES];
    for x in x.as_chunks::<LANES>().0 {
        for l in 0..LANES {
            parts[l] += x[l];
        }
    }
    fold(parts)
}

/// Σ x·y over whole lanes.
#[inline(always)]
pub(super) fn dot<R: Real>(x: &[R], y: &[R]) -> R {
    let mut parts = [R::ZERO; LANES];
    let pairs = x
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(y.as_chunks::<LANES>().0);
    for (x, y) in pairs {
        for l in 0..LANES {
            parts[l] += x[l] * y[l];
        }
    }
    fold(parts)
}

/// max x over whole lanes; what is not a number is passed over.
#[inline(always)]
pub(super) fn max<R: Real>(x: &[R]) -> R {
    let mut parts = [R::NONE; LANES];
    for x in x.as_chunks::<LANES>().0 {
        for l in 0..LANES {
            parts[l] = if x[l] > parts[l] { x[l] } else { parts[l] };
        }
    }
    let larger = |a: R, b: R| if b > a { b } else { a };
    parts.into_iter().fold(R::NONE, larger)
}

/// into = xᵀM over whole lanes, for a matrix `[x.len(), into.len()]`.
#[inline(always)]
pub(super) fn row_times<R: Real>(x: &[R], matrix: &[R], into: &mut [R]) {
    let width = into.len();
    for (block, into) in into.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut parts = [R::ZERO; LANES];
        for (x, row) in x.iter().zip(matrix.chunks_exact(width)) {
            let row = &row.as_chunks::<LANES>().0[block];
            for l in 0..LANES {
                parts[l] += *x * row[l];
            }
        }
        *into = parts;
    }
}

/// into += a·x.
#[inline(always)]
pub(super) fn add_scaled<R: Real>(into: &mut [R], a: R, x: &[R]) {
    for (into, x) in into.iter_mut().zip(x) {
        *into += a * *x;
    }
}

#[inline(always)]
fn fold<R: Real>(p: [R; LANES]) -> R {
    ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
}
