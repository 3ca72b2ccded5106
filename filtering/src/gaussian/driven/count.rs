//! How many numbers a fit chooses that the evidence can tell, where entries are held.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::model::DrivenGaussian;
use super::numbers::{Numbers, place, set};
use crate::gaussian::entries::entries_learned;
use crate::gaussian::entry::{Entry, Parameter};
use crate::gaussian::start_kind::Start;
use crate::gaussian::{Constraints, Learned};

/// A direction is one of those before it where no more than this part is left of it.
const NOTHING: f64 = 1e-9;

impl DrivenGaussian {
    /// The numbers that are estimated if these parameters are learned and these entries held: those that move, less the directions
    /// among them in which no observation changes, and the diffuse states. A basis and an origin of the states that entries hold
    /// are none of those directions. Without entries held, [`DrivenGaussian::learned_parameters`].
    pub fn constrained_parameters(&self, learned: &Learned, held: &Constraints) -> usize {
        if held.is_empty() {
            return self.learned_parameters(learned);
        }
        let (mut entries, diffuse) = entries_learned(&self.base, *learned);
        let input = |e: &Entry| {
            let at = |r: &super::model::Regressor| (r.row, r.state) == (e.row, e.column);
            e.parameter == Parameter::Observation && self.regressors.iter().any(at)
        };
        entries.retain(|e| !input(e));
        entries.extend(self.entries_of_inputs(learned));
        let numbers = held.numbered(&entries);
        let free = numbers.iter().flatten().max().map_or(0, |last| last + 1);
        let unseen = self.unseen_directions(&entries, &numbers, learned);
        free - unseen.min(free) + diffuse
    }

    /// The entries of B and D that are learned, row after row.
    pub(super) fn entries_of_inputs(&self, learned: &Learned) -> Vec<Entry> {
        let of = |parameter: Parameter, m: &DMatrix<f64>| -> Vec<Entry> {
            let columns = if learned.learns(parameter) {
                m.ncols()
            } else {
                0
            };
            let places = (0..m.nrows()).flat_map(|i| (0..columns).map(move |j| (i, j)));
            places.map(|at| Entry::new(parameter, at)).collect()
        };
        let mut entries = of(Parameter::Control, &self.control);
        entries.extend(of(Parameter::Direct, &self.direct));
        entries
    }

    /// How many directions of the `numbers` that `entries` are no observation tells. With x' = x + ε (A x + a), and what moves between
    /// Q and P0 unseen (H X = 0), the parameters change by
    ///
    /// ```text
    /// δF = A F − F A,   δb = A b + (I − F) a,   δB = A B,   δQ = A Q + Q Aᵀ + X − F X Fᵀ,
    /// δH = −H A,   δd = −H a,   δm0 = A m0 + a,   δP0 = A P0 + P0 Aᵀ + X,
    /// ```
    ///
    /// in continuous time δb = A b − F a and δQ = A Q + Q Aᵀ − F X − X Fᵀ. Those (A, a, X) count that leave each entry that is held as it
    /// is, and entries that are one number one: the null space of a matrix, at numbers drawn for all that is free.
    fn unseen_directions(
        &self,
        entries: &[Entry],
        numbers: &[Option<usize>],
        learned: &Learned,
    ) -> usize {
        let at = self.drawn(entries, numbers);
        let conditions = self.conditions(entries, numbers, learned);
        let columns: Vec<Vec<f64>> = self
            .changes(&at)
            .iter()
            .map(|change| broken(change, &conditions))
            .collect();
        let (rows, count) = (columns.first().map_or(0, Vec::len), columns.len());
        let mut m = DMatrix::from_fn(rows, count, |i, j| columns[j][i]);
        for mut row in m.row_iter_mut() {
            let largest = row.amax();
            if largest > 0.0 {
                row /= largest;
            }
        }
        let r = m.col_piv_qr().r();
        let diagonal: Vec<f64> = (0..r.nrows().min(count)).map(|i| r[(i, i)].abs()).collect();
        let largest = diagonal.iter().copied().fold(0.0, f64::max);
        let rank = diagonal.iter().filter(|v| **v > NOTHING * largest).count();
        count - rank
    }

    /// The model's numbers, with others drawn in place of those that are free.
    fn drawn(&self, entries: &[Entry], numbers: &[Option<usize>]) -> Numbers {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
        let mut at = self.numbers();
        let free = numbers.iter().flatten().max().map_or(0, |last| last + 1);
        let values: Vec<f64> = (0..free).map(|_| rng.random_range(0.1..1.0)).collect();
        for (entry, number) in entries.iter().zip(numbers) {
            if let Some(g) = number {
                set(&mut at, *entry, values[*g]);
            }
        }
        at
    }

    /// What each (A, a, X) changes; the last matrices are of the inputs that are entries of H: E_k A and E_k a.
    fn changes(&self, at: &Numbers) -> Vec<Change> {
        let (n, m) = (self.states(), self.outputs());
        let [f, b, q, h, _, _, m0, p0, control, direct] = at;
        let inputs = self.marks();
        let none = || Change {
            numbers: at.each_ref().map(|m| DMatrix::zeros(m.nrows(), m.ncols())),
            inputs: inputs
                .iter()
                .map(|m| DMatrix::zeros(m.nrows(), n))
                .collect(),
        };
        let mut all = Vec::new();
        for k in 0..n * n {
            let mut a = DMatrix::zeros(n, n);
            a[(k / n, k % n)] = 1.0;
            let mut change = none();
            let own = &mut change.numbers;
            own[0] = &a * f - f * &a;
            own[1] = &a * b;
            own[2] = &a * q + q * a.transpose();
            own[3] = -h * &a;
            own[6] = &a * m0;
            own[7] = &a * p0 + p0 * a.transpose();
            own[8] = &a * control;
            change.inputs = inputs.iter().map(|e| e * &a).collect();
            all.push(change);
        }
        for k in 0..n {
            let mut a = DMatrix::zeros(n, 1);
            a[(k, 0)] = 1.0;
            let mut change = none();
            let own = &mut change.numbers;
            own[1] = if self.timed { -f * &a } else { &a - f * &a };
            own[4] = -h * &a;
            own[6].copy_from(&a);
            own[9] = DMatrix::zeros(m, direct.ncols());
            for (j, e) in inputs.iter().enumerate() {
                own[9].set_column(j, &-(e * &a).column(0));
            }
            all.push(change);
        }
        let mut seen = DMatrix::zeros(m * (1 + inputs.len()), n);
        for (i, part) in std::iter::once(h).chain(&inputs).enumerate() {
            seen.rows_mut(m * i, m).copy_from(part);
        }
        let unseen = null_space(&seen);
        for i in 0..unseen.len() {
            for j in 0..=i {
                let x = &unseen[i] * unseen[j].transpose();
                let x = &x + x.transpose();
                let mut change = none();
                change.numbers[2] = match self.timed {
                    true => -(f * &x) - &x * f.transpose(),
                    false => &x - f * &x * f.transpose(),
                };
                change.numbers[7] = x;
                all.push(change);
            }
        }
        all
    }

    /// E_k of each input: 1 where it is an entry of H `[m, n]`.
    fn marks(&self) -> Vec<DMatrix<f64>> {
        if self.regressors.is_empty() {
            return Vec::new();
        }
        let mut marks = vec![DMatrix::zeros(self.outputs(), self.states()); self.effects()];
        for r in &self.regressors {
            marks[r.input][(r.row, r.state)] = 1.0;
        }
        marks
    }

    /// What must not change: entries that stay, and the differences of each that is one number with others from the first of them.
    fn conditions(
        &self,
        entries: &[Entry],
        numbers: &[Option<usize>],
        learned: &Learned,
    ) -> Vec<Condition> {
        let diffuse = self.base.diffuse();
        let marked = |k: usize| diffuse.get(k) == Some(&true);
        let follows = self.base.start() != Start::Given && !learned.initial;
        let shapes = self.numbers().map(|m| m.shape());
        let mut first: Vec<Option<Entry>> = Vec::new();
        let mut conditions = Vec::new();
        // In this order, so that those of free numbers are found by one pass.
        let mut free = entries.iter().zip(numbers).peekable();
        for (parameter, (rows, columns)) in Parameter::ALL.into_iter().zip(shapes) {
            let of_start = matches!(
                parameter,
                Parameter::InitialMean | Parameter::InitialCovariance
            );
            let places = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
            for (i, j) in places {
                let entry = Entry::new(parameter, (i, j));
                if (entry.row, entry.column) != (i, j) {
                    continue;
                }
                let number = match free.next_if(|(own, _)| **own == entry) {
                    Some((_, number)) => *number,
                    None => None,
                };
                let Some(g) = number else {
                    // Of a diffuse state the start says nothing, and one that follows the rest has no numbers.
                    if !of_start || !(follows || marked(i) || marked(j)) {
                        conditions.push((entry, None));
                    }
                    continue;
                };
                if first.len() <= g {
                    first.resize(g + 1, None);
                }
                match first[g] {
                    None => first[g] = Some(entry),
                    of => conditions.push((entry, of)),
                }
            }
        }
        conditions
    }
}

/// An entry that stays, or stays beside another.
type Condition = (Entry, Option<Entry>);

/// How a change breaks them; inputs that are entries of H stay as well.
fn broken(change: &Change, conditions: &[Condition]) -> Vec<f64> {
    let of = |e: &Entry| change.numbers[place(e.parameter)][(e.row, e.column)];
    let each = conditions.iter();
    let each = each.map(|(entry, beside)| of(entry) - beside.as_ref().map_or(0.0, of));
    let inputs = change.inputs.iter().flat_map(|m| m.iter().copied());
    each.chain(inputs).collect()
}

/// What a direction changes.
struct Change {
    numbers: Numbers,
    inputs: Vec<DMatrix<f64>>,
}

/// Vectors `[n, 1]` that span {x: M x = 0}.
fn null_space(m: &DMatrix<f64>) -> Vec<DMatrix<f64>> {
    let n = m.ncols();
    let eigen = (m.transpose() * m).symmetric_eigen();
    let largest = eigen.eigenvalues.amax();
    let none = |k: &usize| eigen.eigenvalues[*k].abs() <= NOTHING * largest;
    let vector =
        |k: usize| DMatrix::from_column_slice(n, 1, eigen.eigenvectors.column(k).as_slice());
    (0..n).filter(none).map(vector).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gaussian::LinearGaussian;
    use nalgebra::DVector;

    /// A model of n states and m columns without zeros.
    fn full(n: usize, m: usize) -> DrivenGaussian {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut drawn =
            |rows, columns| DMatrix::from_fn(rows, columns, |_, _| rng.random_range(-0.4..0.4));
        let (f, h) = (drawn(n, n), drawn(m, n));
        let mut covariance = |size: usize| {
            let root = drawn(size, size);
            DMatrix::identity(size, size) + &root * root.transpose()
        };
        let (q, r, p0) = (covariance(n), covariance(m), covariance(n));
        let model = LinearGaussian::new(f, q, h, r).unwrap();
        let model = model.with_initial(DVector::from_element(n, 0.3), p0);
        DrivenGaussian::without_inputs(model.unwrap())
    }

    /// Without anything held, the number of `LinearGaussian::free_parameters`, which is counted by hand.
    #[test]
    fn a_free_model_has_its_free_parameters() {
        for (n, m) in [(1, 1), (1, 3), (2, 1), (2, 2), (3, 2), (3, 1)] {
            let (model, learned) = (full(n, m), Learned::default());
            let (entries, _) = entries_learned(&model.base, learned);
            let numbers = Constraints::default().numbered(&entries);
            let unseen = model.unseen_directions(&entries, &numbers, &learned);
            assert_eq!(
                entries.len() - unseen,
                model.base.free_parameters(),
                "{n} states, {m} columns"
            );
        }
    }

    /// Of one state H = 1 is its scale, and F = 1 leaves its origin unseen: b, Q, R and one of d and m0, and P0.
    #[test]
    fn what_is_held_is_a_basis_or_a_number_less() {
        let count = |fixed: &[&str]| {
            let texts: Vec<String> = fixed.iter().map(ToString::to_string).collect();
            let held = Constraints::new(&texts, &[]).unwrap();
            let mut model = full(1, 1);
            if fixed.contains(&"F[0][0]") {
                let entry = Entry::named("fixed", "F[0][0]").unwrap();
                model = model.with_entries(&[(entry, 1.0)]).unwrap();
            }
            model.constrained_parameters(&Learned::default(), &held)
        };
        // F, Q H², the level, R, m0 and P0 in units of the data.
        assert_eq!(count(&["H[0][0]"]), 6);
        assert_eq!(count(&["H[0][0]", "d[0]"]), 6);
        assert_eq!(count(&["F[0][0]", "H[0][0]"]), 5);
        assert_eq!(count(&["F[0][0]", "H[0][0]", "d[0]"]), 5);
        assert_eq!(count(&["F[0][0]", "H[0][0]", "d[0]", "b[0]"]), 4);
    }

    /// b and d learned beside a start that follows move with the origin of the states: 4 of F, 2 of b, 3 of Q, 2 of d and 3 of R, less
    /// 2; a start that is given tells them apart, and so does a d that stays.
    #[test]
    fn a_bias_and_an_offset_share_the_origin() {
        let learned = Learned {
            observation: false,
            initial: false,
            ..Learned::default()
        };
        let fixed = Learned {
            offset: false,
            ..learned
        };
        for (timed, follows) in [(false, Start::Stationary), (true, Start::StationaryOfRates)] {
            for (start, learned, expected) in [
                (follows, learned, 12),
                (Start::Given, learned, 14),
                (follows, fixed, 12),
            ] {
                let mut model = full(2, 2);
                model.timed = timed;
                model.base = model.base.with_start(start);
                let (entries, _) = entries_learned(&model.base, learned);
                let numbers = Constraints::default().numbered(&entries);
                let unseen = model.unseen_directions(&entries, &numbers, &learned);
                assert_eq!(entries.len() - unseen, expected, "{start:?}");
                assert_eq!(model.learned_parameters(&learned), expected, "{start:?}");
                assert_eq!(
                    model.base.learned_parameters(&learned),
                    expected,
                    "{start:?}"
                );
            }
        }
    }
}
