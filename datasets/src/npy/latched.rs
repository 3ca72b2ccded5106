//! A writer whose errors are asked for at the end.

use std::io::{self, Seek, SeekFrom, Write};

/// A writer that keeps its first error and takes everything after it, for the writer of archives, which prints an error of its own when
/// it is dropped after one.
pub(super) struct Latched<W> {
    inner: W,
    failed: Option<io::Error>,
    position: u64,
    end: u64,
}

impl<W> Latched<W> {
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            failed: None,
            position: 0,
            end: 0,
        }
    }

    /// The first error.
    pub fn result(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    fn keep<T>(&mut self, done: io::Result<T>) -> Option<T> {
        done.map_err(|error| self.failed = Some(error)).ok()
    }

    fn at(&mut self, position: u64) -> u64 {
        self.position = position;
        self.end = self.end.max(position);
        position
    }
}

impl<W: Write> Write for Latched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed.is_none() {
            let done = self.inner.write_all(bytes);
            self.keep(done);
        }
        self.at(self.position + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed.is_none() {
            let done = self.inner.flush();
            self.keep(done);
        }
        Ok(())
    }
}

impl<W: Seek> Seek for Latched<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.failed.is_none() {
            let done = self.inner.seek(to);
            if let Some(position) = self.keep(done) {
                return Ok(self.at(position));
            }
        }
        // As if all had been written.
        let from = |start: u64, by: i64| start.saturating_add_signed(by);
        let position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(by) => from(self.position, by),
            SeekFrom::End(by) => from(self.end, by),
        };
        Ok(self.at(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk of so many bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0 {
                0 => Err(io::Error::from(io::ErrorKind::StorageFull)),
                room => {
                    let taken = room.min(bytes.len());
                    self.0 -= taken;
                    Ok(taken)
                }
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }

    #[test]
    fn the_first_error_is_kept_and_the_rest_is_taken() {
        let mut latched = Latched::new(Full(5));
        assert_eq!(latched.write(b"abcdefgh").unwrap(), 8);
        assert_eq!(latched.stream_position().unwrap(), 8);
        assert_eq!(latched.seek(SeekFrom::Start(2)).unwrap(), 2);
        latched.write_all(b"x").unwrap();
        assert_eq!(latched.seek(SeekFrom::End(0)).unwrap(), 8);
        let error = latched.result().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(Latched::new(Full(5)).result().is_ok());
    }
}
