//! The learned parameters of a linear-Gaussian model as unbounded coordinates.

use nalgebra::{DMatrix, DVector};

use super::belief::Gaussian;
use super::em::Learned;
use super::entry::{Entry, Parameter};
use super::gradient::GaussianGradient;
use super::model::LinearGaussian;
use super::start_kind::Start;
use crate::Result;
use crate::data_spread::unit_variance;
use crate::math::cholesky::cholesky;

/// Coordinates of a model: entries of F, b, H, d and m0, and of the Cholesky factors L of Q, R and P0, in the deviations of the
/// columns and of the states. None has units, whatever those of the data and of the states are. A covariance of lower rank, where
/// many maxima are, is a point like others: ln p is smooth in L there, and flat in ln L.
pub(super) struct Entries {
    start: LinearGaussian,
    learned: Learned,
    /// The deviation of each column of the data `[m]`.
    unit: DVector<f64>,
    /// The deviation of each state `[n]`.
    state: DVector<f64>,
}

/// Times of fits: where one has ended, coordinates are taken in the deviations that the states have by its model, and it goes on.
pub(super) const ROUNDS: usize = 5;

/// The deviation of each state over time `[n]`, of smoothed beliefs: their means vary, and each has a variance.
pub(super) fn state_deviations(beliefs: &[Gaussian], states: usize) -> DVector<f64> {
    let count = beliefs.len().max(1) as f64;
    let of = |i: usize| {
        let mean = beliefs.iter().map(|b| b.mean()[i] / count).sum::<f64>();
        let spread = beliefs.iter().map(|b| {
            let off = b.mean()[i] - mean;
            (off * off + b.covariance()[(i, i)].max(0.0)) / count
        });
        let deviation = unit_variance(mean, spread.sum()).sqrt();
        match deviation.is_normal() {
            true => deviation,
            false => 1.0,
        }
    };
    DVector::from_fn(states, |i, _| of(i))
}

/// Where the entries of one parameter are: rows, columns, and whether it is a Cholesky factor.
#[derive(Clone, Copy)]
struct Block {
    rows: usize,
    columns: usize,
    triangular: bool,
    diagonal: bool,
}

impl Block {
    fn places(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.rows)
            .flat_map(move |i| (0..self.columns).map(move |j| (i, j)))
            .filter(move |&(i, j)| {
                (!self.triangular || j <= i) && (!self.diagonal || i == j || self.columns == 1)
            })
    }
}

impl Entries {
    pub fn new(
        start: &LinearGaussian,
        learned: Learned,
        unit: DVector<f64>,
        state: DVector<f64>,
    ) -> Self {
        Self {
            start: start.clone(),
            learned,
            unit,
            state,
        }
    }

    /// The parameters learned, each with its unit of rows: F, b, Q, H, d, R, m0, P0.
    fn blocks(&self) -> [Option<Block>; 8] {
        let (n, m) = (self.start.states(), self.start.width());
        let l = &self.learned;
        let side_by_side = l.side_by_side(&self.start);
        let full = |free: bool, rows: usize, columns: usize| {
            free.then_some(Block {
                rows,
                columns,
                triangular: false,
                diagonal: side_by_side,
            })
        };
        let factor = |free: bool, size: usize| {
            free.then_some(Block {
                rows: size,
                columns: size,
                triangular: true,
                diagonal: l.diagonal,
            })
        };
        [
            full(l.transition, n, n),
            full(l.bias, n, 1),
            factor(l.process_noise, n),
            full(l.observation, m, n),
            full(l.offset, m, 1),
            factor(l.observation_noise, m),
            full(l.initial, n, 1),
            factor(l.initial, n),
        ]
    }

    /// The entries of parameter `which` that are coordinates: of a covariance those of variances that are not 0.
    fn places(&self, which: usize, block: Block) -> Vec<(usize, usize)> {
        let covariance = match which {
            2 => self.start.process_noise(),
            5 => self.start.observation_noise(),
            7 => self.start.initial_covariance(),
            _ => return block.places().collect(),
        };
        let free = |i: usize| covariance[(i, i)] != 0.0;
        let places = block.places();
        places.filter(|&(i, j)| free(i) && free(j)).collect()
    }

    /// What each coordinate is of; one of a Cholesky factor of the entry of its covariance in this place.
    pub fn entries(&self) -> Vec<Entry> {
        let blocks = self.blocks().into_iter().enumerate();
        let each = blocks.filter_map(|(which, block)| Some((which, self.places(which, block?))));
        each.flat_map(|(which, places)| {
            let of = move |place| Entry::new(Parameter::ALL[which], place);
            places.into_iter().map(of)
        })
        .collect()
    }

    /// The unit of each coordinate.
    pub fn units(&self) -> Vec<f64> {
        let blocks = self.blocks().into_iter().enumerate();
        let each = blocks.filter_map(|(which, block)| Some((which, self.places(which, block?))));
        each.flat_map(|(which, places)| {
            let of = move |place| self.unit(which, place);
            places.into_iter().map(of)
        })
        .collect()
    }

    /// The unit of the entry i, j of parameter `which`. That of a factor is no smaller than the deviation it begins with.
    fn unit(&self, which: usize, (i, j): (usize, usize)) -> f64 {
        let (unit, state) = (&self.unit, &self.state);
        let own = |covariance: &DMatrix<f64>| covariance[(i, i)].sqrt();
        match which {
            0 => state[i] / state[j],
            2 => state[i].max(own(self.start.process_noise())),
            3 => unit[i] / state[j],
            4 => unit[i],
            5 => unit[i].max(own(self.start.observation_noise())),
            7 => state[i].max(own(self.start.initial_covariance())),
            _ => state[i],
        }
    }

    /// The coordinates of the start.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`](crate::Error::NotPositiveDefinite) for a learned covariance with a direction of no variance that is
    /// not one of the coordinates.
    pub fn coordinates(&self) -> Result<Vec<f64>> {
        let parameters = parameters(&self.start, &self.learned)?;
        let mut u = Vec::new();
        for (which, block) in self.blocks().into_iter().enumerate() {
            let Some(block) = block else { continue };
            for (i, j) in self.places(which, block) {
                let value = parameters[which][(i, j)] / self.unit(which, (i, j));
                u.push(value);
            }
        }
        Ok(u)
    }

    /// The model of coordinates, and its learned factors.
    fn parameters_at(&self, u: &[f64]) -> [DMatrix<f64>; 8] {
        let blank = Learned {
            process_noise: false,
            observation_noise: false,
            initial: false,
            ..self.learned
        };
        // Factors that are not learned are not read.
        let mut all = parameters(&self.start, &blank).unwrap_or_else(|_| empty());
        let mut u = u.iter();
        for (which, block) in self.blocks().into_iter().enumerate() {
            let Some(block) = block else { continue };
            if block.triangular {
                all[which] = DMatrix::zeros(block.rows, block.rows);
            }
            for ((i, j), u) in self.places(which, block).into_iter().zip(&mut u) {
                all[which][(i, j)] = u * self.unit(which, (i, j));
            }
        }
        all
    }

    /// The model of coordinates.
    ///
    /// # Errors
    /// What its constructors say of entries that left the range of numbers.
    pub fn model(&self, u: &[f64]) -> Result<LinearGaussian> {
        let [f, b, q, h, d, r, m0, p0] = self.parameters_at(u);
        let covariance = |learned: bool, l: DMatrix<f64>, own: &DMatrix<f64>| match learned {
            true => &l * l.transpose(),
            false => own.clone(),
        };
        let (start, l) = (&self.start, &self.learned);
        LinearGaussian::new(
            f,
            covariance(l.process_noise, q, start.process_noise()),
            h,
            covariance(l.observation_noise, r, start.observation_noise()),
        )?
        .with_bias(b.column(0).into_owned(), d.column(0).into_owned())?
        .with_initial(
            m0.column(0).into_owned(),
            covariance(l.initial, p0, start.initial_covariance()),
        )
        .map(|model| model.named_as(start))
        .and_then(|model| match l.initial {
            true => Ok(model),
            false => model.started_as(start),
        })
    }

    /// The gradient by the coordinates at `u`, of one by the entries; that of a covariance L Lᵀ by L is 2 G L.
    pub fn gradient(&self, u: &[f64], by: &GaussianGradient) -> Vec<f64> {
        let tied = !self.learned.initial && self.start.start() == Start::Stationary;
        let through = tied
            .then(|| self.model(u).ok()?.through_start(by))
            .flatten();
        let by = through.as_ref().unwrap_or(by);
        let all = self.parameters_at(u);
        let column = |v: &DVector<f64>| DMatrix::from_column_slice(v.len(), 1, v.as_slice());
        let slopes = [
            by.transition.clone(),
            column(&by.bias),
            2.0 * &by.process_noise * factor_or_zero(&all[2], &by.process_noise),
            by.observation.clone(),
            column(&by.offset),
            2.0 * &by.observation_noise * factor_or_zero(&all[5], &by.observation_noise),
            column(&by.initial_mean),
            2.0 * &by.initial_covariance * factor_or_zero(&all[7], &by.initial_covariance),
        ];
        let mut gradient = Vec::with_capacity(u.len());
        for (which, block) in self.blocks().into_iter().enumerate() {
            let Some(block) = block else { continue };
            for (i, j) in self.places(which, block) {
                gradient.push(slopes[which][(i, j)] * self.unit(which, (i, j)));
            }
        }
        gradient
    }
}

impl LinearGaussian {
    /// The numbers that are estimated if these parameters are learned, at most those that the evidence can tell
    /// ([`LinearGaussian::free_parameters`]). Variances of 0 stay so, and neither they nor their covariances are estimated; of a
    /// diffuse start the diffuse states count.
    pub fn learned_parameters(&self, learned: &Learned) -> usize {
        let (entries, diffuse) = entries_learned(self, *learned);
        let told = entries.len() - self.unseen_origins(learned);
        told.min(most_learned(self, learned)) + diffuse
    }

    /// How many directions of the origin of the states no observation tells where b and d are both learned: x' = x + a moves b by
    /// (I − F) a (in continuous time −A a), d by −H a and m0 by a, so that m0 has to be learned, or follow the rest, or be that of a
    /// diffuse state.
    pub(crate) fn unseen_origins(&self, learned: &Learned) -> usize {
        let diffuse = self.diffuse().iter().filter(|marked| **marked).count();
        let moves = self.start() != Start::Given || learned.initial && diffuse == 0;
        match (learned.bias && learned.offset, moves) {
            (false, _) => 0,
            (true, true) => self.states(),
            (true, false) => diffuse,
        }
    }
}

/// Which numbers are coordinates if these parameters are learned, and how many states are diffuse: their start has no m0 and P0.
pub(super) fn entries_learned(model: &LinearGaussian, learned: Learned) -> (Vec<Entry>, usize) {
    let (m, n) = (model.width(), model.states());
    let diffuse = model.diffuse().iter().filter(|d| **d).count();
    let own = Learned {
        initial: learned.initial && diffuse == 0,
        ..learned
    };
    let entries = Entries::new(model, own, DVector::zeros(m), DVector::zeros(n));
    (entries.entries(), diffuse)
}

/// The most of them that the evidence can tell: of full matrices those of any model, of which a basis has Q and P0 diagonal; R has
/// covariances of its own. Of n models side by side each has its scale and its origin.
pub(super) fn most_learned(model: &LinearGaussian, learned: &Learned) -> usize {
    let m = model.width();
    match learned.diagonal && learned.observation_noise {
        true if model.is_diagonal() => 6 * m,
        true => model.free_parameters() - m * (m - 1) / 2,
        false => model.free_parameters(),
    }
}

fn empty() -> [DMatrix<f64>; 8] {
    std::array::from_fn(|_| DMatrix::zeros(0, 0))
}

/// A factor, or zeros where the covariance is not learned.
fn factor_or_zero(factor: &DMatrix<f64>, like: &DMatrix<f64>) -> DMatrix<f64> {
    match factor.shape() == like.shape() {
        true => factor.clone(),
        false => DMatrix::zeros(like.nrows(), like.ncols()),
    }
}

/// The Cholesky factor of a covariance, with rows and columns of 0 where its variances are.
fn factor_with_zeros(name: &str, m: &DMatrix<f64>) -> Result<DMatrix<f64>> {
    let positive: Vec<usize> = (0..m.nrows()).filter(|&i| m[(i, i)] != 0.0).collect();
    let own = m.select_rows(&positive).select_columns(&positive);
    let mut factor = DMatrix::zeros(m.nrows(), m.nrows());
    if positive.is_empty() {
        return Ok(factor);
    }
    let l = cholesky(name, &own)?.l();
    for (a, &i) in positive.iter().enumerate() {
        for (b, &j) in positive.iter().enumerate() {
            factor[(i, j)] = l[(a, b)];
        }
    }
    Ok(factor)
}

/// F, b, L of Q, H, d, L of R, m0, L of P0; factors of what is learned only.
fn parameters(model: &LinearGaussian, learned: &Learned) -> Result<[DMatrix<f64>; 8]> {
    let column = |v: &DVector<f64>| DMatrix::from_column_slice(v.len(), 1, v.as_slice());
    let factor = |learned: bool, name: &str, m: &DMatrix<f64>| match learned {
        true => factor_with_zeros(name, m),
        false => Ok(DMatrix::zeros(0, 0)),
    };
    Ok([
        model.transition().clone(),
        column(model.bias()),
        factor(
            learned.process_noise,
            "process_noise",
            model.process_noise(),
        )?,
        model.observation().clone(),
        column(model.offset()),
        factor(
            learned.observation_noise,
            "observation_noise",
            model.observation_noise(),
        )?,
        column(model.initial_mean()),
        factor(
            learned.initial,
            "initial_covariance",
            model.initial_covariance(),
        )?,
    ])
}

#[cfg(test)]
mod tests;
