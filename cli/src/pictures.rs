//! Figures of a model and of its training, drawn by `show`, `train` and the experiments.

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{RecordOptions, Trajectory};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{AnyPosterior, Posterior, Sampling};
use scotopic_datasets::{DataConfig, ImageSet, ImageShape};
use scotopic_figures::tiles::Row;
use scotopic_figures::{Figure, Panel, Series, Tile, animation, chart, raster, tiles};
use scotopic_models::Network;
use scotopic_train::config::RunConfig;
use scotopic_train::parameters::{read, to_device};
use scotopic_train::records::LogRow;

fn tile(shape: ImageShape) -> Tile {
    Tile {
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    }
}

/// A model in a title: its family and its number of latents.
pub(crate) fn model_name(config: &RunConfig) -> String {
    let model = &config.model;
    format!("{}-{}", model.family.info().name, model.latents)
}

/// A model and what it was trained on, in a title.
pub(crate) fn trained_model(config: &RunConfig) -> String {
    let data = match &config.data {
        DataConfig::DeadLeaves(_) => "dead leaves",
        DataConfig::Idx(_) => "IDX images",
        DataConfig::Npy(_) => "arrays",
        DataConfig::Images(_) => "photographs",
        DataConfig::Cifar(_) => "CIFAR-10",
        DataConfig::Omniglot(_) => "Omniglot",
        DataConfig::MovingDeadLeaves(_) => "moving dead leaves",
        DataConfig::MovingImages(_) => "moving images",
    };
    format!("{}, trained on {data}", model_name(config))
}

/// A model and the data that it is shown, in a title.
fn shown(config: &RunConfig, set: &ImageSet) -> String {
    format!("{}, {}", model_name(config), set.name())
}

/// Atoms, largest norm first.
///
/// # Errors
/// If the device or the drawing fails.
pub fn dictionary(model: &Network, config: &RunConfig, shape: ImageShape) -> Result<Figure> {
    let atoms = match model.decoder.atoms() {
        Some(atoms) => atoms,
        // The change of the output due to one unit of each latent alone: the atoms of f at 0.
        None => {
            let device = model.decoder.observation_noise().log_sigma().device();
            let units = model.latents();
            let one = Tensor::<2>::eye(units, &device);
            let nothing = model.decoder.decode(Tensor::zeros([1, units], &device));
            model.decoder.decode(one) - nothing
        }
    };
    let atoms = read(atoms)?;
    let mut order: Vec<&[f32]> = atoms.chunks_exact(shape.pixels()).collect();
    let norm = |atom: &[f32]| atom.iter().map(|v| v * v).sum::<f32>();
    order.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    let sorted = order.concat();
    let title = "Dictionary, largest norm first";
    Ok(tiles::dictionary(&sorted, tile(shape), title)?.of(&trained_model(config)))
}

/// The first images of a set (up to `count`), and the unroll over them.
fn infer(
    model: &Network,
    config: &RunConfig,
    set: &ImageSet,
    (count, steps): (usize, usize),
    record: RecordOptions,
    device: &Device,
) -> Result<(Tensor<2>, Trajectory<AnyPosterior>)> {
    let count = count.min(set.len());
    let pixels = set.shape().pixels();
    let x = to_device(set.pixels()[..count * pixels].to_vec(), pixels, device);
    let rule = config.rule().at(1.0, Sampling::EXACT);
    let seen = model.infer(x.clone(), steps, rule, &NoiseKey::new(config.seed), record);
    Ok((x, seen))
}

/// Twelve images and their reconstructions from spikes and from rates.
///
/// # Errors
/// If the device or the drawing fails.
pub fn reconstructions(
    model: &Network,
    config: &RunConfig,
    set: &ImageSet,
    device: &Device,
) -> Result<Figure> {
    let steps = config.inference.steps;
    let record = RecordOptions {
        every: usize::MAX,
        ..RecordOptions::GENERATED
    };
    let (x, seen) = infer(model, config, set, (12, steps), record, device)?;
    let sample = seen
        .records
        .last()
        .and_then(|m| m.generated.as_ref())
        .context("nothing was generated")?;
    let by_rates = model.decoder.decode(seen.state.mean());
    let error = x.clone() - by_rates.clone();
    let (x, spikes, rates, error) = (
        read(x)?,
        read(sample.mean.clone())?,
        read(by_rates)?,
        read(error)?,
    );
    let terms = config.model.family.info().terms;
    let label = format!("{}, t = {steps}", terms.samples);
    let difference = format!("input − {}", terms.means);
    let rows = [
        Row::new("input", &x),
        Row::new(&label, &spikes),
        Row::new(terms.means, &rates),
        Row::residual(&difference, &error),
    ];
    let figure = tiles::reconstructions(&rows, tile(set.shape()), true, "Validation images")?;
    Ok(figure.of(&shown(config, set)))
}

/// R², zeros and ‖Δu‖ for every inference step, means over up to 200 images.
///
/// # Errors
/// If the device or the drawing fails.
pub fn convergence(
    model: &Network,
    config: &RunConfig,
    set: &ImageSet,
    steps: usize,
    device: &Device,
) -> Result<Figure> {
    let (x, seen) = infer(model, config, set, (200, steps), RecordOptions::ALL, device)?;
    let [images, _] = x.dims();
    let sst = (x.clone() - x.clone().mean_dim(1)).square().sum_dim(1) + 1.2e-7;
    let joined = |belief: &AnyPosterior| Tensor::cat(belief.components(), 1);
    let rest = config.rule().at(1.0, Sampling::EXACT);
    let mut previous = joined(&model.perception(rest).rest(images));
    let mut rows = Vec::new();
    for record in &seen.records {
        let (Some(generated), Some(state)) = (&record.generated, &record.state) else {
            continue;
        };
        let r2 = |mean: Tensor<2>| {
            ((x.clone() - mean).square().sum_dim(1) / sst.clone())
                .mean()
                .neg()
                + 1.0
        };
        let u = joined(state);
        // Clipped at −1: an unstable model must not flatten the curve.
        rows.push(r2(generated.mean.clone()).clamp_min(-1.0));
        rows.push(r2(model.decoder.decode(state.mean())).clamp_min(-1.0));
        rows.push(generated.sample.clone().equal_elem(0.0).float().mean());
        rows.push((u.clone() - previous).square().sum_dim(1).sqrt().mean());
        previous = u;
    }
    let values = read(Tensor::cat(rows, 0))?; // one read-back for all steps
    let terms = config.model.family.info().terms;
    let time: Vec<f64> = (1..=values.len() / 4).map(|t| t as f64).collect();
    let series = |label: &str, k: usize| {
        let y = values.chunks_exact(4).map(|row| f64::from(row[k]));
        Series::line(label, time.clone(), y.collect())
    };
    let panel = |title: &str, y_label: &str, series: Vec<Series>, log_y: bool| {
        Panel::new(title, "inference step", y_label, series).logarithmic(true, log_y)
    };
    Ok(chart::lines(&[
        panel(
            "Reconstruction",
            "R²",
            vec![series(terms.samples, 0), series(terms.means, 1)],
            false,
        ),
        panel(
            "Sparsity",
            "fraction of zeros",
            vec![series("zeros", 2)],
            false,
        ),
        panel("Change of the state", "‖Δu‖", vec![series("‖Δu‖", 3)], true),
    ])?
    .titled(
        format!("Convergence: {}", shown(config, set)),
        format!("means over {images} images"),
    ))
}

/// The spikes that one image evokes.
///
/// # Errors
/// If the device or the drawing fails.
pub fn spikes(
    model: &Network,
    config: &RunConfig,
    set: &ImageSet,
    steps: usize,
    device: &Device,
) -> Result<Figure> {
    let record = RecordOptions {
        spikes: true,
        generated: false,
        states: false,
        every: 1,
    };
    let (_, seen) = infer(model, config, set, (1, steps), record, device)?;
    let counts: Vec<Tensor<2>> = seen.records.into_iter().filter_map(|m| m.spikes).collect();
    let units = model.latents();
    let counts = read(Tensor::cat(counts, 0))?;
    let samples = capital(config.model.family.info().terms.samples);
    let title = format!("{samples} during one image");
    Ok(raster::spikes(&counts, steps, units, &title)?.of(&shown(config, set)))
}

/// Twelve images during inference.
///
/// # Errors
/// If the device or the drawing fails.
pub fn unfolding(
    model: &Network,
    config: &RunConfig,
    set: &ImageSet,
    steps: usize,
    device: &Device,
) -> Result<Figure> {
    let (x, seen) = infer(model, config, set, (12, steps), RecordOptions::ALL, device)?;
    let frames: Vec<Tensor<2>> = seen
        .records
        .iter()
        .filter_map(|m| Some(model.decoder.decode(m.state.as_ref()?.mean())))
        .collect();
    let labels: Vec<String> = (1..=frames.len())
        .map(|t| format!("step {t}, {}", config.model.family.info().terms.means))
        .collect();
    let frames = read(Tensor::cat(frames, 0))?;
    let figure = animation::unroll(&frames, &read(x)?, tile(set.shape()), &labels)?;
    Ok(figure.of(&format!("Inference: {}", shown(config, set))))
}

/// Free energy and its terms over training.
///
/// # Errors
/// If there is nothing to draw.
pub fn training(config: &RunConfig, rows: &[LogRow]) -> Result<Figure> {
    let x: Vec<f64> = rows.iter().map(|r| r.iteration as f64).collect();
    let series = |label: &str, value: &dyn Fn(&LogRow) -> f64| {
        Series::line(label, x.clone(), rows.iter().map(value).collect())
    };
    let panel = |title: &str, y_label: &str, series: Vec<Series>, log_y: bool| {
        Panel::new(title, "iteration", y_label, series).logarithmic(false, log_y)
    };
    Ok(chart::lines(&[
        panel(
            "Reconstruction",
            "−ln p(x|z) (nats)",
            vec![series("−ln p(x|z)", &|r| r.reconstruction)],
            false,
        ),
        panel(
            "Divergence",
            "KL (nats)",
            vec![series("KL", &|r| r.kl), series("β·KL", &|r| r.beta * r.kl)],
            false,
        ),
        panel(
            "Gradient",
            "global norm",
            vec![series("before clipping", &|r| r.gradient_norm)],
            true,
        ),
    ])?
    .of(&format!("Training: {}", trained_model(config))))
}

/// The word at the beginning of a title.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
