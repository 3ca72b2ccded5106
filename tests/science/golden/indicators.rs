//! The indicators of the relaxed sample, recorded from their formulas: `ipvae/indicators/*.f64.safetensors` with `log_rate`
//! `[batch, latent]`, `exponentials` `[arrivals, batch, latent]`, and `NAME.tauT.sample` and `.slope` of each.

use burn::tensor::DType;
use scotopic::ops::{Indicator, relaxed_poisson_with};

use super::file::{Tensors, reference, tensors};
use crate::devices::{Place, on_every_device};
use crate::numbers::{Ledger, read};

/// f64: sums of 48 terms whose argument is divided by τ ≥ 0.05, relative to the largest of a tensor.
const DOUBLE: f64 = 1e-12;

/// f32: rounding of t, 2⁻²⁴, is enlarged by 1/τ; of the largest slope.
const SINGLE: f64 = 1e-4;

fn recorded() -> Vec<Tensors> {
    let folder = reference("ipvae/indicators");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".f64.safetensors"))
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| tensors(path).expect("it was just listed");
    files.iter().map(read).collect()
}

fn check(file: &Tensors, place: &Place) -> Ledger {
    let mut ledger = Ledger::default();
    let shape = &file.array("exponentials").shape;
    let [arrivals, batch, latent] = shape[..] else {
        panic!("exponentials have shape {shape:?}");
    };
    let waits = place.tensor(file.values("exponentials"), [arrivals, batch, latent]);
    let mut seen = 0;
    for (name, _) in file.iter() {
        let Some(stem) = name.strip_suffix(".sample") else {
            continue;
        };
        let (indicator, temperature) = stem.split_once(".tau").expect("NAME.tauT.sample");
        let indicator = Indicator::ALL.into_iter().find(|i| i.name() == indicator);
        let indicator = indicator.unwrap_or_else(|| panic!("{name}: an unknown indicator"));
        let temperature: f64 = temperature.parse().expect("a temperature");
        let u = place
            .tensor(file.values("log_rate"), [batch, latent])
            .require_grad();
        let z = relaxed_poisson_with(u.clone(), temperature, indicator, waits.clone());
        let slope = u.grad(&z.clone().sum().backward()).expect("a derivative");
        ledger.compare("sample", name, &read(z), file.values(name));
        let name = format!("{stem}.slope");
        ledger.compare("slope", &name, &read(slope), file.values(&name));
        seen += 1;
    }
    assert!(seen > 0, "no NAME.tauT.sample");
    ledger
}

#[test]
fn indicators() {
    let files = recorded();
    assert!(!files.is_empty(), "no recording of indicators");
    for file in &files {
        let place = Place::reference().autodiff();
        assert_eq!(place.precision, DType::F64);
        check(file, &place).settle("indicators", |_| DOUBLE);
        on_every_device(|place| {
            let title = format!("indicators on {}", place.title());
            check(file, &place.autodiff()).settle(&title, |_| SINGLE);
        });
    }
}
