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
            sum == checksum(data).to_le_bytes(),
            "the array {name} is damaged: its checksum does not fit; take another copy of the file"
        );
        all.push((name, data));
        at += 46 + name_length + extra + comment;
    }
    Ok(all)
}

/// The CRC-32 of zip files: the remainder of division by a polynomial, bit for bit from the lowest.
fn checksum(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    const REMAINDERS: [u32; 256] = {
        let (mut all, mut byte) = ([0; 256], 0);
        while byte < 256 {
            let (mut remainder, mut bit) = (byte as u32, 0);
            while bit < 8 {
                remainder = (remainder >> 1) ^ (POLYNOMIAL * (remainder & 1));
                bit += 1;
            }
            all[byte] = remainder;
            byte += 1;
        }
        all
    };
    let next = |sum: u32, byte: &u8| (sum >> 8) ^ REMAINDERS[((sum as u8) ^ byte) as usize];
    !bytes.iter().fold(u32::MAX, next)
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
            let sum = checksum(data).to_le_bytes();
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
        // The check value of the polynomial.
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
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
