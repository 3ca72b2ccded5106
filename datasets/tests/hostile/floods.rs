//! Files that would take all memory, or for ever, if they were taken at their word.

use image::{DynamicImage, GrayImage, ImageFormat};

use crate::formats::{
    Format, encoded, npy_bytes, read_idx, read_lines, read_npy, read_picture, read_table, unchanged,
};
use crate::mutation::packed;

pub fn all() -> Vec<Format> {
    const LONG: usize = 40 << 20;
    let wide = 200_000;
    let row = |order: &mut dyn Iterator<Item = usize>| {
        let fields: Vec<String> = order.map(|n| format!("\"c{n}\":1")).collect();
        format!("{{{}}}\n", fields.join(","))
    };
    let mut reversed = row(&mut (0..wide));
    reversed += &row(&mut (0..wide).rev());
    let pairs = format!("[{}]", vec!["[1,2]"; 1_000_000].join(","));
    let blank = GrayImage::from_pixel(3000, 3000, image::Luma([7]));
    let blank = encoded(&DynamicImage::ImageLuma8(blank), ImageFormat::Png);
    let mut zeros = b"\0\0\x08\x03\0\0\0\x03\0\0\0\x05\0\0\0\x07".to_vec();
    zeros.resize(100 << 20, 0);
    let flood = |name, whole, read| Format {
        name,
        whole,
        finish: unchanged,
        read,
    };
    vec![
        flood("endless-line", vec![b'1'; LONG], read_lines),
        flood("endless-cell", vec![b'1'; LONG], read_table),
        flood("commas", vec![b','; LONG], read_table),
        flood("brackets", vec![b'['; LONG], read_lines),
        flood(
            "zeros",
            format!("[{}0]", "0,".repeat(LONG / 3)).into_bytes(),
            read_lines,
        ),
        flood(
            "quotes",
            [b"\"".to_vec(), vec![b'x'; LONG / 2]].concat(),
            read_table,
        ),
        flood(
            "escapes",
            [b"\"".to_vec(), vec![b'\\'; LONG / 2]].concat(),
            read_lines,
        ),
        flood("nulls", "null\n".repeat(2_000_000).into_bytes(), read_lines),
        flood("reversed", reversed.into_bytes(), read_lines),
        flood("pairs", pairs.into_bytes(), read_lines),
        flood(
            "wide-npy",
            npy_bytes("<f4", "False", "(1, 1048576)", 144),
            read_npy,
        ),
        flood("blank-picture", blank, read_picture),
        flood("packed-zeros", packed(zeros), read_idx),
    ]
}
