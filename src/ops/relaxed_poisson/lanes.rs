//! The vectorised sampler: first arrivals of all elements, then the further arrivals of those that have one.
//!
//! At the rates of a sparse code most elements have no arrival in time. A first pass draws only the first arrival of
//! every element and queues those that have one; the queue, packed densely, goes through groups of four arrivals.
//! An element that is finished leaves it, and the first pass refills it: a few elements with high rates delay no other
//! until the very last.
//!
//! Every loop over `LANES` is straight-line arithmetic on arrays, which the compiler turns into vector
//! instructions; no branch depends on what was drawn. [`sample`] picks the widest instruction set of this CPU
//! at run time. All versions execute the same IEEE operations in the same order, so all give the same bits.

use super::queue::{Candidates, Column, QUEUE, Queue, load};
use super::sieve::{Limits, sieve};
use super::{Indicator, Relaxation, most_by_arrivals};
use crate::noise::{NoiseKey, philox_lanes, unit_exponential};
use crate::ops::packing::{LANES, Packing};
use crate::ops::scalar;
use scotopic_filtering::simd_dispatch;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) key: NoiseKey,
    /// The number of the tensor's first element in the whole batch.
    pub(crate) first: u32,
    /// τ, 0 for counts, and f.
    pub(crate) relaxation: Relaxation,
    /// Whether dz/du is needed.
    pub(crate) slope: bool,
    /// Log-rates above this are not summed arrival by arrival; their elements come back as 0.
    pub(super) most: f32,
}

impl Request {
    pub(crate) fn new(key: NoiseKey, first: u32, relaxation: Relaxation, slope: bool) -> Self {
        Self {
            key,
            first,
            relaxation,
            slope,
            most: most_by_arrivals(relaxation),
        }
    }
}

/// Rows of log-rates in; z and, where it is asked for, dz/du out, all of one length. What lies between two rows becomes 0.
pub(crate) struct Elements<'a> {
    pub(crate) u: &'a [f32],
    pub(crate) z: &'a mut [f32],
    /// Empty where no derivative is needed.
    pub(crate) slope: &'a mut [f32],
    /// Elements of a row.
    pub(crate) width: usize,
    /// From one row to the next; the last one may end with its elements.
    pub(crate) pitch: usize,
    /// The number of the first element; those of a row follow those of the row before it.
    pub(crate) first: u32,
}

impl<'a> Elements<'a> {
    /// All in one row.
    pub(crate) fn row(u: &'a [f32], z: &'a mut [f32], slope: &'a mut [f32], first: u32) -> Self {
        let width = u.len();
        Self {
            u,
            z,
            slope,
            width,
            pitch: width,
            first,
        }
    }

    /// Where each row begins, and the number of its first element.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, u32)> + use<> {
        let (width, first) = (self.width, self.first);
        let begins = (0..self.u.len()).step_by(self.pitch.max(1)).enumerate();
        begins.map(move |(row, from)| (from, first.wrapping_add((row * width) as u32)))
    }
}

simd_dispatch! {
    /// Samples elements.
    pub(super) fn sample(elements: &mut Elements<'_>, request: Request) = dispatch(SET);
}

#[inline(always)]
fn dispatch<P: Packing>(packing: P, elements: &mut Elements<'_>, request: Request) {
    if request.relaxation.temperature <= 0.0 {
        return arrivals::<P, COUNT, false>(packing, elements, request);
    }
    match request.relaxation.indicator {
        Indicator::Sigmoid if request.slope => {
            arrivals::<P, SIGMOID, true>(packing, elements, request);
        }
        Indicator::Sigmoid => arrivals::<P, SIGMOID, false>(packing, elements, request),
        // Their slopes cost little: one version of each, which leaves them out where nobody asks.
        Indicator::Linear => arrivals::<P, LINEAR, true>(packing, elements, request),
        Indicator::Cubic => arrivals::<P, CUBIC, true>(packing, elements, request),
        Indicator::Quintic => arrivals::<P, QUINTIC, true>(packing, elements, request),
        Indicator::Cosine => arrivals::<P, COSINE, true>(packing, elements, request),
    }
}

/// Kinds of arrivals: counts, and the indicators.
const COUNT: u8 = 0;
const SIGMOID: u8 = 1;
const LINEAR: u8 = 2;
const CUBIC: u8 = 3;
const QUINTIC: u8 = 4;
const COSINE: u8 = 5;

/// f(x) and df/dx, x = (1 − t)/τ, of an indicator that ends at ±1; as [`Indicator::value`] and [`Indicator::slope`].
#[inline(always)]
fn compact<const KIND: u8>(x: f32) -> (f32, f32) {
    let u = 0.5 * x + 0.5;
    let u = if u < 1.0 { u } else { 1.0 };
    let u = if u > 0.0 { u } else { 0.0 };
    let rest = 1.0 - u;
    match KIND {
        LINEAR => (u, if u * rest > 0.0 { 0.5 } else { 0.0 }),
        CUBIC => (u * u * (3.0 - 2.0 * u), 3.0 * u * rest),
        QUINTIC => {
            let both = u * rest;
            let bracket = 10.0 - u * (15.0 - 6.0 * u);
            (u * u * u * bracket, 15.0 * both * both)
        }
        _ => {
            let cosine = scalar::cos_turns(0.5 * u);
            let sine = scalar::cos_turns((0.5 * u - 0.25).abs());
            (0.5 - 0.5 * cosine, std::f32::consts::FRAC_PI_4 * sine)
        }
    }
}

/// Those that came to it in one pass over the queue.
struct Finished {
    place: Column<u32>,
    z: Column<f32>,
    slope: Column<f32>,
    count: usize,
}

#[inline(always)]
fn arrivals<P: Packing, const KIND: u8, const SLOPE: bool>(
    packing: P,
    elements: &mut Elements<'_>,
    request: Request,
) {
    let stop = request.relaxation.stop();
    let inverse_temperature = if KIND == COUNT {
        0.0
    } else {
        1.0 / request.relaxation.temperature
    };
    let mut rows = elements.rows();
    let Elements {
        u, z, slope, width, ..
    } = elements;
    let width = *width;
    z.fill(0.0);
    slope.fill(0.0);
    let mut queue = Queue::EMPTY;
    let mut candidates = Candidates::NONE;
    let limits = Limits {
        stop,
        most: request.most,
    };
    let mut finished = Finished {
        place: [0; _],
        z: [0.0; _],
        slope: [0.0; _],
        count: 0,
    };
    let (mut row, mut column) = (rows.next(), 0);
    loop {
        while let Some((from, number)) = row
            && queue.count < QUEUE
        {
            let rates = &u[from..from + width];
            column = sieve(
                packing,
                (rates, column),
                [from as u32, number],
                (request.key, limits),
                &mut candidates,
                &mut queue,
            );
            if column >= width {
                (row, column) = (rows.next(), 0);
            }
        }
        if queue.count == 0 {
            return;
        }
        let times = [stop, inverse_temperature];
        advance::<P, KIND, SLOPE>(packing, &mut queue, &mut finished, request.key, times);
        let places = &finished.place[..finished.count];
        for (place, value) in places.iter().zip(&finished.z) {
            z[*place as usize] = *value;
        }
        if SLOPE && request.slope {
            for (place, value) in places.iter().zip(&finished.slope) {
                slope[*place as usize] = value * inverse_temperature;
            }
        }
    }
}

/// Takes every element of the queue through its next four arrivals, and keeps those that are not at their end.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn advance<P: Packing, const KIND: u8, const SLOPE: bool>(
    packing: P,
    queue: &mut Queue,
    finished: &mut Finished,
    key: NoiseKey,
    [stop, inverse_temperature]: [f32; 2],
) {
    let (mut kept, mut done) = (0, 0);
    let waiting = queue.count;
    for start in (0..waiting).step_by(LANES) {
        let places = load(&queue.place, start);
        let numbers = load(&queue.number, start);
        let groups = load(&queue.group, start);
        let mean_wait = load(&queue.mean_wait, start);
        let mut elapsed = load(&queue.elapsed, start);
        let mut count = load(&queue.z, start);
        let mut steepness = load(&queue.slope, start);
        let words = philox_lanes(&numbers, &groups, key);
        let mut times = [[0f32; LANES]; 4];
        for (times, words) in times.iter_mut().zip(&words) {
            for l in 0..LANES {
                times[l] = unit_exponential(words[l]);
            }
        }
        for times in &mut times {
            for l in 0..LANES {
                elapsed[l] += times[l];
                times[l] = elapsed[l] * mean_wait[l];
            }
        }
        // Behind the last of the queue lies what was there before.
        let here = ((1u64 << (waiting - start).min(LANES)) - 1) as u32;
        let alive = packing.at_most(&times[3], stop) & here;
        let mut weights = [[0f32; LANES]; 4];
        let mut slopes = [[0f32; LANES]; 4];
        for ((weights, slopes), times) in weights.iter_mut().zip(&mut slopes).zip(&mut times) {
            for l in 0..LANES {
                let in_time = times[l] <= stop;
                let weight = if in_time { 1.0 } else { 0.0 };
                if KIND == COUNT {
                    weights[l] = weight;
                    continue;
                }
                // A finished lane computes with the last time that counts, at weight 0: no infinity can leak in.
                times[l] = if in_time { times[l] } else { stop };
                if KIND == SIGMOID {
                    weights[l] =
                        weight / (1.0 + scalar::exp((times[l] - 1.0) * inverse_temperature));
                    slopes[l] = weights[l] * (1.0 - weights[l]);
                } else {
                    let (f, slope) = compact::<KIND>((1.0 - times[l]) * inverse_temperature);
                    weights[l] = weight * f;
                    slopes[l] = weight * slope;
                }
            }
        }
        for ((weights, slopes), times) in weights.iter().zip(&slopes).zip(&times) {
            for l in 0..LANES {
                count[l] += weights[l];
                if SLOPE {
                    steepness[l] += slopes[l] * times[l];
                }
            }
        }
        let ended = here & !alive;
        packing.put(&mut finished.place, done, ended, &places);
        packing.put(&mut finished.z, done, ended, &count);
        if SLOPE {
            packing.put(&mut finished.slope, done, ended, &steepness);
        }
        done += ended.count_ones() as usize;
        let mut next = [0u32; LANES];
        for l in 0..LANES {
            next[l] = groups[l].wrapping_add(1);
        }
        // `kept` never overtakes `start`, so what is overwritten has been read.
        packing.put(&mut queue.place, kept, alive, &places);
        packing.put(&mut queue.number, kept, alive, &numbers);
        packing.put(&mut queue.group, kept, alive, &next);
        packing.put(&mut queue.mean_wait, kept, alive, &mean_wait);
        packing.put(&mut queue.elapsed, kept, alive, &elapsed);
        packing.put(&mut queue.z, kept, alive, &count);
        if SLOPE {
            packing.put(&mut queue.slope, kept, alive, &steepness);
        }
        kept += alive.count_ones() as usize;
    }
    queue.count = kept;
    finished.count = done;
}
