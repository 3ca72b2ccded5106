//! Noise as a value: a counter-based generator that draws the same numbers on every device.
//!
//! A draw is a pure function of `(seed, stream, step, element)`. Nothing is advanced and nothing can
//! be left over from an earlier call, so a run can be resumed exactly, a batch can be split over
//! devices ([`NoiseKey::row`]), and the CPU and the GPU see the same spikes.
//!
//! What is made of the numbers is rounded by each device in its own way: relaxed samples agree to about 10⁻⁶, and
//! counts are equal up to rates of 3000 (e⁸), beyond which another last bit of the rate can move a count by one.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy
//! as 1, 2, 3"): ten rounds of a keyed bijection of a 128-bit counter.

use burn::tensor::Tensor;

/// The noise of one sample: a name to draw it by, or the numbers themselves.
#[derive(Debug, Clone)]
pub enum Noise {
    /// Draw it on the device from this key.
    Keyed(NoiseKey),
    /// Unit exponentials `[arrivals, batch, latent]`, for Poisson samples.
    Exponentials(Tensor<3>),
    /// Unit draws `[batch, latent]` of the family's own law: standard normal for Gaussian samples, unit Laplace
    /// for Laplace ones, standard Gumbel for categorical ones.
    Unit(Tensor<2>),
    /// The sample itself, `[batch, latent]`, taken as a constant (recorded spikes, for example).
    Sample(Tensor<2>),
}

/// What a sample is drawn for within one inference step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The spikes of inner iteration `inner` (counted from 0), which drive the potential.
    Infer {
        /// Number of the inner iteration, at most 254.
        inner: usize,
    },
    /// The fresh sample from the updated potential, which is decoded and scored.
    Generate,
}

/// Where an unrolled inference gets its noise from.
pub trait NoiseSource {
    /// The noise of one sample at inference time `time` (counted from 0).
    fn noise(&self, time: usize, draw: Draw) -> Noise;
}

/// A key is a source: every time and purpose has a stream of its own.
impl NoiseSource for NoiseKey {
    fn noise(&self, time: usize, draw: Draw) -> Noise {
        let purpose = match draw {
            Draw::Generate => 0,
            Draw::Infer { inner } => inner as u32 + 1,
        };
        let stream = self
            .stream
            .wrapping_add(((time as u32) << 8) | (purpose & 0xff));
        Noise::Keyed(self.stream(stream))
    }
}

/// Names one noise field: which numbers are drawn, not where they are used.
///
/// ```text
/// key     = seed (64 bits)
/// counter = (element, block, step, stream)   32 bits each
/// element = row·width + place in the row     counted over the whole batch
/// ```
///
/// ```
/// use scotopic::noise::NoiseKey;
/// let key = NoiseKey::new(7).step(100).stream(3);
/// assert_eq!(key.words(5, 0), key.words(5, 0));
/// assert_ne!(key.words(5, 0), key.step(101).words(5, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoiseKey {
    /// The seed of the run.
    pub seed: u64,
    /// Which of several draws made at the same step (inference time, inner iteration, purpose).
    pub stream: u32,
    /// The training iteration, or the number of the batch.
    pub step: u32,
    /// Which row of the whole batch the first row of a drawn tensor is; 0 for a whole batch.
    pub row: u32,
}

impl NoiseKey {
    /// Stream 0 of step 0 of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            stream: 0,
            step: 0,
            row: 0,
        }
    }

    /// The same seed and stream at another step.
    pub const fn step(self, step: u32) -> Self {
        Self { step, ..self }
    }

    /// The same seed and step, another stream.
    pub const fn stream(self, stream: u32) -> Self {
        Self { stream, ..self }
    }

    /// The same noise for a part of a batch whose first row is row `row` of the whole: each datum sees what it
    /// would have seen there.
    ///
    /// The operations multiply by the width of the tensor that they draw, so one key serves draws of any width.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use scotopic::{noise::NoiseKey, ops::poisson_counts};
    /// let (key, u) = (NoiseKey::new(7), Tensor::<2>::zeros([6, 5], &Device::flex()));
    /// let whole = poisson_counts(u.clone(), key);
    /// let part = poisson_counts(u.narrow(0, 4, 2), key.row(4));
    /// assert_eq!(part.into_data(), whole.narrow(0, 4, 2).into_data());
    /// ```
    pub const fn row(self, row: u32) -> Self {
        Self { row, ..self }
    }

    /// The number, in the whole batch, of the first element of a tensor of this shape; rows are its first axis.
    pub(crate) fn first_element(self, shape: &[usize]) -> u32 {
        let width = shape.iter().skip(1).product::<usize>();
        self.row.wrapping_mul(width as u32)
    }

    /// Four independent 32-bit words for one element, numbered over the whole batch wherever a part of it
    /// begins; `block` numbers further groups of four.
    pub const fn words(self, element: u32, block: u32) -> [u32; 4] {
        philox4x32(
            [element, block, self.step, self.stream],
            [self.seed as u32, (self.seed >> 32) as u32],
        )
    }

    /// The unit exponentials that the sampling kernels use for `element`, in order, without end.
    ///
    /// ```
    /// use scotopic::noise::NoiseKey;
    /// let waits: Vec<f32> = NoiseKey::new(1).exponentials(0).take(1000).collect();
    /// let mean = waits.iter().sum::<f32>() / 1000.0;
    /// assert!((mean - 1.0).abs() < 0.15); // four standard errors of the mean
    /// ```
    pub fn exponentials(self, element: u32) -> impl Iterator<Item = f32> {
        (0..u32::MAX).flat_map(move |block| self.words(element, block).map(unit_exponential))
    }
}

/// What Philox4x32 multiplies by, and what its key grows by in every round.
const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const GROWTH: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Philox4x32-10: ten rounds over `counter` under `key`.
#[inline(always)]
pub const fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    let mut round = 0;
    while round < 10 {
        let p0 = MULTIPLIERS[0] * c0 as u64;
        let p1 = MULTIPLIERS[1] * c2 as u64;
        (c0, c1, c2, c3) = (
            (p1 >> 32) as u32 ^ c1 ^ k0,
            p1 as u32,
            (p0 >> 32) as u32 ^ c3 ^ k1,
            p0 as u32,
        );
        k0 = k0.wrapping_add(GROWTH[0]);
        k1 = k1.wrapping_add(GROWTH[1]);
        round += 1;
    }
    [c0, c1, c2, c3]
}

/// [`philox4x32`] of `N` elements and their blocks side by side, for loops that become vector instructions: word w of
/// element l is `[w][l]`.
#[inline(always)]
pub(crate) fn philox_lanes<const N: usize>(
    elements: &[u32; N],
    blocks: &[u32; N],
    key: NoiseKey,
) -> [[u32; N]; 4] {
    // Words are kept in the lower halves of 64 bits, where a product leaves them; the upper halves mean nothing.
    const LOW: u64 = u32::MAX as u64;
    let (mut c0, mut c1) = ([0u64; N], [0u64; N]);
    let mut c2 = [u64::from(key.step); N];
    let mut c3 = [u64::from(key.stream); N];
    for l in 0..N {
        (c0[l], c1[l]) = (u64::from(elements[l]), u64::from(blocks[l]));
    }
    let (mut k0, mut k1) = (key.seed as u32, (key.seed >> 32) as u32);
    for _ in 0..10 {
        for l in 0..N {
            let p0 = MULTIPLIERS[0] * (c0[l] & LOW);
            let p1 = MULTIPLIERS[1] * (c2[l] & LOW);
            (c0[l], c1[l]) = ((p1 >> 32) ^ c1[l] ^ u64::from(k0), p1);
            (c2[l], c3[l]) = ((p0 >> 32) ^ c3[l] ^ u64::from(k1), p0);
        }
        k0 = k0.wrapping_add(GROWTH[0]);
        k1 = k1.wrapping_add(GROWTH[1]);
    }
    // Not `map`: its closure would be compiled for the baseline and called.
    let mut words = [[0u32; N]; 4];
    for l in 0..N {
        words[0][l] = c0[l] as u32;
        words[1][l] = c1[l] as u32;
        words[2][l] = c2[l] as u32;
        words[3][l] = c3[l] as u32;
    }
    words
}

/// A uniform number strictly inside (0, 1) from the upper 23 bits: `((r >> 9) + ½)·2⁻²³`, exact in f32.
#[inline(always)]
pub fn uniform(word: u32) -> f32 {
    ((word >> 9) as i32 as f32 + 0.5) * (1.0 / 8_388_608.0)
}

/// A unit exponential by inversion, `−ln` of [`uniform`]; between 6e-8 and 16.6.
#[inline(always)]
pub fn unit_exponential(word: u32) -> f32 {
    -crate::ops::scalar::ln(uniform(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known-answer tests of Philox4x32-10 from the Random123 distribution (kat_vectors).
    #[test]
    fn philox_gives_the_published_vectors() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn lanes_give_the_words_of_each() {
        let key = NoiseKey::new(0x1234_5678_9abc_def0)
            .stream(7)
            .step(u32::MAX);
        let elements = std::array::from_fn::<u32, 19, _>(|l| (l as u32).wrapping_mul(0x9E37_79B9));
        let blocks = std::array::from_fn(|l| l as u32 % 3);
        let words = philox_lanes(&elements, &blocks, key);
        for l in 0..elements.len() {
            let each = key.words(elements[l], blocks[l]);
            assert_eq!(each, std::array::from_fn(|w| words[w][l]));
        }
    }

    #[test]
    fn uniform_never_touches_its_ends() {
        assert!(uniform(0) > 0.0 && uniform(u32::MAX) < 1.0);
        assert!(unit_exponential(0).is_finite() && unit_exponential(u32::MAX) > 0.0);
    }
}
