//! Device selection, with reasons for unavailable devices.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use burn::tensor::Device;
use serde::Serialize;

/// What `--device` can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A GPU if there is one, the CPU otherwise.
    #[default]
    Auto,
    /// The CPU, through burn-flex.
    Flex,
    /// The CPU, through burn-ndarray.
    NdArray,
    /// A GPU through Vulkan, Metal or WebGPU; the number counts the adapters.
    Wgpu(Option<usize>),
    /// An NVIDIA GPU; the number counts them.
    Cuda(Option<usize>),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, index) = match text.split_once(':') {
            _ if text.contains(',') => {
                return Err("one device only: a list of them is for `scotopic train`".into());
            }
            None => (text, None),
            Some((name, index)) => {
                let index = index
                    .parse::<usize>()
                    .map_err(|_| format!("`{index}` is not the number of a device"))?;
                (name, Some(index))
            }
        };
        match (name, index) {
            ("auto", None) => Ok(Self::Auto),
            ("flex" | "cpu", None) => Ok(Self::Flex),
            ("ndarray", None) => Ok(Self::NdArray),
            ("wgpu", index) => Ok(Self::Wgpu(index)),
            ("cuda", index) => Ok(Self::Cuda(index)),
            _ => Err("expected auto, flex, ndarray, wgpu, wgpu:N, cuda or cuda:N".into()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Flex => write!(f, "flex"),
            Self::NdArray => write!(f, "ndarray"),
            Self::Wgpu(None) => write!(f, "wgpu"),
            Self::Wgpu(Some(i)) => write!(f, "wgpu:{i}"),
            Self::Cuda(None) => write!(f, "cuda"),
            Self::Cuda(Some(i)) => write!(f, "cuda:{i}"),
        }
    }
}

/// What `scotopic train --device` can say: one device, or several that share every batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceList(Vec<DeviceChoice>);

impl DeviceList {
    /// How many; at least one.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl FromStr for DeviceList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains(',') {
            return Ok(Self(vec![text.parse()?]));
        }
        let each = |name: &str| match name.trim().parse() {
            Ok(DeviceChoice::Auto) => {
                Err("`auto` is a choice of one device: name every device of a list".into())
            }
            Ok(device) => Ok(device),
            Err(reason) => Err(format!("`{}` in the list: {reason}", name.trim())),
        };
        let list: Result<_, String> = text.split(',').map(each).collect();
        list.map(Self)
    }
}

impl fmt::Display for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{}", names.join(","))
    }
}

/// One line of `scotopic devices`.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// What to give to `--device`.
    pub name: String,
    /// Whether it can be used.
    pub available: bool,
    /// Whether it is a piece of hardware made for this (a card), not a program on the CPU.
    pub accelerator: bool,
    /// What it is, or why it is not there.
    pub detail: String,
}

/// A device that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The device, without autodiff.
    pub device: Device,
    /// What to call it.
    pub name: String,
    /// What the person should know about the choice, if anything.
    pub note: Option<String>,
    /// Whether it is the processor, by kernels for its instruction set.
    pub processor: bool,
}

/// Opens the device that was asked for.
///
/// # Errors
/// If it is not compiled in or not there: says so, and what to do. `auto` always finds one.
pub fn open(choice: DeviceChoice) -> Result<Opened> {
    match choice {
        DeviceChoice::Auto => auto(),
        DeviceChoice::Flex => flex(),
        DeviceChoice::NdArray => ndarray(),
        DeviceChoice::Wgpu(index) => wgpu(index).map(|(device, found)| Opened {
            note: (!found.accelerator)
                .then(|| format!("{} runs on the CPU: for tests, not for speed", found.detail)),
            name: format!("{} ({})", found.name, found.detail),
            device,
            processor: false,
        }),
        DeviceChoice::Cuda(index) => cuda(index),
    }
}

/// Opens every device of a list: the first under the names and notes of all, and the others.
///
/// # Errors
/// As [`open`], for the first that cannot be opened.
pub fn open_list(list: &DeviceList) -> Result<(Opened, Vec<Device>)> {
    let all: Vec<Opened> = list.0.iter().copied().map(open).collect::<Result<_>>()?;
    let names: Vec<_> = all.iter().map(|opened| opened.name.clone()).collect();
    let mut notes: Vec<_> = all.iter().filter_map(|o| o.note.clone()).collect();
    notes.dedup();
    let processor = all.iter().all(|opened| opened.processor);
    let mut devices = all.into_iter().map(|opened| opened.device);
    let Some(device) = devices.next() else {
        bail!("no device is named");
    };
    let first = Opened {
        device,
        name: names.join(" and "),
        note: (!notes.is_empty()).then(|| notes.join("\n")),
        processor,
    };
    Ok((first, devices.collect()))
}

fn auto() -> Result<Opened> {
    if cfg!(feature = "cuda")
        && let Ok(found) = cuda(None)
    {
        return Ok(found);
    }
    if cfg!(feature = "wgpu")
        && let Ok((device, found)) = wgpu(None)
        && found.accelerator
    {
        return Ok(Opened {
            device,
            name: format!("{} ({})", found.name, found.detail),
            note: None,
            processor: false,
        });
    }
    flex().or_else(|_| ndarray())
}

/// Everything that is there, and why the rest is not.
pub fn survey() -> Vec<Found> {
    let processor = |name: &str, opened: Result<Opened>, what: &str| match opened {
        Ok(_) => Found {
            name: name.into(),
            available: true,
            accelerator: false,
            detail: what.into(),
        },
        Err(error) => Found {
            name: name.into(),
            available: false,
            accelerator: false,
            detail: format!("{error:#}"),
        },
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found = vec![
        processor(
            "flex",
            flex(),
            &format!("CPU, {threads} threads (the default)"),
        ),
        processor(
            "ndarray",
            ndarray(),
            &format!("CPU, {threads} threads (deprecated upstream)"),
        ),
    ];
    match wgpu(None) {
        Ok((_, adapter)) => found.push(adapter),
        Err(error) => found.push(absent("wgpu", &error)),
    }
    match cuda(None) {
        Ok(opened) => found.push(Found {
            name: "cuda".into(),
            available: true,
            accelerator: true,
            detail: opened.name,
        }),
        Err(error) => found.push(absent("cuda", &error)),
    }
    found
}

fn absent(name: &str, error: &anyhow::Error) -> Found {
    Found {
        name: name.into(),
        available: false,
        accelerator: false,
        detail: format!("{error:#}"),
    }
}

#[allow(clippy::unnecessary_wraps)] // without the feature it is an error
fn flex() -> Result<Opened> {
    #[cfg(feature = "flex")]
    return Ok(Opened {
        device: Device::flex(),
        name: "flex (CPU)".into(),
        note: None,
        processor: true,
    });
    #[cfg(not(feature = "flex"))]
    bail!("flex is not compiled in: build with --features flex");
}

#[allow(clippy::unnecessary_wraps)] // without the feature it is an error
fn ndarray() -> Result<Opened> {
    #[cfg(feature = "ndarray")]
    {
        #[allow(deprecated)] // upstream; here it was asked for by name
        let device = Device::ndarray();
        Ok(Opened {
            device,
            name: "ndarray (CPU)".into(),
            note: None,
            processor: true,
        })
    }
    #[cfg(not(feature = "ndarray"))]
    bail!("ndarray is not compiled in: build with --features ndarray");
}

#[cfg(feature = "wgpu")]
fn wgpu(index: Option<usize>) -> Result<(Device, Found)> {
    use burn::tensor::DeviceType;
    // Opening is lazy in burn and panics in a worker thread when nothing is there; asking the runtime to
    // initialise gives an error instead, once per process.
    use std::sync::OnceLock;
    static FIRST: OnceLock<Result<Device, String>> = OnceLock::new();
    let first = FIRST.get_or_init(|| {
        quietly(|| Device::wgpu_options().init().map_err(|e| e.to_string())).unwrap_or_else(Err)
    });
    let device = match (first, index) {
        (Err(reason), _) => bail!(
            "no graphics adapter answered ({}). Install the Vulkan driver of your card, or Mesa's software Vulkan \
             (Debian: mesa-vulkan-drivers), or use --device flex",
            reason.trim_end_matches('.')
        ),
        (Ok(device), None) => device.clone(),
        (Ok(_), Some(index)) => {
            let all =
                quietly(|| Device::enumerate(DeviceType::Wgpu).into_vec()).unwrap_or_default();
            match all.get(index) {
                Some(device) => device.clone(),
                None => bail!(
                    "there is no adapter number {index}: {} found, counted from 0",
                    all.len()
                ),
            }
        }
    };
    let identity = quietly(|| device.identity()).ok().flatten();
    let found = Found {
        name: index.map_or("wgpu".to_string(), |i| format!("wgpu:{i}")),
        available: true,
        accelerator: identity.as_ref().is_some_and(|i| i.physical.is_some()),
        detail: identity.map_or("an adapter without a name".into(), |i| i.name),
    };
    Ok((device, found))
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_: Option<usize>) -> Result<(Device, Found)> {
    bail!("wgpu is not compiled in: build with --features wgpu");
}

#[cfg(feature = "cuda")]
fn cuda(index: Option<usize>) -> Result<Opened> {
    use burn::tensor::DeviceType;
    let all = quietly(|| Device::enumerate(DeviceType::Cuda).into_vec());
    let all = match all {
        Ok(all) if !all.is_empty() => all,
        Ok(_) => bail!("the CUDA driver lists no GPU (see nvidia-smi)"),
        Err(reason) => bail!("the CUDA driver could not be used ({reason}): is libcuda installed?"),
    };
    let index = index.unwrap_or(0);
    let Some(device) = all.get(index).cloned() else {
        bail!(
            "there is no CUDA device number {index}: {} found, counted from 0",
            all.len()
        );
    };
    let name = match quietly(|| device.identity()) {
        Ok(Some(identity)) => identity.name,
        Ok(None) => "an NVIDIA GPU".into(),
        Err(reason) => bail!("CUDA device {index} could not be opened ({reason})"),
    };
    Ok(Opened {
        device,
        name: format!("cuda:{index} ({name})"),
        note: None,
        processor: false,
    })
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: Option<usize>) -> Result<Opened> {
    bail!("cuda is not compiled in: build with --features cuda");
}

/// Runs a probe of a driver: a panic inside becomes an error, without its message on the terminal.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn quietly<T>(probe: impl FnOnce() -> T + std::panic::UnwindSafe) -> Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(probe);
    std::panic::set_hook(hook);
    result.map_err(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "the driver failed".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in [
            "auto", "flex", "ndarray", "wgpu", "wgpu:1", "cuda", "cuda:0",
        ] {
            assert_eq!(name.parse::<DeviceChoice>().unwrap().to_string(), name);
        }
        for wrong in ["gpu", "wgpu:", "cuda:x", "flex:1", ""] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_read_back() {
        for names in ["auto", "flex", "flex,flex", "cuda:0,cuda:1,wgpu"] {
            let list: DeviceList = names.parse().unwrap();
            assert_eq!(list.to_string(), names);
            assert_eq!(list.count(), names.split(',').count());
        }
        for (wrong, named) in [
            ("flex,gpu", "`gpu`"),
            ("flex,", "``"),
            (",", "``"),
            ("cuda:0,cuda:x", "`x`"),
            ("flex,auto", "`auto`"),
            ("gpu", "expected auto"),
        ] {
            let error = wrong.parse::<DeviceList>().unwrap_err();
            assert!(error.contains(named), "{wrong}: {error}");
        }
    }

    #[test]
    fn several_devices_open_under_all_names() {
        let (first, others) = open_list(&"flex,flex,flex".parse().unwrap()).unwrap();
        assert_eq!(first.name.matches("flex").count(), 3, "{}", first.name);
        assert_eq!(others.len(), 2);
    }

    #[test]
    fn auto_always_opens_something() {
        assert!(open(DeviceChoice::Auto).is_ok());
    }

    #[test]
    fn every_absent_device_says_why() {
        for found in survey() {
            assert!(!found.detail.is_empty(), "{}", found.name);
        }
    }
}
