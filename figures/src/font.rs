//! The font of all figures: widths of words, and their outlines.

use std::sync::LazyLock;

use ttf_parser::Face;

/// Numbers, labels, legends, notes.
pub const BODY: f32 = 12.0;
/// The title of a plot, in bold.
pub const HEADING: f32 = 13.0;
/// The title of a figure, in bold.
pub const TITLE: f32 = 16.0;
/// From one baseline to the next.
pub const LINE: f32 = 18.0;
/// From the baseline to the top of a line of text of size 1.
pub const ABOVE: f32 = 0.76;
/// From the baseline to the bottom of one.
pub const BELOW: f32 = 0.22;

static REGULAR: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("../fonts/Inter-Regular.otf"), 0).ok());
static BOLD: LazyLock<Option<Face<'static>>> =
    LazyLock::new(|| Face::parse(include_bytes!("../fonts/Inter-SemiBold.otf"), 0).ok());

/// One of the two weights.
pub fn face(bold: bool) -> Option<&'static Face<'static>> {
    if bold {
        BOLD.as_ref()
    } else {
        REGULAR.as_ref()
    }
}

/// How far `character` moves on, in parts of the font's size. What the font lacks is as wide as it is high.
pub fn advance(character: char, bold: bool) -> f32 {
    let wide = |face: &Face| {
        let glyph = face.glyph_index(character)?;
        let units = face.glyph_hor_advance(glyph)?;
        Some(f32::from(units) / f32::from(face.units_per_em()))
    };
    face(bold).and_then(wide).unwrap_or(1.0)
}

/// The width of a line of text.
pub fn width(text: &str, size: f32, bold: bool) -> f32 {
    text.chars().map(|c| advance(c, bold)).sum::<f32>() * size
}

/// `text`, cut off with … where it is wider than `most`; empty if not even that fits.
pub fn fit(text: &str, size: f32, bold: bool, most: f32) -> String {
    let fits = |text: &str| width(text, size, bold) <= most;
    if fits(text) {
        return text.to_owned();
    }
    let mut cut: Vec<char> = text.chars().collect();
    while cut.pop().is_some() {
        let short: String = cut.iter().collect::<String>().trim_end().to_owned() + "…";
        if fits(&short) {
            return short;
        }
    }
    String::new()
}

/// `text` in lines of at most `most`, broken at spaces; a longer word is cut off.
pub fn wrap(text: &str, size: f32, bold: bool, most: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, size, bold) <= most {
                *line = longer;
                continue;
            }
        }
        lines.push(fit(word, size, bold, most));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // hmtx of Inter Regular: 2816 units per em.
        let face = face(false).unwrap();
        let zero = face.glyph_index('0').unwrap();
        let units = face.glyph_hor_advance(zero).unwrap();
        let expected = f32::from(units) / f32::from(face.units_per_em());
        assert!((width("00", 10.0, false) - 20.0 * expected).abs() < 1e-4);
        assert!(width("mean", 12.0, true) > width("mean", 12.0, false));
        assert_eq!(width("", 12.0, false), 0.0);
        assert_eq!(width("\u{4e2d}", 12.0, false), 12.0);
    }

    #[test]
    fn the_signs_of_labels_are_in_both_weights() {
        for sign in "−²³⁻⁰⁵±×·ΔαβλμνσστθφΣ∑→≤≥≈≠…∞∂‖°½|ÅåéöR".chars()
        {
            for bold in [false, true] {
                let glyph = face(bold).and_then(|face| face.glyph_index(sign));
                assert!(glyph.is_some(), "{sign}");
            }
        }
    }

    #[test]
    fn long_text_is_cut_or_wrapped_to_fit() {
        let text = "a title that is rather too long for one line";
        let cut = fit(text, 12.0, false, 100.0);
        assert!(
            cut.ends_with('…') && width(&cut, 12.0, false) <= 100.0,
            "{cut}"
        );
        assert_eq!(fit("short", 12.0, false, 200.0), "short");
        assert_eq!(fit("short", 12.0, false, 3.0), "");
        let lines = wrap(text, 12.0, false, 100.0);
        assert!(lines.len() > 2 && lines.iter().all(|l| width(l, 12.0, false) <= 100.0));
        assert_eq!(lines.join(" "), text);
        assert!(wrap("  ", 12.0, false, 200.0).is_empty());
    }
}
