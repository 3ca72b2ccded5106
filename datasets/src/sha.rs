//! SHA-256 as lower-case hexadecimal.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The digest of a stream and the number of its bytes; stops with an error after `limit` bytes.
pub(crate) fn of_reader(mut reader: impl Read, limit: u64) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0u64;
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            return Ok((hex(hash), total));
        }
        total += n as u64;
        if total > limit {
            return Err(io::Error::other(format!(
                "more than {limit} bytes come out of it"
            )));
        }
        hash.update(&buffer[..n]);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_digest_and_limit() {
        let (abc, n) = super::of_reader(&b"abc"[..], 3).unwrap();
        assert_eq!(n, 3);
        assert_eq!(
            abc,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(super::of_reader(&b"abc"[..], 2).is_err());
    }
}
