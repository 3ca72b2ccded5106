//! The operations by themselves: the relaxed sample and both soft clamps, with their derivatives.

use burn::tensor::Tensor;
use scotopic::noise::Noise;
use scotopic::ops::{
    Indicator, soft_ceiling, soft_symmetric, softplus_clamped_step, tanh_clamped_step,
};
use scotopic::posterior::{PoissonPosterior, Posterior, Sampling};

use super::case::RATE_FLOOR;
use super::file::Tensors;
use super::{DOUBLE, recordings};
use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};

/// f32: a sum of ten sigmoids whose argument (1 − t)/τ carries the rounding of t, 2⁻²⁴ of it, τ⁻¹ = 100
/// times enlarged; the published f32 run deviates as much.
const SAMPLER_SINGLE: f64 = 1e-4;

/// f32: a few units in the last place of the largest number on the way (up to FAR + 8), relative to c ≥ 2.
const CLAMP_SINGLE: f64 = 8e-6;

/// A bound so far away that a clamp with it changes nothing: e^−38 is the most.
const FAR: f64 = 64.0;

/// A symmetric bound so wide that c·tanh(x/c) is x: the next term, x³/3c², is below 1e-9 for the recorded |x|.
const WIDE: f64 = 1e6;

/// Reads the files `<stem>.f64` of all recordings and checks them in both precisions everywhere.
fn everywhere(stem: &str, single: f64, check: impl Fn(&Tensors, &Place) -> Ledger) {
    let recorded: Vec<_> = recordings()
        .iter()
        .filter_map(|recording| recording.tensors(&format!("{stem}.f64")))
        .collect();
    assert!(!recorded.is_empty(), "no {stem} was found");
    for file in &recorded {
        check(file, &Place::reference().autodiff()).settle(stem, |_| DOUBLE);
        on_every_device(|place| {
            let title = format!("{stem} on {}", place.title());
            check(file, &place.autodiff()).settle(&title, |_| single);
        });
    }
}

/// y and dy/dx of an elementwise function at recorded points.
fn with_slope<const D: usize>(x: Tensor<D>, f: impl Fn(Tensor<D>) -> Tensor<D>) -> [Vec<f64>; 2] {
    let x = x.require_grad();
    let y = f(x.clone());
    let slope = x.grad(&y.clone().sum().backward());
    [
        read(y),
        read(slope.expect("the function was differentiated")),
    ]
}

#[test]
fn relaxed_samples() {
    everywhere("sampler", SAMPLER_SINGLE, |file, place| {
        let mut ledger = Ledger::default();
        let shape = |name: &str| file.array(name).shape.clone();
        let [batch, latent] = shape("log_rate")[..] else {
            panic!("log_rate has shape {:?}", shape("log_rate"));
        };
        let log_rate = place.tensor(file.values("log_rate"), [batch, latent]);
        let exponentials = place.tensor(file.values("E"), [shape("E")[0], batch, latent]);
        let temperatures = file.iter().filter_map(|(name, _)| {
            let text = name.strip_prefix("temp")?.strip_suffix(".z")?;
            Some((text, text.parse().expect("a temperature")))
        });
        for (text, temperature) in temperatures {
            let sampling = Sampling {
                temperature,
                indicator: Indicator::Sigmoid,
                rate_floor: RATE_FLOOR,
            };
            let [z, slope] = with_slope(log_rate.clone(), |u| {
                let noise = Noise::Exponentials(exponentials.clone());
                PoissonPosterior::new(u).sample(sampling, noise)
            });
            let name = format!("temp{text}.z");
            ledger.compare("z", &name, &z, file.values(&name));
            let name = format!("temp{text}.dz_dlog_rate");
            ledger.compare("dz_dlog_rate", &name, &slope, file.values(&name));
        }
        ledger
    });
}

#[test]
fn soft_clamps() {
    everywhere("softclamp", CLAMP_SINGLE, |file, place| {
        let mut ledger = Ledger::default();
        let points = file.values("x");
        let x = place.tensor(points, [points.len()]);
        let constant = |value: f64| place.tensor(&vec![value; points.len()], [points.len()]);
        let bounds = file.iter().filter_map(|(name, _)| {
            let (kind, bound) = name.strip_suffix(".y")?.split_once(".c")?;
            Some((kind, bound, bound.parse().expect("a bound")))
        });
        for (kind, text, c) in bounds {
            let names = [format!("{kind}.c{text}.y"), format!("{kind}.c{text}.dy_dx")];
            let mut compare = |how: &str, ours: [Vec<f64>; 2]| {
                for (ours, name) in ours.iter().zip(&names) {
                    ledger.compare(how, name, ours, file.values(name));
                }
            };
            if kind == "sym" {
                compare("symmetric", with_slope(x.clone(), |x| soft_symmetric(x, c)));
                let state = |x| tanh_clamped_step(x, constant(0.0), WIDE, c);
                compare("fused, symmetric state", with_slope(x.clone(), state));
                let drive = |x| tanh_clamped_step(constant(0.0), x, c, WIDE);
                compare("fused, symmetric drive", with_slope(x.clone(), drive));
                continue;
            }
            compare("ceiling", with_slope(x.clone(), |x| soft_ceiling(x, c)));
            // The fused step is the state's clamp where nothing drives, …
            let state = |x| softplus_clamped_step(x, constant(0.0), FAR, c);
            compare("fused, state", with_slope(x.clone(), state));
            // … and the drive's where the state is far from both of its ends.
            let drive = |x| softplus_clamped_step(constant(16.0), x, c, FAR) - 16.0;
            compare("fused, drive", with_slope(x.clone(), drive));
        }
        ledger
    });
}
