//! Spiking networks that see, and their relatives: training, inference, evaluation, on burn.
//!
//! | concept | file |
//! |---|---|
//! | a trained network | `network.rs`: [`Network`](network::Network) |
//! | the event-driven engine | `stream.rs`: [`Stream`](stream::Stream) |
//! | training, Ctrl-C, callbacks | `training.rs` |
//! | data sets as arrays; pixels in and out | `images.rs` |
//! | figures | `figures.rs` |
//! | forked processes | `process.rs` |

mod figures;
mod images;
mod network;
mod process;
mod stream;
mod training;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use scotopic_cli::usage::with_causes;

/// Adds the classes and functions of this half to the module.
///
/// # Errors
/// If the module cannot take them.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<network::Network>()?;
    module.add_class::<stream::Stream>()?;
    module.add_function(wrap_pyfunction!(training::train, module)?)?;
    module.add_function(wrap_pyfunction!(images::data_set, module)?)?;
    module.add_function(wrap_pyfunction!(images::levels, module)?)?;
    module.add_function(wrap_pyfunction!(figures::dictionary_figure, module)?)?;
    module.add_function(wrap_pyfunction!(figures::tiles_figure, module)?)?;
    module.add_function(wrap_pyfunction!(figures::raster_figure, module)?)
}

/// What went wrong.
pub enum Failure {
    /// In the words of the program.
    Told(String),
    /// An exception of Python: wrong types, an interrupt, what a callback raised.
    Python(PyErr),
}

/// The result of what calls the networks.
pub type Result<T> = std::result::Result<T, Failure>;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        // An exception of Python is an error as well, and stays what it is.
        match error.into().downcast::<PyErr>() {
            Ok(raised) => Self::Python(raised),
            Err(error) => Self::Told(with_causes(&error)),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        match failure {
            Failure::Python(error) => error,
            Failure::Told(text) => Python::attach(|py| {
                let class = CLASS.import(py, "scotopic.errors", "ScotopicError");
                let made = class.and_then(|class| class.call1((text,)));
                made.map_or_else(|error| error, PyErr::from_value)
            }),
        }
    }
}
