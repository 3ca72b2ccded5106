//! `scotopic filter --figure` and `--true-states`: pictures of what was believed, and how good it was.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, Rgb, RgbImage};
use scotopic_figures::colour::PALETTE;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{folder, listing, scotopic};

const LINEAR: &str = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\n\
                      observation = [[1.0]]\nobservation_noise = [[4.0]]\noffset = [0.0]\nbias = [0.0]\n\
                      initial_mean = [0.0]\ninitial_covariance = [[5.0]]\n";
const HMM: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.2, 0.8]]\n\
                   [emission]\nkind = \"poisson\"\nrates = [[10.0], [27.0]]\n";
/// What is looked for in pictures: a line of the belief, and the shade behind missing rows.
/// The first colour of the palette.
const BLUE: Rgb<u8> = Rgb(PALETTE[0].0);
const MISSING: Rgb<u8> = Rgb([236, 236, 236]);

/// Forty bins that go up and down, of which ten are missing, with their true states.
fn prepared() -> TempDir {
    let folder = folder();
    let wave = |t: u32| 4.0 * (0.3 * f64::from(t)).sin();
    let (mut y, mut x, mut counts, mut states) = (
        "level\n".to_owned(),
        "depth\n".to_owned(),
        String::new(),
        String::new(),
    );
    for t in 0..40 {
        let noise = 2.0 * (12.9898 * f64::from(t)).sin();
        x += &format!("{}\n", wave(t));
        y += &match (20..30).contains(&t) {
            true => "NA\n".to_owned(),
            false => format!("{}\n", wave(t) + noise),
        };
        let state = t / 10 % 2;
        counts += &format!("{}\n", 10 + 17 * state + t % 3);
        states += &format!("{}\n", 1 + state);
    }
    for (name, text) in [
        ("y.csv", y.as_str()),
        ("x.csv", &x),
        ("counts.csv", &counts),
        ("states.csv", &states),
        ("linear.toml", LINEAR),
        ("hmm.toml", HMM),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn picture(folder: &Path, name: &str) -> RgbImage {
    let path = folder.join(name);
    let picture = image::open(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
    let picture = picture.to_rgb8();
    let (width, height) = picture.dimensions();
    // Two pixels for each of about nine hundred.
    assert!((800..2600).contains(&width) && (300..6000).contains(&height));
    picture
}

fn count(picture: &RgbImage, colour: Rgb<u8>) -> usize {
    picture.pixels().filter(|p| **p == colour).count()
}

#[test]
fn a_picture_shows_the_belief_and_the_gap_and_lines_go_out_as_before() {
    let folder = prepared();
    let run = |more: &[&str]| {
        let args = ["filter", "--model", "linear.toml", "y.csv"];
        scotopic(folder.path(), &[&args[..], more].concat())
    };
    let plain = run(&[]).good();
    let drawn = run(&["--figure", "a.png"]).good();
    assert_eq!(plain, drawn);
    let one = picture(folder.path(), "a.png");
    assert!(count(&one, BLUE) > 500);
    // A quarter of the width of two panels, besides grid, band and line.
    let shaded = count(&one, MISSING) as f64 / f64::from(one.width() * one.height());
    assert!((0.02..0.3).contains(&shaded), "{shaded}");
    // The same figure with lines and text that can be edited.
    run(&["--figure", "a.svg"]).good();
    let drawn = fs::read_to_string(folder.path().join("a.svg")).unwrap();
    for part in ["<svg", "1 dimension: y.csv", ">level<", "class=\"band\""] {
        assert!(drawn.contains(part), "{part}");
    }
    // Errors against the truth have a panel of their own, and a phase portrait a place.
    run(&["--figure", "b.png", "--true-states", "x.csv"]).good();
    let with_truth = picture(folder.path(), "b.png");
    assert!(with_truth.height() > one.height());
    let files = listing(folder.path());
    let left = |p: &&std::path::PathBuf| p.extension().is_some_and(|e| e == "tmp" || e == "trial");
    assert_eq!(files.iter().find(left), None);
}

#[test]
fn scores_are_those_of_the_lines() {
    let folder = prepared();
    let args = [
        "filter",
        "--model",
        "linear.toml",
        "y.csv",
        "--true-states",
        "x.csv",
        "--band",
        "1.5sd",
    ];
    let done = scotopic(folder.path(), &args);
    let told = done.err.clone();
    let truth = fs::read_to_string(folder.path().join("x.csv")).unwrap();
    let truth: Vec<f64> = truth.lines().skip(1).map(|x| x.parse().unwrap()).collect();
    let (mut squares, mut inside, mut nees) = (0.0, 0.0, 0.0);
    for (line, x) in done.good().lines().zip(&truth) {
        let line: Value = serde_json::from_str(line).unwrap();
        let (m, v) = (
            line["mean"][0].as_f64().unwrap(),
            line["variance"][0].as_f64().unwrap(),
        );
        let e = m - x;
        squares += e * e;
        inside += if e.abs() <= 1.5 * v.sqrt() { 1.0 } else { 0.0 };
        nees += e * e / v;
    }
    let n = truth.len() as f64;
    let expected = format!(
        "RMSE {:.4}, {:.1} % of the true states within ± 1.5 standard deviations, NEES {:.3}",
        (squares / n).sqrt(),
        100.0 * inside / n,
        nees / n
    );
    assert!(told.contains(&expected), "{told}\n{expected}");
}

#[test]
fn a_discrete_model_is_drawn_and_scored() {
    let folder = prepared();
    let args = [
        "filter",
        "--model",
        "hmm.toml",
        "counts.csv",
        "--true-states",
        "states.csv",
        "--every",
        "0",
        "--figure",
    ];
    let done = scotopic(folder.path(), &[&args[..], &["h.png"]].concat());
    assert!(
        done.err.contains("most probable in 100.0 %"),
        "{}",
        done.err
    );
    assert_eq!(done.good(), "");
    // Both states fill half of a panel, in three quarters of their colour.
    let shown = picture(folder.path(), "h.png");
    for colour in &PALETTE[..2] {
        let paler = colour.0.map(|c| 0.75 * f64::from(c) + 0.25 * 255.0);
        let like = |pixel: &Rgb<u8>| {
            let mut pairs = pixel.0.iter().zip(paler);
            pairs.all(|(p, c)| (f64::from(*p) - c).abs() < 1.0)
        };
        let filled = shown.pixels().filter(|pixel| like(pixel)).count();
        assert!(filled > 30_000, "{colour:?}: {filled}");
    }
    scotopic(folder.path(), &[&args[..], &["h.gif"]].concat()).good();
    let file = File::open(folder.path().join("h.gif")).unwrap();
    let decoder = GifDecoder::new(BufReader::new(file)).unwrap();
    assert_eq!(decoder.into_frames().collect_frames().unwrap().len(), 40);
}

#[test]
fn an_animation_unfolds_and_a_resumed_filter_is_drawn_from_where_it_is() {
    let folder = prepared();
    let args = ["filter", "y.csv", "--every", "0", "--figure", "a.gif"];
    let start = ["--model", "linear.toml", "--save", "a.filter"];
    scotopic(folder.path(), &[&args[..], &start].concat()).good();
    let frames = |name: &str| -> Vec<RgbImage> {
        let file = File::open(folder.path().join(name)).unwrap();
        let frames = GifDecoder::new(BufReader::new(file)).unwrap().into_frames();
        let frames = frames.collect_frames().unwrap().into_iter();
        frames
            .map(|f| image::DynamicImage::ImageRgba8(f.into_buffer()).to_rgb8())
            .collect()
    };
    let first = frames("a.gif");
    assert_eq!(first.len(), 40);
    // The colours of an animation are kept to five bits.
    let near = |p: &Rgb<u8>| p.0.iter().all(|c| (233..=243).contains(c));
    let shaded = |picture: &RgbImage| picture.pixels().filter(|p| near(p)).count();
    assert!(shaded(&first[10]) < shaded(&first[25]) && shaded(&first[25]) < shaded(&first[35]));
    let more = ["--resume", "a.filter", "--true-states", "x.csv"];
    scotopic(folder.path(), &[&args[..], &more].concat()).good();
    // Other bins and another panel: another picture.
    assert_ne!(frames("a.gif")[39].dimensions(), first[39].dimensions());
}

#[test]
fn what_was_seen_is_drawn_where_the_data_go_wrong() {
    let folder = prepared();
    let run = |data: &str, more: &[&str]| {
        let args = ["filter", "--model", "linear.toml", data, "--every", "0"];
        scotopic(folder.path(), &[&args[..], more].concat())
    };
    let good = fs::read_to_string(folder.path().join("y.csv")).unwrap();
    // The figure's title has the name of the file, without its folder.
    fs::create_dir(folder.path().join("bad")).unwrap();
    fs::write(folder.path().join("bad/y.csv"), format!("{good}three\n")).unwrap();
    let told = run("bad/y.csv", &["--figure", "a.png"]).bad(1);
    assert!(told.contains("bad/y.csv"), "{told}");
    run("y.csv", &["--figure", "b.png"]).good();
    assert_eq!(
        picture(folder.path(), "a.png"),
        picture(folder.path(), "b.png")
    );
    // True states that end early, are too many, or invalid.
    for (text, said) in [
        ("depth\n1.0\n2.0\n".to_owned(), "ends after 2 true states"),
        (
            "depth\n".to_owned() + &"1.0\n".repeat(41),
            "has more rows than there are observations (40)",
        ),
        ("a,b\n1,2\n".to_owned(), "found 2 true states"),
    ] {
        fs::write(folder.path().join("wrong.csv"), text).unwrap();
        let told = run(
            "y.csv",
            &["--true-states", "wrong.csv", "--figure", "c.png"],
        )
        .bad(1);
        assert!(told.contains(said) && told.contains("wrong.csv"), "{told}");
        assert!(folder.path().join("c.png").exists());
    }
    fs::write(folder.path().join("states.csv"), "1\n3\n").unwrap();
    let args = [
        "filter",
        "--model",
        "hmm.toml",
        "counts.csv",
        "--true-states",
        "states.csv",
    ];
    let done = scotopic(folder.path(), &[&args[..], &["--every", "0"]].concat());
    let told = done.bad(1);
    assert!(told.contains("the states are 1 to 2"), "{told}");
}

#[test]
fn requests_that_make_no_sense_are_refused_before_anything_is_written() {
    let folder = prepared();
    for (more, said) in [
        (&["--figure", "a.jpg"][..], ".png for a picture, .gif"),
        (&["--figure", "a"], ".png"),
        (&["--figure", "y.csv.png/a.png"], "could not write"),
        (
            &["--figure", "a.png", "--phase-plot", "1,2"],
            "asks for state 2",
        ),
        (
            &["--figure", "a.png", "--phase-plot", "1,1"],
            "not a pair of different states",
        ),
        (&["--phase-plot", "1,2"], "--figure"),
        (&["--band", "0.5"], "--band is for a --figure"),
        (&["--figure", "a.png", "--band", "2"], "0.9 or 90%"),
        (&["--figure", "a.png", "--out", "a.png"], "written twice"),
        (
            &["--figure", "x.png", "--true-states", "x.png"],
            "would be overwritten",
        ),
        (&["--true-states", "nowhere.csv"], "nowhere.csv"),
    ] {
        fs::write(folder.path().join("x.png"), "1\n").unwrap();
        let args = ["filter", "--model", "linear.toml", "y.csv"];
        let told = scotopic(folder.path(), &[&args[..], more].concat()).bad(2);
        assert!(told.contains(said), "{more:?}: {told}");
        assert!(!folder.path().join("a.png").exists());
    }
}

/// A column of times is on the axis of every figure: years on that of filter, smooth, forecast and residuals, and the years of
/// dates.
#[test]
fn figures_show_the_times() {
    let folder = folder();
    let value = |t: i32| (0.7 * f64::from(t)).sin() + 0.1 * f64::from(t % 3);
    let (mut years, mut days) = ("year,y\n".to_owned(), "date,y\n".to_owned());
    for t in 0..60 {
        years += &format!("{},{}\n", 1871 + t, value(t));
        days += &format!("{:04}-{:02}-01,{}\n", 1990 + t / 12, 1 + t % 12, value(t));
    }
    for (name, text) in [
        ("years.csv", years.as_str()),
        ("days.csv", &days),
        ("m.toml", LINEAR),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let shows = |command: &[&str], data: &str, time: &str, labels: &[&str]| {
        let figure = format!("{}-{time}.svg", command[0]);
        let more = ["--model", "m.toml", "--time", time, "--figure", &figure];
        scotopic(folder.path(), &[command, &[data], &more].concat()).good();
        let svg = fs::read_to_string(folder.path().join(&figure)).unwrap();
        for label in labels {
            assert!(
                svg.contains(&format!(">{label}<")),
                "{figure} lacks {label}"
            );
        }
        assert!(
            !svg.contains(">bin<") && !svg.contains(">observation<"),
            "{figure}"
        );
    };
    let commands: [&[&str]; 4] = [
        &["filter", "--every", "0"],
        &["smooth"],
        &["forecast", "--ahead", "5", "--quantiles", "0.1,0.9"],
        &["residuals"],
    ];
    for command in commands {
        shows(command, "years.csv", "year", &["1900", "year"]);
        shows(command, "days.csv", "date", &["1992", "date"]);
    }
}
