//! A part of a batch draws what it would have drawn in the whole, to the bit, on every device.

use std::ops::Range;

use burn::tensor::Tensor;
use scotopic::noise::NoiseKey;
use scotopic::ops::{Law, relaxed_poisson, unit_noise};

use crate::devices::{Place, on_every_device};
use crate::numbers::read;
use crate::toy::numbers;

/// No multiple of the sixteen lanes that advance together: every part begins within a block of the whole.
const WIDTH: usize = 37;
const ROWS: usize = 9;
const PARTS: [Range<usize>; 3] = [0..1, 1..4, 4..9];
const KEY: NoiseKey = NoiseKey::new(600).step(5).stream(2);

/// Log-rates by arrivals, by rejection (τ = 0) and by the Gaussian limit (τ > 0).
fn log_rates() -> Vec<f64> {
    numbers(601, ROWS * WIDTH, -6.0, 1e6f64.ln())
}

/// z and dz/du of rows `rows` under `key`.
fn relaxed(place: &Place, rows: &Range<usize>, temperature: f32, key: NoiseKey) -> [Vec<f64>; 2] {
    let all: Tensor<2> = place.autodiff().tensor(&log_rates(), [ROWS, WIDTH]);
    let u = all.narrow(0, rows.start, rows.len()).detach();
    let u = u.require_grad();
    let z = relaxed_poisson(u.clone(), temperature, key);
    // Counts have no gradient, and a sum of a constant no graph.
    let through = z.clone().sum() + u.clone().sum() * 0.0;
    let slope = u.grad(&through.backward()).expect("a gradient");
    [read(z), read(slope)]
}

fn unit(place: &Place, rows: usize, law: Law, key: NoiseKey) -> Vec<f64> {
    let like: Tensor<2> = place.tensor(&vec![0.0; rows * WIDTH], [rows, WIDTH]);
    read(unit_noise(&like, law, key))
}

fn of(all: &[f64], rows: &Range<usize>) -> Vec<f64> {
    all[rows.start * WIDTH..rows.end * WIDTH].to_vec()
}

fn check(place: &Place) {
    let title = place.title();
    for temperature in [0.0, 0.05, 0.5] {
        let whole = relaxed(place, &(0..ROWS), temperature, KEY);
        for rows in PARTS {
            let part = relaxed(place, &rows, temperature, KEY.row(rows.start as u32));
            let expected = [of(&whole[0], &rows), of(&whole[1], &rows)];
            assert_eq!(part, expected, "{title}, τ {temperature}, rows {rows:?}");
        }
        // The comparison must be able to fail.
        let elsewhere = relaxed(place, &(1..4), temperature, KEY);
        assert_ne!(elsewhere[0], of(&whole[0], &(1..4)), "{title}");
    }
    for law in [Law::Normal, Law::Laplace, Law::Gumbel] {
        let whole = unit(place, ROWS, law, KEY);
        for rows in PARTS {
            let part = unit(place, rows.len(), law, KEY.row(rows.start as u32));
            assert_eq!(part, of(&whole, &rows), "{title}, {law:?}, rows {rows:?}");
        }
    }
}

#[test]
fn draws_its_rows_of_the_whole() {
    check(&Place::reference());
    on_every_device(check);
}

/// Element numbers have 32 bits: after the last comes the first.
#[test]
fn the_number_of_an_element_wraps() {
    on_every_device(|place| {
        let last = KEY.row(u32::MAX);
        for law in [Law::Normal, Law::Laplace, Law::Gumbel] {
            let wrapped = unit(place, 2, law, last);
            let first = unit(place, 1, law, KEY);
            assert_eq!(of(&wrapped, &(1..2)), first, "{}, {law:?}", place.title());
        }
        let u = |rows| place.tensor::<2>(&vec![0.5; rows * WIDTH], [rows, WIDTH]);
        for temperature in [0.0, 0.5] {
            let wrapped = read(relaxed_poisson(u(2), temperature, last));
            let first = read(relaxed_poisson(u(1), temperature, KEY));
            assert_eq!(of(&wrapped, &(1..2)), first, "{}", place.title());
        }
    });
}

/// Rows are the first axis whatever the number of axes; of a vector, its elements.
#[test]
fn rows_are_the_first_axis() {
    let place = Place::processor();
    let field = log_rates();
    let cube: Tensor<3> = place.tensor(&field[..6 * 5 * 7], [6, 5, 7]);
    let draw = |u: Tensor<3>, key| read(relaxed_poisson(u, 0.1, key));
    let whole = draw(cube.clone(), KEY);
    assert_eq!(
        draw(cube.narrow(0, 2, 3), KEY.row(2)),
        whole[2 * 35..5 * 35]
    );
    let line: Tensor<1> = place.tensor(&field, [ROWS * WIDTH]);
    let draw = |u: Tensor<1>, key| read(relaxed_poisson(u, 0.1, key));
    let whole = draw(line.clone(), KEY);
    assert_eq!(draw(line.narrow(0, 11, 30), KEY.row(11)), whole[11..41]);
}
