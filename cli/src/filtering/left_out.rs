//! What is said of rows that are not there, or not whole.

use std::path::Path;

use scotopic_datasets::series::Series;
use scotopic_filtering::{Sequence, many};

/// Says that blank lines between the rows were skipped: who meant missing observations has them at other times. And that times are
/// left out, as those of missing observations are.
pub fn tell_left_out(path: &Path, series: &Series) {
    let path = path.display();
    let skipped = match series.blank_lines() {
        0 => None,
        1 => Some("1 blank line was".to_owned()),
        several => Some(format!("{several} blank lines were")),
    };
    if let Some(skipped) = skipped {
        tell!(
            "scotopic: {path}: {skipped} skipped between rows; write NA where an observation is missing"
        );
    }
    // Where most steps are long there is no grid whose rows could be missing.
    if 2 * series.gaps() > series.steps() {
        tell!(
            "scotopic: {path}: the times are not equally spaced ({} of {} are longer than one and a half of the usual one), and the model \
             takes each row for one step; a linear-gaussian model of continuous time (scotopic model template linear-gaussian: time, drift, \
             diffusion) is exact at such times",
            series.gaps(),
            many(series.steps() as usize, "step")
        );
    } else if series.gaps() > 0 {
        tell!(
            "scotopic: {path}: the time steps farther than one and a half of its usual step in {}: rows that are not there are not \
             predicted over; add them as missing ones (NA)",
            many(series.gaps() as usize, "place")
        );
    }
}

/// The data for a model that uses whole rows only: those that are missing in part are missing as a whole, which is told.
pub fn whole_rows(data: &[Sequence], kind: &str) -> Vec<Sequence> {
    let partial =
        |s: &Sequence| s.iter().flatten().count() - s.whole_rows().iter().flatten().count();
    let left_out: usize = data.iter().map(partial).sum();
    if left_out > 0 {
        tell!(
            "scotopic: rows that are missing in part are taken as missing as a whole ({left_out}): a model of the kind {kind} \
             uses whole rows only"
        );
    }
    data.iter().map(Sequence::whole_rows).collect()
}
