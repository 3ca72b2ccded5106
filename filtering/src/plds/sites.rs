//! The Gaussian sites that the filter's corrections amount to: where the smoother starts.

use nalgebra::{DMatrix, DVector};

use super::filter::PldsFilter;
use super::model::Plds;
use crate::gaussian::Site;
use crate::math::cholesky::symmetric;
use crate::{Result, Sequence};

/// The sites that the filter's corrections amount to; none where nothing was seen.
pub(super) fn of_filter(model: &Plds, sequence: &Sequence) -> Result<Vec<Option<Site>>> {
    let n = model.states();
    let mut filter = PldsFilter::new(model.clone())?;
    let mut sites = Vec::with_capacity(sequence.len());
    for row in sequence.iter() {
        filter.update(row)?;
        let (before, after) = filter.newest();
        let natural = |point: &super::correction::Point| {
            let precision = DMatrix::from_row_slice(n, n, &point.precision);
            let shift = &precision * DVector::from_column_slice(&point.mean);
            (precision, shift)
        };
        sites.push(row.map(|_| {
            let ((p0, h0), (p1, h1)) = (natural(before), natural(after));
            Site {
                precision: symmetric(p1 - p0),
                shift: h1 - h0,
            }
        }));
    }
    Ok(sites)
}
