//! A model with all that its file says of it.

use anyhow::{Context, Result, ensure};
use scotopic_filtering::{AnyFilter, AnyModel};

use super::model;
use super::model_text::STRUCTURAL;
use super::names::LearnSpec;
use super::of_fit::OfFit;

/// A model, what it is called, and what its file says of the fit that it is from.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// What messages call it.
    pub name: String,
    /// The model.
    pub model: AnyModel,
    of_fit: OfFit,
    is_structural: bool,
}

impl ModelFile {
    /// Of a text in TOML.
    ///
    /// # Errors
    /// If it does not describe a valid model, with the name.
    pub fn of_text(name: &str, text: &str) -> Result<Self> {
        let wrong = || format!("the model {name} cannot be used");
        let table: toml::Table = toml::from_str(text).with_context(wrong)?;
        Ok(Self {
            name: name.to_owned(),
            model: model::parse(text).with_context(wrong)?,
            of_fit: OfFit::of_text(text).with_context(wrong)?,
            is_structural: table.get("kind").and_then(toml::Value::as_str) == Some(STRUCTURAL),
        })
    }

    /// A filter that learns by `rule` what the file says is learned.
    ///
    /// # Errors
    /// As [`ModelFile::filter`].
    fn learning(&self, rule: &LearnSpec, factorisation: &str) -> Result<AnyFilter> {
        ensure!(
            !self.is_structural,
            "a structural model is not learned while it filters, since a rule learns whole matrices, without their structure: fit its \
             parameters with scotopic fit --model {}, and filter without --learn",
            self.name
        );
        let how = self.of_fit.restricted(rule.of(&self.model)?)?;
        Ok(AnyFilter::learning(
            self.model.clone(),
            &how,
            factorisation,
        )?)
    }

    /// A filter of the model, which learns where there is a rule.
    ///
    /// # Errors
    /// With a rule for a structural model, for entries that the file holds, and as [`AnyFilter::learning`]; as [`AnyFilter::new`].
    pub fn filter(&self, rule: Option<&LearnSpec>, factorisation: &str) -> Result<AnyFilter> {
        match rule {
            None => Ok(AnyFilter::new(self.model.clone(), factorisation)?),
            Some(rule) => self.learning(rule, factorisation),
        }
    }
}

#[cfg(test)]
mod tests {
    use scotopic_filtering::Filter as _;

    use super::*;

    const WALK: &str = "kind = \"linear-gaussian\"\ntransition = [[0.9]]\nprocess_noise = [[1.0]]\nobservation = [[1.0]]\n\
                        observation_noise = [[1.0]]\n";

    fn said(text: &str) -> String {
        let file = ModelFile::of_text("walk.toml", text).unwrap();
        let refused = file.filter(Some(&LearnSpec::Default), "reversed");
        refused.err().map_or(String::new(), |e| e.to_string())
    }

    #[test]
    fn a_filter_learns_what_its_file_says() {
        let text = format!("{WALK}learned = [\"R\"]\n");
        let file = ModelFile::of_text("walk.toml", &text).unwrap();
        let rule = LearnSpec::Named("block-online-em".to_owned());
        let mut filter = file.filter(Some(&rule), "reversed").unwrap();
        for t in 0..2000 {
            filter.update(Some(&[f64::from(t % 7)])).unwrap();
        }
        let AnyModel::LinearGaussian(now) = filter.model() else {
            panic!()
        };
        assert_eq!(
            (now.transition()[(0, 0)], now.process_noise()[(0, 0)]),
            (0.9, 1.0)
        );
        assert_ne!(now.observation_noise()[(0, 0)], 1.0);
    }

    #[test]
    fn what_no_rule_keeps_is_refused() {
        let held = said(&format!("{WALK}fixed = [\"F[0][0]\"]\n"));
        assert!(held.contains("F[0][0]"), "{held}");
        let structural = said(
            "kind = \"structural\"\ncomponents = [\"level\"]\n[values]\nlevel = 1.0\nirregular = 2.0\n",
        );
        assert!(
            structural.contains("structural model is not learned"),
            "{structural}"
        );
        assert_eq!(said(WALK), "");
    }
}
