//! The devices to test on: all that are compiled in and available.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::OnceLock;

use burn::tensor::{DType, Device, Tensor, TensorData};

/// A device together with the precision of the numbers on it.
#[derive(Debug, Clone)]
pub struct Place {
    pub name: &'static str,
    pub device: Device,
    pub precision: DType,
}

impl Place {
    /// Double precision on the CPU: the reference of every comparison.
    pub fn reference() -> Self {
        Self {
            name: "flex",
            device: Device::flex(),
            precision: DType::F64,
        }
    }

    /// Single precision on the CPU.
    pub fn processor() -> Self {
        Self {
            precision: DType::F32,
            ..Self::reference()
        }
    }

    /// The same place with gradients.
    pub fn autodiff(&self) -> Self {
        Self {
            device: self.device.clone().autodiff(),
            ..self.clone()
        }
    }

    /// A tensor here, rounded to the precision of the place.
    pub fn tensor<const D: usize>(&self, values: &[f64], shape: [usize; D]) -> Tensor<D> {
        let data = match self.precision {
            DType::F64 => TensorData::new(values.to_vec(), shape),
            _ => TensorData::new(values.iter().map(|&v| v as f32).collect::<Vec<_>>(), shape),
        };
        Tensor::from_data(data, (&self.device, self.precision))
    }

    /// What to call it in a message.
    pub fn title(&self) -> String {
        format!("{} {:?}", self.name, self.precision)
    }
}

/// Runs `check` in single precision on every device found.
pub fn on_every_device(check: impl Fn(&Place)) {
    for place in found() {
        check(place);
    }
}

/// Runs `check` on the devices that are this process's own memory. On the others a fused network and its composition
/// are one.
pub fn on_every_processor(check: impl Fn(&Place)) {
    on_every_device(|place| {
        if ["flex", "ndarray"].contains(&place.name) {
            check(place);
        }
    });
}

/// Every device but the one that the others are compared with.
pub fn others() -> impl Iterator<Item = &'static Place> {
    found().iter().skip(1)
}

fn found() -> &'static [Place] {
    static FOUND: OnceLock<Vec<Place>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let required = required();
        let mut places = vec![Place::processor()];
        for (name, opened) in [("ndarray", ndarray()), ("wgpu", wgpu()), ("cuda", cuda())] {
            match opened {
                Ok(device) => places.push(Place {
                    name,
                    device,
                    precision: DType::F32,
                }),
                Err(reason) => {
                    assert!(
                        !required.contains(name),
                        "SCOTOPIC_REQUIRE names {name}, but: {reason}"
                    );
                    // Straight to stderr: what `eprintln!` writes is hidden while tests pass.
                    let _ = writeln!(std::io::stderr(), "skipped on {name}: {reason}");
                }
            }
        }
        places
    })
}

/// The devices whose absence is a failure: `SCOTOPIC_REQUIRE=wgpu,ndarray`.
fn required() -> BTreeSet<String> {
    let names = std::env::var("SCOTOPIC_REQUIRE").unwrap_or_default();
    let names: BTreeSet<String> = names
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .map(str::to_string)
        .collect();
    for name in &names {
        assert!(
            ["flex", "ndarray", "wgpu", "cuda"].contains(&name.as_str()),
            "SCOTOPIC_REQUIRE names {name}, which is no device of this crate"
        );
    }
    names
}

#[cfg(feature = "ndarray")]
#[allow(clippy::unnecessary_wraps)] // without the feature it is an error
fn ndarray() -> Result<Device, String> {
    #[allow(deprecated)] // upstream; an opt-in feature here
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Result<Device, String> {
    Err("not compiled in (--features ndarray)".into())
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, String> {
    // `Device::wgpu` is lazy and panics in a worker thread without an adapter; this gives an error.
    Device::wgpu_options().init().map_err(|e| e.to_string())
}

#[cfg(not(feature = "wgpu"))]
fn wgpu() -> Result<Device, String> {
    Err("not compiled in (--features wgpu)".into())
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<Device, String> {
    let listed =
        std::panic::catch_unwind(|| Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec());
    let all = listed.map_err(|_| "the driver could not be used".to_string())?;
    all.into_iter()
        .next()
        .ok_or_else(|| "the driver lists no GPU".to_string())
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<Device, String> {
    Err("not compiled in (--features cuda)".into())
}

#[test]
fn every_device_adds_one_and_one() {
    on_every_device(|place| {
        let one = place.tensor(&[1.0; 3], [3]);
        let sum: Vec<f32> = (one.clone() + one).try_into_vec_as().expect(place.name);
        assert_eq!(sum, [2.0; 3], "{}", place.name);
    });
}
