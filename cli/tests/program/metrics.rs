//! `evaluate` against the golden metrics, and against the same sums taken by hand on the host.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use scotopic::inference::RecordOptions;
use scotopic::noise::NoiseKey;
use scotopic::posterior::{KlForm, Posterior, Sampling};
use scotopic_datasets::{ImageSet, ImageShape};
use scotopic_models::{
    DecoderConfig, DecoderNet, ImageDims, LinearDictionary, Method, Network, NetworkConfig,
    RuleConfig,
};
use scotopic_train::evaluate::{EvaluationConfig, Metrics, evaluate};

use super::support::Golden;

fn row(pixels: usize) -> ImageShape {
    ImageShape {
        channels: 1,
        height: 1,
        width: pixels,
    }
}

/// One neuron that fires at rate e⁰ whatever it sees, and whose atom is `atom`.
fn steady(atom: &[f64], device: &Device) -> Network {
    let config = NetworkConfig {
        picture: ImageDims::row(atom.len()),
        latents: 1,
        resting_low: 0.0,
        resting_high: 0.0,
        ..Default::default()
    };
    let mut model = config.init(Method::NaturalGradient, device, 0).unwrap();
    let atom = Tensor::from_data(TensorData::new(atom.to_vec(), [1, atom.len()]), device);
    linear(&mut model).atoms = Param::from_tensor(atom);
    // η = e^−200 = 0 in f32: nothing that is seen moves the potential.
    model.log_step = vec![Param::from_tensor(Tensor::full([1], -200.0, device))];
    model
}

/// The dictionary of a model that has one.
pub fn linear(model: &mut Network) -> &mut LinearDictionary {
    match &mut model.decoder {
        DecoderNet::Linear(linear) => linear,
        other => panic!("{other:?}"),
    }
}

/// With rate 1, a seed can be found whose only spike count is 1: then spikes and rates both decode to the
/// golden reconstruction, and R² and squared error must be the golden ones.
#[test]
fn r2_and_squared_error_are_the_golden_ones() {
    let device = Device::flex();
    let golden = Golden::open("metrics.f32.safetensors");
    let (shape, x) = golden.get("x");
    let [images, pixels] = shape[..] else {
        panic!("{shape:?}")
    };
    let recon = golden.values("recon");
    let (r2, mse) = (
        golden.values("r2_per_image"),
        golden.values("mse_per_image"),
    );
    // A ceiling of 80 bends a potential of 0 by e^−80 only.
    let rule = RuleConfig {
        potential_ceiling: 80.0,
        step_ceiling: 80.0,
        ..Default::default()
    };
    for i in 0..images {
        let image = &x[i * pixels..(i + 1) * pixels];
        let model = steady(&recon[i * pixels..(i + 1) * pixels], &device);
        let values: Vec<f32> = image.iter().map(|&v| v as f32).collect();
        let set = ImageSet::new("golden", row(pixels), values, None).unwrap();
        let how = |seed| EvaluationConfig {
            steps: 1,
            settling: 0,
            batch: 1,
            count: usize::MAX,
            noise: NoiseKey::new(seed),
            rule: rule.clone(),
            beta: 1.0,
            go_on: || Ok(()),
        };
        let one = |m: &Metrics| (m.squared_error - mse[i]).abs() <= 1e-4 * mse[i];
        // P(count = 1) = e^−1: 100 seeds without one have a probability of 10^−20.
        let found = (0..100)
            .map(|seed| evaluate(&model, &set, &how(seed), &device).unwrap())
            .find(one);
        let m = found.unwrap_or_else(|| {
            panic!(
                "image {i}: no seed gives the golden squared error {}",
                mse[i]
            )
        });
        // 1 − SSE/SST in f32: an error of 10⁻⁶ of the ratio, 1 − R².
        let most = 1e-5 * (1.0 + (1.0 - r2[i]).abs());
        assert!(
            (m.r2 - r2[i]).abs() <= most,
            "image {i}: R² {} by spikes, expected {}",
            m.r2,
            r2[i]
        );
        assert!(
            (m.r2_rates - r2[i]).abs() <= most,
            "image {i}: R² {} by rates, expected {}",
            m.r2_rates,
            r2[i]
        );
        assert_eq!(m.zeros, 0.0);
    }
}

/// A small model that fires at various rates, and 11 images with structure.
pub fn example(device: &Device) -> (Network, ImageSet) {
    let config = NetworkConfig {
        picture: ImageDims::row(9),
        latents: 7,
        decoder: DecoderConfig {
            init_std: 0.5,
            ..Default::default()
        },
        resting_low: -1.5,
        resting_high: 0.5,
        log_step: -1.0,
        ..Default::default()
    };
    let mut model = config.init(Method::NaturalGradient, device, 4).unwrap();
    let log_sigma = TensorData::new(
        (0..9).map(|k| 0.1 * k as f32 - 0.3).collect::<Vec<_>>(),
        [9],
    );
    linear(&mut model).log_sigma = Param::from_tensor(Tensor::from_data(log_sigma, device));
    let shape = ImageShape {
        channels: 1,
        height: 3,
        width: 3,
    };
    let pixels = (0..11 * 9)
        .map(|k| ((k * k % 23) as f32 - 11.0) / 7.0)
        .collect();
    (
        model,
        ImageSet::new("example", shape, pixels, None).unwrap(),
    )
}

pub fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.try_into_vec_as::<f64>().unwrap()
}

/// The measures of `set`, from the recorded spikes and potentials, in f64 with plain loops.
fn by_hand(model: &Network, set: &ImageSet, how: &EvaluationConfig, device: &Device) -> Metrics {
    let (pixels, latents) = (set.shape().pixels(), model.latents());
    let dictionary = linear(&mut model.clone()).clone();
    let atoms = host(dictionary.atoms.val());
    let resting = host(model.prior.rest[0].val());
    let log_sigma: Vec<f64> = host(dictionary.log_sigma.val())
        .iter()
        .map(|l| 3.45 * (l / 3.45).tanh())
        .collect();
    let decode = |z: &[f64]| -> Vec<f64> {
        (0..pixels)
            .map(|d| (0..latents).map(|k| z[k] * atoms[k * pixels + d]).sum())
            .collect()
    };
    let sse = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let images = how.count.min(set.len());
    let (mut r2, mut r2_rates, mut errors, mut errors_rates, mut total) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut zeros, mut reconstruction, mut kl) = (0, 0.0, 0.0);
    let (mut change, mut population) = (0.0, 0.0);
    let mut counts: Vec<Vec<f64>> = Vec::new();
    // 1 − (Σz)²/(n Σz²), stretched to reach 1; a silent row counts with 1.
    let sparsity = |z: &[f64]| {
        let n = z.len() as f64;
        let squares: f64 = z.iter().map(|z| z * z).sum();
        match squares == 0.0 {
            true => 1.0,
            false => (1.0 - z.iter().sum::<f64>().powi(2) / (n * squares)) / (1.0 - 1.0 / n),
        }
    };
    for (number, start) in (0..images).step_by(how.batch).enumerate() {
        let rows = how.batch.min(images - start);
        let values = set.pixels()[start * pixels..(start + rows) * pixels].to_vec();
        let x = Tensor::from_data(TensorData::new(values, [rows, pixels]), device);
        let rule = how.rule.at(1.0, Sampling::EXACT);
        let seen = model.infer(
            x,
            how.steps,
            rule,
            &how.noise.step(number as u32),
            RecordOptions::ALL,
        );
        let mut before: Vec<f64> = (0..rows).flat_map(|_| resting.clone()).collect();
        for (t, moment) in seen.records.iter().enumerate() {
            let u = host(moment.state.as_ref().unwrap().components().remove(0));
            let z = host(moment.generated.as_ref().unwrap().sample.clone());
            for row in 0..rows {
                let x: Vec<f64> = set
                    .image(start + row)
                    .iter()
                    .map(|&v| f64::from(v))
                    .collect();
                let z = &z[row * latents..(row + 1) * latents];
                let seen = decode(z);
                for d in 0..pixels {
                    let scaled = (x[d] - seen[d]) / log_sigma[d].exp();
                    reconstruction +=
                        0.5 * scaled * scaled + log_sigma[d] + 0.5 * std::f64::consts::TAU.ln();
                }
                for k in row * latents..(row + 1) * latents {
                    // Poisson(λ) against Poisson(r): λ ln(λ/r) − λ + r.
                    let (rate, prior) = (u[k].exp(), before[k].exp());
                    kl += rate * (rate / prior).ln() - rate + prior;
                }
                if t + 1 == how.steps {
                    let mean = x.iter().sum::<f64>() / pixels as f64;
                    let sst = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
                    let rates: Vec<f64> = u[row * latents..(row + 1) * latents]
                        .iter()
                        .map(|u| u.exp())
                        .collect();
                    let (by_spikes, by_rates) = (sse(&x, &seen), sse(&x, &decode(&rates)));
                    r2 += 1.0 - by_spikes / sst;
                    r2_rates += 1.0 - by_rates / sst;
                    errors += by_spikes;
                    errors_rates += by_rates;
                    total += sst;
                    zeros += z.iter().filter(|&&z| z == 0.0).count();
                    population += sparsity(z);
                    let now = row * latents..(row + 1) * latents;
                    change += sse(&u[now.clone()], &before[now]).sqrt();
                    counts.push(z.to_vec());
                }
            }
            before = u;
        }
    }
    let lifetime = (0..latents)
        .map(|k| sparsity(&counts.iter().map(|z| z[k]).collect::<Vec<_>>()))
        .sum::<f64>()
        / latents as f64;
    let n = images as f64;
    let per_step = n * how.steps as f64;
    Metrics {
        images,
        steps: how.steps,
        r2: r2 / n,
        r2_pooled: 1.0 - errors / total,
        squared_error: errors / n,
        zeros: zeros as f64 / (n * latents as f64),
        r2_rates: r2_rates / n,
        r2_rates_pooled: 1.0 - errors_rates / total,
        squared_error_rates: errors_rates / n,
        population_sparsity: Some(population / n),
        lifetime_sparsity: (images > 1).then_some(lifetime),
        change: change / n,
        reconstruction: reconstruction / per_step,
        kl: kl / per_step,
        objective: (reconstruction + how.beta * kl) / per_step,
    }
}

/// Batches of 4, 4 and 3 images (and of 4, 4 and 1): a mean of batch means would differ from the mean of images.
#[test]
fn measures_are_what_a_person_would_compute() {
    let device = Device::flex();
    let (model, set) = example(&device);
    for count in [usize::MAX, 9, 1] {
        let how = EvaluationConfig {
            steps: 5,
            settling: 0,
            batch: 4,
            count,
            noise: NoiseKey::new(3),
            rule: RuleConfig {
                kl: KlForm::Exact,
                ..Default::default()
            },
            beta: 2.5,
            go_on: || Ok(()),
        };
        let found = serde_json::to_value(evaluate(&model, &set, &how, &device).unwrap()).unwrap();
        let expected = serde_json::to_value(by_hand(&model, &set, &how, &device)).unwrap();
        assert!(
            expected["zeros"].as_f64().unwrap() > 0.0 && expected["kl"].as_f64().unwrap() > 0.01,
            "{expected}"
        );
        for (key, expected) in expected.as_object().unwrap() {
            if expected.is_null() {
                assert!(
                    found[key].is_null(),
                    "{key}: {} (count {count})",
                    found[key]
                );
                continue;
            }
            let (a, b) = (found[key].as_f64().unwrap(), expected.as_f64().unwrap());
            // Sums of some hundred f32 numbers of the same size: 10⁻⁵ is a hundred times their rounding.
            assert!(
                (a - b).abs() <= 1e-5 * (1.0 + b.abs()),
                "{key}: {a}, by hand {b} (count {count})"
            );
        }
    }
}

#[test]
fn a_batch_may_be_larger_than_the_set() {
    let device = Device::flex();
    let (model, set) = example(&device);
    let how = |batch| EvaluationConfig {
        steps: 5,
        settling: 0,
        batch,
        count: usize::MAX,
        noise: NoiseKey::new(3),
        rule: RuleConfig::default(),
        beta: 1.0,
        go_on: || Ok(()),
    };
    let whole = evaluate(&model, &set, &how(11), &device).unwrap();
    let beyond = evaluate(&model, &set, &how(1000), &device).unwrap();
    assert_eq!(whole, beyond);
}

/// With F_n the mean over n steps, that over the last T − s of T is (T·F_T − s·F_s)/(T − s).
#[test]
fn the_steps_in_which_beliefs_settle_do_not_count() {
    let device = Device::flex();
    let (model, set) = example(&device);
    let how = |steps, settling| EvaluationConfig {
        steps,
        settling,
        batch: 11,
        count: usize::MAX,
        noise: NoiseKey::new(3),
        rule: RuleConfig::default(),
        beta: 1.0,
        go_on: || Ok(()),
    };
    let measured =
        |steps, settling| evaluate(&model, &set, &how(steps, settling), &device).unwrap();
    let (whole, early) = (measured(40, 0), measured(7, 0));
    let late = measured(40, 7);
    let expected = (40.0 * whole.objective - 7.0 * early.objective) / 33.0;
    // Sums of f32 over 40 steps.
    let rounding = 1e-5 * expected.abs();
    assert!((late.objective - expected).abs() <= rounding, "{late:?}");
    assert!((late.objective - whole.objective).abs() > 100.0 * rounding);
    // What is of the last step does not depend on it.
    assert_eq!((late.r2, late.zeros), (whole.r2, whole.zeros));
}

#[test]
fn nothing_to_measure_is_an_error() {
    let device = Device::flex();
    let (model, set) = example(&device);
    let how = |steps, count| EvaluationConfig {
        steps,
        settling: 0,
        batch: 4,
        count,
        noise: NoiseKey::new(3),
        rule: RuleConfig::default(),
        beta: 1.0,
        go_on: || Ok(()),
    };
    let message = |set: &ImageSet, how: &EvaluationConfig| {
        evaluate(&model, set, how, &device).unwrap_err().to_string()
    };
    assert!(message(&set, &how(0, 4)).contains("no step"));
    assert!(message(&set, &how(1, 0)).contains("no images"));
    let wide = ImageSet::new("wide", row(10), vec![0.0; 20], None).unwrap();
    let error = message(&wide, &how(1, 4));
    assert!(
        error.contains("10 pixels") && error.contains("made for 9"),
        "{error}"
    );
}

/// A black image has no variance: R² must stay a number.
#[test]
fn a_black_image_does_not_divide_by_zero() {
    let device = Device::flex();
    let (model, _) = example(&device);
    let black = ImageSet::new("black", row(9), vec![0.0; 18], None).unwrap();
    let how = EvaluationConfig {
        steps: 2,
        settling: 0,
        batch: 4,
        count: 2,
        noise: NoiseKey::new(3),
        rule: RuleConfig::default(),
        beta: 1.0,
        go_on: || Ok(()),
    };
    let m = evaluate(&model, &black, &how, &device).unwrap();
    assert!(
        [m.r2, m.r2_pooled, m.r2_rates, m.r2_rates_pooled]
            .iter()
            .all(|v| v.is_finite()),
        "{m:?}"
    );
}
