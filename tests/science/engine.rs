//! The engine against inference with tensor operations, and its forms against each other.

use scotopic::inference::{RecordOptions, StepForm, Stimulus, unroll};
use scotopic::noise::NoiseKey;
use scotopic::posterior::Sampling;
use scotopic::spiking::{DriveMethod, Engine, StoppingRule};
use scotopic_models::{ImageDims, Method, Network, NetworkConfig, RuleConfig};

use crate::devices::Place;
use crate::numbers::read;
use crate::toy;

const BATCH: usize = 30;
const STEPS: usize = 16;
const KEY: NoiseKey = NoiseKey::new(40).step(2);

/// Another order of summation in f32, through [`STEPS`] steps that spikes keep together.
const ANOTHER_ORDER: f64 = 1e-4;

/// A weight of 16 bits is off by 2⁻¹⁶ of the largest, which some twenty spikes per step add up.
const SIXTEEN_BITS: f64 = 2e-2;

/// The most counts in a million that may differ where potentials differ in their last bits: an arrival that lies
/// within 10⁻⁶ of the end of its step falls on the other side.
const AT_THE_EDGE: f64 = 20.0;

fn network(form: StepForm) -> (Network, scotopic::inference::NaturalGradient) {
    let picture = ImageDims {
        channels: 1,
        height: 9,
        width: 11,
    };
    let config = NetworkConfig {
        picture,
        latents: 150,
        resting_low: -3.0,
        resting_high: -1.0,
        ..Default::default()
    };
    let place = Place::processor();
    let model = config.init(Method::NaturalGradient, &place.device, 5);
    let rule = scotopic::inference::NaturalGradient {
        form,
        ..RuleConfig::default().at(1.0, Sampling::EXACT)
    };
    (model.expect("valid"), rule)
}

fn engine(form: DriveMethod, step: StepForm) -> Engine {
    let (model, rule) = network(step);
    model
        .iterative(rule)
        .engine(form)
        .expect("a spiking network")
}

fn images() -> Vec<f32> {
    let place = Place::processor();
    let numbers = read(toy::images(&place, 61, BATCH, 99));
    numbers.iter().map(|x| *x as f32).collect()
}

/// Counts of every step, `[time, batch, latent]`, and the last potentials, by tensor operations.
fn unrolled(step: StepForm) -> (Vec<f64>, Vec<f64>) {
    let (model, rule) = network(step);
    let perception = model.perception(rule);
    let x = Stimulus::Static(toy::images(&Place::processor(), 61, BATCH, 99));
    let record = RecordOptions {
        every: 1,
        spikes: true,
        ..RecordOptions::FINAL
    };
    let rest = perception.rest(BATCH);
    let seen = unroll(&*perception, &x, rest, 0..STEPS, &KEY, record);
    let counts = seen.records.into_iter().filter_map(|m| m.spikes);
    let counts = counts.flat_map(read).collect();
    (counts, read(toy::potential(&seen.state)))
}

/// The same by streams, one for each image.
fn streamed(engine: &Engine, images: &[f32], row: usize) -> (Vec<f64>, Vec<f64>) {
    let k = engine.latents();
    let mut counts = Vec::new();
    let mut stream = engine.stream(KEY);
    for _ in 0..STEPS {
        let mut step = vec![0.0; k];
        let image = &images[row * 99..(row + 1) * 99];
        for spike in stream.step(image).expect("finite") {
            step[spike.neuron as usize] = f64::from(spike.count);
        }
        counts.extend(step);
    }
    let potential = stream.potential().iter().map(|u| f64::from(*u));
    (counts, potential.collect())
}

fn differing(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differ = a.iter().zip(b).filter(|(a, b)| a != b).count();
    differ as f64 / a.len() as f64 * 1e6
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

fn potentials(engine: &Engine) -> Vec<f64> {
    let percept = engine
        .perceive(&images(), STEPS, None, &KEY)
        .expect("finite");
    percept.potentials.iter().map(|u| f64::from(*u)).collect()
}

#[test]
fn events_and_zeros_give_the_same_bits() {
    for step in [StepForm::Explicit, StepForm::Proximal] {
        let [dense, events] = [DriveMethod::Dense, DriveMethod::Events].map(|form| {
            let engine = engine(form, step);
            engine
                .perceive(&images(), STEPS, None, &KEY)
                .expect("finite")
        });
        assert_eq!(dense, events);
        let spikes: u64 = events.spikes.iter().sum();
        assert!(spikes > 1000, "only {spikes} spikes: nothing was compared");
    }
}

#[test]
fn every_form_fires_the_spikes_of_exact_inference() {
    for step in [StepForm::Explicit, StepForm::Proximal] {
        let (_, expected) = unrolled(step);
        for form in [
            DriveMethod::Dense,
            DriveMethod::Events,
            DriveMethod::Lateral,
        ] {
            let off = furthest(&potentials(&engine(form, step)), &expected);
            assert!(off < ANOTHER_ORDER, "{form:?}, {step:?}: {off}");
        }
        let integer = potentials(&engine(DriveMethod::IntegerLateral, step));
        let near = integer
            .iter()
            .zip(&expected)
            .filter(|(a, b)| (*a - *b).abs() < SIXTEEN_BITS);
        // A spike more or less is another course of the whole image.
        assert!(
            near.count() as f64 > 0.8 * expected.len() as f64,
            "{step:?}"
        );
    }
}

#[test]
fn a_stream_is_a_batch_of_one() {
    let step = StepForm::Proximal;
    let (counts, expected) = unrolled(step);
    let k = expected.len() / BATCH;
    // Row 0 draws the numbers that a stream draws.
    let of_row_0 = counts.chunks(k).step_by(BATCH).flatten().copied();
    let of_row_0: Vec<f64> = of_row_0.collect();
    for form in [
        DriveMethod::Dense,
        DriveMethod::Events,
        DriveMethod::Lateral,
    ] {
        let (counts, potential) = streamed(&engine(form, step), &images(), 0);
        assert!(differing(&counts, &of_row_0) <= AT_THE_EDGE, "{form:?}");
        assert!(
            furthest(&potential, &expected[..k]) < ANOTHER_ORDER,
            "{form:?}"
        );
    }
}

#[test]
fn an_image_that_has_settled_stays_where_it_was() {
    let engine = engine(DriveMethod::Events, StepForm::Proximal);
    let settle = StoppingRule {
        window: 3,
        tolerance: 0.2,
    };
    let stopped = engine
        .perceive(&images(), 60, Some(settle), &KEY)
        .expect("finite");
    let k = engine.latents();
    assert!(stopped.steps.iter().all(|s| s.is_multiple_of(3) && *s >= 6));
    let first = stopped.steps.iter().min().copied().unwrap_or(0);
    assert!(first < 60, "nothing settled");
    let whole = engine
        .perceive(&images(), first as usize, None, &KEY)
        .expect("finite");
    for (row, steps) in stopped.steps.iter().enumerate() {
        let at = row * k..(row + 1) * k;
        let same = stopped.potentials[at.clone()] == whole.potentials[at];
        assert_eq!(
            same,
            *steps == first,
            "image {row} after {steps} of {first}"
        );
    }
}

#[test]
fn refuses_what_it_cannot_do() {
    let engine = engine(DriveMethod::Events, StepForm::Explicit);
    let perceive = |images: &[f32]| engine.perceive(images, 3, None, &KEY);
    assert!(perceive(&[0.0; 100]).is_err(), "not a whole image");
    let mut image = vec![0.0; 99];
    image[7] = f32::NAN;
    let error = perceive(&image).expect_err("not a number").to_string();
    assert!(error.contains("NaN at position 7"), "{error}");
    let mut stream = engine.stream(KEY);
    let before = stream.potential().to_vec();
    assert!(stream.step(&image).is_err() && stream.step(&[0.0]).is_err());
    assert_eq!((stream.time(), stream.potential()), (0, &before[..]));
    stream.step(&[0.0; 99]).expect("still works");
    assert_eq!(perceive(&[]).expect("nothing").steps, Vec::<u32>::new());
}
