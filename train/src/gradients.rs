//! Gradients detached from their graph: they can be summed over microbatches and moved between devices.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

use crate::parameters::ModulePath;

/// ∂L/∂p of every parameter that has one, named by its path, flattened, in the order of the module.
#[derive(Debug, Clone)]
pub struct ParameterGradients(Vec<(String, Tensor<1>)>);

impl ParameterGradients {
    /// Those of `model`'s parameters after a backward pass.
    ///
    /// ```
    /// use burn::module::{Module, Param};
    /// use burn::tensor::{Device, Tensor};
    /// use scotopic_train::gradients::ParameterGradients;
    ///
    /// #[derive(Module, Debug)]
    /// struct Model {
    ///     weight: Param<Tensor<1>>,
    /// }
    /// let device = Device::flex().autodiff();
    /// let weight = Param::from_tensor(Tensor::from_floats([1.0, 2.0], &device));
    /// let model = Model { weight }.train();
    /// let of = |scale: f64| {
    ///     let objective = model.weight.val().sum() * scale;
    ///     ParameterGradients::of(&model, &objective.backward())
    /// };
    /// let sum = of(0.25).plus(of(0.75)); // two parts of a batch
    /// let sum = sum.get("weight").unwrap().clone();
    /// assert_eq!(sum.try_into_vec_as::<f32>().unwrap(), [1.0, 1.0]);
    /// ```
    pub fn of<M: Module>(model: &M, gradients: &Gradients) -> Self {
        let mut reader = Reader {
            path: ModulePath::default(),
            gradients,
            found: Vec::new(),
        };
        model.visit(&mut reader);
        Self(reader.found)
    }

    /// The gradient of the parameter at this path, `[numbers of the parameter]`.
    pub fn get(&self, path: &str) -> Option<&Tensor<1>> {
        let found = self.0.iter().find(|(name, _)| name == path);
        found.map(|(_, gradient)| gradient)
    }

    /// All of them with their paths, in the order of the module.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor<1>)> {
        self.0
            .iter()
            .map(|(name, gradient)| (name.as_str(), gradient))
    }

    /// The sum of both, which must live on one device.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        for (name, more) in other.0 {
            match self.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum = sum.clone() + more,
                None => self.0.push((name, more)),
            }
        }
        self
    }

    /// The same on another device, given without autodiff.
    #[must_use]
    pub fn to_device(self, device: &Device) -> Self {
        let moved = self.0.into_iter();
        Self(
            moved
                .map(|(name, gradient)| (name, gradient.to_device(device)))
                .collect(),
        )
    }

    /// ‖·‖² over all parameters together, `[1]`; none for a model without parameters.
    pub fn squared_norm(&self) -> Option<Tensor<1>> {
        let squares = self.0.iter().map(|(_, g)| g.clone().square().sum());
        squares.reduce(|sum, square| sum + square)
    }
}

struct Reader<'a> {
    path: ModulePath,
    gradients: &'a Gradients,
    found: Vec<(String, Tensor<1>)>,
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let n = gradient.dims().iter().product::<usize>();
            self.found.push((self.path.name(), gradient.reshape([n])));
        }
    }
}
