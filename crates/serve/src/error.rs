//! Errors of the server.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use ingle_bundle::BundleError;

/// The server did not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The folder does not contain a valid bundle.
    #[error("{} does not hold a bundle that can be served: {source}", dir.display())]
    Bundle {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with the bundle.
        source: BundleError,
    },
    /// The site's folder is not a site.
    #[error("{} is not a folder with a site: it has no index.html", dir.display())]
    Site {
        /// The folder.
        dir: PathBuf,
    },
    /// The content security policy cannot be sent in a header.
    #[error("{policy:?} cannot be a content security policy: a header is one line of ASCII text")]
    Policy {
        /// The policy.
        policy: String,
    },
    /// The server cannot listen on the address.
    #[error("cannot listen on {addr}: {source}; choose another address (port 0 takes a free one)")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The server failed while running.
    #[error("the server failed: {0}")]
    Io(#[from] io::Error),
}
