//! Tables that come from Python, a column each.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A column of numbers: a buffer of int64 (array 'q', numpy) is copied whole, anything else is read
/// one by one.
pub(crate) struct Column {
    name: &'static str,
    values: Vec<i64>,
}

impl Column {
    pub(crate) fn read(name: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let values = match PyBuffer::<i64>::get(object) {
            Ok(buffer) => buffer.to_vec(object.py())?,
            Err(_) => object.extract()?,
        };
        Ok(Self { name, values })
    }

    /// The number of rows of a table of which these are the columns.
    pub(crate) fn rows(columns: &[&Self]) -> PyResult<usize> {
        let first = columns[0];
        let other = columns
            .iter()
            .find(|one| one.values.len() != first.values.len());
        match other {
            None => Ok(first.values.len()),
            Some(Self { name, values }) => {
                let (length, expected) = (values.len(), first.values.len());
                let text = format!("{name} has {length} items, {} has {expected}", first.name);
                Err(PyValueError::new_err(text))
            }
        }
    }

    /// Item `row`, in the range of `T`.
    pub(crate) fn at<T: TryFrom<i64>>(&self, row: usize) -> PyResult<T> {
        let value = self.values[row];
        let out_of_range = |_| {
            let text = format!("{}[{row}] is {value}: out of range", self.name);
            PyValueError::new_err(text)
        };
        T::try_from(value).map_err(out_of_range)
    }

    /// Item `row`; -1 = none.
    pub(crate) fn maybe(&self, row: usize) -> PyResult<Option<u64>> {
        if self.at::<i64>(row)? == -1 {
            Ok(None)
        } else {
            self.at(row).map(Some)
        }
    }
}
