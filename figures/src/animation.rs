//! Animations of a reconstruction that unfolds step by step.

use crate::axis::Axis;
use crate::colour::{GRID, INK};
use crate::error::FigureError;
use crate::figure::{Figure, Frame, Layer, Plot, Side, Ticks};
use crate::font::{self, BODY};
use crate::patch::Tile;
use crate::strip::{Row, Strip};

/// The height of the label of the step over its bar, and the place of the bar in it.
const HEAD: f32 = 28.0;
const BAR: (f64, f64) = (22.0, 27.0);
/// The milliseconds that a step stays, and the last one.
const STAYS: (u32, u32) = (120, 1200);

/// One frame for every step: the input above, the reconstruction at that step below, the
/// label of the step at the top over a bar that fills as the steps go by.
///
/// `frames` is `[steps, count, channels * height * width]`; `input` is the same where it moves, or
/// `[count, channels * height * width]` where it is static; and `labels` has one entry for every
/// step, such as `"t = 3"`. Every column is drawn on the range of its input over all steps.
///
/// # Errors
/// [`FigureError`] if there is no step, the lengths do not match, or a value is not finite.
pub fn unroll(
    frames: &[f32],
    input: &[f32],
    tile: Tile,
    labels: &[impl AsRef<str>],
) -> Result<Figure, FigureError> {
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
    let names = ["input", "reconstruction"];
    // Whole magnifications: the pixels of an animation are those of a screen.
    let strip = Strip::new(&names, &input[..each], tile, 1.0)?;
    let ranges = strip.ranges(input)?;
    let wide = strip.grid.pixels().0.max(160.0);
    // A static input is its own next frame.
    let inputs = input.chunks_exact(each).cycle();
    let steps = frames
        .chunks_exact(each)
        .zip(inputs)
        .zip(labels)
        .enumerate();
    let frames: Vec<Frame> = steps
        .map(|(step, ((frame, input), label))| {
            let rows = [Row::new(names[0], input), Row::new(names[1], frame)];
            let tiles = strip.layers(&rows, Some(&ranges))?;
            let part = (step + 1) as f64 / labels.len() as f64;
            let head = head(label.as_ref(), f64::from(wide), part);
            Ok(Frame {
                until: None,
                layers: vec![(0, head), (1, tiles)],
            })
        })
        .collect::<Result<_, FigureError>>()?;
    // What is drawn where nothing moves is the last step.
    let mut last = frames
        .last()
        .cloned()
        .unwrap_or_default()
        .layers
        .into_iter();
    let mut next = || last.next().map(|(_, layers)| layers).unwrap_or_default();
    let down = Axis::linear(f64::from(HEAD), 0.0);
    let y = Side::new(down, "", Ticks::Names(Vec::new()));
    let head = Plot::new((0, 0), (wide, HEAD), Side::pixels(wide), y, next());
    let tiles = strip.grid.plot((1, 0), &names, next());
    Figure {
        plots: vec![head, tiles],
        frames,
        stays: STAYS,
        ..Figure::default()
    }
    .checked()
}

/// The label of a step, over a bar that is filled to `part`.
fn head(label: &str, wide: f64, part: f64) -> Vec<Layer> {
    let bar = |to: f64, colour| Layer::Rects {
        rects: vec![[0.0, BAR.0, to, BAR.1]],
        colour,
        behind: false,
    };
    let words = Layer::Words {
        at: (0.0, 10.0),
        words: font::fit(label, BODY, false, wide as f32),
        centred: false,
    };
    vec![words, bar(wide, GRID), bar(wide * part, INK)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::RgbImage;

    const TILE: Tile = Tile {
        height: 2,
        width: 2,
        channels: 1,
    };
    const INPUT: [f32; 8] = [0.0, 1.0, 0.0, 1.0, -5.0, 5.0, -5.0, 5.0];

    /// Tile `index` in a frame.
    fn tile(figure: &Figure, frame: usize, index: usize) -> &RgbImage {
        match &figure.frames[frame].layers[1].1[index] {
            Layer::Image { picture, .. } => picture,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_reconstruction_unfolds_on_the_range_of_the_input() {
        let frames: Vec<f32> = (0..4)
            .flat_map(|step| INPUT.map(|v| v * step as f32 / 4.0))
            .collect();
        let labels = ["t = 0", "t = 1", "t = 2", "t = 3"];
        let figure = unroll(&frames, &INPUT, TILE, &labels).unwrap();
        assert_eq!(figure.frames.len(), 4);
        // The top right value of the last tile: 0, 1.25, 2.5 and 3.75 on a range of -5 to 5.
        let levels = [0, 1, 2, 3].map(|frame| tile(&figure, frame, 3).get_pixel(1, 0).0[0]);
        assert_eq!(levels, [128, 159, 191, 223]);
        assert!((0..4).all(|frame| tile(&figure, frame, 1).get_pixel(1, 0).0 == [255; 3]));
        // The bar grows by a quarter of its length every step; the still figure is the last one.
        let bar = |frame: usize| match &figure.frames[frame].layers[0].1[2] {
            Layer::Rects { rects, .. } => rects[0][2],
            other => panic!("{other:?}"),
        };
        assert_eq!(bar(3), 4.0 * bar(0));
        assert_eq!(figure.plots[1].layers, figure.frames[3].layers[1].1);
        assert!(figure.svg().contains("t = 3"));
    }

    /// Each step shows its own input, all on one range.
    #[test]
    fn an_input_that_moves_is_seen_moving() {
        let moving: Vec<f32> = (0..2)
            .flat_map(|step| INPUT.map(|v| v * (step + 1) as f32 / 2.0))
            .collect();
        let figure = unroll(&[0.0; 16], &moving, TILE, &["t = 0", "t = 1"]).unwrap();
        // 2.5 and 5 on a range of -5 to 5.
        let levels = [0, 1].map(|frame| tile(&figure, frame, 1).get_pixel(1, 0).0[0]);
        assert_eq!(levels, [191, 255]);
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
    }
}
