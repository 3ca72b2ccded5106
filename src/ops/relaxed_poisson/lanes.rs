//! The vectorised inner loop: sixteen elements advance through their arrivals together.
//!
//! Every loop over `LANES` is straight-line arithmetic on arrays, which the compiler turns into vector
//! instructions; a lane that has finished keeps being computed with weight zero until its neighbours
//! finish. [`block`] picks the widest instruction set of this processor at run time. All versions
//! execute the same IEEE operations in the same order, so all give the same bits.

use super::{NEGLIGIBLE, most_by_arrivals};
use crate::noise::{NoiseKey, philox4x32, unit_exponential};
use crate::ops::{scalar, widest::widest};

/// Elements that advance together.
pub(super) const LANES: usize = 16;

/// What one block asks for.
#[derive(Clone, Copy)]
pub(super) struct Request {
    pub key: NoiseKey,
    /// The number of the tensor's first element in the whole batch.
    pub first: u32,
    /// τ; 0 for counts.
    pub temperature: f32,
    /// Whether dz/du is wanted.
    pub slope: bool,
    /// Log-rates above this are not summed arrival by arrival; their lanes come back as 0.
    pub most: f32,
}

impl Request {
    pub fn new(key: NoiseKey, first: u32, temperature: f32, slope: bool) -> Self {
        Self {
            key,
            first,
            temperature,
            slope,
            most: most_by_arrivals(temperature),
        }
    }
}

/// z and dz/du of sixteen elements.
pub(super) type Block = ([f32; LANES], [f32; LANES]);

widest! {
    /// Samples sixteen consecutive elements, of which `first` is the number of the first in the whole batch.
    pub(super) fn block(u: &[f32; LANES], first: u32, request: Request) -> Block = dispatch;
}

#[inline(always)]
fn dispatch(u: &[f32; LANES], first: u32, request: Request) -> Block {
    if request.temperature <= 0.0 {
        arrivals::<true, false>(u, first, request)
    } else if request.slope {
        arrivals::<false, true>(u, first, request)
    } else {
        arrivals::<false, false>(u, first, request)
    }
}

#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn arrivals<const COUNT: bool, const SLOPE: bool>(
    u: &[f32; LANES],
    first: u32,
    request: Request,
) -> Block {
    let Request {
        key,
        temperature,
        most,
        ..
    } = request;
    let (inverse_temperature, stop) = if COUNT {
        (0.0, 1.0)
    } else {
        (1.0 / temperature, 1.0 + NEGLIGIBLE * temperature)
    };
    let mut mean_wait = [0f32; LANES];
    let mut elapsed = [0f32; LANES];
    for l in 0..LANES {
        mean_wait[l] = scalar::exp(-u[l]);
        // A lane that is not ours (or NaN) starts after its own end.
        elapsed[l] = if u[l] <= most { 0.0 } else { f32::INFINITY };
    }
    let (mut z, mut slope) = ([0f32; LANES], [0f32; LANES]);
    let mut group = 0u32;
    loop {
        let mut words = [[0u32; LANES]; 4];
        for l in 0..LANES {
            let four = philox4x32(
                [first.wrapping_add(l as u32), group, key.step, key.stream],
                [key.seed as u32, (key.seed >> 32) as u32],
            );
            for j in 0..4 {
                words[j][l] = four[j];
            }
        }
        let mut running = 0u32;
        for word in &words {
            running = 0;
            for l in 0..LANES {
                elapsed[l] += unit_exponential(word[l]);
                let t = elapsed[l] * mean_wait[l];
                let live = t <= stop;
                running |= u32::from(live);
                let weight = if live { 1.0 } else { 0.0 };
                if COUNT {
                    z[l] += weight;
                } else {
                    // A finished lane computes with the last time that counts, at weight 0: no infinity
                    // can leak in.
                    let t = if live { t } else { stop };
                    let p = weight / (1.0 + scalar::exp((t - 1.0) * inverse_temperature));
                    z[l] += p;
                    if SLOPE {
                        slope[l] += p * (1.0 - p) * t;
                    }
                }
            }
        }
        if running == 0 {
            break;
        }
        group = group.wrapping_add(1);
    }
    if SLOPE {
        for s in &mut slope {
            *s *= inverse_temperature;
        }
    }
    (z, slope)
}
