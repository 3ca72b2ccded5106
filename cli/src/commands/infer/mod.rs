//! `scotopic infer`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use scotopic::posterior::Terminology;
use scotopic_datasets::npy;
use scotopic_datasets::stimulus::Frames;
use scotopic_figures::tiles::Row;
use scotopic_figures::{Figure, Tile, animation, raster, tiles};
use scotopic_filtering::many;
use scotopic_train::device;

use super::{model, print};
use crate::args::RuntimeArgs;
use crate::figure_format::FigureFormat;
use crate::outputs::Force;
use crate::pictures::{capital, model_name};
use crate::usage::UsageError;

pub(super) mod images;
mod presentation;
pub mod recording;
mod whole;

use presentation::Presentation;
use recording::Recording;

/// Options of `scotopic infer`.
#[derive(Debug, Args)]
#[command(
    after_help = "Input: a png, jpeg, npy or npz file, or a folder of images. Arrays are [n, pixels],\n\
                        [n, height, width] or [n, channels, height, width]. Pictures of the model's size\n\
                        or larger are preprocessed as its training images were and cut into patches; arrays\n\
                        are not. Without --input, the first validation images of the model are used.\n\n\
                        Stimulus: a TOML file, or KEY=VALUE pairs separated by commas; kind is static,\n\
                        jitter, rotate, grating, white-noise, video, npy or npz (`scotopic config keys`\n\
                        lists the keys of each). An npy or npz array is [time, n, pixels] or [time, pixels],\n\
                        one frame per inference step.\n\n\
                        Output: inference.npz with input [time, n, pixels], spikes [time, n, latents] as used\n\
                        by the updates, rates [n, latents], reconstruction and reconstruction_rates\n\
                        [n, pixels], free_energy, negative_log_likelihood and kl [time, n];\n\
                        reconstructions.png, unroll.gif (input and reconstruction over time) and raster.png.\n\
                        Pictures that were cut into patches come back whole: pictures/NAME.png has the input and\n\
                        the reconstructions from one sample and from the rates side by side; file, row and column\n\
                        [n] in inference.npz say where each patch was.\n\
                        For models without spikes the arrays are called samples and means (states and\n\
                        activities for point estimates); of these only categorical ones have a raster.\n\nExamples:\n  \
                        scotopic infer checkpoints/dead-leaves --input photo.jpg --out seen\n  \
                        scotopic infer checkpoints/dead-leaves --stimulus kind=rotate,degrees=2 --out seen\n  \
                        scotopic infer checkpoints/dead-leaves --stimulus kind=grating,contrast=2 --out seen"
)]
pub struct InferArgs {
    /// Run folder, folder of a released checkpoint, or checkpoint file
    pub model: PathBuf,
    /// Images to present, or to be moved by the stimulus
    #[arg(long, value_name = "PATH")]
    pub input: Option<PathBuf>,
    /// Array of an .npz file to present [default: the only one that has images of the model's size]
    #[arg(long, value_name = "NAME", requires = "input")]
    pub array: Option<String>,
    /// Movement of the images, or a stimulus without images [default: static images]
    #[arg(long, value_name = "SPEC")]
    pub stimulus: Option<String>,
    /// Rows and columns from one patch of a picture to the next; less than the size of a patch makes them overlap
    /// [default: side by side]
    #[arg(long, value_name = "N", requires = "input", value_parser = clap::value_parser!(u32).range(1..))]
    pub patch_step: Option<u32>,
    /// Output folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Format of the figures.
    #[command(flatten)]
    pub format: FigureFormat,
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
    /// Leave to replace files.
    #[command(flatten)]
    pub force: Force,
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
    let still_path = args.format.file(&args.out, "reconstructions");
    let moving_path = args.out.join("unroll.gif");
    let raster_path = args.format.file(&args.out, "raster");
    let [archive, pictures_folder] = ["inference.npz", "pictures"].map(|name| args.out.join(name));
    let written = [
        &archive,
        &still_path,
        &moving_path,
        &raster_path,
        &pictures_folder,
    ];
    args.force
        .check(written.map(PathBuf::as_path))
        .map_err(UsageError)?;
    if args.out.exists() && !args.out.is_dir() {
        let error = anyhow!("--out {} is a file, expected a folder", args.out.display());
        return Err(UsageError(error).into());
    }
    let opened = device::open(args.runtime.device).map_err(UsageError)?;
    let (checkpoint, model) = model::open(&args.model, &opened.device)?;
    let Presentation {
        frames,
        steps,
        pictures,
    } = presentation::presentation(args, &checkpoint)?;
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
        &|| Ok(()),
    )?;

    // Everything is drawn before anything is written.
    let shape = checkpoint.image.shape;
    let tile = Tile {
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    };
    let file = args.input.as_ref().and_then(|path| path.file_name());
    let data = match (file, &args.stimulus) {
        (Some(file), _) => file.to_string_lossy().into_owned(),
        (None, Some(stimulus)) => stimulus.clone(),
        (None, None) => "validation images".to_owned(),
    };
    let what = format!("{}, {data}", model_name(&checkpoint.config));
    let still = reconstructions(&frames, &recording, tile, &terms, steps)?.of(&what);
    let moving = unfolding(&frames, &recording, tile, &terms, (few, &moments))?.of(&what);
    let raster = match terms.counts {
        true => {
            let first = recording.samples.chunks_exact(images * latents);
            let first: Vec<f32> = first.flat_map(|t| t[..latents].to_vec()).collect();
            let title = format!("{} in response to the first image", capital(terms.samples));
            Some(raster::spikes(&first, steps, latents, &title)?.of(&what))
        }
        false => None,
    };
    let free_energy = recording.free_energy(images)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make {}", args.out.display()))?;
    if raster.is_none() && raster_path.is_file() {
        std::fs::remove_file(&raster_path)
            .with_context(|| format!("could not remove {}", raster_path.display()))?;
    }
    let pixels = frames.pixels;
    let by_means = format!("reconstruction_{}", terms.means);
    let mut arrays: Vec<(&str, &[usize], &[f32])> = Vec::new();
    let (input, recorded, seen) = (
        [frames.steps, images, pixels],
        [steps, images],
        [images, pixels],
    );
    let (all_samples, all_means) = ([steps, images, latents], [images, latents]);
    arrays.push(("input", &input, &frames.data));
    arrays.push((terms.samples, &all_samples, &recording.samples));
    arrays.push((terms.means, &all_means, &recording.means));
    arrays.push(("reconstruction", &seen, &recording.by_sample));
    arrays.push((&by_means, &seen, &recording.by_means));
    arrays.push(("negative_log_likelihood", &recorded, &recording.nll));
    arrays.push(("kl", &recorded, &recording.kl));
    arrays.push(("free_energy", &recorded, &free_energy));
    // Where each patch was in its picture, as far as the patches were presented.
    let origins = pictures.as_ref().map_or(&[][..], |p| p.set().origins());
    let origins = &origins[..origins.len().min(images)];
    let rows: Vec<f32> = origins.iter().map(|o| o.row as f32).collect();
    let columns: Vec<f32> = origins.iter().map(|o| o.column as f32).collect();
    let files: Vec<&str> = origins.iter().map(|o| &*o.file).collect();
    let patches = [origins.len()];
    let mut texts: Vec<(&str, &[&str])> = Vec::new();
    if !origins.is_empty() {
        arrays.push(("row", &patches, &rows));
        arrays.push(("column", &patches, &columns));
        texts.push(("file", &files));
    }
    npy::write_npz_with_texts(&archive, &arrays, &texts)?;
    let whole = match &pictures {
        Some(pictures) => {
            let input = &frames.frame(frames.steps - 1)[..images * pixels];
            let reconstructions = [&recording.by_sample[..], &recording.by_means[..]];
            let scale = checkpoint.image.standardisation;
            whole::write(&pictures_folder, pictures, (input, reconstructions), scale)?
        }
        None => Vec::new(),
    };
    say_what_else_is_there(&pictures_folder, &whole);
    still.write(&still_path)?;
    moving.write(&moving_path)?;
    let raster_path = raster.is_some().then_some(raster_path);
    if let (Some(picture), Some(path)) = (&raster, &raster_path) {
        picture.write(path)?;
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
            "archive": archive.to_string_lossy(), "reconstructions": still_path.to_string_lossy(),
            "unroll": moving_path.to_string_lossy(), "raster": raster_path.as_ref().map(|path| path.to_string_lossy()),
        });
        print::line(serde_json::to_string_pretty(&value)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(format!(
        "{images} images, {steps} steps: free energy −ln p + KL {begin:.1} → {end:.1} nats, {:.1} % {}",
        100.0 * recording.zeros,
        terms.zeros
    ))?;
    let written = [
        Some(archive),
        Some(still_path),
        Some(moving_path),
        raster_path,
    ];
    for path in written.into_iter().flatten().chain(whole) {
        print::line(path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how many pictures in `folder` were there before (--force) and are not of this input. They may be the user's own: they stay.
fn say_what_else_is_there(folder: &Path, written: &[PathBuf]) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let others = entries.filter(|entry| !written.contains(&entry.path()));
    match others.count() {
        0 => {}
        n => tell!(
            "{} in {} not of this input",
            many(n, "other file"),
            folder.display()
        ),
    }
}

/// The last frames of up to twelve sequences, and their reconstructions.
fn reconstructions(
    frames: &Frames,
    recording: &Recording,
    tile: Tile,
    terms: &Terminology,
    steps: usize,
) -> Result<Figure> {
    let few = frames.batch.min(12) * frames.pixels;
    let label = format!("{}, t = {steps}", terms.samples);
    let rows = [
        Row::new("input", &frames.frame(frames.steps - 1)[..few]),
        Row::new(&label, &recording.by_sample[..few]),
        Row::new(terms.means, &recording.by_means[..few]),
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
) -> Result<Figure> {
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
