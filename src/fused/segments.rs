//! T steps of a few rows, forward and backward, within the cache.
//!
//! Rows of a batch know nothing of each other until their gradients are added up. So one thread takes a few
//! rows through all of time, forwards and at once backwards, and nothing but parameters and their gradients
//! is shared. What the backward pass needs lies where it was written a moment ago.
//!
//! A tape longer than [`TAPE_BYTES`] is cut into segments of time. Then only the states at their beginnings are
//! kept, and each segment is computed again, with the same noise, before it is gone through backwards.

use std::ops::Range;

use super::backward::Back;
use super::forward::Pass;
use super::gradient::Gradient;
use super::latents::Latents;
use super::tape::Tape;
use super::unroll::{Outcome, Unroll};

/// The memory that the tape of one thread may take.
const TAPE_BYTES: usize = 64 << 20;

impl<L: Latents> Unroll<'_, L> {
    /// Takes `rows` of the batch through time, on a tape that may have been used before, and adds to the gradient if
    /// there is one.
    pub(crate) fn run(
        &self,
        rows: Range<usize>,
        gradient: Option<&mut Gradient>,
        tape: &mut Tape,
    ) -> Outcome {
        self.run_within(TAPE_BYTES, rows, gradient, tape)
    }

    /// The same with so many bytes of tape, or those of one step where that is more.
    fn run_within(
        &self,
        tape_bytes: usize,
        rows: Range<usize>,
        gradient: Option<&mut Gradient>,
        tape: &mut Tape,
    ) -> Outcome {
        let network = self.network;
        let dictionary = network.dictionary();
        let (k, steps) = (dictionary.latents, self.noise.len());
        let state = k * L::COMPONENTS;
        let count = rows.len();
        let most = tape_bytes / (Tape::bytes_per_step(self) * count.max(1));
        let segment = if gradient.is_some() { most } else { 1 }.clamp(1, steps.max(1));
        tape.prepare(self, count, segment);
        let mut pass = Pass {
            unroll: self,
            first_row: rows.start,
            rows: count,
            tape,
            pulled: vec![0.0; count * dictionary.wide_latents()],
        };
        let mut at: Vec<f32> = self.start[rows.start * state..rows.end * state].to_vec();
        let segments: Vec<Range<usize>> = (0..steps)
            .step_by(segment)
            .map(|from| from..(from + segment).min(steps))
            .collect();
        let mut sums = [0f64; 2];
        let mut beginnings = Vec::new();
        for times in &segments {
            if gradient.is_some() {
                beginnings.push(at.clone());
            }
            let [reconstruction, divergence] = pass.forward(&mut at, times.clone());
            sums[0] += reconstruction;
            sums[1] += divergence;
        }
        if let Some(gradient) = gradient {
            for frame in &mut gradient.frames {
                frame.resize(frame.len() + count * dictionary.pixels, 0.0);
            }
            let mut back = Back::new(dictionary, count, L::COMPONENTS);
            let last = segments.len().saturating_sub(1);
            for (i, times) in segments.iter().enumerate().rev() {
                if i < last {
                    // The tape holds a later segment: this one's is made again.
                    pass.forward(&mut beginnings[i], times.clone());
                }
                pass.backward(times.clone(), &mut back, gradient);
            }
            let rows = back.by_state.chunks(dictionary.wide_latents());
            gradient.start.extend(rows.flat_map(|row| &row[..k]));
        }
        Outcome {
            reconstruction: sums[0],
            divergence: sums[1],
            end: at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fused::{
        Dictionary, LocationScaleNetwork, LocationScaleParameters, LocationScaleRule, ScaleLaw,
        StepNoise, StepPrior, Transition, TransitionParameters,
    };
    use crate::inference::Leak;
    use crate::noise::NoiseKey;
    use crate::noise::uniform;
    use crate::posterior::KlForm;
    use crate::spiking::{SpikingNetwork, SpikingRule};

    const BATCH: usize = 3;
    const PIXELS: usize = 10;
    const LATENTS: usize = 20;
    const STEPS: usize = 7;

    fn numbers(stream: u32, n: usize, scale: f32) -> Vec<f32> {
        let key = NoiseKey::new(21).stream(stream);
        let unit = (0..n as u32).map(|i| uniform(key.words(i, 0)[0]));
        unit.map(|unit| (unit - 0.5) * scale).collect()
    }

    fn spiking() -> SpikingNetwork {
        let atoms = numbers(1, LATENTS * PIXELS, 1.2);
        SpikingNetwork {
            dictionary: Dictionary::new(LATENTS, &atoms, vec![1.3; PIXELS]),
            homeostasis: vec![0.1; LATENTS],
            step_size: 0.4,
            curvature: Some(vec![0.3; LATENTS]),
            spread: Some(vec![0.7; LATENTS]),
            rule: SpikingRule {
                inner_iterations: 2,
                leak: Leak::Kl(0.5),
                step_ceiling: 3.0,
                ceiling: 4.0,
                relaxation: 0.5.into(),
                rate_floor: 0.0,
                kl: KlForm::Exact,
            },
        }
    }

    fn location_scale(law: ScaleLaw, relu: bool) -> LocationScaleNetwork {
        let parameters = LocationScaleParameters {
            atoms: numbers(1, LATENTS * PIXELS, 1.2),
            precision: vec![1.3; PIXELS],
            homeostasis: vec![0.1; LATENTS],
            step_sizes: [0.4, 0.3],
            curvature: Some(vec![0.3; LATENTS]),
            gain: Some(vec![0.9; LATENTS]),
        };
        let rule = LocationScaleRule {
            law,
            relu,
            inner_iterations: 2,
            leak: 0.5,
            step_bounds: [3.0, 1.0],
            bounds: [4.0, 2.0],
        };
        LocationScaleNetwork::new(parameters, rule)
    }

    /// Sums over other segments of time are rounded in another order.
    const ANOTHER_ORDER: f32 = 1e-5;

    #[test]
    fn segments_of_any_length_give_the_same_gradient() {
        let fixed = |components| {
            let rest = numbers(4, components * LATENTS, 1.0);
            StepPrior::fixed(&rest, LATENTS)
        };
        segments_agree(&spiking(), StepPrior::Carried);
        segments_agree(&spiking(), fixed(1));
        segments_agree(&spiking(), learned());
        segments_agree(&location_scale(ScaleLaw::Normal, true), StepPrior::Carried);
        segments_agree(&location_scale(ScaleLaw::Laplace, false), fixed(2));
    }

    fn learned() -> StepPrior {
        let parameters = TransitionParameters {
            keep: numbers(5, LATENTS, 1.0).iter().map(|a| a + 0.5).collect(),
            weights: numbers(6, LATENTS * LATENTS, 0.4),
            bias: numbers(7, LATENTS, 0.5),
            rest: numbers(8, LATENTS, 1.0),
            ceiling: 0.5,
        };
        StepPrior::Learned(Box::new(Transition::new(parameters)))
    }

    fn segments_agree<L: Latents>(network: &L, prior: StepPrior) {
        let step = |time: u32| StepNoise {
            infer: vec![
                NoiseKey::new(1).stream(3 * time),
                NoiseKey::new(1).stream(3 * time + 1),
            ],
            generate: NoiseKey::new(1).stream(3 * time + 2),
        };
        let unroll = Unroll {
            network,
            frames: vec![numbers(2, BATCH * PIXELS, 3.0)],
            start: numbers(3, BATCH * LATENTS * L::COMPONENTS, 2.0),
            noise: (0..STEPS as u32).map(step).collect(),
            prior,
            weights: [0.1, 0.2],
            learns_frames: true,
        };
        // One tape for all, so that what is left of another run on it would be found.
        let mut tape = Tape::default();
        let mut run = |bytes| {
            let mut gradient = unroll.no_gradient(Vec::new);
            let outcome = unroll.run_within(bytes, 0..BATCH, Some(&mut gradient), &mut tape);
            (outcome, gradient)
        };
        let (whole, expected) = run(usize::MAX);
        for steps in [1, 2, 3, STEPS - 1] {
            let (cut, gradient) = run(Tape::bytes_per_step(&unroll) * BATCH * steps);
            assert_eq!(cut.end, whole.end, "the same noise, the same way");
            assert_eq!(cut.reconstruction.to_bits(), whole.reconstruction.to_bits());
            assert_eq!(gradient.start, expected.start);
            assert_eq!(gradient.frames, expected.frames);
            for (ours, expected) in [
                (&gradient.atoms, &expected.atoms),
                (&gradient.weights, &expected.weights),
                (&gradient.keep, &expected.keep),
                (&gradient.rest, &expected.rest),
            ] {
                for (ours, expected) in ours.iter().zip(expected) {
                    assert!(
                        (ours - expected).abs() < ANOTHER_ORDER,
                        "{ours}, {expected}"
                    );
                }
            }
        }
    }
}
