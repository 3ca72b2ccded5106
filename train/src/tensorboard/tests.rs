//! Against a file that the Python package `tensorboard` wrote: golden/make.py.

use super::*;

const GOLDEN: &[u8] = include_bytes!("golden/events.tfevents");
/// A PNG of one red pixel.
const PNG: &[u8] = include_bytes!("golden/red.png");

/// The same events as make.py's, bit for bit.
#[test]
fn events_are_those_of_the_python_package() {
    let scalars = [
        ("train/objective".to_owned(), 171.5),
        ("R²".to_owned(), -0.1),
    ];
    let png = Png {
        width: 1,
        height: 1,
        bytes: PNG,
    };
    let events = [
        event(1.7e9, 0, What::FileVersion),
        event(1.7e9, 301, What::Start),
        event(1.7e9 + 0.25, 320, What::Scalars(&scalars)),
        event(1.7e9 + 0.5, 1 << 33, What::Image("dictionary", png)),
    ];
    let found: Vec<u8> = events.iter().flat_map(|event| record(event)).collect();
    assert_eq!(found, GOLDEN);
}

#[test]
fn a_file_grows_by_whole_records_and_none_is_written_over() {
    let folder = std::env::temp_dir().join(format!("scotopic-tensorboard-{}", std::process::id()));
    let mut first = EventFile::create(&folder, 1.7e9, 0).unwrap();
    let before = fs::read(first.path()).unwrap();
    assert!(GOLDEN.starts_with(&before));
    first.scalars(1.7e9, 5, &[("loss".into(), 1.0)]).unwrap();
    let second = EventFile::create(&folder, 1.7e9, 300).unwrap();
    assert_ne!(first.path(), second.path());
    let name = first.path().file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("events.out.tfevents.1700000000."),
        "{name}"
    );
    let after = fs::read(first.path()).unwrap();
    assert!(after.starts_with(&before) && after.len() > before.len());
    // Two events: the version, and the start at step 301.
    let resumed = fs::read(second.path()).unwrap();
    assert!(GOLDEN.starts_with(&resumed) && resumed.len() > before.len());
    fs::remove_dir_all(&folder).unwrap();
}
