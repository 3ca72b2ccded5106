//! Reading a whole file, up to a bound.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What is read of a pipe or a device, which do not say how much they hold: 64 MiB.
const MOST_OF_A_STREAM: u64 = 64 << 20;

/// All bytes of a file; of a pipe or a device at most 64 MiB.
///
/// # Errors
/// If it cannot be read, or holds more than `most` bytes (a file says so before it is read).
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let too_long = |most: u64| {
        let message = format!("it has more than {most} bytes, the most that is read here");
        Err(io::Error::new(ErrorKind::FileTooLarge, message))
    };
    let most = match metadata.is_file() {
        true if metadata.len() > most => return too_long(most),
        true => most,
        false => most.min(MOST_OF_A_STREAM),
    };
    let mut bytes = Vec::new();
    // One byte more tells a longer file, or one that grew.
    file.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => too_long(most),
        false => Ok(bytes),
    }
}

/// All bytes of a regular file: a pipe that nobody writes to would never be opened, and a device may have no end.
///
/// # Errors
/// As [`read`], and for anything but a file.
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        let message = "it is a pipe or a device, and a file is needed here";
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    read(path, most)
}

/// All of a text file in UTF-8, at most 64 MiB.
///
/// # Errors
/// As [`read`], and if it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    in_utf8(read(path, MOST_OF_A_STREAM)?)
}

/// All of a regular text file in UTF-8, at most 64 MiB.
///
/// # Errors
/// As [`read_file`], and if it is not UTF-8.
pub fn read_text_file(path: &Path) -> io::Result<String> {
    in_utf8(read_file(path, MOST_OF_A_STREAM)?)
}

fn in_utf8(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_as_long_as_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"abcd").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"abcd");
        assert_eq!(read(&path, 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
        std::fs::write(&path, [0xff]).unwrap();
        assert!(read_text(&path).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn an_endless_device_has_an_end() {
        let error = read(Path::new("/dev/zero"), u64::MAX - 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let error = read_file(Path::new("/dev/zero"), 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
