//! What the streaming paths ask of memory: an allocator counts every request.
#![allow(unsafe_code)] // an allocator cannot be written without

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

mod any_filter;
mod generalised;
mod generalised_endurance;
mod hmm;
mod kalman;
mod nonlinear;

thread_local! {
    // Of this thread: tests run side by side, each on its own.
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    static BYTES_HELD: Cell<i64> = const { Cell::new(0) };
}

/// How often this thread has asked for memory.
fn requests() -> u64 {
    REQUESTS.with(Cell::get)
}

/// Bytes this thread has taken and not given back.
fn bytes_held() -> i64 {
    BYTES_HELD.with(Cell::get)
}

fn note(requests: u64, bytes: i64) {
    // A thread that ends still frees, when its counts are gone.
    let _ = REQUESTS.try_with(|count| count.set(count.get() + requests));
    let _ = BYTES_HELD.try_with(|held| held.set(held.get() + bytes));
}

struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size as i64 - layout.size() as i64);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
