//! Records of a table: cells of text with the line that they stand in; one record is held at a time.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Bytes asked for at a time. A pipe hands over what it has, so it is answered line by line all the same.
const BUFFER: usize = 1 << 16;

/// The most bytes in a row, 32 MiB: far above any table, far below what would fill the memory.
pub(super) const LONGEST: usize = 1 << 25;

/// The most cells in a row. An empty cell costs a byte of a file, and many times that here.
pub(super) const MOST_CELLS: usize = 1 << 18;

/// What spreadsheets write for a number that is none.
const SPREADSHEET_ERRORS: [&str; 8] = [
    "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!",
];

/// The beginning of a text, for a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is wrong with the text itself, and the line it is in.
pub(super) type Broken = (u64, String);

pub(super) struct Records<R> {
    reader: R,
    parser: Reader,
    delimiter: u8,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something, and that were parsed.
    filled: usize,
    read: usize,
    /// The cells of the record one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
    lines: LineCount,
    quotes: Quotes,
    /// The line that the record begins in, from 1.
    line: u64,
    /// Lines with nothing on them between the first record and this one; none before the first.
    blank: Option<u64>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self {
            reader,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            buffer: vec![0; BUFFER],
            filled: 0,
            read: 0,
            text: vec![0; 1 << 10],
            ends: vec![0; 16],
            cells: 0,
            lines: LineCount::default(),
            quotes: Quotes::CellBegins,
            line: 1,
            blank: None,
        }
    }

    /// Reads the next record; false at the end.
    ///
    /// # Errors
    /// What cannot be read, with its line.
    pub(super) fn advance(&mut self) -> Result<bool, Broken> {
        let (mut written, mut ended) = (0, 0);
        let blank_before = self.lines.blank;
        self.skip_comments()?;
        self.quotes = Quotes::CellBegins;
        loop {
            if self.read == self.filled {
                self.fill()?;
            }
            let input = &self.buffer[self.read..self.filled];
            let (result, taken, more_text, more_ends) =
                self.parser
                    .read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            let closed = self.quotes.pass(&input[..taken], self.delimiter);
            self.lines.pass(&input[..taken]);
            if !closed {
                let found = "text behind the closing quote of a cell".to_owned();
                return Err((self.lines.last().max(1), found));
            }
            self.read += taken;
            written += more_text;
            ended += more_ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= LONGEST => {
                    return Err((
                        self.lines.here(),
                        format!("a row of more than {LONGEST} bytes"),
                    ));
                }
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MOST_CELLS => {
                    return Err((
                        self.lines.here(),
                        format!("a row of more than {MOST_CELLS} cells"),
                    ));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        self.cells = ended;
        let text = &self.text[..written];
        let mut within = LineCount::default();
        within.pass(text);
        // The end of the file inside a quoted cell: its last line is part of the cell.
        if self.filled == 0 && self.lines.at_end && matches!(text.last(), Some(b'\n' | b'\r')) {
            let line = (self.lines.here()).saturating_sub(within.ended).max(1);
            return Err((line, "a quote that is never closed".into()));
        }
        let blank = self.lines.blank - blank_before;
        self.blank = Some(match self.blank {
            Some(before) => before + blank.saturating_sub(within.blank),
            None => 0,
        });
        self.line = self.lines.last().saturating_sub(within.ended).max(1);
        match std::str::from_utf8(text) {
            Ok(_) => Ok(true),
            Err(_) if text.starts_with(&[0x1f, 0x8b]) => Err((
                self.line,
                "data packed by gzip, it seems; unpack them first".into(),
            )),
            Err(_) if text.starts_with(b"\x93NUMPY") => Err((
                self.line,
                "an array of NumPy, it seems; name it .npy, or say --format npy".into(),
            )),
            Err(_) if text.contains(&0) => Err((
                self.line,
                "text in UTF-16, it seems; save it as UTF-8".into(),
            )),
            Err(_) => Err((self.line, "bytes that are no text".into())),
        }
    }

    /// Fills the buffer anew, from what is left in it on; nothing more comes at the end.
    fn fill(&mut self) -> Result<(), Broken> {
        self.buffer.copy_within(self.read..self.filled, 0);
        (self.filled, self.read) = (self.filled - self.read, 0);
        let more = loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|e| (self.lines.here(), e.to_string()))?,
            }
        };
        self.filled += more;
        Ok(())
    }

    /// Passes over lines without anything and lines that begin with `#`, but for those whose first cell is what a spreadsheet
    /// writes for an error: they are rows.
    fn skip_comments(&mut self) -> Result<(), Broken> {
        loop {
            if self.read == self.filled {
                self.fill()?;
            }
            match self.buffer[self.read..self.filled].first().copied() {
                Some(b'\n' | b'\r') => self.pass(1),
                Some(b'#') if !self.at_spreadsheet_error()? => self.pass_line()?,
                // Blanks are passed over uncounted, so that the line counts as one with nothing on it.
                Some(b' ' | b'\t') => match self.blanks()? {
                    Some(blanks) => self.read += blanks,
                    None => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    /// How many blanks the line that begins here has, if it has nothing else; none where a blank is the delimiter.
    fn blanks(&mut self) -> Result<Option<usize>, Broken> {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        if is_blank(&self.delimiter) {
            return Ok(None);
        }
        loop {
            let rest = &self.buffer[self.read..self.filled];
            if let Some(end) = rest.iter().position(|byte| !is_blank(byte)) {
                return Ok(matches!(rest[end], b'\n' | b'\r').then_some(end));
            }
            let before = rest.len();
            if before == self.buffer.len() {
                return Ok(None);
            }
            self.fill()?;
            if self.filled == before {
                return Ok(Some(before));
            }
        }
    }

    fn pass(&mut self, bytes: usize) {
        self.lines.pass(&self.buffer[self.read..self.read + bytes]);
        self.read += bytes;
    }

    /// Passes over the rest of a line, not its end.
    fn pass_line(&mut self) -> Result<(), Broken> {
        loop {
            let rest = &self.buffer[self.read..self.filled];
            if let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                self.pass(end);
                return Ok(());
            }
            self.pass(rest.len());
            self.fill()?;
            if self.filled == 0 {
                return Ok(());
            }
        }
    }

    /// Whether the line that begins here has an error of a spreadsheet for its first cell. No more is read of a pipe than the line.
    fn at_spreadsheet_error(&mut self) -> Result<bool, Broken> {
        const LONGEST: usize = 8;
        loop {
            let rest = &self.buffer[self.read..self.filled];
            let stops = |byte: &u8| matches!(byte, b'\n' | b'\r') || *byte == self.delimiter;
            let end = rest.iter().position(stops);
            if end.is_none() && rest.len() <= LONGEST {
                let before = rest.len();
                self.fill()?;
                if self.filled > before {
                    continue;
                }
            }
            let rest = &self.buffer[self.read..self.filled];
            let cell = rest[..end.unwrap_or(rest.len())].trim_ascii();
            return Ok(SPREADSHEET_ERRORS
                .iter()
                .any(|e| cell.eq_ignore_ascii_case(e.as_bytes())));
        }
    }

    /// The number of cells of the record.
    pub(super) fn len(&self) -> usize {
        self.cells
    }

    /// The line that the record begins in, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Lines with nothing on them between the first record and this one.
    pub(super) fn blank_lines(&self) -> u64 {
        self.blank.unwrap_or(0)
    }

    /// A cell of the record, without the blanks around it.
    pub(super) fn cell(&self, n: usize) -> &str {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        // The whole record is text; a cut inside a character cannot be, delimiters being ASCII.
        std::str::from_utf8(&self.text[start..self.ends[n]])
            .unwrap_or_default()
            .trim()
    }

    /// All cells of the record.
    pub(super) fn all(&self) -> Vec<String> {
        (0..self.cells).map(|n| self.cell(n).to_owned()).collect()
    }
}

/// Where in a record the last byte was, as far as quotes go: a parser of CSV takes `"1"2` for 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// At the beginning of a cell.
    CellBegins,
    /// In a cell without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closes a cell, unless another follows.
    Closed,
}

impl Quotes {
    /// Passes over bytes; false if text follows a closing quote.
    fn pass(&mut self, bytes: &[u8], delimiter: u8) -> bool {
        let after = |byte: u8| match byte {
            b'\n' | b'\r' => Self::CellBegins,
            _ if byte == delimiter => Self::CellBegins,
            _ => Self::Plain,
        };
        let open = matches!(self, Self::Quoted | Self::Closed);
        if !open && !bytes.contains(&b'"') {
            *self = bytes.last().map_or(*self, |&byte| after(byte));
            return true;
        }
        for &byte in bytes {
            *self = match (*self, byte) {
                (Self::CellBegins | Self::Closed, b'"') => Self::Quoted,
                (Self::Quoted, b'"') => Self::Closed,
                (Self::Quoted, _) => Self::Quoted,
                (Self::Closed, b' ' | b'\t') if byte != delimiter => Self::Closed,
                (Self::Closed, _) if after(byte) == Self::Plain => return false,
                _ => after(byte),
            };
        }
        true
    }
}

/// Ends of lines passed so far: LF, CRLF or CR alone.
#[derive(Debug, Default)]
struct LineCount {
    ended: u64,
    /// Whether the last byte was a CR, whose LF does not count again; and whether it ended a line at all.
    after_cr: bool,
    at_end: bool,
    /// Ends of lines right after another.
    blank: u64,
}

impl LineCount {
    fn pass(&mut self, bytes: &[u8]) {
        let is_end = |byte: u8| byte == b'\n' || byte == b'\r';
        // A row ends its line with its last byte: of those before it none has to be looked at one by one.
        let rest = match bytes {
            [row @ .., _]
                if !row.is_empty() && !row.iter().fold(false, |any, b| any | is_end(*b)) =>
            {
                (self.after_cr, self.at_end) = (false, false);
                &bytes[row.len()..]
            }
            _ => bytes,
        };
        for &byte in rest {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => {
                    self.ended += 1;
                    self.blank += u64::from(self.at_end);
                }
                _ => {}
            }
            (self.after_cr, self.at_end) = (byte == b'\r', is_end(byte));
        }
    }

    /// The line that is being read.
    fn here(&self) -> u64 {
        self.ended + 1
    }

    /// The line that was read last: the one just ended, or the last of a file without a final end of line.
    fn last(&self) -> u64 {
        self.ended + u64::from(!self.at_end)
    }
}
