//! A state and its drive, each softly bounded: what the clamped steps are on CPUs.

use crate::ops::paired::Chunk;

/// A soft bound, with its slope.
pub(crate) trait SoftBound {
    fn single(x: f32, bound: f32) -> (f32, f32);
    fn double(x: f64, bound: f64) -> (f64, f64);
}

macro_rules! step {
    ($name:ident, $float:ty) => {
        /// State and drive in, next state out.
        #[inline(always)]
        pub(crate) fn $name<S: SoftBound>(
            chunk: Chunk<'_, $float>,
            drive_bound: $float,
            bound: $float,
        ) {
            let operands = chunk.first.iter_mut().zip(chunk.second.iter_mut());
            for ((u, d), s) in operands.zip(chunk.slope.iter_mut()) {
                let (bounded, drive_slope) = S::$name(*d, drive_bound);
                let (next, next_slope) = S::$name(*u + bounded, bound);
                *u = next;
                *s = next_slope;
                *d = next_slope * drive_slope;
            }
        }
    };
}
step!(single, f32);
step!(double, f64);
