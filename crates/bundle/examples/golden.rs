//! Writes the golden bundle to a folder:
//! `cargo run -p ingle-bundle --example golden -- crates/bundle/tests/data/v1`
//!
//! The golden bundle of a released format never changes; use this for the next format version.

#[path = "../tests/bundle/golden_bundle.rs"]
mod golden_bundle;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: golden DIR");
        return ExitCode::from(2);
    };
    let written = golden_bundle::bundle()
        .write(golden_bundle::BLOCK_ROWS)
        .and_then(|files| ingle_bundle::dir::write_files(&dir, &files));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
