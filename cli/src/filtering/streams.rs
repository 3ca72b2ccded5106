//! Data that can be read once.

use std::path::Path;

/// Whether what was read of `path` is not there a second time: standard input, a pipe, a device.
pub(super) fn is_read_once(path: &Path) -> bool {
    let is_stream = |found: std::fs::Metadata| !found.is_file() && !found.is_dir();
    path == Path::new("-") || path.metadata().is_ok_and(is_stream)
}
