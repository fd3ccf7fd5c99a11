//! `ingle-serve`: the weights server as a separate program, for hosts that do not train.

use std::process::ExitCode;

use clap::Parser;
use ingle_serve::{ServeArgs, ServeError};

const EXAMPLES: &str = "\
Examples:
  ingle-serve bundle
  ingle-serve bundle --addr 0.0.0.0:80
  ingle-serve bundle --site www/dist      the page at /, its bundle at /bundle/

Nothing about visitors is logged. A new bundle written to the folder is verified and served without a
restart. Ctrl-C or SIGTERM ends the downloads under way and stops.";

/// Serves a bundle over HTTP.
#[derive(Parser)]
#[command(name = "ingle-serve", version, after_help = EXAMPLES)]
struct Program {
    #[command(flatten)]
    args: ServeArgs,
}

fn main() -> ExitCode {
    ingle_serve::log_to_stderr();
    match Program::parse().args.run(|address| println!("{address}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            match error {
                ServeError::Bundle { .. } | ServeError::Site { .. } | ServeError::Policy { .. } => {
                    ExitCode::from(2)
                }
                _ => ExitCode::FAILURE,
            }
        }
    }
}
