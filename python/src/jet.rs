//! Numbers that carry their derivatives along, for functions of Python.

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use scotopic_filtering::generalised::model::{Jet as Value, Number};

/// A number that carries two directions of differentiation along. It has the arithmetic of numbers, and `exp`, `log`,
/// `sin`, `cos`, `tanh`, `sqrt` as methods, which NumPy's functions of the same names call. It does not become a float:
/// a function that is not differentiated would lose the derivatives silently.
#[pyclass(frozen, name = "Number", module = "scotopic._scotopic", from_py_object)]
#[derive(Clone, Copy)]
pub struct Jet {
    value: Value,
}

impl Jet {
    /// From a value and its derivatives.
    pub fn of(derivatives: [f64; 4]) -> Self {
        Self {
            value: Value::from_derivatives(derivatives),
        }
    }

    fn map(self, of: impl FnOnce(Value) -> Value) -> Self {
        Self {
            value: of(self.value),
        }
    }
}

/// Another operand: such a number, or a real one.
fn operand(other: &Bound<'_, PyAny>) -> Option<Value> {
    if let Ok(jet) = other.cast::<Jet>() {
        return Some(jet.get().value);
    }
    other.extract::<f64>().ok().map(Value::constant)
}

/// The derivatives of each entry of what a function gave: one number, or a list or array of them.
///
/// # Errors
/// `TypeError` for what is no number.
pub fn read(result: &Bound<'_, PyAny>) -> PyResult<Vec<[f64; 4]>> {
    if let Some(value) = operand(result).filter(|_| result.len().is_err()) {
        return Ok(vec![value.derivatives()]);
    }
    let mut all = Vec::new();
    for entry in result.try_iter()? {
        let entry = entry?;
        let value = operand(&entry).ok_or_else(|| {
            let kind = entry.get_type();
            PyTypeError::new_err(format!("f and g give numbers, not {kind}"))
        })?;
        all.push(value.derivatives());
    }
    Ok(all)
}

/// An operation that answers `NotImplemented` to what is no number.
macro_rules! binary {
    ($self:ident, $other:ident, $a:ident, $b:ident => $result:expr) => {{
        let py = $other.py();
        match operand($other) {
            None => Ok(py.NotImplemented()),
            Some($b) => {
                let $a = $self.value;
                Ok(Bound::new(py, Jet { value: $result })?.into_any().unbind())
            }
        }
    }};
}

#[pymethods]
impl Jet {
    /// The number without derivatives.
    #[getter]
    fn value(&self) -> f64 {
        self.value.value()
    }

    fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => a + b)
    }

    fn __radd__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => b + a)
    }

    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => a - b)
    }

    fn __rsub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => b - a)
    }

    fn __mul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => a * b)
    }

    fn __rmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => b * a)
    }

    fn __truediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => a / b)
    }

    fn __rtruediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary!(self, other, a, b => b / a)
    }

    fn __pow__(
        &self,
        power: &Bound<'_, PyAny>,
        _modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        if let Some(whole) = power
            .extract::<f64>()
            .ok()
            .filter(|p| p.fract() == 0.0 && p.abs() < 1e6)
        {
            return binary!(self, power, a, _b => a.powi(whole as i32));
        }
        binary!(self, power, a, b => (b * a.ln()).exp())
    }

    fn __rpow__(
        &self,
        base: &Bound<'_, PyAny>,
        _modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        binary!(self, base, a, b => (a * b.ln()).exp())
    }

    fn __neg__(&self) -> Self {
        self.map(|x| -x)
    }

    fn __pos__(&self) -> Self {
        *self
    }

    fn __abs__(&self) -> Self {
        match self.value.value() < 0.0 {
            true => self.map(|x| -x),
            false => *self,
        }
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Some(other) = operand(other) else {
            return Ok(py.NotImplemented());
        };
        let (a, b) = (self.value.value(), other.value());
        let answer = match op {
            CompareOp::Eq => a == b,
            CompareOp::Ne => a != b,
            CompareOp::Lt => a < b,
            CompareOp::Le => a <= b,
            CompareOp::Gt => a > b,
            CompareOp::Ge => a >= b,
        };
        Ok(answer.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn exp(&self) -> Self {
        self.map(Number::exp)
    }

    fn log(&self) -> Self {
        self.map(Number::ln)
    }

    fn sin(&self) -> Self {
        self.map(Number::sin)
    }

    fn cos(&self) -> Self {
        self.map(Number::cos)
    }

    fn tanh(&self) -> Self {
        self.map(Number::tanh)
    }

    fn sqrt(&self) -> Self {
        self.map(Number::sqrt)
    }

    fn __repr__(&self) -> String {
        let [value, outer, inner, mixed] = self.value.derivatives();
        format!("Number({value}, derivatives {outer}, {inner}, {mixed})")
    }
}
