//! A stream of bytes in numpy's format, read so that errors say where.

use std::io::Read;
use std::path::Path;

use crate::{Error, Result};

/// One array in one stream of bytes of known length: a file, or an entry of an archive.
pub(crate) struct Part<'a> {
    pub path: &'a Path,
    pub part: String,
    pub length: u64,
}

impl Part<'_> {
    pub fn format(&self, offset: u64, found: impl ToString, expected: impl ToString) -> Error {
        Error::Format {
            path: self.path.to_path_buf(),
            part: self.part.clone(),
            offset,
            found: found.to_string(),
            expected: expected.to_string(),
            advice: "write it again, with numpy.save or numpy.savez",
        }
    }

    /// Fills `buffer` from the bytes at `offset`.
    pub fn fill(&self, reader: &mut dyn Read, buffer: &mut [u8], offset: u64) -> Result<()> {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        reader
            .read_exact(buffer)
            .map_err(|source| match source.kind() {
                UnexpectedEof => self.format(
                    offset,
                    "the end of the data",
                    format!("{} more bytes", buffer.len()),
                ),
                // The zip reader reports a wrong checksum, or damaged deflate data, in these ways.
                InvalidData | InvalidInput | std::io::ErrorKind::Other => {
                    self.format(offset, format!("damaged data ({source})"), "whole data")
                }
                _ => Error::io(self.path, "read")(source),
            })
    }
}
