//! A run is a function of its arguments: nothing that a scheme did before changes a bit of it.

use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::Window;
use scotopic_filtering::generalised::dem::{Dem, DemConfig, Published};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::model::{
    Equations, GenerativeModel, Linear, NoisePrecision, Number, Point, Sizes,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::{Result, Sequence};

/// x' = sin x + v/2, y = (x + x³/5, v): no slope stays the same.
#[derive(Debug, Clone, PartialEq)]
struct Curved;

impl Equations for Curved {
    fn sizes(&self) -> Sizes {
        Sizes {
            states: 1,
            causes: 1,
            outputs: 2,
            parameters: 0,
        }
    }
    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = at.v[0].scaled(0.5) - at.x[0].sin();
    }
    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        out[0] = at.x[0] + (at.x[0] * at.x[0] * at.x[0]).scaled(0.2);
        out[1] = at.v[0];
    }
}

/// Some settings that take different ways through a bin.
fn settings() -> Vec<DemConfig> {
    let own = DemConfig {
        embedding: Embedding {
            states: 3,
            causes: 2,
            smoothness: 0.5,
        },
        sweeps: 3,
        ..DemConfig::default()
    };
    let finer = DemConfig {
        substeps: 2,
        ..own.clone()
    };
    let causal = DemConfig {
        window: Window::Causal { samples: 6 },
        ..own.clone()
    };
    let published = DemConfig {
        published: Published::spm(),
        ..own.clone()
    };
    vec![own, finer, causal, published]
}

/// Waves, with no bin, single bins, or whole windows missing.
fn series(width: usize) -> Result<Vec<Sequence>> {
    let seen: [fn(usize) -> bool; 4] = [
        |_| true,
        |t| t % 7 != 3,
        |t| t != 0 && !(20..32).contains(&t) && t != 39,
        |t| t < 34,
    ];
    let row = |t: usize| -> Vec<f64> {
        let wave = |i: usize| (0.4 * t as f64 + i as f64).sin() + 0.1 * (1.9 * t as f64).cos();
        (0..width).map(wave).collect()
    };
    seen.iter()
        .map(|seen| {
            let mut series = Sequence::new(width)?;
            for t in 0..40 {
                series.push(seen(t).then_some(&row(t)[..]))?;
            }
            Ok(series)
        })
        .collect()
}

/// The convolution model with two free parameters and an unknown precision of its outputs.
fn linear() -> Result<GenerativeModel<Linear>> {
    let equations = Linear::convolution();
    let theta = equations.defaults();
    let mut model = GenerativeModel::single(equations, &theta, 20.0, 50.0, 1.0, &[0.3, -0.2])?;
    let level = &mut model.levels[0];
    for i in [1, 4] {
        level.parameters.covariance[(i, i)] = 0.5;
    }
    level.output = NoisePrecision::unknown(4, 2.0, 1.0);
    Ok(model)
}

fn curved() -> Result<GenerativeModel<Curved>> {
    GenerativeModel::single(Curved, &[], 20.0, 10.0, 1.0, &[0.0])
}

/// A first run, a second one, and one after a run of something else: the same beliefs, and the same scheme afterwards.
fn runs_are_the_same<E: Equations + Clone + PartialEq + std::fmt::Debug>(
    model: &GenerativeModel<E>,
) -> Result<()> {
    let all = series(model.outputs())?;
    for (s, settings) in settings().into_iter().enumerate() {
        for (i, data) in all.iter().enumerate() {
            let label = format!("settings {s}, series {i}");
            let mut dem = Dem::new(model.clone(), settings.clone())?;
            let first = dem.run(data, None)?;
            let f = dem.free_energy();
            for other in [data, &all[(i + 1) % all.len()]] {
                dem.run(other, None)?;
                assert!(dem.run(data, None)? == first, "{label}");
                assert!(dem.free_energy() == f, "{label}");
            }
            let mut stream = Dem::new(model.clone(), settings.clone())?;
            let mut beliefs = Vec::new();
            for y in data.iter() {
                match y {
                    Some(y) => stream.push(y, None, |b| beliefs.push(b.clone()))?,
                    None => stream.push_missing(None, |b| beliefs.push(b.clone()))?,
                }
            }
            stream.finish(|b| beliefs.push(b.clone()))?;
            assert!(beliefs == first, "{label}: bin by bin");
            // What was seen before a new start is not to be had after it.
            stream.restart();
            let fresh = Dem::new(model.clone(), settings.clone())?;
            assert_eq!(stream.record(), fresh.record(), "{label}");
            assert_eq!(stream.generalised_states(), fresh.generalised_states());
        }
    }
    Ok(())
}

#[test]
fn a_second_run_is_the_first_bit_for_bit() -> Result<()> {
    runs_are_the_same(&linear()?)?;
    runs_are_the_same(&curved()?)
}

/// `learn` after `run`, after `learn`, and alone: the same. `run` after it depends on what was learned last only.
#[test]
fn learning_does_not_see_what_was_before() -> Result<()> {
    let model = linear()?;
    let all = series(model.outputs())?;
    for (s, settings) in settings().into_iter().enumerate() {
        for (i, data) in all.iter().enumerate() {
            let label = format!("settings {s}, series {i}");
            let other = &all[(i + 1) % all.len()];
            let mut alone = Dem::new(model.clone(), settings.clone())?;
            let expected = alone.learn(data, None)?;
            let after = alone.run(data, None)?;
            let mut dem = Dem::new(model.clone(), settings.clone())?;
            dem.run(data, None)?;
            assert!(dem.learn(data, None)? == expected, "{label}: after a run");
            dem.learn(other, None)?;
            assert!(dem.learn(data, None)? == expected, "{label}: after another");
            assert!(dem.run(data, None)? == after, "{label}: a run after it");

            let mut lap = GeneralisedFiltering::new(model.clone(), settings.clone())?;
            let first = lap.run(data, None)?;
            let learned = lap.learn(data, None)?;
            assert!(lap.learn(data, None)? == learned, "{label}: passes");
            assert!(lap.run(data, None)? == first, "{label}: a run after passes");
            let mut lap = GeneralisedFiltering::new(model.clone(), settings.clone())?;
            assert!(lap.learn(data, None)? == learned, "{label}: passes alone");
        }
    }
    Ok(())
}

/// An observation so large that the motion overflows is refused, and leaves no trace in what follows.
#[test]
fn what_fails_leaves_no_trace() -> Result<()> {
    let model = linear()?;
    let data = &series(model.outputs())?[1];
    let huge = vec![f64::MAX; model.outputs()];
    for settings in settings() {
        let mut dem = Dem::new(model.clone(), settings.clone())?;
        let mut other = Dem::new(model.clone(), settings)?;
        for (t, y) in data.iter().enumerate() {
            if t > 10 && t % 3 == 0 {
                let before = dem.record().clone();
                assert!(dem.push(&huge, None, |_| ()).is_err(), "bin {t}");
                assert!(*dem.record() == before);
            }
            dem.update(y)?;
            other.update(y)?;
            assert!(dem.record() == other.record(), "bin {t}");
            assert_eq!(dem.generalised_states(), other.generalised_states());
        }
        // A series that cannot be learned from leaves the scheme as it was, too.
        let mut bad = Sequence::new(model.outputs())?;
        for y in data.iter() {
            bad.push(y)?;
        }
        bad.push(Some(&huge))?;
        assert!(dem.learn(&bad, None).is_err());
        assert!(dem.run(data, None)? == other.run(data, None)?);
    }
    Ok(())
}
