//! Messages of numbers: 32-bit words, little-endian.
//!
//! ```text
//! frame   1  serial  step  steps S  spikes N  pixels M  latents K  width of a row R
//!         f32 rows [S, R]: free energy, divergence, R² of spikes, R² of rates, spikes, zeros
//!         f32 input [M], reconstruction from spikes [M], from rates [M], potentials [K]
//!         u32 spikes [N]: neuron in the low 16 bits, step of the frame in the next 10, count above
//! atoms   2  serial  latents K  pixels M;  f32 atoms [K, M]
//! ```

use scotopic::spiking::Spike;

use super::model::{LiveModel, Measured, Reconstructed};

/// Numbers of a row.
const ROW: usize = 6;
/// The most steps of a frame: their number has ten bits.
pub const STEPS: usize = 1 << 10;
/// The most spikes of a frame; a network gone wild has more.
const SPIKES: usize = 1 << 15;

/// The steps since the frame before.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    rows: Vec<f32>,
    spikes: Vec<u32>,
    steps: u32,
}

impl Gathered {
    /// Notes a step.
    pub fn note(&mut self, measured: &Measured, spikes: &[Spike]) {
        let Measured {
            free_energy,
            divergence,
            r2_spikes,
            r2_rates,
            spikes: total,
            zeros,
        } = *measured;
        let row = [
            free_energy,
            divergence,
            r2_spikes,
            r2_rates,
            f64::from(total),
            zeros,
        ];
        self.rows.extend(row.map(|x| x as f32));
        let step = self.steps;
        let words = spikes.iter().map(|s| packed(s, step));
        self.spikes
            .extend(words.take(SPIKES.saturating_sub(self.spikes.len())));
        self.steps += 1;
    }

    /// Steps that were noted.
    pub fn steps(&self) -> usize {
        self.steps as usize
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.spikes.clear();
        self.steps = 0;
    }
}

fn packed(spike: &Spike, step: u32) -> u32 {
    (spike.neuron & 0xffff) | (step << 16) | (spike.count.min(63) << 26)
}

/// A frame: the steps since the one before, and how things stand after the last of them.
pub fn frame(
    (serial, step): (u32, u32),
    gathered: &Gathered,
    x: &[f32],
    seen: &Reconstructed,
    potential: &[f32],
) -> Vec<u8> {
    let sizes = [gathered.spikes.len(), x.len(), potential.len(), ROW].map(|n| n as u32);
    let head = [1, serial, step, gathered.steps].into_iter().chain(sizes);
    let numbers = [&gathered.rows[..], x, &seen.spikes, &seen.rates, potential];
    let mut bytes = words(head);
    numbers.iter().for_each(|part| floats(&mut bytes, part));
    bytes.extend(words(gathered.spikes.iter().copied()));
    bytes
}

/// The dictionary.
pub fn atoms(serial: u32, model: &LiveModel) -> Vec<u8> {
    let sizes = [model.engine.latents(), model.engine.pixels()].map(|n| n as u32);
    let mut bytes = words([2, serial].into_iter().chain(sizes));
    floats(&mut bytes, &model.atoms);
    bytes
}

fn words(words: impl Iterator<Item = u32>) -> Vec<u8> {
    words.flat_map(u32::to_le_bytes).collect()
}

fn floats(bytes: &mut Vec<u8>, numbers: &[f32]) {
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_its_parts_in_order() {
        let measured = Measured {
            free_energy: 1.0,
            divergence: 2.0,
            r2_spikes: 3.0,
            r2_rates: 4.0,
            spikes: 5,
            zeros: 6.0,
        };
        let mut gathered = Gathered::default();
        gathered.note(&measured, &[]);
        gathered.note(
            &measured,
            &[Spike {
                neuron: 3,
                count: 70,
            }],
        );
        let seen = Reconstructed {
            spikes: vec![8.0, 9.0],
            rates: vec![10.0, 11.0],
        };
        let bytes = frame((7, 9), &gathered, &[12.0, 13.0], &seen, &[14.0]);
        let word = |at: usize| u32::from_le_bytes(bytes[4 * at..][..4].try_into().unwrap());
        let head: Vec<u32> = (0..8).map(word).collect();
        assert_eq!(head, [1, 7, 9, 2, 1, 2, 1, 6]);
        let numbers: Vec<f32> = (8..27).map(|at| f32::from_bits(word(at))).collect();
        assert_eq!(
            numbers[6..],
            [
                1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 12.0, 13.0, 8.0, 9.0, 10.0, 11.0, 14.0
            ]
        );
        assert_eq!(word(27), 3 | 1 << 16 | 63 << 26);
        assert_eq!(bytes.len(), 28 * 4);
    }
}
