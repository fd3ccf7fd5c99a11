//! The command line of `ingle-serve` and `ingle serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::{App, Bundle, SITE_POLICY, ServeError, router, run, with_site};

/// What is served, and where.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Bundle folder: manifest.json and the files it lists
    pub bundle: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub addr: SocketAddr,
    /// Folder of a site to serve at the root, with the bundle at /bundle/
    #[arg(long)]
    pub site: Option<PathBuf>,
    /// Content security policy of the site; an empty one is none
    #[arg(long, requires = "site", value_name = "POLICY", default_value = SITE_POLICY, hide_default_value = true)]
    pub policy: String,
    /// Connections at once; where one more comes, those that have waited longest are closed [default: 16384, or three
    /// quarters of the files that the process may open]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: Option<u32>,
}

impl ServeArgs {
    /// Serves until Ctrl-C or SIGTERM. `listening` is called once, with the address to open.
    pub fn run(&self, listening: impl FnOnce(String)) -> Result<(), ServeError> {
        let (app, path) = match &self.site {
            Some(site) => {
                let site = with_site(router(&self.bundle)?, site, &self.policy)?;
                (App::from(site), "")
            }
            None => (App::from(Bundle::open(&self.bundle)?), "manifest.json"),
        };
        let connections = self.connections.map(|connections| connections as usize);
        run(app, self.addr, connections, |at| {
            listening(format!("http://{at}/{path}"));
        })
    }
}
