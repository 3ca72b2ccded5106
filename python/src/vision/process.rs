//! Processes that were forked: the threads of the parent's computations are not in them, and waiting for one would have no end.

use std::sync::OnceLock;

use anyhow::ensure;

/// The process that computes with networks.
static OWNER: OnceLock<u32> = OnceLock::new();

/// Refuses to compute in a process that was forked from one that computed with networks before.
///
/// # Errors
/// In such a process.
pub fn check() -> anyhow::Result<()> {
    let own = std::process::id();
    ensure!(
        *OWNER.get_or_init(|| own) == own,
        "this process was forked from one that had used networks, whose threads it does not have: start it with \
         multiprocessing.get_context(\"spawn\"), or use joblib's default backend"
    );
    Ok(())
}
