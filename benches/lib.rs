//! Benches: `cargo bench -p scotopic-benches`. What the numbers mean is in
//! docs/performance.md.
