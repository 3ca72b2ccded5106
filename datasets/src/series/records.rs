//! Records of a table: cells of text with the line that they stand in; one record is held at a time.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Bytes asked for at a time. A pipe hands over what it has, so it is answered line by line all the same.
const BUFFER: usize = 1 << 16;

/// The most bytes in a row, 32 MiB: far above any table, far below what would fill the memory.
pub(super) const LONGEST: usize = 1 << 25;

/// The most cells in a row. An empty cell costs a byte of a file, and many times that here.
pub(super) const MOST_CELLS: usize = 1 << 18;

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
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something, and that were parsed.
    filled: usize,
    read: usize,
    /// The cells of the record one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
    lines: LineCount,
    /// The line that the record begins in, from 1.
    line: u64,
    /// Lines with nothing on them between the first record and this one; none before the first.
    blank: Option<u64>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self {
            reader,
            parser: ReaderBuilder::new()
                .delimiter(delimiter)
                .comment(Some(b'#'))
                .build(),
            buffer: vec![0; BUFFER],
            filled: 0,
            read: 0,
            text: vec![0; 1 << 10],
            ends: vec![0; 16],
            cells: 0,
            lines: LineCount::default(),
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
        loop {
            if self.read == self.filled {
                self.read = 0;
                self.filled = loop {
                    match self.reader.read(&mut self.buffer) {
                        Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                        other => break other.map_err(|e| (self.lines.here(), e.to_string()))?,
                    }
                };
            }
            let input = &self.buffer[self.read..self.filled];
            let (result, taken, more_text, more_ends) =
                self.parser
                    .read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            self.lines.pass(&input[..taken]);
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
        let blank = self.lines.blank - blank_before;
        self.blank = Some(match self.blank {
            Some(before) => before + blank.saturating_sub(within.blank),
            None => 0,
        });
        self.line = self.lines.last().saturating_sub(within.ended).max(1);
        match std::str::from_utf8(text) {
            Ok(_) => Ok(true),
            Err(_) if text.contains(&0) => Err((
                self.line,
                "text in UTF-16, it seems; save it as UTF-8".into(),
            )),
            Err(_) => Err((self.line, "bytes that are no text".into())),
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
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => {
                    self.ended += 1;
                    self.blank += u64::from(self.at_end);
                }
                _ => {}
            }
            self.after_cr = byte == b'\r';
            self.at_end = matches!(byte, b'\n' | b'\r');
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
