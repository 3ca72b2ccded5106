//! Factorisations and bounds by name.

use serde::Deserialize as _;
use serde::de::value::{Error as NameError, StrDeserializer};

use crate::gaussian::GaussianFactorisation;
use crate::hmm::Factorisation;
use crate::nonlinear::ElboKind;
use crate::{Error, Result};

/// The factorisations that a discrete model can be filtered with, by name.
pub const HMM_FACTORISATIONS: &str = "reversed, decoupled-lag1, frozen, tied";
/// Those of a linear-Gaussian model.
pub const GAUSSIAN_FACTORISATIONS: &str = "reversed, diagonal, decoupled, frozen-mean-field, jelbo";
/// The bounds that a nonlinear model can be filtered by.
pub const ELBO_KINDS: &str = "reversed, jelbo, vjf";

/// The factorisation of a discrete model by name, batch ones included.
///
/// # Errors
/// [`Error::Setting`] for a name that is none.
pub fn hmm_factorisation(name: &str) -> Result<Factorisation> {
    Factorisation::named(name).ok_or_else(|| {
        let expected = format!(
            "online {HMM_FACTORISATIONS}, over whole sequences also forward-markov, fully-factorised and block-N for \
             windows of N"
        );
        Error::setting("factorisation", name, expected)
    })
}

/// The factorisation of a linear-Gaussian model by name.
///
/// # Errors
/// [`Error::Setting`] for a name that is none.
pub fn gaussian_factorisation(name: &str) -> Result<GaussianFactorisation> {
    let read = GaussianFactorisation::deserialize(StrDeserializer::<NameError>::new(name));
    read.map_err(|_| {
        let expected =
            format!("{GAUSSIAN_FACTORISATIONS}, and temporal-mean-field over whole sequences");
        Error::setting("factorisation", name, expected)
    })
}

/// The bound of a nonlinear model by name.
///
/// # Errors
/// [`Error::Setting`] for a name that is none.
pub fn elbo_kind(name: &str) -> Result<ElboKind> {
    match name {
        "reversed" => Ok(ElboKind::Reversed),
        "jelbo" => Ok(ElboKind::Jelbo),
        "vjf" => Ok(ElboKind::Vjf),
        other => Err(Error::setting("factorisation", other, ELBO_KINDS)),
    }
}
