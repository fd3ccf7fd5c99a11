//! What the targets share: a limit on memory, and the golden bundle to put one arbitrary file into.
//!
//! A target holds whatever bytes it is given to what the reader promises. What breaks a promise is a panic, and
//! libFuzzer keeps the input. `scripts/fuzz.sh` builds and runs the targets; docs/security.md has the figures.

mod bundle;
pub mod json;

pub use bundle::{Sealed, judging};

use cap::Cap;
use std::alloc::System;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes that a reader may hold whatever it reads.
const FREE: usize = 16 << 20;
/// Bytes that it may hold for each byte of input.
const PER_BYTE: usize = 64;

/// Runs `read` with memory for what `bytes` bytes can be worth: what is allocated on the word of the input, and
/// not for what it holds, aborts.
pub fn within<T>(bytes: usize, read: impl FnOnce() -> T) -> T {
    limit(MEMORY.allocated() + FREE + PER_BYTE * bytes);
    let read = read();
    limit(usize::MAX);
    read
}

fn limit(bytes: usize) {
    MEMORY.set_limit(bytes).expect("more than is in use");
}

/// What every refusal must be: words, and few enough to show.
///
/// # Panics
/// If the message is empty or too long.
pub fn tells(error: &impl std::error::Error) {
    let message = error.to_string();
    assert!(!message.is_empty(), "a refusal without a word");
    assert!(
        message.len() <= 4096,
        "a refusal of {} bytes",
        message.len()
    );
}
