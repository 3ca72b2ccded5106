//! `scotopic infer`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use scotopic::posterior::Terminology;
use scotopic_datasets::npy;
use scotopic_datasets::stimulus::Frames;
use scotopic_figures::{self as figures, Tile, animation, raster, tiles};
use scotopic_train::device;

use super::{model, print};
use crate::args::RuntimeArgs;
use crate::pictures::capital;
use crate::usage::UsageError;

mod images;
mod presentation;
mod recording;

use presentation::Presentation;
use recording::Recording;

/// Options of `scotopic infer`.
#[derive(Debug, Args)]
#[command(
    after_help = "Input: a png, jpeg, npy or npz file, or a folder of images. Arrays are [n, pixels],\n\
                        [n, height, width] or [n, channels, height, width]. Images larger than the model's\n\
                        images are preprocessed as its training images were and cut into patches. Without\n\
                        --input, the first validation images of the model are used.\n\n\
                        Stimulus: a TOML file, or KEY=VALUE pairs separated by commas; kind is static,\n\
                        jitter, rotate, grating, white-noise, video, npy or npz (`scotopic config keys`\n\
                        lists the keys of each). An npy or npz array is [time, n, pixels] or [time, pixels],\n\
                        one frame per inference step.\n\n\
                        Output: inference.npz with input [time, n, pixels], spikes [time, n, latents] as used\n\
                        by the updates, rates [n, latents], reconstruction and reconstruction_rates\n\
                        [n, pixels], free_energy, negative_log_likelihood and kl [time, n];\n\
                        reconstructions.png, unroll.gif (input and reconstruction over time) and raster.png.\n\
                        For models without spikes the arrays are called samples and means (states and\n\
                        activities for point estimates); of these only categorical ones have a raster.\n\nExamples:\n  \
                        scotopic infer checkpoints/dead-leaves --input photo.jpg --out seen\n  \
                        scotopic infer checkpoints/dead-leaves --stimulus kind=rotate,degrees=2 --out seen\n  \
                        scotopic infer checkpoints/dead-leaves --stimulus kind=grating --steps 100 --out seen"
)]
pub struct InferArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Images to present, or to be moved by the stimulus
    #[arg(long, value_name = "PATH")]
    pub input: Option<PathBuf>,
    /// Movement of the images, or a stimulus without images [default: static images]
    #[arg(long, value_name = "SPEC")]
    pub stimulus: Option<String>,
    /// Output folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The values of --input are already standardised (by default the standardisation of training is
    /// applied)
    #[arg(long, requires = "input")]
    pub standardised: bool,
    /// Inference steps [default: as trained, or the length of the video]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Maximum number of images or sequences [default: all of --input or of a video; 12 validation images; else 1]
    #[arg(long, alias = "count", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_images: Option<u32>,
    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print a summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Device and data.
    #[command(flatten)]
    pub runtime: RuntimeArgs,
}

/// Sequences in the animation.
const COLUMNS: usize = 6;
/// Maximum number of frames of the animation.
const FRAMES: usize = 120;

/// Runs inference.
///
/// # Errors
/// If the model or the input cannot be used, or the output cannot be written.
pub fn run(args: &InferArgs) -> Result<ExitCode> {
    let opened = device::open(args.runtime.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let Presentation { frames, steps } = presentation::presentation(args, &checkpoint)?;
    let terms = checkpoint.config.model.family.info().terms;
    let (images, latents) = (frames.batch, model.latents());
    let few = images.min(COLUMNS);
    let every = steps.div_ceil(FRAMES);
    let moments: Vec<usize> = (0..steps).skip(every - 1).step_by(every).collect();
    let recording = recording::record(
        &model,
        &checkpoint.config,
        &frames,
        (steps, args.seed),
        (few, &moments),
        &opened,
    )?;

    // Everything is drawn before anything is written.
    let shape = checkpoint.image.shape;
    let tile = Tile {
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    };
    let still = reconstructions(&frames, &recording, tile, &terms, steps)?;
    let moving = unfolding(&frames, &recording, tile, &terms, (few, &moments))?;
    let raster = match terms.counts {
        true => {
            let first = recording.samples.chunks_exact(images * latents);
            let first: Vec<f32> = first.flat_map(|t| t[..latents].to_vec()).collect();
            let title = format!("{} in response to the first image", capital(terms.samples));
            Some(raster::spikes(&first, steps, latents, &title)?)
        }
        false => None,
    };
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    let free_energy: Vec<f32> = recording
        .nll
        .iter()
        .zip(&recording.kl)
        .map(|(a, b)| a + b)
        .collect();
    let pixels = frames.pixels;
    let by_means = format!("reconstruction_{}", terms.means);
    let archive = args.out.join("inference.npz");
    npy::write_npz(
        &archive,
        &[
            ("input", &[frames.steps, images, pixels], &frames.data),
            (terms.samples, &[steps, images, latents], &recording.samples),
            (terms.means, &[images, latents], &recording.means),
            ("reconstruction", &[images, pixels], &recording.by_sample),
            (&by_means, &[images, pixels], &recording.by_means),
            ("negative_log_likelihood", &[steps, images], &recording.nll),
            ("kl", &[steps, images], &recording.kl),
            ("free_energy", &[steps, images], &free_energy),
        ],
    )?;
    let still_path = args.out.join("reconstructions.png");
    figures::write_png(&still_path, &still)?;
    let moving_path = args.out.join("unroll.gif");
    animation::write_gif(&moving_path, &moving, 120)?;
    let raster_path = raster.is_some().then(|| args.out.join("raster.png"));
    if let (Some(picture), Some(path)) = (&raster, &raster_path) {
        figures::write_png(path, picture)?;
    }

    let mean =
        |row: &[f32]| row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len().max(1) as f64;
    let (begin, end) = (
        mean(&free_energy[..images]),
        mean(&free_energy[(steps - 1) * images..]),
    );
    if args.json {
        let value = serde_json::json!({
            "images": images, "steps": steps, "latents": latents,
            "free_energy_first": begin, "free_energy_last": end, "zeros": recording.zeros,
            "archive": archive, "reconstructions": still_path, "unroll": moving_path, "raster": raster_path,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{images} images, {steps} steps: free energy {begin:.1} → {end:.1} nats, {:.1} % {}",
        100.0 * recording.zeros,
        terms.zeros
    ))?;
    for path in [
        Some(archive),
        Some(still_path),
        Some(moving_path),
        raster_path,
    ] {
        path.map_or(Ok(()), |path| print::line(path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The last frames of up to twelve sequences, and their reconstructions.
fn reconstructions(
    frames: &Frames,
    recording: &Recording,
    tile: Tile,
    terms: &Terminology,
    steps: usize,
) -> Result<figures::RgbImage> {
    let few = frames.batch.min(12) * frames.pixels;
    let label = format!("{}, t = {steps}", terms.samples);
    let rows = [
        ("input", &frames.frame(frames.steps - 1)[..few]),
        (label.as_str(), &recording.by_sample[..few]),
        (terms.means, &recording.by_means[..few]),
    ];
    Ok(tiles::reconstructions(
        &rows,
        tile,
        true,
        "Inputs and reconstructions",
    )?)
}

/// Input and reconstruction over time.
fn unfolding(
    frames: &Frames,
    recording: &Recording,
    tile: Tile,
    terms: &Terminology,
    (few, moments): (usize, &[usize]),
) -> Result<Vec<figures::RgbImage>> {
    let at = |&t: &usize| frames.frame(t.min(frames.steps - 1))[..few * frames.pixels].to_vec();
    let input: Vec<f32> = match frames.steps {
        1 => at(&0),
        _ => moments.iter().flat_map(at).collect(),
    };
    let label = |&t: &usize| format!("step {}, {}", t + 1, terms.means);
    let labels: Vec<String> = moments.iter().map(label).collect();
    Ok(animation::unroll(
        &recording.unfolding,
        &input,
        tile,
        &labels,
    )?)
}
