//! # The Python package `scotopic`
//!
//! Models and filters of [`scotopic_filtering`] as Python classes that take and give NumPy arrays. The classes here are
//! the thin half; the estimators with scikit-learn's conventions are written in Python on top of them, in
//! `python/scotopic/`.
//!
//! | concept | file |
//! |---|---|
//! | arrays as sequences, without copies | `observations.rs`: [`Observations`](observations::Observations) |
//! | numbers out | `arrays.rs` |
//! | hidden Markov models | `hmm.rs`: [`Hmm`](hmm::Hmm); emissions of any kind: `emission.rs` |
//! | the same with inputs of their transitions | `driven_hmm.rs`: [`DrivenHmm`](driven_hmm::DrivenHmm) |
//! | linear-Gaussian models | `gaussian.rs`: [`LinearGaussian`](gaussian::LinearGaussian) |
//! | linear-Gaussian models with inputs, and at any times | `driven.rs`: [`DrivenGaussian`](driven::DrivenGaussian) |
//! | structural models | `structural.rs` |
//! | estimates with errors, residuals | `questions.rs` |
//! | fitting | `fit.rs`, `fit_gaussian.rs`; Ctrl-C: `interrupt.rs` |
//! | expected statistics, which add up | `statistics.rs` |
//! | gradients of ln p | `gradient.rs` |
//! | one observation at a time | `filter.rs`: [`Filter`](filter::Filter), around the filters of `inner.rs`; many: `after_each.rs`; `forecast.rs`; learning rules: `rules.rs`; one observation: `observation.rs` |
//! | models of Python functions; numbers that carry derivatives | `callables.rs`; `jet.rs` |
//! | factorisations beside each other | `comparison.rs` |
//! | models in files | `files.rs` |
//! | figures | `figures.rs` |
//! | errors as exceptions | `errors.rs` |
//! | spiking networks, with the feature `vision` | `vision/` |

use pyo3::prelude::*;

mod after_each;
mod arrays;
mod beliefs;
mod callables;
mod comparison;
mod driven;
mod driven_hmm;
mod emission;
mod errors;
mod figures;
mod files;
mod filter;
mod fit;
mod fit_gaussian;
mod forecast;
mod gaussian;
mod given;
mod gradient;
mod hmm;
mod inner;
mod interrupt;
mod jet;
mod observation;
mod observations;
mod plds;
mod questions;
mod rules;
mod statistics;
mod structural;
#[cfg(feature = "vision")]
mod vision;

/// The compiled half of the package.
#[pymodule]
mod _scotopic {
    #[pymodule_export]
    use crate::callables::Equation;
    #[pymodule_export]
    use crate::comparison::compare;
    #[pymodule_export]
    use crate::driven::DrivenGaussian;
    #[pymodule_export]
    use crate::driven_hmm::DrivenHmm;
    #[pymodule_export]
    use crate::figures::{bands_figure, beliefs_figure, matrix_figure, residuals_figure};
    #[pymodule_export]
    use crate::filter::Filter;
    #[pymodule_export]
    use crate::fit::{fit_hmm, search_driven_hmm, search_hmm};
    #[pymodule_export]
    use crate::fit_gaussian::{
        fit_linear_gaussian, search_driven_gaussian, search_linear_gaussian,
    };
    #[pymodule_export]
    use crate::forecast::Laws;
    #[pymodule_export]
    use crate::gaussian::LinearGaussian;
    #[pymodule_export]
    use crate::gradient::gradient;
    #[pymodule_export]
    use crate::hmm::Hmm;
    #[pymodule_export]
    use crate::jet::Jet;
    #[pymodule_export]
    use crate::observations::Observations;
    #[pymodule_export]
    use crate::plds::{Plds, fit_plds};
    #[pymodule_export]
    use crate::questions::{residual_autocorrelations, residuals, summary};
    #[pymodule_export]
    use crate::statistics::{GaussianStatistics, HmmStatistics, PldsStatistics};
    #[pymodule_export]
    use crate::structural::fit_structural;

    use super::*;

    /// Runs the program `scotopic` on the words of a command line, the first of which is its name; the exit code.
    #[pyfunction]
    fn program(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
        py.detach(|| scotopic_cli::cli::run(arguments))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        #[cfg(feature = "vision")]
        crate::vision::register(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
