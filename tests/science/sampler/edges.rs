//! Numbers and shapes at the edge, on every device.

use burn::tensor::Tensor;
use scotopic::noise::NoiseKey;
use scotopic::ops::{poisson_counts, relaxed_poisson};

use crate::devices::{Place, on_every_device};
use crate::numbers::read;

const KEY: NoiseKey = NoiseKey::new(300);

/// Counts, relaxed samples and their slopes at the same log-rates.
fn samples(place: &Place, u: &[f64]) -> [Vec<f64>; 3] {
    let counts = poisson_counts(place.tensor::<1>(u, [u.len()]), KEY);
    let u = place.autodiff().tensor::<1>(u, [u.len()]).require_grad();
    let relaxed = relaxed_poisson(u.clone(), 0.5, KEY);
    let slope = u.grad(&relaxed.clone().sum().backward());
    [
        read(counts),
        read(relaxed),
        read(slope.expect("a gradient")),
    ]
}

#[test]
fn what_is_not_a_number_stays_so() {
    on_every_device(|place| {
        // Its neighbours share a vector with it and must not notice.
        let plain = samples(place, &[0.5; 5]);
        let mixed = samples(place, &[0.5, f64::NAN, 0.5, 0.5, f64::NAN]);
        for (plain, mixed) in plain.iter().zip(&mixed) {
            for i in 0..5 {
                if [1, 4].contains(&i) {
                    assert!(mixed[i].is_nan(), "{}: {}", place.name, mixed[i]);
                } else {
                    assert_eq!(mixed[i], plain[i], "{}", place.name);
                }
            }
        }
    });
}

#[test]
fn extreme_log_rates() {
    on_every_device(|place| {
        let u = [f64::NEG_INFINITY, -1e30, -100.0, 100.0, 1e30, f64::INFINITY];
        for values in samples(place, &u) {
            assert_eq!(values[..3], [0.0; 3], "{}: rate 0", place.name);
            for value in &values[3..] {
                assert!(value.is_finite(), "{}: {values:?}", place.name);
            }
        }
        // At high temperatures too, where the mean λτ·softplus(1/τ) is larger than λ.
        let hot = read(relaxed_poisson(
            place.tensor::<1>(&u, [u.len()]),
            100.0,
            KEY,
        ));
        assert!(hot.iter().all(|z| z.is_finite()), "{}: {hot:?}", place.name);
        // The rate stays at its largest value: the counts are those of e^88 or so.
        let [counts, ..] = samples(place, &u);
        assert!(
            counts[3..].iter().all(|k| *k > 1e37),
            "{}: {counts:?}",
            place.name
        );
    });
}

#[test]
fn the_processor_in_double_precision_does_the_same() {
    let u = [
        f64::NEG_INFINITY,
        -1e30,
        100.0,
        1e30,
        f64::INFINITY,
        f64::NAN,
    ];
    for values in samples(&Place::reference(), &u) {
        assert_eq!(values[..2], [0.0; 2]);
        assert!(values[2..5].iter().all(|v| v.is_finite()), "{values:?}");
        assert!(values[5].is_nan());
    }
}

#[test]
fn elements_are_numbered_in_row_major_order_whatever_the_rank() {
    on_every_device(|place| {
        let u = vec![1.0; 24];
        let flat = poisson_counts(place.tensor(&u, [24]), KEY);
        fn same<const D: usize>(place: &Place, u: &[f64], shape: [usize; D], flat: &Tensor<1>) {
            let counts: Tensor<D> = poisson_counts(place.tensor(u, shape), KEY);
            assert_eq!(counts.dims(), shape, "{}", place.name);
            assert_eq!(
                read(counts),
                read(flat.clone()),
                "{}: {shape:?}",
                place.name
            );
        }
        same(place, &u, [4, 6], &flat);
        same(place, &u, [2, 3, 4], &flat);
        same(place, &u, [2, 3, 2, 2], &flat);
        // A view that is not contiguous in memory is numbered as it is seen.
        let ramp: Vec<f64> = (0..24).map(|i| 0.1 * f64::from(i)).collect();
        let turned: Vec<f64> = (0..24).map(|i| ramp[(i % 4) * 6 + i / 4]).collect();
        let view = place.tensor::<2>(&ramp, [4, 6]).transpose();
        let copy = place.tensor::<2>(&turned, [6, 4]);
        let (view, copy) = (poisson_counts(view, KEY), poisson_counts(copy, KEY));
        assert_eq!(read(view), read(copy), "{}", place.name);
    });
}

#[test]
fn nothing_in_nothing_out() {
    on_every_device(|place| {
        let empty = || place.tensor::<2>(&[], [0, 7]);
        assert_eq!(
            poisson_counts(empty(), KEY).dims(),
            [0, 7],
            "{}",
            place.name
        );
        assert_eq!(
            relaxed_poisson(empty(), 0.5, KEY).dims(),
            [0, 7],
            "{}",
            place.name
        );
        assert!(
            read(poisson_counts(empty(), KEY)).is_empty(),
            "{}",
            place.name
        );
    });
}
