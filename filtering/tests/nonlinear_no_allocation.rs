//! The nonlinear filter and its learning ask for no memory once they run.
#![allow(unsafe_code)] // an allocator that counts

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use scotopic_filtering::nonlinear::models::{Ar1Poisson, DiagonalLinear};
use scotopic_filtering::nonlinear::{
    LearningConfig, NonlinearLearning, IndependentCoordinates, Representation, ElboKind, NonlinearConfig, StateSpace,
};

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator; the count is a plain number of this thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often memory was asked for in fifty updates after the first three, one of them without an observation.
fn asked<M: StateSpace + Clone>(model: M, settings: NonlinearConfig, y: &[f64]) -> usize {
    let mut learning = NonlinearLearning::new(model, settings, LearningConfig::default()).unwrap();
    for _ in 0..3 {
        learning.update(Some(y)).unwrap();
    }
    let before = ASKED.with(Cell::get);
    for t in 0..50 {
        learning.update((t != 20).then_some(y)).unwrap();
    }
    ASKED.with(Cell::get) - before
}

#[test]
fn updates_ask_for_nothing() {
    let before = ASKED.with(Cell::get);
    drop(Vec::<u8>::with_capacity(1));
    assert_eq!(ASKED.with(Cell::get), before + 1, "the count counts");
    let poisson = Ar1Poisson::new(0.9, 0.4, 0.2, 0.0, 1.0).unwrap();
    let diagonal = |n: usize| {
        DiagonalLinear::new(vec![0.8; n], vec![0.9; n], vec![0.1; n], vec![0.2; n]).unwrap()
    };
    for elbo in [ElboKind::Reversed, ElboKind::Jelbo, ElboKind::Vjf] {
        for representation in [Representation::Quadratic, Representation::table()] {
            let settings = NonlinearConfig {
                elbo,
                representation,
                ..NonlinearConfig::default()
            };
            assert_eq!(asked(poisson.clone(), settings, &[3.0]), 0);
        }
        let settings = NonlinearConfig {
            elbo,
            ..NonlinearConfig::default()
        };
        assert_eq!(asked(diagonal(4), settings, &[0.1, -0.2, 0.3, 0.0]), 0);
    }
    let parts = diagonal(2).coordinates().into_iter();
    let parts = parts.map(|m| NonlinearLearning::new(m, NonlinearConfig::default(), LearningConfig::default()).unwrap());
    let mut product = IndependentCoordinates::new(parts.collect()).unwrap();
    product.update(Some(&[0.1, 0.2])).unwrap();
    let before = ASKED.with(Cell::get);
    product.update(Some(&[0.1, 0.2])).unwrap();
    assert_eq!(ASKED.with(Cell::get), before);
}
