//! The vectorised sampler: a sieve, then sixteen elements at a time through their arrivals.
//!
//! At the rates of a sparse code most elements have no arrival in time. The first pass draws only the first
//! arrival of every element, sixteen at once, and writes down those that have one; the second takes these,
//! packed densely, through groups of four arrivals, and packs again after every group, so that a few elements
//! with high rates do not hold up their neighbours.
//!
//! Every loop over `LANES` is straight-line arithmetic on arrays, which the compiler turns into vector
//! instructions. [`sample`] picks the widest instruction set of this processor at run time. All versions
//! execute the same IEEE operations in the same order, so all give the same bits.

use super::{NEGLIGIBLE, most_by_arrivals};
use crate::noise::{NoiseKey, philox4x32, unit_exponential};
use crate::ops::{scalar, widest::widest};

/// Elements that advance together.
const LANES: usize = 16;

/// Elements that share one list of the unfinished; a power of two.
const LIST: usize = 512;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) key: NoiseKey,
    /// The number of the tensor's first element in the whole batch.
    pub(crate) first: u32,
    /// τ; 0 for counts.
    pub(crate) temperature: f32,
    /// Whether dz/du is wanted.
    pub(crate) slope: bool,
    /// Log-rates above this are not summed arrival by arrival; their elements come back as 0.
    pub(super) most: f32,
}

impl Request {
    pub(crate) fn new(key: NoiseKey, first: u32, temperature: f32, slope: bool) -> Self {
        Self {
            key,
            first,
            temperature,
            slope,
            most: most_by_arrivals(temperature),
        }
    }
}

/// Log-rates in; z and, where it is asked for, dz/du out, all of one length.
pub(super) struct Elements<'a> {
    pub(super) u: &'a [f32],
    pub(super) z: &'a mut [f32],
    /// Empty where no slope is wanted.
    pub(super) slope: &'a mut [f32],
    /// The number of the first element.
    pub(super) first: u32,
}

widest! {
    /// Samples consecutive elements.
    pub(super) fn sample(elements: Elements<'_>, request: Request) = dispatch;
}

#[inline(always)]
fn dispatch(elements: Elements<'_>, request: Request) {
    if request.temperature <= 0.0 {
        arrivals::<true, false>(elements, request);
    } else if request.slope {
        arrivals::<false, true>(elements, request);
    } else {
        arrivals::<false, false>(elements, request);
    }
}

/// Elements that have not come to their end: where they are, 1/λ, and the sum of their waits so far.
struct Unfinished {
    place: [u32; LIST],
    mean_wait: [f32; LIST],
    elapsed: [f32; LIST],
    count: usize,
}

#[inline(always)]
fn arrivals<const COUNT: bool, const SLOPE: bool>(elements: Elements<'_>, request: Request) {
    let Elements { u, z, slope, first } = elements;
    let (inverse_temperature, stop) = if COUNT {
        (0.0, 1.0)
    } else {
        let temperature = request.temperature;
        (1.0 / temperature, 1.0 + NEGLIGIBLE * temperature)
    };
    z.fill(0.0);
    slope.fill(0.0);
    let mut list = Unfinished {
        place: [0; LIST],
        mean_wait: [0.0; LIST],
        elapsed: [0.0; LIST],
        count: 0,
    };
    for start in (0..u.len()).step_by(LIST) {
        let end = u.len().min(start + LIST);
        let first = first.wrapping_add(start as u32);
        sieve(&u[start..end], first, request, stop, &mut list);
        let mut group = 0u32;
        while list.count > 0 {
            advance::<COUNT, SLOPE>(
                &mut list,
                &mut z[start..end],
                slope.get_mut(start..end).unwrap_or(&mut []),
                [first, group],
                request.key,
                [stop, inverse_temperature],
            );
            group = group.wrapping_add(1);
        }
    }
    if SLOPE {
        for s in slope {
            *s *= inverse_temperature;
        }
    }
}

/// Four words of every lane's element.
#[inline(always)]
fn words_of(elements: &[u32; LANES], group: u32, key: NoiseKey) -> [[u32; LANES]; 4] {
    let mut words = [[0u32; LANES]; 4];
    for l in 0..LANES {
        let four = philox4x32(
            [elements[l], group, key.step, key.stream],
            [key.seed as u32, (key.seed >> 32) as u32],
        );
        for j in 0..4 {
            words[j][l] = four[j];
        }
    }
    words
}

/// Lists the elements whose first arrival is in time.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn sieve(u: &[f32], first: u32, request: Request, stop: f32, list: &mut Unfinished) {
    let mut count = 0;
    for start in (0..u.len()).step_by(LANES) {
        let n = LANES.min(u.len() - start);
        // The last block may be short; its missing lanes have rate 0, whose first arrival never comes.
        let mut lanes = [f32::NEG_INFINITY; LANES];
        lanes[..n].copy_from_slice(&u[start..start + n]);
        let mut numbers = [0u32; LANES];
        for l in 0..LANES {
            numbers[l] = first.wrapping_add((start + l) as u32);
        }
        let words = words_of(&numbers, 0, request.key);
        let mut mean_wait = [0f32; LANES];
        let mut live = [0u32; LANES];
        for l in 0..LANES {
            mean_wait[l] = scalar::exp(-lanes[l]);
            // A lane that is not ours (or NaN) is never live.
            let ours = lanes[l] <= request.most;
            let in_time = unit_exponential(words[0][l]) * mean_wait[l] <= stop;
            live[l] = u32::from(ours & in_time);
        }
        for l in 0..LANES {
            let at = count & (LIST - 1);
            list.place[at] = (start + l) as u32;
            list.mean_wait[at] = mean_wait[l];
            list.elapsed[at] = 0.0;
            count += live[l] as usize;
        }
    }
    list.count = count;
}

/// Takes every listed element through its next four arrivals, and keeps those that are not at their end.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn advance<const COUNT: bool, const SLOPE: bool>(
    list: &mut Unfinished,
    z: &mut [f32],
    slope: &mut [f32],
    [first, group]: [u32; 2],
    key: NoiseKey,
    [stop, inverse_temperature]: [f32; 2],
) {
    let mut kept = 0;
    for start in (0..list.count).step_by(LANES) {
        let n = LANES.min(list.count - start);
        let mut places = [0u32; LANES];
        let (mut mean_wait, mut elapsed) = ([0f32; LANES], [0f32; LANES]);
        places.copy_from_slice(&list.place[start..start + LANES]);
        mean_wait.copy_from_slice(&list.mean_wait[start..start + LANES]);
        elapsed.copy_from_slice(&list.elapsed[start..start + LANES]);
        let words = words_of(&places.map(|place| first.wrapping_add(place)), group, key);
        let (mut count, mut steepness) = ([0f32; LANES], [0f32; LANES]);
        for l in 0..n {
            count[l] = z[places[l] as usize];
            if SLOPE {
                steepness[l] = slope[places[l] as usize];
            }
        }
        let mut live = [0u32; LANES];
        for word in &words {
            for l in 0..LANES {
                elapsed[l] += unit_exponential(word[l]);
                let t = elapsed[l] * mean_wait[l];
                let in_time = t <= stop;
                live[l] = u32::from(in_time);
                let weight = if in_time { 1.0 } else { 0.0 };
                if COUNT {
                    count[l] += weight;
                } else {
                    // A finished lane computes with the last time that counts, at weight 0: no infinity
                    // can leak in.
                    let t = if in_time { t } else { stop };
                    let p = weight / (1.0 + scalar::exp((t - 1.0) * inverse_temperature));
                    count[l] += p;
                    if SLOPE {
                        steepness[l] += p * (1.0 - p) * t;
                    }
                }
            }
        }
        for l in 0..n {
            z[places[l] as usize] = count[l];
            if SLOPE {
                slope[places[l] as usize] = steepness[l];
            }
            // `kept` never overtakes `start + l`, so what is overwritten has been read.
            list.place[kept] = places[l];
            list.mean_wait[kept] = mean_wait[l];
            list.elapsed[kept] = elapsed[l];
            kept += live[l] as usize;
        }
    }
    list.count = kept;
}
