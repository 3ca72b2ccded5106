//! Arrays of observations as sequences of the library, in place.

use std::ops::Range;
use std::sync::Arc;

use numpy::{PyArray2, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyType;
use scotopic_filtering::{Error, Sequence, SharedValues};

use crate::errors::{Result, setting};
use crate::interrupt::Source;

/// Observations that were checked once: rows of one array, cut into sequences.
///
/// Nothing is copied: the array is held, and must not be changed while this is in use.
#[pyclass(frozen, module = "scotopic._scotopic")]
pub struct Observations {
    array: Py<PyArray2<f64>>,
    sequences: Vec<Sequence>,
    values: SharedValues,
    ranges: Vec<Range<usize>>,
    width: usize,
    /// How many of the last entries of a row are inputs, and whether an exposure follows them.
    given: (usize, bool),
    /// How many inputs of transitions are last.
    driving: usize,
    rows: usize,
    address: usize,
}

/// The memory of an array that NumPy keeps as long as there is a reference to it.
struct Held {
    #[allow(dead_code)] // it keeps the memory
    array: Py<PyArray2<f64>>,
    start: *const f64,
    len: usize,
}

// SAFETY: `start` is read only, and the memory it points to does not move or go while `array` is held.
#[allow(unsafe_code)]
unsafe impl Send for Held {}
// SAFETY: as above; shared reads of numbers need no order.
#[allow(unsafe_code)]
unsafe impl Sync for Held {}

impl AsRef<[f64]> for Held {
    fn as_ref(&self) -> &[f64] {
        // SAFETY: `start` and `len` are those of a C-contiguous slice of `array`, which is held. NumPy refuses to resize
        // an array that is referenced elsewhere. Writing to it meanwhile is for the caller to avoid, as with every view.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(self.start, self.len)
        }
    }
}

impl Observations {
    /// The sequences.
    pub fn sequences(&self) -> &[Sequence] {
        &self.sequences
    }

    /// The sum of the nats of all sequences, which `each` finds without Python's lock.
    ///
    /// # Errors
    /// Those of `each`, and an interrupt between sequences.
    pub fn total(
        &self,
        py: Python<'_>,
        mut each: impl FnMut(&Sequence) -> scotopic_filtering::Result<f64> + Send,
    ) -> Result<f64> {
        let mut total = 0.0;
        for sequence in self.sequences() {
            total += py.detach(|| each(sequence))?;
            py.check_signals()?;
        }
        Ok(total)
    }

    /// The only sequence.
    ///
    /// # Errors
    /// [`Error::Setting`] for several.
    pub fn one(&self) -> Result<&Sequence> {
        match &self.sequences[..] {
            [sequence] => Ok(sequence),
            all => Err(setting("sequences", all.len(), "one series")),
        }
    }

    /// Where they are, for computations that can be interrupted.
    pub fn source(&self) -> Source<'_> {
        Source {
            values: &self.values,
            width: self.width,
            ranges: &self.ranges,
        }
    }

    /// All rows of all sequences.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

#[pymethods]
impl Observations {
    /// Rows `[T, width]` of a C-contiguous array, cut after `lengths` of them. The last entries of a row are so many `inputs`, and an
    /// `exposure` if there is one, and so many inputs that only transitions depend on (`driving`).
    #[new]
    #[pyo3(signature = (array, lengths=None, inputs=0, exposure=false, driving=0))]
    fn new(
        array: &Bound<'_, PyArray2<f64>>,
        lengths: Option<Vec<usize>>,
        inputs: usize,
        exposure: bool,
        driving: usize,
    ) -> Result<Self> {
        let [rows, width] = [array.shape()[0], array.shape()[1]];
        let read = array.readonly();
        // An array in Fortran's order is a slice as well, of its columns.
        let in_rows = read.as_slice().ok().filter(|_| array.is_c_contiguous());
        let values = in_rows.ok_or_else(|| Error::Size {
            name: "array".to_owned(),
            found: "an array whose rows do not follow one another in memory".to_owned(),
            expected: "a C-contiguous one (numpy.ascontiguousarray)".to_owned(),
        })?;
        let held = Held {
            array: array.clone().unbind(),
            start: values.as_ptr(),
            len: values.len(),
        };
        let address = held.start.addr();
        let shared: SharedValues = Arc::new(held);
        let lengths = lengths.unwrap_or_else(|| vec![rows]);
        let total = lengths
            .iter()
            .try_fold(0usize, |sum, n| sum.checked_add(*n));
        if total != Some(rows) {
            let found = total.map_or("more than can be counted".to_owned(), |n| n.to_string());
            let expected = format!("a sum of {rows}, the rows of the data");
            return Err(setting("lengths", format!("a sum of {found}"), expected));
        }
        let mut sequences = Vec::with_capacity(lengths.len());
        let mut ranges = Vec::with_capacity(lengths.len());
        let mut from = 0;
        for (number, length) in lengths.into_iter().enumerate() {
            if length == 0 {
                return Err(Error::Size {
                    name: format!("sequence {number}"),
                    found: "no observation".to_owned(),
                    expected: "at least one".to_owned(),
                }
                .into());
            }
            let range = from * width..(from + length) * width;
            sequences.push(Sequence::of_shared(width, shared.clone(), range.clone())?);
            ranges.push(range);
            from += length;
        }
        Ok(Self {
            array: array.clone().unbind(),
            sequences,
            values: shared,
            ranges,
            width,
            given: (inputs, exposure),
            driving,
            rows,
            address,
        })
    }

    /// The entries of one observation.
    #[getter]
    fn n_features(&self) -> usize {
        self.width
    }

    /// How many of them are inputs, and whether an exposure follows these.
    #[getter]
    fn given(&self) -> (usize, bool) {
        self.given
    }

    /// How many of the last are inputs of transitions alone.
    #[getter]
    fn driving(&self) -> usize {
        self.driving
    }

    /// The number of sequences.
    #[getter]
    fn n_sequences(&self) -> usize {
        self.sequences.len()
    }

    /// The observations of which something was seen.
    #[getter]
    fn n_seen(&self) -> usize {
        let (inputs, exposure) = self.given;
        let given = inputs + usize::from(exposure) + self.driving;
        self.sequences.iter().map(|s| s.seen(given)).sum()
    }

    /// The observations in each sequence.
    #[getter]
    fn lengths(&self) -> Vec<usize> {
        self.sequences.iter().map(Sequence::len).collect()
    }

    /// Where in memory the first number is read from: the array's own address.
    #[getter]
    fn address(&self) -> usize {
        self.address
    }

    /// The class and its arguments: a pickle has the numbers, and what is read from it holds an array of its own.
    #[allow(clippy::type_complexity)] // a tuple, as pickle asks for
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> (
        Bound<'py, PyType>,
        (Py<PyArray2<f64>>, Vec<usize>, usize, bool, usize),
    ) {
        let this = slf.get();
        let (inputs, exposure) = this.given;
        let array = this.array.clone_ref(slf.py());
        let given = (array, this.lengths(), inputs, exposure, this.driving);
        (slf.get_type(), given)
    }

    fn __len__(&self) -> usize {
        self.rows
    }

    fn __repr__(&self) -> String {
        let (rows, width, n) = (self.rows, self.width, self.sequences.len());
        format!("<Observations: {rows} of {width} entries in {n} sequences>")
    }
}
