//! The frames presented to a model, from images and a stimulus.

use anyhow::{Context, Result, anyhow, ensure};
use scotopic_datasets::images::TiledPictures;
use scotopic_datasets::stimulus::Frames;
use scotopic_datasets::{
    ImageSet, PixelScale, StimulusConfig, WhiteningKind, check_scale, images, scale_doubt,
};
use scotopic_train::checkpoint::Checkpoint;
use scotopic_train::config;

use super::InferArgs;
use super::images::{self as input, Images};
use crate::args::load;
use crate::usage::UsageError;

/// Number of validation images presented by default.
const FEW: usize = 12;
/// Half a gigabyte of results; larger requests are better split over several files.
const MOST: usize = 1 << 27;

/// Standardised frames, and the number of inference steps.
pub(super) struct Presentation {
    /// `[time, sequence, pixel]`; one time step where nothing moves.
    pub frames: Frames,
    /// Inference steps.
    pub steps: usize,
    /// The pictures whose patches the sequences are, if they were cut out of pictures.
    pub pictures: Option<TiledPictures>,
}

/// Makes the frames for the options.
///
/// # Errors
/// [`UsageError`] if the options contradict each other; or if images or stimulus are invalid.
pub(super) fn presentation(args: &InferArgs, checkpoint: &Checkpoint) -> Result<Presentation> {
    let shape = checkpoint.image.shape;
    let scale = checkpoint.image.standardisation;
    let stimulus = match &args.stimulus {
        None => StimulusConfig::default(),
        Some(spec) => {
            // Empty pixels are 0 before standardisation.
            let mut blank = [0.0];
            scale.apply(&mut blank);
            config::stimulus(spec, blank[0]).map_err(UsageError)?
        }
    };
    if args.input.is_some() && !stimulus.shows_images() {
        let what = "--input gives images, which this stimulus does not use";
        let kind = stimulus.kind();
        return Err(UsageError(anyhow!("{what} (kind = \"{kind}\"): leave one out")).into());
    }
    let (images, pictures) = match stimulus.shows_images() {
        true => {
            let Images { set, pictures } = images_of(args, checkpoint)?;
            (Some(set), pictures)
        }
        false => (None, None),
    };
    let films = images.as_ref().filter(|set| set.frames() > 1);
    if films.is_some() && !matches!(stimulus, StimulusConfig::Static(_)) {
        let what = "shows still images, and this model was trained on films";
        let kind = stimulus.kind();
        return Err(UsageError(anyhow!(
            "--stimulus kind={kind} {what}: give images with --input, or leave it out"
        ))
        .into());
    }
    let video = match &stimulus {
        StimulusConfig::Sequence(sequence) => Some(sequence.read()?),
        _ => None,
    };
    let length = match (&stimulus, &video) {
        (_, Some(video)) => Some(video.steps),
        (StimulusConfig::Video(video), _) => {
            let pictures = images::folder(&video.path)?.len();
            Some(pictures.saturating_mul(video.steps_per_frame))
        }
        _ => None,
    };
    let length = films.map(ImageSet::frames).or(length);
    let steps = args.steps.map_or(
        length.unwrap_or(checkpoint.config.steps_per_image()),
        |steps| steps as usize,
    );
    let available = images
        .as_ref()
        .map(ImageSet::films)
        .or(video.as_ref().map(|f| f.batch));
    let wanted = args.max_images.map(|n| n as usize);
    let count = match (wanted, available) {
        (Some(n), Some(most)) => n.min(most),
        (Some(n), None) => n,
        (None, Some(most)) if args.input.is_none() && video.is_none() => most.min(FEW),
        (None, most) => most.unwrap_or(1),
    };
    let latents = checkpoint.config.model.latents;
    let recorded = steps.saturating_mul(count).saturating_mul(latents + 2);
    ensure!(
        recorded <= MOST,
        "{steps} steps of {count} images with {latents} latents are {recorded} numbers to record, more than {MOST}: \
         give fewer images (--max-images) or lower --steps"
    );
    let frames_made = match stimulus {
        StimulusConfig::Static(_) => 1,
        _ => steps,
    };
    let indices: Vec<usize> = (0..count).collect();
    let mut frames = match films {
        Some(films) => Frames::films(films, &indices)?,
        None => stimulus.frames(images.as_ref(), &indices, shape, frames_made)?,
    };
    if stimulus.shows_pixels() {
        let filter = input::whitening(&checkpoint.config.data);
        if filter.is_some_and(|f| f.kind != WhiteningKind::None || f.local_contrast) {
            tell!(
                "scotopic: this model was trained on filtered images; the frames of `{}` are shown unfiltered",
                stimulus.kind()
            );
        }
        if let Some(trained) = &checkpoint.image.pixels {
            let name = format!("stimulus `{}`", stimulus.kind());
            check_scale(&name, trained, &PixelScale::of(&frames.data)?)?;
        }
        frames = frames.rescaled(stimulus.kind(), scale)?;
    }
    Ok(Presentation {
        frames,
        steps,
        pictures,
    })
}

/// The images of `--input` on the scale of the model, or some of those that it was validated on.
fn images_of(args: &InferArgs, checkpoint: &Checkpoint) -> Result<Images> {
    let image = checkpoint.image;
    let Some(path) = &args.input else {
        let data = &checkpoint.config.data;
        let splits = load(data, &args.runtime.folder.data, &mut |_| {}).context(
            "could not load the validation images of the model; give other images with --input",
        )?;
        return Ok(Images {
            set: splits.validation,
            pictures: None,
        });
    };
    let images = input::read(
        path,
        args.array.as_deref(),
        args.patch_step.map(|n| n as usize),
        image.shape,
        &checkpoint.config.data,
    )?;
    if let Some(trained) = image.pixels {
        let expected = match args.standardised {
            true => trained.standardised(image.standardisation),
            false => trained,
        };
        let given = images.set.scale()?;
        check_scale(images.set.name(), &expected, &given)?;
        if let Some(doubt) = scale_doubt(images.set.name(), &expected, &given) {
            tell!("scotopic: {doubt}");
        }
    }
    if args.standardised {
        return Ok(images);
    }
    Ok(Images {
        set: images.set.rescaled(image.standardisation)?,
        ..images
    })
}
