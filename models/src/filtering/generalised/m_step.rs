//! The M-step: gradient steps on the expected energy, and precisions from the residuals.

use burn::tensor::Device;
use scotopic::filtering::generalised::model::{GenerativeModel, Network, Neural, NoisePrecision};
use scotopic::filtering::generalised::{Function, RegressionPoints};
use scotopic::filtering::nalgebra::DMatrix;
use scotopic::filtering::{Error, Result};
use scotopic::noise::{NoiseKey, uniform};

use super::config::FlowLearningConfig;
use super::energy::{Batch, expected_energy};
use super::map::NeuralMap;
use crate::filtering::ascent::{Adam, leaves, slopes};

/// The modules of f and g with their optimisers.
#[derive(Debug)]
pub(super) struct MStep {
    config: FlowLearningConfig,
    device: Device,
    maps: Vec<LearnedMap>,
    steps: u32,
}

/// One function that is learned.
#[derive(Debug)]
struct LearnedMap {
    function: Function,
    map: NeuralMap,
    adam: Adam,
}

impl MStep {
    /// For the functions that the settings name, from those of `model` on.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model of several levels, weights that are parameters, or precisions with unknown
    /// scales; as [`FlowLearningConfig::check`].
    pub fn new(
        model: &GenerativeModel<Neural>,
        config: &FlowLearningConfig,
        device: &Device,
    ) -> Result<Self> {
        config.check()?;
        model.check()?;
        let no = |what: &str, why| {
            Err(Error::Unsupported {
                what: what.to_owned(),
                asked: "be learned from beliefs",
                why,
            })
        };
        let [level] = &model.levels[..] else {
            return no(
                "a model of several levels",
                "their outputs are not observed",
            );
        };
        if level.equations.has_free_weights() {
            return no(
                "weights that are parameters",
                "Odem learns those; fix the weights",
            );
        }
        if !level.output.components.is_empty() || !level.motion.components.is_empty() {
            return no(
                "precisions with unknown scales",
                "Odem learns those; give precisions",
            );
        }
        let equations = &level.equations;
        // Steps bring their own gradients.
        let device = &device.clone().inner();
        let wanted = [
            (config.flow, Function::Flow, equations.flow()),
            (config.output, Function::Output, equations.output()),
        ];
        let map = |(_, function, network): (bool, Function, &Network)| LearnedMap {
            function,
            map: NeuralMap::from_network(network, device),
            adam: Adam::default(),
        };
        let maps = wanted.into_iter().filter(|(wanted, ..)| *wanted);
        Ok(Self {
            maps: maps.map(map).collect(),
            config: config.clone(),
            device: device.clone(),
            steps: 0,
        })
    }

    /// `config.steps` steps of Adam at a rate, and precisions from what is left: `model` with both.
    ///
    /// # Errors
    /// [`Error::Entry`] for a weight that has left the numbers; what the device reports.
    pub fn step(
        &mut self,
        model: &GenerativeModel<Neural>,
        points: &RegressionPoints,
        rate: f64,
    ) -> Result<GenerativeModel<Neural>> {
        let mut model = model.clone();
        let Some(level) = model.levels.first_mut() else {
            return Ok(model);
        };
        let bins = points.bins();
        for _ in 0..self.config.steps {
            if bins == 0 {
                return Ok(model);
            }
            self.steps = self.steps.wrapping_add(1);
            let key = NoiseKey::new(self.config.seed).step(self.steps);
            let chosen: Vec<usize> = (0..self.config.bins as u32)
                .map(|i| (f64::from(uniform(key.words(i, 0)[0])) * bins as f64) as usize)
                .map(|bin| bin.min(bins - 1))
                .collect();
            for map in &mut self.maps {
                let (precision, network) = match map.function {
                    Function::Flow => (&level.motion, level.equations.flow()),
                    Function::Output => (&level.output, level.equations.output()),
                };
                let (precision, inputs) = (precision.expected(), network.inputs());
                let (function, device) = (map.function, &self.device);
                let batch = Batch::of(points, function, &chosen, inputs, &precision, device)?;
                if let Some(batch) = batch {
                    map.step(&batch, rate);
                }
            }
        }
        let (mut flow, mut output) = (
            level.equations.flow().clone(),
            level.equations.output().clone(),
        );
        for map in &self.maps {
            match map.function {
                Function::Flow => flow = map.map.to_network()?,
                Function::Output => output = map.map.to_network()?,
            }
        }
        for (function, network, noise, precision) in [
            (
                Function::Flow,
                &flow,
                self.config.motion_noise,
                &mut level.motion,
            ),
            (
                Function::Output,
                &output,
                self.config.output_noise,
                &mut level.output,
            ),
        ] {
            let scatter = scatter(points, function, network);
            if let Some(found) = scatter.and_then(|scatter| noise.precision(&scatter)) {
                *precision = NoisePrecision::known(found);
            }
        }
        level.equations = Neural::new(flow, output)?;
        Ok(model)
    }

    /// Goes back to the functions of `model`, with nothing remembered of how they were left.
    pub fn return_to(&mut self, model: &GenerativeModel<Neural>) {
        let Some(level) = model.levels.first() else {
            return;
        };
        for map in &mut self.maps {
            let network = match map.function {
                Function::Flow => level.equations.flow(),
                Function::Output => level.equations.output(),
            };
            map.map = NeuralMap::from_network(network, &self.device);
            map.adam = Adam::default();
        }
    }
}

impl LearnedMap {
    fn step(&mut self, batch: &Batch, rate: f64) {
        let weights = self.map.weights();
        let leaves = leaves(&weights);
        let energy = expected_energy(|u| self.map.with(&leaves, u), batch);
        let uphill = slopes(energy.neg(), &leaves);
        let weights = self.adam.ascend(weights, uphill, rate);
        self.map.put(weights);
    }
}

/// E[e e']/σ² at a network, in double precision.
fn scatter(
    points: &RegressionPoints,
    function: Function,
    network: &Network,
) -> Option<DMatrix<f64>> {
    let inputs = network.inputs();
    points.scatter(function, |u, out| network.write(&u[..inputs], out))
}
