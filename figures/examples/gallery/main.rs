//! Draws every kind of figure from made-up data into a folder:
//!
//! ```sh
//! cargo run --release -p scotopic-figures --example gallery -- FOLDER
//! ```

mod kinds;

use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("name the folder for the figures")?;
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    for (name, figure) in kinds::all()? {
        let endings: &[&str] = if figure.frames.is_empty() {
            &["svg", "png"]
        } else {
            &["svg", "png", "gif"]
        };
        for ending in endings {
            let path = folder.join(format!("{name}.{ending}"));
            let start = Instant::now();
            figure.write(&path)?;
            let bytes = std::fs::metadata(&path)?.len();
            println!(
                "{:<28} {:>8} bytes {:>7.3} s, {} frames",
                format!("{name}.{ending}"),
                bytes,
                start.elapsed().as_secs_f64(),
                figure.frames.len()
            );
        }
    }
    Ok(())
}
