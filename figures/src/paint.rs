//! A scene as pixels.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, PathBuilder, Pixmap, Stroke as Pen, StrokeDash,
    Transform,
};
use ttf_parser::OutlineBuilder;

use crate::font;
use crate::picture::{Rgb, RgbImage};
use crate::scene::{Area, Path, Shape, Stroke, Text};

/// Draws shapes on white paper, `scale` pixels for each of theirs.
pub fn picture(shapes: &[Shape], (width, height): (f32, f32), scale: f32) -> RgbImage {
    let side = |length: f32| (length * scale).round() as u32;
    let (wide, high) = (side(width), side(height));
    // Only a picture without pixels has no pixmap.
    let Some(mut pixmap) = Pixmap::new(wide, high) else {
        return RgbImage::new(0, 0);
    };
    pixmap.fill(Color::WHITE);
    for shape in shapes {
        draw(&mut pixmap, shape, scale);
    }
    let opaque = pixmap.data().chunks_exact(4);
    RgbImage::of(
        wide,
        high,
        opaque.map(|p| Rgb([p[0], p[1], p[2]])).collect(),
    )
}

/// Draws an area alone.
pub fn area(area: &Area, scale: f32) -> RgbImage {
    let [_, _, width, height] = area.place;
    picture(&area.shapes, (width, height), scale)
}

fn draw(pixmap: &mut Pixmap, shape: &Shape, scale: f32) {
    match shape {
        Shape::Path(path) => lines(pixmap, path, scale),
        Shape::Text(text) => words(pixmap, text, scale),
        Shape::Image(place, image) => {
            let [x, y, width, height] = place.map(|v| v * scale);
            magnified(pixmap, image, [x, y, x + width, y + height]);
        }
        Shape::Area(inner) => {
            let drawn = area(inner, scale);
            let [x, y, _, _] = inner.place.map(|v| v * scale);
            let (right, bottom) = (x + drawn.width() as f32, y + drawn.height() as f32);
            magnified(pixmap, &drawn, [x, y, right, bottom]);
        }
    }
}

/// Copies the nearest pixel of `image` to every pixel between the edges left, top, right and bottom.
fn magnified(pixmap: &mut Pixmap, image: &RgbImage, edges: [f32; 4]) {
    let (wide, high) = (pixmap.width() as usize, pixmap.height() as usize);
    let [left, top, right, bottom] = edges.map(|v| v.round() as i64);
    let source = |at: i64, from: i64, to: i64, count: u32| {
        ((2 * (at - from) + 1) * i64::from(count) / (2 * (to - from)).max(1)) as u32
    };
    let columns: Vec<(usize, u32)> = (left.max(0)..right.min(wide as i64))
        .map(|x| (x as usize, source(x, left, right, image.width())))
        .collect();
    let bytes = pixmap.data_mut();
    for y in top.max(0)..bottom.min(high as i64) {
        let row = image.row(source(y, top, bottom, image.height()));
        for &(x, from) in &columns {
            if let Some(Rgb([red, green, blue])) = row.get(from as usize) {
                let at = 4 * (y as usize * wide + x);
                bytes[at..at + 4].copy_from_slice(&[*red, *green, *blue, 255]);
            }
        }
    }
}

fn ink(Rgb([red, green, blue]): Rgb, opacity: f32) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(
        red,
        green,
        blue,
        (opacity.clamp(0.0, 1.0) * 255.0).round() as u8,
    );
    paint
}

fn lines(pixmap: &mut Pixmap, path: &Path, scale: f32) {
    let mut builder = PathBuilder::new();
    for line in &path.lines {
        // The rasteriser never ends a stroke through what is not a number.
        if line.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
            continue;
        }
        let mut points = line.iter();
        let Some(&(x, y)) = points.next() else {
            continue;
        };
        builder.move_to(x, y);
        if line.len() == 1 {
            // The round ends of a line that is hardly there make a dot.
            builder.line_to(x + 1e-3, y);
        }
        points.for_each(|&(x, y)| builder.line_to(x, y));
        if path.fill.is_some() {
            builder.close();
        }
    }
    let Some(shape) = builder.finish() else {
        return;
    };
    let transform = Transform::from_scale(scale, scale);
    if let Some((colour, opacity)) = path.fill {
        pixmap.fill_path(
            &shape,
            &ink(colour, opacity),
            FillRule::Winding,
            transform,
            None,
        );
    }
    if let Some(stroke) = path.stroke {
        pixmap.stroke_path(
            &shape,
            &ink(stroke.colour, stroke.opacity),
            &pen(stroke),
            transform,
            None,
        );
    }
}

fn pen(stroke: Stroke) -> Pen {
    Pen {
        width: stroke.width,
        line_cap: if stroke.dashed {
            LineCap::Butt
        } else {
            LineCap::Round
        },
        line_join: LineJoin::Round,
        dash: if stroke.dashed {
            StrokeDash::new(vec![5.0, 4.0], 0.0)
        } else {
            None
        },
        ..Pen::default()
    }
}

/// The outline of a glyph, in the units of the font, whose y axis points up.
struct Outline<'a>(&'a mut PathBuilder, f32);

impl OutlineBuilder for Outline<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(self.1 + x, -y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(self.1 + x, -y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(self.1 + x1, -y1, self.1 + x, -y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let left = self.1;
        self.0
            .cubic_to(left + x1, -y1, left + x2, -y2, left + x, -y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

fn words(pixmap: &mut Pixmap, text: &Text, scale: f32) {
    let Some(face) = font::face(text.bold) else {
        return;
    };
    let units = f32::from(face.units_per_em());
    let mut builder = PathBuilder::new();
    let mut left = text.start() / text.size * units;
    for character in text.words.chars() {
        // The glyph of number 0 says that there is none.
        let glyph = face.glyph_index(character).unwrap_or_default();
        face.outline_glyph(glyph, &mut Outline(&mut builder, left));
        left += font::advance(character, text.bold) * units;
    }
    let Some(outline) = builder.finish() else {
        return;
    };
    let size = text.size / units * scale;
    let (x, y) = (text.at.0 * scale, text.at.1 * scale);
    let transform = match text.upwards {
        false => Transform::from_row(size, 0.0, 0.0, size, x, y),
        true => Transform::from_row(0.0, -size, size, 0.0, x, y),
    };
    pixmap.fill_path(
        &outline,
        &ink(text.colour, 1.0),
        FillRule::Winding,
        transform,
        None,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = Rgb([0; 3]);

    fn inked(picture: &RgbImage) -> Vec<(u32, u32)> {
        let dark = picture.enumerate_pixels().filter(|p| p.2.0[0] < 128);
        dark.map(|(x, y, _)| (x, y)).collect()
    }

    fn text(upwards: bool) -> Shape {
        Shape::Text(Text {
            at: if upwards { (30.0, 90.0) } else { (10.0, 30.0) },
            words: "Error (mV)".to_owned(),
            size: 14.0,
            bold: false,
            anchor: 0.0,
            upwards,
            colour: BLACK,
        })
    }

    #[test]
    fn text_lies_in_the_box_that_was_announced() {
        for upwards in [false, true] {
            let shape = text(upwards);
            let mut boxes = Vec::new();
            shape.boxes((0.0, 0.0), &mut boxes);
            let [left, top, right, bottom] = boxes[0].edges.map(|v| 2.0 * v);
            let dots = inked(&picture(&[shape], (100.0, 100.0), 2.0));
            assert!(dots.len() > 100);
            for &(x, y) in &dots {
                let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
                assert!(
                    (left..right).contains(&x) && (top..bottom).contains(&y),
                    "({x}, {y})"
                );
            }
            let reach = dots.iter().map(|d| if upwards { d.1 } else { d.0 });
            let (least, most) = (reach.clone().min().unwrap(), reach.max().unwrap());
            let long = if upwards { bottom - top } else { right - left };
            assert!((most - least) as f32 > 0.9 * long);
        }
    }

    #[test]
    fn a_line_of_one_point_is_a_dot() {
        let stroke = Stroke::of(BLACK, 6.0);
        let dot = Shape::lines("dots", vec![vec![(10.0, 10.0)]], stroke);
        let dots = inked(&picture(&[dot], (20.0, 20.0), 1.0));
        // A circle of diameter 6 has 28 pixels.
        assert!((24..36).contains(&dots.len()), "{}", dots.len());
    }

    #[test]
    fn a_line_through_no_number_is_not_drawn() {
        let stroke = Stroke::of(BLACK, 2.0);
        for bad in [f32::NAN, f32::INFINITY] {
            let lines = vec![
                vec![(1.0, bad), (9.0, 9.0)],
                vec![(1.0, 15.0), (19.0, 15.0)],
            ];
            let dots = inked(&picture(
                &[Shape::lines("line", lines, stroke)],
                (20.0, 20.0),
                1.0,
            ));
            assert!(
                dots.len() > 30 && dots.iter().all(|(_, y)| *y > 12),
                "{dots:?}"
            );
        }
    }

    #[test]
    fn areas_cut_off_what_is_beyond_and_images_are_magnified() {
        let image = RgbImage::from_fn(2, 1, |x, _| Rgb([200 * x as u8, 0, 0]));
        let rect = Shape::rect("bar", [-5.0, 0.0, 9.0, 50.0], BLACK);
        let area = Area {
            place: [10.0, 10.0, 8.0, 4.0],
            shapes: vec![rect, Shape::Image([4.0, 0.0, 4.0, 4.0], image)],
        };
        let drawn = picture(&[Shape::Area(area)], (30.0, 30.0), 2.0);
        assert_eq!(*drawn.get_pixel(20, 20), BLACK);
        assert_eq!(*drawn.get_pixel(19, 20), Rgb([255; 3]));
        assert_eq!(*drawn.get_pixel(20, 28), Rgb([255; 3]));
        assert_eq!(*drawn.get_pixel(31, 27), Rgb([0, 0, 0]));
        assert_eq!(*drawn.get_pixel(32, 27), Rgb([200, 0, 0]));
        assert_eq!(*drawn.get_pixel(36, 27), Rgb([255; 3]));
    }
}
