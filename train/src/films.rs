//! Films as the input of inference: `[batch, time, pixels]` in memory, a frame at each step.

use burn::tensor::{Device, Tensor, TensorData};
use scotopic::inference::Stimulus;

use crate::parameters::to_device;

/// The input of `rows` data, `width` numbers each frame; an image is a film of one frame, shown at every step.
///
/// ```
/// use burn::tensor::Device;
/// use scotopic_train::films::stimulus;
/// let pixels = (0..12).map(|v| v as f32).collect(); // 2 films of 3 frames of 2 pixels
/// let film = stimulus(pixels, 2, 2, &Device::flex());
/// assert_eq!(film.at(1).into_data().try_to_vec::<f32>().unwrap(), [2.0, 3.0, 8.0, 9.0]);
/// ```
pub fn stimulus(pixels: Vec<f32>, rows: usize, width: usize, device: &Device) -> Stimulus {
    let frames = pixels.len() / (rows * width).max(1);
    match frames {
        0 | 1 => Stimulus::Static(to_device(pixels, width, device)),
        _ => {
            let data = TensorData::new(pixels, [rows, frames, width]);
            Stimulus::Sequence(Tensor::<3>::from_data(data, device).swap_dims(0, 1))
        }
    }
}

/// The last frame of every film, one after the other.
pub(crate) fn last_frames(pixels: &[f32], frames: usize, width: usize) -> Vec<f32> {
    let films = pixels.chunks_exact(frames * width);
    films
        .flat_map(|film| film[(frames - 1) * width..].iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_the_first_axis_of_a_film() {
        let pixels: Vec<f32> = (0..12).map(|v| v as f32).collect(); // 2 films of 3 frames of 2 pixels
        let film = stimulus(pixels.clone(), 2, 2, &Device::flex());
        let at = |time| film.at(time).into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(at(0), [0.0, 1.0, 6.0, 7.0]);
        assert_eq!(at(2), [4.0, 5.0, 10.0, 11.0]);
        assert_eq!(last_frames(&pixels, 3, 2), at(2));
        let still = stimulus(pixels.clone(), 6, 2, &Device::flex());
        assert_eq!(still.at(5).dims(), [6, 2]);
        assert_eq!(last_frames(&pixels, 1, 2), pixels);
    }
}
