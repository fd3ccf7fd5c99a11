//! Why a server did not start or had to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use ingle_bundle::BundleError;

/// Why a server did not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The folder does not hold a sound bundle, and nothing else is served.
    #[error("{} does not hold a bundle that can be served: {source}", dir.display())]
    Bundle {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it.
        source: BundleError,
    },
    /// The folder of the site is not one.
    #[error("{} is not a folder with a site: it has no index.html", dir.display())]
    Site {
        /// The folder.
        dir: PathBuf,
    },
    /// The content security policy cannot be sent.
    #[error("{policy:?} cannot be a content security policy: a header is one line of ASCII text")]
    Policy {
        /// The policy.
        policy: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}; choose another address (port 0 takes a free one)")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The server broke off.
    #[error("the server broke off: {0}")]
    Io(#[from] io::Error),
}
