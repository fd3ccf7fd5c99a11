//! Standard output of the program.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _, stdout};
use std::process::exit;

/// Writes a line to standard output. The reader may close the pipe, as `head` does.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes a line; ends the program if the pipe is closed.
///
/// # Panics
/// If writing fails for another reason, such as a full disk.
pub(crate) fn line(text: Arguments<'_>) {
    match writeln!(stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => panic!("cannot write to standard output: {error}"),
    }
}
