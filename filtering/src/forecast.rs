//! Forecasts of observations: mean, variance, quantiles, samples.

mod ahead;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use self::ahead::Ahead;
use crate::any_model::AnyModel;
use crate::predictive::{Law, PARTS, Predictive};
use crate::{AnyFilter, Error, Filter, Result, Sequence};

/// What a forecast is to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastSettings {
    /// How many observations ahead.
    pub ahead: usize,
    /// Probabilities of the quantiles, each above 0 and below 1.
    pub quantiles: Vec<f64>,
    /// How many joint samples.
    pub samples: usize,
    /// The seed of the samples.
    pub seed: u64,
    /// What is given of the next observations, `[ahead][input]`, for a model with inputs.
    pub inputs: Vec<Vec<f64>>,
}

impl Default for ForecastSettings {
    /// One step, the median and the ends of an interval of 80 %, no samples.
    fn default() -> Self {
        Self {
            ahead: 1,
            quantiles: vec![0.1, 0.5, 0.9],
            samples: 0,
            seed: 0,
            inputs: Vec::new(),
        }
    }
}

/// The distribution of the next observations.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The distribution of each entry, `[ahead][width]`.
    pub predictive: Vec<Vec<Predictive>>,
    /// E y, `[ahead][width]`.
    pub mean: Vec<Vec<f64>>,
    /// Var y, `[ahead][width]`.
    pub variance: Vec<Vec<f64>>,
    /// Of each probability asked for, the quantiles `[ahead][width]`.
    pub quantiles: Vec<Vec<Vec<f64>>>,
    /// Joint samples, `ahead` rows each.
    pub samples: Vec<Sequence>,
}

impl Forecast {
    /// The probability of each symbol `[ahead][M]`, where an observation is one symbol.
    pub fn symbols(&self) -> Option<Vec<Vec<f64>>> {
        let row = |entries: &Vec<Predictive>| -> Option<Vec<f64>> {
            let [only] = entries.as_slice() else {
                return None;
            };
            let parts = only.parts().iter();
            parts
                .map(|(w, law)| matches!(law, Law::Symbol(_)).then_some(*w))
                .collect()
        };
        self.predictive.iter().map(row).collect()
    }
}

/// The most observations ahead, samples, and quantiles of one forecast: what grows with them is memory.
const MOST: usize = 10_000_000;

impl ForecastSettings {
    fn check(&self, width: usize) -> Result<()> {
        let rows = self.ahead.saturating_mul(self.samples.max(1));
        if self.ahead == 0 || rows.saturating_mul(width) > MOST {
            let found = format!("{} ahead, {} samples", self.ahead, self.samples);
            let expected = format!("at least one step, and at most {MOST} numbers in all");
            return Err(Error::setting("ahead", found, expected));
        }
        match self.quantiles.iter().find(|p| !(**p > 0.0 && **p < 1.0)) {
            None => Ok(()),
            Some(p) => Err(Error::setting(
                "quantiles",
                p,
                "probabilities above 0 and below 1",
            )),
        }
    }
}

impl AnyFilter {
    /// The distribution of each entry of the observation `steps` after the newest one, given all so far; before the
    /// first observation, `steps` = 1 is the first. Exact for hidden Markov and linear-Gaussian models under the
    /// filter's belief (of an autoregression farther than one step: normal within each state, with the exact mean and variance,
    /// eq. F95), mixtures over regimes for switching models and over its normal belief for the nonlinear models of the
    /// library, normal with the moments of the prediction elsewhere.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 steps, [`Error::Unsupported`] where the model does not say what observations are like,
    /// [`Error::NotFinite`] where the prediction leaves the range of numbers.
    pub fn predictive(&self, steps: usize) -> Result<Vec<Predictive>> {
        self.predictive_given(steps, &[])
    }

    /// [`AnyFilter::predictive`] of the outputs of a model with inputs, given those of that observation.
    ///
    /// # Errors
    /// [`Error::Setting`] for other than one finite number for each input of the model; as [`AnyFilter::predictive`].
    pub fn predictive_given(&self, steps: usize, inputs: &[f64]) -> Result<Vec<Predictive>> {
        if steps == 0 {
            return Err(Error::setting("steps", steps, "at least one step ahead"));
        }
        self.check_given(inputs)?;
        if matches!(self, Self::HmmDriven(_) | Self::Driven(_)) && steps != 1 {
            // Those of the steps between would move the state.
            let expected = "1: a forecast of more takes the inputs of every step";
            return Err(Error::setting("steps", steps, expected));
        }
        match self {
            Self::HmmDriven(f) => return Ok(f.predictive_given(&[inputs.to_vec()])?.remove(0)),
            Self::Driven(f) => return Ok(f.predictive_given(&[inputs.to_vec()])?.remove(0)),
            _ => {}
        }
        let mut ahead = Ahead::of(self)?;
        for _ in 1..steps {
            ahead.step()?;
        }
        ahead.predictive(inputs)
    }

    /// [`AnyFilter::predictive_given`] of 1, 2 … `steps` steps, each made of the one before.
    fn predictives(&self, steps: usize, inputs: &[Vec<f64>]) -> Result<Vec<Vec<Predictive>>> {
        match self {
            Self::HmmDriven(f) => return f.predictive_given(inputs),
            Self::Driven(f) => return f.predictive_given(inputs),
            _ => {}
        }
        let given = |h: usize| inputs.get(h).map_or(&[][..], Vec::as_slice);
        let mut ahead = Ahead::of(self)?;
        let of = |h: usize| {
            if h > 0 {
                ahead.step()?;
            }
            self.check_given(given(h))?;
            ahead.predictive(given(h)).map_err(|error| match error {
                Error::NotFinite { .. } => error.at_observation(self.observations() + h as u64),
                Error::Entry { ref name, .. } if name == PARTS => Error::NotFinite {
                    index: self.observations() + h as u64,
                    what: "the forecast",
                    found: f64::INFINITY,
                },
                error => error.at_observation(h as u64),
            })
        };
        (0..steps).map(of).collect()
    }

    /// Refuses other than one number for each input of the model.
    fn check_given(&self, inputs: &[f64]) -> Result<()> {
        if inputs.len() == self.inputs().len() {
            return Ok(());
        }
        let expected = match self.inputs() {
            [] => "none: the model has no inputs".to_owned(),
            names => format!("a number for each of {}", names.join(", ")),
        };
        Err(Error::setting("inputs", format!("{inputs:?}"), expected))
    }

    /// The next observations, given all so far. Every quantile is that of the distribution in
    /// [`AnyFilter::predictive`]: of a mixture by halving, of counts and symbols the first that reaches it.
    ///
    /// ```
    /// use scotopic_filtering::gaussian::LinearGaussian;
    /// use scotopic_filtering::{AnyFilter, AnyModel, Filter, ForecastSettings};
    /// # fn main() -> scotopic_filtering::Result<()> {
    /// let walk = LinearGaussian::from_rows(&[[1.0]], &[[0.1]], &[[1.0]], &[[1.0]])?;
    /// let mut filter = AnyFilter::new(AnyModel::LinearGaussian(walk), "reversed")?;
    /// filter.update(Some(&[0.3]))?;
    /// let week = filter.forecast(&ForecastSettings { ahead: 7, ..ForecastSettings::default() })?;
    /// // The farther ahead, the less is known.
    /// assert!(week.variance[6][0] > week.variance[0][0]);
    /// assert!(week.quantiles[0][0][0] < week.mean[0][0]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense; as [`AnyFilter::predictive`] and, for samples,
    /// [`AnyFilter::simulate`].
    pub fn forecast(&self, settings: &ForecastSettings) -> Result<Forecast> {
        settings.check(self.width())?;
        let given = !settings.inputs.is_empty() || !self.inputs().is_empty();
        if given && settings.inputs.len() != settings.ahead {
            let expected = match self.inputs() {
                [] => "none: the model has no inputs".to_owned(),
                names => format!(
                    "{} rows, one for each step ahead, of {}",
                    settings.ahead,
                    names.join(", ")
                ),
            };
            return Err(Error::setting(
                "inputs",
                format!("{} rows", settings.inputs.len()),
                expected,
            ));
        }
        let predictive = self.predictives(settings.ahead, &settings.inputs)?;
        let each = |of: &dyn Fn(&Predictive) -> f64| -> Vec<Vec<f64>> {
            let rows = predictive.iter();
            rows.map(|row| row.iter().map(of).collect()).collect()
        };
        let (mean, variance) = (each(&Predictive::mean), each(&Predictive::variance));
        let rows = |p: f64| -> Result<Vec<Vec<f64>>> {
            let rows = predictive.iter();
            rows.map(|row| row.iter().map(|entry| entry.quantile(p)).collect())
                .collect()
        };
        let quantiles = settings.quantiles.iter().map(|p| rows(*p));
        let quantiles = quantiles.collect::<Result<_>>()?;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(settings.seed);
        let samples = (0..settings.samples).map(|_| match settings.inputs.is_empty() {
            true => self.simulate(settings.ahead, &mut rng),
            false => self.simulate_given(&Sequence::of_rows(&settings.inputs)?, &mut rng),
        });
        Ok(Forecast {
            samples: samples.collect::<Result<_>>()?,
            predictive,
            mean,
            variance,
            quantiles,
        })
    }
}

impl AnyModel {
    /// The observations after `sequence`, as [`AnyFilter::forecast`] of the exact filter, or of the reversed
    /// factorisation where there is none.
    ///
    /// # Errors
    /// As [`AnyFilter::update`](Filter::update) and [`AnyFilter::forecast`].
    pub fn forecast(&self, sequence: &Sequence, settings: &ForecastSettings) -> Result<Forecast> {
        let mut filter = AnyFilter::new(self.clone(), "reversed")?;
        for row in sequence.iter() {
            filter.update(row)?;
        }
        filter.forecast(settings)
    }
}
