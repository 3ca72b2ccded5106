//! Modules learn through the scan: a neural emission, a transition, tied kernels.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Gradients, Tensor, activation::log_softmax};
use scotopic::noise::{NoiseKey, uniform};
use scotopic::ops::{recursive_elbo, recursive_elbo_given};

use crate::devices::{Place, on_every_device};
use crate::numbers::read;

const STATES: usize = 2;
const WIDTH: usize = 3;
const TIME: usize = 40;
const BATCH: usize = 4;

/// What the network does not know at first, in nats per observation: most of ln 2 that two easily seen states are
/// uncertain by, less what is left of it where they change.
const GAIN: f64 = 0.2;

/// p(s|o) of a network, as an emission: ln p(o|s) = ln p(s|o) + ln p(o) − ln p(s), of which ln p(o) is the same for
/// all states and p(s) uniform. The evidence is then that of the classes being a Markov chain.
#[derive(Module, Debug)]
struct NeuralHmm {
    emission: Linear,
    transition: Param<Tensor<2>>,
}

impl NeuralHmm {
    fn evidence(&self, o: Tensor<3>) -> Tensor<1> {
        let l = log_softmax(self.emission.forward(o), 2) + (STATES as f64).ln();
        let device = l.device();
        let initial = log_softmax(Tensor::zeros([1, STATES], &device), 1);
        let seen = recursive_elbo(l, initial, log_softmax(self.transition.val(), 1));
        seen.evidence().mean() / TIME as f64
    }

    fn ascended(self, gradients: &Gradients, rate: f64) -> Self {
        let Self {
            mut emission,
            transition,
        } = self;
        emission.weight = up(&emission.weight, gradients, rate);
        let transition = up(&transition, gradients, rate);
        Self {
            emission,
            transition,
        }
    }
}

fn up(x: &Param<Tensor<2>>, gradients: &Gradients, rate: f64) -> Param<Tensor<2>> {
    let gradient = x.val().grad(gradients).expect("a gradient");
    Param::from_tensor(Tensor::from_inner(x.val().inner() + gradient * rate))
}

/// Two states that stay with 0.95, seen as ±1 in three noisy channels.
fn observations(place: &Place) -> Tensor<3> {
    let key = NoiseKey::new(51);
    let mut values = Vec::new();
    for row in 0..BATCH {
        let mut state = row % 2;
        for t in 0..TIME {
            let words = key.words((row * TIME + t) as u32, 0);
            if uniform(words[3]) < 0.05 {
                state = 1 - state;
            }
            let mean = if state == 0 { -1.0 } else { 1.0 };
            values.extend((0..WIDTH).map(|d| mean + 2.0 * (f64::from(uniform(words[d])) - 0.5)));
        }
    }
    place.tensor(&values, [BATCH, TIME, WIDTH])
}

#[test]
fn a_neural_emission_raises_the_evidence() {
    on_every_device(|place| {
        let place = place.autodiff();
        let o = observations(&place);
        let weight: Vec<f64> = crate::toy::numbers(52, WIDTH * STATES, -0.3, 0.3);
        let mut emission = LinearConfig::new(WIDTH, STATES).init(&place.device);
        emission.weight = Param::from_tensor(place.tensor(&weight, [WIDTH, STATES]));
        // burn draws it from a seed of its own.
        emission.bias = Some(Param::from_tensor(place.tensor(&[0.0; STATES], [STATES])));
        let transition = place.tensor(&[0.5, 0.0, 0.0, 0.5], [STATES, STATES]);
        let mut model = NeuralHmm {
            emission,
            transition: Param::from_tensor(transition),
        };
        let before = read(model.evidence(o.clone()))[0];
        for _ in 0..25 {
            let gradients = model.evidence(o.clone()).backward();
            model = model.ascended(&gradients, 1.0);
        }
        let after = read(model.evidence(o))[0];
        println!(
            "{}: {before:.3} to {after:.3} nats per observation",
            place.title()
        );
        assert!(
            after > before + GAIN,
            "{}: {before} to {after}",
            place.title()
        );
    });
}

/// Kernels that are the same at all times, and beliefs, climb the bound and stay below the evidence: beliefs alone
/// could take away the part of the gap that is theirs at the last step, kernels have to do the rest.
#[test]
fn tied_kernels_climb_towards_the_evidence() {
    let place = Place::reference();
    let problem = super::Problem::drawn(53, [2, 12, 3]);
    let evidence = read(problem.run(&place).evidence().sum())[0];
    let tracked = place.autodiff();
    let (l, i, a) = problem.tensors(&tracked);
    let mut kernels = tracked.tensor::<4>(&[0.0; 9], [1, 1, 3, 3]).require_grad();
    let mut belief = tracked.tensor::<3>(&[0.0; 72], [2, 12, 3]).require_grad();
    let mut bounds = Vec::new();
    for _ in 0..60 {
        let seen = recursive_elbo_given(
            l.clone(),
            i.clone(),
            a.clone(),
            log_softmax(kernels.clone(), 3),
            log_softmax(belief.clone(), 2),
        );
        // Every L_t is a bound of its own; the last belief alone would enter L_T.
        let objective = seen.bound().sum();
        bounds.push(read(seen.evidence().sum())[0]);
        let g = objective.backward();
        let gradient = kernels.grad(&g).expect("a gradient");
        kernels = Tensor::from_inner(kernels.inner() + gradient * 0.02).require_grad();
        let gradient = belief.grad(&g).expect("a gradient");
        belief = Tensor::from_inner(belief.inner() + gradient * 0.5).require_grad();
    }
    let (first, last) = (bounds[0], bounds[bounds.len() - 1]);
    println!("{first:.3} to {last:.3} of {evidence:.3} nats");
    assert!(bounds.iter().all(|bound| *bound <= evidence));
    assert!(
        evidence - last < 0.6 * (evidence - first),
        "{first} to {last} of {evidence}"
    );
}
