//! Damage, chosen by a seed.

use scotopic_datasets::rng::CounterRng;

/// Numbers that lengths and sizes are set to.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    60_000,
    1 << 20,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    1 << 40,
    i64::MAX as u64,
    u64::MAX,
];

/// One to four kinds of damage, one after the other.
pub fn damaged(whole: &[u8], others: &[&[u8]], seed: u64) -> Vec<u8> {
    let mut draws = CounterRng::new(seed, &[]);
    let mut bytes = whole.to_vec();
    for _ in 0..=draws.below(4) {
        damage(&mut bytes, others, &mut draws);
    }
    bytes
}

fn damage(bytes: &mut Vec<u8>, others: &[&[u8]], draws: &mut CounterRng) {
    let mut below = |n: usize| draws.below(n.max(1) as u64) as usize;
    let length = bytes.len();
    // Headers are short and come first: half of the damage is done there.
    let reach = if below(2) == 0 {
        length.min(192)
    } else {
        length
    };
    let at = below(reach);
    match below(8) {
        0 => bytes.truncate(below(length + 1)),
        1 if length > 0 => bytes[at] ^= 1 << below(8),
        2 if length > 0 => bytes[at] = below(256) as u8,
        3 => {
            let number = NUMBERS[below(NUMBERS.len())];
            let size = 1 << below(4);
            let mut field = number.to_le_bytes()[..size].to_vec();
            if below(2) == 0 {
                field.reverse();
            }
            let end = (at + size).min(length);
            bytes.splice(at.min(end)..end, field);
        }
        4 => replace_number(bytes, at, NUMBERS[below(NUMBERS.len())]),
        5 => {
            let end = at + below(length - at.min(length) + 1);
            let again: Vec<u8> = bytes[at.min(end)..end].to_vec();
            let place = below(length + 1);
            bytes.splice(place..place, again);
        }
        6 => {
            let end = at + below(64.min(length - at.min(length)) + 1);
            bytes.drain(at.min(end)..end);
        }
        _ => {
            let other = others[below(others.len())];
            let from = below(other.len());
            let to = from + below(256.min(other.len() - from) + 1);
            bytes.splice(at..at, other[from..to].iter().copied());
        }
    }
}

/// The run of digits next to `at` becomes another number.
fn replace_number(bytes: &mut Vec<u8>, at: usize, number: u64) {
    let digit = |b: &u8| b.is_ascii_digit();
    let Some(from) = bytes[at.min(bytes.len())..].iter().position(digit) else {
        return;
    };
    let from = at + from;
    let run = bytes[from..].iter().take_while(|b| digit(b)).count();
    bytes.splice(from..from + run, number.to_string().into_bytes());
}

/// Right checksums for the chunks of a PNG picture, as far as they can be told apart: damage would end there otherwise.
pub fn with_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(length).saturating_add(8);
        if end.saturating_add(4) > bytes.len() {
            break;
        }
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
    bytes
}

/// The bytes as a gzip stream.
pub fn packed(bytes: Vec<u8>) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap()
}
