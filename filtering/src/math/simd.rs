//! The instruction set that vectorised kernels use, chosen once.

use std::sync::atomic::{AtomicU8, Ordering};

/// Vector instructions that kernels are compiled for, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstructionSet {
    /// What every CPU of the architecture has: lanes of 128 bits on x86-64 and aarch64.
    Portable,
    /// AVX2 with fused multiply-add: 16 registers of 256 bits.
    Avx2,
    /// AVX-512 F, DQ, BW and VL: 32 registers of 512 bits.
    Avx512,
}

/// The environment variable that forces a lower set than the CPU has.
pub const SIMD_VARIABLE: &str = "SCOTOPIC_SIMD";

/// 0 before the first question, else 1 + the set.
static IN_USE: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    /// All sets.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// Its name in `SCOTOPIC_SIMD`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The set with a name.
    ///
    /// # Errors
    /// The names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|set| set.name() == name);
        found.ok_or_else(|| {
            format!("{SIMD_VARIABLE} is {name:?}, expected avx512, avx2 or portable")
        })
    }

    /// The highest set that this CPU has.
    pub fn found() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("fma") && has!("popcnt") {
                let wide = has!("avx512f") && has!("avx512dq");
                if wide && has!("avx512bw") && has!("avx512vl") {
                    return Self::Avx512;
                }
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// The set that kernels use: what the CPU has, or less where `SCOTOPIC_SIMD` names less when this is first asked.
    /// Never one that the CPU lacks.
    #[inline]
    pub fn in_use() -> Self {
        match IN_USE.load(Ordering::Relaxed) {
            1 => Self::Portable,
            2 => Self::Avx2,
            3 => Self::Avx512,
            _ => Self::choose(),
        }
    }

    #[cold]
    fn choose() -> Self {
        let asked = std::env::var(SIMD_VARIABLE).ok();
        let asked = asked.and_then(|name| Self::named(&name).ok());
        let set = asked.map_or(Self::found(), |set| set.min(Self::found()));
        IN_USE.store(1 + set as u8, Ordering::Relaxed);
        set
    }
}

/// That AVX-512 is in use: there is a value only where the CPU has it.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// The value, where [`InstructionSet::Avx512`] is in use.
    #[inline]
    pub fn in_use() -> Option<Self> {
        (InstructionSet::in_use() == InstructionSet::Avx512).then_some(Self(()))
    }
}

/// That AVX2 may be used: there is a value only where the CPU has it.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// The value, where [`InstructionSet::Avx2`] or more is in use.
    #[inline]
    pub fn in_use() -> Option<Self> {
        (InstructionSet::in_use() >= InstructionSet::Avx2).then_some(Self(()))
    }
}

/// What every CPU of the architecture has.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

/// Defines `$name` as `$body` compiled three times (AVX-512, AVX2, the baseline) and chosen at run time by
/// [`InstructionSet::in_use`](crate::simd::InstructionSet::in_use).
///
/// `$body` must be `#[inline(always)]`. Both wide versions may use fused multiply-add (AVX-512 implies it), and a
/// multiplication and an addition are fused where `$body` says `mul_add` and nowhere else: all three versions round
/// alike, and a run does not depend on the CPU it is resumed on.
///
/// Two other forms: `= body::<FMA>;` calls `body::<true>` where the CPU has fused multiply-add and `body::<false>` where
/// it would be a call into a library; `= body(SET);` gives `body` an [`Avx512`](crate::simd::Avx512),
/// [`Avx2`](crate::simd::Avx2) or [`Portable`](crate::simd::Portable) as its first argument. What such bodies compute may
/// depend on the CPU in its last bits.
#[doc(hidden)]
#[macro_export]
macro_rules! simd_dispatch {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident::<FMA>;) => {
        $crate::simd_dispatch! {
            @versions $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)?;
            // aarch64 always has fused multiply-add.
            set [] [$body::<true>] [$body::<{ cfg!(target_arch = "aarch64") }>]
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:ident(SET);) => {
        $crate::simd_dispatch! {
            @versions $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)?;
            set [set,] [$body] [$body]
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? = $body:path;) => {
        $crate::simd_dispatch! {
            @versions $(#[$doc])* $vis fn $name($($arg: $ty),*) $(-> $ret)?;
            set [] [$body] [$body]
        }
    };
    (
        @versions $(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;
        $set:ident [$($first:tt)*] [$($wide:tt)*] [$($baseline:tt)*]
    ) => {
        $(#[$doc])*
        #[inline]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,fma,popcnt")]
                fn avx512($set: $crate::simd::Avx512, $($arg: $ty),*) $(-> $ret)? {
                    let _ = $set;
                    $($wide)*($($first)* $($arg),*)
                }
                #[target_feature(enable = "avx2,fma,popcnt")]
                fn avx2($set: $crate::simd::Avx2, $($arg: $ty),*) $(-> $ret)? {
                    let _ = $set;
                    $($wide)*($($first)* $($arg),*)
                }
                if let Some(set) = $crate::simd::Avx512::in_use() {
                    // SAFETY: there is a value only where every feature named on the function was found on this CPU.
                    #[allow(unsafe_code)]
                    return unsafe { avx512(set, $($arg),*) };
                }
                if let Some(set) = $crate::simd::Avx2::in_use() {
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    return unsafe { avx2(set, $($arg),*) };
                }
            }
            let $set = $crate::simd::Portable;
            let _ = $set;
            $($baseline)*($($first)* $($arg),*)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_set_beyond_the_cpu_is_used() {
        assert!(InstructionSet::in_use() <= InstructionSet::found());
        assert_eq!(InstructionSet::in_use(), InstructionSet::in_use());
    }

    #[test]
    fn names_are_read_back_and_others_refused() {
        for set in InstructionSet::ALL {
            assert_eq!(InstructionSet::named(set.name()), Ok(set));
        }
        let error = InstructionSet::named("sse9").unwrap_err();
        assert!(error.contains("\"sse9\""), "{error}");
    }
}
