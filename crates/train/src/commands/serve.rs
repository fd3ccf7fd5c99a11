//! `ingle serve`: serves a bundle over HTTP, optionally with a site that uses it, for trials.

use crate::say::say;
use anyhow::Result;

/// Serve a bundle over HTTP
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle serve bundle
  ingle serve bundle --addr 0.0.0.0:8080
  ingle serve bundle --site www/dist       the site at /, the bundle at /bundle/

Ctrl-C ends it. Nothing about who asks is logged or kept.")]
pub struct Args {
    #[command(flatten)]
    what: ingle_serve::ServeArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    ingle_serve::log_to_stderr();
    args.what.run(|address| say!("{address}"))?;
    Ok(())
}
