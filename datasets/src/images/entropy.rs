//! Whether the coded data of a sequential JPEG picture hold all of its blocks.
//!
//! The codes are passed over without being turned into pixels (ITU-T T.81, annex F.2): a file that was cut and closed with the
//! marker of the end is found out, where a decoder fills up with grey. Progressive and arithmetic coding are not looked into.

/// What the segments before a scan say.
#[derive(Default)]
pub(super) struct Tables {
    /// By class (means, other coefficients) and number.
    huffman: [[Option<Huffman>; 4]; 2],
    /// MCUs between restart markers; 0 for none.
    interval: u64,
    size: (u64, u64),
    /// Name, and blocks of an MCU across and down.
    components: Vec<(u8, u64, u64)>,
}

impl Tables {
    /// Takes in a segment, which begins with its length.
    pub fn read(&mut self, marker: u8, segment: &[u8]) {
        let rest = segment.get(2..).unwrap_or_default();
        match marker {
            0xC0 | 0xC1 => self.frame(rest),
            // Another kind of picture.
            0xC2 | 0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => self.components.clear(),
            0xC4 => self.define(rest),
            0xDD => {
                if let [high, low, ..] = *rest {
                    self.interval = u64::from(u16::from_be_bytes([high, low]));
                }
            }
            _ => {}
        }
    }

    fn frame(&mut self, rest: &[u8]) {
        let [_, h1, h0, w1, w0, count, components @ ..] = rest else {
            return;
        };
        let number = |high, low| u64::from(u16::from_be_bytes([high, low]));
        self.size = (number(*h1, *h0), number(*w1, *w0));
        let components = components.chunks_exact(3).take(usize::from(*count));
        self.components = components
            .map(|c| (c[0], u64::from(c[1] >> 4), u64::from(c[1] & 15)))
            .collect();
    }

    fn define(&mut self, mut rest: &[u8]) {
        while let Some((head, after)) = rest.split_at_checked(17) {
            let counts = &head[1..];
            let symbols: usize = counts.iter().map(|&n| usize::from(n)).sum();
            let (Some((symbols, after)), (class @ 0..=1, number @ 0..=3)) = (
                after.split_at_checked(symbols),
                (head[0] >> 4, head[0] & 15),
            ) else {
                return;
            };
            self.huffman[usize::from(class)][usize::from(number)] =
                Some(Huffman::new(counts, symbols));
            rest = after;
        }
    }

    /// How many MCUs of a scan are not in its data, which follow its header and end with the next marker; none as well where
    /// that cannot be told.
    pub fn missing(&self, header: &[u8], data: &[u8]) -> Option<u64> {
        let [_, _, count, rest @ ..] = header else {
            return None;
        };
        let across = self.components.iter().map(|c| c.1).max()?;
        let down = self.components.iter().map(|c| c.2).max()?;
        if across == 0 || down == 0 {
            return None;
        }
        let mut blocks = Vec::new();
        let mut mcus = 0;
        for named in rest.chunks_exact(2).take(usize::from(*count)) {
            let &(_, h, v) = self.components.iter().find(|c| c.0 == named[0])?;
            let table = |class: usize, number: u8| {
                let number = usize::from(number);
                self.huffman[class].get(number).and_then(Option::as_ref)
            };
            let tables = (table(0, named[1] >> 4)?, table(1, named[1] & 15)?);
            let (height, width) = self.size;
            // Alone in a scan, a component has a block an MCU and none that pad it.
            let (of_mcu, number) = match *count {
                1 => {
                    let blocks =
                        |size: u64, own: u64, most: u64| (size * own).div_ceil(most).div_ceil(8);
                    (1, blocks(height, v, down) * blocks(width, h, across))
                }
                _ => (
                    h * v,
                    height.div_ceil(8 * down) * width.div_ceil(8 * across),
                ),
            };
            mcus = number;
            blocks.extend((0..of_mcu).map(|_| tables));
        }
        let mut bits = Bits {
            data,
            at: 0,
            held: 0,
            count: 0,
        };
        for done in 0..mcus {
            if self.interval > 0 && done > 0 && done.is_multiple_of(self.interval) {
                match bits.restart() {
                    Stop::None => {}
                    Stop::Damage => return None,
                    Stop::End => return Some(mcus - done),
                }
            }
            for tables in &blocks {
                match block(&mut bits, *tables) {
                    Stop::None => {}
                    Stop::Damage => return None,
                    // Encoders have been seen to save bits of the last one.
                    Stop::End => return Some(mcus - done).filter(|&n| n > 1),
                }
            }
        }
        None
    }
}

/// Why codes are read no further.
#[derive(PartialEq)]
enum Stop {
    None,
    /// No data are left.
    End,
    /// A code that there is not: for the decoder to judge.
    Damage,
}

/// Passes over one block.
fn block(bits: &mut Bits<'_>, (means, others): (&Huffman, &Huffman)) -> Stop {
    let size = match means.symbol(bits) {
        Ok(size) => size,
        Err(stop) => return stop,
    };
    if !bits.skip(u32::from(size & 15)) {
        return Stop::End;
    }
    let mut place = 1;
    while place < 64 {
        let symbol = match others.symbol(bits) {
            Ok(symbol) => symbol,
            Err(stop) => return stop,
        };
        match symbol {
            0 => break,
            0xF0 => place += 16,
            _ => {
                if !bits.skip(u32::from(symbol & 15)) {
                    return Stop::End;
                }
                place += 1 + (symbol >> 4);
            }
        }
    }
    Stop::None
}

/// A code in which those of one length are consecutive numbers.
struct Huffman {
    /// For lengths 1 to 16: the first code, how many there are, and the place of the first among the symbols.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Huffman {
    fn new(counts: &[u8], symbols: &[u8]) -> Self {
        let (mut code, mut place) = (0u32, 0);
        let mut lengths = [(0, 0, 0); 16];
        for (length, &count) in lengths.iter_mut().zip(counts) {
            *length = (code, u32::from(count), place);
            place += usize::from(count);
            code = (code + u32::from(count)) << 1;
        }
        Self {
            lengths,
            symbols: symbols.to_vec(),
        }
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Stop> {
        let mut code = 0;
        for &(first, count, place) in &self.lengths {
            code = code << 1 | bits.next().ok_or(Stop::End)?;
            if code >= first && code - first < count {
                let symbol = self.symbols.get(place + (code - first) as usize);
                return symbol.copied().ok_or(Stop::Damage);
            }
        }
        Err(Stop::Damage)
    }
}

/// Bits up to the next marker.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn next(&mut self) -> Option<u32> {
        if self.count == 0 {
            let byte = *self.data.get(self.at)?;
            // FF of the data has 00 behind it; else a marker begins.
            if byte == 0xFF {
                if self.data.get(self.at + 1) != Some(&0) {
                    return None;
                }
                self.at += 1;
            }
            self.at += 1;
            (self.held, self.count) = (u32::from(byte), 8);
        }
        self.count -= 1;
        Some(self.held >> self.count & 1)
    }

    fn skip(&mut self, bits: u32) -> bool {
        (0..bits).all(|_| self.next().is_some())
    }

    /// Goes on behind a restart marker.
    fn restart(&mut self) -> Stop {
        self.count = 0;
        match self.data.get(self.at..) {
            Some([0xFF, 0xD0..=0xD7, ..]) => {
                self.at += 2;
                Stop::None
            }
            Some([0xFF, 0xD9, ..] | []) => Stop::End,
            _ => Stop::Damage,
        }
    }
}
