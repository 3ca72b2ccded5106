//! Tensors in a pickle: views of a storage.

use anyhow::{Result, bail, ensure};
use scotopic_datasets::npy;

/// Where the values of a tensor are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The storage's name in the archive.
    pub storage: String,
    /// The type of its elements as PyTorch calls it, such as `Float`.
    pub element: String,
    /// Elements of the storage.
    pub length: usize,
    /// The first element of the tensor.
    pub offset: usize,
    /// Sizes, slowest first.
    pub shape: Vec<usize>,
    /// Elements between neighbours along each axis.
    pub stride: Vec<usize>,
}

impl View {
    /// Memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.storage.len() + self.element.len() + 8 * (self.shape.len() + self.stride.len()) + 128
    }

    /// Refuses a view that reaches beyond its storage, or names its elements more than once: a tensor of a terabyte
    /// is not in a file of a kilobyte.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check(&self) -> Result<()> {
        ensure!(
            self.shape.len() == self.stride.len() && self.shape.len() <= 8,
            "it has {} sizes and {} strides",
            self.shape.len(),
            self.stride.len()
        );
        let values = self.shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
        let reach = self
            .shape
            .iter()
            .zip(&self.stride)
            .try_fold(self.offset, |at, (&size, &stride)| {
                size.saturating_sub(1).checked_mul(stride)?.checked_add(at)
            });
        match (values, reach) {
            (Some(0), _) => bail!("its shape {:?} holds nothing", self.shape),
            (Some(values), Some(last)) if values <= self.length && last < self.length => Ok(()),
            _ => bail!(
                "its shape {:?} with stride {:?} from {} does not lie within the {} elements of its storage",
                self.shape,
                self.stride,
                self.offset,
                self.length
            ),
        }
    }

    /// The tensor's values in row-major order, for a view that was checked and a storage of its length.
    pub(super) fn gather(&self, storage: &[f32]) -> Vec<f32> {
        npy::gather(storage, self.offset, &self.shape, &self.stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(offset: usize, shape: &[usize], stride: &[usize]) -> View {
        View {
            storage: "0".into(),
            element: "Float".into(),
            length: 6,
            offset,
            shape: shape.to_vec(),
            stride: stride.to_vec(),
        }
    }

    #[test]
    fn views_are_gathered_in_row_major_order() {
        let storage = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(view(0, &[2, 3], &[3, 1]).gather(&storage), storage);
        let transposed = view(0, &[3, 2], &[1, 3]);
        transposed.check().unwrap();
        assert_eq!(transposed.gather(&storage), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(view(4, &[2], &[1]).gather(&storage), [4.0, 5.0]);
        assert_eq!(view(2, &[], &[]).gather(&storage), [2.0]);
    }

    #[test]
    fn views_beyond_their_storage_are_refused() {
        for (offset, shape, stride) in [
            (0, &[7][..], &[1][..]),
            (1, &[6], &[1]),
            (6, &[], &[]),
            (usize::MAX, &[2], &[1]),
            (0, &[usize::MAX, 2], &[1, 1]),
            (0, &[2, 2], &[usize::MAX, usize::MAX]),
            (0, &[1000], &[0]),
            (0, &[0], &[1]),
            (0, &[2, 3], &[1]),
        ] {
            let error = view(offset, shape, stride).check().unwrap_err();
            assert!(
                error.to_string().starts_with("its shape")
                    || error.to_string().starts_with("it has")
            );
        }
    }
}
