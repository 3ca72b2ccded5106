//! `scotopic infer`: every kind of input, and every kind of wrong one.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::sync::LazyLock;

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, GrayImage, Luma};
use scotopic_datasets::npy;
use scotopic_train::checkpoint::Checkpoint;
use tempfile::TempDir;

use super::support::{Done, folder, listing, scotopic, trained};

/// Pixels and neurons of the tiny model.
const PIXELS: usize = 64;
const NEURONS: usize = 12;

static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = folder();
    trained(
        folder.path(),
        "run",
        &[
            "--set",
            "model.resting_low=-2.0",
            "--set",
            "model.resting_high=-1.0",
        ],
    );
    folder
});

fn infer(folder: &Path, input: &str, more: &[&str]) -> Done {
    let run = RUN.path().join("run");
    let args = [
        "infer",
        run.to_str().unwrap(),
        "--input",
        input,
        "--out",
        "seen",
        "--device",
        "flex",
        "--force",
    ];
    scotopic(folder, &[&args[..], more].concat())
}

type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn seen(folder: &Path) -> Arrays {
    // Beside them may be the names of the files of patches, which are no numbers.
    let path = folder.join("seen/inference.npz");
    let names = [
        "spikes",
        "rates",
        "samples",
        "means",
        "reconstruction",
        "reconstruction_rates",
        "reconstruction_means",
        "negative_log_likelihood",
        "kl",
        "free_energy",
    ];
    let arrays = names.map(|name| Some((name.to_owned(), npy::read_npz_array(&path, name).ok()?)));
    let what_it_made = arrays.into_iter().flatten();
    what_it_made
        .map(|(name, a)| (name, (a.shape, a.data)))
        .collect()
}

/// `n` different images.
fn images(n: usize) -> Vec<f32> {
    (0..n * PIXELS)
        .map(|k| ((k * k + 7 * k) % 31) as f32 / 10.0 - 1.5)
        .collect()
}

fn write(folder: &Path, name: &str, shape: &[usize], data: &[f32]) {
    npy::write(&folder.join(name), shape, data).unwrap();
}

#[test]
fn arrays_of_every_layout_are_the_same_images() {
    let folder = folder();
    let mut first: Option<Arrays> = None;
    for shape in [&[3, PIXELS][..], &[3, 8, 8], &[3, 1, 8, 8]] {
        write(folder.path(), "x.npy", shape, &images(3));
        let value = infer(folder.path(), "x.npy", &["--json"]).json();
        assert_eq!(
            (value["images"].as_u64(), value["steps"].as_u64()),
            (Some(3), Some(4))
        );
        let arrays = seen(folder.path());
        assert_eq!(
            *first.get_or_insert_with(|| arrays.clone()),
            arrays,
            "{shape:?}"
        );
    }
    let arrays = first.unwrap();
    for (name, shape) in [
        ("spikes", &[4, 3, NEURONS][..]),
        ("rates", &[3, NEURONS]),
        ("reconstruction", &[3, PIXELS]),
        ("reconstruction_rates", &[3, PIXELS]),
        ("free_energy", &[4, 3]),
        ("negative_log_likelihood", &[4, 3]),
        ("kl", &[4, 3]),
    ] {
        assert_eq!(arrays[name].0, shape, "{name}");
        assert!(arrays[name].1.iter().all(|v| v.is_finite()), "{name}");
    }
    let spikes = &arrays["spikes"].1;
    assert!(
        spikes.iter().all(|&z| z >= 0.0 && z.fract() == 0.0),
        "spikes are counts"
    );
    assert!(
        spikes.iter().any(|&z| z > 0.0),
        "a silent model tests nothing"
    );
    for k in 0..12 {
        let sum = arrays["negative_log_likelihood"].1[k] + arrays["kl"].1[k];
        assert_eq!(arrays["free_energy"].1[k], sum);
    }
    for picture in ["seen/reconstructions.png", "seen/raster.png"] {
        assert!(
            image::open(folder.path().join(picture)).unwrap().width() > 50,
            "{picture}"
        );
    }
}

#[test]
fn seed_and_steps_are_heeded() {
    let folder = folder();
    write(folder.path(), "x.npy", &[2, PIXELS], &images(2));
    let run = |more: &[&str]| {
        infer(folder.path(), "x.npy", more).good();
        seen(folder.path())
    };
    let first = run(&["--steps", "9"]);
    assert_eq!(first["spikes"].0, [9, 2, NEURONS]);
    assert_eq!(first, run(&["--steps", "9", "--seed", "0"]));
    assert_ne!(
        first["spikes"].1,
        run(&["--steps", "9", "--seed", "1"])["spikes"].1
    );
}

#[test]
fn npz_with_one_array_or_one_named_images() {
    let folder = folder();
    write(folder.path(), "x.npy", &[2, PIXELS], &images(2));
    infer(folder.path(), "x.npy", &[]).good();
    let expected = seen(folder.path());
    let (x, labels) = (images(2), [1.0, 2.0]);
    let one: &[(&str, &[usize], &[f32])] = &[("whatever", &[2, PIXELS], &x)];
    let two: &[(&str, &[usize], &[f32])] = &[("labels", &[2], &labels), ("images", &[2, 8, 8], &x)];
    for arrays in [one, two] {
        npy::write_npz(&folder.path().join("x.npz"), arrays).unwrap();
        infer(folder.path(), "x.npz", &[]).good();
        assert_eq!(seen(folder.path()), expected);
    }
}

/// A video whose frames are all the same is a still image.
#[test]
fn a_film_that_stands_still_is_a_still_image() {
    let folder = folder();
    let one = images(1);
    write(folder.path(), "still.npy", &[1, PIXELS], &one);
    infer(folder.path(), "still.npy", &["--steps", "6"]).good();
    let expected = seen(folder.path());
    for shape in [&[6, PIXELS][..], &[6, 1, PIXELS]] {
        write(folder.path(), "film.npy", shape, &one.repeat(6));
        let value = show(
            folder.path(),
            "kind=npy,path=film.npy,raw=true",
            &["--json"],
        )
        .json();
        assert_eq!(
            (value["images"].as_u64(), value["steps"].as_u64()),
            (Some(1), Some(6)),
            "{shape:?}"
        );
        assert_eq!(seen(folder.path()), expected, "{shape:?}");
    }
    // And one that moves is not; its first step sees the same frame.
    let mut film = one.repeat(6);
    film[PIXELS..].iter_mut().for_each(|v| *v *= -2.0);
    write(folder.path(), "film.npy", &[6, PIXELS], &film);
    show(folder.path(), "kind=npy,path=film.npy,raw=true", &[]).good();
    let moving = seen(folder.path());
    assert_eq!(
        moving["negative_log_likelihood"].1[0],
        expected["negative_log_likelihood"].1[0]
    );
    assert_ne!(
        moving["negative_log_likelihood"].1[1..],
        expected["negative_log_likelihood"].1[1..]
    );
}

/// The program with a stimulus and no input.
fn show(folder: &Path, spec: &str, more: &[&str]) -> Done {
    let run = RUN.path().join("run");
    let args = [
        "infer",
        run.to_str().unwrap(),
        "--stimulus",
        spec,
        "--out",
        "seen",
        "--device",
        "flex",
        "--force",
    ];
    scotopic(folder, &[&args[..], more].concat())
}

/// The frames that were shown, `[time, n, pixels]`.
fn frames(folder: &Path) -> (Vec<usize>, Vec<f32>) {
    let mut arrays = npy::read_npz(&folder.join("seen/inference.npz")).unwrap();
    assert_eq!(arrays[0].0, "input");
    let input = arrays.remove(0).1;
    (input.shape, input.data)
}

#[test]
fn every_kind_of_stimulus_is_seen() {
    let folder = folder();
    write(folder.path(), "x.npy", &[3, PIXELS], &images(3));
    write(folder.path(), "film.npy", &[5, 2, PIXELS], &images(10));
    let film = folder.path().join("film");
    fs::create_dir(&film).unwrap();
    for n in 0..2 {
        picture(&film.join(format!("{n}.png")), 9 + n, 12);
    }
    fs::write(
        folder.path().join("s.toml"),
        "kind = \"grating\"\norientation = 45.0\n",
    )
    .unwrap();
    let own: &[&str] = &["--steps", "7"];
    let given: &[&str] = &["--steps", "7", "--input", "x.npy"];
    for (spec, more, shape) in [
        ("kind=static", own, [1, 12, PIXELS]),
        ("kind=static", given, [1, 3, PIXELS]),
        ("kind=jitter,pixels=1,max_offset=2", own, [7, 12, PIXELS]),
        ("kind=jitter", given, [7, 3, PIXELS]),
        ("kind=rotate,degrees=90", given, [7, 3, PIXELS]),
        ("kind=grating,orientation=45", own, [7, 1, PIXELS]),
        ("s.toml", own, [7, 1, PIXELS]),
        (
            "kind=white-noise,sigma=0.5",
            &["--max-images", "4"],
            [4, 4, PIXELS],
        ),
        (
            "kind=video,path=film,steps_per_frame=3",
            &[],
            [6, 1, PIXELS],
        ),
        ("kind=npy,path=film.npy", &[], [5, 2, PIXELS]),
        ("kind=npz,path=film.npy,repeat=true", own, [7, 2, PIXELS]),
        (
            "kind=npy,path=film.npy",
            &["--max-images", "1", "--steps", "2"],
            [2, 1, PIXELS],
        ),
    ] {
        let value = show(folder.path(), spec, &[&["--json"], more].concat()).json();
        assert_eq!(frames(folder.path()).0, shape, "{spec}");
        let steps = value["steps"].as_u64().unwrap() as usize;
        assert!(shape[0] == 1 || shape[0] == steps, "{spec}: {value}");
        let gif = fs::File::open(folder.path().join("seen/unroll.gif")).unwrap();
        let gif = GifDecoder::new(BufReader::new(gif)).unwrap();
        assert_eq!(gif.into_frames().count(), steps, "{spec}");
    }
    let film = show(folder.path(), "kind=video,path=film,steps_per_frame=3", &[]);
    assert!(film.err.contains("shown unfiltered"), "{}", film.err);
    film.good();
    // A file and a line that say the same are the same.
    show(folder.path(), "s.toml", own).good();
    let file = frames(folder.path());
    show(folder.path(), "kind=grating,orientation=45", own).good();
    assert_eq!(frames(folder.path()), file);
}

/// A quarter turn leaves nothing out; an eighth shows corners, which are as blank as pixel 0 is after scaling.
#[test]
fn what_lies_outside_an_image_is_blank() {
    let folder = folder();
    write(folder.path(), "x.npy", &[1, PIXELS], &[1.0; PIXELS]);
    let run = RUN.path().join("run/best/model.safetensors");
    let scale = Checkpoint::read(&run).unwrap().image.standardisation;
    let mut expected = [0.0, 1.0];
    scale.apply(&mut expected);
    let input = ["--input", "x.npy", "--steps", "2"];
    show(folder.path(), "kind=rotate,degrees=45", &input).good();
    let (_, data) = frames(folder.path());
    assert_eq!(data[0], expected[1]);
    assert!(
        (data[PIXELS] - expected[0]).abs() < 1e-6,
        "{}",
        data[PIXELS]
    );
    show(folder.path(), "kind=rotate,degrees=45,background=3", &input).good();
    assert_eq!(frames(folder.path()).1[PIXELS], 3.0);
}

/// A long film is animated in as many frames as can be watched.
#[test]
fn long_films_are_animated_in_few_frames() {
    let folder = folder();
    show(folder.path(), "kind=grating", &["--steps", "301"]).good();
    let gif = fs::File::open(folder.path().join("seen/unroll.gif")).unwrap();
    let gif = GifDecoder::new(BufReader::new(gif)).unwrap();
    assert_eq!(gif.into_frames().count(), 100);
}

#[test]
fn a_stimulus_that_makes_no_sense_is_refused() {
    let folder = folder();
    write(folder.path(), "x.npy", &[1, PIXELS], &images(1));
    write(folder.path(), "film.npy", &[3, 63], &[0.0; 189]);
    let before = listing(folder.path());
    for (spec, more, code, expected) in [
        ("kind=gratign", &[][..], 2, "did you mean `grating`?"),
        (
            "kind=grating,orientatoin=3",
            &[],
            2,
            "did you mean `orientation`?",
        ),
        ("kind=grating,contrast=-1", &[], 2, "contrast"),
        ("grating", &[], 2, "kind=grating"),
        ("kind=grating", &["--input", "x.npy"], 2, "leave one out"),
        ("kind=grating", &["--standardised"], 2, "--input"),
        ("kind=npy,path=missing.npy", &[], 1, "missing.npy"),
        ("kind=npy,path=film.npy", &[], 1, "found 63, expected 64"),
        ("kind=npy,path=x.npy", &["--steps", "9"], 1, "fewer steps"),
        ("kind=video,path=nowhere", &[], 1, "nowhere"),
        (
            "kind=white-noise",
            &["--steps", "16000000", "--max-images", "9"],
            1,
            "lower --steps",
        ),
    ] {
        let error = show(folder.path(), spec, more).bad(code);
        assert!(
            error.contains(expected),
            "{spec}: expected `{expected}`: {error}"
        );
        assert_eq!(listing(folder.path()), before, "{spec}");
    }
}

/// Dead leaves are standardised, so giving pixels on that scale is something else than giving raw ones.
#[test]
fn the_scale_of_training_is_applied_unless_told_otherwise() {
    let folder = folder();
    write(folder.path(), "x.npy", &[2, PIXELS], &images(2));
    infer(folder.path(), "x.npy", &[]).good();
    let scaled = seen(folder.path());
    infer(folder.path(), "x.npy", &["--standardised"]).good();
    let plain = seen(folder.path());
    assert_ne!(
        scaled["negative_log_likelihood"].1,
        plain["negative_log_likelihood"].1
    );
}

fn picture(path: &Path, width: u32, height: u32) {
    GrayImage::from_fn(width, height, |x, y| {
        Luma([((x * x * 7 + y * 13) % 256) as u8])
    })
    .save(path)
    .unwrap();
}

#[test]
fn pictures_are_seen_whole_or_in_patches() {
    let folder = folder();
    let count = |input: &str| {
        let value = infer(folder.path(), input, &["--json"]).json();
        value["images"].as_u64().unwrap()
    };
    picture(&folder.path().join("small.png"), 8, 8);
    assert_eq!(count("small.png"), 1);
    // 35×20 pixels are covered by 5×3 patches of 8×8, of which the last lie flush with the edges.
    picture(&folder.path().join("large.png"), 35, 20);
    assert_eq!(count("large.png"), 15);
    let gallery = folder.path().join("gallery");
    fs::create_dir(&gallery).unwrap();
    picture(&gallery.join("a.png"), 35, 20);
    picture(&gallery.join("b.png"), 8, 8);
    assert_eq!(count("gallery"), 16);
}

#[test]
fn every_wrong_input_is_refused_by_name_and_nothing_is_written() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let x = images(2);
    write(folder.path(), "flat.npy", &[PIXELS], &x[..PIXELS]);
    write(folder.path(), "narrow.npy", &[2, 63], &x[..126]);
    write(folder.path(), "empty.npy", &[0, PIXELS], &[]);
    let two: &[(&str, &[usize], &[f32])] = &[
        ("a", &[1, PIXELS], &x[..PIXELS]),
        ("b", &[1, PIXELS], &x[..PIXELS]),
    ];
    npy::write_npz(&path("two.npz"), two).unwrap();
    npy::write_npz(&path("none.npz"), &[]).unwrap();
    fs::write(path("text.npy"), "1 2 3").unwrap();
    fs::write(path("text.txt"), "1 2 3").unwrap();
    // A NaN, as another program may write it: the last value is replaced.
    write(folder.path(), "nan.npy", &[2, PIXELS], &x);
    let mut bytes = fs::read(path("nan.npy")).unwrap();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(path("nan.npy"), &bytes).unwrap();
    fs::write(path("cut.npy"), &bytes[..end - 9]).unwrap();
    picture(&path("tiny.png"), 7, 30);
    picture(&path("whole.png"), 30, 30);
    let bytes = fs::read(path("whole.png")).unwrap();
    fs::write(path("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    fs::create_dir(path("nothing")).unwrap();
    let cases: [(&str, &[&str], &str); 13] = [
        ("missing.npy", &[], "No such file"),
        ("missing.png", &[], "No such file"),
        ("flat.npy", &[], "64 pixels"),
        ("narrow.npy", &[], "1×8×8 = 64 pixels"),
        ("empty.npy", &[], "empty"),
        ("two.npz", &[], "a [1, 64], b [1, 64]"),
        ("none.npz", &[], "expected an array of images"),
        ("text.npy", &[], "text.npy"),
        ("text.txt", &[], "text.txt"),
        ("nan.npy", &[], "image 1, pixel 63"),
        ("cut.npy", &[], "cut.npy"),
        ("tiny.png", &[], "at least 8 x 8"),
        ("cut.png", &[], "cut.png"),
    ];
    for (input, more, expected) in cases {
        let error = infer(folder.path(), input, more).bad(1);
        assert!(
            error.contains(input) && error.contains(expected),
            "{input}: expected `{expected}`: {error}"
        );
        assert!(!path("seen").exists(), "{input}: something was written");
    }
    let error = infer(folder.path(), "nothing", &[]).bad(1);
    assert!(error.contains("nothing"), "{error}");
    write(folder.path(), "x.npy", &[100, PIXELS], &images(100));
    let error = infer(folder.path(), "x.npy", &["--steps", "16000000"]).bad(1);
    assert!(error.contains("lower --steps"), "{error}");
    assert!(!path("seen").exists());
    fs::write(path("seen"), "a file where the folder should be").unwrap();
    let error = infer(folder.path(), "x.npy", &[]).bad(2);
    assert!(
        error.contains("--out seen is a file, expected a folder"),
        "{error}"
    );
}
