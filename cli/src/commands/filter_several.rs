//! `scotopic filter` with several series: of a file each, or of the trials of one.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use scotopic_filtering::{AnyFilter, Filter as _, is_seen, many};

use super::filter_args::FilterArgs;
use crate::filtering::Source;
use crate::filtering::alarm::Alarm;
use crate::filtering::lines::Remarks;
use crate::filtering::of_fit::OfFit;
use crate::filtering::recording::{of_whole_rows, read_all};
use crate::table::number;
use crate::usage::UsageError;

/// Filters each series from the state that `filter` is in; lines begin with the file.
///
/// # Errors
/// As for one file; a usage error for options that are about one filter.
pub fn run(args: &FilterArgs, filter: &AnyFilter, source: &Source) -> Result<ExitCode> {
    check(args).map_err(UsageError)?;
    let mut recordings = read_all(source, &args.data, filter.width())?;
    for (file, one) in args
        .model
        .iter()
        .flat_map(|file| recordings.iter().map(move |one| (file, one)))
    {
        OfFit::check_data(file, &one.path, &one.names, source)?;
    }
    if !filter.accepts_partial_rows() {
        recordings = of_whole_rows(recordings, filter.model().kind());
    }
    let mut results = args.results(filter, source.time.is_some())?;
    let mut alarm = args.alarm.map(Alarm::new);
    let (mut observations, mut elbo) = (0, 0.0);
    for recording in &recordings {
        let mut filter = filter.clone();
        let file = recording.path.display().to_string();
        for (t, row) in recording.sequence.iter().enumerate() {
            let mark = alarm.as_mut().map(|alarm| alarm.mark(&filter, row));
            let mark = mark.transpose()?;
            let step = recording.named(filter.update(row))?;
            if args.every > 0 && filter.observations().is_multiple_of(args.every) {
                let remarks = Remarks {
                    file: Some(&file),
                    time: recording.time(t),
                    alarm: mark,
                };
                let seen = is_seen(row, filter.inputs().len());
                let written = results.lines.write(&filter, remarks, seen, step);
                written.with_context(|| format!("could not write {}", results.name()))?;
            }
        }
        if !args.progress.quiet {
            tell!(
                "{file}: {}, ELBO {} nats",
                many(filter.observations() as usize, "observation"),
                number(filter.elbo(), 3)
            );
        }
        observations += filter.observations();
        elbo += filter.elbo();
    }
    results
        .sync()
        .map_err(|e| anyhow!(e).context(format!("could not write {}", results.name())))?;
    if !args.progress.quiet {
        let count = recordings.len();
        tell!(
            "{count} series, {}: ELBO {} nats",
            many(observations as usize, "observation"),
            number(elbo, 3)
        );
        if let Some(alarm) = alarm {
            tell!("{}", alarm.said());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(args: &FilterArgs) -> Result<()> {
    let one = [
        (
            "--learn",
            args.learn.is_some(),
            "scotopic fit learns from several files",
        ),
        (
            "--resume",
            args.resume.is_some(),
            "a saved filter continues one series",
        ),
        (
            "--save",
            args.save.is_some(),
            "a filter is saved at the end of one series",
        ),
        (
            "--model-out",
            args.model_out.is_some(),
            "without --learn the model stays as it is",
        ),
        (
            "--figure",
            args.picture.figure.is_some(),
            "draw each file by itself",
        ),
        (
            "--true-states",
            args.picture.true_states.is_some(),
            "score each file by itself",
        ),
    ];
    for (option, given, why) in one {
        ensure!(
            !given,
            "{option} is for one file of one series, and several series are given: {why}"
        );
    }
    Ok(())
}
