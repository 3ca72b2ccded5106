//! Six steps of Adamax against the published optimiser.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use scotopic_train::adamax::{Adamax, AdamaxConfig};
use scotopic_train::gradients::ParameterGradients;

use super::support::Golden;

/// Rates of the six steps and the clip, as golden.json gives them.
const RATES: [f64; 6] = [0.0, 0.002, 0.005, 0.0049, 0.001, 0.005];
const CLIP: f64 = 30.0;

/// The parameters of the golden file, by its names.
const NAMES: [(&str, &str); 5] = [
    ("weight", "phi.weight"),
    ("log_sigma", "dec_log_sigma"),
    ("bias", "log_bias"),
    ("resting", "u_init.0"),
    ("log_rate", "log_lr.0"),
];

#[derive(Module, Debug)]
struct Five {
    weight: Param<Tensor<2>>,
    log_sigma: Param<Tensor<2>>,
    bias: Param<Tensor<2>>,
    resting: Param<Tensor<2>>,
    log_rate: Param<Tensor<1>>,
}

struct Bench {
    golden: Golden,
    device: Device,
    dtype: DType,
}

impl Bench {
    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let (shape, values) = self.golden.get(name);
        Tensor::from_data(TensorData::new(values, shape), (&self.device, self.dtype))
    }

    fn initial(&self) -> Five {
        let model = Five {
            weight: Param::from_tensor(self.tensor("p0.phi.weight")),
            log_sigma: Param::from_tensor(self.tensor("p0.dec_log_sigma")),
            bias: Param::from_tensor(self.tensor("p0.log_bias")),
            resting: Param::from_tensor(self.tensor("p0.u_init.0")),
            log_rate: Param::from_tensor(self.tensor("p0.log_lr.0")),
        };
        model.train()
    }

    /// One step with the golden gradient: that of Σ p·g with respect to p is g itself.
    fn step(&self, model: Five, optimizer: &mut Adamax, s: usize) -> (Five, f64) {
        let g = |name: &str| format!("s{s}.grad.{name}");
        let objective = (model.weight.val() * self.tensor(&g("phi.weight"))).sum()
            + (model.log_sigma.val() * self.tensor(&g("dec_log_sigma"))).sum()
            + (model.bias.val() * self.tensor(&g("log_bias"))).sum()
            + (model.resting.val() * self.tensor(&g("u_init.0"))).sum()
            + (model.log_rate.val() * self.tensor(&g("log_lr.0"))).sum();
        let gradients = ParameterGradients::of(&model, &objective.backward());
        let (model, norm) = optimizer.step(model, &gradients, RATES[s], CLIP);
        (model, norm.try_into_vec_as::<f64>().unwrap()[0])
    }
}

/// The parameters by field name.
fn parameters(model: &Five) -> Vec<(String, Vec<f64>)> {
    struct Read(Vec<String>, Vec<(String, Vec<f64>)>);
    impl ModuleVisitor for Read {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.push((
                self.0.join("."),
                param.val().try_into_vec_as::<f64>().unwrap(),
            ));
        }
    }
    let mut read = Read(Vec::new(), Vec::new());
    model.visit(&mut read);
    read.1
}

/// All that the golden file says of step `s`, next to what was computed: (its name there, computed).
fn computed(model: &Five, optimizer: &Adamax, norm: f64, s: usize) -> Vec<(String, Vec<f64>)> {
    let mut all = vec![(format!("s{s}.norm_before_clip"), vec![norm])];
    let values = parameters(model);
    assert_eq!(values.len(), NAMES.len());
    for (field, name) in NAMES {
        let of = values
            .iter()
            .find(|(path, _)| path == field)
            .expect("a parameter of this name");
        let moments = &optimizer.moments[field];
        all.push((format!("s{s}.param.{name}"), of.1.clone()));
        all.push((
            format!("s{s}.exp_avg.{name}"),
            moments.mean.clone().try_into_vec_as().unwrap(),
        ));
        all.push((
            format!("s{s}.exp_inf.{name}"),
            moments.norm.clone().try_into_vec_as().unwrap(),
        ));
    }
    all
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |a, v| a.max(v.abs()))
}

/// Walks the six steps and compares each tensor with `tolerance(name, expected)`, absolute.
fn follow(file: &str, dtype: DType, tolerance: impl Fn(&str, &[f64]) -> f64) {
    let bench = Bench {
        golden: Golden::open(file),
        device: Device::flex().autodiff(),
        dtype,
    };
    let mut optimizer = Adamax::new(AdamaxConfig::default());
    let mut model = bench.initial();
    for s in 0..RATES.len() {
        let (next, norm) = bench.step(model, &mut optimizer, s);
        model = next;
        for (name, found) in computed(&model, &optimizer, norm, s) {
            let expected = bench.golden.values(&name);
            assert_eq!(found.len(), expected.len(), "{name}");
            let most = tolerance(&name, &expected);
            for (k, (a, b)) in found.iter().zip(&expected).enumerate() {
                assert!(
                    (a - b).abs() <= most,
                    "{name}[{k}]: {a}, expected {b} ± {most:e}"
                );
            }
        }
    }
    assert_eq!(optimizer.time, 6);
}

/// In f64 only the order of a few additions differs: 10⁻⁹ of the largest value allows nothing else.
#[test]
fn six_steps_in_f64() {
    follow("adamax.f64.safetensors", DType::F64, |_, expected| {
        1e-9 * largest(expected)
    });
}

/// In f32 the reference itself differs from its own f64 by rounding; ten times that is allowed, and never less
/// than four units in the last place of the largest value.
#[test]
fn six_steps_in_f32() {
    let exact = Golden::open("adamax.f64.safetensors");
    follow("adamax.f32.safetensors", DType::F32, |name, expected| {
        let exact = exact.values(name);
        let noise = expected
            .iter()
            .zip(&exact)
            .fold(0f64, |a, (x, y)| a.max((x - y).abs()));
        (10.0 * noise).max(4.0 * f64::from(f32::EPSILON) * largest(expected))
    });
}

/// The golden steps must be able to tell the parts of the rule apart: some are clipped, some are not.
#[test]
fn the_golden_steps_are_clipped_and_not() {
    let golden = Golden::open("adamax.f64.safetensors");
    let norms: Vec<f64> = (0..6)
        .map(|s| golden.values(&format!("s{s}.norm_before_clip"))[0])
        .collect();
    assert!(
        norms.iter().any(|&n| n > CLIP) && norms.iter().any(|&n| n < CLIP),
        "{norms:?}"
    );
}
