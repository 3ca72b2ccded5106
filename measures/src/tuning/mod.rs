//! What a unit responds to, from its mean responses to a series of stimuli.
//!
//! | file | contents |
//! |---|---|
//! | `orientation` | preferred orientation, selectivity, width |
//! | `von_mises` | a smooth orientation tuning curve fitted to the responses |
//! | `frequency` | preferred spatial frequency and bandwidth |
//! | `contrast` | the contrast response: Naka and Rushton's function, saturation |
//! | `suppression` | cross-orientation suppression by a plaid |
//! | `normalisation` | the normalisation model fitted to responses under a mask |
//! | `modulation` | F1/F0 of the response to a drifting grating |
//!
//! Responses are rates: 0 or more. A unit that does not respond has no tuning, which is `None`.

mod contrast;
mod frequency;
mod modulation;
mod normalisation;
mod orientation;
mod suppression;
mod von_mises;

pub use contrast::{NakaRushton, supersaturation};
pub use frequency::FrequencyTuning;
pub use modulation::modulation_ratio;
pub use normalisation::DivisiveNormalisation;
pub use orientation::OrientationTuning;
pub use suppression::cross_orientation_suppression;
pub use von_mises::VonMises;
