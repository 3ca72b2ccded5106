//! Whether the bytes of a picture are all there, and whether so few of them can hold a picture of the size declared.
//!
//! Decoders fill up with grey what is missing, and reserve memory for what is declared. Both formats say where they end, and
//! both have a rate that no encoder can beat:
//!
//! ```text
//! JPEG    1 bit a block and scan that codes all blocks: 2 of sequential, 1 of progressive pictures     ITU-T T.81, annex F, G
//! PNG     1 byte of deflate for 1032 bytes of rows                                                      zlib's technical notes
//! ```

use image::ImageFormat;

use super::entropy::Tables;
use crate::source;

/// What is not there.
pub(super) struct Missing {
    pub offset: u64,
    pub found: String,
    pub expected: String,
}

/// Finds what is missing of a picture; none of another format.
pub(super) fn check(format: ImageFormat, bytes: &[u8]) -> Result<(), Missing> {
    let bytes = Bytes(bytes);
    match format {
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Png => png(bytes),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    /// `N` bytes at an offset, which begin or are `what`.
    fn at<const N: usize>(&self, offset: usize, what: &str) -> Result<[u8; N], Missing> {
        let here = self.0.get(offset..).and_then(|rest| rest.first_chunk());
        here.copied().ok_or_else(|| self.ends_before(what))
    }

    fn ends_before(&self, what: &str) -> Missing {
        Missing {
            offset: self.0.len() as u64,
            found: "the end of the file: it is truncated".into(),
            expected: what.into(),
        }
    }
}

/// So few bytes cannot hold the picture.
fn too_few(found: usize, (width, height): (u32, u32), least: u64) -> Missing {
    Missing {
        offset: 0,
        found: format!(
            "{found} bytes for {width} x {height} pixels: it is truncated, or its size is not true"
        ),
        expected: format!("at least {least} bytes"),
    }
}

fn jpeg(bytes: Bytes<'_>) -> Result<(), Missing> {
    const END: &str = "the marker of the end of a JPEG picture (FF D9)";
    let (mut at, mut frame, mut first_scan) = (2, None, None);
    let (mut tables, mut scan) = (Tables::default(), None);
    loop {
        // Coded data has no FF without 00 or a restart marker behind it.
        let Some(next) = bytes.0[at.min(bytes.0.len())..]
            .iter()
            .position(|&b| b == 0xFF)
        else {
            return Err(bytes.ends_before(END));
        };
        at += next + 1;
        let [marker] = bytes.at(at, END)?;
        match marker {
            // Fill bytes: the last of them begins the marker.
            0xFF => continue,
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            0xD9 => break,
            _ => {
                let length = bytes.at(at + 1, "a segment of a JPEG picture")?;
                let length = usize::from(u16::from_be_bytes(length));
                if at + 1 + length > bytes.0.len() {
                    return Err(bytes.ends_before("the rest of a segment of a JPEG picture"));
                }
                let segment = &bytes.0[at + 1..at + 1 + length];
                tables.read(marker, segment);
                match marker {
                    0xC0..=0xC3 if frame.is_none() => frame = Frame::read(marker, segment),
                    0xDA => {
                        let data = at + 1 + length;
                        first_scan.get_or_insert(data);
                        if let Some(missing) = tables.missing(segment, &bytes.0[data..]) {
                            scan.get_or_insert(Missing {
                                offset: data as u64,
                                found: format!(
                                    "coded data without the last {missing} groups of blocks (MCUs): it is truncated"
                                ),
                                expected: "all blocks of the picture".into(),
                            });
                        }
                    }
                    _ => {}
                }
                at += length;
            }
        }
        at += 1;
    }
    let Some(first_scan) = first_scan else {
        return Err(Missing {
            offset: at as u64,
            found: "the end of a JPEG picture before its first scan: it is truncated".into(),
            expected: "coded pixels".into(),
        });
    };
    let data = at.saturating_sub(first_scan);
    match frame {
        Some(frame) if (data as u64) < frame.least_bytes => {
            Err(too_few(data, frame.size, frame.least_bytes))
        }
        _ => scan.map_or(Ok(()), Err),
    }
}

/// What the header of a JPEG picture declares.
struct Frame {
    size: (u32, u32),
    least_bytes: u64,
}

impl Frame {
    /// Nothing for a header that no decoder reads.
    fn read(marker: u8, segment: &[u8]) -> Option<Self> {
        let [_, _, _, h1, h0, w1, w0, components, rest @ ..] = segment else {
            return None;
        };
        let (height, width) = (
            u64::from(u16::from_be_bytes([*h1, *h0])),
            u64::from(u16::from_be_bytes([*w1, *w0])),
        );
        let factors: Vec<(u64, u64)> = rest
            .chunks_exact(3)
            .take(usize::from(*components))
            .map(|c| (u64::from(c[1] >> 4), u64::from(c[1] & 15)))
            .collect();
        let across = factors.iter().map(|f| f.0).max()?;
        let down = factors.iter().map(|f| f.1).max()?;
        if across == 0 || down == 0 {
            return None;
        }
        let blocks: u64 = factors
            .iter()
            .map(|(h, v)| {
                (width * h).div_ceil(across).div_ceil(8) * (height * v).div_ceil(down).div_ceil(8)
            })
            .sum();
        // A code for the mean of each block; sequential pictures have one for the rest of it as well.
        let bits = if marker == 0xC2 { 1 } else { 2 };
        Some(Self {
            size: (width as u32, height as u32),
            least_bytes: (blocks * bits) / 8,
        })
    }
}

fn png(bytes: Bytes<'_>) -> Result<(), Missing> {
    let (mut at, mut packed, mut header) = (8, 0, None);
    loop {
        let length = u32::from_be_bytes(bytes.at(at, "a chunk of a PNG picture")?) as usize;
        let kind: [u8; 4] = bytes.at(at + 4, "the kind of a chunk of a PNG picture")?;
        // Length, kind and checksum.
        let end = at.saturating_add(length).saturating_add(12);
        if end > bytes.0.len() {
            let what = String::from_utf8_lossy(&kind).into_owned();
            let missing = end - bytes.0.len();
            return Err(bytes.ends_before(&format!("{missing} more bytes of the chunk {what}")));
        }
        match &kind {
            b"IHDR" => header = Some(bytes.at::<10>(at + 8, "a header")?),
            b"IDAT" => packed += length,
            b"IEND" => break,
            _ => {}
        }
        at = end;
    }
    let Some([w3, w2, w1, w0, h3, h2, h1, h0, depth, colour]) = header else {
        return Ok(());
    };
    let (width, height) = (
        u32::from_be_bytes([w3, w2, w1, w0]),
        u32::from_be_bytes([h3, h2, h1, h0]),
    );
    let samples = match colour {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    let bits = u64::from(width)
        .saturating_mul(u64::from(height))
        .saturating_mul(samples * u64::from(depth));
    match bits / 8 > source::most_inflated(packed as u64) {
        true => Err(too_few(packed, (width, height), bits / 8 / 1032)),
        false => Ok(()),
    }
}
