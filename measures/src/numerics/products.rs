//! Dot products of one row with four.
//!
//! The order of summation depends on the length alone, not on the place of a row among the four:
//! equal rows have equal products, bit for bit.

/// Rows taken at a time.
pub const BLOCK: usize = 4;
/// Partial sums that the compiler can keep in vector registers.
const LANES: usize = 4;

/// w·x for four x of the same length.
#[inline]
pub fn four_dots(w: &[f64], x: [&[f64]; BLOCK]) -> [f64; BLOCK] {
    let mut sums = [[0.0; LANES]; BLOCK];
    let (w, w_rest) = w.as_chunks::<LANES>();
    let lanes = x.map(|x| x.as_chunks::<LANES>());
    let [(x0, _), (x1, _), (x2, _), (x3, _)] = lanes;
    for ((((w, x0), x1), x2), x3) in w.iter().zip(x0).zip(x1).zip(x2).zip(x3) {
        for l in 0..LANES {
            sums[0][l] += w[l] * x0[l];
            sums[1][l] += w[l] * x1[l];
            sums[2][l] += w[l] * x2[l];
            sums[3][l] += w[l] * x3[l];
        }
    }
    std::array::from_fn(|b| {
        let rest: f64 = w_rest.iter().zip(lanes[b].1).map(|(w, x)| w * x).sum();
        sums[b].iter().sum::<f64>() + rest
    })
}

/// Cuts four rows of `d` numbers apart.
#[inline]
pub fn four_rows(rows: &[f64], d: usize) -> [&[f64]; BLOCK] {
    std::array::from_fn(|b| &rows[b * d..(b + 1) * d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_place() {
        for d in 0..11 {
            let rows: Vec<f64> = (0..4 * d).map(|i| (i * i) as f64).collect();
            let w: Vec<f64> = (0..d).map(|i| i as f64 - 3.0).collect();
            let dots = four_dots(&w, four_rows(&rows, d));
            for (b, dot) in dots.iter().enumerate() {
                let x = &rows[b * d..(b + 1) * d];
                let expected: f64 = w.iter().zip(x).map(|(w, x)| w * x).sum();
                assert_eq!(*dot, expected);
            }
        }
    }
}
