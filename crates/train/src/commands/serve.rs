//! `ingle serve`: a bundle over HTTP, and beside it a site that uses it, to try both out.

use crate::say::say;
use anyhow::Result;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve a bundle over HTTP
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle serve bundle
  ingle serve bundle --addr 0.0.0.0:8080
  ingle serve bundle --site www/dist       the site at /, the bundle at /bundle/

Ctrl-C ends it. Nothing about who asks is logged or kept.")]
pub struct Args {
    /// Bundle folder
    bundle: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Folder of a site to serve at the root, with the bundle at /bundle/
    #[arg(long)]
    site: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    ingle_serve::log_to_stderr();
    let bundle = ingle_serve::router(&args.bundle)?;
    let (router, page) = match &args.site {
        Some(site) => (ingle_serve::with_site(bundle, site)?, ""),
        None => (bundle, "manifest.json"),
    };
    ingle_serve::run(router, args.addr, |at| say!("http://{at}/{page}"))?;
    Ok(())
}
