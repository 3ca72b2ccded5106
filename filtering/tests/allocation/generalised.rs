//! Streaming schemes allocate nothing from bin to bin.

use crate::requests;
use scotopic_filtering::Filter as _;
use scotopic_filtering::generalised::causal::{
    CausalConfig, CausalGeneralisedFilter, Linearisation, NoiseShape,
};
use scotopic_filtering::generalised::model::{
    Activation, DoubleWell, Equations, FitzHughNagumo, GenerativeModel, Linear, Lorenz, Network,
    Neural,
};
use scotopic_filtering::generalised::scheme::Embedding;

fn count<E: Equations + Clone>(equations: E, theta: &[f64], start: &[f64], settings: CausalConfig) {
    let model = GenerativeModel::single(equations, theta, 1.0, 100.0, 1.0, start).unwrap();
    let y = vec![0.1; model.outputs()];
    let mut filter = CausalGeneralisedFilter::new(model, settings, None).unwrap();
    let mut run = |bins: usize| {
        let before = requests();
        for t in 0..bins {
            let observation = (t % 7 != 3).then_some(&y[..]);
            filter.update(observation).unwrap();
        }
        requests() - before
    };
    run(1);
    assert_eq!(run(100), 0, "{settings:?}");
}

#[test]
fn no_bin_allocates() {
    let smooth = |order| {
        CausalConfig::from(Embedding {
            states: order,
            causes: 2,
            smoothness: 0.5,
        })
    };
    let delayed = CausalConfig {
        lag: 2,
        ..smooth(6)
    };
    let gaussian = NoiseShape::Gaussian {
        smoothness: 0.5,
        order: 2,
    };
    let shaped = CausalConfig::of_shape(gaussian, 3);
    let tangent = CausalConfig {
        linearisation: Linearisation::Tangent,
        ..smooth(3)
    };
    for settings in [smooth(0), smooth(6), delayed, shaped, tangent] {
        let linear = Linear::convolution();
        let theta = linear.defaults();
        count(linear, &theta, &[0.0, 0.0], settings);
        let lorenz = Lorenz::default();
        count(lorenz, &lorenz.defaults(), &[1.0, 1.0, 20.0], settings);
        count(DoubleWell {}, &[], &[1.0], settings);
        let neuron = FitzHughNagumo::default();
        count(neuron, &neuron.defaults(), &[0.0, 0.0], settings);
        // As wide as the network's documentation promises.
        let flow = Network::start(3, &[64, 64], 2, Activation::Tanh, 1.0, 1).unwrap();
        let output = Network::start(2, &[64, 64], 1, Activation::Softplus, 1.0, 2).unwrap();
        let neural = Neural::new(flow, output).unwrap();
        count(neural, &[], &[0.3, -0.1], settings);
    }
}

/// The D-step of a linear model computes its propagators once; other models take matrices apart in every bin.
#[test]
fn no_bin_of_a_linear_dem_allocates() {
    use scotopic_filtering::generalised::Window;
    use scotopic_filtering::generalised::dem::{Dem, DemConfig};
    for window in [Window::default(), Window::Causal { samples: 9 }] {
        let linear = Linear::convolution();
        let theta = linear.defaults();
        let model = GenerativeModel::single(linear, &theta, 1.0, 100.0, 1.0, &[0.0, 0.0]).unwrap();
        let y = vec![0.1; model.outputs()];
        let settings = DemConfig {
            window,
            ..DemConfig::default()
        };
        let mut dem = Dem::new(model, settings).unwrap();
        let mut run = |bins: usize| {
            let before = requests();
            for _ in 0..bins {
                dem.update(Some(&y)).unwrap();
            }
            requests() - before
        };
        run(20);
        assert_eq!(run(100), 0, "{window:?}");
    }
}
