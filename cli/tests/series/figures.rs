//! Figures of the commands that take whole series, and of a belief without end.

use super::{Folder, noise, table};

const STATES: &str = "kind = \"hmm\"\ninitial = [0.5, 0.5]\ntransition = [[0.9, 0.1], [0.1, 0.9]]\n[emission]\n\
                      kind = \"poisson\"\nrates = [[1.0], [6.0]]\n";
const LEVEL: &str = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                     observation_noise = [[1.0]]\n";

/// The text of a file, which must be there.
fn text(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn decoded_states_are_drawn_above_the_data() {
    let counts: Vec<f64> = (0..60).map(|t| f64::from(t / 20 % 2 * 6 + t % 3)).collect();
    let folder = Folder::with(&[
        ("y.csv", &table("spikes", &[&counts])),
        ("two.toml", STATES),
    ]);
    let decode = [
        "decode", "y.csv", "--model", "two.toml", "--out", "s.csv", "--figure",
    ];
    folder.good(&[&decode[..], &["d.svg"]].concat());
    let svg = text(&folder, "d.svg");
    for said in ["decoded: y.csv", "state 2", "spikes"] {
        assert!(svg.contains(said), "{said}");
    }
    folder.good(&[&decode[..], &["d.gif"]].concat());
    folder.refused(&[&decode[..], &["s.csv"]].concat(), &["s.csv"]);
    let several = [
        "decode", "y.csv", "y.csv", "--model", "two.toml", "--figure", "d.svg",
    ];
    folder.refused(&several, &["--figure shows one series"]);
}

#[test]
fn intervals_and_models_are_drawn() {
    let folder = Folder::with(&[
        ("y.csv", &table("y", &[&noise(80)])),
        ("level.toml", LEVEL),
        ("other.toml", &LEVEL.replace("0.9", "0.1")),
    ]);
    let summary = ["summary", "y.csv", "--model", "level.toml", "--figure"];
    folder.good(&[&summary[..], &["s.svg"]].concat());
    assert!(text(&folder, "s.svg").contains("observation_noise"));
    folder.refused(
        &[&summary[..], &["s.gif"]].concat(),
        &["estimates do not move"],
    );
    let compare = [
        "compare",
        "y.csv",
        "--model",
        "level.toml",
        "--model",
        "other.toml",
        "--out",
        "c",
    ];
    folder.good(&compare);
    assert!(text(&folder, "c/models.svg").contains("Nats behind"));
}

/// The first belief of a diffuse start knows one state of two, and nothing of the other.
#[test]
fn an_animation_of_a_diffuse_start_ends() {
    let trend = "kind = \"linear-gaussian\"\ntransition = [[1.0, 1.0], [0.0, 1.0]]\nprocess_noise = [[0.01, 0.0], [0.0, 0.01]]\n\
                 observation = [[1.0, 0.0]]\nobservation_noise = [[0.25]]\n";
    let folder = Folder::with(&[("y.csv", "y\n1\n2\n4\n3\n5\n6\n"), ("trend.toml", trend)]);
    for figure in ["d.gif", "d.png", "d.svg"] {
        folder.good(&[
            "filter",
            "y.csv",
            "--model",
            "trend.toml",
            "--every",
            "0",
            "--figure",
            figure,
        ]);
        assert!(folder.path().join(figure).metadata().unwrap().len() > 1000);
    }
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<String> = names
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        !names.iter().any(|name| name.ends_with(".part")),
        "{names:?}"
    );
}
