//! Adamax with coupled L2, as the published models were trained with.
//!
//! ```text
//! g ← g·min(1, c/(‖g‖ + 10⁻⁶))        ‖·‖ over all parameters together
//! g ← g + w·p
//! m ← β₁m + (1 − β₁)g
//! v ← max(β₂v, |g| + ε)
//! p ← p − η/(1 − β₁ᵗ)·m/v
//! ```
//!
//! Kingma and Ba 2015 (arXiv 1412.6980), algorithm 2, in the form of the published trainer (ε inside
//! the maximum; weight decay on every parameter, biases included).
//!
//! State is kept by the parameter's path in the module ("decoder.atoms"), so that a checkpoint can be
//! read by a person and checked against the model.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::gradients::ParameterGradients;
use crate::parameters::ModulePath;

/// The constants of the optimiser; the rate is an argument of each step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamaxConfig {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the infinity norm.
    pub beta2: f64,
    /// Added to |g| inside the maximum.
    pub epsilon: f64,
    /// L2 coefficient, coupled: added to the gradient.
    pub weight_decay: f64,
}

impl Default for AdamaxConfig {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 3e-4,
        }
    }
}

/// m and v of one parameter, flattened.
#[derive(Debug, Clone)]
pub struct Moments {
    /// m, the running mean of gradients.
    pub mean: Tensor<1>,
    /// v, the running infinity norm.
    pub norm: Tensor<1>,
}

/// The optimiser's state: a value that is saved with a checkpoint.
#[derive(Debug, Clone)]
pub struct Adamax {
    /// Constants.
    pub config: AdamaxConfig,
    /// Steps taken.
    pub time: u64,
    /// Moments by parameter path; empty before the first step.
    pub moments: BTreeMap<String, Moments>,
}

impl Adamax {
    /// Nothing seen yet.
    pub fn new(config: AdamaxConfig) -> Self {
        Self {
            config,
            time: 0,
            moments: BTreeMap::new(),
        }
    }

    /// One step: the model with updated parameters, and the gradient's global norm before clipping, `[1]`.
    ///
    /// Nothing is read back from the device.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: &ParameterGradients,
        rate: f64,
        clip: f64,
    ) -> (M, Tensor<1>) {
        self.time += 1;
        let Some(square) = gradients.squared_norm() else {
            let device = burn::tensor::Device::default();
            return (model, Tensor::zeros([1], &device)); // a model without parameters
        };
        let norm = square.sqrt();
        let scale = ((norm.clone() + 1e-6).recip() * clip).clamp_max(1.0);
        let mut update = Update {
            optimizer: self,
            gradients,
            scale,
            rate,
            path: ModulePath::default(),
        };
        (model.map(&mut update), norm)
    }
}

struct Update<'a> {
    optimizer: &'a mut Adamax,
    gradients: &'a ParameterGradients,
    scale: Tensor<1>,
    rate: f64,
    path: ModulePath,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        let Some(gradient) = self.gradients.get(&self.path.name()).cloned() else {
            return Param::from_mapped_value(id, value, mapper);
        };
        let AdamaxConfig {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } = self.optimizer.config;
        let value = value.inner();
        let shape = value.dims();
        let n = shape.iter().product::<usize>();
        let p = value.reshape([n]);
        let g = gradient * self.scale.clone() + p.clone() * weight_decay;
        let size = g.clone().abs() + epsilon;
        let moments = match self.optimizer.moments.remove(&self.path.name()) {
            None => Moments {
                mean: g * (1.0 - beta1),
                norm: size,
            },
            Some(old) => Moments {
                mean: old.mean * beta1 + g * (1.0 - beta1),
                norm: (old.norm * beta2).max_pair(size),
            },
        };
        // The power in f64 by repeated multiplication would drift; powf is exact enough at any time.
        let step = self.rate / (1.0 - beta1.powf(self.optimizer.time as f64));
        let p = p - moments.mean.clone() / moments.norm.clone() * step;
        self.optimizer.moments.insert(self.path.name(), moments);
        let value = Tensor::from_inner(p.reshape(shape)).require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}
