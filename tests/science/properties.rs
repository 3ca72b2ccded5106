//! What must hold for any input: random cases, and for a failing one the smallest that fails.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scotopic::Ramp;
use scotopic::inference::{Leak, RecordOptions, Stimulus, unroll};
use scotopic::noise::{Draw, Noise, NoiseKey, NoiseSource};
use scotopic::ops::{soft_ceiling, soft_symmetric, softplus_clamped_step, tanh_clamped_step};
use scotopic::posterior::{AnyPosterior, Clamps, KlForm, PoissonPosterior, Posterior, Sampling};
use scotopic_models::Network;

use crate::devices::Place;
use crate::numbers::{deviation, read};
use crate::toy::{self, LATENTS, PIXELS, Parameters, potential};

/// Rounding of f64 through a few dozen operations.
const ROUNDING: f64 = 1e-12;

/// Units of f64 in the last place of the largest term of λδ − λ + r, whose sum may be close to zero.
const CANCELLATION: f64 = 8.0 * f64::EPSILON;

/// The kernels leave out terms below 10⁻⁷: where rounding moves one across, the potential moves as much.
const CUT_OFF: f64 = 1e-6;

/// In nats a datum: many times the standard error of an average over 64 data and five steps.
const CLEARLY_LESS: f64 = 1.0;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        // The same cases every time; so a failure need not be written down next to the sources.
        rng_seed: RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn one(place: &Place, u: f64) -> PoissonPosterior {
    PoissonPosterior::new(place.tensor(&[u], [1, 1]))
}

/// A model, a rule and images drawn from `seed`.
fn scene(place: &Place, seed: u64, batch: usize) -> (Network, Stimulus) {
    let x = toy::images(place, seed + 1, batch, PIXELS);
    (Parameters::drawn(seed).model(place), Stimulus::Static(x))
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn divergence(u in -9.0..6.0f64, prior in -9.0..6.0f64) {
        let place = Place::reference();
        let kl = |u, prior, form| read(one(&place, u).kl_from(&one(&place, prior), form))[0];
        let (exact, published) = (kl(u, prior, KlForm::Exact), kl(u, prior, KlForm::Published));
        let (delta, largest) = (u - prior, u.exp().max(prior.exp()) * (1.0 + (u - prior).abs()));
        prop_assert!(exact >= -CANCELLATION * largest, "KL {exact}");
        prop_assert_eq!(kl(u, u, KlForm::Exact), 0.0);
        // For a small δ it is ½rδ²; never less than a third of that for |δ| up to 1.
        let least = prior.exp() * delta.abs().min(1.0).powi(2) / 6.0;
        prop_assert!(exact >= least - CANCELLATION * largest, "KL {exact} of δ {delta}");
        let rounding = CANCELLATION * largest * delta.exp();
        prop_assert!((published - delta.exp() * exact).abs() <= rounding + ROUNDING * published.abs());
    }

    #[test]
    fn clamps_are_bounded_and_monotone(
        mut x in prop::collection::vec(-50.0..50.0f64, 2..20),
        fixed in -20.0..20.0f64,
        step in 0.5..12.0f64,
        state in 0.5..12.0f64,
    ) {
        let place = Place::reference();
        x.sort_by(f64::total_cmp);
        let line = place.tensor::<1>(&x, [x.len()]);
        let level = place.tensor::<1>(&vec![fixed; x.len()], [x.len()]);
        let lowest = -8.0 - 2f64.ln();
        for (name, y, low, high) in [
            ("ceiling", soft_ceiling(line.clone(), state), lowest, state),
            ("symmetric", soft_symmetric(line.clone(), state), -state, state),
            ("potential", softplus_clamped_step(line.clone(), level.clone(), step, state), lowest, state),
            ("drive", softplus_clamped_step(level.clone(), line.clone(), step, state), lowest, state),
            ("symmetric state", tanh_clamped_step(line.clone(), level.clone(), step, state), -state, state),
            ("symmetric drive", tanh_clamped_step(level, line, step, state), -state, state),
        ] {
            let y = read(y);
            prop_assert!(y.iter().all(|y| (low..=high).contains(y)), "{name}: {y:?}");
            prop_assert!(y.windows(2).all(|w| w[1] >= w[0] - ROUNDING), "{name}: {y:?}");
        }
    }

    #[test]
    fn a_ramp_is_monotone_and_ends_right(
        from in -10.0..10.0f64, to in -10.0..10.0f64,
        hold in 0.0..0.7f64, duration in 0.0..0.7f64,
        n in 1usize..300,
    ) {
        let ramp = Ramp { from, to, hold, duration };
        let values: Vec<f64> = (0..n).map(|i| ramp.at(i, n)).collect();
        let towards = (to - from).signum();
        prop_assert!(values.windows(2).all(|w| (w[1] - w[0]) * towards >= -ROUNDING), "{values:?}");
        let (low, high) = (from.min(to) - ROUNDING, from.max(to) + ROUNDING);
        prop_assert!(values.iter().all(|v| (low..=high).contains(v)), "{values:?}");
        let held = (hold * n as f64).floor() as usize;
        prop_assert!(values[..held.min(n)].iter().all(|v| *v == from), "{values:?}");
        let end = ((hold + duration) * n as f64).ceil() as usize;
        prop_assert!(values[end.min(n)..].iter().all(|v| *v == to), "{values:?}");
        prop_assert_eq!(ramp.at(n + end, n), to);
        prop_assert_eq!(Ramp::constant(from).at(n / 2, n), from);
    }

    #[test]
    fn an_unroll_can_be_cut_anywhere(seed in 0u64..1000, cut in 0usize..=6, exact: bool) {
        let place = Place::processor();
        let (model, x) = scene(&place, seed, 3);
        let temperature = if exact { 0.0 } else { 0.5 };
        let perception = model.perception(toy::rule(temperature, KlForm::Exact, Leak::Kl(0.5), 2));
        let run = |start, times| unroll(&*perception, &x, start, times, &NoiseKey::new(seed), RecordOptions::ALL);
        let whole = run(perception.rest(3), 0..6);
        let first = run(perception.rest(3), 0..cut);
        let second = run(first.state, cut..6);
        prop_assert_eq!(read(potential(&whole.state)), read(potential(&second.state)));
        let parts = first.records.into_iter().chain(second.records);
        for (whole, part) in whole.records.into_iter().zip(parts) {
            prop_assert_eq!(whole.time, part.time);
            let (whole, part) = (whole.generated.unwrap(), part.generated.unwrap());
            prop_assert_eq!(read(whole.sample), read(part.sample));
            prop_assert_eq!(read(whole.free_energy.total(1.0)), read(part.free_energy.total(1.0)));
        }
    }

    /// Each datum is independent of the rest of its batch, given its own noise.
    #[test]
    fn the_rest_of_the_batch_does_not_matter(seed in 0u64..1000, row in 0usize..4) {
        let place = Place::reference();
        let (model, batch) = scene(&place, seed, 4);
        let perception = model.perception(toy::rule(0.5, KlForm::Exact, Leak::None, 1));
        let all = toy::Twin { key: NoiseKey::new(seed), place: &place, shape: [4, LATENTS], arrivals: 48 };
        let rest = perception.rest(4);
        let together = unroll(&*perception, &batch, rest, 0..5, &all, RecordOptions::FINAL).state;
        let alone = Stimulus::Static(batch.at(0).narrow(0, row, 1));
        let noise = OneRow { all: &all, row };
        let alone = unroll(&*perception, &alone, perception.rest(1), 0..5, &noise, RecordOptions::FINAL).state;
        let expected = read(potential(&together).narrow(0, row, 1));
        prop_assert!(deviation(&read(potential(&alone)), &expected) < ROUNDING);
        // And with keyed noise the first data of a larger batch see what they see without the others.
        let key = NoiseKey::new(seed);
        let few = Stimulus::Static(batch.at(0).narrow(0, 0, 2));
        let few = unroll(&*perception, &few, perception.rest(2), 0..5, &key, RecordOptions::FINAL).state;
        let many = unroll(&*perception, &batch, perception.rest(4), 0..5, &key, RecordOptions::FINAL).state;
        let expected = read(potential(&many).narrow(0, 0, 2));
        prop_assert!(deviation(&read(potential(&few)), &expected) < CUT_OFF);
    }

    #[test]
    fn a_film_is_seen_frame_by_frame(seed in 0u64..1000, frames in 1usize..5) {
        let place = Place::processor();
        let (model, still) = scene(&place, seed, 2);
        let perception = model.perception(toy::rule(0.0, KlForm::Exact, Leak::None, 1));
        let key = NoiseKey::new(seed);
        let see = |x: &Stimulus| unroll(&*perception, x, perception.rest(2), 0..6, &key, RecordOptions::FINAL).state;
        // A video in which nothing moves is a still image.
        let constant = still.at(0).unsqueeze::<3>().repeat_dim(0, frames);
        let constant = Stimulus::Sequence(constant);
        prop_assert_eq!(constant.batch(), 2);
        prop_assert_eq!(read(potential(&see(&constant))), read(potential(&see(&still))));
        // One in which something moves is the steps with its frames one after the other; its last stays.
        let pixels = toy::numbers(seed + 2, frames * 2 * PIXELS, -1.5, 1.5);
        let film = Stimulus::Sequence(place.tensor(&pixels, [frames, 2, PIXELS]));
        let mut state = perception.rest(2);
        for time in 0..6 {
            let frame = time.min(frames - 1) * 2 * PIXELS;
            let frame = place.tensor(&pixels[frame..frame + 2 * PIXELS], [2, PIXELS]);
            state = perception.step(&frame, &state, time, &key, false).state;
        }
        prop_assert_eq!(read(potential(&see(&film))), read(potential(&state)));
    }

    #[test]
    fn extreme_potentials_do_not_panic(
        u in prop::collection::vec(prop::sample::select(EXTREMES.to_vec()), LATENTS),
        temperature in prop::sample::select(vec![0.0, 0.01, 0.5, 50.0]),
    ) {
        for place in [Place::processor(), Place::reference()] {
            let (model, x) = scene(&place, 5, 1);
            let start = AnyPosterior::from(PoissonPosterior::new(place.tensor(&u, [1, LATENTS])));
            let rule = toy::rule(temperature, KlForm::Exact, Leak::Kl(1.0), 2);
            let seen = unroll(&*model.perception(rule), &x, start, 0..3, &NoiseKey::new(5), RecordOptions::ALL);
            prop_assert_eq!(seen.records.len(), 3);
            // A potential that is not a number is not turned into one.
            let state = read(potential(&seen.state));
            prop_assert!(!u.iter().any(|u| u.is_nan()) || state.iter().any(|u| u.is_nan()), "{state:?}");
            prop_assert!(state.iter().all(|u| u.is_nan() || *u <= 4.0), "{state:?}");
        }
    }
}

const EXTREMES: [f64; 8] = [
    -1e30,
    1e30,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    87.0,
    -8.0,
];

/// The noise of one row of a batch.
struct OneRow<'a> {
    all: &'a toy::Twin<'a>,
    row: usize,
}

impl NoiseSource for OneRow<'_> {
    fn noise(&self, time: usize, draw: Draw) -> Noise {
        match self.all.noise(time, draw) {
            Noise::Exponentials(all) => Noise::Exponentials(all.narrow(1, self.row, 1)),
            other => panic!("exponentials, not {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(cases(16))]

    /// Inference is descent: with small steps on images that the model can explain, free energy falls.
    #[test]
    fn free_energy_falls_on_average(seed in 0u64..1000) {
        const DATA: usize = 64;
        let (pixels, latents, steps) = (24, 8, 60);
        let place = Place::processor();
        let mut parameters = Parameters::sized(seed, pixels, latents);
        parameters.values[1].fill(0.0); // σ = 1
        parameters.values[2].fill(-2.0); // rest: 0.14 spikes per step
        parameters.values[3].fill(-4.0);
        parameters.values[4].fill(-3.0); // η = 0.05
        let model = parameters.model(&place);
        let causes = toy::numbers(seed + 3, DATA * latents, 0.0, 4.0);
        let causes = place.tensor(&causes, [DATA, latents]);
        let x = causes.matmul(toy::dictionary(&model).atoms.val());
        let mut rule = toy::rule(0.0, KlForm::Exact, Leak::None, 1);
        rule.clamps = Clamps { state: vec![10.0], step: vec![10.0] };
        rule.sampling = Sampling::EXACT;
        let seen = model.infer(x, steps, rule, &NoiseKey::new(seed), RecordOptions::GENERATED);
        let energies: Vec<f64> = seen.records.iter().map(|moment| {
            let energy = &moment.generated.as_ref().unwrap().free_energy;
            read(energy.total(1.0).mean())[0]
        }).collect();
        let average = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (first, last) = (average(&energies[..5]), average(&energies[steps - 15..]));
        prop_assert!(last < first - CLEARLY_LESS, "from {first} to {last}");
    }
}
