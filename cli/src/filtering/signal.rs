//! The belief about the noise-free signal of each observed channel.

use scotopic_filtering::gaussian::LinearGaussian;
use scotopic_filtering::generalised::causal::CausalGeneralisedFilter;
use scotopic_filtering::generalised::model::{AnyEquations, Argument, Equations, Point};
use scotopic_filtering::generalised::scheme::Scheme as _;
use scotopic_filtering::hmm::{AnyEmission, Hmm};
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::nonlinear::models::AnyStateSpace;

use super::{Generalised, Model, Running};

/// The belief about the signal in one channel; NaN where the kind of model has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// E\[y\], the noise averaged out.
    pub mean: f64,
    /// Its variance due to uncertainty about the state, without the observation noise.
    pub variance: f64,
}

impl Signal {
    const UNSAID: Self = Self {
        mean: f64::NAN,
        variance: f64::NAN,
    };
}

/// The signal in every channel.
///
/// | model | mean | variance |
/// |---|---|---|
/// | discrete | Σ_k q_k E[y given k]; symbols have none | not normal: none |
/// | linear-Gaussian | H μ + d | diag H Σ Hᵀ |
/// | linear and diagonal | g μ | g² Σ |
/// | continuous time | g(μ_x, μ_v) | diag G Σ Gᵀ, G = ∂g/∂x; none where g depends on causes |
/// | other nonlinear models | none | none |
pub fn signals(filter: &Running) -> Vec<Signal> {
    match filter {
        Running::Discrete(f) => discrete(f.model(), f.belief()),
        Running::DiscreteLearning(f) => discrete(f.model(), f.belief()),
        Running::Gaussian(f, Model::LinearGaussian(model)) => {
            let belief = f.belief();
            linear(
                model,
                belief.mean().as_slice(),
                belief.covariance().as_slice(),
            )
        }
        Running::Gaussian(_, other) => vec![Signal::UNSAID; other.width()],
        Running::GaussianLearning(f) => {
            linear(f.model(), f.filter().mean(), f.filter().covariance())
        }
        Running::Nonlinear(f) => nonlinear(f.model(), f.mean(), f.covariance()),
        Running::NonlinearLearning(f) => {
            nonlinear(f.model(), f.filter().mean(), f.filter().covariance())
        }
        Running::Causal(f, model) => moving(f, model, f.parameters()),
        Running::Odem(f, model) => moving(f.filter(), model, f.parameters()),
    }
}

fn discrete(model: &Hmm, belief: &[f64]) -> Vec<Signal> {
    let means = match model.emission() {
        AnyEmission::Categorical(_) => return vec![Signal::UNSAID; model.width()],
        AnyEmission::Poisson(e) => e.rates(),
        AnyEmission::DiagonalGaussian(e) => e.means(),
        AnyEmission::FullGaussian(e) => e.means(),
    };
    let width = model.width();
    let channel = |i: usize| Signal {
        mean: belief
            .iter()
            .zip(means.chunks_exact(width))
            .map(|(q, mean)| q * mean[i])
            .sum(),
        variance: f64::NAN,
    };
    (0..width).map(channel).collect()
}

/// Both numbers of the row h of an observation matrix: hμ + d and hΣhᵀ.
fn seen(row: &[f64], offset: f64, mean: &[f64], covariance: &[f64]) -> Signal {
    let n = mean.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = (0..n).map(|i| row[i] * dot(row, &covariance[i * n..(i + 1) * n]));
    Signal {
        mean: offset + dot(row, mean),
        variance: spread.sum::<f64>().max(0.0),
    }
}

fn linear(model: &LinearGaussian, mean: &[f64], covariance: &[f64]) -> Vec<Signal> {
    let rows = model.observation().row_iter().zip(model.offset().iter());
    rows.map(|(row, d)| {
        let row: Vec<f64> = row.iter().copied().collect();
        seen(&row, *d, mean, covariance)
    })
    .collect()
}

fn nonlinear(model: &AnyStateSpace, mean: &[f64], covariance: &[f64]) -> Vec<Signal> {
    let n = mean.len();
    match model {
        AnyStateSpace::DiagonalLinear(model) => (0..n)
            .zip(model.g())
            .map(|(i, g)| Signal {
                mean: g * mean[i],
                variance: g * g * covariance[i * n + i],
            })
            .collect(),
        other => {
            use scotopic_filtering::nonlinear::StateSpace as _;
            vec![Signal::UNSAID; other.observed()]
        }
    }
}

/// The data are the outputs of the first level; `learned` are the parameters that the model leaves open.
fn moving(
    filter: &CausalGeneralisedFilter<AnyEquations>,
    model: &Generalised,
    learned: &[f64],
) -> Vec<Signal> {
    let built = model.build().ok();
    let Some(level) = built.as_ref().and_then(|model| model.levels.first()) else {
        return Vec::new();
    };
    let equations = &level.equations;
    let sizes = equations.sizes();
    let mut theta: Vec<f64> = level.parameters.mean.iter().copied().collect();
    for (place, value) in level.parameters.free().into_iter().zip(learned) {
        theta[place] = *value;
    }
    let at = Point {
        x: &filter.states()[..sizes.states],
        v: &filter.causes()[..sizes.causes],
        theta: &theta,
    };
    let mut mean = vec![0.0; sizes.outputs];
    equations.g(at, &mut mean);
    if equations.output_sees_causes() && sizes.causes > 0 {
        return mean
            .into_iter()
            .map(|mean| Signal {
                mean,
                ..Signal::UNSAID
            })
            .collect();
    }
    let mut slope = DMatrix::zeros(sizes.outputs, sizes.states);
    equations.g_by(Argument::State, at, &mut slope);
    // The states of the data's level come first among those of all levels.
    let all = filter.states().len();
    let covariance: Vec<f64> = filter
        .state_covariance()
        .chunks_exact(all.max(1))
        .take(sizes.states)
        .flat_map(|row| row[..sizes.states].to_vec())
        .collect();
    let rows = mean.iter().zip(slope.row_iter());
    rows.map(|(mean, row)| {
        let row: Vec<f64> = row.iter().copied().collect();
        Signal {
            mean: *mean,
            ..seen(&row, 0.0, at.x, &covariance)
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of a few products.
    const ROUNDING: f64 = 1e-12;

    fn after(model: &str, rows: &[&[f64]]) -> Running {
        let mut filter = Running::new(Model::parse(model).unwrap(), "reversed").unwrap();
        for row in rows {
            filter.update(Some(row)).unwrap();
        }
        filter
    }

    #[test]
    fn the_signal_of_a_linear_model_is_what_the_observation_matrix_says() {
        let filter = after(
            "kind = \"linear-gaussian\"\ntransition = [[0.9, 0.1], [0.0, 0.8]]\n\
             process_noise = [[0.1, 0.0], [0.0, 0.2]]\nobservation = [[1.0, 2.0]]\nobservation_noise = [[0.5]]\n\
             offset = [3.0]\nbias = [0.0, 0.0]\ninitial_mean = [0.0, 0.0]\n\
             initial_covariance = [[1.0, 0.0], [0.0, 1.0]]\n",
            &[&[4.0], &[3.5]],
        );
        let Running::Gaussian(f, _) = &filter else {
            panic!("a linear model")
        };
        let (m, c) = (f.belief().mean().clone(), f.belief().covariance().clone());
        let expected = 3.0 + m[0] + 2.0 * m[1];
        let spread = c[(0, 0)] + 4.0 * c[(0, 1)] + 4.0 * c[(1, 1)];
        let found = signals(&filter);
        assert_eq!(found.len(), 1);
        assert!((found[0].mean - expected).abs() < ROUNDING);
        assert!((found[0].variance - spread).abs() < ROUNDING);
    }

    #[test]
    fn a_discrete_model_says_the_mean_over_its_states() {
        let filter = after(
            "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n\
             [emission]\nkind = \"poisson\"\nrates = [[10.0], [27.0]]\n",
            &[&[18.0]],
        );
        let Running::Discrete(f) = &filter else {
            panic!("a discrete model")
        };
        let expected = 10.0 * f.belief()[0] + 27.0 * f.belief()[1];
        let found = signals(&filter)[0];
        assert!((found.mean - expected).abs() < ROUNDING && found.variance.is_nan());
    }

    #[test]
    fn the_sum_that_is_seen_of_lorenz_is_known_better_than_its_parts() {
        let lorenz = "kind = \"generalised\"\noutput_precision = 1.0\nmotion_precision = 1e6\n\
                      start = [1.0, 1.0, 16.0]\nstart_variance = 100.0\n[equations]\nkind = \"lorenz\"\nseen = \"sum\"\n\
                      [embedding]\nstates = 1\nsmoothness = 0.0\n";
        let filter = after(lorenz, &[&[18.0], &[18.5]]);
        let Running::Causal(f, _) = &filter else {
            panic!("a continuous-time model")
        };
        let found = signals(&filter);
        assert!((found[0].mean - f.states().iter().sum::<f64>()).abs() < ROUNDING);
        let all: f64 = f.state_covariance().iter().sum();
        assert!((found[0].variance - all).abs() < 1e-9 * all.abs().max(1.0));
        assert!(found[0].variance < 1.1, "the noise has variance 1");
    }
}
