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
use crate::args::{RuntimeArgs, UsageError};
use crate::pictures::capital;

mod images;
mod seen;
mod shown;

use seen::Seen;
use shown::Shown;

/// Options of `scotopic infer`.
#[derive(Debug, Args)]
#[command(
    after_help = "Input: a png, jpeg, npy or npz file, or a folder of pictures. Arrays are [n, pixels],\n\
                        [n, height, width] or [n, channels, height, width]. Pictures larger than the model's\n\
                        images are filtered as its training pictures were and cut into patches. Without\n\
                        --input, images are the first that the model was validated on.\n\n\
                        Stimulus: a TOML file, or KEY=VALUE pairs with commas between them; kind is static,\n\
                        jitter, rotate, grating, white-noise, video, npy or npz (`scotopic config keys`\n\
                        lists the keys of each). An npy or npz array is [time, n, pixels] or [time, pixels],\n\
                        one frame per inference step.\n\n\
                        Output: inference.npz with input [time, n, pixels], spikes [time, n, latents], which\n\
                        drove the state, rates [n, latents], reconstruction and reconstruction_rates\n\
                        [n, pixels], free_energy, negative_log_likelihood and kl [time, n];\n\
                        reconstructions.png, unroll.gif (input and reconstruction over time) and raster.png.\n\
                        Where a model has no spikes, they are called samples and means (states and\n\
                        activities for point estimates), and only categorical ones have a raster.\n\nExamples:\n  \
                        scotopic infer checkpoints/dead-leaves --input photo.jpg --out seen\n  \
                        scotopic infer checkpoints/dead-leaves --stimulus kind=rotate,degrees=2 --out seen\n  \
                        scotopic infer checkpoints/dead-leaves --stimulus kind=grating --steps 100 --out seen"
)]
pub struct InferArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Images that are seen, or moved by the stimulus
    #[arg(long, value_name = "PATH")]
    pub input: Option<PathBuf>,
    /// What happens to them, or is seen instead [default: images that stand still]
    #[arg(long, value_name = "SPEC")]
    pub stimulus: Option<String>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The values of --input are already on the scale of the model (by default the training scale is
    /// applied)
    #[arg(long, requires = "input")]
    pub standardised: bool,
    /// Inference steps [default: as trained, or the length of a film]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..1 << 24))]
    pub steps: Option<u32>,
    /// Images or sequences at most [default: all of --input or of a film, 12 of the model's own, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub count: Option<u32>,
    /// Seed of the samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print a summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Device and data.
    #[command(flatten)]
    pub place: RuntimeArgs,
}

/// Sequences in the animation.
const COLUMNS: usize = 6;
/// Frames of the animation at most.
const FRAMES: usize = 120;

/// Lets a model see.
///
/// # Errors
/// If the model or the input cannot be used, or the output cannot be written.
pub fn run(args: &InferArgs) -> Result<ExitCode> {
    let opened = device::open(args.place.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let Shown { frames, steps } = shown::shown(args, &checkpoint)?;
    let terms = checkpoint.config.model.family.info().terms;
    let (images, latents) = (frames.batch, model.latents());
    let few = images.min(COLUMNS);
    let every = steps.div_ceil(FRAMES);
    let moments: Vec<usize> = (0..steps).skip(every - 1).step_by(every).collect();
    let seen = seen::see(
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
    let still = reconstructions(&frames, &seen, tile, &terms, steps)?;
    let moving = unfolding(&frames, &seen, tile, &terms, (few, &moments))?;
    let raster = match terms.counts {
        true => {
            let first = seen.samples.chunks_exact(images * latents);
            let first: Vec<f32> = first.flat_map(|t| t[..latents].to_vec()).collect();
            let title = format!("{} while the first image is seen", capital(terms.samples));
            Some(raster::spikes(&first, steps, latents, &title)?)
        }
        false => None,
    };
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    let free_energy: Vec<f32> = seen.nll.iter().zip(&seen.kl).map(|(a, b)| a + b).collect();
    let pixels = frames.pixels;
    let by_means = format!("reconstruction_{}", terms.means);
    let archive = args.out.join("inference.npz");
    npy::write_npz(
        &archive,
        &[
            ("input", &[frames.steps, images, pixels], &frames.data),
            (terms.samples, &[steps, images, latents], &seen.samples),
            (terms.means, &[images, latents], &seen.means),
            ("reconstruction", &[images, pixels], &seen.by_sample),
            (&by_means, &[images, pixels], &seen.by_means),
            ("negative_log_likelihood", &[steps, images], &seen.nll),
            ("kl", &[steps, images], &seen.kl),
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
            "free_energy_first": begin, "free_energy_last": end, "zeros": seen.zeros,
            "archive": archive, "reconstructions": still_path, "unroll": moving_path, "raster": raster_path,
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{images} images, {steps} steps: free energy {begin:.1} → {end:.1} nats, {:.1} % {}",
        100.0 * seen.zeros,
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

/// Up to twelve sequences as they are seen last, and what the model makes of them.
fn reconstructions(
    frames: &Frames,
    seen: &Seen,
    tile: Tile,
    terms: &Terminology,
    steps: usize,
) -> Result<image::RgbImage> {
    let few = frames.batch.min(12) * frames.pixels;
    let label = format!("{}, t = {steps}", terms.samples);
    let rows = [
        ("input", &frames.frame(frames.steps - 1)[..few]),
        (label.as_str(), &seen.by_sample[..few]),
        (terms.means, &seen.by_means[..few]),
    ];
    Ok(tiles::reconstructions(
        &rows,
        tile,
        true,
        "What the model sees",
    )?)
}

/// Input and reconstruction, moment by moment.
fn unfolding(
    frames: &Frames,
    seen: &Seen,
    tile: Tile,
    terms: &Terminology,
    (few, moments): (usize, &[usize]),
) -> Result<Vec<image::RgbImage>> {
    let shown = |&t: &usize| frames.frame(t.min(frames.steps - 1))[..few * frames.pixels].to_vec();
    let input: Vec<f32> = match frames.steps {
        1 => shown(&0),
        _ => moments.iter().flat_map(shown).collect(),
    };
    let label = |&t: &usize| format!("step {}, {}", t + 1, terms.means);
    let labels: Vec<String> = moments.iter().map(label).collect();
    Ok(animation::unroll(&seen.unfolding, &input, tile, &labels)?)
}
