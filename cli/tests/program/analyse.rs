//! The analyses against closed forms and against sums taken by hand, on models made by hand.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use scotopic::inference::RecordOptions;
use scotopic::posterior::Posterior;
use scotopic_datasets::ood::{OodSuite, Skipped};
use scotopic_datasets::{ImageSet, ImageShape};
use scotopic_measures::gabor::Gabor;
use scotopic_models::{
    DecoderKind, ImageDims, Method, Network, NetworkConfig, Transition, TransitionKind,
    TransitionWeights,
};
use scotopic_train::analysis::classify::{ClassificationConfig, classify};
use scotopic_train::analysis::context::{ContextConfig, context};
use scotopic_train::analysis::convergence::{ConvergenceConfig, convergence};
use scotopic_train::analysis::direction::{DirectionConfig, direction};
use scotopic_train::analysis::filters::{Active, filters};
use scotopic_train::analysis::latency::{LatencyConfig, latency};
use scotopic_train::analysis::lateral::lateral;
use scotopic_train::analysis::ood::ood;
use scotopic_train::analysis::rates::rates;
use scotopic_train::analysis::receptive_field::{WhiteNoiseConfig, receptive_fields};
use scotopic_train::analysis::representation::{RepresentationConfig, representations};
use scotopic_train::analysis::tuning::{TuningConfig, tuning};
use scotopic_train::analysis::{AnalysedModel, Dictionary};
use scotopic_train::config::{self, RunConfig};
use scotopic_train::evaluate::validation;
use scotopic_train::evaluate::{EvaluationConfig, evaluate};

use super::metrics::{example, host, linear};

const SIDE: usize = 12;
const GREY: ImageShape = ImageShape {
    channels: 1,
    height: SIDE,
    width: SIDE,
};

fn settings() -> RunConfig {
    config::resolve("smoke", None, &[]).unwrap()
}

/// Neurons with these atoms, silent at rest, that follow what they see.
fn with_atoms(atoms: &[Vec<f32>], resting: f64, device: &Device) -> Network {
    let config = NetworkConfig {
        picture: ImageDims {
            channels: 1,
            height: SIDE,
            width: SIDE,
        },
        latents: atoms.len(),
        resting_low: resting,
        resting_high: resting,
        log_step: -1.5,
        ..Default::default()
    };
    let mut model = config.init(Method::NaturalGradient, device, 0).unwrap();
    let data = TensorData::new(atoms.concat(), [atoms.len(), SIDE * SIDE]);
    linear(&mut model).atoms = Param::from_tensor(Tensor::from_data(data, device));
    model
}

/// An oriented wave of length 1; `degrees` counter-clockwise as gratings have it.
fn wave(degrees: f64, frequency: f64, phase: f64) -> Vec<f32> {
    let gabor = Gabor {
        amplitude: 1.0,
        x0: 5.5,
        y0: 5.5,
        sigma_x: 2.2,
        sigma_y: 2.6,
        theta: -degrees.to_radians(), // rows count downwards
        frequency,
        phase,
    };
    let values = gabor.render(SIDE, SIDE);
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    values.iter().map(|v| (v / norm) as f32).collect()
}

fn noise(seed: u64) -> Vec<f32> {
    let key = scotopic::noise::NoiseKey::new(seed);
    (0..144)
        .map(|i| (key.words(i, 0)[0] as f32 / u32::MAX as f32) - 0.5)
        .collect()
}

#[test]
fn convergence_ends_where_evaluation_does() {
    let device = Device::flex();
    let (model, set) = example(&device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let all: Vec<usize> = (1..=100).collect();
    let how = |steps: Vec<usize>| ConvergenceConfig {
        steps,
        count: 10,
        batch: 4,
    };
    let found = convergence(&analysed, &set, &how(all)).unwrap();
    let measured = EvaluationConfig {
        steps: 100,
        count: 10,
        batch: 4,
        ..validation(&config)
    };
    let measured = evaluate(&model, &set, &measured, &device).unwrap();
    let last = found.at.last().unwrap();
    for (name, a, b) in [
        ("r2", last.r2, measured.r2),
        ("r2_pooled", last.r2_pooled, measured.r2_pooled),
        ("r2_rates", last.r2_rates, measured.r2_rates),
        ("squared_error", last.squared_error, measured.squared_error),
        (
            "squared_error_rates",
            last.squared_error_rates,
            measured.squared_error_rates,
        ),
        ("mse", last.mse * 9.0, measured.squared_error),
        ("zeros", last.zeros, measured.zeros),
        ("change", last.change, measured.change),
        (
            "population",
            last.population_sparsity.unwrap(),
            measured.population_sparsity.unwrap(),
        ),
        (
            "lifetime",
            last.lifetime_sparsity.unwrap(),
            measured.lifetime_sparsity.unwrap(),
        ),
        (
            "reconstruction",
            found.at.iter().map(|at| at.reconstruction).sum::<f64>() / 100.0,
            measured.reconstruction,
        ),
        (
            "kl",
            found.at.iter().map(|at| at.kl).sum::<f64>() / 100.0,
            measured.kl,
        ),
    ] {
        assert!(
            (a - b).abs() <= 1e-5 * (1.0 + b.abs()),
            "{name}: {a}, evaluation says {b}"
        );
    }
    // Looking seldom changes nothing of what is seen, and the order of the steps is no matter.
    let few = convergence(&analysed, &set, &how(vec![100, 7, 7])).unwrap();
    assert_eq!(few.at.len(), 2);
    assert_eq!((few.at[0], few.at[1]), (found.at[6], found.at[99]));
    assert!(convergence(&analysed, &set, &how(vec![0, 3])).is_err());
    assert!(convergence(&analysed, &set, &how(vec![])).is_err());
}

/// A neuron that fires at rate 1 whatever it sees: the squared error is known, and so is what is lost.
#[test]
fn images_that_are_worse_than_nothing_are_counted() {
    let device = Device::flex();
    let mut atom = vec![0f32; 144];
    atom[0] = 2.0;
    let mut model = with_atoms(&[atom], 0.0, &device);
    model.log_step = vec![Param::from_tensor(Tensor::full([1], -200.0, &device))];
    let config = RunConfig {
        inference: scotopic_models::RuleConfig {
            potential_ceiling: 80.0,
            step_ceiling: 80.0,
            ..Default::default()
        },
        ..settings()
    };
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    // Energies 4 and 1; x̂ by rates is 2 in the first pixel: errors 0 and 9.
    let mut pixels = vec![0f32; 288];
    (pixels[0], pixels[144]) = (2.0, -1.0);
    let set = ImageSet::new("two", GREY, pixels, None).unwrap();
    let how = ConvergenceConfig {
        steps: vec![1],
        count: 2,
        batch: 2,
    };
    let at = convergence(&analysed, &set, &how).unwrap().at[0];
    assert!((at.squared_error_rates - 4.5).abs() < 1e-4, "{at:?}");
    assert_eq!(at.lost_rates, 0.5);
    assert!(
        (at.worst_rates - 9.0).abs() < 1e-3 && at.change == 0.0,
        "{at:?}"
    );
    assert_eq!(
        (at.population_sparsity, at.lifetime_sparsity.is_some()),
        (None, true)
    );
}

#[test]
fn a_representation_is_the_mean_of_the_belief() {
    let device = Device::flex();
    let (model, set) = example(&device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = RepresentationConfig {
        steps: vec![9, 2],
        count: 11,
        batch: 4,
    };
    let found = representations(&analysed, &set, &how).unwrap();
    assert_eq!(found.iter().map(|r| r.step).collect::<Vec<_>>(), [2, 9]);
    for at in &found {
        let mut expected = Vec::new();
        for (number, rows) in [(0u32, 0..4), (1, 4..8), (2, 8..11)] {
            let count = rows.len();
            let values = set.pixels()[rows.start * 9..rows.end * 9].to_vec();
            let x = Tensor::from_data(TensorData::new(values, [count, 9]), &device);
            let key = validation(&config).noise.step(number);
            let seen = model.infer(x, at.step, analysed.rule(), &key, RecordOptions::FINAL);
            expected.extend(host(seen.state.mean()));
        }
        assert_eq!((at.images, at.latents, at.values.len()), (11, 7, 77));
        for (a, b) in at.values.iter().zip(expected) {
            assert!(
                (f64::from(*a) - b).abs() <= 1e-6 * (1.0 + b),
                "step {}: {a} {b}",
                at.step
            );
        }
    }
}

/// Two sorts of images, each with an atom of its own: any read-out can tell them apart.
#[test]
fn an_easy_set_is_told_apart() {
    let device = Device::flex();
    let sorts = [wave(0.0, 0.2, 0.0), wave(90.0, 0.2, 0.0)];
    let model = with_atoms(&sorts, -2.0, &device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let made = |n: usize, labelled: bool| {
        let labels: Vec<u8> = (0..n).map(|i| (i % 2) as u8).collect();
        let strength = |i: usize| 4.0 + (i % 5) as f32;
        let each = (0..n).flat_map(|i| sorts[i % 2].iter().map(move |v| v * strength(i)));
        ImageSet::new("sorts", GREY, each.collect(), labelled.then_some(labels)).unwrap()
    };
    let how = ClassificationConfig {
        seen: RepresentationConfig {
            steps: vec![1, 20],
            count: 1000,
            batch: 16,
        },
        logistic: Default::default(),
        neighbours: Default::default(),
    };
    let found = classify(&analysed, &made(60, true), &made(24, true), &how).unwrap();
    assert_eq!(
        (found.train_images, found.test_images, found.classes),
        (60, 24, 2)
    );
    assert_eq!(found.chance, 0.5);
    let last = found.at.last().unwrap();
    assert_eq!(
        (last.step, last.logistic, last.neighbours, last.converged),
        (20, 1.0, 1.0, true)
    );
    let text = classify(&analysed, &made(60, false), &made(24, true), &how)
        .unwrap_err()
        .to_string();
    assert!(text.contains("sorts has no labels"), "{text}");
    let one = ClassificationConfig {
        seen: RepresentationConfig {
            count: 1,
            ..how.seen.clone()
        },
        ..how
    };
    let text = classify(&analysed, &made(60, true), &made(24, true), &one)
        .unwrap_err()
        .to_string();
    assert!(text.contains("all of class 0"), "{text}");
}

#[test]
fn views_are_measured_as_sets_are() {
    let device = Device::flex();
    let (model, set) = example(&device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = ConvergenceConfig {
        steps: vec![3, 8],
        count: usize::MAX,
        batch: 4,
    };
    let suite = OodSuite {
        views: vec![
            set.clone().named("rotated-0"),
            set.clone().take(5).named("others"),
        ],
        skipped: vec![Skipped {
            name: "kmnist".into(),
            missing: "kmnist/images".into(),
        }],
    };
    let found = ood(&analysed, &suite, &how).unwrap();
    assert_eq!(
        found.views[0].at,
        convergence(&analysed, &set, &how).unwrap().at
    );
    assert_eq!(
        (found.views[1].set.as_str(), found.views[1].images),
        ("others", 5)
    );
    assert_eq!(
        found.skipped,
        [("kmnist".to_string(), "kmnist/images".to_string())]
    );
    let none = OodSuite {
        views: vec![],
        ..suite
    };
    let text = ood(&analysed, &none, &how).unwrap_err().to_string();
    assert!(
        text.contains("kmnist/images") && text.contains("--data"),
        "{text}"
    );
}

/// With steps of size 0 every rate is e^u₀, whatever is seen.
#[test]
fn rates_of_neurons_that_see_nothing_are_those_at_rest() {
    let device = Device::flex();
    let (mut model, set) = example(&device);
    model.log_step = vec![Param::from_tensor(Tensor::full([1], -200.0, &device))];
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = RepresentationConfig {
        steps: vec![3],
        count: 11,
        batch: 4,
    };
    let found = rates(&analysed, &set, &how).unwrap();
    let resting = host(model.prior.rest[0].val());
    for (rate, u) in found.rates.iter().zip(&resting) {
        assert!((rate.ln() - u).abs() < 1e-3, "{rate} {u}"); // the soft ceiling bends u a little
    }
    let fit = found.log_normal.unwrap();
    let mean = resting.iter().sum::<f64>() / 7.0;
    assert!((fit.mean - mean).abs() < 1e-3 && fit.firing == 7, "{fit:?}");
    assert_eq!(found.histogram.unwrap().counts.iter().sum::<usize>(), 7);
}

#[test]
fn a_dictionary_of_waves_is_recognised() {
    let device = Device::flex();
    let faint: Vec<f32> = wave(30.0, 0.2, 1.0).iter().map(|v| 0.05 * v).collect();
    let atoms = [
        wave(0.0, 0.2, 0.0),
        wave(60.0, 0.15, 1.0),
        noise(1),
        faint,
        vec![0.0; 144],
    ];
    let model = with_atoms(&atoms, -3.0, &device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let found = filters(&analysed, GREY, &Active::Norm(0.1), 0.7).unwrap();
    let flags: Vec<bool> = found.filters.iter().map(|f| f.active).collect();
    assert_eq!(flags, [true, true, true, false, false]);
    assert_eq!(found.fraction_gabor, Some(2.0 / 3.0));
    let fit = found.filters[1].fit.unwrap();
    assert!(
        fit.r2 > 0.999 && (fit.gabor.frequency - 0.15).abs() < 1e-3,
        "{fit:?}"
    );
    assert_eq!(found.filters[4].fit, None);
    let by_rate = Active::Rate {
        floor: 0.5,
        rates: vec![1.0, 0.1, 0.1, 0.1, 0.1],
    };
    let found = filters(&analysed, GREY, &by_rate, 0.7).unwrap();
    assert_eq!((found.active, found.fraction_gabor), (1, Some(1.0)));
    let short = Active::Rate {
        floor: 0.5,
        rates: vec![1.0],
    };
    assert!(filters(&analysed, GREY, &short, 0.7).is_err());
}

#[test]
fn lateral_weights_are_the_product_by_hand() {
    let device = Device::flex();
    let (model, _) = example(&device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let found = lateral(&analysed).unwrap();
    let dictionary = linear(&mut model.clone()).clone();
    let (atoms, log_sigma) = (
        host(dictionary.atoms.val()),
        host(dictionary.log_sigma.val()),
    );
    let precision: Vec<f64> = log_sigma
        .iter()
        .map(|l| (-2.0 * 3.45 * (l / 3.45).tanh()).exp())
        .collect();
    for i in 0..7 {
        for d in 0..9 {
            let expected = atoms[i * 9 + d] * precision[d];
            let w = f64::from(found.feedforward[i * 9 + d]);
            assert!(
                (w - expected).abs() < 1e-5 * (1.0 + expected.abs()),
                "W[{i}, {d}]"
            );
        }
        for j in 0..7 {
            let each = (0..9).map(|d| atoms[i * 9 + d] * precision[d] * atoms[j * 9 + d]);
            let (expected, found) = (each.sum::<f64>(), f64::from(found.lateral[i * 7 + j]));
            assert!(
                (found - expected).abs() < 1e-5,
                "L[{i}, {j}]: {found} {expected}"
            );
        }
    }
    let trace: f64 = (0..7).map(|i| f64::from(found.lateral[i * 8])).sum();
    assert!((found.statistics.diagonal_mean - trace / 7.0).abs() < 1e-9);
}

/// Four neurons with oriented waves for atoms prefer gratings like their atoms.
#[test]
fn neurons_are_tuned_to_their_atoms() {
    let device = Device::flex();
    let angles = [0.0, 45.0, 90.0, 135.0];
    let atoms: Vec<Vec<f32>> = angles.iter().map(|&a| wave(a, 0.18, 0.0)).collect();
    let model = with_atoms(&atoms, -3.0, &device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = TuningConfig {
        trials: 8,
        ..Default::default()
    };
    let found = tuning(&analysed, GREY, &how).unwrap();
    assert_eq!(found.summary.responsive, 4);
    for (unit, angle) in found.units.iter().zip(angles) {
        let orientation = unit.orientation.unwrap();
        let off = (orientation.preferred - angle + 90.0).rem_euclid(180.0) - 90.0;
        assert!(
            off.abs() < 8.0 && orientation.selectivity > 0.4,
            "{angle}: {orientation:?}"
        );
        let peak = unit.frequency.unwrap().peak;
        assert!((0.12..0.26).contains(&peak), "{angle}: {peak}");
        assert!(
            unit.by_contrast.last() > unit.by_contrast.first(),
            "{unit:?}"
        );
        // A wave that is rectified follows the drift.
        assert!(unit.modulation.unwrap() > 1.0, "{unit:?}");
        assert!(unit.blank < 0.2 && unit.by_orientation.len() == 12);
    }
    let silly = TuningConfig {
        contrasts: vec![1.0],
        ..how
    };
    let text = format!("{:#}", tuning(&analysed, GREY, &silly).unwrap_err());
    assert!(text.contains("contrasts"), "{text}");
}

/// Eight neurons, one for each eighth of a cycle of one wave, of which each predicts the next and no other.
fn ring(step: usize, device: &Device) -> Network {
    let phase = |i: usize| std::f64::consts::TAU * i as f64 / 8.0;
    let atoms: Vec<Vec<f32>> = (0..8).map(|i| wave(0.0, 0.125, phase(i))).collect();
    let mut model = with_atoms(&atoms, -3.0, device);
    let mut weights = vec![0.0f32; 64];
    for j in 0..8 {
        weights[8 * j + (j + step) % 8] = 3.0;
        weights[8 * j + (j + 8 - step) % 8] = -3.0;
    }
    let weights = TensorData::new(weights, [8, 8]);
    model.transition = Transition {
        weights: Some(TransitionWeights {
            logit_keep: Param::from_tensor(Tensor::full([8], -2.0, device)),
            weights: Param::from_tensor(Tensor::from_data(weights, device)),
            bias: Param::from_tensor(Tensor::zeros([8], device)),
        }),
        kind: TransitionKind::Learned,
    };
    model
}

#[test]
fn neurons_that_predict_their_neighbour_prefer_its_direction() {
    let device = Device::flex();
    let config = settings();
    let how = DirectionConfig {
        frequencies: vec![0.125],
        contrast: 2.0,
        ..Default::default()
    };
    let mut preferred = Vec::new();
    for step in [1, 7] {
        let model = ring(step, &device);
        let analysed = AnalysedModel {
            model: &model,
            config: &config,
            device: &device,
        };
        let found = direction(&analysed, GREY, &how).unwrap();
        // Neighbours explain the same bars, so that some of them stay silent.
        assert!(found.responsive >= 4 && found.units.len() == 8, "{found:?}");
        let (index, shuffled) = (found.index.unwrap(), found.shuffled.unwrap());
        // Random orders have one step in seven that is the predicted one, and as many that are its opposite.
        assert!(index > 0.2 && shuffled < 0.5 * index, "{found:?}");
        let responsive = found.units.iter().filter(|unit| unit.responsive);
        let own: Vec<f64> = responsive.map(|unit| unit.preferred).collect();
        assert!(
            own.windows(2).all(|w| (w[0] - w[1]).abs() <= 67.5),
            "{own:?}"
        );
        preferred.push(own[0]);
    }
    let apart = (preferred[0] - preferred[1]).rem_euclid(360.0);
    assert!((apart - 180.0).abs() <= 67.5, "{preferred:?}");

    let atoms: Vec<Vec<f32>> = (0..8).map(|i| wave(0.0, 0.125, f64::from(i))).collect();
    let mut without = with_atoms(&atoms, -3.0, &device);
    without.transition = Transition {
        weights: None,
        kind: TransitionKind::Static,
    };
    let analysed = AnalysedModel {
        model: &without,
        config: &config,
        device: &device,
    };
    // A frame is inferred alone: 320 counts of each of two directions, and eight neurons.
    let found = direction(&analysed, GREY, &how).unwrap();
    assert!(
        found.index.is_none_or(|index| index.abs() < 0.1),
        "{:?}",
        found.index
    );
}

#[test]
fn higher_contrast_is_answered_sooner() {
    let device = Device::flex();
    let atoms: Vec<Vec<f32>> = [0.0, 60.0, 120.0]
        .iter()
        .map(|&a| wave(a, 0.18, 0.0))
        .collect();
    let model = with_atoms(&atoms, -4.0, &device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = LatencyConfig {
        contrasts: vec![0.25, 0.5, 1.0, 2.0],
        trials: 16,
        neurons: 2,
        ..Default::default()
    };
    let found = latency(&analysed, GREY, &how).unwrap();
    assert_eq!(found.units.len(), 2);
    let medians: Vec<f64> = found.at.iter().filter_map(|at| at.median).collect();
    assert!(
        medians.len() >= 3 && medians.windows(2).all(|m| m[1] < m[0]),
        "{medians:?}"
    );
    for at in &found.at {
        assert_eq!((at.course.len(), at.latencies.len()), (49, 2));
        assert!(
            (at.course[0] - (-4f64).exp()).abs() < 1e-3,
            "{}",
            at.course[0]
        );
    }
}

/// A wave all over the image is driven by every pixel, and its potential is carried from step to step.
#[test]
fn context_of_waves_over_the_whole_image() {
    let device = Device::flex();
    let atoms: Vec<Vec<f32>> = [0.0, 90.0].iter().map(|&a| wave(a, 0.18, 0.0)).collect();
    let model = with_atoms(&atoms, -4.0, &device);
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = ContextConfig {
        trials: 16,
        ..Default::default()
    };
    let found = context(&analysed, GREY, &how).unwrap();
    assert_eq!(found.units.len(), 2);
    for unit in &found.units {
        assert_eq!(unit.by_contrast.len(), 24);
        assert_eq!(unit.by_radius.len(), 7);
        // Atoms at right angles do not compete: the mask is another neuron's matter.
        let masking = unit.masking.unwrap();
        assert!(
            masking.r2 > 0.9 && masking.r2 - masking.r2_unmasked < 0.1,
            "{masking:?}"
        );
        let (least, whole) = (unit.by_radius[0], unit.by_radius[6]);
        assert!(least < 0.5 * whole, "{:?}", unit.by_radius);
        assert!(unit.surround.unwrap() < 0.1, "{:?}", unit.by_radius);
        // The potential has risen already where the same grating was there before.
        let [blank, same, orthogonal] = unit.after;
        assert!(same > 1.02 * blank, "{:?}", unit.after);
        assert!(
            (orthogonal - blank).abs() < 0.5 * (same - blank),
            "{:?}",
            unit.after
        );
    }
    let silly = ContextConfig {
        masks: vec![1.0],
        ..how
    };
    let text = format!("{:#}", context(&analysed, GREY, &silly).unwrap_err());
    assert!(text.contains("masks"), "{text}");
}

#[test]
fn white_noise_shows_the_atoms() {
    let device = Device::flex();
    let atoms: Vec<Vec<f32>> = [0.0, 70.0].iter().map(|&a| wave(a, 0.18, 0.5)).collect();
    let mut model = with_atoms(&atoms, -1.0, &device);
    model.log_step = vec![Param::from_tensor(Tensor::zeros([1], &device))];
    let config = settings();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let how = WhiteNoiseConfig {
        steps: 1000,
        every: 1,
        ..Default::default()
    };
    let found = receptive_fields(&analysed, GREY, &how).unwrap();
    assert_eq!(found.measured, 2);
    for unit in &found.units {
        // What is seen at a step moves the potential that the next spikes are drawn from.
        assert!(matches!(unit.lag, Some(1 | 2)), "{unit:?}");
        assert!(unit.correlation.unwrap() > 0.7, "{unit:?}");
    }
    assert_eq!(found.averages.len(), 2 * 144);
}

#[test]
fn what_a_model_cannot_answer_is_said() {
    let device = Device::flex();
    let mut config = settings();
    config.model.decoder.kind = DecoderKind::Mlp;
    let sizes = NetworkConfig {
        picture: ImageDims {
            channels: 1,
            height: SIDE,
            width: SIDE,
        },
        latents: 4,
        ..config.model.clone()
    };
    let model = sizes.init(Method::NaturalGradient, &device, 0).unwrap();
    let analysed = AnalysedModel {
        model: &model,
        config: &config,
        device: &device,
    };
    let text = lateral(&analysed).unwrap_err().to_string();
    assert!(
        text.contains("lateral connectivity needs a linear decoder"),
        "{text}"
    );
    assert!(filters(&analysed, GREY, &Active::Norm(0.1), 0.7).is_err());
    assert!(Dictionary::of(&analysed, "this").is_err());
    assert!(receptive_fields(&analysed, GREY, &WhiteNoiseConfig::default()).is_err());
    let mut other = config.clone();
    other.model.family = scotopic_models::Family::Gaussian;
    let analysed = AnalysedModel {
        config: &other,
        ..analysed
    };
    let text = tuning(&analysed, GREY, &TuningConfig::default())
        .unwrap_err()
        .to_string();
    assert!(text.contains("family gaussian"), "{text}");
    assert!(latency(&analysed, GREY, &LatencyConfig::default()).is_err());
    let set = ImageSet::new(
        "wide",
        ImageShape { width: 13, ..GREY },
        vec![0.0; 156],
        None,
    )
    .unwrap();
    let how = RepresentationConfig {
        steps: vec![1],
        count: 1,
        batch: 1,
    };
    let text = representations(&analysed, &set, &how)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("156 pixels") && text.contains("made for 144"),
        "{text}"
    );
}
