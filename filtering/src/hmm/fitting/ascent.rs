//! Ascent of ln p(o; θ) by quasi-Newton steps on its exact gradient.

use super::coordinates::{Coordinates, information};
use crate::hmm::{Expectations, Hmm, Learnable};
use crate::math::bfgs::{Minimum, Objective, descend};
use crate::{Result, Sequence};

/// No step is longer, in standard deviations of one observation of the state.
const LONGEST: f64 = 2.0;
/// So many small gradients one after another are an end; on a plateau a single one can be small by chance of H.
const SMALL: usize = 3;
/// The rounding of a sum over all observations, relative to it.
const ROUNDING: f64 = 1e-13;

/// A model, the expectations under it and ln p.
pub(super) struct Point<E: Learnable> {
    pub(super) model: Hmm<E>,
    pub(super) expected: Expectations,
}

impl<E: Learnable> Point<E> {
    pub(super) fn of(model: Hmm<E>, sequences: &[Sequence]) -> Result<Self> {
        let expected = model.expectations(sequences)?;
        Ok(Self { model, expected })
    }

    pub(super) fn log_evidence(&self) -> f64 {
        self.expected.log_evidence
    }
}

/// Where an ascent ended.
pub(super) struct Ascent<E: Learnable> {
    pub(super) point: Point<E>,
    /// ½ gᵀHg, nats.
    pub(super) promised: f64,
    pub(super) evaluations: usize,
    pub(super) converged: bool,
}

/// −ln p for each observation, about a model.
struct Climb<'a, E: Learnable> {
    coordinates: Coordinates<'a, E>,
    sequences: &'a [Sequence],
    keeps: &'a dyn Fn(&Hmm<E>) -> bool,
    enough: f64,
    most: usize,
    observations: f64,
    evaluations: usize,
    small: usize,
    refused: bool,
}

impl<E: Learnable> Climb<'_, E> {
    /// What the gradient still promises, and the least that is no rounding, nats.
    fn promised(&self, now: &Minimum<Point<E>>) -> (f64, f64) {
        let least = ROUNDING * now.found.log_evidence().abs();
        (now.promised * self.observations, least)
    }
}

impl<E: Learnable> Objective for Climb<'_, E> {
    type Found = Point<E>;

    fn at(&mut self, z: &[f64]) -> Option<(f64, Vec<f64>, Point<E>)> {
        self.evaluations += 1;
        let model = self.coordinates.model(z).ok()?;
        let point = Point::of(model, self.sequences).ok()?;
        let mut gradient = self.coordinates.gradient(z, &point.model, &point.expected);
        gradient.iter_mut().for_each(|g| *g /= -self.observations);
        Some((-point.log_evidence() / self.observations, gradient, point))
    }

    fn curvature(&self, now: &Minimum<Point<E>>) -> Vec<f64> {
        let mut information = information(&now.found.model, &now.found.expected);
        information.iter_mut().for_each(|i| *i /= self.observations);
        information
    }

    fn longest(&self) -> f64 {
        LONGEST
    }

    fn ended(&mut self, now: &Minimum<Point<E>>) -> Option<bool> {
        self.refused = now.iterations > 0 && !(self.keeps)(&now.found.model);
        if self.refused {
            return Some(false);
        }
        let (promised, least) = self.promised(now);
        self.small = if promised <= self.enough {
            self.small + 1
        } else {
            0
        };
        let top = self.small >= SMALL || promised <= least;
        (top || self.evaluations >= self.most).then_some(top)
    }
}

/// Ascends from `start` until the gradient promises less than `enough` nats, `keeps` refuses a model, or there were
/// `most` evaluations. ln p never decreases but for rounding. `None` if `keeps` refused.
pub(super) fn ascend<E: Learnable>(
    start: Point<E>,
    sequences: &[Sequence],
    enough: f64,
    most: usize,
    keeps: &dyn Fn(&Hmm<E>) -> bool,
) -> Option<Ascent<E>> {
    let base = start.model.recentred();
    let mut climb = Climb {
        coordinates: Coordinates::about(&base),
        sequences,
        keeps,
        enough,
        most,
        observations: start.expected.observations as f64,
        evaluations: 0,
        small: 0,
        refused: false,
    };
    let zero = vec![0.0; climb.coordinates.len()];
    let end = descend(&zero, &mut climb).filter(|_| !climb.refused)?;
    let (promised, least) = climb.promised(&end);
    // Nothing better along the gradient itself: rounding, or a wall.
    let stuck = climb.evaluations < most;
    Some(Ascent {
        converged: end.converged || stuck && promised <= 10.0 * enough.max(least),
        point: end.found,
        promised,
        evaluations: climb.evaluations,
    })
}
