//! A module's parameters as named arrays, and back.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// Shape and values of one tensor on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostArray {
    /// Sizes, slowest first.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f32>,
}

/// Named arrays in alphabetical order.
pub type Arrays = BTreeMap<String, HostArray>;

/// Reads every parameter of `module` off its device, named by its path.
///
/// # Errors
/// If the device fails.
pub fn arrays_of<M: Module>(module: &M) -> Result<Arrays> {
    let mut reader = Reader {
        path: ModulePath::default(),
        arrays: Arrays::new(),
        failure: None,
    };
    module.visit(&mut reader);
    match reader.failure {
        Some(failure) => bail!("could not read the parameters from the device: {failure}"),
        None => Ok(reader.arrays),
    }
}

/// Where in a module a visitor is. The variant of an enum is not part of a name: a decoder's parameters are
/// `decoder.…` whatever its architecture.
#[derive(Debug, Default)]
pub(crate) struct ModulePath(Vec<String>);

impl ModulePath {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.push(name.to_string());
        }
    }

    pub(crate) fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    pub(crate) fn name(&self) -> String {
        self.0.join(".")
    }
}

struct Reader {
    path: ModulePath,
    arrays: Arrays,
    failure: Option<String>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let shape = value.dims().to_vec();
        match value.try_into_vec_as::<f32>() {
            Ok(values) => {
                self.arrays
                    .insert(self.path.name(), HostArray { shape, values });
            }
            Err(error) => self.failure = Some(error.to_string()),
        }
    }
}

/// `module` with its parameters replaced by `arrays`, which must be exactly those it has.
///
/// # Errors
/// Names a parameter that is missing, has another shape, or is not one of the model's.
pub fn with_arrays<M: Module>(module: M, mut arrays: Arrays) -> Result<M> {
    let mut writer = Writer {
        path: ModulePath::default(),
        arrays: &mut arrays,
        failure: None,
    };
    let module = module.map(&mut writer);
    if let Some(failure) = writer.failure {
        bail!(failure);
    }
    ensure!(
        arrays.is_empty(),
        "holds parameters that this model does not have: {}",
        arrays.keys().cloned().collect::<Vec<_>>().join(", ")
    );
    Ok(module)
}

/// The names of the parameters that are learned, for a module on an autodiff device.
pub(crate) fn learned<M: Module>(module: &M) -> Vec<String> {
    struct Names {
        path: ModulePath,
        found: Vec<String>,
    }
    impl ModuleVisitor for Names {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.path.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() {
                self.found.push(self.path.name());
            }
        }
    }
    let mut names = Names {
        path: ModulePath::default(),
        found: Vec::new(),
    };
    module.visit(&mut names);
    names.found
}

struct Writer<'a> {
    path: ModulePath,
    arrays: &'a mut Arrays,
    failure: Option<String>,
}

impl ModuleMapper for Writer<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let (id, old, mapper) = param.consume();
        let value = match self.arrays.remove(&name) {
            None => {
                self.failure = Some(format!("the parameter {name} is missing"));
                old
            }
            Some(array) if array.shape != old.dims() => {
                self.failure = Some(format!(
                    "the parameter {name} has shape {:?}; this model wants {:?}",
                    array.shape,
                    old.dims()
                ));
                old
            }
            Some(array) => {
                let device = old.device();
                let tracked = old.is_require_grad();
                let data = TensorData::new(array.values, array.shape);
                Tensor::from_data(data, &device).set_require_grad(tracked)
            }
        };
        Param::from_mapped_value(id, value, mapper)
    }
}

/// A batch of images on a device, `[count, pixels]`.
pub fn to_device(pixels: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let rows = pixels.len() / width.max(1);
    Tensor::from_data(TensorData::new(pixels, [rows, width]), device)
}

/// Reads a tensor back.
///
/// # Errors
/// If the device fails.
pub fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    tensor
        .try_into_vec_as::<f32>()
        .context("could not read from the device")
}
