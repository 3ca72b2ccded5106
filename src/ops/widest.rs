//! Run-time choice of the widest vector instructions, in one place.

/// Defines `$name` as `$body` compiled three times (AVX-512, AVX2, the baseline) and chosen at run time.
///
/// `$body` must be `#[inline(always)]`. Multiplications and additions are fused where it says `mul_add` and nowhere
/// else, so that all three versions round alike and a run does not depend on the processor it is resumed on.
macro_rules! widest {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path;) => {
        $(#[$doc])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? {
                    $body($($arg),*)
                }
                use std::arch::is_x86_feature_detected as has;
                if has!("fma") && has!("avx512f") && has!("avx512dq") && has!("avx512bw") && has!("avx512vl") {
                    // SAFETY: every feature named on the function was just found on this processor.
                    #[allow(unsafe_code)]
                    return unsafe { avx512($($arg),*) };
                }
                if has!("fma") && has!("avx2") {
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}
pub(crate) use widest;
