//! Which elements have an arrival in time at all.
//!
//! The first arrival comes at e/λ with e = −ln U, which is at least 1 − U: it can be in time only where 1 − U ≤ λ·stop,
//! and for small rates hardly any element that passes has none. So the random word of every element is judged by a
//! bound of its rate that takes no exponential, and the exact comparison is made for the few that pass, packed.

use super::queue::{Candidates, QUEUE, Queue, load};
use crate::noise::{NoiseKey, philox_lanes, uniform, unit_exponential};
use crate::ops::packing::{LANES, Packing};
use crate::ops::scalar;

/// What an arrival is judged by.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The last time that counts.
    pub(super) stop: f32,
    /// Elements with larger log-rates are left out.
    pub(super) most: f32,
}

/// Queues the elements of a row, from a column on, whose first arrival is in time until the queue is full; says where it
/// came to. `place` and `number` are those of the row's first element.
#[inline(always)]
pub(super) fn sieve<P: Packing>(
    packing: P,
    (u, from): (&[f32], usize),
    [place, number]: [u32; 2],
    (key, limits): (NoiseKey, Limits),
    candidates: &mut Candidates,
    queue: &mut Queue,
) -> usize {
    let room = QUEUE - queue.count;
    let end = coarse(packing, (u, from), number, (key, limits), room, candidates);
    fine(packing, [place, number], limits, candidates, queue);
    end
}

/// Lists candidates until there are `room` of them, or a few more.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // several arrays share the index, and this form vectorises
fn coarse<P: Packing>(
    packing: P,
    (u, from): (&[f32], usize),
    number: u32,
    (key, limits): (NoiseKey, Limits),
    room: usize,
    candidates: &mut Candidates,
) -> usize {
    let (mut start, mut count) = (from, 0);
    while start < u.len() && count < room {
        // The last block may be short; its missing lanes have rate 0, whose first arrival never comes.
        let mut lanes = [f32::NEG_INFINITY; LANES];
        if let Some(full) = u[start..].first_chunk::<LANES>() {
            lanes = *full;
        } else {
            lanes[..u.len() - start].copy_from_slice(&u[start..]);
        }
        let (mut columns, mut numbers) = ([0u32; LANES], [0u32; LANES]);
        for l in 0..LANES {
            columns[l] = start as u32 + l as u32;
            numbers[l] = number.wrapping_add(columns[l]);
        }
        let words = philox_lanes(&numbers, &[0; LANES], key);
        let mut excess = [0f32; LANES];
        for l in 0..LANES {
            excess[l] = (1.0 - uniform(words[0][l])) - rate_bound(lanes[l]) * limits.stop;
        }
        let passing = packing.at_most(&excess, 0.0);
        packing.put(&mut candidates.column, count, passing, &columns);
        packing.put(&mut candidates.u, count, passing, &lanes);
        packing.put(&mut candidates.word, count, passing, &words[0]);
        count += passing.count_ones() as usize;
        start += LANES;
    }
    candidates.count = count;
    start
}

/// A bound of eᵘ from above, by up to 6 %: the chord of 2ˣ between whole x, which is what the bits of a floating-point
/// number say read as an integer. 0 for what is no number.
#[inline(always)]
fn rate_bound(u: f32) -> f32 {
    const UNIT: f32 = 8_388_608.0; // 2²³, the integer of 1 in the exponent
    // Above whatever rounding takes away here (numbers of 2³⁰ are rounded to 64) and in the exact comparison.
    const MARGIN: f32 = 512.0;
    let u = if u < -80.0 { -80.0 } else { u };
    let u = if u > 80.0 { 80.0 } else { u };
    let bits = u.mul_add(std::f32::consts::LOG2_E * UNIT, 127.0 * UNIT + MARGIN);
    f32::from_bits(bits as i32 as u32)
}

/// Queues the candidates whose first arrival is in time.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn fine<P: Packing>(
    packing: P,
    [place, number]: [u32; 2],
    limits: Limits,
    candidates: &Candidates,
    queue: &mut Queue,
) {
    let mut count = queue.count;
    for start in (0..candidates.count).step_by(LANES) {
        let columns = load(&candidates.column, start);
        let u = load(&candidates.u, start);
        let words = load(&candidates.word, start);
        let (mut places, mut numbers) = ([0u32; LANES], [0u32; LANES]);
        let (mut mean_wait, mut first) = ([0f32; LANES], [0f32; LANES]);
        for l in 0..LANES {
            places[l] = place.wrapping_add(columns[l]);
            numbers[l] = number.wrapping_add(columns[l]);
            mean_wait[l] = scalar::exp(-u[l]);
            first[l] = unit_exponential(words[l]) * mean_wait[l];
        }
        // Behind the last candidate lies what was there before.
        let here = ((1u64 << (candidates.count - start).min(LANES)) - 1) as u32;
        let queued = packing.at_most(&first, limits.stop) & packing.at_most(&u, limits.most) & here;
        packing.put(&mut queue.place, count, queued, &places);
        packing.put(&mut queue.number, count, queued, &numbers);
        packing.put(&mut queue.mean_wait, count, queued, &mean_wait);
        packing.put(&mut queue.group, count, queued, &[0u32; LANES]);
        packing.put(&mut queue.elapsed, count, queued, &[0f32; LANES]);
        packing.put(&mut queue.z, count, queued, &[0f32; LANES]);
        packing.put(&mut queue.slope, count, queued, &[0f32; LANES]);
        count += queued.count_ones() as usize;
    }
    queue.count = count;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chord is above 2ˣ by at most 2^x₀·(1 + f) with f + 1 − 2^f ≤ 0.0861, 6.15 % of it.
    const CHORD: f64 = 1.0616;

    #[test]
    fn the_bound_of_a_rate_is_above_it_and_near() {
        for i in 0..2_000_000 {
            let u = -79.0 + 158.0 * i as f32 / 2_000_000.0;
            let (bound, rate) = (f64::from(rate_bound(u)), f64::from(u).exp());
            // More than the roundings of the exact comparison, a few times 2⁻²⁴.
            assert!(bound >= rate * (1.0 + 2e-6), "{u}: {bound} below {rate}");
            assert!(bound <= rate * CHORD, "{u}: {bound} far above {rate}");
        }
        assert_eq!(rate_bound(f32::NAN), 0.0);
        assert!(rate_bound(f32::NEG_INFINITY) < 1e-34 && rate_bound(f32::INFINITY) > 1e34);
    }

    /// No element that is in time is lost, at rates where many are just about.
    #[test]
    fn queues_those_in_time_and_no_other() {
        use scotopic_filtering::simd::Portable;
        let key = NoiseKey::new(12).stream(3);
        for (trial, stop) in [1.0f32, 1.5, 9.06].into_iter().enumerate() {
            let u: Vec<f32> = (0..100_000u32)
                .map(|i| uniform(key.step(trial as u32 + 1).words(i, 0)[0]) * 14.0 - 11.5)
                .collect();
            let limits = Limits { stop, most: 2.4 };
            let (mut queue, mut candidates) = (Queue::EMPTY, Candidates::NONE);
            let (mut column, mut found) = (0, Vec::new());
            while column < u.len() {
                column = sieve(
                    Portable,
                    (&u, column),
                    [7, 11],
                    (key, limits),
                    &mut candidates,
                    &mut queue,
                );
                assert!(queue.count < QUEUE + LANES);
                found.extend_from_slice(&queue.place[..queue.count]);
                queue.count = 0;
            }
            let in_time = |i: &u32| {
                let u = u[*i as usize];
                let wait = unit_exponential(key.words(i + 11, 0)[0]);
                u <= limits.most && wait * scalar::exp(-u) <= stop
            };
            let expected: Vec<u32> = (0..100_000u32).filter(in_time).map(|i| i + 7).collect();
            assert_eq!(found, expected);
        }
    }
}
