//! The exact filter, one row at a time, and forecasts given inputs.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::model::DrivenHmm;
use crate::filter::unsupported;
use crate::hmm::emission_rows::check_inputs;
use crate::hmm::products::product;
use crate::hmm::{Emission, Filter};
use crate::{Belief, Error, Moments, PredictedObservation, Predictive, Result, Sequence, Step};

/// The exact filter of a [`DrivenHmm`]: [`Filter`], with the transitions of each row.
///
/// An update that fails leaves the filter as it was; a snapshot goes on bit for bit.
///
/// ```
/// use scotopic_filtering::hmm::{Categorical, DrivenHmm, DrivenHmmFilter, Hmm};
/// # fn main() -> scotopic_filtering::Result<()> {
/// let seen = Categorical::new(vec![vec![0.8, 0.2], vec![0.2, 0.8]])?;
/// let base = Hmm::new(vec![0.5, 0.5], vec![vec![0.9, 0.1], vec![0.1, 0.9]], seen.into())?;
/// let model = DrivenHmm::new(base, vec!["cue".to_owned()])?
///     .with_weights(vec![vec![vec![0.0], vec![3.0]], vec![vec![0.0], vec![0.0]]])?;
/// let mut filter = DrivenHmmFilter::new(model);
/// filter.update(Some(&[0.0, 0.0]))?;
/// filter.update(Some(&[f64::NAN, 1.0]))?; // nothing seen but the cue
/// assert!(filter.belief()[1] > 0.6);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct DrivenHmmFilter {
    model: DrivenHmm,
    filter: Filter,
    /// A of the row under way `[K·K]`; of no meaning between updates.
    room: Room,
}

#[derive(Debug, Clone)]
struct Room(Vec<f64>);

impl PartialEq for Room {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl DrivenHmmFilter {
    /// A filter that has seen nothing.
    pub fn new(model: DrivenHmm) -> Self {
        Self {
            filter: Filter::new(model.base().clone()),
            room: Room(vec![0.0; model.states() * model.states()]),
            model,
        }
    }

    /// Takes in the next row: what is observed, NaN where it is missing, and what is given.
    ///
    /// # Errors
    /// [`Error::Observation`] for what is no observation of this model, or an input of the transitions that is missing after the
    /// first row; [`Error::Impossible`], [`Error::NotFinite`]. The filter is then as it was.
    pub fn update(&mut self, row: Option<&[f64]>) -> Result<Step> {
        let number = self.filter.observations();
        let at = |e: Error| e.at_observation(number);
        let (own, given) = self.model.split(row).map_err(at)?;
        if number == 0 {
            return self.filter.update(own);
        }
        let a = &mut self.room.0;
        self.model.transition_given(given, a).map_err(at)?;
        self.filter.update_through(a, own)
    }

    /// The model.
    pub fn model(&self) -> &DrivenHmm {
        &self.model
    }

    /// q_t = p(s_t|o_1…o_t, v_1…v_t) `[K]`; π before the first row.
    pub fn belief(&self) -> &[f64] {
        self.filter.belief()
    }

    /// ln p(o_1…o_t | v_1…v_t), in nats.
    pub fn elbo(&self) -> f64 {
        self.filter.elbo()
    }

    /// How many rows were taken in.
    pub fn observations(&self) -> u64 {
        self.filter.observations()
    }

    /// p(s_{t+h}|o_1…o_t) `[ahead][K]` of the next rows, given what each of them is given.
    fn states_given(&self, inputs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let names = self.model.inputs();
        let k = self.model.states();
        let mut first = self.observations() == 0;
        let mut now = self.belief().to_vec();
        let mut a = vec![0.0; k * k];
        let mut all = Vec::with_capacity(inputs.len());
        for given in inputs {
            if given.len() != names.len() || given.iter().any(|x| !x.is_finite()) {
                let expected = format!("a finite number for each of {}", names.join(", "));
                return Err(Error::setting("inputs", format!("{given:?}"), expected));
            }
            if !first {
                self.model.transition_given(given, &mut a)?;
                let mut next = vec![0.0; k];
                product(&now, &a, &mut next);
                now = next;
            }
            first = false;
            all.push(now.clone());
        }
        Ok(all)
    }

    /// The distribution of each output of the next rows `[ahead][output]`, given what each of them is given.
    ///
    /// # Errors
    /// [`Error::Setting`] for other than a finite number for each of [`DrivenHmm::inputs`].
    pub fn predictive_given(&self, inputs: &[Vec<f64>]) -> Result<Vec<Vec<Predictive>>> {
        let emission = self.model.base().emission();
        let own = emission.inputs().len();
        let states = self.states_given(inputs)?;
        let rows = states.iter().zip(inputs).enumerate();
        rows.map(|(t, (states, given))| {
            check_inputs(emission, self.model.states(), &given[..own])
                .map_err(|e| e.at_observation(t as u64))?;
            let laws = emission.predictive_given(states, &given[..own]);
            laws.ok_or_else(unsupported)
        })
        .collect()
    }

    /// The next rows, drawn jointly, given what each of them is given.
    ///
    /// # Errors
    /// As [`DrivenHmm::sample_given`].
    pub fn simulate_given<R: Rng + ?Sized>(
        &self,
        inputs: &Sequence,
        rng: &mut R,
    ) -> Result<Sequence> {
        let first = inputs.get(0).map(<[f64]>::to_vec);
        let start = match first {
            Some(given) if given.len() == self.model.inputs().len() => {
                self.states_given(&[given])?.remove(0)
            }
            // That it is none is told by the model.
            _ => self.belief().to_vec(),
        };
        let base = self.model.base().clone().with_initial(start);
        let on = self.model.clone().with_base(base);
        Ok(on.sample_given(inputs, rng)?.1)
    }
}

impl crate::Filter for DrivenHmmFilter {
    crate::filter::own_methods!();

    fn belief(&self) -> Belief<'_> {
        Belief::Discrete(self.filter.belief())
    }

    /// A row in which nothing is seen still has inputs.
    fn accepts_partial_rows(&self) -> bool {
        true
    }

    fn width(&self) -> usize {
        self.model.width()
    }

    fn predicted_observation(&self) -> Result<PredictedObservation> {
        Err(Error::Unsupported {
            what: "a model with inputs in its transitions".to_owned(),
            asked: "predict an observation without them",
            why: "name those of the next row (DrivenHmmFilter::predictive_given, AnyFilter::predictive_given)",
        })
    }

    fn signal(&self) -> Moments {
        self.model.signal(self.belief())
    }
}

/// The form of a filter in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    model: DrivenHmm,
    filter: Filter,
}

impl From<DrivenHmmFilter> for Snapshot {
    fn from(filter: DrivenHmmFilter) -> Self {
        Self {
            model: filter.model,
            filter: filter.filter,
        }
    }
}

impl TryFrom<Snapshot> for DrivenHmmFilter {
    type Error = Error;
    fn try_from(saved: Snapshot) -> Result<Self> {
        if saved.filter.model() != saved.model.base() {
            let expected = "that of the model beside it";
            return Err(Error::setting("filter", "another model", expected));
        }
        Ok(Self {
            room: Room(vec![0.0; saved.model.states() * saved.model.states()]),
            model: saved.model,
            filter: saved.filter,
        })
    }
}
