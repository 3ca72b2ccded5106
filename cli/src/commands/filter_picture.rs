//! The picture and the scores of `scotopic filter`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use scotopic_datasets::series::Series;

use crate::filtering::Band;
use crate::filtering::recorder::{BeliefRecorder, FigureOptions, Format};
use crate::filtering::{Running, Source};

/// Options of a picture of what was believed, and of the truth to hold it against.
#[derive(Debug, Args)]
pub struct PictureArgs {
    /// Draw the beliefs over time with their credible bands: .png, or .gif as they unfold. Long series are drawn by
    /// several bins at once, from their smallest to their largest value
    #[arg(long, value_name = "FILE")]
    pub figure: Option<PathBuf>,
    /// Width of the credible band: a probability (0.9, 90%) or standard deviations (2sd) [default: 0.9]
    #[arg(long, value_name = "WIDTH")]
    pub band: Option<Band>,
    /// Two states to draw against each other in the figure [default: 1,2 in a .gif, none in a .png]
    #[arg(long, value_name = "I,J", requires = "figure", value_parser = pair)]
    pub portrait: Option<[usize; 2]>,
    /// File of the true states, a row a bin (discrete models: the number of the state, from 1): drawn in the figure, and
    /// scored in the summary
    #[arg(long, value_name = "FILE", visible_alias = "truth")]
    pub states: Option<PathBuf>,
}

fn pair(text: &str) -> Result<[usize; 2], String> {
    let numbers: Vec<usize> = text
        .split(',')
        .filter_map(|t| t.trim().parse().ok())
        .collect();
    match numbers[..] {
        [i, j] if i != j && text.split(',').count() == 2 => Ok([i, j]),
        _ => Err(format!("`{text}` names no two states; write them as 1,2")),
    }
}

impl PictureArgs {
    /// Whether the options make sense together, before anything is read.
    ///
    /// # Errors
    /// Says which one does not.
    pub fn check(&self) -> Result<()> {
        if let Some(path) = &self.figure {
            Format::of(path)?;
        }
        ensure!(
            self.band.is_none() || self.figure.is_some() || self.states.is_some(),
            "--band is for a --figure, or for scores against --states: give one of them"
        );
        Ok(())
    }

    /// Someone who watches `filter`, where a picture or scores were asked for; `channels` are the names of the observed
    /// columns.
    ///
    /// # Errors
    /// If the true states cannot be read or have another width, or for a phase portrait of states that are not there.
    pub fn watch(&self, filter: &Running, channels: &[String]) -> Result<Option<FigureRecorder>> {
        if self.figure.is_none() && self.states.is_none() {
            return Ok(None);
        }
        // Which columns are observed says nothing about the file of states.
        let all = Source {
            format: None,
            columns: Vec::new(),
        };
        let truth = match &self.states {
            Some(path) => Some(all.open(path)?),
            None => None,
        };
        let names = truth.as_ref().map(Series::names);
        let format = self.figure.as_deref().map(Format::of).transpose()?;
        let wanted = FigureOptions {
            band: self.band.unwrap_or_default(),
            portrait: self.portrait,
            moves: format == Some(Format::Gif),
        };
        Ok(Some(FigureRecorder {
            portrayal: BeliefRecorder::new(filter, channels, names, wanted)?,
            figure: self.figure.clone(),
            truth: truth.zip(self.states.clone()),
            row: 0,
            now: None,
        }))
    }
}

/// Notes every belief, beside the truth where that is known.
pub struct FigureRecorder {
    portrayal: BeliefRecorder,
    figure: Option<PathBuf>,
    truth: Option<(Series, PathBuf)>,
    row: u64,
    /// The true state of the bin that is being taken in.
    now: Option<Vec<f64>>,
}

impl FigureRecorder {
    /// Reads the true state of the next bin, before the filter takes in its observation.
    ///
    /// # Errors
    /// For a row that is no state, or if there is none.
    pub fn read(&mut self, filter: &Running) -> Result<()> {
        let Some((series, path)) = &mut self.truth else {
            return Ok(());
        };
        self.row += 1;
        let name = path.display();
        let row = series.next_row()?.with_context(|| {
            let rows = self.row - 1;
            format!("{name} ends after {rows} true states, and the observations go on")
        })?;
        if let Some(truth) = row {
            BeliefRecorder::check_truth(filter, truth)
                .with_context(|| format!("{name}, state {}", self.row))?;
        }
        self.now = row.map(<[f64]>::to_vec);
        Ok(())
    }

    /// Notes the belief after the filter took in `row`.
    pub fn see(&mut self, filter: &Running, row: Option<&[f64]>) {
        self.portrayal.see(filter, row, self.now.as_deref());
    }

    /// That the true states end where the observations do.
    ///
    /// # Errors
    /// If they go on: they are then those of other bins.
    pub fn end(&mut self) -> Result<()> {
        let Some((series, path)) = &mut self.truth else {
            return Ok(());
        };
        ensure!(
            series.next_row()?.is_none(),
            "{} goes on after the {} observations: are these the states of the same bins?",
            path.display(),
            self.row
        );
        Ok(())
    }

    /// Draws the picture of what was seen, if one was asked for.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn draw(&self) -> Result<()> {
        match &self.figure {
            Some(path) => self.portrayal.write(path),
            None => Ok(()),
        }
    }

    /// How good the beliefs were, in a line, where the truth was known.
    pub fn judged(&self) -> Option<String> {
        self.portrayal.judged()
    }
}
