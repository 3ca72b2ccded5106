//! One observation in: q_t and b_t are fitted, then T̂_t and Ŝ_t, then θ moves.

use burn::tensor::{Device, Tensor};
use scotopic::filtering::{Error, Result};
use scotopic::noise::NoiseKey;

use super::ascent::{Adam, leaves, slopes};
use super::ascent_state::AscentState;
use super::model::{TensorStateSpace, sum_rows};
use super::network::{StateNetwork, perceptron};
use super::pair::{BackwardKernel, Draw, Pair, Past, noise};
use super::regression::Regression;
use super::settings::{AmortisedSettings, wrong};
use super::state::AmortisedState;
use super::theta::{Theta, constant};

/// Streams of noise: first weights, then what one observation needs, then the iterations of its fit.
const OF_VALUE: u32 = 0;
const OF_SCORE: u32 = 1;
const OF_KERNEL: u32 = 2;
const PREDICTION: u32 = 3;
const SAMPLES: u32 = 4;
const FIT: u32 = 5;

/// An online filter whose value and score are carried by networks; see [the module](super).
///
/// It holds what does not change. What is known is an [`AmortisedState`], and an update makes one from another, so
/// that a failed update leaves nothing behind, a state can be kept and gone on from, and the same state, observation
/// and seed give the same numbers.
///
/// ```
/// use burn::tensor::Device;
/// use scotopic_models::filtering::{AmortisedFilter, AmortisedSettings, Ar1Poisson};
///
/// let model = Ar1Poisson::new(0.95, 0.5, 0.1, 0.0, 1.0)?;
/// let filter = AmortisedFilter::new(model, AmortisedSettings::default(), &Device::flex())?;
/// let mut state = filter.start()?;
/// for count in [5.0, 5.0, 10.0] {
///     state = filter.update(&state, Some(&[count]))?;
/// }
/// state = filter.update(&state, None)?; // a missing observation: the belief spreads
/// assert!(state.mean()[0] > 1.0 && state.elbo() < 0.0);
/// # Ok::<(), scotopic::filtering::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AmortisedFilter<M> {
    model: M,
    pub(super) settings: AmortisedSettings,
    pub(super) device: Device,
}

impl<M: TensorStateSpace> AmortisedFilter<M> {
    /// A filter on `device`, with or without autodiff, which it brings itself.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense, [`Error::Size`] for a model without a state or an
    /// observation.
    pub fn new(model: M, settings: AmortisedSettings, device: &Device) -> Result<Self> {
        if model.dim() == 0 || model.observed() == 0 {
            return Err(Error::Size {
                name: "the model".to_string(),
                found: format!("{} states, {} observed", model.dim(), model.observed()),
                expected: "at least one of each".to_string(),
            });
        }
        settings.check()?;
        if settings.scores() && model.parameters().is_empty() {
            return Err(wrong(
                "score",
                "a model without parameters",
                "a θ to be scored",
            ));
        }
        Ok(Self {
            model,
            settings,
            device: device.clone().inner(),
        })
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The settings.
    pub fn settings(&self) -> &AmortisedSettings {
        &self.settings
    }

    /// The state of one that has seen nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the device does not give numbers back.
    pub fn start(&self) -> Result<AmortisedState> {
        let theta = self.model.parameters();
        let prior = self.model.initial(&Theta::of(&theta, &self.device));
        let mean = numbers(prior.mean)?;
        let deviation = numbers(prior.log_deviation)?;
        Ok(AmortisedState {
            time: 0,
            elbo: 0.0,
            increment: 0.0,
            mean,
            variance: deviation.into_iter().map(|d| (2.0 * d).exp()).collect(),
            past: None,
            ascent: AscentState::start(theta),
        })
    }

    /// What is known when `observation` `[m]` has come to what is known in `state`; `None` for a missing one.
    ///
    /// # Errors
    /// [`Error::Observation`] for one that is not of the model, [`Error::NotFinite`] where the fit has left the range
    /// of numbers, [`Error::Unsupported`] where the device does not give numbers back.
    pub fn update(
        &self,
        state: &AmortisedState,
        observation: Option<&[f64]>,
    ) -> Result<AmortisedState> {
        if let Some(y) = observation {
            self.model
                .check(y)
                .map_err(|e| e.at_observation(state.time))?;
        }
        let scene = Scene {
            filter: self,
            theta: Theta::of(&state.ascent.theta, &self.device),
            y: observation.map(|y| constant(y, [1, y.len()], &self.device)),
            past: state.past.as_ref(),
            key: self.key(state.time),
        };
        let pair = scene.fit();
        let (past, averages) = scene.carry(&pair);
        let found = numbers(averages)?;
        self.after(state, observation, past, &found)
    }

    fn key(&self, time: u64) -> NoiseKey {
        // Beyond 2³² observations the seed moves on, as the step of a key has 32 bits.
        NoiseKey::new(self.settings.seed.wrapping_add(time >> 32)).step(time as u32)
    }

    /// The next state from what was averaged: μ, σ, the increment, the gradient of V, and that by θ.
    fn after(
        &self,
        state: &AmortisedState,
        observation: Option<&[f64]>,
        past: Past,
        found: &[f64],
    ) -> Result<AmortisedState> {
        let n = self.model.dim();
        let names = |k: usize| match k {
            k if k < n => "the mean of the belief",
            k if k < 2 * n => "the deviation of the belief",
            k if k == 2 * n => "the increment of the evidence lower bound",
            k if k <= 3 * n => "the gradient of the value",
            _ => "the gradient by the parameters",
        };
        let expected = 3 * n
            + 1
            + if self.settings.scores() {
                state.ascent.theta.len()
            } else {
                0
            };
        if found.len() != expected {
            return Err(Error::Size {
                name: "what the model's functions give".to_string(),
                found: format!("{} averages", found.len()),
                expected: format!(
                    "{expected}: [batch, n] from transitions, [batch] from densities"
                ),
            });
        }
        if let Some(k) = found.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite {
                index: state.time,
                what: names(k),
                found: found[k],
            });
        }
        let increment = found[2 * n] + observation.map_or(0.0, |y| self.model.log_base(y));
        Ok(AmortisedState {
            time: state.time + 1,
            elbo: state.elbo + increment,
            increment,
            mean: found[..n].to_vec(),
            variance: found[n..2 * n].iter().map(|d| d * d).collect(),
            past: Some(past),
            ascent: state
                .ascent
                .after(&found[3 * n + 1..], self.settings.learn, state.time)?,
        })
    }
}

/// One observation, and all that is held still while it is taken in.
struct Scene<'a, M> {
    filter: &'a AmortisedFilter<M>,
    theta: Theta,
    /// y `[1, m]`.
    y: Option<Tensor<2>>,
    past: Option<&'a Past>,
    key: NoiseKey,
}

impl<M: TensorStateSpace> Scene<'_, M> {
    /// (q_t, b_t): ascends, by the path of the samples alone ("sticking the landing": the other half of the slope of
    /// −ln q − ln b has mean zero and only adds noise), the surrogate (eq. F39)
    ///
    /// ```text
    /// J = mean[ln p(x_t|x_{t−1}) + ln g(y_t|x_t) − ln b_t + ln q_{t−1} + sg(T̂_{t−1}(x_{t−1}))ᵀ x_{t−1} − ln q_t].
    /// ```
    fn fit(&self) -> Pair {
        let settings = &self.filter.settings;
        let mut pair = self.guess();
        let mut adam = Adam::default();
        for i in 0..settings.iterations {
            let key = self.key.stream(FIT + i as u32);
            let tracked = leaves(&pair.parameters);
            let noise = noise(&pair.centre, settings.samples, key);
            let draw = pair.with(tracked.clone()).draw(noise);
            let objective = self.reward(&pair, &draw, &self.theta) + self.carried(&draw);
            let uphill = slopes(objective.mean(), &tracked);
            let rate = settings.rate * settings.falling(i, settings.iterations);
            let moved = adam.ascend(pair.parameters.clone(), uphill, rate);
            pair = pair.with(moved);
        }
        pair
    }

    fn guess(&self) -> Pair {
        let (filter, settings) = (self.filter, &self.filter.settings);
        let Some(past) = self.past else {
            return Pair::first(&filter.model, &self.theta);
        };
        let n = filter.model.dim();
        // The bend of the last kernel, or a first one.
        let layers = match &past.kernel {
            Some(kernel) => kernel.pair.layers().to_vec(),
            None => {
                let key = filter.key(0).stream(OF_KERNEL);
                perceptron([n, settings.kernel_hidden, n], key, &filter.device)
            }
        };
        Pair::predicted(
            &filter.model,
            &self.theta,
            past,
            &layers,
            self.key.stream(PREDICTION),
            settings.enough(n),
        )
    }

    /// r_t `[samples]`; at the first observation ln p(x_1) + ln g(y_1|x_1) − ln q_1(x_1).
    fn reward(&self, pair: &Pair, draw: &Draw, theta: &Theta) -> Tensor<1> {
        let model = &self.filter.model;
        let x = pair.state(draw.now.clone());
        let prior = match (&draw.before, self.past) {
            (Some(v), Some(past)) => model.log_transition(theta, past.state(v.clone()), x.clone()),
            _ => model.initial(theta).log_density(x.clone()),
        };
        let weight = prior + pair.log_weight(draw);
        match &self.y {
            None => weight,
            Some(y) => weight + model.log_likelihood(theta, y.clone(), x),
        }
    }

    /// sg(T̂_{t−1}(x_{t−1}))ᵀ x_{t−1}, whose slope is that of V_{t−1}.
    fn carried(&self, draw: &Draw) -> Tensor<1> {
        match (&draw.before, self.past) {
            (Some(v), Some(past)) if self.filter.settings.value => {
                let slope = past.value.forward(v.clone().inner());
                sum_rows(slope * v.clone())
            }
            _ => sum_rows(draw.now.zeros_like()),
        }
    }

    /// T̂_t and Ŝ_t, fitted at fresh samples of q_t to
    ///
    /// ```text
    /// d/dx_t r_t + (∂x_{t−1}/∂x_t)ᵀ T̂_{t−1}(x_{t−1})   and   ∇_θ[ln p(x_t|x_{t−1}) + ln g(y_t|x_t)] + Ŝ_{t−1}(x_{t−1}),
    /// ```
    ///
    /// and the averages over the same samples: μ_t, σ_t, then those of the increment of L and of both targets. In the
    /// increment, q_{t−1} comes along as ṽ, on common random numbers; V_{t−1}(v) − V_{t−1}(ṽ) is the integral of
    /// T̂_{t−1} from one to the other.
    fn carry(&self, pair: &Pair) -> (Past, Tensor<1>) {
        let (filter, settings) = (self.filter, &self.filter.settings);
        let samples = settings.enough(filter.model.dim());
        let [mean, deviation] = pair.marginal();
        let [w, before] = noise(&mean, samples, self.key.stream(SAMPLES));
        let near = pair.coupled([w.clone(), before.clone()]);
        let mut tracked = leaves(std::slice::from_ref(&w));
        let rows = match settings.scores() {
            true => {
                let rows = self.theta.0.clone().repeat_dim(0, samples);
                tracked.extend(leaves(&[rows]));
                Theta(tracked[1].clone())
            }
            false => self.theta.clone(),
        };
        let draw = pair.draw([tracked[0].clone(), before.clone()]);
        let reward = self.reward(pair, &draw, &rows);
        let v = draw.before.clone().map(Tensor::inner);
        let mut increment = reward.clone().inner();
        let mut found = slopes((reward + self.carried(&draw)).sum(), &tracked);

        if let (Some(v), Some(past), true) = (&v, self.past, settings.value) {
            let path = v.clone() - near.clone();
            for node in GAUSS_LEGENDRE {
                let slope = past.value.forward(near.clone() + path.clone() * node);
                increment = increment + sum_rows(slope * path.clone()) * 0.5;
            }
        }
        // What is averaged: the increment of L, the targets of T̂, those of Ŝ. The mean of Ŝ_{t−1} under q_{t−1} is 0.
        let mut targets = vec![increment.reshape([samples, 1]), found.remove(0)];
        if let Some(mut target) = found.pop() {
            if let (Some(v), Some(old)) = (&v, self.past.and_then(|past| past.score.as_ref())) {
                target = target + old.forward(v.clone());
            }
            targets.push(target);
        }
        let targets = Regression::of(&w, &before, Tensor::cat(targets, 1), settings);
        let (n, [_, all]) = (filter.model.dim(), targets.left.dims());
        let network = |d: usize, stream: u32| {
            let key = filter.key(0).stream(stream);
            StateNetwork::zero([n, d], settings, key, &filter.device)
        };
        let value = match (settings.value, self.past) {
            (true, Some(past)) => past.value.clone(),
            _ => network(n, OF_VALUE),
        };
        let value = match settings.value {
            true => value.fit(w.clone(), targets.columns(1, 1 + n), settings),
            false => value,
        };
        let score = settings.scores().then(|| {
            let old = self.past.and_then(|past| past.score.clone());
            let old = old.unwrap_or_else(|| network(all - 1 - n, OF_SCORE));
            let next = old.fit(w.clone(), targets.columns(1 + n, all), settings);
            next.centred(w)
        });
        let flat = |t: Tensor<2>| t.flatten::<1>(0, 1);
        let averages = vec![
            flat(mean.clone()),
            flat(deviation.clone()),
            flat(targets.means()),
        ];
        let kernel = self.past.map(|past| BackwardKernel {
            pair: pair.clone(),
            mean: past.mean.clone(),
            deviation: past.deviation.clone(),
        });
        let past = Past {
            mean,
            deviation,
            value,
            score,
            kernel,
        };
        (past, Tensor::cat(averages, 0))
    }
}

/// (3 ∓ √3)/6: the two nodes on [0, 1], exact for cubics; their weights are ½.
const GAUSS_LEGENDRE: [f64; 2] = [0.211_324_865_405_187_1, 0.788_675_134_594_812_9];

/// The entries of a tensor on this machine.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>> {
    let values = tensor.try_into_vec_as::<f32>();
    let values = values.map_err(|e| Error::Unsupported {
        what: format!("the device ({e})"),
        asked: "give numbers back",
        why: "a kernel failed or memory ran out; fewer samples need less",
    })?;
    Ok(values.into_iter().map(f64::from).collect())
}
