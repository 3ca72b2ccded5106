//! The drive Φᵀπ(x − Φz) from spikes.

use crate::fused::{
    Aligned, PANEL, Product, Rows, Vectors, product, sparse_product, sparse_remainder,
    unfused_product, weigh,
};
use crate::ops::packing::{LANES, Packing};
use crate::spiking::network::SpikingNetwork;
use scotopic_filtering::simd_dispatch;

/// How spikes become a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriveMethod {
    /// Two products with the dictionary, zeros and all: Φz, then Φᵀe.
    Dense,
    /// Φz from the atoms of neurons that spiked. Bit for bit what [`DriveMethod::Dense`] gives.
    #[default]
    Events,
    /// `Φᵀπx − Gz` with the lateral weights G = ΦᵀπΦ, `[latent, latent]`, of neurons that spiked: the cost of a step
    /// does not depend on the number of pixels. The same numbers in another order of summation: a count differs where
    /// an arrival lies within rounding of the end of its step, about once in 10⁷.
    Lateral,
    /// As [`DriveMethod::Lateral`] with weights of 16 bits on one scale, and sums of integers: the same in every order, for
    /// hardware that counts, and for the same network the same spikes on every CPU. Weights are off by up to
    /// 2⁻¹⁶ of the largest.
    IntegerLateral,
}

/// What a form of the drive needs besides the network.
#[derive(Debug, Clone)]
pub(super) enum Drive {
    /// Nothing.
    Dense,
    /// Nothing.
    Events,
    /// G = ΦᵀπΦ, `[latent, latent]`, rows padded.
    Lateral(Aligned),
    /// G in units of `scale`, rows padded.
    IntegerLateral { weights: Vec<i16>, scale: f32 },
}

/// The spikes of one row: which neurons fired, and how often.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    pub(super) places: Vec<u32>,
    pub(super) counts: Vec<f32>,
}

impl Events {
    /// Capacity for every neuron, so that listing never allocates.
    pub(super) fn with_capacity(latents: usize) -> Self {
        Self {
            places: vec![0; latents + LANES],
            counts: vec![0.0; latents + LANES],
        }
    }

    /// Lists the neurons whose count is not 0.
    pub(super) fn list(&mut self, z: &[f32]) {
        let room = z.len() + LANES;
        self.places.resize(room, 0);
        self.counts.resize(room, 0.0);
        let fired = list_fired(z, &mut self.places, &mut self.counts);
        self.places.truncate(fired);
        self.counts.truncate(fired);
    }

    /// Spikes in all.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().map(|c| *c as u64).sum()
    }
}

simd_dispatch! {
    /// Writes down places and counts of those that fired, and says how many.
    fn list_fired(z: &[f32], places: &mut [u32], counts: &mut [f32]) -> usize = list_fired_body(SET);
}

#[inline(always)]
fn list_fired_body<P: Packing>(
    packing: P,
    z: &[f32],
    places: &mut [u32],
    counts: &mut [f32],
) -> usize {
    let mut fired = 0;
    for (block, z) in z.chunks(LANES).enumerate() {
        let mut some = [0f32; LANES];
        match z.first_chunk() {
            Some(full) => some = *full,
            None => some[..z.len()].copy_from_slice(z),
        }
        let mut here = [0u32; LANES];
        for (l, place) in here.iter_mut().enumerate() {
            *place = (block * LANES + l) as u32;
        }
        let which = !packing.at_most(&some, 0.0); // what is no number has fired as well
        packing.put(places, fired, which, &here);
        packing.put(counts, fired, which, &some);
        fired += which.count_ones() as usize;
    }
    fired
}

/// Some rows: what goes in and what is written on the way, all padded.
pub(super) struct Field<'a> {
    pub(super) rows: usize,
    /// Images, `[row, pixels]`, not padded.
    pub(super) images: &'a [f32],
    /// Φᵀπx, `[row, latent]`, for lateral forms.
    pub(super) input: &'a [f32],
    /// Counts, `[row, latent]`.
    pub(super) z: &'a [f32],
    pub(super) events: &'a [Events],
    /// Workspace `[row, pixels]`.
    pub(super) e: &'a mut [f32],
    /// The drive, `[row, latent]`.
    pub(super) pulled: &'a mut [f32],
}

impl Drive {
    /// Rows that are worked on together.
    pub(super) const ROWS: usize = 13;

    pub(super) fn new(network: &SpikingNetwork, form: DriveMethod) -> Self {
        match form {
            DriveMethod::Dense => Self::Dense,
            DriveMethod::Events => Self::Events,
            DriveMethod::Lateral => Self::Lateral(Aligned::of(&lateral_weights(network, product))),
            DriveMethod::IntegerLateral => {
                let weights = lateral_weights(network, unfused_product);
                let largest = weights.iter().fold(0f32, |m, w| m.max(w.abs()));
                let scale = largest.max(f32::MIN_POSITIVE) / f32::from(i16::MAX);
                let weights = weights.iter().map(|w| (w / scale).round() as i16).collect();
                Self::IntegerLateral { weights, scale }
            }
        }
    }

    pub(super) fn weight_bytes(&self, network: &SpikingNetwork) -> usize {
        match self {
            Self::Dense => network.dictionary.dense_bytes(),
            Self::Events => network.dictionary.event_bytes(),
            Self::Lateral(weights) => 4 * weights.len(),
            Self::IntegerLateral { weights, .. } => 2 * weights.len(),
        }
    }

    /// Whether Φᵀπx is needed once per image.
    pub(super) fn takes_input(&self) -> bool {
        matches!(self, Self::Lateral(_) | Self::IntegerLateral { .. })
    }

    /// Φᵀπx of rows; `e` is workspace `[row, pixels]`.
    pub(super) fn input(
        &self,
        network: &SpikingNetwork,
        images: &[f32],
        e: &mut [f32],
        input: &mut [f32],
    ) {
        let m = network.dictionary.pixels;
        for (e, x) in e
            .chunks_mut(network.dictionary.wide_pixels())
            .zip(images.chunks(m))
        {
            e[..m].fill(0.0);
            weigh(&mut e[..m], x, &network.dictionary.precision);
        }
        let product: Product = match self {
            Self::IntegerLateral { .. } => unfused_product,
            _ => product,
        };
        network
            .dictionary
            .pull_back_by(product, images.len() / m, e, input);
    }

    /// The drive of all rows.
    pub(super) fn drive(&self, network: &SpikingNetwork, field: Field<'_>) {
        let (m, wide_k, wide_m) = (
            network.dictionary.pixels,
            network.dictionary.wide_latents(),
            network.dictionary.wide_pixels(),
        );
        match self {
            Self::Dense => network.dictionary.decode(field.rows, field.z, field.e),
            Self::Events => {
                for (events, e) in field.events.iter().zip(field.e.chunks_mut(wide_m)) {
                    sparse_product(
                        &events.places,
                        &events.counts,
                        network.dictionary.atom_rows(),
                        e,
                    );
                }
            }
            Self::Lateral(weights) => {
                let lateral = Rows {
                    values: weights,
                    pitch: wide_k,
                };
                for (row, events) in field.events.iter().enumerate() {
                    let at = row * wide_k..(row + 1) * wide_k;
                    let pulled = &mut field.pulled[at.clone()];
                    let input = &field.input[at];
                    sparse_remainder(input, &events.places, &events.counts, lateral, pulled);
                }
                return;
            }
            Self::IntegerLateral { weights, scale } => {
                for (row, events) in field.events.iter().enumerate() {
                    let at = row * wide_k..(row + 1) * wide_k;
                    inhibit(
                        weights,
                        *scale,
                        events,
                        &field.input[at.clone()],
                        &mut field.pulled[at],
                    );
                }
                return;
            }
        }
        let errors = field.e.chunks_mut(wide_m).zip(field.images.chunks(m));
        for (e, x) in errors {
            weigh(&mut e[..m], x, &network.dictionary.precision);
        }
        network
            .dictionary
            .pull_back(field.rows, field.e, field.pulled);
    }
}

/// G = ΦᵀπΦ, rows padded.
fn lateral_weights(network: &SpikingNetwork, product: Product) -> Vec<f32> {
    let (k, m) = (network.dictionary.latents, network.dictionary.pixels);
    let (wide_k, wide_m) = (
        network.dictionary.wide_latents(),
        network.dictionary.wide_pixels(),
    );
    let mut weighted = network.dictionary.atoms.to_vec();
    for row in weighted.chunks_mut(wide_m) {
        for (w, precision) in row[..m].iter_mut().zip(&network.dictionary.precision) {
            *w *= precision;
        }
    }
    let mut lateral = vec![0f32; k * wide_k];
    network
        .dictionary
        .pull_back_by(product, k, &weighted, &mut lateral);
    lateral
}

simd_dispatch! {
    /// `pulled = input − scale·Σ count·weights[place]`, all of padded length.
    fn inhibit(weights: &[i16], scale: f32, events: &Events, input: &[f32], pulled: &mut [f32]) = inhibit_body(SET);
}

/// The most spikes of a row whose sum of 16-bit weights cannot overflow 32 bits.
const FITTING: u64 = 1 << 16;

#[inline(always)]
fn inhibit_body<S: Vectors>(
    _set: S,
    weights: &[i16],
    scale: f32,
    events: &Events,
    input: &[f32],
    pulled: &mut [f32],
) {
    let wide = pulled.len();
    if events.total() >= FITTING {
        // A network this wild is out of any range it was trained in; its sums still must not wrap round.
        for (column, (pulled, input)) in pulled.iter_mut().zip(input).enumerate() {
            let terms = events.places.iter().zip(&events.counts);
            let sum: f64 = terms
                .map(|(place, count)| {
                    f64::from(weights[*place as usize * wide + column]) * f64::from(*count)
                })
                .sum();
            *pulled = input - (sum * f64::from(scale)) as f32;
        }
        return;
    }
    // Eight registers of sums, where registers hold 16 numbers or 8.
    let mut column = 0;
    if S::LANES == 16 {
        while column + 4 * PANEL <= wide {
            inhibit_block::<{ 4 * PANEL }>(weights, scale, events, column, input, pulled);
            column += 4 * PANEL;
        }
    } else if S::LANES == 8 {
        while column + 2 * PANEL <= wide {
            inhibit_block::<{ 2 * PANEL }>(weights, scale, events, column, input, pulled);
            column += 2 * PANEL;
        }
    }
    while column < wide {
        inhibit_block::<PANEL>(weights, scale, events, column, input, pulled);
        column += PANEL;
    }
}

#[inline(always)]
fn inhibit_block<const W: usize>(
    weights: &[i16],
    scale: f32,
    events: &Events,
    column: usize,
    input: &[f32],
    pulled: &mut [f32],
) {
    let wide = pulled.len();
    let mut sums = [0i32; W];
    for (place, count) in events.places.iter().zip(&events.counts) {
        let row = &weights[*place as usize * wide + column..][..W];
        let count = *count as i32;
        for l in 0..W {
            sums[l] += count * i32::from(row[l]);
        }
    }
    let (input, pulled) = (&input[column..][..W], &mut pulled[column..][..W]);
    for l in 0..W {
        pulled[l] = input[l] - sums[l] as f32 * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_counts_that_are_not_zero() {
        let mut events = Events::with_capacity(5);
        events.list(&[0.0, 2.0, 0.0, 0.0, 1.0]);
        assert_eq!(
            (events.places.as_slice(), events.total()),
            (&[1u32, 4][..], 3)
        );
        events.list(&[0.0; 5]);
        assert!(events.places.is_empty());
        events.list(&[1.0; 5]);
        assert_eq!(events.places, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn integer_sums_do_not_wrap_round() {
        let wide = PANEL;
        let weights = vec![i16::MAX; 3 * wide];
        let input = vec![1.0; wide];
        let sum = |count: f32| {
            let events = Events {
                places: vec![0, 1, 2],
                counts: vec![count; 3],
            };
            let mut pulled = vec![0.0; wide];
            inhibit(&weights, 0.5, &events, &input, &mut pulled);
            pulled
        };
        for count in [1.0f32, 20_000.0, 1e6] {
            let expected = 1.0 - 3.0 * 0.5 * f64::from(count) * f64::from(i16::MAX);
            for found in sum(count) {
                let off = (f64::from(found) / expected - 1.0).abs();
                assert!(off < 1e-6, "{count}: {found}, {expected}");
            }
        }
    }
}
