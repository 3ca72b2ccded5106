//! `scotopic infer`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::{Tensor, TensorData};
use clap::Args;
use scotopic::decoder::Decoder;
use scotopic::inference::{Record, Stimulus, unroll};
use scotopic::noise::NoiseKey;
use scotopic::posterior::{Posterior, Sampling};
use scotopic_datasets::whitening::Whitener;
use scotopic_datasets::{DataConfig, ImageShape, Standardisation, WhiteningConfig, images, npy};

use super::{model, print};
use crate::cli::{BadRequest, Place};
use crate::device;
use crate::figures::{self, Tile, raster, tiles};

/// Options of `scotopic infer`.
#[derive(Debug, Args)]
#[command(
    after_help = "Input: a png, jpeg, npy or npz file, or a folder of pictures. Arrays are [n, pixels],\n\
                        [n, height, width] or [n, channels, height, width]; with --sequence [time, n, pixels] or\n\
                        [time, pixels], one frame per inference step. Pictures larger than the model's images\n\
                        are filtered as its training pictures were and cut into patches.\n\n\
                        Output: inference.npz with input, spikes [time, n, neurons], rates [n, neurons],\n\
                        reconstruction and reconstruction_rates [n, pixels], free_energy,\n\
                        negative_log_likelihood and kl [time, n]; reconstructions.png and raster.png.\n\nExample:\n  \
                        scotopic infer checkpoints/dead-leaves --input photo.jpg --out seen"
)]
pub struct InferArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// What is seen
    #[arg(long, value_name = "PATH")]
    pub input: PathBuf,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The first axis of the array is time
    #[arg(long)]
    pub sequence: bool,
    /// The values are already on the scale of the model (by default the training scale is applied)
    #[arg(long)]
    pub standardised: bool,
    /// Inference steps [default: as trained, or the length of the sequence]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Seed of the spikes
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print a summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Device and data.
    #[command(flatten)]
    pub place: Place,
}

/// Steps between two read-backs from the device.
const STRETCH: usize = 64;

/// What is shown to the model: frames `[time, n, pixels]`, time 1 for still images.
struct Input {
    time: usize,
    images: usize,
    values: Vec<f32>,
}

/// Lets a model see.
///
/// # Errors
/// If the model or the input cannot be used, or the output cannot be written.
pub fn run(args: &InferArgs) -> Result<ExitCode> {
    let opened = device::open(args.place.device).map_err(BadRequest)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let shape = checkpoint.image.shape;
    let mut input = read(args, shape, &checkpoint.config.data)?;
    if !args.standardised {
        scale(&mut input.values, checkpoint.image.standardisation);
    }
    if let Some(at) = input.values.iter().position(|v| !v.is_finite()) {
        bail!(
            "{}: value {at} is {}, expected a finite number",
            args.input.display(),
            input.values[at]
        );
    }
    let Input {
        time,
        images,
        values,
    } = input;
    let film = Tensor::<3>::from_data(
        TensorData::new(values.clone(), [time, images, shape.pixels()]),
        &opened.device,
    );
    let steps = args.steps.map_or(
        if time > 1 {
            time
        } else {
            checkpoint.config.inference.steps
        },
        |t| t as usize,
    );
    let neurons = checkpoint.config.model.latents;
    // Two thirds of a gigabyte of results; beyond that a person wants several files anyway.
    let recorded = steps.saturating_mul(images).saturating_mul(neurons + 2);
    ensure!(
        recorded <= 1 << 27,
        "{steps} steps of {images} images with {neurons} neurons are {recorded} numbers to record, more than {}: \
         give fewer images or lower --steps",
        1 << 27
    );
    let perception = model.perception(checkpoint.config.rule().at(1.0, Sampling::EXACT));
    let stimulus = Stimulus::Sequence(film);
    let noise = NoiseKey::new(args.seed);
    let record = Record {
        states: false,
        ..Record::ALL
    };
    let host = |t: Tensor<2>| {
        t.try_into_vec_as::<f32>()
            .context("could not read from the device")
    };
    let row = |t: Tensor<1>| {
        t.try_into_vec_as::<f32>()
            .context("could not read from the device")
    };

    let mut state = perception.rest(images);
    let (mut spikes, mut nll, mut kl, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
    // Read back in stretches, so that the device holds only a few steps at a time.
    for from in (0..steps).step_by(STRETCH) {
        let seen = unroll(
            &*perception,
            &stimulus,
            state,
            from..steps.min(from + STRETCH),
            &noise,
            record,
        );
        state = seen.state;
        let (mut counts, mut likelihoods, mut divergences) = (Vec::new(), Vec::new(), Vec::new());
        for moment in seen.moments {
            counts.extend(moment.spikes);
            if let Some(generated) = moment.generated {
                likelihoods.push(generated.free_energy.reconstruction.clone());
                divergences.push(generated.free_energy.divergence());
                last = Some(generated);
            }
        }
        spikes.extend(host(Tensor::cat(counts, 0))?);
        nll.extend(row(Tensor::cat(likelihoods, 0))?);
        kl.extend(row(Tensor::cat(divergences, 0))?);
    }
    let last = last.context("no step of inference was asked for")?;
    let rates = state.mean();
    let by_rates = model.decoder.decode(rates.clone());
    let (reconstruction, by_rates, rates) = (host(last.mean)?, host(by_rates)?, host(rates)?);
    let free_energy: Vec<f32> = nll.iter().zip(&kl).map(|(a, b)| a + b).collect();
    let shown = values[(time - 1) * images * shape.pixels()..].to_vec();

    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    let archive = args.out.join("inference.npz");
    npy::write_npz(
        &archive,
        &[
            ("input", &[time, images, shape.pixels()], &values),
            ("spikes", &[steps, images, neurons], &spikes),
            ("rates", &[images, neurons], &rates),
            ("reconstruction", &[images, shape.pixels()], &reconstruction),
            ("reconstruction_rates", &[images, shape.pixels()], &by_rates),
            ("negative_log_likelihood", &[steps, images], &nll),
            ("kl", &[steps, images], &kl),
            ("free_energy", &[steps, images], &free_energy),
        ],
    )?;
    let tile = Tile {
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    };
    let few = images.min(12) * shape.pixels();
    let label = format!("spikes, t = {steps}");
    let rows = [
        ("input", &shown[..few]),
        (label.as_str(), &reconstruction[..few]),
        ("rates", &by_rates[..few]),
    ];
    let pictures = args.out.join("reconstructions.png");
    figures::write_png(
        &pictures,
        &tiles::reconstructions(&rows, tile, true, "What the model sees")?,
    )?;
    let first: Vec<f32> = spikes
        .chunks_exact(images * neurons)
        .flat_map(|t| t[..neurons].to_vec())
        .collect();
    let raster_path = args.out.join("raster.png");
    figures::write_png(
        &raster_path,
        &raster::spikes(
            &first,
            steps,
            neurons,
            "Spikes while the first image is seen",
        )?,
    )?;

    let mean =
        |row: &[f32]| row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len().max(1) as f64;
    let (begin, end) = (
        mean(&free_energy[..images]),
        mean(&free_energy[(steps - 1) * images..]),
    );
    let zeros = spikes.iter().filter(|&&z| z == 0.0).count() as f64 / spikes.len() as f64;
    if args.json {
        let value = serde_json::json!({
            "images": images, "steps": steps, "neurons": neurons,
            "free_energy_first": begin, "free_energy_last": end, "zeros": zeros,
            "archive": archive, "reconstructions": pictures, "raster": raster_path,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{images} images, {steps} steps: free energy {begin:.1} → {end:.1} nats, {:.1} % of all counts are 0",
        100.0 * zeros
    ))?;
    for path in [&archive, &pictures, &raster_path] {
        print::line(path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn scale(values: &mut [f32], standardisation: Standardisation) {
    standardisation.apply(values);
}

fn read(args: &InferArgs, shape: ImageShape, data: &DataConfig) -> Result<Input> {
    let path = &args.input;
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let array = match extension.as_str() {
        "npy" => npy::read(path)?,
        "npz" => {
            let mut arrays = npy::read_npz(path)?;
            let names: Vec<String> = arrays.iter().map(|(name, _)| name.clone()).collect();
            match arrays.len() {
                1 => arrays.remove(0).1,
                _ => match arrays
                    .into_iter()
                    .find(|(name, _)| name == "images" || name == "input")
                {
                    Some((_, array)) => array,
                    None => bail!(
                        "{}: holds {}; expected one array, or one named `images`",
                        path.display(),
                        names.join(", ")
                    ),
                },
            }
        }
        _ => return pictures(path, shape, data),
    };
    let pixels = shape.pixels();
    let sizes = &array.shape;
    let fits = |from: usize| {
        sizes
            .get(from..)
            .is_some_and(|rest| !rest.is_empty() && rest.iter().product::<usize>() == pixels)
    };
    let (time, images) = match (args.sequence, sizes.len()) {
        (false, _) if fits(1) => (1, sizes[0]),
        (true, 2) if fits(1) => (sizes[0], 1),
        (true, _) if fits(2) => (sizes[0], sizes[1]),
        _ => bail!(
            "{}: has shape {sizes:?}; this model sees images of {}×{}×{} = {pixels} pixels{}",
            path.display(),
            shape.channels,
            shape.height,
            shape.width,
            if args.sequence {
                ", expected [time, n, pixels] or [time, pixels]"
            } else {
                ", expected [n, pixels] (or --sequence)"
            }
        ),
    };
    ensure!(time > 0 && images > 0, "{}: is empty", path.display());
    Ok(Input {
        time,
        images,
        values: array.data,
    })
}

/// Pictures: of the model's size as they are, larger ones filtered and cut into patches.
fn pictures(path: &Path, shape: ImageShape, data: &DataConfig) -> Result<Input> {
    ensure!(
        shape.channels == 1,
        "pictures are read as grey values; this model sees {} channels",
        shape.channels
    );
    let files = if path.is_dir() {
        images::folder(path)?
    } else {
        vec![path.to_path_buf()]
    };
    let whitening = match data {
        DataConfig::DeadLeaves(c) => c.whitening.clone(),
        DataConfig::Images(c) => c.whitening.clone(),
        _ => WhiteningConfig {
            kind: scotopic_datasets::WhiteningKind::None,
            local_contrast: false,
            ..Default::default()
        },
    };
    let mut values = Vec::new();
    for file in &files {
        let mut picture = images::grey(file)?;
        if (picture.height, picture.width) != (shape.height, shape.width) {
            ensure!(
                picture.height >= shape.height && picture.width >= shape.width,
                "{}: is {}×{}, smaller than the {}×{} that this model sees",
                file.display(),
                picture.height,
                picture.width,
                shape.height,
                shape.width
            );
            Whitener::new(&whitening).apply(&mut picture);
        }
        for row in 0..picture.height / shape.height {
            for column in 0..picture.width / shape.width {
                for y in 0..shape.height {
                    let from = (row * shape.height + y) * picture.width + column * shape.width;
                    values.extend(
                        picture.values[from..from + shape.width]
                            .iter()
                            .map(|&v| v as f32),
                    );
                }
            }
        }
    }
    let images = values.len() / shape.pixels();
    ensure!(images > 0, "{}: holds no pictures", path.display());
    Ok(Input {
        time: 1,
        images,
        values,
    })
}
