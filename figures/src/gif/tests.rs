use super::*;
use crate::axis::Axis;
use crate::figure::{Layer, Plot, Side};
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage};

/// A figure whose only plot shows `pictures`, one in each frame.
fn figure(pictures: &[RgbImage]) -> Figure {
    let (width, height) = pictures[0].dimensions();
    let image = |picture: &RgbImage| Layer::Image {
        corners: [0.0, f64::from(height), f64::from(width), 0.0],
        picture: picture.clone(),
    };
    let sides = [width, height].map(|side| Side::pixels(side as f32));
    let [x, y] = sides;
    let frame = |picture| Frame {
        until: None,
        layers: vec![(0, vec![image(picture)])],
    };
    Figure {
        plots: vec![Plot::new(
            (0, 0),
            (width as f32, height as f32),
            x,
            y,
            Vec::new(),
        )],
        frames: pictures.iter().map(frame).collect(),
        stays: (50, 900),
        ..Figure::default()
    }
}

/// The frames as a viewer shows them, and how long they stay.
fn shown(figure: &Figure) -> Vec<(u32, image::RgbImage)> {
    let layout = Layout::new(figure);
    let mut bytes = Vec::new();
    write(figure, &layout, &mut bytes, Path::new("a.gif")).unwrap();
    let decoder = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    let frames = decoder.into_frames().collect_frames().unwrap();
    let rgb = |frame: image::Frame| {
        let stays = frame.delay().numer_denom_ms().0;
        (
            stays,
            DynamicImage::ImageRgba8(frame.into_buffer()).to_rgb8(),
        )
    };
    frames.into_iter().map(rgb).collect()
}

/// The greatest difference between a frame and its picture.
fn off(shown: &image::RgbImage, figure: &Figure, picture: &RgbImage) -> u8 {
    let (left, top) = Layout::new(figure).origin(0);
    let pixels = picture.enumerate_pixels();
    let far = pixels.flat_map(|(x, y, pixel)| {
        let there = shown.get_pixel(left as u32 + x, top as u32 + y).0;
        [0, 1, 2].map(|i| there[i].abs_diff(pixel.0[i]))
    });
    far.max().unwrap()
}

#[test]
fn frames_come_back_with_colours_as_near_as_they_can_be_kept() {
    let few = RgbImage::from_fn(16, 14, |x, y| Rgb([16 * x as u8, 16 * y as u8, 200]));
    let greys = RgbImage::from_fn(16, 16, |x, y| Rgb([(16 * y + x) as u8; 3]));
    // Smooth edges, of five bits; and a photograph of all colours.
    let edges = RgbImage::from_fn(64, 64, |x, y| match (x % 4, y % 4) {
        (0, 0) => Rgb([(4 * x) as u8, (4 * y) as u8, (2 * (x + y)) as u8]),
        _ => Rgb([255, 255, 255]),
    });
    let many = RgbImage::from_fn(128, 128, |x, y| {
        Rgb([2 * x as u8, 2 * y as u8, (x * y / 64) as u8])
    });
    for (picture, most) in [(few, 0), (greys, 8), (edges, 24), (many, 24)] {
        let turned = RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
            *picture.get_pixel(picture.width() - 1 - x, y)
        });
        let pictures = [picture.clone(), turned, picture.clone(), picture];
        let figure = figure(&pictures);
        let frames = shown(&figure);
        assert_eq!(
            frames.iter().map(|f| f.0).collect::<Vec<_>>(),
            [50, 50, 50, 900]
        );
        for (frame, picture) in frames.iter().zip(&pictures) {
            let off = off(&frame.1, &figure, picture);
            assert!(off <= most, "{off} for {most}");
        }
    }
}

#[test]
fn only_what_changed_is_written() {
    let before = RgbImage::from_pixel(40, 30, Rgb([9; 3]));
    assert_eq!(changed(None, &before), [0, 0, 40, 30]);
    assert_eq!(changed(Some(&before), &before), [0, 0, 1, 1]);
    let now = RgbImage::from_fn(40, 30, |x, y| match (x, y) {
        (7, 5) | (20, 11) => Rgb([8; 3]),
        _ => Rgb([9; 3]),
    });
    assert_eq!(changed(Some(&before), &now), [7, 5, 21, 12]);
}

#[test]
fn plots_are_revealed_up_to_a_cursor() {
    let side = || Side::new(Axis::linear(0.0, 10.0), "", crate::figure::Ticks::None);
    let bar = Layer::Rects {
        rects: vec![[0.0, 0.0, 10.0, 10.0]],
        colour: Rgb([0; 3]),
        behind: false,
    };
    let plot = Plot {
        revealed: true,
        ..Plot::new((0, 0), (100.0, 20.0), side(), side(), vec![bar])
    };
    let frame = |until| Frame {
        until,
        layers: Vec::new(),
    };
    let figure = Figure {
        plots: vec![plot],
        frames: vec![frame(Some(4.0)), frame(None)],
        ..Figure::default()
    };
    let frames = shown(&figure);
    let (left, top) = Layout::new(&figure).origin(0);
    let at = |frame: usize, x: u32| {
        frames[frame]
            .1
            .get_pixel(left as u32 + x, top as u32 + 10)
            .0
    };
    assert_eq!(
        [at(0, 39), at(0, 40), at(0, 41)],
        [[0; 3], MUTED.0, [255; 3]]
    );
    assert_eq!([at(1, 40), at(1, 99)], [[0; 3]; 2]);
}
