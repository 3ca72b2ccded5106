//! Neither units of the data nor where inputs are counted from change what a model says or is fitted to.

use scotopic_filtering::Sequence;
use scotopic_filtering::gaussian::{
    DrivenFitted, DrivenGaussian, GaussianFit, Learned, LinearGaussian,
};
use scotopic_filtering::nalgebra::{DMatrix, DVector};

use crate::gaussian::nile;

/// The Nile year by year in other units of its volume, the year last.
fn years(unit: f64) -> Sequence {
    let volumes = nile();
    let rows = volumes.iter().flatten().zip(1871..);
    Sequence::of_rows(rows.map(|(y, year)| [y[0] * unit, f64::from(year)])).unwrap()
}

/// A volume that returns to its mean, from its stationary distribution.
fn returning(unit: f64) -> DrivenGaussian {
    let q = unit * unit;
    let file = serde_json::json!({
        "time": "year", "drift": [[-0.05]], "diffusion": [[1469.2 * q]], "observation": [[1.0]],
        "observation_noise": [[15098.5 * q]], "offset": [919.35 * unit]
    });
    serde_json::from_value(file).unwrap()
}

fn units() -> Vec<f64> {
    let tens = (-9..=9).map(|k| 10f64.powi(k));
    tens.chain([-40, -20, 20, 40].map(|k| 2f64.powi(k)))
        .collect()
}

#[test]
fn a_diffusion_of_any_size_moves_the_state_as_it_should() {
    // y_0 ~ N(0, Q_c/2a) and the transition over a year, by hand.
    let decay = (-0.05f64).exp();
    let still = 1469.2 / 0.1;
    let (mut m, mut p, mut exact) = (0.0, still, 0.0);
    for (t, row) in nile().iter().flatten().enumerate() {
        if t > 0 {
            (m, p) = (decay * m, still + decay * decay * (p - still));
        }
        let (e, s) = (row[0] - 919.35 - m, p + 15098.5);
        exact -= 0.5 * ((std::f64::consts::TAU * s).ln() + e * e / s);
        (m, p) = (m + p / s * e, p - p * p / s);
    }
    assert!((exact + 637.76377).abs() < 1e-5, "{exact}");
    let here = returning(1.0).smooth(&years(1.0)).unwrap();
    for unit in units() {
        let (model, data) = (returning(unit), years(unit));
        assert!(model.base().diffuse().is_empty(), "{unit:e}");
        let evidence = model.log_evidence(&data).unwrap() + 100.0 * unit.ln();
        // Sums of 100 terms, and of 100 ln unit.
        assert!((evidence - exact).abs() < 1e-9, "{unit:e}: {evidence}");
        let (there, exactly) = (model.smooth(&data).unwrap(), unit.log2().fract() == 0.0);
        for (a, b) in there.smoothed().iter().zip(here.smoothed()) {
            let apart = a.mean()[0] / unit - b.mean()[0];
            let room = if exactly { 0.0 } else { 1e-9 };
            assert!(apart.abs() <= room, "{unit:e}: {apart}");
        }
    }
}

/// Drift, diffusion and observation noise only.
fn settings() -> GaussianFit {
    GaussianFit {
        learned: Learned {
            bias: false,
            control: false,
            observation: false,
            offset: false,
            direct: false,
            initial: false,
            ..Learned::default()
        },
        max_iterations: 500,
        ..GaussianFit::default()
    }
}

#[test]
fn a_fit_of_rates_is_the_same_in_any_units() {
    let fit = |unit: f64| -> DrivenFitted {
        let data = [years(unit)];
        returning(unit)
            .maximum_likelihood(&data, &settings())
            .unwrap()
    };
    let here = fit(1.0);
    // The gradient vanishes, in nats for each unit of the logarithms.
    let of = |a: f64, q: f64, r: f64| {
        let mut file = serde_json::to_value(&here.model).unwrap();
        for (key, by) in [("drift", a), ("diffusion", q), ("observation_noise", r)] {
            let own = file[key][0][0].as_f64().unwrap();
            file[key] = serde_json::json!([[own * by.exp()]]);
        }
        let moved: DrivenGaussian = serde_json::from_value(file).unwrap();
        moved.log_evidence(&years(1.0)).unwrap()
    };
    let h = 1e-4;
    let slopes = [
        of(h, 0.0, 0.0) - of(-h, 0.0, 0.0),
        of(0.0, h, 0.0) - of(0.0, -h, 0.0),
        of(0.0, 0.0, h) - of(0.0, 0.0, -h),
    ];
    for slope in slopes {
        // Rounding of ln p: 1e-12/1e-4.
        let slope = slope / (2.0 * h);
        assert!(here.converged && slope.abs() < 1.1e-4, "{slope}");
    }
    for unit in [1e-8, 1e-3, 1e3, 1e8, 2f64.powi(-20), 2f64.powi(20)] {
        let there = fit(unit);
        let same = there.log_evidence[1] + 100.0 * unit.ln() - here.log_evidence[1];
        // Both gradients end below 1e-4.
        assert!(there.converged && same.abs() < 1e-6, "{unit:e}: {same}");
        let drift = |f: &DrivenFitted| f.model.base().transition()[(0, 0)];
        assert!(
            (drift(&there) / drift(&here) - 1.0).abs() < 1e-3,
            "{unit:e}"
        );
    }
}

#[test]
fn inputs_are_counted_from_anywhere() {
    let noise = |t: f64| (t * 0.618_033_988_749_895).fract() - 0.5;
    // In steps of 2^-16, so that the offset takes no digits of it.
    let input = |t: f64| ((0.3 * t * t).sin() * 65536.0).round() / 65536.0;
    let fit = |offset: f64| {
        let row = |t: i32| {
            let t = f64::from(t);
            let y = 3.0 + (0.2 * t).cos() + input(t) + noise(t);
            [y, input(t) + offset]
        };
        let data = [Sequence::of_rows((0..150).map(row)).unwrap()];
        let start = DrivenGaussian::initial_guess(1, &data, &["u".to_owned()]).unwrap();
        let settings = GaussianFit {
            max_iterations: 500,
            pseudo_count: 0.1,
            ..GaussianFit::default()
        };
        start.maximum_likelihood(&data, &settings).unwrap()
    };
    let here = fit(0.0);
    for offset in [-1e3, 1e6, 1e7] {
        let there = fit(offset);
        let apart = there.log_evidence[1] - here.log_evidence[1];
        assert!(apart.abs() < 0.01, "{offset:e}: {apart}");
        let effect = |f: &DrivenFitted| f.model.direct()[(0, 0)];
        assert!((effect(&there) - effect(&here)).abs() < 1e-2, "{offset:e}");
    }
}

/// Two states and a driven level in units that have nothing to do with one another.
#[test]
fn states_have_units_of_their_own() {
    let fit = |unit: f64| {
        let base = LinearGaussian::new(
            DMatrix::from_row_slice(1, 1, &[0.9]),
            DMatrix::from_row_slice(1, 1, &[1500.0 * unit * unit]),
            DMatrix::from_row_slice(1, 1, &[1.0 / unit]),
            DMatrix::from_row_slice(1, 1, &[15000.0]),
        )
        .and_then(|m| m.with_bias(DVector::zeros(1), DVector::from_element(1, 919.35)))
        .and_then(|m| {
            m.with_initial(
                DVector::zeros(1),
                DMatrix::from_element(1, 1, 8000.0 * unit * unit),
            )
        });
        let found = base.unwrap().maximum_likelihood(&[nile()], &settings());
        let found = found.unwrap();
        assert!(found.converged, "{unit:e}");
        *found.log_evidence.last().unwrap()
    };
    let here = fit(1.0);
    for unit in [1e-8, 1e-3, 1e8, 2f64.powi(30)] {
        let there = fit(unit);
        assert!((there - here).abs() < 1e-6, "{unit:e}: {there} and {here}");
    }
}
