//! The header of a `.npy` stream:
//!
//! ```text
//! "\x93NUMPY"  major minor  length (u16, or u32 from version 2 on, little-endian)
//! {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  spaces  newline
//! ```
//!
//! It is parsed here, and not by a parser of Python literals, so that nesting, huge integers or a
//! huge header cannot cost stack or memory.

use std::io::Read;

use super::Part;
use crate::{Error, Result};

pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// numpy itself writes 128 bytes for plain arrays and refuses more than 10,000.
const MAX_HEADER: u64 = 10_000;
/// numpy's own limit.
const MAX_RANK: usize = 32;

/// What numpy calls the type of an array's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Bool,
    I1,
    I2,
    I4,
    I8,
    U1,
    U2,
    U4,
    U8,
    F2,
    F4,
    F8,
}

/// Every element by the name of a header.
pub(super) const ELEMENTS: [(&[u8], Element); 12] = [
    (b"b1", Element::Bool),
    (b"i1", Element::I1),
    (b"i2", Element::I2),
    (b"i4", Element::I4),
    (b"i8", Element::I8),
    (b"u1", Element::U1),
    (b"u2", Element::U2),
    (b"u4", Element::U4),
    (b"u8", Element::U8),
    (b"f2", Element::F2),
    (b"f4", Element::F4),
    (b"f8", Element::F8),
];

impl Element {
    pub fn bytes(self) -> usize {
        match self {
            Element::Bool | Element::I1 | Element::U1 => 1,
            Element::I2 | Element::U2 | Element::F2 => 2,
            Element::I4 | Element::U4 | Element::F4 => 4,
            Element::I8 | Element::U8 | Element::F8 => 8,
        }
    }

    /// The number in as many bytes as the element has.
    pub fn number(self, bytes: &[u8], order: ByteOrder) -> f64 {
        match self {
            Element::Bool => f64::from(u8::from(bytes[0] != 0)),
            Element::U1 => f64::from(bytes[0]),
            Element::I1 => f64::from(i8::from_le_bytes([bytes[0]])),
            Element::I2 => f64::from(i16::from_le_bytes(order.word(bytes))),
            Element::U2 => f64::from(u16::from_le_bytes(order.word(bytes))),
            Element::I4 => f64::from(i32::from_le_bytes(order.word(bytes))),
            Element::U4 => f64::from(u32::from_le_bytes(order.word(bytes))),
            Element::I8 => i64::from_le_bytes(order.word(bytes)) as f64,
            Element::U8 => u64::from_le_bytes(order.word(bytes)) as f64,
            Element::F2 => f16_to_f64(u16::from_le_bytes(order.word(bytes))),
            Element::F4 => f64::from(f32::from_le_bytes(order.word(bytes))),
            Element::F8 => f64::from_le_bytes(order.word(bytes)),
        }
    }
}

/// The number of 16 bits with 5 of exponent and 10 of fraction (IEEE 754 binary16).
pub fn f16_to_f64(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// Bytes that are `N`, which the compiler cannot know of a slice, with the lowest first.
    pub fn word<const N: usize>(self, bytes: &[u8]) -> [u8; N] {
        let mut word = [0; N];
        word.copy_from_slice(bytes);
        if self == ByteOrder::Big {
            word.reverse();
        }
        word
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub element: Element,
    pub order: ByteOrder,
    pub fortran: bool,
    pub shape: Vec<usize>,
    /// The product of the shape, which has been checked not to wrap.
    pub count: usize,
    /// Where the values begin.
    pub offset: u64,
}

impl Header {
    pub fn read(part: &Part<'_>, reader: &mut dyn Read) -> Result<Self> {
        let mut start = [0; 10];
        if part.length < 10 {
            return Err(part.format(0, format!("{} bytes", part.length), "at least 10"));
        }
        part.fill(reader, &mut start, 0)?;
        if &start[..6] != MAGIC {
            let found = format!("{:02x?}", &start[..6]);
            return Err(part.format(0, found, format!("{MAGIC:02x?} (\\x93NUMPY)")));
        }
        let (begin, length) = match start[6] {
            1 => (10, u64::from(u16::from_le_bytes([start[8], start[9]]))),
            2 | 3 => {
                let mut rest = [0; 2];
                part.fill(reader, &mut rest, 10)?;
                let bytes = [start[8], start[9], rest[0], rest[1]];
                (12, u64::from(u32::from_le_bytes(bytes)))
            }
            other => return Err(part.format(6, format!("version {other}"), "version 1, 2 or 3")),
        };
        let most = MAX_HEADER.min(part.length.saturating_sub(begin));
        if length > most {
            return Err(part.format(
                8,
                format!("a header of {length} bytes"),
                format!("at most {most}"),
            ));
        }
        let mut text = vec![0; length as usize];
        part.fill(reader, &mut text, begin)?;
        Dictionary {
            part,
            text: &text,
            at: 0,
            begin,
        }
        .parse(begin + length)
    }
}

/// A reader of exactly this one kind of dictionary.
struct Dictionary<'a> {
    part: &'a Part<'a>,
    text: &'a [u8],
    at: usize,
    begin: u64,
}

impl<'a> Dictionary<'a> {
    fn parse(mut self, offset: u64) -> Result<Header> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect(b'{')?;
        while !self.accept(b'}') {
            let key = self.string()?;
            self.expect(b':')?;
            match key {
                b"descr" if descr.is_none() => descr = Some(self.element()?),
                b"fortran_order" if fortran.is_none() => fortran = Some(self.boolean()?),
                b"shape" if shape.is_none() => shape = Some(self.shape()?),
                _ => return Err(self.wrong("descr, fortran_order and shape, once each")),
            }
            if !self.accept(b',') {
                self.expect(b'}')?;
                break;
            }
        }
        self.spaces();
        if self.at != self.text.len() {
            return Err(self.wrong("the end of the header"));
        }
        let (Some((element, order)), Some(fortran), Some((shape, count))) = (descr, fortran, shape)
        else {
            return Err(self.wrong("all of descr, fortran_order and shape"));
        };
        Ok(Header {
            element,
            order,
            fortran,
            shape,
            count,
            offset,
        })
    }

    fn wrong(&self, expected: &str) -> Error {
        let rest = &self.text[self.at.min(self.text.len())..];
        let shown = String::from_utf8_lossy(&rest[..rest.len().min(24)]);
        let offset = self.begin + self.at as u64;
        self.part
            .format(offset, format!("{shown:?} in the header"), expected)
    }

    fn spaces(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        self.spaces();
        let here = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.accept(byte) {
            Ok(())
        } else {
            Err(self.wrong(&format!("`{}`", char::from(byte))))
        }
    }

    fn string(&mut self) -> Result<&'a [u8]> {
        self.spaces();
        let Some(&quote @ (b'\'' | b'"')) = self.text.get(self.at) else {
            return Err(self.wrong("a quoted string"));
        };
        let rest = &self.text[self.at + 1..];
        let Some(end) = rest.iter().position(|&b| b == quote) else {
            return Err(self.wrong("a closing quote"));
        };
        self.at += end + 2;
        Ok(&rest[..end])
    }

    fn element(&mut self) -> Result<(Element, ByteOrder)> {
        let expected = "real numbers: bool, int8 to int64, uint8 to uint64, float16 to float64";
        let before = self.at;
        let text = self.string().map_err(|_| self.wrong(expected))?;
        let after = std::mem::replace(&mut self.at, before);
        let (order, kind) = match text {
            [b'<' | b'|', kind @ ..] => (ByteOrder::Little, kind),
            [b'>', kind @ ..] => (ByteOrder::Big, kind),
            kind => (ByteOrder::Little, kind),
        };
        let Some(&(_, element)) = ELEMENTS.iter().find(|(name, _)| *name == kind) else {
            return Err(self.wrong(expected));
        };
        self.at = after;
        Ok((element, order))
    }

    fn boolean(&mut self) -> Result<bool> {
        self.spaces();
        for (word, value) in [(&b"True"[..], true), (&b"False"[..], false)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong("True or False"))
    }

    fn shape(&mut self) -> Result<(Vec<usize>, usize)> {
        self.expect(b'(')?;
        let (mut shape, mut count) = (Vec::new(), 1usize);
        while !self.accept(b')') {
            let before = self.at;
            let size = self.integer()?;
            let Some(product) = count.checked_mul(size).filter(|_| shape.len() < MAX_RANK) else {
                self.at = before;
                return Err(self.wrong("a shape whose product is a number of values"));
            };
            count = product;
            shape.push(size);
            if !self.accept(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok((shape, count))
    }

    fn integer(&mut self) -> Result<usize> {
        self.spaces();
        let digits = self.text[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let text = std::str::from_utf8(&self.text[self.at..self.at + digits]).unwrap_or_default();
        let Ok(value) = text.parse() else {
            return Err(self.wrong("a size"));
        };
        self.at += digits;
        // Python 2 wrote long integers as 3L.
        self.at += usize::from(self.text.get(self.at) == Some(&b'L'));
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::f16_to_f64;

    #[test]
    fn halves_are_what_the_standard_says() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x3555, 0.333_251_953_125),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(f16_to_f64(bits), value);
        }
        assert!(f16_to_f64(0x7e00).is_nan());
    }
}
