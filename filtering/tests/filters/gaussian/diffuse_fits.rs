//! Fits from an exactly diffuse start: those of structural models, whose maximum is another program's (statsmodels, `structural.rs`).

use scotopic_filtering::gaussian::{
    GaussianFit, Learned, LinearGaussian, StructuralModel, StructuralSettings,
};
use scotopic_filtering::{Error, Sequence};
use serde_json::json;

use super::nile;

/// Q and R alone.
pub fn noises(diagonal: bool) -> GaussianFit {
    GaussianFit {
        max_iterations: 500,
        learned: Learned {
            transition: false,
            bias: false,
            control: false,
            observation: false,
            offset: false,
            direct: false,
            initial: false,
            diagonal,
            ..Learned::default()
        },
        ..GaussianFit::default()
    }
}

/// A level of a file that leaves the start out: it has no stationary distribution.
fn level(q: f64, r: f64) -> LinearGaussian {
    let file = json!({"transition": [[1.0]], "process_noise": [[q]], "observation": [[1.0]], "observation_noise": [[r]]});
    serde_json::from_value(file).unwrap()
}

/// The Nile's level in any units: statsmodels' −632.545625, 15098.5 and 1469.2.
#[test]
fn the_level_of_the_nile_is_found_from_a_file_without_a_start() {
    for unit in [1.0, 1e-8, 2f64.powi(30)] {
        let square = unit * unit;
        let data = [Sequence::of_numbers(nile().iter().flatten().map(|y| y[0] * unit)).unwrap()];
        let start = level(1000.0 * square, 10_000.0 * square);
        assert_eq!(start.diffuse(), [true]);
        let found = start.maximum_likelihood(&data, &noises(false)).unwrap();
        let end = found.log_evidence.last().unwrap() + 99.0 * unit.ln();
        // The gradient ends below 1e-4.
        assert!(found.converged && (end + 632.545_625).abs() < 1e-5, "{end}");
        let (q, r) = (
            found.model.process_noise()[(0, 0)] / square,
            found.model.observation_noise()[(0, 0)] / square,
        );
        // Of the values that are known to five digits; Q is known to its standard error of 1280 and level over a tenth of it.
        assert!((r / 15_098.5 - 1.0).abs() < 1e-3 && (q / 1469.2 - 1.0).abs() < 1e-3);
        assert_eq!(found.model.diffuse(), [true]);
        // Two variances and the diffuse state, as structural models count.
        assert_eq!(
            found.model.learned_parameters(&noises(false).learned),
            StructuralModel::new("level").unwrap().free_parameters()
        );
    }
}

/// Rows that are missing, and sequences that start anew.
#[test]
fn gaps_and_several_sequences_are_those_of_structural_models() {
    let whole = nile();
    let part = |rows: std::ops::Range<usize>| {
        let mut own = Sequence::new(1).unwrap();
        for t in rows {
            own.push(whole.get(t).filter(|_| t % 7 != 3)).unwrap();
        }
        own
    };
    for data in [vec![part(0..100)], vec![part(0..60), part(40..100)]] {
        let model = StructuralModel::new("level").unwrap();
        let expected = model.fit(&data, &StructuralSettings::default()).unwrap();
        let found = level(1000.0, 10_000.0)
            .maximum_likelihood(&data, &noises(false))
            .unwrap();
        let end = *found.log_evidence.last().unwrap();
        assert!(
            found.converged && (end - expected.log_likelihood).abs() < 1e-5,
            "{end} {}",
            expected.log_likelihood
        );
        assert_eq!(expected.estimates.len(), 2);
    }
}

#[test]
fn rows_of_another_width_are_refused_as_of_any_model() {
    let wide = Sequence::of_rows([[1.0, 2.0], [2.0, 1.0]]).unwrap();
    let found = level(1.0, 1.0).maximum_likelihood(&[wide], &noises(false));
    assert!(matches!(found, Err(Error::Size { .. })), "{found:?}");
}

/// In a smaller basis of a diffuse state ln p is higher without end: what such a basis is in cannot be learned.
#[test]
fn what_has_no_maximum_beside_a_diffuse_start_is_refused() {
    let data = [nile()];
    let with = |learned: Learned, model: &LinearGaussian| {
        let fit = GaussianFit {
            learned,
            ..noises(false)
        };
        model.maximum_likelihood(&data, &fit)
    };
    let all = Learned::default();
    let but_h = Learned {
        observation: false,
        offset: false,
        ..all
    };
    let level = level(1000.0, 10_000.0);
    let small = Sequence::of_numbers([1.0, 2.0]).unwrap();
    let of_scale = |h: f64| {
        LinearGaussian::from_rows(&[[1.0]], &[[1.0 / h / h]], &[[h]], &[[1.0]])
            .and_then(|model| model.with_diffuse(&[true]))
            .and_then(|model| model.log_evidence(&small))
            .unwrap()
    };
    // By ln 2 for half the scale: the density of the state that its first row fixes.
    assert!((of_scale(0.5) - of_scale(1.0) - 2f64.ln()).abs() < 1e-12);
    let error = with(all, &level).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Setting {
                field: "learned.observation",
                ..
            }
        ),
        "{error}"
    );
    // One state is fixed by its first row, whatever F is.
    assert!(with(but_h, &level).unwrap().converged);
    let trend = StructuralModel::new("trend").unwrap();
    let trend = trend.linear_gaussian(&[10_000.0, 1000.0, 10.0]).unwrap();
    let error = with(but_h, &trend).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Setting {
                field: "learned.transition",
                ..
            }
        ),
        "{error}"
    );
}
