//! A contact sheet of images and patches, with times:
//! `cargo run --release -p scotopic-datasets --example contact_sheet -- sheet.png [data folder]`.
//! With a data folder, patches of photographs in place of dead leaves.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use scotopic_datasets::dead_leaves::draw;
use scotopic_datasets::whitening::Whitener;
use scotopic_datasets::{
    DataConfig, DeadLeavesConfig, ImagesConfig, Picture, WhiteningConfig, images,
};

struct Sheet {
    pixels: image::GrayImage,
}

impl Sheet {
    /// Puts values on the sheet, `low` black and `high` white.
    fn put(
        &mut self,
        left: usize,
        top: usize,
        width: usize,
        values: impl Iterator<Item = f64>,
        [low, high]: [f64; 2],
    ) {
        for (i, value) in values.enumerate() {
            let grey = ((value - low) / (high - low) * 255.0).clamp(0.0, 255.0) as u8;
            let (x, y) = ((left + i % width) as u32, (top + i / width) as u32);
            if x < self.pixels.width() && y < self.pixels.height() {
                self.pixels.put_pixel(x, y, image::Luma([grey]));
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments
        .next()
        .ok_or("give the name of the PNG file to write")?;
    let folder = arguments.next();
    let leaves = DeadLeavesConfig::default();
    let (config, pictures): (_, Vec<Picture>) = match &folder {
        None => {
            let draw = |i| draw(&leaves.leaves(), leaves.seed, &[2, i]);
            (
                DataConfig::DeadLeaves(leaves.clone()),
                (0..4).map(draw).collect(),
            )
        }
        Some(folder) => {
            let files = images::folder(&Path::new(folder).join("bsds500/images/train"))?;
            let pictures = files
                .iter()
                .take(2)
                .map(|f| images::grey(f))
                .collect::<Result<_, _>>()?;
            (DataConfig::Images(ImagesConfig::default()), pictures)
        }
    };
    let start = Instant::now();
    let root = folder.unwrap_or_else(|| ".".into());
    let splits = config.load(Path::new(&root), &mut |line| println!("{line}"))?;
    println!(
        "{:.2} s, {:?}",
        start.elapsed().as_secs_f64(),
        splits.standardisation
    );
    println!("digest {}", splits.digest());

    let mut sheet = Sheet {
        pixels: image::GrayImage::from_pixel(1100, 900, image::Luma([40])),
    };
    let mut left = 8;
    let plain = WhiteningConfig::default();
    let local = WhiteningConfig {
        f0: 0.5,
        local_contrast: true,
        ..Default::default()
    };
    for picture in pictures {
        let (w, h) = (picture.width, picture.height.min(190));
        sheet.put(
            left,
            8,
            w,
            picture.values.iter().copied().take(w * h),
            [0.0, 1.0],
        );
        for (row, config) in [(1, &plain), (2, &local)] {
            let mut white = picture.clone();
            Whitener::new(config).apply(&mut white);
            let square =
                white.values.iter().map(|v| v * v).sum::<f64>() / white.values.len() as f64;
            let reach = 3.0 * square.sqrt();
            sheet.put(
                left,
                8 + row * 200,
                w,
                white.values.iter().copied().take(w * h),
                [-reach, reach],
            );
        }
        left += w + 8;
    }
    let side = splits.train.shape().width;
    let across = 1084 / (side + 2);
    for i in 0..splits.train.len().min(across * (280 / (side + 2))) {
        let (x, y) = (
            8 + (i % across) * (side + 2),
            610 + (i / across) * (side + 2),
        );
        sheet.put(
            x,
            y,
            side,
            splits.train.image(i).iter().map(|&v| f64::from(v)),
            [-3.0, 3.0],
        );
    }
    sheet.pixels.save(target)?;
    Ok(())
}
