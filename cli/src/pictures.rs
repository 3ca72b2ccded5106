//! Figures of a model and of its training, drawn by `show`, `train` and the experiments.

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor};
use scotopic::decoder::Decoder;
use scotopic::inference::{RecordOptions, Stimulus, Trajectory, unroll};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{AnyPosterior, Posterior, Sampling};
use scotopic_datasets::{DataConfig, ImageSet, ImageShape};
use scotopic_figures::tiles::Row;
use scotopic_figures::{Figure, Panel, Series, Tile, animation, chart, raster, tiles};
use scotopic_models::Network;
use scotopic_train::config::RunConfig;
use scotopic_train::films::stimulus;
use scotopic_train::parameters::read;
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
        DataConfig::MovingDigits(_) => "moving digits",
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
    let atoms = read(atoms(model))?;
    let mut order: Vec<&[f32]> = atoms.chunks_exact(shape.pixels()).collect();
    let norm = |atom: &[f32]| atom.iter().map(|v| v * v).sum::<f32>();
    order.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    let sorted = order.concat();
    let title = "Dictionary, largest norm first";
    Ok(tiles::dictionary(&sorted, tile(shape), title)?.of(&trained_model(config)))
}

/// The atoms, `[latent, pixels]`; of a decoder that has none the change of its output due to one unit of each latent alone, the atoms
/// of f at 0.
fn atoms(model: &Network) -> Tensor<2> {
    model.decoder.atoms().unwrap_or_else(|| {
        let device = model.decoder.observation_noise().log_sigma().device();
        let units = model.latents();
        let one = Tensor::<2>::eye(units, &device);
        let nothing = model.decoder.decode(Tensor::zeros([1, units], &device));
        model.decoder.decode(one) - nothing
    })
}

/// Twelve neurons whose spikes predict another's most, each with the neuron that it excites most in the next frame and the one
/// that it inhibits most (the largest and the least of W_kj, k ≠ j, eq. T1).
///
/// # Errors
/// If the model has no learned transition or one neuron, or the device or the drawing fails.
pub fn transition(model: &Network, config: &RunConfig, shape: ImageShape) -> Result<Figure> {
    let weights = model.transition.weights.as_ref();
    let weights = weights.context("the transition of this model is not learned")?;
    let (weights, atoms) = (read(weights.weights.val())?, read(atoms(model))?);
    let latents = model.latents();
    let partners = |from: usize| {
        let row = &weights[from * latents..(from + 1) * latents];
        let others = || (0..latents).filter(move |&to| to != from);
        let most = others().max_by(|&a, &b| row[a].total_cmp(&row[b]))?;
        let least = others().min_by(|&a, &b| row[a].total_cmp(&row[b]))?;
        Some((row[most], [from, most, least]))
    };
    let mut found: Vec<_> = (0..latents).filter_map(partners).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(12);
    let pixels = shape.pixels();
    let row = |which: usize| -> Vec<f32> {
        let each = found.iter().map(|(_, units)| units[which] * pixels);
        each.flat_map(|start| atoms[start..start + pixels].iter().copied())
            .collect()
    };
    let [from, most, least] = [row(0), row(1), row(2)];
    let rows = [
        Row::new("a neuron", &from),
        Row::new("excites most", &most),
        Row::new("inhibits most", &least),
    ];
    let title = "Predictions of the next frame by single neurons";
    Ok(tiles::reconstructions(&rows, tile(shape), false, title)?.of(&trained_model(config)))
}

/// What a model saw of the first images or films of a set.
struct Seen {
    stimulus: Stimulus,
    trajectory: Trajectory<AnyPosterior>,
    /// Steps of inference; of films, their frames.
    steps: usize,
    /// Whether they are films.
    films: bool,
}

impl Seen {
    /// Infers the first images or films of a set, up to `count`.
    fn of(
        model: &Network,
        config: &RunConfig,
        set: &ImageSet,
        (count, steps): (usize, usize),
        record: RecordOptions,
        device: &Device,
    ) -> Self {
        let (frames, pixels) = (set.frames(), set.shape().pixels());
        let count = count.min(set.films());
        let shown = set.pixels()[..count * frames * pixels].to_vec();
        let stimulus = stimulus(shown, count, pixels, device);
        let films = frames > 1;
        let steps = match films {
            true => frames,
            false => steps,
        };
        let perception = model.perception(config.rule().at(1.0, Sampling::EXACT));
        let (rest, noise) = (perception.rest(count), NoiseKey::new(config.seed));
        let trajectory = unroll(&*perception, &stimulus, rest, 0..steps, &noise, record);
        Self {
            stimulus,
            trajectory,
            steps,
            films,
        }
    }

    /// The input of the last step, `[count, pixels]`.
    fn last(&self) -> Tensor<2> {
        self.stimulus.at(self.steps.saturating_sub(1))
    }
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
    let steps = config.steps_per_image();
    let record = RecordOptions {
        every: usize::MAX,
        ..RecordOptions::GENERATED
    };
    let seen = Seen::of(model, config, set, (12, steps), record, device);
    let (x, steps) = (seen.last(), seen.steps);
    let trajectory = &seen.trajectory;
    let sample = trajectory
        .records
        .last()
        .and_then(|m| m.generated.as_ref())
        .context("nothing was generated")?;
    let by_rates = model.decoder.decode(trajectory.state.mean());
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
    let title = match seen.films {
        true => "Last frames of validation films",
        false => "Validation images",
    };
    let figure = tiles::reconstructions(&rows, tile(set.shape()), true, title)?;
    Ok(figure.of(&shown(config, set)))
}

/// R², zeros and ‖Δu‖ for every inference step, means over up to 200 images; of films by frame, with R² pooled over them.
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
    let seen = Seen::of(model, config, set, (200, steps), RecordOptions::ALL, device);
    let images = seen.stimulus.batch();
    let joined = |belief: &AnyPosterior| Tensor::cat(belief.components(), 1);
    let rest = config.rule().at(1.0, Sampling::EXACT);
    let mut previous = joined(&model.perception(rest).rest(images));
    let mut rows = Vec::new();
    for record in &seen.trajectory.records {
        let (Some(generated), Some(state)) = (&record.generated, &record.state) else {
            continue;
        };
        let x = seen.stimulus.at(record.time);
        let sst = (x.clone() - x.clone().mean_dim(1)).square().sum_dim(1) + 1.2e-7;
        let r2 = |mean: Tensor<2>| {
            let sse = (x.clone() - mean).square().sum_dim(1);
            let lost = match seen.films {
                // One frame may be blank, and R² of it alone has no meaning.
                true => sse.sum() / sst.clone().sum(),
                false => (sse / sst.clone()).mean(),
            };
            lost.neg() + 1.0
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
    let (moment, subject) = match seen.films {
        true => ("frame", "films"),
        false => ("inference step", "images"),
    };
    let panel = |title: &str, y_label: &str, series: Vec<Series>, log_y: bool| {
        Panel::new(title, moment, y_label, series).logarithmic(!seen.films, log_y)
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
        format!("means over {images} {subject}"),
    ))
}

/// The spikes that one image or film evokes.
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
    let seen = Seen::of(model, config, set, (1, steps), record, device);
    let records = seen.trajectory.records.into_iter();
    let counts: Vec<Tensor<2>> = records.filter_map(|m| m.spikes).collect();
    let units = model.latents();
    let counts = read(Tensor::cat(counts, 0))?;
    let samples = capital(config.model.family.info().terms.samples);
    let subject = match seen.films {
        true => "film",
        false => "image",
    };
    let title = format!("{samples} during one {subject}");
    Ok(raster::spikes(&counts, seen.steps, units, &title)?.of(&shown(config, set)))
}

/// Twelve images during inference, or twelve films.
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
    let seen = Seen::of(model, config, set, (12, steps), RecordOptions::ALL, device);
    let frames: Vec<Tensor<2>> = seen
        .trajectory
        .records
        .iter()
        .filter_map(|m| Some(model.decoder.decode(m.state.as_ref()?.mean())))
        .collect();
    let (moment, moments) = match seen.films {
        true => ("frame", seen.steps),
        false => ("step", 1),
    };
    let labels: Vec<String> = (1..=frames.len())
        .map(|t| format!("{moment} {t}, {}", config.model.family.info().terms.means))
        .collect();
    let frames = read(Tensor::cat(frames, 0))?;
    let input = (0..moments).map(|time| seen.stimulus.at(time)).collect();
    let input = read(Tensor::cat(input, 0))?;
    let figure = animation::unroll(&frames, &input, tile(set.shape()), &labels)?;
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
