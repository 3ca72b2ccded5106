//! The zip file around a checkpoint of PyTorch.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use scotopic_datasets::npy;
use zip::ZipArchive;

use super::dictionary::{Dictionary, dictionaries};
use super::pickle;
use super::view::View;

/// The pickle of a large model with its optimiser has a few hundred kilobytes.
const MOST_PICKLE: u64 = 8 << 20;
/// No storage of a model that fits this program is larger (2²⁸ numbers).
const MOST_STORAGE: u64 = 1 << 30;

/// An open checkpoint.
pub struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// The folder in the archive that everything is in, with its slash.
    root: String,
    /// Every dictionary that can be reached from the top, that one first.
    pub dictionaries: Vec<Dictionary>,
}

impl Archive {
    /// Opens a checkpoint and reads what is in it, without the values.
    ///
    /// # Errors
    /// If it is not there, not a checkpoint of PyTorch, damaged, or of the other byte order.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let zip = ZipArchive::new(BufReader::new(file)).context(
            "it is not a whole zip file, which is what torch.save writes since PyTorch 1.6 (save older ones again)",
        )?;
        let root = zip
            .file_names()
            .filter_map(|name| Some(name.ok()?.strip_suffix("data.pkl")?.to_owned()))
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .min_by_key(|root| root.len())
            .context("it is a zip file without data.pkl, so not a checkpoint of PyTorch")?;
        let mut archive = Self {
            zip,
            root,
            dictionaries: Vec::new(),
        };
        if let Some(order) = archive.entry("byteorder", 16)?
            && order.trim_ascii() != b"little"
        {
            bail!(
                "it was saved on a machine of the other byte order: save it again on a little-endian one"
            );
        }
        let program = archive
            .entry("data.pkl", MOST_PICKLE)?
            .context("it has no data.pkl")?;
        let (nodes, top) = pickle::run(&program).context("its data.pkl is damaged")?;
        archive.dictionaries =
            dictionaries(&nodes, top).context("its data.pkl is not plausible")?;
        Ok(archive)
    }

    /// The values of a tensor.
    ///
    /// # Errors
    /// Says what is wrong with the tensor or its storage.
    pub fn values(&mut self, view: &View) -> Result<Vec<f32>> {
        let (width, number) = element(&view.element)?;
        view.check()?;
        let bytes = (view.length as u64).saturating_mul(width as u64);
        ensure!(
            bytes <= MOST_STORAGE,
            "its storage has {bytes} bytes, more than {MOST_STORAGE}"
        );
        let name = format!("data/{}", view.storage);
        let raw = self
            .entry(&name, bytes)?
            .with_context(|| format!("its storage {name} is not in the file"))?;
        ensure!(
            raw.len() as u64 == bytes,
            "its storage {name} has {} bytes, expected {bytes}",
            raw.len()
        );
        let storage: Vec<f32> = raw.chunks_exact(width).map(number).collect();
        Ok(view.gather(&storage))
    }

    /// An entry of at most so many bytes; none if it is not there.
    fn entry(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let full = format!("{}{name}", self.root);
        if self.zip.index_for_name(&full).is_none() {
            return Ok(None);
        }
        let entry = self
            .zip
            .by_name(&full)
            .with_context(|| format!("its entry {full} is damaged"))?;
        let too_large = || format!("its entry {full} has more than the {most} bytes expected");
        ensure!(entry.size() <= most, too_large());
        let mut bytes = Vec::new();
        // One byte more than allowed: an entry may hold more than it declares. At its end the checksum is compared.
        entry
            .take(most + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("its entry {full} is damaged"))?;
        ensure!(bytes.len() as u64 <= most, too_large());
        Ok(Some(bytes))
    }
}

/// Bytes of an element, and the number in them.
type Decoder = (usize, fn(&[u8]) -> f32);

/// How the elements of a storage are read.
fn element(name: &str) -> Result<Decoder> {
    fn word<const N: usize>(bytes: &[u8]) -> [u8; N] {
        std::array::from_fn(|k| bytes[k])
    }
    Ok(match name {
        "Float" => (4, |b| f32::from_le_bytes(word(b))),
        "Double" => (8, |b| f64::from_le_bytes(word(b)) as f32),
        "Half" => (2, |b| npy::f16_to_f64(u16::from_le_bytes(word(b))) as f32),
        // The upper half of a number of 32 bits.
        "BFloat16" => (2, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(word(b))) << 16)
        }),
        other => bail!("it holds {other} numbers, expected Float, Double, Half or BFloat16"),
    })
}
