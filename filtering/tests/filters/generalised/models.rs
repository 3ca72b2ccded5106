//! Derivatives of every model against finite differences; models from files.

use scotopic_filtering::generalised::model::{
    AnyEquations, Argument, Equations, GenerativeModel, Linear, ModelFile, Named, Point, Sizes,
};
use scotopic_filtering::nalgebra::DMatrix;

const ARGUMENTS: [Argument; 3] = [Argument::State, Argument::Cause, Argument::Parameter];

/// Central differences of step 1e-4 in numbers of size up to 50: truncation about 1e-8, rounding about 1e-11.
const FIRST: f64 = 1e-5;
/// The same of first derivatives.
const SECOND: f64 = 1e-4;

/// One of each, as files name them.
fn all() -> Vec<AnyEquations> {
    [
        r#"{ "kind": "linear_convolution" }"#,
        r#"{ "kind": "linear", "a": [[-1.0, 0.5], [0.0, -2.0]], "b": [[1.0], [0.3]], "c": [[1.0, 2.0]] }"#,
        r#"{ "kind": "ornstein_uhlenbeck", "rate": 0.2 }"#,
        r#"{ "kind": "lorenz" }"#,
        r#"{ "kind": "lorenz", "doubled": true, "time_step": 0.03125, "output": "sum" }"#,
        r#"{ "kind": "lotka_volterra", "bin": 0.1 }"#,
        r#"{ "kind": "generalised_lotka_volterra", "growth": [1.0, 0.5],
             "interactions": [[-1.0, -0.4], [0.3, -1.0]] }"#,
        r#"{ "kind": "double_well" }"#,
        r#"{ "kind": "pullback", "size": 3 }"#,
        r#"{ "kind": "trigonometric" }"#,
        r#"{ "kind": "fitzhugh_nagumo" }"#,
        r#"{ "kind": "neural", "states": 2, "causes": 1,
             "flow": { "activation": "softplus", "linear": [[-0.3, 0.2, 1.0], [0.1, -0.5, 0.0]], "layers": [
                 { "weight": [[0.5, -1.0, 0.3], [1.2, 0.4, -0.7], [-0.6, 0.9, 0.2]], "bias": [0.1, -0.4, 0.3] },
                 { "weight": [[0.8, -0.5, 0.6], [-0.3, 0.7, 1.1]], "bias": [-0.2, 0.5] },
                 { "weight": [[1.0, -0.9], [0.4, 0.8]], "bias": [0.2, -0.1] } ] },
             "output": { "layers": [
                 { "weight": [[0.9, -0.3, 0.5]], "bias": [0.2] }, { "weight": [[1.1], [-0.6]], "bias": [0.0, 0.3] } ] } }"#,
        r#"{ "kind": "neural", "states": 1, "causes": 1, "weights_are_parameters": true,
             "flow": { "linear": [[-0.3, 1.0]], "layers": [
                 { "weight": [[0.5, -1.0], [1.2, 0.4]], "bias": [0.1, -0.4] },
                 { "weight": [[0.8, -0.5]], "bias": [-0.2] } ] },
             "output": { "layers": [ { "weight": [[1.1], [-0.6]], "bias": [0.0, 0.3] } ] } }"#,
        r#"{ "kind": "neural", "states": 2, "flow": { "hidden": [4, 3], "seed": 5 } }"#,
        r#"{ "kind": "neural", "states": 2, "causes": 1, "flow": { "linear": [[-1.0, 0.5, 1.0], [0.0, -2.0, 0.3]] },
             "output": { "linear": [[1.0, 2.0]] } }"#,
    ]
    .into_iter()
    .map(|text| serde_json::from_str::<Named>(text).unwrap().build().unwrap())
    .collect()
}

/// A point away from every symmetry.
struct At {
    parts: [Vec<f64>; 3],
}

impl At {
    fn of(equations: &AnyEquations) -> Self {
        let sizes = equations.sizes();
        let wave = |n: usize, phase: f64| -> Vec<f64> {
            (0..n)
                .map(|i| 0.7 + (1.3 * i as f64 + phase).sin())
                .collect()
        };
        let x = wave(sizes.states, 0.2);
        let v = wave(sizes.causes, 1.1);
        Self {
            parts: [x, v, equations.defaults()],
        }
    }

    fn point(&self) -> Point<'_> {
        let [x, v, theta] = &self.parts;
        Point { x, v, theta }
    }

    fn moved(&self, part: usize, entry: usize, by: f64) -> Self {
        let mut parts = self.parts.clone();
        parts[part][entry] += by;
        Self { parts }
    }
}

fn value(equations: &AnyEquations, at: &At, flow: bool) -> Vec<f64> {
    let Sizes {
        states, outputs, ..
    } = equations.sizes();
    let mut out = vec![0.0; if flow { states } else { outputs }];
    match flow {
        true => equations.f(at.point(), &mut out),
        false => equations.g(at.point(), &mut out),
    }
    out
}

fn jacobian(equations: &AnyEquations, by: Argument, at: &At, flow: bool) -> DMatrix<f64> {
    let sizes = equations.sizes();
    let rows = if flow { sizes.states } else { sizes.outputs };
    let mut out = DMatrix::zeros(rows, sizes.of(by));
    match flow {
        true => equations.f_by(by, at.point(), &mut out),
        false => equations.g_by(by, at.point(), &mut out),
    }
    out
}

#[test]
fn first_derivatives_are_those_of_finite_differences() {
    let h = 1e-4;
    for equations in all() {
        let at = At::of(&equations);
        for flow in [true, false] {
            for (part, by) in ARGUMENTS.into_iter().enumerate() {
                let exact = jacobian(&equations, by, &at, flow);
                for j in 0..exact.ncols() {
                    let ahead = value(&equations, &at.moved(part, j, h), flow);
                    let behind = value(&equations, &at.moved(part, j, -h), flow);
                    for i in 0..exact.nrows() {
                        let numeric = (ahead[i] - behind[i]) / (2.0 * h);
                        let error = (numeric - exact[(i, j)]).abs();
                        assert!(error < FIRST, "{equations:?} {by:?} [{i}, {j}]: {error:e}");
                    }
                }
            }
        }
    }
}

#[test]
fn second_derivatives_are_those_of_finite_differences() {
    let h = 1e-4;
    for equations in all() {
        let at = At::of(&equations);
        let sizes = equations.sizes();
        for flow in [true, false] {
            for (part, a) in ARGUMENTS.into_iter().enumerate() {
                for j in 0..sizes.of(a) {
                    for b in ARGUMENTS {
                        let ahead = jacobian(&equations, b, &at.moved(part, j, h), flow);
                        let behind = jacobian(&equations, b, &at.moved(part, j, -h), flow);
                        for k in 0..sizes.of(b) {
                            let mut exact = vec![0.0; ahead.nrows()];
                            match flow {
                                true => equations.f_second((a, j), (b, k), at.point(), &mut exact),
                                false => equations.g_second((a, j), (b, k), at.point(), &mut exact),
                            }
                            for (i, exact) in exact.iter().enumerate() {
                                let numeric = (ahead[(i, k)] - behind[(i, k)]) / (2.0 * h);
                                let error = (numeric - exact).abs();
                                assert!(error < SECOND, "{equations:?} {a:?} {b:?}: {error:e}");
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_models_say_of_themselves_is_true() {
    for equations in all() {
        let at = At::of(&equations);
        let moved = At {
            parts: [0, 1, 2].map(|part| {
                let shift = if part < 2 { 0.4 } else { 0.0 };
                at.parts[part].iter().map(|v| v + shift).collect()
            }),
        };
        let same = |by, flow| {
            jacobian(&equations, by, &at, flow) == jacobian(&equations, by, &moved, flow)
        };
        if equations.is_linear() {
            assert!(
                same(Argument::State, true) && same(Argument::Cause, true),
                "{equations:?}"
            );
        }
        if equations.output_is_linear() {
            assert!(
                same(Argument::State, false) && same(Argument::Cause, false),
                "{equations:?}"
            );
        }
        if !equations.output_sees_causes() && equations.sizes().causes > 0 {
            assert_eq!(
                jacobian(&equations, Argument::Cause, &at, false).amax(),
                0.0
            );
        }
        if !equations.output_has_parameters() && equations.sizes().parameters > 0 {
            assert_eq!(
                jacobian(&equations, Argument::Parameter, &at, false).amax(),
                0.0
            );
        }
    }
}

#[test]
fn the_convolution_is_that_of_the_demonstrations() {
    let text = r#"{ "equations": { "kind": "linear_convolution" },
        "output_precision": 2981.0, "motion_precision": 2981.0 }"#;
    let file: ModelFile = serde_json::from_str(text).unwrap();
    let model = file.build().unwrap();
    let theta = &model.levels[0].parameters.mean;
    let expected = [
        -0.25,
        -0.5,
        1.0,
        -0.25,
        0.125,
        0.125,
        0.125,
        0.125,
        0.16332037060954708,
        0.06764951251827464,
        -0.06764951251827463,
        -0.16332037060954708,
        1.0,
        0.0,
    ];
    assert_eq!(theta.len(), expected.len());
    for (found, expected) in theta.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15);
    }
    let again: GenerativeModel<AnyEquations> =
        serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
    assert_eq!(again, model);
}

#[test]
fn a_linear_model_that_does_not_fit_together_is_not_read() {
    let good = serde_json::to_value(Linear::convolution()).unwrap();
    assert!(serde_json::from_value::<Linear>(good.clone()).is_ok());
    let mut bad = good.clone();
    bad["c"] = good["b"].clone();
    let error = serde_json::from_value::<Linear>(bad)
        .unwrap_err()
        .to_string();
    assert!(error.contains("c: columns"), "{error}");
}

#[test]
fn bad_files_are_named() {
    let precisions = r#""output_precision": 1.0, "motion_precision": 1.0"#;
    for (text, word) in [
        (
            format!(r#"{{ "equations": {{ "kind": "lorenz", "bim": 1.0 }}, {precisions} }}"#),
            "bim",
        ),
        (
            format!(r#"{{ "equations": {{ "kind": "lorentz" }}, {precisions} }}"#),
            "lorentz",
        ),
        (
            r#"{ "equations": { "kind": "lorenz" } }"#.to_owned(),
            "output_precision",
        ),
    ] {
        let error = serde_json::from_str::<ModelFile>(&text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{error}");
    }
    for (text, word) in [
        (format!(r#"{{ "equations": {{ "kind": "lorenz" }}, "start": [1.0], {precisions} }}"#), "start"),
        (format!(r#"{{ "equations": {{ "kind": "lorenz" }}, "parameters": [1.0], {precisions} }}"#), "size"),
        (
            r#"{ "equations": { "kind": "lorenz" }, "output_precision": -1.0, "motion_precision": 1.0 }"#
                .to_owned(),
            "output_precision",
        ),
        (
            format!(
                r#"{{ "equations": {{ "kind": "linear", "a": [[1.0]], "c": [[1.0, 2.0]] }}, {precisions} }}"#
            ),
            "c: columns",
        ),
    ] {
        let file: ModelFile = serde_json::from_str(&text).unwrap();
        let error = file.build().unwrap_err().to_string();
        assert!(error.contains(word) || word == "size", "{error}");
    }
}

/// A file whose numbers make no model is refused by the name of the field.
#[test]
fn scales_that_are_none_are_named() {
    use scotopic_filtering::generalised::model::{
        FitzHughNagumo, GeneralisedLotkaVolterra, Lorenz, LotkaVolterra, Named, Pullback,
        Trigonometric,
    };
    for time_step in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        for equations in [
            Named::Lorenz(Lorenz {
                time_step,
                ..Lorenz::default()
            }),
            Named::LotkaVolterra(LotkaVolterra { time_step }),
            Named::FitzhughNagumo(FitzHughNagumo { time_step }),
            Named::GeneralisedLotkaVolterra(GeneralisedLotkaVolterra {
                time_step,
                ..GeneralisedLotkaVolterra::cycle()
            }),
        ] {
            let said = equations.build().unwrap_err().to_string();
            assert!(
                said.starts_with("time_step: found"),
                "{equations:?}: {said}"
            );
        }
    }
    let rate = Named::OrnsteinUhlenbeck { rate: f64::NAN };
    assert!(rate.build().unwrap_err().to_string().starts_with("rate"));
    for size in [0, usize::MAX] {
        for equations in [
            Named::Pullback(Pullback { size }),
            Named::Trigonometric(Trigonometric { size }),
        ] {
            let said = equations.build().unwrap_err().to_string();
            assert!(said.starts_with("size: found"), "{equations:?}: {said}");
        }
    }
}
