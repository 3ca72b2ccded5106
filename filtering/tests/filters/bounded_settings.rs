//! Settings that decide how much memory is taken are bounded: a misprint is an error, not a lack of memory.

use scotopic_filtering::Error;
use scotopic_filtering::gaussian::{
    BlockOnlineEm as GaussianBlock, GaussianLearn, Kalman, LinearGaussian,
};
use scotopic_filtering::hmm::{BlockOnlineEm, Categorical, Filter, FixedLag, Hmm, Learn};

fn coins() -> Hmm<Categorical> {
    let coins = Categorical::new(vec![vec![0.6, 0.4], vec![0.4, 0.6]]).unwrap();
    Hmm::new(vec![0.5; 2], vec![vec![0.9, 0.1], vec![0.1, 0.9]], coins).unwrap()
}

fn walk() -> LinearGaussian {
    LinearGaussian::from_rows(&[[1.0]], &[[1.0]], &[[1.0]], &[[1.0]]).unwrap()
}

/// The field that is found at fault.
fn refused<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Setting {
            field, expected, ..
        }) => {
            assert!(expected.contains("memory"), "{expected}");
            field
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn what_a_learner_keeps_is_bounded() {
    for large in [100_001, usize::MAX / 2, usize::MAX] {
        let lag = Learn::FixedLag(FixedLag {
            lag: large,
            ..FixedLag::default()
        });
        assert_eq!(refused(coins().learn_online(&lag)), "lag");
        let block = BlockOnlineEm {
            block: large,
            ..BlockOnlineEm::default()
        };
        assert_eq!(
            refused(coins().learn_online(&Learn::BlockOnlineEm(block))),
            "block"
        );
        let block = GaussianBlock {
            block: large,
            ..GaussianBlock::default()
        };
        let block = GaussianLearn::BlockOnlineEm(block);
        assert_eq!(refused(walk().learn_online(&block)), "block");
        assert_eq!(refused(Kalman::new(walk()).unwrap().with_lag(large)), "lag");
    }
    let lag = Learn::FixedLag(FixedLag {
        lag: 100_000,
        ..FixedLag::default()
    });
    assert!(coins().learn_online(&lag).is_ok());
}

/// A lag that is never reached takes no memory, and what is kept is the same whatever more was asked for.
#[test]
fn a_lag_beyond_all_memory_keeps_what_there_is() {
    let mut wide = Filter::new(coins()).with_lag(usize::MAX);
    let mut narrow = Filter::new(coins()).with_lag(3);
    for t in 0..4 {
        wide.update(Some(&[f64::from(t % 2)])).unwrap();
        narrow.update(Some(&[f64::from(t % 2)])).unwrap();
    }
    let lagged = |filter: &Filter<Categorical>| {
        let mut belief = [0.0; 2];
        filter.lagged(3, &mut belief).unwrap();
        belief
    };
    assert_eq!(lagged(&wide), lagged(&narrow));
    let kept = serde_json::to_string(&wide).unwrap();
    assert!(serde_json::from_str::<Filter<Categorical>>(&kept).is_ok());
}
