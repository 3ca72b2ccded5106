//! Run-time choice of the widest vector instructions, in one place.

/// Defines a function as `$body` compiled three times (AVX-512, AVX2, the baseline) and chosen at run time.
///
/// `$body` must be `#[inline(always)]`. What is compiled three times depends on how it is named:
///
/// | `= body;` | the same function. Multiplications and additions are fused where it says `mul_add` and nowhere else, so that all three versions round alike and a run does not depend on the processor it is resumed on |
/// |---|---|
/// | `= fused body;` | `body::<FMA>`: `true` where the processor has fused multiply-add |
/// | `= packed body;` | `body(packing, …)` with the [`Packing`](super::packing::Packing) of the processor |
macro_rules! simd_dispatch {
    (@define { $(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)? }
        $avx512:expr, $avx2:expr, $baseline:expr) => {
        $(#[$doc])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma,popcnt")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    $avx512
                }
                #[target_feature(enable = "avx2,fma,popcnt")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    $avx2
                }
                use std::arch::is_x86_feature_detected as has;
                let both = has!("fma") && has!("popcnt");
                if both && has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl") {
                    // SAFETY: every feature named on the function was just found on this processor.
                    #[allow(unsafe_code)]
                    return unsafe { avx512($($arg),*) };
                }
                if both && has!("avx2") {
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    return unsafe { avx2($($arg),*) };
                }
            }
            $baseline
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = fused $body:ident;) => {
        simd_dispatch! {
            @define { $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)? }
            $body::<true>($($arg),*),
            $body::<true>($($arg),*),
            // aarch64 always has it; elsewhere it would be a call into a library.
            $body::<{ cfg!(target_arch = "aarch64") }>($($arg),*)
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = packed $body:ident;) => {
        simd_dispatch! {
            @define { $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)? }
            {
                // SAFETY: the function around is compiled for AVX-512 and called where it was found.
                #[allow(unsafe_code)]
                let packing = unsafe { $crate::ops::packing::Avx512::assume() };
                $body(packing, $($arg),*)
            },
            {
                // SAFETY: as above, of AVX2.
                #[allow(unsafe_code)]
                let packing = unsafe { $crate::ops::packing::Avx2::assume() };
                $body(packing, $($arg),*)
            },
            $body($crate::ops::packing::OneByOne, $($arg),*)
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path;) => {
        simd_dispatch! {
            @define { $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)? }
            $body($($arg),*), $body($($arg),*), $body($($arg),*)
        }
    };
}
pub(crate) use simd_dispatch;
