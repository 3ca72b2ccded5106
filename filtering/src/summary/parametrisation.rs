//! The parameters of a model as numbers, and the unbounded coordinates θ of those that are free.

use crate::any_model::AnyModel;
use crate::{Error, Result};

/// Probabilities below this are at the boundary: their logit says nothing any more. So are variances of a direction, beside the largest.
pub(super) const LEAST: f64 = 1e-8;

/// On which scale a parameter is unbounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// Its own.
    Identity,
    /// Its logarithm.
    Log,
    /// ln p/(1 − p).
    Logit,
}

impl Link {
    /// value ± z·error on this scale, and back.
    pub fn interval(self, value: f64, error: f64, z: f64) -> [f64; 2] {
        match self {
            Self::Identity => [value - z * error, value + z * error],
            Self::Log => {
                let half = z * error / value;
                [value * (-half).exp(), value * half.exp()]
            }
            Self::Logit => {
                let (centre, half) = (
                    (value / (1.0 - value)).ln(),
                    z * error / (value * (1.0 - value)),
                );
                [centre - half, centre + half].map(|l| 1.0 / (1.0 + (-l).exp()))
            }
        }
    }
}

/// How consecutive parameters are free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Group {
    /// Not at all.
    Held,
    /// Estimated, at the boundary of what it can be.
    Boundary,
    /// The number of the parameter in this place, before it.
    Same(usize),
    /// A number, and what is small beside it in the units of the data.
    Number(f64),
    /// A positive number.
    Positive,
    /// A probability that is neither 0 nor 1.
    Probability,
    /// So many probabilities that sum to 1.
    Simplex(usize),
}

impl Group {
    /// Of a probability; at its ends it has no coordinate.
    pub(super) fn probability(p: f64) -> Self {
        match (LEAST..=1.0 - LEAST).contains(&p) {
            true => Self::Probability,
            false => Self::Held,
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Simplex(len) => len,
            _ => 1,
        }
    }
}

/// The model of all parameters.
pub(super) type Build = Box<dyn Fn(&[f64]) -> Result<AnyModel>>;

/// A model in numbers.
pub(super) struct Parametrisation {
    pub names: Vec<String>,
    pub values: Vec<f64>,
    groups: Vec<Group>,
    pub build: Build,
}

impl Parametrisation {
    pub fn new(build: impl Fn(&[f64]) -> Result<AnyModel> + 'static) -> Self {
        Self {
            names: Vec::new(),
            values: Vec::new(),
            groups: Vec::new(),
            build: Box::new(build),
        }
    }

    /// Adds a parameter.
    pub fn push(&mut self, name: String, value: f64, group: Group) {
        self.names.push(name);
        self.values.push(value);
        self.groups.push(group);
    }

    /// Adds all parameters of another model.
    pub fn extend(&mut self, other: &Self) {
        self.names.extend_from_slice(&other.names);
        self.values.extend_from_slice(&other.values);
        self.groups.extend_from_slice(&other.groups);
    }

    /// Adds a distribution; `name` has the place in it.
    pub fn push_simplex(&mut self, row: &[f64], name: impl Fn(usize) -> String) {
        self.names.extend((0..row.len()).map(name));
        self.values.extend_from_slice(row);
        self.groups.push(Group::Simplex(row.len()));
    }

    /// Makes one number of parameters that have one value, by their names: the first in order is it. Those that are held stay so.
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that is none.
    pub fn tie(&mut self, names: &[String]) -> Result<()> {
        let mut places = Vec::new();
        for name in names {
            let Some(place) = self.names.iter().position(|own| own == name) else {
                return Err(Error::setting("tied", name, self.names.join(", ")));
            };
            places.push(place);
        }
        places.sort_unstable();
        let Some((first, others)) = places.split_first() else {
            return Ok(());
        };
        let mut at = 0;
        for group in &mut self.groups {
            if others.contains(&at) && !matches!(group, Group::Held | Group::Boundary) {
                *group = Group::Same(*first);
            }
            at += group.len();
        }
        Ok(())
    }

    /// Holds all parameters whose names begin so, and those that are one number with one of them.
    pub fn hold(&mut self, beginning: &str) -> Result<()> {
        let before = self.groups.len();
        let leader = |group: &Group, at: usize| match group {
            Group::Same(first) => *first,
            _ => at,
        };
        let begins = |at: usize| self.names[at].starts_with(beginning);
        let together: Vec<usize> = self
            .placed()
            .filter(|(group, at)| group.len() == 1 && begins(*at))
            .map(|(group, at)| leader(&group, at))
            .collect();
        let mut groups = Vec::new();
        let (mut at, mut found) = (0, false);
        for group in &self.groups {
            let (names, place) = (&self.names[at..at + group.len()], at);
            at += group.len();
            let one = together.contains(&leader(group, place));
            match one || names.iter().any(|name| name.starts_with(beginning)) {
                true => {
                    found = true;
                    groups.extend(vec![Group::Held; group.len()]);
                }
                false => groups.push(*group),
            }
        }
        if !found {
            let known = self.names.join(", ");
            return Err(Error::setting("hold", beginning, known));
        }
        debug_assert!(groups.len() >= before);
        self.groups = groups;
        Ok(())
    }

    /// The groups with the places of their parameters.
    fn placed(&self) -> impl Iterator<Item = (Group, usize)> + '_ {
        self.groups.iter().scan(0, |at, group| {
            let here = *at;
            *at += group.len();
            Some((*group, here))
        })
    }

    /// The entries of a distribution that have a coordinate, and the one that they are compared with: the largest.
    fn free_entries(row: &[f64]) -> (Vec<usize>, usize) {
        let largest = (0..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        let free = (0..row.len()).filter(|k| *k != largest && row[*k] >= LEAST);
        (free.collect(), largest)
    }

    /// θ of the values.
    pub fn coordinates(&self) -> Vec<f64> {
        let mut theta = Vec::new();
        for (group, at) in self.placed() {
            match group {
                Group::Held | Group::Boundary | Group::Same(_) => {}
                Group::Number(_) => theta.push(self.values[at]),
                Group::Positive => theta.push(self.values[at].ln()),
                Group::Probability => {
                    theta.push((self.values[at] / (1.0 - self.values[at])).ln());
                }
                Group::Simplex(len) => {
                    let row = &self.values[at..at + len];
                    let (free, largest) = Self::free_entries(row);
                    theta.extend(free.iter().map(|k| (row[*k] / row[largest]).ln()));
                }
            }
        }
        theta
    }

    /// The numbers that are estimated: coordinates, and what is at its boundary.
    pub fn estimated(&self) -> usize {
        let at_boundary = self.groups.iter().filter(|g| **g == Group::Boundary);
        self.coordinates().len() + at_boundary.count()
    }

    /// How many numbers are estimated whose names begin so.
    pub fn estimated_of(&self, beginning: &str) -> usize {
        let own = |(group, at): &(Group, usize)| {
            matches!(group, Group::Number(_)) && self.names[*at].starts_with(beginning)
        };
        self.placed().filter(own).count()
    }

    /// What is small beside each coordinate.
    pub fn units(&self) -> Vec<f64> {
        let mut units = Vec::new();
        for (group, at) in self.placed() {
            match group {
                Group::Held | Group::Boundary | Group::Same(_) => {}
                Group::Number(unit) => units.push(unit),
                Group::Positive | Group::Probability => units.push(1.0),
                Group::Simplex(len) => {
                    let (free, _) = Self::free_entries(&self.values[at..at + len]);
                    units.extend(free.iter().map(|_| 1.0));
                }
            }
        }
        units
    }

    /// All parameters at θ.
    pub fn values(&self, theta: &[f64]) -> Vec<f64> {
        let mut values = self.values.clone();
        let mut theta = theta.iter();
        let mut next = || theta.next().copied().unwrap_or(f64::NAN);
        for (group, at) in self.placed() {
            match group {
                Group::Held | Group::Boundary | Group::Same(_) => {}
                Group::Number(_) => values[at] = next(),
                Group::Positive => values[at] = next().exp(),
                Group::Probability => values[at] = 1.0 / (1.0 + (-next()).exp()),
                Group::Simplex(len) => {
                    let row = &mut values[at..at + len];
                    let (free, largest) = Self::free_entries(&self.values[at..at + len]);
                    let mass: f64 = row[largest] + free.iter().map(|k| row[*k]).sum::<f64>();
                    let weights: Vec<f64> = free.iter().map(|_| next().exp()).collect();
                    let total = 1.0 + weights.iter().sum::<f64>();
                    row[largest] = mass / total;
                    free.iter()
                        .zip(&weights)
                        .for_each(|(k, w)| row[*k] = mass * w / total);
                }
            }
        }
        for (group, at) in self.placed() {
            if let Group::Same(first) = group {
                values[at] = values[first];
            }
        }
        values
    }

    /// ∂p/∂θ, a column `[parameters]` a coordinate, written out.
    pub fn slopes(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let values = self.values(theta);
        let mut columns = Vec::with_capacity(theta.len());
        let unit = |at: usize, slope: f64| {
            let mut column = vec![0.0; values.len()];
            column[at] = slope;
            for (group, other) in self.placed() {
                if group == Group::Same(at) {
                    column[other] = slope;
                }
            }
            column
        };
        for (group, at) in self.placed() {
            match group {
                Group::Held | Group::Boundary | Group::Same(_) => {}
                Group::Number(_) => columns.push(unit(at, 1.0)),
                Group::Positive => columns.push(unit(at, values[at])),
                Group::Probability => columns.push(unit(at, values[at] * (1.0 - values[at]))),
                Group::Simplex(len) => {
                    let (free, largest) = Self::free_entries(&self.values[at..at + len]);
                    let row = &values[at..at + len];
                    let mass: f64 = row[largest] + free.iter().map(|k| row[*k]).sum::<f64>();
                    for k in &free {
                        let mut column = vec![0.0; values.len()];
                        for j in free.iter().chain([&largest]) {
                            let own = if j == k { 1.0 } else { 0.0 };
                            column[at + j] = row[*j] * (own - row[*k] / mass);
                        }
                        columns.push(column);
                    }
                }
            }
        }
        columns
    }

    /// How parameter `i` is free: as the one whose number it has.
    pub fn group(&self, i: usize) -> Group {
        let own = |i: usize| {
            let mut placed = self.placed();
            let found = placed.find(|(group, at)| (*at..at + group.len()).contains(&i));
            found.map_or(Group::Held, |(group, _)| group)
        };
        match own(i) {
            Group::Same(first) => own(first),
            group => group,
        }
    }

    /// The scale on which parameter `i` is unbounded; none for one that is held, or at its boundary.
    pub fn link(&self, i: usize) -> Option<Link> {
        match self.group(i) {
            // `group` says no other's.
            Group::Held | Group::Boundary | Group::Same(_) => None,
            Group::Number(_) => Some(Link::Identity),
            Group::Positive => Some(Link::Log),
            Group::Probability | Group::Simplex(_) => Some(Link::Logit),
        }
    }
}
