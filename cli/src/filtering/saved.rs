//! How the file of a saved filter begins.

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) const MAGIC: &[u8] = b"scotopic filter 2\n";
pub(super) const MAGIC_1: &[u8] = b"scotopic filter 1\n";

/// Whether a file is a saved filter; a pipe, which is read once, is taken for none.
pub fn is_saved(path: &Path) -> bool {
    let mut first = [0; MAGIC.len()];
    let read = |mut file: File| file.read_exact(&mut first).is_ok();
    path.is_file() && File::open(path).is_ok_and(read) && [MAGIC, MAGIC_1].contains(&&first[..])
}
