//! Memory settings: freed memory is retained, peak memory is read.

/// Makes glibc's allocator retain freed memory; without effect for other allocators.
///
/// It returns the top of its heap to the system whenever more than a threshold is free there. A training step that frees some
/// megabytes then has the same pages mapped again every time, which takes a sixth of its time. The threshold is twice the largest
/// block ever mapped and freed, so one block of the largest size that counts is allocated and freed, untouched.
pub(crate) fn retain_freed_memory() {
    /// Blocks above 32 MiB, including the allocator's overhead, do not count.
    const LARGEST: usize = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}

/// Peak memory of this process, where the system reports it (Linux).
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
