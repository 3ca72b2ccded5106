//! The input of an unroll.

use burn::tensor::Tensor;

/// The input over inference time.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use scotopic::inference::Stimulus;
/// let film = Stimulus::Sequence(Tensor::<3>::zeros([5, 2, 9], &Device::flex()));
/// assert_eq!(film.at(3).dims(), [2, 9]);
/// assert_eq!(film.at(70).dims(), [2, 9]); // holds its last frame
/// ```
#[derive(Debug, Clone)]
pub enum Stimulus {
    /// The same image at every step, `[batch, pixels]`.
    Static(Tensor<2>),
    /// One frame per step, `[time, batch, pixels]`; the last frame is held at the end.
    Sequence(Tensor<3>),
}

impl Stimulus {
    /// The input at inference time `time`, `[batch, pixels]`.
    pub fn at(&self, time: usize) -> Tensor<2> {
        match self {
            Self::Static(x) => x.clone(),
            Self::Sequence(film) => {
                let [steps, batch, pixels] = film.dims();
                let frame = time.min(steps.saturating_sub(1));
                film.clone().narrow(0, frame, 1).reshape([batch, pixels])
            }
        }
    }

    /// Whether a gradient by it is asked for.
    pub(super) fn is_tracked(&self) -> bool {
        match self {
            Self::Static(x) => x.is_tracked(),
            Self::Sequence(film) => film.is_tracked(),
        }
    }

    /// How many data are seen in parallel.
    pub fn batch(&self) -> usize {
        match self {
            Self::Static(x) => x.dims()[0],
            Self::Sequence(film) => film.dims()[1],
        }
    }
}
