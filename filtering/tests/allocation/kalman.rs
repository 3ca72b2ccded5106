//! An update of the filter allocates nothing.

use crate::requests;
use scotopic_filtering::gaussian::{GaussianLearn, Kalman, LinearGaussian};
use scotopic_filtering::nalgebra::DMatrix;

fn allocations(mut work: impl FnMut()) -> u64 {
    let before = requests();
    work();
    requests() - before
}

fn model(n: usize, m: usize) -> LinearGaussian {
    LinearGaussian::new(
        DMatrix::identity(n, n) * 0.9,
        DMatrix::identity(n, n),
        DMatrix::from_fn(m, n, |i, j| ((i + 2 * j) as f64).cos()),
        DMatrix::identity(m, m),
    )
    .unwrap()
}

#[test]
fn updates_allocate_nothing() {
    assert!(
        allocations(|| drop(Vec::<u8>::with_capacity(64))) > 0,
        "the count counts"
    );
    for (n, m) in [(1, 1), (2, 1), (4, 4), (5, 3), (16, 8), (19, 19)] {
        for lag in [1, 7] {
            let mut filter = Kalman::new(model(n, m)).unwrap().with_lag(lag).unwrap();
            let y = vec![0.5; m];
            let found = allocations(|| {
                for t in 0..100 {
                    filter.update((t % 5 != 0).then_some(&y[..])).unwrap();
                }
            });
            assert_eq!(found, 0, "n = {n}, m = {m}, lag {lag}");
            assert_eq!(filter.observations(), 100);
        }
    }
}

#[test]
fn learning_in_blocks_allocates_at_the_end_of_a_block_only() {
    let mut learning = model(2, 1).learn_online(&GaussianLearn::default()).unwrap();
    let mut inside = || {
        allocations(|| {
            for t in 0..99 {
                learning.update(Some(&[(t as f64).sin()])).unwrap();
            }
        })
    };
    assert_eq!(inside(), 0);
    learning.update(None).unwrap();
    assert_eq!(learning.steps(), 1);
}
