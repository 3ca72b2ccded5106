//! Opening an untrusted file: it must be a regular file, and its length is known before anything
//! is read. A gzip stream is recognised by its first bytes, not by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use zip::CompressionMethod;
use zip::read::ZipFile;

use crate::{Error, Result};

/// Deflate cannot shrink anything more than this (zlib's technical notes: 1032 to 1).
const DEFLATE_RATIO: u64 = 1032;

/// The most bytes that `compressed` bytes of a deflate stream can possibly hold.
pub(crate) fn most_inflated(compressed: u64) -> u64 {
    compressed
        .saturating_mul(DEFLATE_RATIO)
        .saturating_add(1024)
}

/// Compares what an entry of a zip file declares, before anything is unpacked, with the file's length, with what
/// deflate can hold and with the `most` bytes that make sense; else what was found and what was expected.
pub(crate) fn check_declared<R: Read>(
    entry: &ZipFile<'_, R>,
    file_length: u64,
    most: u64,
) -> std::result::Result<(), (String, String)> {
    let (packed, declared) = (entry.compressed_size(), entry.size());
    let most = most.min(match entry.compression() {
        CompressionMethod::Stored => packed,
        CompressionMethod::Deflated => most_inflated(packed),
        other => return Err((format!("compression {other}"), "stored or deflated".into())),
    });
    if packed > file_length || declared > most {
        let found = format!("{declared} bytes declared, {packed} of them packed");
        return Err((found, format!("at most {most} in a file of {file_length}")));
    }
    Ok(())
}

/// Opens a regular file and returns its length; a folder or a pipe is refused.
pub(crate) fn open_file(path: &Path) -> Result<(File, u64)> {
    // Looked at before it is opened: opening a named pipe would wait for ever.
    let found = std::fs::metadata(path).map_err(Error::io(path, "open"))?;
    if !found.is_file() {
        let found = if found.is_dir() {
            "a folder"
        } else {
            "a special file"
        };
        return Err(Error::WrongKind {
            path: path.into(),
            found,
            expected: "a file",
        });
    }
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let length = file.metadata().map_err(Error::io(path, "open"))?.len();
    Ok((file, length))
}

/// A file read from its beginning to its end, uncompressed on the way if it is gzip.
pub(crate) struct Stream {
    path: PathBuf,
    reader: Box<dyn Read>,
    /// What offsets count in; empty for a plain file.
    part: &'static str,
    offset: u64,
    /// The content is at most this long; exactly this long for a plain file.
    bound: u64,
}

impl Stream {
    pub fn open(path: &Path) -> Result<Self> {
        let (file, length) = open_file(path)?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let gzip = file
            .fill_buf()
            .map_err(Error::io(path, "read"))?
            .starts_with(&[0x1F, 0x8B]);
        let path = path.to_path_buf();
        Ok(if gzip {
            let reader = Box::new(MultiGzDecoder::new(file));
            let part = "the uncompressed stream";
            Self {
                path,
                reader,
                part,
                offset: 0,
                bound: most_inflated(length),
            }
        } else {
            Self {
                path,
                reader: Box::new(file),
                part: "",
                offset: 0,
                bound: length,
            }
        })
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// An error about the bytes at `offset`.
    pub fn format(&self, offset: u64, found: String, expected: String) -> Error {
        let (path, part) = (self.path.clone(), self.part.to_owned());
        let advice = "the file is damaged or of another kind: get it again, or correct the path";
        Error::Format {
            path,
            part,
            offset,
            found,
            expected,
            advice,
        }
    }

    fn broken(&self, source: io::Error) -> Error {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match source.kind() {
            InvalidData | InvalidInput | UnexpectedEof => {
                let found = format!("a damaged gzip stream ({source})");
                self.format(self.offset, found, "a whole gzip stream".into())
            }
            _ => Error::io(&self.path, "read")(source),
        }
    }

    /// Exactly `N` bytes, which are `what`.
    pub fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let got = self.body(N as u64, what)?;
        bytes.copy_from_slice(&got);
        Ok(bytes)
    }

    /// Exactly `count` bytes, which are `what`. Memory grows with the bytes that really arrive.
    pub fn body(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        self.expect_room(count, what)?;
        let mut bytes = Vec::with_capacity(count.min(1 << 20) as usize);
        let read = (&mut self.reader).take(count).read_to_end(&mut bytes);
        let got = read.map_err(|source| self.broken(source))? as u64;
        self.offset += got;
        if got < count {
            let found = "the end of the data".to_owned();
            return Err(self.format(
                self.offset,
                found,
                format!("{} more bytes of {what}", count - got),
            ));
        }
        Ok(bytes)
    }

    /// Fills `record`, or says `false` where the data ends before it begins.
    pub fn record(&mut self, record: &mut [u8], what: &str) -> Result<bool> {
        let mut got = 0;
        while got < record.len() {
            match self.reader.read(&mut record[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.broken(e)),
            }
        }
        self.offset += got as u64;
        if got > 0 && got < record.len() {
            let missing = format!("{} more bytes of {what}", record.len() - got);
            return Err(self.format(self.offset, "the end of the data".into(), missing));
        }
        Ok(got > 0)
    }

    /// Refuses, before anything is reserved, what cannot be in the file.
    pub fn expect_room(&self, count: u64, what: &str) -> Result<()> {
        let room = self.bound.saturating_sub(self.offset);
        if count > room {
            let at_most = if self.part.is_empty() { "" } else { "at most " };
            let found = format!("{at_most}{room} bytes left");
            return Err(self.format(self.offset, found, format!("{count} bytes of {what}")));
        }
        Ok(())
    }

    /// The content must end here.
    pub fn expect_end(&mut self) -> Result<()> {
        let mut extra = [0; 1];
        let got = loop {
            match self.reader.read(&mut extra) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        match got.map_err(|source| self.broken(source))? {
            0 => Ok(()),
            _ => Err(self.format(
                self.offset,
                "more bytes".into(),
                "the end of the file".into(),
            )),
        }
    }
}
