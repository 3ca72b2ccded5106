//! Events in the encoding of protocol buffers, the part of `event.proto` and `summary.proto` that is used here.
//!
//! ```text
//! Event       { 1: double wall_time, 2: int64 step, 3: string file_version | 5: Summary summary | 7: SessionLog session_log }
//! Summary     { 1: repeated Value value }
//! Value       { 1: string tag, 2: float simple_value | 4: Image image }
//! Image       { 1: int32 height, 2: int32 width, 3: int32 colorspace, 4: bytes encoded_image_string }
//! SessionLog  { 1: enum status }
//! ```
//!
//! A field is its key (number·8 + wire type) and its value; a message inside another is its length and its fields.

/// The wire types: an integer of 7 bits a byte, 8 bytes, a length with as many bytes, 4 bytes.
const VARINT: u64 = 0;
const EIGHT: u64 = 1;
const BYTES: u64 = 2;
const FOUR: u64 = 5;

/// `SessionLog.START`.
const START: u64 = 1;
/// Red, green, blue, in the numbering of `Image.colorspace`.
const RGB: u64 = 3;

/// A picture as PNG, in red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Png<'a> {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The file.
    pub bytes: &'a [u8],
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What<'a> {
    /// The file begins; readers expect this first.
    FileVersion,
    /// Training goes on at this step: whatever earlier files have of this step and later ones is void.
    Start,
    /// Numbers by name.
    Scalars(&'a [(String, f64)]),
    /// A picture and its name.
    Image(&'a str, Png<'a>),
}

/// One event; `wall_time` in seconds since 1970.
pub(super) fn event(wall_time: f64, step: u64, what: What<'_>) -> Vec<u8> {
    let mut event = Vec::new();
    key(1, EIGHT, &mut event);
    event.extend(wall_time.to_le_bytes());
    if step > 0 {
        integer(2, step, &mut event);
    }
    match what {
        What::FileVersion => bytes(3, b"brain.Event:2", &mut event),
        What::Start => {
            let mut log = Vec::new();
            integer(1, START, &mut log);
            bytes(7, &log, &mut event);
        }
        What::Scalars(scalars) => {
            let mut summary = Vec::new();
            for (tag, number) in scalars {
                let mut value = Vec::new();
                bytes(1, tag.as_bytes(), &mut value);
                key(2, FOUR, &mut value);
                value.extend((*number as f32).to_le_bytes());
                bytes(1, &value, &mut summary);
            }
            bytes(5, &summary, &mut event);
        }
        What::Image(tag, png) => {
            let mut image = Vec::new();
            integer(1, u64::from(png.height), &mut image);
            integer(2, u64::from(png.width), &mut image);
            integer(3, RGB, &mut image);
            bytes(4, png.bytes, &mut image);
            let mut value = Vec::new();
            bytes(1, tag.as_bytes(), &mut value);
            bytes(4, &image, &mut value);
            let mut summary = Vec::new();
            bytes(1, &value, &mut summary);
            bytes(5, &summary, &mut event);
        }
    }
    event
}

fn key(field: u64, wire: u64, into: &mut Vec<u8>) {
    varint((field << 3) | wire, into);
}

fn integer(field: u64, value: u64, into: &mut Vec<u8>) {
    key(field, VARINT, into);
    varint(value, into);
}

fn bytes(field: u64, value: &[u8], into: &mut Vec<u8>) {
    key(field, BYTES, into);
    varint(value.len() as u64, into);
    into.extend(value);
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 1 << 7 {
        into.push(value as u8 | (1 << 7));
        value >>= 7;
    }
    into.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 300 = 10·2⁷ + 44, the example of the protocol's documentation.
    #[test]
    fn integers_have_seven_bits_a_byte() {
        for (value, expected) in [
            (0, vec![0]),
            (127, vec![127]),
            (128, vec![128, 1]),
            (300, vec![0b1010_1100, 0b10]),
        ] {
            let mut found = Vec::new();
            varint(value, &mut found);
            assert_eq!(found, expected);
        }
    }
}
