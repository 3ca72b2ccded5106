//! Animations: what stands still is drawn once, and every frame holds the rectangle that changed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use gif::{DisposalMethod, Encoder, EncodingError, Frame as GifFrame, Repeat};

use crate::colour::{INK, MUTED};
use crate::error::FigureError;
use crate::figure::{Figure, Frame};
use crate::layout::Layout;
use crate::paint;
use crate::picture::{Rgb, RgbImage};

/// The colours that a GIF can have, and the one of them that stands for what has not changed.
const COLOURS: usize = 255;
const UNCHANGED: u8 = 255;
/// The part of all pixels that the most frequent colours have in frames of lines and areas with smooth edges; in
/// photographs it is less.
const EDGES: f64 = 0.97;
/// The frames from which the colours are chosen.
const SAMPLED: usize = 12;

/// Writes all frames of `figure`; one that does not move has one.
pub fn write(
    figure: &Figure,
    layout: &Layout,
    out: &mut impl Write,
    path: &Path,
) -> Result<(), FigureError> {
    let encoding = |source| {
        let path = path.to_path_buf();
        match source {
            EncodingError::Io(source) => FigureError::Io { path, source },
            source => FigureError::Encode { path, source },
        }
    };
    let stage = Stage::new(figure, layout);
    let still = [Frame::default()];
    let frames = if figure.frames.is_empty() {
        &still[..]
    } else {
        &figure.frames[..]
    };
    let every = frames.len().div_ceil(SAMPLED);
    let sampled = frames
        .iter()
        .rev()
        .step_by(every)
        .map(|frame| stage.frame(frame));
    let mut palette = Palette::of(sampled);

    let (width, height) = (stage.still.width() as u16, stage.still.height() as u16);
    let mut encoder = Encoder::new(out, width, height, &palette.bytes()).map_err(encoding)?;
    encoder.set_repeat(Repeat::Infinite).map_err(encoding)?;
    let mut shown: Option<RgbImage> = None;
    for (index, frame) in frames.iter().enumerate() {
        let now = stage.frame(frame);
        let [left, top, right, bottom] = changed(shown.as_ref(), &now);
        let mut indices = Vec::with_capacity((right - left) as usize * (bottom - top) as usize);
        for y in top..bottom {
            let row = &now.row(y)[left as usize..right as usize];
            match &shown {
                None => indices.extend(row.iter().map(|pixel| palette.index(*pixel))),
                Some(before) => {
                    let before = &before.row(y)[left as usize..right as usize];
                    let pixels = row.iter().zip(before);
                    indices.extend(pixels.map(|(pixel, before)| match pixel == before {
                        true => UNCHANGED,
                        false => palette.index(*pixel),
                    }));
                }
            }
        }
        let last = index + 1 == frames.len();
        let stays = if last { figure.stays.1 } else { figure.stays.0 };
        // Many viewers slow down what stays for less than two hundredths of a second.
        let delay = u16::try_from(stays.max(20) / 10).unwrap_or(u16::MAX);
        let part = GifFrame {
            delay,
            dispose: DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            left: left as u16,
            top: top as u16,
            width: (right - left) as u16,
            height: (bottom - top) as u16,
            buffer: indices.into(),
            ..GifFrame::default()
        };
        encoder.write_frame(&part).map_err(encoding)?;
        shown = Some(now);
    }
    Ok(())
}

/// What stands still, and the plots before and after they are revealed.
struct Stage<'a> {
    layout: &'a Layout<'a>,
    still: RgbImage,
    revealed: Vec<Revealed>,
}

struct Revealed {
    index: usize,
    empty: RgbImage,
    full: RgbImage,
}

impl<'a> Stage<'a> {
    fn new(figure: &Figure, layout: &'a Layout<'a>) -> Self {
        let still = paint::picture(&layout.surroundings(), layout.size, 1.0);
        let mut stage = Self {
            layout,
            still,
            revealed: Vec::new(),
        };
        for (index, plot) in figure.plots.iter().enumerate() {
            let full = paint::area(&layout.area(index, None), 1.0);
            stage
                .still
                .paste(&full, stage.corner(index), 0..full.width());
            if plot.revealed {
                let empty = paint::area(&layout.area(index, Some(&[])), 1.0);
                stage.revealed.push(Revealed { index, empty, full });
            }
        }
        stage
    }

    fn corner(&self, index: usize) -> (u32, u32) {
        let (x, y) = self.layout.origin(index);
        (x as u32, y as u32)
    }

    fn frame(&self, frame: &Frame) -> RgbImage {
        let mut picture = self.still.clone();
        for plot in &self.revealed {
            let Some(until) = frame.until else { continue };
            let corner = self.corner(plot.index);
            let end = self.layout.column(plot.index, until).round().max(0.0) as u32;
            picture.paste(&plot.empty, corner, end..plot.empty.width());
            if end < plot.full.width() {
                let cursor = RgbImage::from_pixel(1, plot.full.height(), MUTED);
                picture.paste(&cursor, (corner.0 + end, corner.1), 0..1);
            }
        }
        // A frame of a plot that is not there changes nothing.
        let plots = self.layout.plots();
        for (index, layers) in frame.layers.iter().filter(|(index, _)| *index < plots) {
            let drawn = paint::area(&self.layout.area(*index, Some(layers)), 1.0);
            picture.paste(&drawn, self.corner(*index), 0..drawn.width());
        }
        picture
    }
}

/// The smallest rectangle that holds every changed pixel: left, top, right, bottom; at least one pixel, which a frame
/// must have.
fn changed(before: Option<&RgbImage>, now: &RgbImage) -> [u32; 4] {
    let (width, height) = now.dimensions();
    let Some(before) = before else {
        return [0, 0, width, height];
    };
    let mut edges = [width, height, 0, 0];
    for y in 0..height {
        let (old, new) = (before.row(y), now.row(y));
        if old == new {
            continue;
        }
        let differs = |(a, b): (&Rgb, &Rgb)| a != b;
        let first = old.iter().zip(new).position(differs).unwrap_or(0) as u32;
        let last = old.iter().zip(new).rposition(differs).unwrap_or(0) as u32;
        edges = [
            edges[0].min(first),
            edges[1].min(y),
            edges[2].max(last + 1),
            y + 1,
        ];
    }
    match edges[2] > 0 {
        true => edges,
        false => [0, 0, 1, 1],
    }
}

/// The colours of all frames, and the nearest of them to any other.
struct Palette {
    colours: Vec<Rgb>,
    nearest: BTreeMap<[u8; 3], u8>,
    last: ([u8; 3], u8),
}

impl Palette {
    /// The colours as they are, where they are few; those of smooth edges to five bits, the ones that are found most;
    /// and of yet more colours, as in photographs, a choice that comes near to all.
    fn of(pictures: impl Iterator<Item = RgbImage>) -> Self {
        let mut counts: BTreeMap<[u8; 3], u64> = BTreeMap::new();
        for picture in pictures {
            let pixels: Vec<Rgb> = picture.pixels().copied().collect();
            for run in pixels.chunk_by(|a, b| a == b) {
                *counts.entry(run[0].0).or_default() += run.len() as u64;
            }
        }
        let mut chosen = counts.clone();
        if chosen.len() > COLOURS {
            chosen.clear();
            for (colour, count) in &counts {
                *chosen.entry(colour.map(coarse)).or_default() += count;
            }
        }
        let mut popular: Vec<([u8; 3], u64)> = chosen.into_iter().collect();
        popular.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let pixels = |counts: &[([u8; 3], u64)]| counts.iter().map(|c| c.1).sum::<u64>() as f64;
        let kept = &popular[..COLOURS.min(popular.len())];
        let colours = if pixels(kept) < EDGES * pixels(&popular) {
            spread(counts.into_keys().collect())
        } else {
            kept.iter().map(|(colour, _)| Rgb(*colour)).collect()
        };
        Self {
            colours,
            nearest: BTreeMap::new(),
            last: ([0; 3], 0),
        }
        .settled()
    }

    fn settled(mut self) -> Self {
        self.last.1 = self.find([0; 3]);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.colours.iter().flat_map(|colour| colour.0).collect();
        bytes.resize(3 * (COLOURS + 1), 0);
        bytes
    }

    /// The place of the colour nearest to `colour`. Neighbours are mostly alike: the last answer is kept.
    fn index(&mut self, Rgb(colour): Rgb) -> u8 {
        if self.last.0 != colour {
            let found = match self.nearest.get(&colour) {
                Some(found) => *found,
                None => {
                    let found = self.find(colour);
                    self.nearest.insert(colour, found);
                    found
                }
            };
            self.last = (colour, found);
        }
        self.last.1
    }

    fn find(&self, colour: [u8; 3]) -> u8 {
        let off = |other: &Rgb| -> u32 {
            let squares = other
                .0
                .iter()
                .zip(colour)
                .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
            squares.sum()
        };
        let near = self.colours.iter().enumerate().min_by_key(|(_, c)| off(c));
        near.map_or(0, |(place, _)| place as u8)
    }
}

/// Colours that come near to all of `colours`: the middles of boxes, of which the widest is halved until there are enough.
fn spread(colours: Vec<[u8; 3]>) -> Vec<Rgb> {
    let ends = |colours: &[[u8; 3]], channel: usize| {
        let values = colours.iter().map(|colour| colour[channel]);
        values.fold((u8::MAX, 0), |(low, high), v| (v.min(low), v.max(high)))
    };
    // The widest channel of a box with its ends.
    let widest = |colours: &[[u8; 3]]| {
        let sides = (0..3).map(|channel| (channel, ends(colours, channel)));
        sides
            .max_by_key(|(_, (low, high))| high.saturating_sub(*low))
            .unwrap_or((0, (0, 0)))
    };
    let measured = |colours: Vec<[u8; 3]>| (widest(&colours), colours);
    let mut boxes = vec![measured(colours)];
    // Paper and ink stay what they are.
    while boxes.len() < COLOURS - 2 {
        let wide = boxes
            .iter()
            .enumerate()
            .max_by_key(|(_, (side, _))| side.1.1 - side.1.0);
        let Some((place, ((channel, (low, high)), _))) = wide.map(|(place, b)| (place, (b.0, ())))
        else {
            break;
        };
        if low >= high {
            break;
        }
        let (_, colours) = boxes.swap_remove(place);
        let middle = low.midpoint(high);
        let halves: (Vec<_>, Vec<_>) = colours.into_iter().partition(|c| c[channel] <= middle);
        boxes.extend([measured(halves.0), measured(halves.1)]);
    }
    let middle = |(_, colours): &(_, Vec<[u8; 3]>)| {
        let of = |channel| {
            let (low, high) = ends(colours, channel);
            low.midpoint(high)
        };
        Rgb([of(0), of(1), of(2)])
    };
    boxes
        .iter()
        .map(middle)
        .chain([Rgb([255; 3]), INK])
        .collect()
}

/// Five bits of eight, black and white kept.
fn coarse(channel: u8) -> u8 {
    let level = (u32::from(channel) * 31 + 127) / 255;
    ((level * 255 + 15) / 31) as u8
}

#[cfg(test)]
mod tests;
