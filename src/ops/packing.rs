//! Packing some of many numbers together: one instruction for sixteen where there is AVX-512, a table and a
//! permutation for eight where there is AVX2, a loop elsewhere.

use scotopic_filtering::simd::Portable;

/// Numbers that advance together. Two vectors of AVX-512: each is a long chain of operations that wait for each other,
/// and the CPU has another one to go on with.
pub(crate) const LANES: usize = 32;

/// A number of 32 bits.
///
/// # Safety
/// Implemented only for types of 32 bits without padding: they are read and written as such.
#[allow(unsafe_code)]
pub(crate) unsafe trait Word: Copy + Default {}
// SAFETY: both are 32 bits.
#[allow(unsafe_code)]
unsafe impl Word for u32 {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Word for f32 {}

/// How it is done on one kind of CPU. All give the same bits.
pub(crate) trait Packing: Copy {
    /// Bit l says whether value l is at most the limit; NaN is not.
    fn at_most(self, values: &[f32; LANES], limit: f32) -> u32;

    /// Writes the values whose bits are set to `to` from place `at` on, one behind the other. The rest of the [`LANES`]
    /// places from there is overwritten with anything.
    fn put<T: Word>(self, to: &mut [T], at: usize, which: u32, values: &[T; LANES]);
}

impl Packing for Portable {
    #[inline(always)]
    fn at_most(self, values: &[f32; LANES], limit: f32) -> u32 {
        let bits = values.iter().enumerate();
        bits.fold(0, |bits, (l, value)| bits | u32::from(*value <= limit) << l)
    }

    #[inline(always)]
    fn put<T: Word>(self, to: &mut [T], at: usize, which: u32, values: &[T; LANES]) {
        let to = &mut to[at..at + LANES];
        let mut next = 0;
        // Without a branch: every value is written, and the next overwrites it unless its bit is set.
        for (l, value) in values.iter().enumerate() {
            to[next & (LANES - 1)] = *value;
            next += (which >> l) as usize & 1;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use std::arch::x86_64::*;

    use scotopic_filtering::simd::{Avx2, Avx512};

    use super::{LANES, Packing, Word};

    impl Packing for Avx512 {
        #[inline(always)]
        fn at_most(self, values: &[f32; LANES], limit: f32) -> u32 {
            let (halves, _) = values.as_chunks::<16>();
            let mut bits = 0;
            for (i, half) in halves.iter().enumerate() {
                // SAFETY: `self` says that there is AVX-512, and `half` is 64 bytes.
                let here = unsafe {
                    let limit = _mm512_set1_ps(limit);
                    _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_loadu_ps(half.as_ptr()), limit)
                };
                bits |= u32::from(here) << (16 * i);
            }
            bits
        }

        #[inline(always)]
        fn put<T: Word>(self, to: &mut [T], at: usize, which: u32, values: &[T; LANES]) {
            let to = &mut to[at..at + LANES];
            let mut next = 0;
            let (halves, _) = values.as_chunks::<16>();
            for (i, half) in halves.iter().enumerate() {
                let bits = (which >> (16 * i)) as u16;
                // SAFETY: the function around has AVX-512; words are 32 bits, so `half` is 64 bytes, and `next` is at
                // most 16·i: the 64 bytes from there lie in `to`.
                unsafe {
                    let half = _mm512_loadu_si512(half.as_ptr().cast());
                    let packed = _mm512_maskz_compress_epi32(bits, half);
                    _mm512_storeu_si512(to.as_mut_ptr().add(next).cast(), packed);
                }
                next += bits.count_ones() as usize;
            }
        }
    }

    /// Of every eight bits, the places of those that are set, in order.
    static ORDERS: [[u32; 8]; 256] = {
        let mut orders = [[0; 8]; 256];
        let mut bits = 0;
        while bits < 256 {
            let (mut count, mut l) = (0, 0);
            while l < 8 {
                if bits >> l & 1 == 1 {
                    orders[bits][count] = l as u32;
                    count += 1;
                }
                l += 1;
            }
            bits += 1;
        }
        orders
    };

    impl Packing for Avx2 {
        #[inline(always)]
        fn at_most(self, values: &[f32; LANES], limit: f32) -> u32 {
            let (quarters, _) = values.as_chunks::<8>();
            let mut bits = 0;
            for (i, quarter) in quarters.iter().enumerate() {
                // SAFETY: `self` says that there is AVX2, and `quarter` is 32 bytes.
                let here = unsafe {
                    let limit = _mm256_set1_ps(limit);
                    let values = _mm256_loadu_ps(quarter.as_ptr());
                    _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LE_OQ>(values, limit))
                };
                bits |= (here as u32) << (8 * i);
            }
            bits
        }

        #[inline(always)]
        fn put<T: Word>(self, to: &mut [T], at: usize, which: u32, values: &[T; LANES]) {
            let to = &mut to[at..at + LANES];
            let mut next = 0;
            let (quarters, _) = values.as_chunks::<8>();
            for (i, quarter) in quarters.iter().enumerate() {
                let bits = (which >> (8 * i)) as u8;
                // SAFETY: the function around has AVX2; words are 32 bits, so `quarter` is 32 bytes, and `next` is at
                // most 8·i: the 32 bytes from there lie in `to`.
                unsafe {
                    let quarter = _mm256_loadu_si256(quarter.as_ptr().cast());
                    let order = _mm256_loadu_si256(ORDERS[usize::from(bits)].as_ptr().cast());
                    let packed = _mm256_permutevar8x32_epi32(quarter, order);
                    _mm256_storeu_si256(to.as_mut_ptr().add(next).cast(), packed);
                }
                next += bits.count_ones() as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use scotopic_filtering::simd_dispatch;

    use super::*;
    use crate::noise::NoiseKey;

    /// What the bits say and what is packed, for bits from none to all.
    #[inline(always)]
    fn packs_in_order<P: Packing>(packing: P) {
        for trial in 0..2000u32 {
            let word = |l: usize| NoiseKey::new(3).step(trial).words(l as u32, 0)[0];
            let limit = trial as f32 / 1999.0;
            let mut values: [f32; LANES] =
                std::array::from_fn(|l| word(l) as f32 / u32::MAX as f32);
            values[trial as usize % LANES] = f32::NAN;
            let bits = packing.at_most(&values, limit);
            let expected: Vec<u32> = (0..LANES as u32)
                .filter(|l| values[*l as usize] <= limit)
                .collect();
            assert_eq!(bits, expected.iter().fold(0, |bits, l| bits | 1 << l));
            let mut to = [u32::MAX; 3 * LANES];
            packing.put(&mut to, 5, bits, &std::array::from_fn(|l| l as u32));
            assert_eq!(to[5..][..expected.len()], expected);
            let outside = to[..5].iter().chain(&to[5 + LANES..]);
            assert!(outside.copied().all(|word| word == u32::MAX));
        }
    }

    simd_dispatch! {
        fn of_this_processor() = packs_in_order(SET);
    }

    #[test]
    fn all_ways_pack_in_order() {
        packs_in_order(Portable);
        of_this_processor();
        #[cfg(target_arch = "x86_64")]
        if let Some(packing) = scotopic_filtering::simd::Avx2::in_use() {
            packs_in_order(packing);
        }
    }
}
