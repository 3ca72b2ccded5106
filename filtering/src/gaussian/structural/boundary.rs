//! Optima at the end of a parameter's range.

use super::coordinates::{Coordinates, Group};
use super::form::Form;
use super::parameter::{Kind, UNDAMPED};
use super::problem::{NOTHING, Problem};
use crate::Result;
use crate::math::bfgs::Minimum;

/// A variance at 0 should grow if this share of the unit variance would gain by the slope; a damping at 1 should fall if a loss of
/// this part at every step gains.
const SHARE: f64 = 1e-3;
/// Rounding of a log-likelihood, as a part of it.
const ROUNDING: f64 = 1e-12;
/// The coordinate of a partial autocorrelation close to ±1, 0.98, where it is worth a look at the boundary;
const NEAR: f64 = 5.0;
/// and one at it, 1 − 5·10⁻⁹: ln p is level there in the coordinate, and the partial autocorrelations are still found from the
/// coefficients to half of their digits.
const EDGE: f64 = 1e4;

/// Where the search ended, and which parameters are held at the end of their range: variances at 0, dampings at 1.
pub(super) struct End {
    pub coordinates: Coordinates,
    pub held: Vec<(usize, f64)>,
    pub minimum: Minimum,
    pub iterations: usize,
}

impl End {
    /// Whether each of `count` parameters is at the end of its range.
    pub fn at_boundary(&self, count: usize) -> Vec<bool> {
        let mut all = vec![false; count];
        self.held.iter().for_each(|(i, _)| all[*i] = true);
        for i in on_unit_circle(&self.coordinates, &self.minimum.at) {
            all[i] = true;
        }
        all
    }

    fn is_held(&self, i: usize) -> bool {
        self.held.iter().any(|(held, _)| *held == i)
    }
}

/// The coefficients of polynomials with roots on the unit circle.
pub(super) fn on_unit_circle(coordinates: &Coordinates, u: &[f64]) -> Vec<usize> {
    let edge = |group: &&Group| {
        let own = coordinates.of(group, u);
        // Values on file return to coordinates with a few digits.
        group.is_polynomial() && own.iter().any(|u| u.abs() > 0.5 * EDGE)
    };
    let groups = coordinates.groups().iter().filter(edge);
    groups.flat_map(|group| group.parameters.clone()).collect()
}

impl Problem<'_> {
    /// Puts what ln p rises towards the end of its range with there, and lets those go that it rises with inwards.
    pub fn to_boundary(&self, coordinates: Coordinates, minimum: Minimum) -> Result<End> {
        let mut end = End {
            coordinates,
            held: Vec::new(),
            minimum,
            iterations: 0,
        };
        // Every round holds one group, or lets one go: there are fewer of both than this.
        for _ in 0..4 * self.model.parameter_names().len() {
            let found = match self.variance_step(&end)? {
                None => match self.damping_step(&end)? {
                    None => self.polynomial_step(&end),
                    found => found,
                },
                found => found,
            };
            let Some(step) = found else { break };
            end = step;
        }
        Ok(end)
    }

    /// Whether a variance at 0 would gain by growing. By group: tied variances stand or fall together.
    pub fn would_grow(&self, end: &End, score: &[f64]) -> bool {
        let Ok(all) = Coordinates::new(self.model, &self.data.units, &[]) else {
            return false;
        };
        let at_zero =
            |group: &&Group| group.kind == Kind::Variance && end.is_held(group.parameters[0]);
        all.groups().iter().filter(at_zero).any(|group| {
            let slope: f64 = group.parameters.iter().map(|&i| score[i]).sum();
            slope * SHARE * all.unit(group) > NOTHING
        })
    }

    /// On from coordinates `u`, with `held` at their ends.
    fn continued(
        &self,
        end: &End,
        coordinates: Coordinates,
        held: Vec<(usize, f64)>,
        u: &[f64],
    ) -> Option<End> {
        let minimum = self.descend(&coordinates, u, self.settings.max_iterations)?;
        Some(End {
            iterations: end.iterations + minimum.iterations,
            coordinates,
            held,
            minimum,
        })
    }

    /// A variance to 0 that ln p falls with, or away from it one that it rises with there.
    fn variance_step(&self, end: &End) -> Result<Option<End>> {
        let values = end.coordinates.values(&end.minimum.at);
        for group in end.coordinates.groups() {
            if group.kind != Kind::Variance {
                continue;
            }
            let mut at_zero = values.clone();
            group.parameters.iter().for_each(|&i| at_zero[i] = 0.0);
            let Some(found) = Form::new(self.model, &at_zero)
                .ok()
                .and_then(|form| self.data.at(&form))
            else {
                continue;
            };
            let slope: f64 = group.parameters.iter().map(|&i| found.score[i]).sum();
            let unit = end.coordinates.unit(group);
            if slope * SHARE * unit > NOTHING {
                // Inside, unless the search was stuck where the likelihood is flat in ln σ².
                let flat = values[group.parameters[0]] < 1e-9 * unit;
                let lost = -end.minimum.value - found.log_likelihood;
                if flat && lost.abs() < NOTHING {
                    let mut grown = values.clone();
                    group
                        .parameters
                        .iter()
                        .for_each(|&i| grown[i] = SHARE * unit);
                    let Some(u) = end.coordinates.at(&grown) else {
                        continue;
                    };
                    let next = self.continued(end, end.coordinates.clone(), end.held.clone(), &u);
                    if let Some(next) = next.filter(|n| n.minimum.value < end.minimum.value) {
                        return Ok(Some(next));
                    }
                }
                continue;
            }
            // Where it does not fall but by rounding.
            let rounding = ROUNDING * end.minimum.value.abs().max(1.0);
            if found.log_likelihood >= -end.minimum.value - rounding {
                let mut held = end.held.clone();
                held.extend(group.parameters.iter().map(|&i| (i, 0.0)));
                let coordinates = Coordinates::new(self.model, &self.data.units, &held)?;
                let Some(u) = coordinates.at(&at_zero) else {
                    continue;
                };
                return Ok(self.continued(end, coordinates, held, &u));
            }
        }
        Ok(None)
    }

    /// A damping to 1 that ln p does not fall towards while the cycle keeps its stationary variance σ²/(1 − ρ²), or away from it one
    /// that it rises with. In the coordinates of σ² and ρ apart that is a valley without an end.
    fn damping_step(&self, end: &End) -> Result<Option<End>> {
        let values = end.coordinates.values(&end.minimum.at);
        let at = |rho: f64, i: usize| {
            // A cycle's parameters are its variance, period and damping.
            let mut moved = values.clone();
            let lost = |rho: f64| (1.0 - rho) * (1.0 + rho);
            moved[i - 2] *= lost(rho) / lost(values[i]);
            moved[i] = rho;
            moved
        };
        let places = self.model.parameters().into_iter().enumerate();
        for (i, _) in places.filter(|(_, p)| p.kind == Kind::Damping) {
            let alone = |group: &Group| group.parameters == [i - 2];
            let groups = end.coordinates.groups();
            if !groups.iter().any(alone) {
                continue;
            }
            let free = groups.iter().any(|group| group.parameters == [i]);
            let (moved, held) = match (free, end.is_held(i)) {
                (true, _) => {
                    let mut held = end.held.clone();
                    held.push((i, UNDAMPED));
                    (at(UNDAMPED, i), held)
                }
                (false, true) => {
                    let mut held = end.held.clone();
                    held.retain(|(other, _)| *other != i);
                    (at(1.0 - SHARE, i), held)
                }
                (false, false) => continue,
            };
            let coordinates = Coordinates::new(self.model, &self.data.units, &held)?;
            let there = coordinates
                .at(&moved)
                .and_then(|u| Some((self.value(&coordinates, &u)?.0, u)));
            let Some((value, u)) = there else { continue };
            let taken = match free {
                true => value <= end.minimum.value + NOTHING,
                false => value < end.minimum.value - NOTHING,
            };
            if taken {
                return Ok(self.continued(end, coordinates, held, &u));
            }
        }
        Ok(None)
    }

    /// A polynomial to where roots are on the unit circle. There ln p is level in a moving average, and in an autoregression beside a level
    /// that takes up its variance without bound; a search comes to lie short of it.
    fn polynomial_step(&self, end: &End) -> Option<End> {
        for group in end.coordinates.groups() {
            if !group.is_polynomial() {
                continue;
            }
            for k in group.places() {
                let own = end.minimum.at[k];
                if !(NEAR..0.5 * EDGE).contains(&own.abs()) {
                    continue;
                }
                let mut u = end.minimum.at.clone();
                u[k] = EDGE.copysign(own);
                let value = self.value(&end.coordinates, &u).map(|found| found.0);
                let rounding = ROUNDING * end.minimum.value.abs().max(1.0);
                if value.is_some_and(|value| value <= end.minimum.value + rounding) {
                    return self.continued(end, end.coordinates.clone(), end.held.clone(), &u);
                }
            }
        }
        None
    }
}
