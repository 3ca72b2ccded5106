//! A rectangle with two axes: grid lines, ticks and numbers around a space for data.

use crate::picture::RgbImage;

use crate::axis::{Axis, Tick};
use crate::canvas;
use crate::colour::{GRID, INK, MUTED};
use crate::text::{self, BODY};

/// The length of a tick mark.
const MARK: u32 = 6;
/// The pixels between a tick mark and its number, and between numbers and the axis label.
const PAD: u32 = 6;
/// The pixels that two numbers on the horizontal axis keep between them.
const APART: u32 = 26;

/// The space below the data for ticks, numbers and a label.
pub const BELOW: u32 = MARK + PAD + 16 + 2 * PAD + 16;

/// A rectangle for data with its two axes.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// The leftmost pixel column of the data.
    pub left: i32,
    /// The topmost pixel row of the data.
    pub top: i32,
    /// The width of the data in pixels.
    pub width: u32,
    /// The height of the data in pixels.
    pub height: u32,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
}

/// What is written along an axis.
#[derive(Clone, Copy, Debug)]
pub struct Along<'a> {
    /// The marks and their numbers.
    pub ticks: &'a [Tick],
    /// The name of the quantity.
    pub label: &'a str,
}

impl Plot {
    /// The pixel at which a value pair lies.
    pub fn pixel(&self, x: f64, y: f64) -> (f32, f32) {
        let across = self.x.place(x) * f64::from(self.width - 1);
        let up = self.y.place(y) * f64::from(self.height - 1);
        let bottom = f64::from(self.top) + f64::from(self.height - 1);
        ((f64::from(self.left) + across) as f32, (bottom - up) as f32)
    }

    /// The first and the last row of pixels of the data.
    pub fn rows(&self) -> (f32, f32) {
        let top = self.top as f32;
        (top, top + self.height as f32 - 1.0)
    }

    /// Draws light lines across the data at the ticks of both axes.
    pub fn grid(&self, picture: &mut RgbImage, x: &[Tick], y: &[Tick]) {
        for tick in x {
            canvas::fill(picture, self.column(tick), self.top, 1, self.height, GRID);
        }
        for tick in y {
            canvas::fill(picture, self.left, self.row(tick), self.width, 1, GRID);
        }
    }

    /// Draws the horizontal axis below the data.
    pub fn bottom(&self, picture: &mut RgbImage, along: Along) {
        let y = self.top + self.height as i32;
        canvas::fill(picture, self.left - 2, y, self.width + 2, 2, INK);
        for tick in along.ticks {
            let x = self.column(tick);
            canvas::fill(picture, x, y, 2, MARK, INK);
            text::draw_centred(
                picture,
                x + 1,
                y + (MARK + PAD) as i32,
                &tick.label,
                BODY,
                INK,
            );
        }
        let label = text::fit(along.label, BODY, self.width);
        let below = (MARK + PAD + text::height(BODY) + 2 * PAD) as i32;
        text::draw_centred(
            picture,
            self.left + self.width as i32 / 2,
            y + below,
            &label,
            BODY,
            MUTED,
        );
    }

    /// Draws the vertical axis left of the data.
    pub fn side(&self, picture: &mut RgbImage, along: Along) {
        canvas::fill(picture, self.left - 2, self.top, 2, self.height + 2, INK);
        let right = self.left - 2 - (MARK + PAD) as i32;
        for tick in along.ticks {
            let y = self.row(tick);
            canvas::fill(picture, self.left - 2 - MARK as i32, y, MARK, 2, INK);
            let above = text::height(BODY) as i32 / 2 - 2;
            text::draw_left_of(picture, right, y - above, &tick.label, BODY, INK);
        }
        let label = text::fit(along.label, BODY, self.height);
        let x = self.left - side_width(along) as i32;
        text::draw_upwards(
            picture,
            x,
            self.top + self.height as i32 / 2,
            &label,
            BODY,
            MUTED,
        );
    }

    fn column(&self, tick: &Tick) -> i32 {
        self.pixel(tick.value, 0.0).0.round() as i32
    }

    fn row(&self, tick: &Tick) -> i32 {
        self.pixel(0.0, tick.value).1.round() as i32
    }
}

/// The space that the vertical axis needs left of the data.
pub fn side_width(along: Along) -> u32 {
    let widest = along
        .ticks
        .iter()
        .map(|tick| text::width(&tick.label, BODY))
        .max();
    let label = match along.label {
        "" => 0,
        _ => text::height(BODY) + 2 * PAD,
    };
    2 + MARK + PAD + widest.unwrap_or(0) + label
}

/// The number of ticks of a horizontal axis whose labels fit in `width` pixels.
pub fn fitting_ticks(axis: Axis, width: u32) -> Vec<Tick> {
    let fits = |ticks: &[Tick]| {
        let pixel = |tick: &Tick| axis.place(tick.value) * f64::from(width);
        ticks.windows(2).all(|pair| {
            let wide = text::width(&pair[0].label, BODY) + text::width(&pair[1].label, BODY);
            pixel(&pair[1]) - pixel(&pair[0]) >= f64::from(wide / 2 + APART)
        })
    };
    let mut most = (width / 70).clamp(2, 9) as usize;
    loop {
        let ticks = axis.ticks(most);
        if most == 2 || fits(&ticks) {
            return ticks;
        }
        most -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> Plot {
        let (x, y) = (Axis::linear(0.0, 10.0), Axis::linear(-1.0, 1.0));
        Plot {
            left: 100,
            top: 20,
            width: 201,
            height: 101,
            x,
            y,
        }
    }

    #[test]
    fn values_lie_where_the_axes_say() {
        assert_eq!(plot().pixel(0.0, -1.0), (100.0, 120.0));
        assert_eq!(plot().pixel(10.0, 1.0), (300.0, 20.0));
        assert_eq!(plot().pixel(5.0, 0.0), (200.0, 70.0));
    }

    #[test]
    fn ticks_and_grid_meet_the_values() {
        let mut picture = canvas::paper(400, 200).unwrap();
        let ticks = Axis::linear(0.0, 10.0).ticks(2);
        assert_eq!(ticks[1].label, "5");
        plot().grid(&mut picture, &ticks, &[]);
        assert_eq!(*picture.get_pixel(200, 60), GRID);
        plot().bottom(
            &mut picture,
            Along {
                ticks: &ticks,
                label: "time",
            },
        );
        assert_eq!(*picture.get_pixel(200, 121 + MARK - 1), INK);
        assert_eq!(*picture.get_pixel(200, 121 + MARK), crate::colour::PAPER);
    }

    #[test]
    fn numbers_below_an_axis_keep_apart() {
        for high in [1.0, 64.0, 12_345.0, 3e7, 1e-5] {
            for width in [60, 200, 500, 900] {
                let axis = Axis::linear(high * 0.37, high);
                let ticks = fitting_ticks(axis, width);
                let room = f64::from(width) / ticks.len() as f64;
                let widest = ticks
                    .iter()
                    .map(|tick| text::width(&tick.label, BODY))
                    .max();
                assert!(
                    width < 300 || room > f64::from(widest.unwrap()),
                    "{high}, {width}"
                );
            }
        }
    }

    #[test]
    fn the_side_makes_room_for_its_numbers() {
        let ticks = Axis::linear(0.0, 4000.0).ticks(4);
        let bare = side_width(Along {
            ticks: &ticks,
            label: "",
        });
        assert!(bare > text::width("4000", BODY));
        assert!(
            side_width(Along {
                ticks: &ticks,
                label: "loss"
            }) >= bare + text::height(BODY)
        );
    }
}
