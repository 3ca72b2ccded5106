//! Steps down the expected energy, and precisions from what is left.

use burn::tensor::Device;
use scotopic::filtering::generalised::model::{GenerativeModel, Network, Neural, NoisePrecision};
use scotopic::filtering::generalised::{Experience, Function};
use scotopic::filtering::nalgebra::DMatrix;
use scotopic::filtering::{Error, Result};
use scotopic::noise::{NoiseKey, uniform};

use super::energy::{Batch, expected_energy};
use super::map::NeuralMap;
use super::settings::FlowLearning;
use crate::filtering::ascent::{Adam, leaves, slopes};

/// The modules of f and g with their optimisers.
#[derive(Debug)]
pub(super) struct Teacher {
    settings: FlowLearning,
    device: Device,
    pupils: Vec<Pupil>,
    steps: u32,
}

/// One function that is learned.
#[derive(Debug)]
struct Pupil {
    function: Function,
    map: NeuralMap,
    adam: Adam,
}

impl Teacher {
    /// For the functions that the settings name, from those of `model` on.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model of several levels, weights that are parameters, or precisions with unknown
    /// scales; as [`FlowLearning::check`].
    pub fn new(
        model: &GenerativeModel<Neural>,
        settings: &FlowLearning,
        device: &Device,
    ) -> Result<Self> {
        settings.check()?;
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
            (settings.flow, Function::Flow, equations.flow()),
            (settings.output, Function::Output, equations.output()),
        ];
        let pupil = |(_, function, network): (bool, Function, &Network)| Pupil {
            function,
            map: NeuralMap::from_network(network, device),
            adam: Adam::default(),
        };
        let pupils = wanted.into_iter().filter(|(wanted, ..)| *wanted);
        Ok(Self {
            pupils: pupils.map(pupil).collect(),
            settings: settings.clone(),
            device: device.clone(),
            steps: 0,
        })
    }

    /// `settings.steps` steps of Adam at a rate, and precisions from what is left: `model` with both.
    ///
    /// # Errors
    /// [`Error::Entry`] for a weight that has left the numbers; what the device reports.
    pub fn teach(
        &mut self,
        model: &GenerativeModel<Neural>,
        experience: &Experience,
        rate: f64,
    ) -> Result<GenerativeModel<Neural>> {
        let mut model = model.clone();
        let Some(level) = model.levels.first_mut() else {
            return Ok(model);
        };
        let bins = experience.bins();
        for _ in 0..self.settings.steps {
            if bins == 0 {
                return Ok(model);
            }
            self.steps = self.steps.wrapping_add(1);
            let key = NoiseKey::new(self.settings.seed).step(self.steps);
            let chosen: Vec<usize> = (0..self.settings.bins as u32)
                .map(|i| (f64::from(uniform(key.words(i, 0)[0])) * bins as f64) as usize)
                .map(|bin| bin.min(bins - 1))
                .collect();
            for pupil in &mut self.pupils {
                let (precision, network) = match pupil.function {
                    Function::Flow => (&level.motion, level.equations.flow()),
                    Function::Output => (&level.output, level.equations.output()),
                };
                let (precision, inputs) = (precision.expected(), network.inputs());
                let (function, device) = (pupil.function, &self.device);
                let batch = Batch::of(experience, function, &chosen, inputs, &precision, device)?;
                if let Some(batch) = batch {
                    pupil.step(&batch, rate);
                }
            }
        }
        let (mut flow, mut output) = (
            level.equations.flow().clone(),
            level.equations.output().clone(),
        );
        for pupil in &self.pupils {
            match pupil.function {
                Function::Flow => flow = pupil.map.to_network()?,
                Function::Output => output = pupil.map.to_network()?,
            }
        }
        for (function, network, noise, precision) in [
            (
                Function::Flow,
                &flow,
                self.settings.motion_noise,
                &mut level.motion,
            ),
            (
                Function::Output,
                &output,
                self.settings.output_noise,
                &mut level.output,
            ),
        ] {
            let scatter = scatter(experience, function, network);
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
        for pupil in &mut self.pupils {
            let network = match pupil.function {
                Function::Flow => level.equations.flow(),
                Function::Output => level.equations.output(),
            };
            pupil.map = NeuralMap::from_network(network, &self.device);
            pupil.adam = Adam::default();
        }
    }
}

impl Pupil {
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
fn scatter(experience: &Experience, function: Function, network: &Network) -> Option<DMatrix<f64>> {
    let inputs = network.inputs();
    experience.scatter(function, |u, out| network.write(&u[..inputs], out))
}
