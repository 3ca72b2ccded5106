//! Animations of a reconstruction that unfolds step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use crate::colour::INK;
use crate::patch::Tile;
use crate::picture::RgbImage;
use crate::strip::{MARGIN, Strip};
use crate::text::{self, TITLE};
use crate::{FigureError, write_whole};

/// The space above the tiles for the label of the step and the progress bar.
const HEAD: usize = 56;
/// The distance of the progress bar from the top margin.
const BAR: usize = 36;
/// The side of a tile at most: an animation is watched, and sent.
const SIDE: usize = 160;

/// Draws one picture for every step: the input above, the reconstruction at that step below, the
/// label of the step at the top over a bar that fills as the steps go by.
///
/// `frames` is `[steps, count, channels * height * width]`; `input` is the same where it moves, or
/// `[count, channels * height * width]` where it is static; and `labels` has one entry for every
/// step, such as `"t = 3"`. Every column is drawn on the range of its input over all steps. The
/// pictures have the same size.
pub fn unroll(
    frames: &[f32],
    input: &[f32],
    tile: Tile,
    labels: &[impl AsRef<str>],
) -> Result<Vec<RgbImage>, FigureError> {
    if labels.is_empty() {
        return Err(FigureError::Empty("there are no steps".to_owned()));
    }
    tile.count(input, "the input")?;
    let moves = input.len() == frames.len() && input.len().is_multiple_of(labels.len());
    let each = match moves {
        true => input.len() / labels.len(),
        false => input.len(),
    };
    if labels.len().checked_mul(each) != Some(frames.len()) {
        return Err(FigureError::Length {
            what: "the frames".to_owned(),
            expected: format!("{} steps x {each}", labels.len()),
            got: frames.len(),
        });
    }
    let strip = Strip::new(&["input", "reconstruction"], &input[..each], tile)?.at_most(SIDE);
    let ranges = strip.ranges(input)?;
    // A static input is its own next frame.
    let inputs = input.chunks_exact(each).cycle();
    let steps = frames
        .chunks_exact(each)
        .zip(inputs)
        .zip(labels)
        .enumerate();
    steps
        .map(|(step, ((frame, input), label))| {
            let mut picture = strip.paper(HEAD)?;
            let label = text::fit(label.as_ref(), TITLE, strip.inner_width());
            let x = strip.tiles_left();
            text::draw(&mut picture, x, MARGIN as i32, &label, TITLE, INK);
            strip.progress(&mut picture, (MARGIN + BAR) as i32, step + 1, labels.len());
            strip.draw(
                &mut picture,
                HEAD,
                &[("input", input), ("reconstruction", frame)],
                Some(&ranges),
            )?;
            Ok(picture)
        })
        .collect()
}

/// The colours that a picture of a GIF can have.
const COLOURS: usize = 256;
/// The colours of five bits up to which a picture is taken for one of lines and areas with smooth edges.
const EDGES: usize = 2048;

/// Writes pictures of one size to `path` as a GIF that repeats for ever, through a temporary name
/// in the same folder.
///
/// `delay_ms` is the time that each picture stays. GIF counts in hundredths of a second, and many
/// viewers slow down below two of them, so that delays below 20 ms become 20 ms. Grey pictures
/// keep their levels; more colours than 256 in a picture are reduced.
pub fn write_gif(
    path: impl AsRef<Path>,
    frames: &[RgbImage],
    delay_ms: u32,
) -> Result<(), FigureError> {
    write_frames(path, frames.iter().cloned().map(Ok), delay_ms, delay_ms)
}

/// The same for pictures that are drawn one by one, so that only one is held at a time; the last one stays for
/// `end_ms`.
///
/// # Errors
/// [`FigureError`] if there is no frame, one differs from the first in size, one could not be drawn, or the file could
/// not be written.
pub fn write_frames(
    path: impl AsRef<Path>,
    frames: impl Iterator<Item = Result<RgbImage, FigureError>>,
    delay_ms: u32,
    end_ms: u32,
) -> Result<(), FigureError> {
    let hundredths = |ms: u32| u16::try_from(ms.max(20) / 10).unwrap_or(u16::MAX);
    let mut frames = frames.enumerate().peekable();
    let first = match frames.peek() {
        Some((_, Ok(first))) if first.width() > 0 && first.height() > 0 => first.dimensions(),
        Some((_, Ok(_))) => return Err(FigureError::Empty("frames without pixels".to_owned())),
        // That error is reported below.
        Some((_, Err(_))) => (0, 0),
        None => return Err(FigureError::Empty("there are no frames".to_owned())),
    };
    let path = path.as_ref();
    let encoding = |source| {
        let path = path.to_path_buf();
        match source {
            EncodingError::Io(source) => FigureError::Io { path, source },
            source => FigureError::Encode { path, source },
        }
    };
    let side = |pixels: u32| {
        u16::try_from(pixels).map_err(|_| FigureError::TooLarge {
            width: first.0 as usize,
            height: first.1 as usize,
        })
    };
    write_whole(path, |out| {
        let (width, height) = (side(first.0)?, side(first.1)?);
        let mut encoder = Encoder::new(out, width, height, &[]).map_err(encoding)?;
        encoder.set_repeat(Repeat::Infinite).map_err(encoding)?;
        while let Some((index, frame)) = frames.next() {
            let frame = frame?;
            let got = frame.dimensions();
            if got != first {
                return Err(FigureError::FrameSize { index, got, first });
            }
            let stays = if frames.peek().is_some() {
                delay_ms
            } else {
                end_ms
            };
            // Of the speeds 1 to 30, one that is quick and still close in colour.
            let mut frame = Frame::from_rgb_speed(width, height, &settled(frame).bytes(), 10);
            frame.delay = hundredths(stays);
            frame.dispose = DisposalMethod::Background;
            encoder.write_frame(&frame).map_err(encoding)?;
        }
        Ok(())
    })
}

/// The pixels of `frame`: as they are where their colours are few enough. Smooth edges have more, a few pixels of each:
/// these lose their last three bits and go to the nearest of the colours that are found most. Pictures of yet more
/// colours are left to the encoder, which chooses better and takes longer.
fn settled(mut frame: RgbImage) -> RgbImage {
    let mut exact = BTreeSet::new();
    let few = frame
        .pixels()
        .all(|p| !exact.insert(p.0) || exact.len() <= COLOURS);
    if few {
        return frame;
    }
    // Five bits of eight, black and white kept.
    let coarse = |channel: u8| {
        let level = (u32::from(channel) * 31 + 127) / 255;
        ((level * 255 + 15) / 31) as u8
    };
    let mut counts: BTreeMap<[u8; 3], u32> = BTreeMap::new();
    // Neighbours are mostly alike: a run of pixels is looked up once.
    let pixels: Vec<[u8; 3]> = frame.pixels().map(|p| p.0).collect();
    for run in pixels.chunk_by(|a, b| a == b) {
        *counts.entry(run[0].map(coarse)).or_default() += run.len() as u32;
    }
    if counts.len() > EDGES {
        return frame;
    }
    let mut popular: Vec<([u8; 3], u32)> = counts.into_iter().collect();
    popular.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let colours: Vec<[u8; 3]> = popular.into_iter().map(|(colour, _)| colour).collect();
    let kept = &colours[..COLOURS.min(colours.len())];
    let off = |a: &[u8; 3], b: &[u8; 3]| {
        let squares = a
            .iter()
            .zip(b)
            .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2));
        squares.sum::<u32>()
    };
    let nearest = |colour: &[u8; 3]| {
        let near = kept.iter().min_by_key(|k| off(k, colour));
        (*colour, near.copied().unwrap_or(*colour))
    };
    let shown: BTreeMap<[u8; 3], [u8; 3]> = colours.iter().map(nearest).collect();
    let mut to = frame.pixels_mut();
    for run in pixels.chunk_by(|a, b| a == b) {
        let colour = run[0].map(coarse);
        let colour = shown.get(&colour).copied().unwrap_or(colour);
        for pixel in to.by_ref().take(run.len()) {
            pixel.0 = colour;
        }
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{AnimationDecoder, DynamicImage};

    use crate::picture::Rgb;
    use image::codecs::gif::GifDecoder;
    use std::fs;
    use std::io::BufReader;

    const TILE: Tile = Tile {
        height: 2,
        width: 2,
        channels: 1,
    };
    const INPUT: [f32; 8] = [0.0, 1.0, 0.0, 1.0, -5.0, 5.0, -5.0, 5.0];

    fn unrolled() -> Vec<RgbImage> {
        let frames: Vec<f32> = (0..4)
            .flat_map(|step| INPUT.map(|v| v * step as f32 / 4.0))
            .collect();
        unroll(&frames, &INPUT, TILE, &["t = 0", "t = 1", "t = 2", "t = 3"]).unwrap()
    }

    #[test]
    fn the_reconstruction_unfolds_on_the_range_of_the_input() {
        let pictures = unrolled();
        assert_eq!(pictures.len(), 4);
        assert!(
            pictures
                .windows(2)
                .all(|pair| pair[0].dimensions() == pair[1].dimensions())
        );
        // The top right value of the last tile: 0, 1.25, 2.5 and 3.75 on a range of -5 to 5.
        let (width, height) = pictures[0].dimensions();
        let strip = Strip::new(&["input", "reconstruction"], &INPUT, TILE)
            .unwrap()
            .at_most(SIDE);
        let x = strip.tiles_left() as u32;
        assert!(x > 24 && x < width);
        let last = |picture: &RgbImage| picture.get_pixel(width - 26, height - 26)[0];
        let levels: Vec<u8> = pictures.iter().map(last).collect();
        assert_eq!(levels, [128, 159, 191, 223]);
        let input = |picture: &RgbImage| picture.get_pixel(width - 26, HEAD as u32 + 26)[0];
        assert!(pictures.iter().all(|picture| input(picture) == 255));
        // The bar grows by a quarter of its length every step.
        let dark = |picture: &RgbImage| {
            let row = (MARGIN + BAR) as u32 + 3;
            (x..width)
                .filter(|&x| *picture.get_pixel(x, row) == INK)
                .count()
        };
        let bars: Vec<usize> = pictures.iter().map(dark).collect();
        assert!(bars[0] > 50 && bars[3] / 4 == bars[0], "{bars:?}");
    }

    /// Each step shows its own input, all on one range.
    #[test]
    fn an_input_that_moves_is_seen_moving() {
        let moving: Vec<f32> = (0..2)
            .flat_map(|step| INPUT.map(|v| v * (step + 1) as f32 / 2.0))
            .collect();
        let pictures = unroll(&[0.0; 16], &moving, TILE, &["t = 0", "t = 1"]).unwrap();
        let (width, _) = pictures[0].dimensions();
        let input = |picture: &RgbImage| picture.get_pixel(width - 26, HEAD as u32 + 26)[0];
        // 2.5 and 5 on a range of -5 to 5.
        assert_eq!([input(&pictures[0]), input(&pictures[1])], [191, 255]);
    }

    #[test]
    fn a_grey_gif_comes_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let pictures = unrolled();
        write_gif(&path, &pictures, 120).unwrap();
        let decoder = GifDecoder::new(BufReader::new(fs::File::open(&path).unwrap())).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(frames.len(), 4);
        for (frame, picture) in frames.into_iter().zip(&pictures) {
            assert_eq!(frame.delay().numer_denom_ms(), (120, 1));
            let shown = DynamicImage::ImageRgba8(frame.into_buffer()).to_rgb8();
            assert_eq!(shown.dimensions(), picture.dimensions());
            assert_eq!(shown.into_raw(), picture.bytes());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Few colours are kept, those of smooth edges to five bits; and the last picture stays.
    #[test]
    fn colours_come_back_as_near_as_they_can_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let few = RgbImage::from_fn(16, 16, |x, y| Rgb([16 * x as u8, 16 * y as u8, 200]));
        // 1600 colours of which five bits leave 75; and 256 rare ones on white, one of which has to go to its neighbour.
        let many = RgbImage::from_fn(16, 100, |x, y| Rgb([x as u8, 2 * y as u8, 255]));
        let edges = RgbImage::from_fn(64, 64, |x, y| match (x % 4, y % 4) {
            (0, 0) => Rgb([(4 * x) as u8, (4 * y) as u8, (2 * (x + y)) as u8]),
            _ => Rgb([255, 255, 255]),
        });
        for (picture, off) in [(few, 0), (many, 4), (edges, 20)] {
            let frames = [picture.clone(), picture.clone()].into_iter().map(Ok);
            write_frames(&path, frames, 50, 900).unwrap();
            let decoder = GifDecoder::new(BufReader::new(fs::File::open(&path).unwrap())).unwrap();
            let frames = decoder.into_frames().collect_frames().unwrap();
            let stays: Vec<u32> = frames
                .iter()
                .map(|f| f.delay().numer_denom_ms().0)
                .collect();
            assert_eq!(stays, [50, 900]);
            let shown = DynamicImage::ImageRgba8(frames[1].buffer().clone()).to_rgb8();
            let far = shown
                .iter()
                .zip(picture.bytes())
                .map(|(a, b)| a.abs_diff(b));
            assert!(far.max() <= Some(off));
        }
    }

    #[test]
    fn a_frame_that_fails_or_differs_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let failing = [Ok(RgbImage::new(2, 2)), Err(FigureError::Channels(5))];
        let error = write_frames(&path, failing.into_iter(), 50, 50).unwrap_err();
        assert!(error.to_string().contains("5 channels"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let none: [&str; 0] = [];
        let said = |error: FigureError| error.to_string();
        assert!(said(unroll(&[], &INPUT, TILE, &none).unwrap_err()).contains("no steps"));
        let short = said(unroll(&[0.0; 9], &INPUT, TILE, &["a", "b"]).unwrap_err());
        assert!(short.contains("9 values where 2 steps x 8"), "{short}");
        let nan = said(unroll(&[f32::NAN; 8], &INPUT, TILE, &["a"]).unwrap_err());
        assert!(nan.contains("NaN"), "{nan}");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        assert!(said(write_gif(&path, &[], 50).unwrap_err()).contains("no frames"));
        assert!(write_gif(&path, &[RgbImage::new(0, 3)], 50).is_err());
        let sizes = [RgbImage::new(2, 3), RgbImage::new(3, 2)];
        assert!(said(write_gif(&path, &sizes, 50).unwrap_err()).contains("frame 1 is (3, 2)"));
        assert!(!path.exists());
    }
}
