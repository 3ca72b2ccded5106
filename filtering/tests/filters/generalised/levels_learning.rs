//! Learning in a linear model of two levels: parameters of either level from what the lower one shows.

use scotopic_filtering::generalised::causal::Generation;
use scotopic_filtering::generalised::dem::{Dem, DemConfig};
use scotopic_filtering::generalised::lap::GeneralisedFiltering;
use scotopic_filtering::generalised::model::{
    CausePrior, Equations, GaussianPrior, GenerativeModel, Level, Linear, NoisePrecision, Sizes,
};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use scotopic_filtering::{Result, Sequence};

const BINS: usize = 128;
/// Precisions of outputs and motions: noise of 2 % of the signal.
const PRECISE: f64 = 3000.0;
/// The places in θ of both levels: A₂₁ of the lower level, whose θ is A, C, B column by column, and A of the upper one.
const FREE: [usize; 2] = [1, 10];
/// Where learning begins, away from the truth.
const AWAY: [f64; 2] = [0.4, -0.4];

fn level(equations: Linear) -> Level<Linear> {
    let Sizes {
        states, outputs, ..
    } = equations.sizes();
    Level {
        parameters: GaussianPrior::known(&equations.defaults()),
        output: NoisePrecision::scalar(outputs, PRECISE),
        motion: NoisePrecision::scalar(states, PRECISE),
        start: vec![0.0; states],
        equations,
    }
}

/// Two states driven by a cause, which is the state of the level above, driven by an input.
fn truth() -> Result<GenerativeModel<Linear>> {
    let matrix = |rows, columns, entries: &[f64]| DMatrix::from_row_slice(rows, columns, entries);
    let low = Linear::new(
        matrix(2, 2, &[-0.5, 0.8, -0.9, -0.4]),
        matrix(2, 1, &[1.0, 0.3]),
        matrix(2, 2, &[1.0, 0.2, -0.3, 0.7]),
    )?;
    let high = Linear::new(
        matrix(1, 1, &[-0.3]),
        matrix(1, 1, &[1.0]),
        matrix(1, 1, &[1.0]),
    )?;
    Ok(GenerativeModel {
        levels: vec![level(low), level(high)],
        cause: CausePrior {
            mean: vec![0.0],
            precision: NoisePrecision::scalar(1, PRECISE),
        },
    })
}

/// Sweeps that hold the states while parameters move leave 92 % of the way each time, and end when e^−4 = 2 % of it is
/// left by how steps shrink. That is here 4 %, with the error of the posterior itself.
const LEFT_OF_ERROR: f64 = 0.06;
/// Joint passes go on to the data's own limit, a posterior deviation of 0.005.
const RECOVERED: f64 = 0.02;
/// Posterior deviations that one draw in two thousand is farther from the truth than.
const DEVIATIONS: f64 = 3.5;

/// One draw of data: F rises with every sweep and every pass, and the parameters of both levels are found.
#[test]
fn two_levels_learn() -> Result<()> {
    let truth = truth()?;
    let bump = |t: usize, at: f64| (-0.5 * ((t as f64 - at) / 3.0).powi(2)).exp();
    let input = |t: usize| bump(t, 20.0) - bump(t, 55.0) + 0.7 * bump(t, 90.0);
    let causes = DMatrix::from_fn(1, BINS, |_, t| input(t));
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    let drawn = Generation::default().run(truth.clone(), BINS, Some(&causes), &mut rng)?;
    let rows = drawn.outputs.column_iter();
    let series = Sequence::of_rows(rows.map(|y| y.iter().copied().collect::<Vec<_>>()))?;
    let inputs = Sequence::of_numbers((0..BINS).map(input))?;
    let all: Vec<f64> = truth
        .levels
        .iter()
        .flat_map(|l| l.equations.defaults())
        .collect();
    let mut model = truth.clone();
    let lower = all.len() - model.levels[1].parameters.mean.len();
    for (&place, away) in FREE.iter().zip(AWAY) {
        let (level, at) = if place < lower {
            (0, place)
        } else {
            (1, place - lower)
        };
        let prior = &mut model.levels[level].parameters;
        prior.mean[at] += away;
        prior.covariance[(at, at)] = 1.0;
    }
    let settings = DemConfig {
        embedding: Embedding {
            states: 4,
            causes: 2,
            smoothness: 0.5,
        },
        sweeps: 64,
        ..DemConfig::default()
    };
    let dem = Dem::new(model.clone(), settings.clone())?.learn(&series, Some(&inputs))?;
    let lap = GeneralisedFiltering::new(model.clone(), settings.clone())?
        .learn(&series, Some(&inputs))?;
    // Every sweep is kept: with careful first steps none overshoots.
    assert!(dem.sweeps.len() > 8, "{:?}", dem.sweeps);
    assert!(dem.sweeps.iter().all(|s| s.1), "{:?}", dem.sweeps);
    assert!(dem.sweeps.windows(2).all(|f| f[1].0 > f[0].0));
    assert!(lap.passes.len() > 8, "{:?}", lap.passes);
    assert!(lap.passes.windows(2).all(|f| f[1] > f[0]));
    for (place, away) in FREE.into_iter().zip(AWAY) {
        let off = (dem.parameters[place] - all[place]).abs() / away.abs();
        assert!(off < LEFT_OF_ERROR, "{place}: {off} of the error is left");
        let off = (lap.parameters[place] - all[place]).abs();
        assert!(off < RECOVERED, "{place}: off by {off}");
        let deviation = lap.parameter_covariance[(place, place)].sqrt();
        assert!(off < DEVIATIONS * deviation, "{place}: {off}, {deviation}");
    }
    // What is known stays.
    let known = (0..all.len()).filter(|i| !FREE.contains(i));
    for i in known {
        assert_eq!(dem.parameters[i], all[i]);
        assert_eq!(lap.parameters[i], all[i]);
    }
    Ok(())
}
