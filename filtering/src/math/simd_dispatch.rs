//! Run-time choice of the widest vector instructions, in one place.

/// Defines `$name` as `$body` compiled three times (AVX-512, AVX2, the baseline) and chosen at run time.
///
/// `$body` must be `#[inline(always)]`. Both wide versions may use fused multiply-add (AVX-512 implies it), and a
/// multiplication and an addition are fused where `$body` says `mul_add` and nowhere else: all three versions round
/// alike, and a run does not depend on the CPU it is resumed on.
///
/// `= body::<FMA>;` instead calls `body::<true>` where the CPU has fused multiply-add and `body::<false>` where
/// it would be a call into a library; what such a body computes depends on the CPU in its last bits.
#[doc(hidden)]
#[macro_export]
macro_rules! simd_dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident::<FMA>;) => {
        $crate::simd_dispatch! {
            @versions $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)?;
            // aarch64 always has fused multiply-add.
            [$body::<true>] [$body::<{ cfg!(target_arch = "aarch64") }>]
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path;) => {
        $crate::simd_dispatch! {
            @versions $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)?; [$body] [$body]
        }
    };
    (
        @versions $(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;
        [$($wide:tt)*] [$($baseline:tt)*]
    ) => {
        $(#[$doc])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    $($wide)*($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    $($wide)*($($arg),*)
                }
                use std::arch::is_x86_feature_detected as has;
                if has!("fma") && has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl") {
                    // SAFETY: every feature named on the function was just found on this CPU.
                    #[allow(unsafe_code)]
                    return unsafe { avx512($($arg),*) };
                }
                if has!("fma") && has!("avx2") {
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    return unsafe { avx2($($arg),*) };
                }
            }
            $($baseline)*($($arg),*)
        }
    };
}
