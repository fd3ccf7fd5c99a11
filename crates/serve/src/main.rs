//! `ingle-serve`: the weights server as a program of its own, for hosts that do not train.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ingle_serve::ServeError;

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
struct Args {
    /// Folder with the bundle: manifest.json and the files it lists
    bundle: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Also serve the site in this folder, and the bundle under /bundle/
    #[arg(long)]
    site: Option<PathBuf>,
}

fn main() -> ExitCode {
    ingle_serve::log_to_stderr();
    match start(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            match error {
                ServeError::Bundle { .. } | ServeError::Site { .. } => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn start(args: &Args) -> Result<(), ServeError> {
    let bundle = ingle_serve::router(&args.bundle)?;
    let (router, path) = match &args.site {
        Some(site) => (ingle_serve::with_site(bundle, site)?, "/"),
        None => (bundle, "/manifest.json"),
    };
    ingle_serve::run(router, args.addr, |addr| println!("http://{addr}{path}"))
}
