//! Films: a square window that moves over a picture, as an eye does, or objects that move over a dark field.
//!
//! A film is a run of consecutive images of an [`ImageSet`]
//! ([`ImageSet::with_frames`]): smooth drifts, and saccades to a new place with a new
//! direction ([`WalkConfig`]). The pictures are dead leaves, which need no data ([`MovingDeadLeavesConfig`]), or photographs
//! ([`MovingImagesConfig`]). The objects are digits ([`MovingDigitsConfig`]).

mod dead_leaves;
mod digits;
mod images;
mod walk;

pub use dead_leaves::MovingDeadLeavesConfig;
pub use digits::MovingDigitsConfig;
pub use images::MovingImagesConfig;
pub use walk::{WalkConfig, walk};

use crate::images::MAX_PATCH_PIXELS;
use crate::{Error, ImageSet, ImageShape, Picture, Result};

/// How many films of how many frames, `[films, frames, size, size]`.
#[derive(Debug, Clone, Copy)]
struct FilmCutter {
    /// Side of a frame.
    size: usize,
    /// Frames of a film.
    frames: usize,
    /// Pixels at every edge of a picture that are not used.
    border: usize,
    seed: u64,
    /// Training and validation films have streams of their own.
    stream: u64,
    walk: WalkConfig,
}

/// Films with their numbers, all of one picture.
struct CutFilms {
    numbers: Vec<usize>,
    /// One film after the other.
    values: Vec<f32>,
}

impl FilmCutter {
    /// Cuts these films from a picture; film number `n` takes the same walk in any picture of this size.
    fn cut(&self, picture: &Picture, numbers: Vec<usize>) -> CutFilms {
        let mut values = Vec::with_capacity(numbers.len() * self.frames * self.size * self.size);
        for &number in &numbers {
            let room = |side: usize| side - 2 * self.border - self.size;
            let room = [room(picture.height), room(picture.width)];
            let path = [self.stream, number as u64];
            for [top, left] in walk(&self.walk, room, self.frames, self.seed, &path) {
                for row in 0..self.size {
                    let start = (self.border + top + row) * picture.width + self.border + left;
                    let line = &picture.values[start..start + self.size];
                    values.extend(line.iter().map(|&v| v as f32));
                }
            }
        }
        CutFilms { numbers, values }
    }

    /// The films in the order of their numbers.
    fn collect(&self, name: &str, films: usize, cut: Vec<CutFilms>) -> Result<ImageSet> {
        let each = self.frames * self.size * self.size;
        let mut pixels = vec![0.0; films * each];
        for cut in cut {
            for (number, film) in cut.numbers.into_iter().zip(cut.values.chunks_exact(each)) {
                pixels[number * each..(number + 1) * each].copy_from_slice(film);
            }
        }
        let shape = ImageShape {
            channels: 1,
            height: self.size,
            width: self.size,
        };
        ImageSet::new(name, shape, pixels, None)?.with_frames(self.frames)
    }
}

/// Checks the sizes of both sets of films of a source.
fn check_sizes(
    source: &'static str,
    size: usize,
    [train, validation]: [usize; 2],
    [frames, validation_frames]: [usize; 2],
) -> Result<()> {
    if size == 0 || size > 1024 {
        return Err(Error::config(source, "size", size.to_string(), "1 to 1024"));
    }
    if train == 0 {
        return Err(Error::config(source, "train", "0", "at least 1"));
    }
    for (field, frames) in [("frames", frames), ("validation_frames", validation_frames)] {
        if !(2..=100_000).contains(&frames) {
            let expected = "2 to 100000 frames";
            return Err(Error::config(source, field, frames.to_string(), expected));
        }
    }
    for (field, films, frames) in [
        ("train", train, frames),
        ("validation", validation, validation_frames),
    ] {
        let most = MAX_PATCH_PIXELS / (size * size * frames);
        if films > most {
            let expected = format!("at most {most} films of this size and length");
            return Err(Error::config(source, field, films.to_string(), &expected));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
