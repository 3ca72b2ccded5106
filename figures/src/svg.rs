//! A scene as SVG.

use std::fmt::Write;

use crate::picture::{Rgb, RgbImage};
use crate::scene::{Area, Path, Point, Shape, Stroke, Text};

/// What viewers without the font use has the same widths or smaller ones.
const FAMILY: &str = "Inter, Helvetica, Arial, 'Liberation Sans', sans-serif";

/// The document; `title` is what screen readers say.
pub fn document(shapes: &[Shape], (width, height): (f32, f32), title: &str) -> String {
    let mut svg = Svg::default();
    let (w, h) = (short(width), short(height));
    svg.out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
         font-family=\"{FAMILY}\">\n<title>{}</title>\n<rect class=\"paper\" width=\"{w}\" height=\"{h}\" \
         fill=\"#ffffff\"/>\n",
        escaped(title)
    );
    shapes.iter().for_each(|shape| svg.shape(shape));
    svg.out.push_str("</svg>\n");
    svg.out
}

#[derive(Default)]
struct Svg {
    out: String,
    clips: usize,
}

impl Svg {
    fn add(&mut self, text: std::fmt::Arguments) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(text);
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Path(path) => self.path(path),
            Shape::Text(text) => self.text(text),
            Shape::Image([x, y, width, height], picture) => {
                let (x, y, width, height) = (short(*x), short(*y), short(*width), short(*height));
                let data = base64(&png(picture));
                self.add(format_args!(
                    "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
                     style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>\n"
                ));
            }
            Shape::Area(area) => self.area(area),
        }
    }

    fn area(&mut self, area: &Area) {
        self.clips += 1;
        let [x, y, width, height] = area.place.map(short);
        let id = self.clips;
        self.add(format_args!(
            "<clipPath id=\"c{id}\"><rect width=\"{width}\" height=\"{height}\"/></clipPath>\n<g class=\"plot\" \
             transform=\"translate({x} {y})\" clip-path=\"url(#c{id})\">\n"
        ));
        area.shapes.iter().for_each(|shape| self.shape(shape));
        self.out.push_str("</g>\n");
    }

    fn path(&mut self, path: &Path) {
        if path.lines.iter().all(Vec::is_empty) {
            return;
        }
        self.add(format_args!("<path class=\"{}\" d=\"", path.class));
        for line in &path.lines {
            steps(&mut self.out, line);
            if path.fill.is_some() {
                self.out.push('z');
            }
        }
        match path.fill {
            Some((colour, opacity)) => {
                self.add(format_args!("\" fill=\"{}\"", hex(colour)));
                self.opacity("fill-opacity", opacity);
            }
            None => self.out.push_str("\" fill=\"none\""),
        }
        if let Some(stroke) = path.stroke {
            self.stroke(stroke);
        }
        self.out.push_str("/>\n");
    }

    fn stroke(&mut self, stroke: Stroke) {
        let Stroke { colour, width, .. } = stroke;
        self.add(format_args!(
            " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
            hex(colour),
            short(width)
        ));
        self.opacity("stroke-opacity", stroke.opacity);
        self.out.push_str(match stroke.dashed {
            true => " stroke-dasharray=\"5 4\"",
            false => " stroke-linecap=\"round\"",
        });
    }

    fn opacity(&mut self, name: &str, opacity: f32) {
        if opacity < 1.0 {
            self.add(format_args!(
                " {name}=\"{}\"",
                (opacity * 100.0).round() / 100.0
            ));
        }
    }

    fn text(&mut self, text: &Text) {
        let (x, y) = (short(text.at.0), short(text.at.1));
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"",
            short(text.size)
        ));
        if text.bold {
            self.out.push_str(" font-weight=\"600\"");
        }
        if text.anchor > 0.0 {
            let anchor = if text.anchor < 1.0 { "middle" } else { "end" };
            self.add(format_args!(" text-anchor=\"{anchor}\""));
        }
        if text.upwards {
            self.add(format_args!(" transform=\"rotate(-90 {x} {y})\""));
        }
        let words = escaped(&text.words);
        self.add(format_args!(
            " fill=\"{}\">{words}</text>\n",
            hex(text.colour)
        ));
    }
}

/// The points of a line: the first absolute, the others as steps from the one before, in tenths of a pixel. Rounded
/// places are subtracted, so that errors do not add up.
fn steps(out: &mut String, line: &[Point]) {
    let tenths = |v: f32| (f64::from(v) * 10.0).round() as i64;
    let mut before: Option<(i64, i64)> = None;
    let mut command = ' ';
    for point in line {
        let (x, y) = (tenths(point.0), tenths(point.1));
        let Some((from_x, from_y)) = before.replace((x, y)) else {
            out.push('M');
            number(out, x, true);
            number(out, y, false);
            command = 'M';
            continue;
        };
        let (dx, dy) = (x - from_x, y - from_y);
        let wanted = match (dx, dy) {
            (0, 0) => continue,
            (_, 0) => 'h',
            (0, _) => 'v',
            _ => 'l',
        };
        let first = wanted != command;
        if first {
            out.push(wanted);
            command = wanted;
        }
        if wanted != 'v' {
            number(out, dx, first);
        }
        if wanted != 'h' {
            number(out, dy, first && wanted == 'v');
        }
    }
    if command == 'M' {
        // A point: a line of no length, which round ends make a dot.
        out.push_str("h0");
    }
}

/// A number of tenths, with a space before it where one is needed.
fn number(out: &mut String, tenths: i64, first: bool) {
    if !first && tenths >= 0 {
        out.push(' ');
    }
    if tenths < 0 {
        out.push('-');
    }
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    if whole > 0 || rest == 0 {
        let _ = write!(out, "{whole}");
    }
    if rest > 0 {
        let _ = write!(out, ".{rest}");
    }
}

fn short(value: f32) -> String {
    let mut text = String::new();
    number(&mut text, (f64::from(value) * 10.0).round() as i64, true);
    text
}

fn hex(Rgb([red, green, blue]): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as XML; control characters have no place in it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Only a picture without pixels fails, and none is put into a scene.
    let _ = picture.write_png(&mut bytes);
    bytes
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_written_as_short_steps() {
        let written = |line: &[Point]| {
            let mut out = String::new();
            steps(&mut out, line);
            out
        };
        let line = [
            (1.0, 2.5),
            (3.04, 2.46),
            (3.0, -1.0),
            (2.5, 0.0),
            (2.1, 0.3),
        ];
        assert_eq!(written(&line), "M1 2.5h2v-3.5l-.5 1-.4 .3");
        assert_eq!(written(&[(4.0, 5.0)]), "M4 5h0");
        // Steps of a third of a tenth add up to where the line ends.
        let many: Vec<Point> = (0..=300).map(|i| (i as f32 / 30.0, 0.0)).collect();
        let sum: f64 = written(&many)
            .split_once('h')
            .map(|(_, rest)| rest.split(' ').map(|v| v.parse::<f64>().unwrap()).sum())
            .unwrap();
        assert!((sum - 10.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("a<b & \u{7}c>d"), "a&lt;b &amp;  c&gt;d");
    }
}
