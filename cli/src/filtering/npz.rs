//! The arrays of an npz: a zip file of npy files that are stored, not compressed, as `numpy.savez` writes it.

use anyhow::{Context, Result, bail, ensure};

/// The names of the arrays and the bytes of their npy files.
///
/// # Errors
/// For bytes that are no zip file, are cut off or have another checksum, and for an array that is compressed.
pub fn arrays(bytes: &[u8]) -> Result<Vec<(String, &[u8])>> {
    const DIRECTORY_END: [u8; 4] = *b"PK\x05\x06";
    const ENTRY: [u8; 4] = *b"PK\x01\x02";
    const LOCAL: [u8; 4] = *b"PK\x03\x04";
    let cut = || "it is cut off or damaged";
    let end = bytes
        .windows(4)
        .rposition(|w| w == DIRECTORY_END)
        .context("it is no npz: a zip file of npy arrays, as numpy.savez writes it")?;
    let count = short(bytes, end + 10).with_context(cut)?;
    let mut at = long(bytes, end + 16).with_context(cut)?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        ensure!(part(bytes, at, 4) == Some(&ENTRY[..]), cut());
        let field = |offset| short(bytes, at + offset).with_context(cut);
        let wide = |offset| long(bytes, at + offset).with_context(cut);
        let (name_length, extra, comment) = (field(28)?, field(30)?, field(32)?);
        let (size, local) = (wide(20)?, wide(42)?);
        let name = part(bytes, at + 46, name_length).with_context(cut)?;
        let name = String::from_utf8_lossy(name);
        let name = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
        if field(10)? != 0 {
            bail!("the array {name} is compressed: save it with numpy.savez, not savez_compressed");
        }
        ensure!(part(bytes, local, 4) == Some(&LOCAL[..]), cut());
        let skipped = [26, 28].map(|offset| short(bytes, local + offset));
        let [Some(own_name), Some(own_extra)] = skipped else {
            bail!(cut());
        };
        let data = part(bytes, local + 30 + own_name + own_extra, size).with_context(cut)?;
        let sum = part(bytes, at + 16, 4).with_context(cut)?;
        ensure!(
            sum == crc32fast::hash(data).to_le_bytes(),
            "the array {name} is damaged: its checksum does not fit; take another copy of the file"
        );
        all.push((name, data));
        at += 46 + name_length + extra + comment;
    }
    Ok(all)
}

fn part(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// A number of two bytes.
fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let [a, b] = part(bytes, at, 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes([a, b])))
}

/// A number of four bytes; none where a larger one stands elsewhere (zip64).
fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u32::from_le_bytes(part(bytes, at, 4)?.try_into().ok()?);
    (number != u32::MAX).then_some(number as usize)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A zip file of stored entries, as numpy.savez writes it.
    pub fn zipped(files: &[(&str, Vec<u8>)], method: u8) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, data) in files {
            let at = out.len() as u32;
            let size = (data.len() as u32).to_le_bytes();
            let length = (name.len() as u16).to_le_bytes();
            // Version, flags, method, time, date, checksum.
            let sum = crc32fast::hash(data).to_le_bytes();
            let common = [
                &[20, 0, 0, 0, method, 0, 0, 0, 0, 0][..],
                &sum,
                &size,
                &size,
                &length,
                &[0, 0],
            ];
            out.extend([&b"PK\x03\x04"[..], &common.concat(), name.as_bytes(), data].concat());
            directory.extend(
                [
                    &b"PK\x01\x02\x14\x00"[..],
                    &common.concat(),
                    &[0; 10],
                    &at.to_le_bytes(),
                    name.as_bytes(),
                ]
                .concat(),
            );
        }
        let count = (files.len() as u16).to_le_bytes();
        let (size, at) = (
            (directory.len() as u32).to_le_bytes(),
            (out.len() as u32).to_le_bytes(),
        );
        out.extend(directory);
        out.extend(
            [
                &b"PK\x05\x06\x00\x00\x00\x00"[..],
                &count,
                &count,
                &size,
                &at,
                &[0, 0],
            ]
            .concat(),
        );
        out
    }

    #[test]
    fn a_byte_that_is_another_is_found() {
        let mut bytes = zipped(&[("a.npy", vec![1, 2, 3])], 0);
        let at = bytes.windows(3).position(|w| w == [1, 2, 3]).unwrap();
        bytes[at] ^= 1;
        let error = arrays(&bytes).unwrap_err().to_string();
        assert!(error.contains("array a is damaged"), "{error}");
    }

    #[test]
    fn stored_arrays_are_found_and_others_named() {
        let files = [("a.npy", vec![1, 2, 3]), ("b.npy", vec![])];
        let bytes = zipped(&files, 0);
        let found = arrays(&bytes).unwrap();
        assert_eq!(
            found,
            [("a".to_owned(), &[1, 2, 3][..]), ("b".to_owned(), &[][..])]
        );
        let error = arrays(&zipped(&files, 8)).unwrap_err().to_string();
        assert!(error.contains("array a is compressed"), "{error}");
        assert!(arrays(b"text").unwrap_err().to_string().contains("no npz"));
        // The last two bytes are the length of a comment.
        for cut in 0..bytes.len() - 2 {
            assert!(arrays(&bytes[..cut]).is_err() && arrays(&bytes[cut + 1..]).is_err());
        }
    }
}
