//! Models whose equations are functions of Python.

use std::sync::{Arc, Mutex, PoisonError};

use numpy::{PyArray1, PyArrayDyn};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use scotopic_filtering::generalised::causal::{CausalConfig, CausalGeneralisedFilter};
use scotopic_filtering::generalised::model::{Equations, GenerativeModel, Number, Point, Sizes};
use scotopic_filtering::generalised::scheme::Embedding;
use scotopic_filtering::nalgebra::DMatrix;
use scotopic_filtering::nonlinear::{NonlinearConfig, NonlinearFilter, StateSpace};
use scotopic_filtering::{Error, elbo_kind};

use crate::arrays::Parameter;
use crate::errors::{Failure, Result};
use crate::jet::Jet;
use crate::observation::Kind;

/// What f gives.
const STATE: Kind = Kind {
    name: "what f gives",
    one_row: "a row of numbers",
    is: "f gives a number or a row of numbers",
};

/// Where the first exception that a function raises is kept until the filter that called it has returned.
pub type Raised = Arc<Mutex<Option<PyErr>>>;

/// A function of Python. It answers NaN where it raises.
#[derive(Clone)]
struct Function {
    function: Arc<Py<PyAny>>,
    raised: Raised,
}

impl Function {
    fn new(function: Bound<'_, PyAny>, raised: &Raised) -> Self {
        Self {
            function: Arc::new(function.unbind()),
            raised: raised.clone(),
        }
    }

    /// What `call` gets out of the function, if it does.
    fn of<T>(&self, call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Option<T> {
        Python::attach(|py| match call(self.function.bind(py)) {
            Ok(value) => Some(value),
            Err(error) => {
                let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
                raised.get_or_insert(error);
                None
            }
        })
    }
}

/// x_t = f(x_{t−1}) + N(0, Q), ln g(y | x).
#[derive(Clone)]
pub struct Nonlinear {
    width: usize,
    f: Function,
    log_likelihood: Function,
    noise: Vec<f64>,
    m0: Vec<f64>,
    p0: Vec<f64>,
}

impl StateSpace for Nonlinear {
    fn dim(&self) -> usize {
        self.m0.len()
    }

    fn observed(&self) -> usize {
        self.width
    }

    fn initial_mean(&self) -> &[f64] {
        &self.m0
    }

    fn initial_covariance(&self) -> &[f64] {
        &self.p0
    }

    fn noise(&self) -> &[f64] {
        &self.noise
    }

    fn mean(&self, state: &[f64], into: &mut [f64]) {
        into.fill(f64::NAN);
        let found = self.f.of(|f| {
            let result = f.call1((PyArray1::from_slice(f.py(), state),))?;
            let mut row = Vec::with_capacity(into.len());
            crate::observation::read(&result, STATE, &mut row)?;
            same_length("f", row.len(), into.len())?;
            Ok(row)
        });
        if let Some(row) = found {
            into.copy_from_slice(&row);
        }
    }

    fn log_likelihood(&self, observation: &[f64], state: &[f64]) -> f64 {
        let found = self.log_likelihood.of(|g| {
            let py = g.py();
            let arguments = (
                PyArray1::from_slice(py, observation),
                PyArray1::from_slice(py, state),
            );
            let result = g.call1(arguments)?;
            // An array of one entry is a number.
            let number = match result.extract::<f64>() {
                Ok(number) => Ok(number),
                Err(_) => result.call_method0("item").and_then(|n| n.extract()),
            };
            let said = |found: String| {
                PyTypeError::new_err(format!(
                    "log_likelihood gives a number, ln g(y | x), not {found}"
                ))
            };
            match number {
                Ok(number) if !number.is_nan() => Ok(number),
                Ok(_) => Err(said(format!("NaN (at y = {observation:?}, x = {state:?})"))),
                Err(_) => Err(said(result.get_type().to_string())),
            }
        });
        found.unwrap_or(f64::NAN)
    }
}

fn same_length(name: &str, found: usize, expected: usize) -> PyResult<()> {
    if found == expected {
        return Ok(());
    }
    let error = Error::Size {
        name: name.to_owned(),
        found: format!("{found} numbers"),
        expected: expected.to_string(),
    };
    Err(Failure::Library(error).into())
}

/// x' = f(x, v, θ) + w, y = g(x, v, θ) + z.
#[derive(Clone)]
pub struct Flow {
    sizes: Sizes,
    f: Function,
    g: Function,
}

impl Flow {
    /// Calls a function on arrays of numbers or, where derivatives are asked for, lists of [`Jet`].
    fn call<T: Number>(&self, name: &str, function: &Function, at: Point<'_, T>, out: &mut [T]) {
        out.fill(T::constant(f64::NAN));
        let found = function.of(|f| {
            let py = f.py();
            let moves = |x: &T| x.derivatives()[1..].iter().any(|d| *d != 0.0);
            let plain = !at.x.iter().chain(at.v).chain(at.theta).any(moves);
            let argument = |values: &[T]| -> PyResult<Bound<'_, PyAny>> {
                if plain {
                    let values: Vec<f64> = values.iter().map(|x| x.value()).collect();
                    return Ok(PyArray1::from_vec(py, values).into_any());
                }
                let jets = values.iter().map(|x| Jet::of(x.derivatives()));
                let list = PyList::new(
                    py,
                    jets.map(|jet| Bound::new(py, jet))
                        .collect::<PyResult<Vec<_>>>()?,
                )?;
                // An array of objects: indexing, slicing and arithmetic are those of numbers.
                let numpy = py.import("numpy")?;
                numpy.call_method1("array", (list, "O"))
            };
            let result = f.call1((argument(at.x)?, argument(at.v)?, argument(at.theta)?))?;
            let jets = crate::jet::read(&result)?;
            same_length(name, jets.len(), out.len())?;
            Ok(jets)
        });
        for (out, jet) in out.iter_mut().zip(found.into_iter().flatten()) {
            *out = T::from_derivatives(jet);
        }
    }
}

impl Equations for Flow {
    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn f<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        self.call("f", &self.f, at, out);
    }

    fn g<T: Number>(&self, at: Point<'_, T>, out: &mut [T]) {
        self.call("g", &self.g, at, out);
    }
}

/// A filter of functions of Python that has seen nothing, and where they leave what they raise.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct Equation {
    pub(crate) filter: EquationFilter,
    pub(crate) raised: Raised,
}

/// Which filter it is.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // one is made and updated in place
pub enum EquationFilter {
    /// In discrete time.
    Nonlinear(NonlinearFilter<Nonlinear>),
    /// In continuous time, with smooth noise.
    Generalised(CausalGeneralisedFilter<Flow>),
}

#[pymethods]
impl Equation {
    /// x_t = f(x_{t−1}) + N(0, Q) with ln g(y, x).
    #[staticmethod]
    fn nonlinear(
        f: Bound<'_, PyAny>,
        log_likelihood: Bound<'_, PyAny>,
        width: usize,
        process_noise: &Bound<'_, PyArrayDyn<f64>>,
        initial_mean: &Bound<'_, PyArrayDyn<f64>>,
        initial_covariance: &Bound<'_, PyArrayDyn<f64>>,
        factorisation: &str,
    ) -> Result<Self> {
        let raised = Raised::default();
        let m0 = Parameter::read("initial_mean", initial_mean).of_shape(&[0])?;
        let n = m0.len();
        let model = Nonlinear {
            width,
            f: Function::new(f, &raised),
            log_likelihood: Function::new(log_likelihood, &raised),
            noise: Parameter::read("process_noise", process_noise).of_shape(&[n, n])?,
            p0: Parameter::read("initial_covariance", initial_covariance).of_shape(&[n, n])?,
            m0,
        };
        let config = NonlinearConfig {
            elbo: elbo_kind(factorisation)?,
            ..NonlinearConfig::default()
        };
        let filter = NonlinearFilter::new(model, config);
        Ok(Self {
            filter: EquationFilter::Nonlinear(first(&raised, filter)?),
            raised,
        })
    }

    /// x' = f(x, v, θ) + w, y = g(x, v, θ) + z with smooth noise.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)] // called with keywords
    fn generalised(
        f: Bound<'_, PyAny>,
        g: Bound<'_, PyAny>,
        causes: usize,
        outputs: usize,
        theta: Vec<f64>,
        precisions: [f64; 3],
        start: Vec<f64>,
        start_variance: f64,
        order: usize,
        smoothness: f64,
        lag: usize,
    ) -> Result<Self> {
        let raised = Raised::default();
        let sizes = Sizes {
            states: start.len(),
            causes,
            outputs,
            parameters: theta.len(),
        };
        let flow = Flow {
            sizes,
            f: Function::new(f, &raised),
            g: Function::new(g, &raised),
        };
        let embedding = Embedding {
            states: order,
            smoothness,
            ..Embedding::default()
        };
        embedding.check()?;
        let config = CausalConfig {
            lag,
            ..CausalConfig::from(embedding)
        };
        let n = start.len();
        let spread = (start_variance > 0.0).then(|| DMatrix::identity(n, n) * start_variance);
        let [output, motion, cause] = precisions;
        let model = GenerativeModel::single(flow, &theta, output, motion, cause, &start);
        let model = first(&raised, model)?;
        let filter = CausalGeneralisedFilter::new(model, config, spread.as_ref());
        Ok(Self {
            filter: EquationFilter::Generalised(first(&raised, filter)?),
            raised,
        })
    }
}

/// What a function raised comes before what the library said of its NaN.
pub fn first<T>(raised: &Raised, result: scotopic_filtering::Result<T>) -> Result<T> {
    let error = raised.lock().unwrap_or_else(PoisonError::into_inner).take();
    match error {
        Some(error) => Err(error.into()),
        None => Ok(result?),
    }
}
