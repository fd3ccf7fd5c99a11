//! What the program says on standard output.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _, stdout};
use std::process::exit;

/// Writes a line to standard output; whoever reads it may stop before the end, as `head` does.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes a line, or ends the program where nobody reads any more.
///
/// # Panics
/// If standard output fails otherwise, as on a full disk.
pub(crate) fn line(text: Arguments<'_>) {
    match writeln!(stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => panic!("cannot write to standard output: {error}"),
    }
}
