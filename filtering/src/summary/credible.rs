//! What counting with conjugate priors has learned of the parameters of a hidden Markov model: posterior means and credible intervals.

use serde::Serialize;

use super::{HELD, unsupported};
use crate::hmm::{
    AnyEmission, Hmm, Learnable, ParameterGroup, beta_interval, entry_name, gamma_interval,
};
use crate::{AnyFilter, Result, deviations_of};

/// A parameter under its posterior.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CredibleParameter {
    /// The key of a model file, with entries counted from 1.
    pub name: String,
    /// Its posterior mean; of one without a posterior its value.
    pub mean: f64,
    /// Its posterior standard deviation.
    pub deviation: Option<f64>,
    /// Its equal-tailed interval.
    pub interval: Option<[f64; 2]>,
    /// Why it has none.
    pub remark: Option<&'static str>,
}

/// Of an emission whose statistics are no parameters of a Dirichlet, Beta or Gamma distribution.
const NO_CONJUGATE: &str = "an estimate, without a posterior";

impl AnyFilter {
    /// The parameters under the posterior of the rule `dirichlet`, each with its equal-tailed interval of probability `level`:
    ///
    /// ```text
    /// A_i· ~ Dirichlet(α_i·):   A_ij ~ Beta(α_ij, Σ_l α_il − α_ij)          the same of the rows of a categorical B
    /// p_j ~ Beta(E_y, E_n − E_y)  of symbols 0 or 1,                          λ_j ~ Gamma(E_y, E_n)  of counts
    /// ```
    ///
    /// The counts are those that the filter expects of its beliefs about the states, as if these had been seen. The initial law is
    /// held: one sequence has one draw of it.
    ///
    /// ```
    /// use scotopic_filtering::hmm::{Dirichlet, Hmm, Learn, Poisson};
    /// use scotopic_filtering::{AnyFilter, AnyLearning, AnyModel, Filter};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let model = Hmm::new(vec![1.0], vec![vec![1.0]], Poisson::new(vec![vec![4.0]])?.into())?;
    /// let rule = AnyLearning::Hmm(Learn::Dirichlet(Dirichlet { emission_weight: 1.0, ..Dirichlet::default() }));
    /// let mut filter = AnyFilter::learning(AnyModel::Hmm(model), &rule, "reversed")?;
    /// for count in [3.0, 5.0, 8.0] {
    ///     filter.update(Some(&[count]))?;
    /// }
    /// // Gamma(4 + 16, 1 + 3).
    /// let rate = &filter.credible(0.9)?[2];
    /// assert_eq!((rate.name.as_str(), rate.mean), ("rates[1,1]", 5.0));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a filter that does not learn, or by another rule;
    /// [`Error::Setting`](crate::Error::Setting) for a level that is not between 0 and 1.
    pub fn credible(&self, level: f64) -> Result<Vec<CredibleParameter>> {
        // Also where no parameter has an interval.
        deviations_of(level)?;
        let none = || {
            let what = format!("a filter of a {}", self.model().described());
            unsupported(
                what,
                "only the rule dirichlet of hidden Markov models keeps a posterior over parameters, and it learns by \
                               another, or not at all",
            )
        };
        let Self::HmmLearning(learning) = self else {
            return Err(none());
        };
        let posterior = learning.posterior().ok_or_else(none)?;
        let model = learning.model();
        let k = model.states();
        let mut all: Vec<CredibleParameter> = Vec::new();
        for (i, p) in model.initial().iter().enumerate() {
            all.push(without(format!("initial[{}]", i + 1), *p, HELD));
        }
        let rows = model.transition().chunks_exact(k);
        for (i, (counts, row)) in posterior.transition().chunks_exact(k).zip(rows).enumerate() {
            for (j, value) in row.iter().enumerate() {
                let name = entry_name("transition", i, j);
                all.push(of_counts(name, counts, j, *value, level)?);
            }
        }
        all.extend(emission(model, posterior.emission(), level)?);
        Ok(all)
    }
}

fn without(name: String, value: f64, remark: &'static str) -> CredibleParameter {
    CredibleParameter {
        name,
        mean: value,
        deviation: None,
        interval: None,
        remark: Some(remark),
    }
}

/// Entry `j` of a distribution of Dirichlet(`counts`); where nothing is counted, `value`.
fn of_counts(
    name: String,
    counts: &[f64],
    j: usize,
    value: f64,
    level: f64,
) -> Result<CredibleParameter> {
    let others = counts.iter().enumerate().filter(|(l, _)| *l != j);
    let (a, b) = (counts[j], others.map(|(_, count)| count).sum::<f64>());
    beta(name, (a, b), value, level)
}

/// A probability of Beta(a, b): 0 or 1 where the other is impossible.
fn beta(name: String, (a, b): (f64, f64), value: f64, level: f64) -> Result<CredibleParameter> {
    let n = a + b;
    // Differences of counts leave rounding below 0.
    let interval = match (a > 0.0, b > 0.0) {
        (false, false) => return Ok(without(name, value, NO_CONJUGATE)),
        (false, true) => (0.0, 0.0),
        (true, false) => (1.0, 1.0),
        (true, true) => beta_interval(a, b, level)?,
    };
    let mean = (a / n).clamp(0.0, 1.0);
    Ok(CredibleParameter {
        name,
        mean,
        deviation: Some((mean * (1.0 - mean) / (n + 1.0)).sqrt()),
        interval: Some(interval.into()),
        remark: None,
    })
}

/// The parameters of the emission with statistics `[K, P]`.
fn emission(model: &Hmm, statistics: &[f64], level: f64) -> Result<Vec<CredibleParameter>> {
    let emission = model.emission();
    let (k, p) = (model.states(), emission.statistic_len());
    let rows = statistics.chunks_exact(p);
    let mut all = Vec::new();
    for group in emission.parameter_groups() {
        match group {
            ParameterGroup::Distribution { name, state, row } => {
                let counts = &statistics[state * p..(state + 1) * p];
                for (j, value) in row.iter().enumerate() {
                    let name = entry_name(name, state, j);
                    all.push(of_counts(name, counts, j, *value, level)?);
                }
            }
            ParameterGroup::Number { name, value, .. }
            | ParameterGroup::Positive { name, value }
            | ParameterGroup::Probability { name, value } => {
                all.push(without(name, value, NO_CONJUGATE));
            }
        }
    }
    let width = all.len() / k;
    let places = rows.flat_map(|row| (1..=width).map(move |j| (row, j)));
    match emission {
        AnyEmission::Poisson(_) => {
            for ((row, j), parameter) in places.zip(&mut all) {
                let (a, b) = (row[j], row[0]);
                // A count that was never expected: all is at 0.
                let interval = match a > 0.0 {
                    true => gamma_interval(a, b, level)?,
                    false => (0.0, 0.0),
                };
                *parameter = CredibleParameter {
                    name: std::mem::take(&mut parameter.name),
                    mean: a / b,
                    deviation: Some(a.sqrt() / b),
                    interval: Some(interval.into()),
                    remark: None,
                };
            }
        }
        AnyEmission::Bernoulli(_) => {
            for ((row, j), parameter) in places.zip(&mut all) {
                let (name, value) = (std::mem::take(&mut parameter.name), parameter.mean);
                *parameter = beta(name, (row[j], row[0] - row[j]), value, level)?;
            }
        }
        _ => {}
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmm::{Bernoulli, Categorical, Dirichlet, Learn};
    use crate::{AnyLearning, AnyModel, Filter};

    /// Rounding of the counts and the halving of intervals.
    const ROUNDING: f64 = 1e-12;

    fn learned(emission: AnyEmission, rows: &[f64], rule: Option<&str>) -> AnyFilter {
        let model = AnyModel::Hmm(Hmm::new(vec![1.0], vec![vec![1.0]], emission).unwrap());
        let rule = match rule {
            Some(name) => AnyLearning::named(&model, Some(name)).unwrap(),
            None => AnyLearning::Hmm(Learn::Dirichlet(Dirichlet {
                emission_weight: 2.0,
                ..Dirichlet::default()
            })),
        };
        let mut filter = AnyFilter::learning(model, &rule, "reversed").unwrap();
        for y in rows {
            filter.update(Some(&[*y])).unwrap();
        }
        filter
    }

    /// A state that is always there counts what was seen: 2 · (½, ½) beforehand, then 3 of one symbol and 1 of the other.
    #[test]
    fn one_state_counts_symbols() {
        let categorical = Categorical::new(vec![vec![0.5, 0.5]]).unwrap().into();
        let bernoulli = Bernoulli::new(vec![vec![0.5]]).unwrap().into();
        let rows = [1.0, 1.0, 0.0, 1.0];
        let (low, high) = beta_interval(4.0, 2.0, 0.9).unwrap();
        for (emission, at) in [(categorical, 3), (bernoulli, 2)] {
            let filter: AnyFilter = learned(emission, &rows, None);
            let all = filter.credible(0.9).unwrap();
            assert_eq!(
                (all[0].name.as_str(), all[0].remark),
                ("initial[1]", Some(HELD))
            );
            assert_eq!(
                (all[1].name.as_str(), all[1].interval),
                ("transition[1,1]", Some([1.0, 1.0]))
            );
            let p = &all[at];
            assert!((p.mean - 4.0 / 6.0).abs() < ROUNDING, "{p:?}");
            // Var of Beta(4, 2) = 8/(36 · 7).
            let deviation = (8.0f64 / 252.0).sqrt();
            assert!((p.deviation.unwrap() - deviation).abs() < ROUNDING, "{p:?}");
            let [a, b] = p.interval.unwrap();
            assert!(
                (a - low).abs() < ROUNDING && (b - high).abs() < ROUNDING,
                "{p:?}"
            );
        }
    }

    #[test]
    fn another_rule_and_another_level_are_refused() {
        let emission = || Bernoulli::new(vec![vec![0.5]]).unwrap().into();
        let other = learned(emission(), &[1.0], Some("rmle"));
        let error = other.credible(0.9).unwrap_err().to_string();
        assert!(error.contains("dirichlet"), "{error}");
        assert!(learned(emission(), &[1.0], None).credible(1.0).is_err());
    }
}
