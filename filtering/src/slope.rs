//! ∇ ln p by one parameter, and by all of a model: values that add up.

use crate::{Error, Result};

/// What a slope is taken by, of a parameter θ. A step along it leaves θ what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// θ.
    Value,
    /// ln θ, of what is above 0.
    Log,
    /// The logits of θ: of a distribution ln θ up to a constant, of the probability of an event ln(θ/(1 − θ)).
    Logit,
}

impl Coordinate {
    /// `value`, `log` or `logit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Log => "log",
            Self::Logit => "logit",
        }
    }
}

/// ∂ ln p by each entry of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Slope {
    /// The parameter, as its key in a model file.
    pub parameter: &'static str,
    /// What it is taken by.
    pub by: Coordinate,
    /// The sizes of the parameter, as in a model file.
    pub shape: Vec<usize>,
    /// Nats a unit of the coordinate, the last axis fastest. Of a covariance each entry of a pair holds half of what moving both
    /// together does.
    pub values: Vec<f64>,
}

/// ∇ ln p of sequences under one model; [`AnyModel::slopes`](crate::AnyModel::slopes).
#[derive(Debug, Clone, PartialEq)]
pub struct Slopes {
    /// Of each parameter.
    pub each: Vec<Slope>,
    /// ln p, nats.
    pub log_evidence: f64,
}

impl Slopes {
    /// Adds those of other sequences under the same model.
    ///
    /// # Errors
    /// [`Error::Size`] for slopes of a model of other parameters; nothing is changed then.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        let named = |slopes: &Self| -> Vec<(&'static str, Vec<usize>)> {
            let each = slopes.each.iter();
            each.map(|s| (s.parameter, s.shape.clone())).collect()
        };
        let (mine, others) = (named(self), named(other));
        if mine != others {
            let (found, expected) = (format!("{others:?}"), format!("{mine:?}"));
            return Err(Error::size("slopes", found, expected));
        }
        for (mine, other) in self.each.iter_mut().zip(&other.each) {
            let entries = mine.values.iter_mut().zip(&other.values);
            entries.for_each(|(sum, slope)| *sum += slope);
        }
        self.log_evidence += other.log_evidence;
        Ok(())
    }
}
