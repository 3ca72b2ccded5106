//! Writing checkpoints as torch.save does, right or wrong on purpose.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What a pickle holds.
#[derive(Debug, Clone)]
pub enum Value {
    /// A tensor.
    Tensor(Tensor),
    /// A dictionary.
    Dict(Vec<(String, Value)>),
    /// A whole number.
    Int(i32),
}

/// A tensor, and the storage of its own that it is a view of.
#[derive(Debug, Clone)]
pub struct Tensor {
    pub shape: Vec<i32>,
    pub stride: Vec<i32>,
    /// What the pickle says of the storage's elements, such as `Float`, and of their number.
    pub element: &'static str,
    pub length: i32,
    pub values: Vec<f32>,
}

impl Tensor {
    /// Contiguous, 32 bits.
    pub fn new(shape: &[usize], values: &[f32]) -> Self {
        let shape: Vec<i32> = shape.iter().map(|&n| n as i32).collect();
        let mut stride = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            stride[axis - 1] = stride[axis] * shape[axis];
        }
        Self {
            shape,
            stride,
            element: "Float",
            length: values.len() as i32,
            values: values.to_vec(),
        }
    }
}

/// Writes a checkpoint, deflated or not.
pub fn write(path: &Path, value: &Value, deflated: bool) {
    let mut pickle = b"\x80\x02".to_vec();
    let mut storages = Vec::new();
    emit(value, &mut pickle, &mut storages);
    pickle.push(b'.');
    let mut entries = vec![("data.pkl".to_string(), pickle)];
    entries.push(("byteorder".into(), b"little".to_vec()));
    for (number, values) in storages.iter().enumerate() {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        entries.push((format!("data/{number}"), bytes));
    }
    archive(path, &entries, deflated);
}

/// Writes a zip file with these entries below `x/`.
pub fn archive(path: &Path, entries: &[(String, Vec<u8>)], deflated: bool) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    let method = match deflated {
        true => CompressionMethod::Deflated,
        false => CompressionMethod::Stored,
    };
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        zip.start_file(format!("x/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn int(n: i32, out: &mut Vec<u8>) {
    out.push(b'J');
    out.extend(n.to_le_bytes());
}

fn emit(value: &Value, out: &mut Vec<u8>, storages: &mut Vec<Vec<f32>>) {
    match value {
        Value::Int(n) => int(*n, out),
        Value::Dict(pairs) => {
            out.extend(b"}(");
            for (key, value) in pairs {
                text(key, out);
                emit(value, out, storages);
            }
            out.push(b'u');
        }
        Value::Tensor(tensor) => {
            out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
            text("storage", out);
            out.extend(format!("ctorch\n{}Storage\n", tensor.element).bytes());
            text(&storages.len().to_string(), out);
            storages.push(tensor.values.clone());
            text("cpu", out);
            int(tensor.length, out);
            out.extend(b"tQ");
            int(0, out);
            for sizes in [&tensor.shape, &tensor.stride] {
                out.push(b'(');
                sizes.iter().for_each(|&n| int(n, out));
                out.push(b't');
            }
            out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
        }
    }
}
