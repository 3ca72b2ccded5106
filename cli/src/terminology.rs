//! Names of quantities: spikes and rates for Poisson latents, samples and means otherwise.

use scotopic_models::Family;

/// The terminology of one family of latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// z ~ q: also the name of the array that holds them.
    pub samples: &'static str,
    /// E_q\[a(z)\]: also the name of the array that holds them.
    pub means: &'static str,
    /// Decoding one z.
    pub one_sample: &'static str,
    /// Decoding E_q\[a(z)\].
    pub expected: &'static str,
    /// The portion of zeros among what the decoder sees.
    pub zeros: &'static str,
    /// How evaluation draws.
    pub drawing: &'static str,
    /// The name of one latent.
    pub units: &'static str,
    /// Whether a sample is a whole number of events in time, so that a raster of it is one.
    pub counts: bool,
}

impl Terms {
    /// The terminology of a family.
    ///
    /// ```
    /// use scotopic_models::Family;
    /// use scotopic_cli::terminology::Terms;
    /// assert_eq!(Terms::of(Family::Poisson).samples, "spikes");
    /// assert_eq!(Terms::of(Family::Gaussian).samples, "samples");
    /// ```
    pub fn of(family: Family) -> Self {
        let samples = Self {
            samples: "samples",
            means: "means",
            one_sample: "one sample",
            expected: "means",
            zeros: "zero latents",
            drawing: "exact samples",
            units: "latents",
            counts: false,
        };
        match family {
            Family::Poisson => Self {
                samples: "spikes",
                means: "rates",
                one_sample: "one spike sample",
                expected: "firing rates",
                zeros: "zero spike counts",
                drawing: "exact spike counts",
                units: "neurons",
                counts: true,
            },
            Family::Categorical => Self {
                counts: true,
                ..samples
            },
            // Nothing is drawn: the sample is the state itself, and what it causes is the only reconstruction.
            family if family.is_point() => Self {
                samples: "states",
                means: "activities",
                one_sample: "one state",
                expected: "activities",
                zeros: "silent units",
                drawing: "point estimates",
                units: "units",
                counts: false,
            },
            _ => samples,
        }
    }
}

/// The word at the beginning of a title.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
