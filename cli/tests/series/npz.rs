//! Files of arrays, for tests.

use std::io::Write;

/// A zip file of stored arrays, as `numpy.savez` writes it.
pub fn npz(arrays: &[(&str, &[f64])]) -> Vec<u8> {
    let files: Vec<(&str, Vec<u8>)> = arrays.iter().map(|(n, v)| (*n, npy(v))).collect();
    zip(&files)
}

/// The same of npy files.
pub fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in files {
        let name = format!("{name}.npy");
        let (at, size) = (out.len() as u32, (data.len() as u32).to_le_bytes());
        let length = (name.len() as u16).to_le_bytes();
        let sum = checksum(data).to_le_bytes();
        let common = [&[20, 0][..], &[0; 8], &sum, &size, &size, &length, &[0, 0]].concat();
        out.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), data].concat());
        let place = at.to_le_bytes();
        let entry = [
            &b"PK\x01\x02\x14\x00"[..],
            &common,
            &[0; 10],
            &place,
            name.as_bytes(),
        ];
        directory.extend(entry.concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    let at = (out.len() as u32).to_le_bytes();
    out.extend(directory);
    let end = [
        &b"PK\x05\x06\0\0\0\0"[..],
        &count,
        &count,
        &size,
        &at,
        &[0, 0],
    ];
    out.extend(end.concat());
    out
}

/// The CRC-32 of zip files, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let bit = |sum: u32| (sum >> 1) ^ (0xedb8_8320 * (sum & 1));
    let byte = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum));
    !bytes.iter().fold(u32::MAX, byte)
}

fn npy(values: &[f64]) -> Vec<u8> {
    npy_of(&format!("({},)", values.len()), values)
}

/// Numbers of a shape as numpy writes it: (3,), or () for a number alone.
pub fn npy_of(shape: &str, values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend(118u16.to_le_bytes());
    out.extend(format!("{header:<117}\n").bytes());
    values
        .iter()
        .for_each(|v| out.write_all(&v.to_le_bytes()).unwrap());
    out
}
