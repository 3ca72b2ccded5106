use super::super::npz::tests::zipped;
use super::*;

fn npy(values: &[f64]) -> Vec<u8> {
    let mut header = format!(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}",
        values.len()
    );
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    values.iter().for_each(|v| out.extend(v.to_le_bytes()));
    out
}

fn file(arrays: &[(&str, &[f64])]) -> Result<SpikeTrains> {
    let named: Vec<(String, Vec<u8>)> = arrays
        .iter()
        .map(|(name, v)| (format!("{name}.npy"), npy(v)))
        .collect();
    let files: Vec<(&str, Vec<u8>)> = named.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    SpikeTrains::of(&zipped(&files, 0))
}

const ONE: (&str, &[f64]) = ("ca1, 7", &[3.0, 0.5, 10.5]);
const OTHER: (&str, &[f64]) = ("ca3", &[1.5, 1.6, 12.2]);

#[test]
fn units_are_columns_from_time_0_on() {
    let trains = file(&[ONE, OTHER, ("silent", &[])]).unwrap();
    assert_eq!(
        trains.names().collect::<Vec<_>>(),
        ["ca1, 7", "ca3", "silent"]
    );
    let counts = trains.counts(0, 5.0, None).unwrap().0;
    assert_eq!(counts, [[2, 2, 0], [0, 0, 0], [1, 1, 0]]);
    assert_eq!(
        trains.counts(0, 10.0, Some(20.0)).unwrap(),
        (vec![vec![2, 2, 0], vec![1, 1, 0]], Rest::default())
    );
    // A bin that the end cuts is left out, with the spike at 12.2.
    let (counts, rest) = trains.counts(0, 4.0, Some(15.0)).unwrap();
    assert_eq!(counts, [[2, 2, 0], [0, 0, 0], [1, 0, 0]]);
    let cut = Rest {
        cut: 1,
        spikes: 1,
        open: 0,
    };
    assert_eq!(rest, cut);
    let late = trains.counts(0, 1.0, Some(12.0)).unwrap_err().to_string();
    assert!(late.contains("12.2 comes after --spike-end"), "{late}");
}

/// Times in seconds are no multiples of 10 ms to the last bit, nor are differences to the start of a trial.
#[test]
fn a_spike_on_an_edge_is_in_the_bin_that_begins_there() {
    let times: Vec<f64> = (0..999).map(|k| f64::from(k) / 100.0).collect();
    let trains = file(&[("a", &times)]).unwrap();
    let counts = trains.counts(0, 0.01, None).unwrap().0;
    assert_eq!(counts, vec![[1]; 999]);
    for start in [0.3, 1.1, 2.7] {
        let trains = file(&[("a", &times), ("trial_start", &[start])]).unwrap();
        let counts = trains.counts(0, 0.01, None).unwrap().0;
        let rows = 999 - (100.0 * start).round() as usize;
        assert_eq!(counts, vec![[1]; rows], "{start}");
    }
    // An end between edges, and a spike in the last millionth before it.
    assert_eq!(bin_of(0.57 - 1e-9, 0.01, 57), 56);
}

#[test]
fn trials_have_clocks_of_their_own() {
    let starts = ("trial_start", &[0.0, 10.0][..]);
    let trains = file(&[ONE, OTHER, starts]).unwrap();
    assert_eq!(trains.trials(), 2);
    // To the next trial, and to the last spike.
    assert_eq!(
        trains.counts(0, 2.0, None).unwrap().0,
        [[1, 2], [1, 0], [0, 0], [0, 0], [0, 0]]
    );
    assert_eq!(
        trains.counts(1, 1.0, None).unwrap().0,
        [[1, 0], [0, 0], [0, 1]]
    );
    assert_eq!(trains.counts(1, 1.0, Some(1.0)).unwrap().0, [[1, 0]]);
    // What rounds above a whole number of bins is no bin.
    let stops = ("trial_stop", &[0.3, 10.0 + 0.1 + 0.2][..]);
    let trains = file(&[ONE, OTHER, starts, stops]).unwrap();
    assert_eq!(trains.counts(0, 0.1, None).unwrap().0, [[0, 0]; 3]);
    assert_eq!(trains.counts(1, 0.1, None).unwrap().0, [[0, 0]; 3]);
}

#[test]
fn what_is_wrong_is_named() {
    let starts = ("trial_start", &[0.0, 10.0][..]);
    for (arrays, said) in [
        (vec![starts], "no unit"),
        (vec![("a", &[1.0, -1.0][..])], "array a, spike 2"),
        (vec![("a", &[1.0, f64::NAN][..])], "array a, entry 2"),
        (vec![ONE, ("trial_stop", &[1.0][..])], "none trial_start"),
        (
            vec![ONE, ("trial_start", &[2.0, 1.0][..])],
            "trial_start, trial 2",
        ),
        (vec![ONE, starts, ("trial_stop", &[1.0][..])], "expected 2"),
        (
            vec![ONE, starts, ("trial_stop", &[1.0, 9.0][..])],
            "trial_stop, trial 2",
        ),
        (vec![ONE, ONE], "twice"),
        (
            vec![("a", &[1.0, f64::INFINITY][..])],
            "array a, entry 2: found inf",
        ),
        (
            vec![ONE, ("trial_starts", &[1.0][..])],
            "expected trial_start",
        ),
        (
            vec![ONE, starts, ("trial_stop", &[10.5, 12.0][..])],
            "trial_stop, trial 1: found 10.5, expected at most 10",
        ),
    ] {
        let error = format!("{:#}", file(&arrays).unwrap_err());
        assert!(error.contains(said), "{error}");
    }
    let stops = ("trial_stop", &[1.0, 11.0][..]);
    let trains = file(&[ONE, starts, stops]).unwrap();
    let error = trains.counts(0, 1.0, Some(2.0)).unwrap_err().to_string();
    assert!(error.contains("--spike-end"), "{error}");
    assert!(trains.counts(0, 1e-30, None).is_err());
    let short = format!("{:#}", trains.counts(1, 2.0, None).unwrap_err());
    assert!(
        short.contains("trial 2: it is 1 long, shorter than a bin, 2"),
        "{short}"
    );
    let ends = file(&[ONE, starts]).unwrap().counts(0, 1.0, Some(11.0));
    let error = ends.unwrap_err().to_string();
    assert!(error.contains("trial 1 would end 11"), "{error}");
    assert!(file(&[("a", &[])]).unwrap().counts(0, 1.0, None).is_err());
}
