//! The files of tests/cases that went wrong once, by the commands that they went wrong with, each with its right value or its
//! right message.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use scotopic_datasets::npy;
use serde_json::Value;

use super::support::{Done, command, folder, listing, scotopic};

fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    path.join(name).to_string_lossy().into_owned()
}

/// The numbers of a key of a model that was written.
fn numbers(path: &Path, key: &str) -> Vec<f64> {
    let table: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let rows = table["emission"][key].as_array().unwrap().clone();
    let cells = rows.iter().flat_map(|row| row.as_array().unwrap());
    cells.map(|cell| cell.as_float().unwrap()).collect()
}

/// Volts · 1e-5: with priors in absolute units the variance was 2·10⁴ times too large.
#[test]
fn learning_does_not_depend_on_the_unit() {
    let folder = folder();
    let (model, data) = (case("uv.toml"), case("uv.csv"));
    let args = [
        "filter",
        "--model",
        &model,
        "--learn",
        &data,
        "--every",
        "0",
        "--model-out",
        "x.toml",
    ];
    let done = scotopic(folder.path(), &args);
    assert!(done.err.contains("ELBO 1207.2"), "{}", done.err);
    done.good();
    let variances = numbers(&folder.path().join("x.toml"), "variances");
    assert!((variances[0] / 9.0e-11 - 1.0).abs() < 0.01, "{variances:?}");
}

/// Daily returns: the two variances are of the order of 7.3e-4 and 5.5e-5, with pseudo-observations or without.
#[test]
fn pseudo_observations_vary_as_the_data() {
    let folder = folder();
    let data = case("ret.csv");
    let args = [
        "fit",
        &data,
        "--kind",
        "diagonal-gaussian",
        "--n-states",
        "2",
        "--pseudo-count",
        "0.1",
        "--out",
        "x.toml",
    ];
    scotopic(folder.path(), &args).good();
    let mut variances = numbers(&folder.path().join("x.toml"), "variances");
    variances.sort_by(f64::total_cmp);
    for (found, expected) in variances.iter().zip([5.5e-5, 7.3e-4]) {
        assert!((found / expected - 1.0).abs() < 0.05, "{variances:?}");
    }
}

#[test]
fn collinear_columns_are_named() {
    let folder = folder();
    for (name, columns) in [
        ("collin.csv", "1, 2"),
        ("col0.csv", "1, 2, 3"),
        ("col5.csv", "1, 2, 3"),
    ] {
        let data = case(name);
        let fit = [
            "fit",
            &data,
            "--kind",
            "full-gaussian",
            "--n-states",
            "1",
            "--out",
            "x.toml",
        ];
        let error = scotopic(folder.path(), &fit).bad(1);
        let expected = format!("the columns {columns} are collinear");
        assert!(error.contains(&expected), "{error}");
        // Regularised where asked.
        scotopic(
            folder.path(),
            &[&fit[..], &["--pseudo-count", "1"]].concat(),
        )
        .good();
        fs::remove_file(folder.path().join("x.toml")).unwrap();
    }
}

#[test]
fn what_is_free_is_counted() {
    let folder = folder();
    let (data, model) = (case("ring.csv"), case("ring.toml"));
    let args = ["fit", &data, "--model", &model, "--out", "x.toml", "--json"];
    let value = scotopic(folder.path(), &args).json();
    assert_eq!(value["fits"][0]["parameters"], 107);
}

#[test]
fn a_far_value_is_fitted() {
    let folder = folder();
    let data = case("outlier.txt");
    let args = [
        "fit",
        &data,
        "--kind",
        "diagonal-gaussian",
        "--n-states",
        "2",
        "--out",
        "x.toml",
        "--json",
    ];
    let value = scotopic(folder.path(), &args).json();
    assert!(
        value["fits"][0]["log_evidence"]
            .as_f64()
            .unwrap()
            .is_finite()
    );
    // Its values are no counts.
    let args = ["fit", &data, "--kind", "poisson", "--out", "y.toml"];
    let error = scotopic(folder.path(), &args).bad(1);
    assert!(
        error.contains("line 1") && error.contains("expected a count"),
        "{error}"
    );
}

/// A number is the same number in every format.
#[test]
fn numbers_of_json_are_those_of_csv() {
    let folder = folder();
    let model = case("lg1.toml");
    let lines = ["one.csv", "one.jsonl"].map(|name| {
        let data = case(name);
        scotopic(
            folder.path(),
            &["filter", "--model", &model, &data, "--quiet"],
        )
        .good()
    });
    assert_eq!(lines[0], lines[1]);
}

/// What grows without bound is refused, at once and by name.
#[test]
fn bounds_are_kept() {
    let folder = folder();
    let with_input = |args: &[&str], input: &[u8]| -> Done {
        let mut child = command(folder.path(), args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that has refused its input does not read it to the end.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    };
    let (quakes, smooth) = (case("quakes3.toml"), case("smooth.toml"));
    let args = ["filter", "--model", &quakes, "--format", "jsonl", "-"];
    let error = with_input(&args, &vec![b'1'; 40 << 20]).bad(1);
    assert!(
        error.contains("line 1") && error.contains("bytes"),
        "{error}"
    );
    let error = with_input(&["filter", "--model", &smooth, "-"], b"5\n").bad(2);
    assert!(
        error.contains("smoothness") && error.contains("1000000"),
        "{error}"
    );
    let (saved, data) = (case("lag.filter"), case("one.csv"));
    let error = scotopic(folder.path(), &["filter", "--resume", &saved, &data]).bad(2);
    assert!(
        error.contains("`lag`") && !error.contains("Custom"),
        "{error}"
    );
    let checkpoint = case("ordereddict.pt");
    let args = [
        "import",
        &checkpoint,
        "--out",
        "x",
        "--height",
        "3",
        "--width",
        "4",
    ];
    let error = scotopic(folder.path(), &args).bad(1);
    assert!(error.contains("more memory"), "{error}");
}

#[test]
fn pictures_are_seen_as_a_viewer_shows_them_or_refused() {
    let folder = folder();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints/dead-leaves");
    let model = model.to_string_lossy();
    let infer = |name: &str| -> Done {
        let input = case(name);
        let args = [
            "infer", &model, "--input", &input, "--out", "seen", "--device", "flex", "--json",
            "--force",
        ];
        scotopic(folder.path(), &args)
    };
    let seen = folder.path().join("seen");
    infer("flat128.png").good();
    let array = |name: &str| npy::read_npz_array(&seen.join("inference.npz"), name).unwrap();
    // Zero contrast: what standardisation makes of 0.
    let input = array("input");
    assert!(
        input.data.iter().all(|&v| v == input.data[0]),
        "a flat picture has contrast"
    );

    let upright = infer("exif6.jpg");
    // What was in the folder of pictures stays, and is said.
    let left = "1 other file in seen/pictures not of this input";
    assert!(upright.err.contains(left), "{}", upright.err);
    upright.good();
    let (rows, columns) = (array("row").data, array("column").data);
    let most = |values: &[f32]| values.iter().copied().fold(0.0f32, f32::max) as usize;
    let (height, width) = {
        let picture = scotopic_datasets::images::grey(&PathBuf::from(case("exif6.jpg"))).unwrap();
        (picture.height, picture.width)
    };
    assert!(height > width, "the camera was held upright");
    assert_eq!((most(&rows) + 12, most(&columns) + 12), (height, width));
    let whole = image::open(seen.join("pictures/exif6.jpg.png")).unwrap();
    assert_eq!(
        whole.height() as usize,
        height,
        "the picture comes back at full size"
    );
    assert_eq!(listing(&seen.join("pictures")).len(), 2);

    for (name, said) in [("trunc.jpg", "truncated"), ("declared.jpg", "4000 x 16384")] {
        let error = infer(name).bad(1);
        assert!(error.contains(name) && error.contains(said), "{error}");
    }
    // Labels beside the images are no reason to refuse them.
    let value: Value = infer("im_c.npz").json();
    assert!(value["images"].as_u64().unwrap() > 0);
}

/// Bytes taken for pixels from 0 to 1 gave a free energy of 1e10.
#[test]
fn input_of_another_scale_is_refused() {
    let folder = folder();
    let values = |scale: f32| -> Vec<f32> {
        (0..60 * 64u32)
            .map(|n| scale * ((n * n * 7 + n / 64 * 31) % 256) as f32 / 255.0)
            .collect()
    };
    let write = |name: &str, scale: f32| {
        npy::write(&folder.path().join(name), &[60, 8, 8], &values(scale)).unwrap();
    };
    write("unit.npy", 1.0);
    write("levels.npy", 255.0);
    write("huge.npy", 1e20);
    let train = [
        "train",
        "--preset",
        "smoke",
        "--device",
        "flex",
        "--data",
        ".",
        "--out",
        "run",
        "-q",
        "--set",
        "data.source=npy",
        "--set",
        "data.train=unit.npy",
        "--set",
        "data.validation_count=12",
        "--set",
        "train.iterations=4",
        "--set",
        "model.latents=8",
    ];
    scotopic(folder.path(), &train).good();
    for (name, said) in [
        ("levels.npy", "divide by 255"),
        ("huge.npy", "on the scale of the training images"),
    ] {
        let args = [
            "infer", "run", "--input", name, "--out", "seen", "--device", "flex",
        ];
        let error = scotopic(folder.path(), &args).bad(1);
        assert!(error.contains(name) && error.contains(said), "{error}");
    }
    assert!(!folder.path().join("seen").exists());
}
