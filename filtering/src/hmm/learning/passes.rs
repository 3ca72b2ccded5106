//! A learning rule, over the same sequences again and again.

use super::settings::Learn;
use crate::hmm::{Hmm, Learnable};
use crate::{Error, Result, Sequence};

/// What passes of a rule came to; [`Hmm::learn_passes`].
#[derive(Debug, Clone, PartialEq)]
pub struct Passes<E: Learnable> {
    /// The model after the last pass.
    pub model: Hmm<E>,
    /// Σ ln p(o) of the model before the first pass and after each: it never falls.
    pub trace: Vec<f64>,
    /// Passes that would have lowered ln p: what they learned was given up, and the rule slowed down.
    pub given_up: usize,
    /// What the last pass gained, in nats: where it is much, more passes gain more.
    pub last_gain: f64,
    /// Updates of the parameters, over all passes.
    pub updates: u64,
}

/// The steps of a rule are so many times shorter after a pass that lowers ln p, or hardly raises it.
const SLOWER: f64 = 4.0;
/// Nats that a pass gains at least that goes somewhere: steps that are too long end every pass at the same distance from the optimum,
/// tens of nats below it, and gain less and less.
const SOMEWHERE: f64 = 1.0;

impl Learn {
    /// The same rule with steps a quarter as long at the start of a pass.
    fn slower(&self) -> Self {
        let mut slower = self.clone();
        match &mut slower {
            Learn::BlockOnlineEm(s) => s.gain.offset *= SLOWER.powf(1.0 / s.gain.exponent),
            Learn::OnlineEm(s) => s.gain.offset *= SLOWER.powf(1.0 / s.gain.exponent),
            Learn::FixedLag(s) => s.gain.offset *= SLOWER.powf(1.0 / s.gain.exponent),
            Learn::Rmle(s) => s.rate /= SLOWER,
            Learn::Dirichlet(s) => {
                s.transition_weight *= SLOWER;
                s.emission_weight *= SLOWER;
            }
        }
        slower
    }
}

impl<E: Learnable> Hmm<E> {
    /// Learns from sequences by a rule made for streams, `passes` times over, from this model.
    ///
    /// A rule with a fixed gain wanders about the optimum by the noise of its steps. ln p of all sequences is therefore computed
    /// after each pass: one that has lowered it is given up, and the rule goes on from the model before it with steps a quarter
    /// as long; so it does from the model after a pass that has gained less than a nat. Each sequence is begun anew; π stays.
    /// [`Hmm::fit_from`] finds the optimum itself, and sooner.
    ///
    /// ```
    /// use scotopic_filtering::{Sequence, hmm::{Hmm, Learn, Poisson, Rmle}};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let start = Hmm::new(vec![0.5; 2], vec![vec![0.8, 0.2], vec![0.2, 0.8]], Poisson::new(vec![vec![2.0], vec![8.0]])?)?;
    /// let counts = [1.0, 0.0, 2.0, 9.0, 11.0, 8.0, 1.0, 2.0].repeat(10);
    /// let learned = start.learn_passes(&[Sequence::of_numbers(counts)?], &Learn::Rmle(Rmle::default()), 5)?;
    /// assert!(learned.trace.is_sorted() && learned.trace.len() == 6);
    /// assert_eq!(learned.updates, 5 * 80);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for no pass; as [`Hmm::learn_online`] and [`Learning::update`](super::Learning::update).
    pub fn learn_passes(
        self,
        sequences: &[Sequence],
        learn: &Learn,
        passes: usize,
    ) -> Result<Passes<E>> {
        if passes == 0 {
            return Err(Error::setting("passes", passes, "at least 1"));
        }
        let sequences = &*self.all_lagged(sequences)?;
        let evidence = |model: &Hmm<E>| -> Result<f64> {
            sequences.iter().map(|s| model.log_evidence(s)).sum()
        };
        let mut learn = learn.clone();
        let first = evidence(&self)?;
        let mut found = Passes {
            model: self,
            trace: vec![first],
            given_up: 0,
            last_gain: 0.0,
            updates: 0,
        };
        let mut best = first;
        for _ in 0..passes {
            let mut model = found.model.clone();
            for sequence in sequences {
                let mut learning = model.learn_online(&learn)?;
                for observation in sequence.iter() {
                    learning.update(observation)?;
                }
                found.updates += learning.updates();
                model = learning
                    .averaged()
                    .unwrap_or_else(|| learning.model().clone());
            }
            match evidence(&model) {
                Ok(now) if now >= best => {
                    found.model = model;
                    found.last_gain = now - best;
                    best = now;
                }
                // Lower, or impossible under what was learned.
                _ => {
                    found.given_up += 1;
                    found.last_gain = 0.0;
                }
            }
            if found.last_gain < SOMEWHERE {
                learn = learn.slower();
            }
            found.trace.push(best);
        }
        Ok(found)
    }
}
