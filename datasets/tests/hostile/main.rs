//! Damaged files of every format, by seed: each is read or refused, within ten seconds and a bound on memory.
//!
//! `SCOTOPIC_HOSTILE_SECONDS` says how long to go on (16 by default, 120 in `.ci/run`), `SCOTOPIC_HOSTILE_SEED` with which
//! damage to begin (0 by default): this is the fuzzer of the project, and needs no nightly compiler. A file that goes wrong
//! is kept where the message says.
#![cfg(feature = "images")]

mod allocator;
mod floods;
mod formats;
mod mutation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use formats::Format;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

/// Beyond four times what was read.
const ROOM: usize = 64 << 20;
const SLOWEST: Duration = Duration::from_secs(10);

/// What is being read, since when.
static NOW: Mutex<Option<(String, Instant)>> = Mutex::new(None);

/// Ends the program if a file takes for ever: no test could.
fn watch() {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            if let Some((name, since)) = &*NOW.lock().unwrap()
                && since.elapsed() > 2 * SLOWEST
            {
                eprintln!("{name} has not been read after {:?}", since.elapsed());
                std::process::exit(1);
            }
        }
    });
}

/// Reads one file; what is wrong with how.
fn attempt(format: &Format, path: &std::path::Path) -> Result<(), String> {
    let begun = Instant::now();
    *NOW.lock().unwrap() = Some((path.display().to_string(), begun));
    let read = || catch_unwind(AssertUnwindSafe(|| (format.read)(path)));
    let (read, most) = allocator::most_bytes(read);
    *NOW.lock().unwrap() = None;
    let took = begun.elapsed();
    let read = read.map_err(|_| "a panic".to_owned())?;
    // What is refused is no larger than what it was made from, which is small.
    let size = read.as_ref().copied().unwrap_or(0).max(1 << 16);
    if most > 4 * size + ROOM {
        return Err(format!("{most} bytes for {size}: {read:?}"));
    }
    if took > SLOWEST {
        return Err(format!("{took:?}: {read:?}"));
    }
    if let Err(error) = read {
        let text = error.to_string();
        if text.len() > 4000 {
            return Err(format!("a message of {} bytes", text.len()));
        }
    }
    Ok(())
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {text:?}, expected a number")),
        Err(_) => default,
    }
}

#[test]
fn damaged_files_are_read_or_refused() {
    watch();
    let seconds: f64 = setting("SCOTOPIC_HOSTILE_SECONDS", 16.0);
    let first: u64 = setting("SCOTOPIC_HOSTILE_SEED", 0);
    let formats = formats::all();
    let others: Vec<&[u8]> = formats.iter().map(|f| &f.whole[..]).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for format in &formats {
        std::fs::write(&path, (format.finish)(format.whole.clone())).unwrap();
        (format.read)(&path).unwrap_or_else(|e| panic!("{} as it was made: {e}", format.name));
    }
    let mut wrong = Vec::new();
    for flood in floods::all() {
        std::fs::write(&path, &flood.whole).unwrap();
        if let Err(what) = attempt(&flood, &path) {
            wrong.push(format!("{}: {what}", flood.name));
        }
    }
    let begun = Instant::now();
    let mut seed = first;
    while begun.elapsed().as_secs_f64() < seconds {
        for format in &formats {
            let bytes = (format.finish)(mutation::damaged(&format.whole, &others, seed));
            std::fs::write(&path, &bytes).unwrap();
            if let Err(what) = attempt(format, &path) {
                let name = format!("hostile-{}-{seed}", format.name);
                let kept = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
                std::fs::write(&kept, &bytes).unwrap();
                wrong.push(format!("{}: {what}", kept.display()));
            }
            seed += 1;
        }
        assert!(wrong.len() < 20, "{}", wrong.join("\n"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} files", seed - first);
}
