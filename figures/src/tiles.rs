//! Pictures made of tiles: a dictionary of atoms, and images beside their reconstructions.

use crate::picture::RgbImage;

use crate::canvas;
use crate::error::FigureError;
use crate::header::Header;
use crate::patch::{Range, Tile, paint};
use crate::strip::{GAP, MARGIN, MIN_WIDTH, Strip, magnification};

/// Draws the atoms of a dictionary as a grid that is as square as possible, in the order given.
///
/// `atoms` is `[count, channels * height * width]` row by row, one atom per row. Every atom is scaled
/// by its own largest absolute value, so that zero is mid grey in all of them; an atom of zeros is
/// mid grey throughout. The magnification is a whole number, and pictures wider than 1240
/// pixels are drawn only where the atoms do not fit at their own size.
pub fn dictionary(atoms: &[f32], tile: Tile, title: &str) -> Result<RgbImage, FigureError> {
    let count = tile.count(atoms, "the dictionary")?;
    let (columns, rows) = square_grid(count);
    let scale = magnification(tile, columns, rows, 0)?;
    let (step_x, step_y) = (scale * tile.width + GAP, scale * tile.height + GAP);
    let grid = (columns * step_x - GAP, rows * step_y - GAP);
    let width = (grid.0 + 2 * MARGIN).max(MIN_WIDTH);

    let plural = if count == 1 { "tile" } else { "tiles" };
    let note = format!(
        "{count} {plural} of {} x {}, each scaled to its own largest absolute value",
        tile.height, tile.width
    );
    let header = Header::new(title, &note, (width - 2 * MARGIN) as u32);
    let top = MARGIN + header.height() as usize;
    let mut picture = canvas::paper(width, top + grid.1 + MARGIN)?;
    header.draw(&mut picture, MARGIN as i32, MARGIN as i32);
    for (index, atom) in atoms.chunks_exact(tile.values()?).enumerate() {
        let x = (width - grid.0) / 2 + index % columns * step_x;
        let y = top + index / columns * step_y;
        paint(
            &mut picture,
            (x as i32, y as i32),
            scale as u32,
            atom,
            tile,
            Range::symmetric(atom),
        );
    }
    Ok(picture)
}

/// Draws rows of images below each other, with the label of every row on its left.
///
/// Every entry of `rows` is a label and `[count, channels * height * width]` values, with the same
/// count in all; the first is the input. With `shared_scale`, every column is drawn on the range
/// of its input, from its smallest value (black) to its largest (white), and values beyond are
/// clipped; without, every image is drawn on its own range.
pub fn reconstructions(
    rows: &[(&str, &[f32])],
    tile: Tile,
    shared_scale: bool,
    title: &str,
) -> Result<RgbImage, FigureError> {
    let labels: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let strip = Strip::new(&labels, rows.first().map_or(&[], |row| row.1), tile)?;
    let note = match shared_scale {
        true => "grey scale set by the input",
        false => "each image on its own grey scale",
    };
    let header = Header::new(title, note, strip.inner_width());
    let mut picture = strip.paper(header.height() as usize)?;
    header.draw(&mut picture, MARGIN as i32, MARGIN as i32);
    let ranges = match shared_scale {
        true => Some(strip.ranges(rows[0].1)?),
        false => None,
    };
    let top = header.height() as usize;
    strip.draw(&mut picture, top, rows, ranges.as_deref())?;
    Ok(picture)
}

/// The columns and rows of a grid for `count` tiles: as square as possible, and no row empty.
fn square_grid(count: usize) -> (usize, usize) {
    let floor = count.isqrt();
    let columns = if floor * floor == count {
        floor
    } else {
        floor + 1
    };
    (columns, count.div_ceil(columns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::PAPER;
    use crate::picture::Rgb;

    const TILE: Tile = Tile {
        height: 2,
        width: 2,
        channels: 1,
    };

    fn grey(picture: &RgbImage, x: usize, y: usize) -> u8 {
        let Rgb([r, g, b]) = *picture.get_pixel(x as u32, y as u32);
        assert_eq!((r, r), (g, b), "not grey at ({x}, {y})");
        r
    }

    #[test]
    fn grids_are_as_square_as_possible() {
        let cases = [
            (1, (1, 1)),
            (2, (2, 1)),
            (5, (3, 2)),
            (144, (12, 12)),
            (200, (15, 14)),
            (256, (16, 16)),
            (257, (17, 16)),
        ];
        for (count, grid) in cases {
            assert_eq!(square_grid(count), grid, "{count} atoms");
        }
    }

    #[test]
    fn dictionaries_of_the_usual_sizes_are_about_a_thousand_pixels_wide() {
        for (side, count) in [(16, 256), (12, 144), (8, 64), (16, 100), (28, 400)] {
            let tile = Tile {
                height: side,
                width: side,
                channels: 1,
            };
            let picture = dictionary(&vec![0.5; count * side * side], tile, "A title").unwrap();
            assert!(
                (850..=1240).contains(&picture.width()),
                "{side}, {count}: {}",
                picture.width()
            );
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
        let picture = dictionary(&atoms, TILE, "").unwrap();
        let scale = magnification(TILE, 3, 2, 0).unwrap();
        let top = picture.height() as usize - MARGIN - (4 * scale + GAP);
        let at = |atom: usize, row: usize, column: usize| {
            let x = MARGIN + atom % 3 * (2 * scale + GAP) + column * scale + scale / 2;
            grey(
                &picture,
                x,
                top + atom / 3 * (2 * scale + GAP) + row * scale + scale / 2,
            )
        };
        for atom in [0, 1] {
            assert_eq!(
                [
                    at(atom, 0, 0),
                    at(atom, 0, 1),
                    at(atom, 1, 0),
                    at(atom, 1, 1)
                ],
                [255, 0, 128, 191]
            );
        }
        assert_eq!([at(2, 0, 0), at(2, 1, 1)], [128, 128]);
        assert_eq!([at(3, 0, 0), at(3, 0, 1)], [0, 128]);
        assert_eq!([at(4, 0, 0), at(4, 1, 1)], [255, 255]);
        // The sixth place is paper, and so is the gap between two atoms.
        assert_eq!(at(5, 0, 0), 255);
        assert_eq!(
            *picture.get_pixel((MARGIN + 2 * scale) as u32, (top + scale) as u32),
            PAPER
        );
    }

    #[test]
    fn rows_share_the_range_of_their_input_or_have_their_own() {
        let input = [0.0, 1.0, 0.0, 1.0, 0.0, 10.0, 0.0, 10.0];
        let half = [0.0, 0.5, 0.0, 0.5, 0.0, 20.0, 0.0, 5.0];
        let rows: [(&str, &[f32]); 2] = [("in", &input), ("out", &half)];
        let look = |shared: bool| {
            let picture = reconstructions(&rows, TILE, shared, "").unwrap();
            let strip = Strip::new(&["in", "out"], &input, TILE).unwrap();
            let scale = magnification(TILE, 2, 2, strip.tiles_left() as usize - MARGIN).unwrap();
            let extent = 2 * scale;
            let top = picture.height() as usize - MARGIN - extent;
            let x =
                |column: usize| strip.tiles_left() as usize + column * (extent + GAP) + scale + 1;
            [
                grey(&picture, x(0), top),
                grey(&picture, x(1), top),
                grey(&picture, x(1), top + extent - 1),
            ]
        };
        assert_eq!(look(true), [128, 255, 128]);
        assert_eq!(look(false), [255, 255, 64]);
    }

    #[test]
    fn rows_that_do_not_match_are_refused() {
        let said = |rows: &[(&str, &[f32])]| {
            reconstructions(rows, TILE, true, "")
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
        let error = dictionary(
            &[0.0; 40_000],
            Tile {
                height: 1,
                width: 20_000,
                channels: 1,
            },
            "",
        );
        assert!(matches!(error, Err(FigureError::TooLarge { .. })));
    }
}
