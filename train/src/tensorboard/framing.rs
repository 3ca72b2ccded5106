//! Records in a file: length, checksum of the length, data, checksum of the data.
//!
//! ```text
//! u64 length | u32 masked(crc(length)) | data [length] | u32 masked(crc(data))      little-endian
//! masked(c) = (c rotated right by 15 bits) + 0xa282ead8   mod 2³²
//! ```
//!
//! The format is that of TensorFlow's TFRecord files. crc is CRC-32C (Castagnoli): reflected polynomial 0x82f63b78, all ones
//! before and complemented after (RFC 3720, appendix B.4).

const POLYNOMIAL: u32 = 0x82f6_3b78;
const MASK: u32 = 0xa282_ead8;

/// The checksums of all single bytes.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ POLYNOMIAL
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// CRC-32C.
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| {
        (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)]
    })
}

/// The checksum as files hold it: one of data that hold checksums themselves would not be reliable.
fn masked(data: &[u8]) -> u32 {
    crc(data).rotate_right(15).wrapping_add(MASK)
}

/// `data` as one record.
pub(super) fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-32C, and two of the test vectors of RFC 3720, appendix B.4.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(crc(b"123456789"), 0xe306_9283);
        assert_eq!(crc(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn a_record_has_its_length_twice_checked() {
        let whole = record(b"abc");
        assert_eq!(whole.len(), 8 + 4 + 3 + 4);
        assert_eq!(whole[..8], [3, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&whole[12..15], b"abc");
        assert_ne!(record(b"abd")[15..], whole[15..]);
    }
}
