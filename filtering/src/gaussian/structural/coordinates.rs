//! The free parameters of a model as unbounded coordinates.

use super::model::StructuralModel;
use super::parameter::{Kind, jacobian, to_coordinates, to_values};
use crate::{Error, Result};

/// The coordinates of a model's free parameters: groups of parameters, and values for all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coordinates {
    groups: Vec<Group>,
    /// The values of fixed parameters, at their places among all.
    fixed: Vec<Option<f64>>,
    /// The unit of each parameter that is a variance.
    units: Vec<f64>,
}

/// Parameters that move together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub kind: Kind,
    /// Tied variances, one period or damping, or all coefficients of a polynomial.
    pub parameters: Vec<usize>,
    /// Its first coordinate.
    at: usize,
}

impl Group {
    /// How many numbers are estimated for it.
    pub fn size(&self) -> usize {
        match self.kind {
            Kind::Ar { .. } | Kind::Ma { .. } => self.parameters.len(),
            _ => 1,
        }
    }

    /// Whether they are the coefficients of an autoregression or a moving average.
    pub fn is_polynomial(&self) -> bool {
        matches!(self.kind, Kind::Ar { .. } | Kind::Ma { .. })
    }

    /// The places of its coordinates.
    pub fn places(&self) -> std::ops::Range<usize> {
        self.at..self.at + self.size()
    }
}

impl Coordinates {
    /// The coordinates of `model`, variances in multiples of their `units`; the parameters of `held` are fixed at
    /// these values.
    ///
    /// # Errors
    /// [`Error::Setting`] for coefficients of which only some are fixed.
    pub fn new(model: &StructuralModel, units: &[f64], held: &[(usize, f64)]) -> Result<Self> {
        let parameters = model.parameters();
        let mut fixed: Vec<Option<f64>> = parameters
            .iter()
            .map(|p| model.fixed().get(&p.name).copied())
            .collect();
        for &(i, value) in held {
            fixed[i] = Some(value);
        }
        let (mut groups, mut at): (Vec<Group>, usize) = (Vec::new(), 0);
        let tied_to = |name: &str| {
            let set = model
                .tied()
                .iter()
                .find(|set| set.iter().any(|n| n == name))?;
            parameters.iter().position(|p| set.contains(&p.name))
        };
        for (i, parameter) in parameters.iter().enumerate() {
            if let Kind::Ar { at: k @ 1.., .. } | Kind::Ma { at: k @ 1.., .. } = parameter.kind {
                if fixed[i].is_some() != fixed[i - k].is_some() {
                    let expected = "all coefficients of a polynomial, or none";
                    return Err(Error::setting("fixed", &parameter.name, expected));
                }
                if let (None, Some(group)) = (fixed[i], groups.last_mut()) {
                    group.parameters.push(i);
                    at += 1;
                }
                continue;
            }
            if fixed[i].is_some() {
                continue;
            }
            let first = tied_to(&parameter.name).filter(|&first| first < i);
            let joined = first.and_then(|f| groups.iter_mut().find(|g| g.parameters[0] == f));
            match joined {
                Some(group) => group.parameters.push(i),
                None => {
                    groups.push(Group {
                        kind: parameter.kind,
                        parameters: vec![i],
                        at,
                    });
                    at += 1;
                }
            }
        }
        Ok(Self {
            groups,
            fixed,
            units: units.to_vec(),
        })
    }

    /// How many coordinates.
    pub fn len(&self) -> usize {
        self.groups.iter().map(Group::size).sum()
    }

    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The unit of a group that is a variance: that of its first parameter.
    pub fn unit(&self, group: &Group) -> f64 {
        self.units[group.parameters[0]]
    }

    /// The coordinates of one group.
    pub fn of<'a>(&self, group: &Group, u: &'a [f64]) -> &'a [f64] {
        &u[group.places()]
    }

    /// The values of all parameters.
    pub fn values(&self, u: &[f64]) -> Vec<f64> {
        let mut all: Vec<f64> = self.fixed.iter().map(|v| v.unwrap_or(0.0)).collect();
        for group in &self.groups {
            let own = to_values(group.kind, self.unit(group), self.of(group, u));
            for (k, &i) in group.parameters.iter().enumerate() {
                all[i] = own[k.min(own.len() - 1)];
            }
        }
        all
    }

    /// The coordinates of values inside their ranges.
    pub fn at(&self, values: &[f64]) -> Option<Vec<f64>> {
        let mut u = Vec::with_capacity(self.len());
        for group in &self.groups {
            let own: Vec<f64> = group.parameters.iter().map(|&i| values[i]).collect();
            u.extend(to_coordinates(group.kind, self.unit(group), &own)?);
        }
        Some(u)
    }

    /// The gradient by the coordinates, of a gradient by the values of all parameters.
    pub fn gradient(&self, u: &[f64], by_value: &[f64]) -> Vec<f64> {
        let mut gradient = Vec::with_capacity(self.len());
        for row in self.jacobian(u) {
            gradient.push(row.iter().zip(by_value).map(|(a, b)| a * b).sum());
        }
        gradient
    }

    /// ∂ value / ∂ u: for each coordinate a row over all parameters.
    pub fn jacobian(&self, u: &[f64]) -> Vec<Vec<f64>> {
        let mut rows = vec![vec![0.0; self.fixed.len()]; self.len()];
        for group in &self.groups {
            let own = jacobian(group.kind, self.unit(group), self.of(group, u));
            for (k, &i) in group.parameters.iter().enumerate() {
                for (j, slope) in own[k.min(own.len() - 1)].iter().enumerate() {
                    rows[group.at + j][i] = *slope;
                }
            }
        }
        rows
    }
}
