//! A module's parameters as lists of numbers, and back, in the precision of a place.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::devices::Place;
use crate::numbers::read;
use crate::toy::numbers;

/// The values of every parameter, in the order in which the module is visited.
pub fn undress<M: Module>(module: &M) -> Vec<Vec<f64>> {
    struct Reader(Vec<Vec<f64>>);
    impl ModuleVisitor for Reader {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(read(param.val()));
        }
    }
    let mut reader = Reader(Vec::new());
    module.visit(&mut reader);
    reader.0
}

/// The module with these values, on the device of `place` and as exact as it is there.
pub fn dressed<M: Module>(module: M, values: &[Vec<f64>], place: &Place) -> M {
    struct Writer<'a> {
        values: std::slice::Iter<'a, Vec<f64>>,
        place: &'a Place,
    }
    impl ModuleMapper for Writer<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, old, mapper) = param.consume();
            let values = self.values.next().expect("as many as were read");
            let tracked = old.is_require_grad();
            let value = self.place.tensor(values, old.dims());
            Param::from_mapped_value(id, value.set_require_grad(tracked), mapper)
        }
    }
    let values = values.iter();
    let mut writer = Writer { values, place };
    let module = module.map(&mut writer);
    assert!(
        writer.values.next().is_none(),
        "more values than parameters"
    );
    module
}

/// The names of the parameters, in the same order.
pub fn names<M: Module>(module: &M) -> Vec<String> {
    #[derive(Default)]
    struct Names {
        path: Vec<String>,
        found: Vec<String>,
    }
    impl ModuleVisitor for Names {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_string());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.found.push(self.path.join("."));
        }
    }
    let mut names = Names::default();
    module.visit(&mut names);
    names.found
}

/// The gradient of every parameter, in the same order; `None` where there is none.
pub fn gradients<M: Module>(module: &M, gradients: &Gradients) -> Vec<Option<Vec<f64>>> {
    struct Reader<'a> {
        gradients: &'a Gradients,
        found: Vec<Option<Vec<f64>>>,
    }
    impl ModuleVisitor for Reader<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.found.push(param.val().grad(self.gradients).map(read));
        }
    }
    let found = Vec::new();
    let mut reader = Reader { gradients, found };
    module.visit(&mut reader);
    reader.found
}

/// The same lists with every number moved by up to `by`: no bias stays 0 and no two latents alike.
pub fn stirred(values: &[Vec<f64>], seed: u64, by: f64) -> Vec<Vec<f64>> {
    let stir = |(i, values): (usize, &Vec<f64>)| {
        let noise = numbers(seed * 100 + i as u64, values.len(), -by, by);
        values.iter().zip(noise).map(|(v, n)| v + n).collect()
    };
    values.iter().enumerate().map(stir).collect()
}
