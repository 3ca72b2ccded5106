//! Memory that an iteration frees is there for the next one.

/// Makes the allocator keep what is freed, where it is glibc's: without effect elsewhere.
///
/// It gives the top of its heap back to the system whenever more is free there than a limit, which is small until a large block
/// has been freed once. A training step that frees some megabytes then gets the same pages anew every time, for a sixth
/// of its time. The limit is twice the largest block ever mapped and freed, so one of the largest size that counts is, untouched.
pub(crate) fn retain_freed_memory() {
    /// Blocks above 32 MiB, with what the allocator adds, do not count.
    const LARGEST: usize = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}

/// The most memory this process has had, where the system tells.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
