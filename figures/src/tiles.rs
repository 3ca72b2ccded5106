//! Pictures made of tiles: a dictionary of atoms, and images beside their reconstructions.

use crate::error::FigureError;
use crate::figure::Figure;
use crate::patch::{self, Range, Tile};
use crate::strip::{Grid, Strip};

pub use crate::strip::Row;

/// Draws the atoms of a dictionary as a grid that is as square as possible, in the order given.
///
/// `atoms` is `[count, channels * height * width]` row by row, one atom per row. Every atom is scaled
/// by its own largest absolute value, so that zero is mid grey in all of them; an atom of zeros is
/// mid grey throughout. Figures wider than 900 pixels are drawn only where the atoms do not fit at their own size.
///
/// # Errors
/// [`FigureError`] if there is no atom, one is cut off, or a value is not finite.
pub fn dictionary(atoms: &[f32], tile: Tile, title: &str) -> Result<Figure, FigureError> {
    let count = tile.count(atoms, "the dictionary")?;
    let grid = Grid::square(tile, count)?;
    let each = atoms.chunks_exact(tile.values()?).enumerate();
    let layers = each
        .map(|(index, atom)| grid.tile(index, patch::pixels(atom, tile, Range::symmetric(atom))));
    let plural = if count == 1 { "tile" } else { "tiles" };
    Figure {
        title: title.to_owned(),
        note: format!(
            "{count} {plural} of {} × {} pixels, each scaled to its own largest absolute value: mid grey is 0",
            tile.height, tile.width
        ),
        plots: vec![grid.plot((0, 0), &[], layers.collect())],
        ..Figure::default()
    }
    .checked()
}

/// Draws rows of images below each other, with the label of every row on its left.
///
/// Every row has the same count of tiles; the first is the input. With `shared_scale`, every column is drawn on the range
/// of its input, from its smallest value (black) to its largest (white), and values beyond are
/// clipped; without, every image is drawn on its own range. Rows of residuals share one scale centred on zero.
///
/// # Errors
/// [`FigureError`] if there is no row, one has another count, or a value is not finite.
pub fn reconstructions(
    rows: &[Row],
    tile: Tile,
    shared_scale: bool,
    title: &str,
) -> Result<Figure, FigureError> {
    let labels: Vec<&str> = rows.iter().map(|row| row.label).collect();
    let input = rows.first().map_or(&[][..], |row| row.values);
    let strip = Strip::new(&labels, input, tile, 0.5)?;
    let ranges = match shared_scale {
        true => Some(strip.ranges(input)?),
        false => None,
    };
    let layers = strip.layers(rows, ranges.as_deref())?;
    let mut plot = strip.grid.plot((0, 0), &labels, layers);
    plot.key = strip.key(rows);
    let note = match shared_scale {
        true => {
            "grey scale of a column: from the smallest (black) to the largest value (white) of its input"
        }
        false => "each image on its own grey scale",
    };
    Figure {
        title: title.to_owned(),
        note: note.to_owned(),
        plots: vec![plot],
        ..Figure::default()
    }
    .checked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::Map;
    use crate::figure::Layer;
    use crate::picture::{Rgb, RgbImage};

    const TILE: Tile = Tile {
        height: 2,
        width: 2,
        channels: 1,
    };

    /// The place and the pixels of tile `index`.
    fn tile(figure: &Figure, index: usize) -> ([f64; 4], &RgbImage) {
        match &figure.plots[0].layers[index] {
            Layer::Image { corners, picture } => (*corners, picture),
            other => panic!("{other:?}"),
        }
    }

    fn greys(figure: &Figure, index: usize) -> Vec<u8> {
        let pixels = tile(figure, index).1.pixels();
        let grey = |Rgb([r, g, b]): &Rgb| {
            assert_eq!((r, r), (g, b));
            *r
        };
        pixels.map(grey).collect()
    }

    #[test]
    fn dictionaries_of_the_usual_sizes_fill_a_figure_of_nine_hundred_pixels() {
        for (side, count) in [
            (16, 256),
            (12, 144),
            (8, 64),
            (16, 100),
            (28, 400),
            (16, 512),
        ] {
            let shape = Tile {
                height: side,
                width: side,
                channels: 1,
            };
            let figure = dictionary(&vec![0.5; count * side * side], shape, "A title").unwrap();
            let (width, _) = figure.size();
            assert!((600.0..=900.0).contains(&width), "{side}, {count}: {width}");
        }
    }

    #[test]
    fn every_atom_has_its_own_symmetric_scale_and_its_place() {
        // Five atoms in a grid of 3 x 2; the second is a tenth of the first, the third all zeros.
        let atoms = [
            1.0, -1.0, 0.0, 0.5, //
            0.1, -0.1, 0.0, 0.05, //
            0.0, 0.0, 0.0, 0.0, //
            -8.0, 0.0, 0.0, 0.0, //
            3.0, 3.0, 3.0, 3.0,
        ];
        let figure = dictionary(&atoms, TILE, "").unwrap();
        assert_eq!(figure.plots[0].layers.len(), 5);
        for atom in [0, 1] {
            assert_eq!(greys(&figure, atom), [255, 0, 128, 191]);
        }
        assert_eq!(greys(&figure, 2), [128; 4]);
        assert_eq!(greys(&figure, 3), [0, 128, 128, 128]);
        assert_eq!(greys(&figure, 4), [255; 4]);
        let [first, second, fourth] = [0, 1, 3].map(|atom| tile(&figure, atom).0);
        assert_eq!(second[0], first[2] + 2.0);
        assert_eq!((fourth[0], fourth[1]), (first[0], first[3] + 2.0));
    }

    #[test]
    fn rows_share_the_range_of_their_input_or_have_their_own() {
        let input = [0.0, 1.0, 0.0, 1.0, 0.0, 10.0, 0.0, 10.0];
        let half = [0.0, 0.5, 0.0, 0.5, 0.0, 20.0, 0.0, 5.0];
        let rows = [Row::new("in", &input), Row::new("out", &half)];
        let look = |shared: bool| {
            let figure = reconstructions(&rows, TILE, shared, "").unwrap();
            [
                greys(&figure, 2)[1],
                greys(&figure, 3)[1],
                greys(&figure, 3)[3],
            ]
        };
        assert_eq!(look(true), [128, 255, 128]);
        assert_eq!(look(false), [255, 255, 64]);
    }

    #[test]
    fn residuals_are_centred_on_zero_and_share_one_scale() {
        let input = [0.0, 1.0, 0.0, 1.0, 0.0, 10.0, 0.0, 10.0];
        let rest = [0.0, 1.0, -2.0, 0.0, 4.0, 0.0, 0.0, -4.0];
        let rows = [Row::new("in", &input), Row::residual("in − out", &rest)];
        let figure = reconstructions(&rows, TILE, true, "").unwrap();
        let colours = |tile: [f64; 4]| tile.map(|v| Map::Diverging.colour(0.5 + v / 8.0));
        let drawn: Vec<Rgb> = tile(&figure, 2).1.pixels().copied().collect();
        assert_eq!(drawn, colours([0.0, 1.0, -2.0, 0.0]));
        assert_eq!(drawn[0], Rgb([255; 3]));
        let key = figure.plots[0].key.as_ref().unwrap();
        assert_eq!((key.label.as_str(), key.range), ("in − out", (-4.0, 4.0)));
    }

    #[test]
    fn rows_that_do_not_match_are_refused() {
        let said = |rows: &[(&str, &[f32])]| {
            let rows: Vec<Row> = rows.iter().map(|row| Row::new(row.0, row.1)).collect();
            reconstructions(&rows, TILE, true, "")
                .unwrap_err()
                .to_string()
        };
        assert!(said(&[]).contains("no rows"));
        assert!(said(&[("in", &[])]).contains("the row \"in\" has no values"));
        let short = said(&[("in", &[0.0; 8]), ("out", &[0.0; 4])]);
        assert!(
            short.contains("\"out\" has 4 values where 2 x 4"),
            "{short}"
        );
        assert!(said(&[("in", &[0.0; 4]), ("out", &[f32::NAN; 4])]).contains("\"out\" is NaN"));
        let wide = Tile {
            height: 1,
            width: 20_000,
            channels: 1,
        };
        let error = dictionary(&[0.0; 40_000], wide, "");
        assert!(matches!(error, Err(FigureError::TooLarge { .. })));
    }
}
