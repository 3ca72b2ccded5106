//! What was recorded, drawn and judged.

use std::path::Path;

use anyhow::Result;
use scotopic_figures::trajectory::Trajectory;
use scotopic_figures::{Format, shares};

use super::BeliefRecorder;
use crate::filtering::credible::Band;

/// The most frames of an animation.
const FRAMES: usize = 300;

impl BeliefRecorder {
    /// The scores in one line; none without true states.
    pub fn judged(&self) -> Option<String> {
        let scores = &self.scores;
        let one = match (scores.hits(), scores.surprise()) {
            (Some(hits), Some(surprise)) => {
                let percent = 100.0 * hits;
                let what = if scores.rmse().is_some() {
                    "regime"
                } else {
                    "state"
                };
                Some(format!(
                    "true {what} most probable in {percent:.1} % of the bins, ln q of it {:.4} nats per bin",
                    -surprise
                ))
            }
            _ => None,
        };
        let (Some(rmse), Some(coverage)) = (scores.rmse(), scores.coverage()) else {
            return one;
        };
        let coverage = 100.0 * coverage;
        let within = match self.band {
            Band::Level(_) => format!("the {}", self.band),
            Band::Deviations(_) => self.band.to_string(),
        };
        let nees = scores
            .nees()
            .map_or(String::new(), |nees| format!(", NEES {nees:.3}"));
        let one = one.map_or(String::new(), |one| format!("{one}; "));
        Some(format!(
            "{one}RMSE {rmse:.4}, {coverage:.1} % of the true states within {within}{nees}"
        ))
    }

    /// Draws what was seen: a figure for a name in .svg or .png, an animation for one in .gif.
    ///
    /// # Errors
    /// For another name, or if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let band = self.band.to_string();
        let mut title = self.described.clone();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let note = self.note();
        let figure = Trajectory {
            title: &title,
            note: &note,
            band: &band,
            panels: &self.panels,
            portrait: self.portrait.as_ref().map(|(_, portrait)| portrait),
            timeline: &self.timeline,
            times: self.times.as_ref(),
        };
        let figure = match Format::of(path)? {
            Format::Svg | Format::Png => figure.picture()?,
            Format::Gif => figure.frames(FRAMES)?,
        };
        Ok(figure.write(path)?)
    }

    /// What stands under the title.
    pub(super) fn note(&self) -> String {
        let mut said = Vec::new();
        said.extend(self.timeline.bins().map(|(from, to)| match from == to {
            true => format!("observation {from}"),
            false => format!("observations {from} to {to}"),
        }));
        said.extend(self.left_out.clone());
        if self.errors > 0 {
            said.push("error: truth less mean".to_owned());
        }
        let each = self.timeline.each();
        let discrete = self.states == 0;
        if each > 1 {
            said.push(format!(
                "{each} observations in a column: {}smallest to largest value{}",
                if discrete { "mean probabilities, " } else { "" },
                if discrete { "" } else { ", widest band" },
            ));
        }
        if discrete && self.scores.hits().is_some() {
            let areas = shares::stacks(
                self.timeline
                    .columns()
                    .first()
                    .map_or(0, |c| c.shares.len()),
            );
            said.push(match areas {
                true => "the true state is above the areas".to_owned(),
                false => "the true state is the dark line".to_owned(),
            });
        }
        said.extend(self.judged());
        said.join("; ")
    }
}
