//! The figure and the scores of `scotopic filter`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use scotopic_datasets::series::{Series, Time};
use scotopic_figures::Format;
use scotopic_filtering::{AnyFilter, Filter as _};

use crate::filtering::Band;
use crate::filtering::Source;
use crate::filtering::recorder::{BeliefRecorder, FigureOptions};
use crate::filtering::truth;

/// Options of the figure of the beliefs, and the true states to score them against.
#[derive(Debug, Args)]
pub struct PictureArgs {
    /// Plot the beliefs over time with their credible bands: .svg, .png, or .gif for an animation. In a long series each
    /// column of the plot spans several bins, from their smallest to their largest value
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
    /// Width of the credible band: a probability (0.9, 90%) or standard deviations (2sd) [default: 0.9]
    #[arg(long, value_name = "WIDTH")]
    pub band: Option<Band>,
    /// Two states for a phase plot in the figure [default: 1,2 in a .gif, none in others]
    #[arg(long, alias = "portrait", value_name = "I,J", requires = "figure", value_parser = pair)]
    pub phase_plot: Option<[usize; 2]>,
    /// File of the true states, one row per bin (discrete models: the number of the state, from 1; switching models: that of the
    /// regime may come first): drawn in the figure, and the beliefs are scored against them in the summary
    #[arg(long, aliases = ["states", "truth"], value_name = "FILE")]
    pub true_states: Option<PathBuf>,
}

fn pair(text: &str) -> Result<[usize; 2], String> {
    let numbers: Vec<usize> = text
        .split(',')
        .filter_map(|t| t.trim().parse().ok())
        .collect();
    match numbers[..] {
        [i, j] if i != j && text.split(',').count() == 2 => Ok([i, j]),
        _ => Err(format!(
            "`{text}` is not a pair of different states, such as 1,2"
        )),
    }
}

impl PictureArgs {
    /// Checks that the options fit together, before anything is read.
    ///
    /// # Errors
    /// Names the option that does not fit.
    pub fn check(&self) -> Result<()> {
        if let Some(path) = &self.figure {
            Format::of(path)?;
        }
        ensure!(
            self.band.is_none() || self.figure.is_some() || self.true_states.is_some(),
            "--band is for a --figure, or for scores against --true-states: give one of them"
        );
        Ok(())
    }

    /// A recorder of `filter`, where a figure or scores were requested; `data` is the file of the observations, `channels`
    /// are the names of its columns.
    ///
    /// # Errors
    /// If the true states cannot be read or have another width, or for a phase portrait of states that are not there.
    pub fn watch(
        &self,
        filter: &AnyFilter,
        data: &Path,
        channels: &[String],
    ) -> Result<Option<FigureRecorder>> {
        if self.figure.is_none() && self.true_states.is_none() {
            return Ok(None);
        }
        // --columns applies to the observations, not to the file of states.
        let all = Source::default();
        let truth = match &self.true_states {
            Some(path) => Some(all.open(path)?),
            None => None,
        };
        let names = truth.as_ref().map(Series::names);
        let format = self.figure.as_deref().map(Format::of).transpose()?;
        let options = FigureOptions {
            band: self.band.unwrap_or_default(),
            portrait: self.phase_plot,
            moves: format == Some(Format::Gif),
        };
        let beliefs = BeliefRecorder::new(filter, channels, names, options)?;
        // Standard input has no name.
        let name = data.file_name().filter(|name| *name != "-");
        Ok(Some(FigureRecorder {
            beliefs: match name {
                Some(name) => beliefs.of_data(&name.to_string_lossy()),
                None => beliefs,
            },
            figure: self.figure.clone(),
            truth: truth.zip(self.true_states.clone()),
            row: 0,
            now: None,
        }))
    }
}

/// Records every belief, and the true state where it is known.
pub struct FigureRecorder {
    beliefs: BeliefRecorder,
    figure: Option<PathBuf>,
    truth: Option<(Series, PathBuf)>,
    row: u64,
    /// The true state of the current bin.
    now: Option<Vec<f64>>,
}

impl FigureRecorder {
    /// Reads the true state of the next bin, before the filter is updated.
    ///
    /// # Errors
    /// For an invalid row, or if the file ends too early.
    pub fn read(&mut self, filter: &AnyFilter) -> Result<()> {
        let Some((series, path)) = &mut self.truth else {
            return Ok(());
        };
        self.row += 1;
        let name = path.display();
        let row = series.next_row()?.with_context(|| {
            let rows = self.row - 1;
            format!("{name} ends after {rows} true states, before the observations")
        })?;
        if let Some(truth) = row {
            truth::check(filter, truth).with_context(|| format!("{name}, state {}", self.row))?;
        }
        self.now = row.map(<[f64]>::to_vec);
        Ok(())
    }

    /// Records the belief after the update with `row`.
    pub fn observe(&mut self, filter: &AnyFilter, row: Option<&[f64]>) {
        self.beliefs.see(filter, row, self.now.as_deref());
    }

    /// Records the time of the newest bin, which the column `name` gives.
    pub fn observe_time(&mut self, filter: &AnyFilter, name: &str, time: Time) {
        self.beliefs.note_time(filter.observations(), name, time);
    }

    /// Checks that the true states end with the observations.
    ///
    /// # Errors
    /// If they do not: they then belong to other bins.
    pub fn end(&mut self) -> Result<()> {
        let Some((series, path)) = &mut self.truth else {
            return Ok(());
        };
        ensure!(
            series.next_row()?.is_none(),
            "{} has more rows than there are observations ({}): are these the states of the same bins?",
            path.display(),
            self.row
        );
        Ok(())
    }

    /// Draws the figure, if one was requested.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn draw(&self) -> Result<()> {
        match &self.figure {
            Some(path) => self.beliefs.write(path),
            None => Ok(()),
        }
    }

    /// The scores of the beliefs in one line, where the true states are known.
    pub fn judged(&self) -> Option<String> {
        self.beliefs.judged()
    }
}
