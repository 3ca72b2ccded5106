//! Vectors of each instruction set, as the products need them.

use scotopic_filtering::simd::Portable;
#[cfg(target_arch = "x86_64")]
use scotopic_filtering::simd::{Avx2, Avx512};

/// Vectors of `f32` on an instruction set. A value says that the CPU has it.
pub(crate) trait Vectors: Copy {
    /// A vector register.
    type Vector: Copy;
    /// Numbers in it.
    const LANES: usize;

    /// All lanes x.
    fn splat(self, x: f32) -> Self::Vector;
    /// The first lanes of a slice, which has as many.
    fn load(self, from: &[f32]) -> Self::Vector;
    /// Writes all lanes to the beginning of a slice, which has room for them.
    fn store(self, vector: Self::Vector, to: &mut [f32]);
    /// x + y.
    fn add(self, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x·y.
    fn multiply(self, x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x·y + sum, rounded once where the set has fused multiply-add.
    fn multiply_add(self, x: Self::Vector, y: Self::Vector, sum: Self::Vector) -> Self::Vector;
}

/// Implements [`Vectors`] by intrinsics: `splat, load, store, add, multiply`, and how to multiply and add.
macro_rules! vectors {
    ($set:ty, $vector:ty, $lanes:literal, [$splat:path, $load:path, $store:path, $add:path, $multiply:path],
     |$x:ident, $y:ident, $sum:ident| $multiply_add:expr) => {
        #[allow(unsafe_code, unused_unsafe)]
        impl Vectors for $set {
            type Vector = $vector;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(self, x: f32) -> Self::Vector {
                // SAFETY: `self` says that the CPU has these instructions; so below.
                unsafe { $splat(x) }
            }

            #[inline(always)]
            fn load(self, from: &[f32]) -> Self::Vector {
                let from = &from[..$lanes];
                // SAFETY: the slice has as many numbers as are read.
                unsafe { $load(from.as_ptr()) }
            }

            #[inline(always)]
            fn store(self, vector: Self::Vector, to: &mut [f32]) {
                let to = &mut to[..$lanes];
                // SAFETY: the slice has room for as many numbers as are written.
                unsafe { $store(to.as_mut_ptr(), vector) }
            }

            #[inline(always)]
            fn add(self, x: Self::Vector, y: Self::Vector) -> Self::Vector {
                // SAFETY: as for `splat`.
                unsafe { $add(x, y) }
            }

            #[inline(always)]
            fn multiply(self, x: Self::Vector, y: Self::Vector) -> Self::Vector {
                // SAFETY: as for `splat`.
                unsafe { $multiply(x, y) }
            }

            #[inline(always)]
            fn multiply_add(
                self,
                $x: Self::Vector,
                $y: Self::Vector,
                $sum: Self::Vector,
            ) -> Self::Vector {
                // SAFETY: as for `splat`.
                unsafe { $multiply_add }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;

    vectors!(
        Avx512,
        __m512,
        16,
        [
            _mm512_set1_ps,
            _mm512_loadu_ps,
            _mm512_storeu_ps,
            _mm512_add_ps,
            _mm512_mul_ps
        ],
        |x, y, sum| _mm512_fmadd_ps(x, y, sum)
    );
    vectors!(
        Avx2,
        __m256,
        8,
        [
            _mm256_set1_ps,
            _mm256_loadu_ps,
            _mm256_storeu_ps,
            _mm256_add_ps,
            _mm256_mul_ps
        ],
        |x, y, sum| _mm256_fmadd_ps(x, y, sum)
    );
    // Every x86-64 has SSE2; none of it fuses.
    vectors!(
        Portable,
        __m128,
        4,
        [
            _mm_set1_ps,
            _mm_loadu_ps,
            _mm_storeu_ps,
            _mm_add_ps,
            _mm_mul_ps
        ],
        |x, y, sum| _mm_add_ps(_mm_mul_ps(x, y), sum)
    );
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use std::arch::aarch64::*;

    use super::*;

    // Every aarch64 has Neon, which fuses.
    vectors!(
        Portable,
        float32x4_t,
        4,
        [vdupq_n_f32, vld1q_f32, vst1q_f32, vaddq_f32, vmulq_f32],
        |x, y, sum| vfmaq_f32(sum, x, y)
    );
}

/// Four numbers side by side, of which the compiler may make a vector.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Vectors for Portable {
    type Vector = [f32; 4];
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 4] {
        [x; 4]
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> [f32; 4] {
        std::array::from_fn(|l| from[l])
    }

    #[inline(always)]
    fn store(self, vector: [f32; 4], to: &mut [f32]) {
        to[..4].copy_from_slice(&vector);
    }

    #[inline(always)]
    fn add(self, x: [f32; 4], y: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|l| x[l] + y[l])
    }

    #[inline(always)]
    fn multiply(self, x: [f32; 4], y: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|l| x[l] * y[l])
    }

    #[inline(always)]
    fn multiply_add(self, x: [f32; 4], y: [f32; 4], sum: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|l| sum[l] + x[l] * y[l])
    }
}
