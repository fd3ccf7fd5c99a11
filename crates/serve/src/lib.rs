//! The weights server: a bundle over HTTP, for shops without a static host and for trying things out.
//!
//! It serves `manifest.json` and the files that the manifest lists, and nothing else that may lie in
//! the folder. The bundle is verified before the first request is answered, and kept in memory
//! together with its compressed forms. The manifest is revalidated on every visit; the other files
//! carry their hash in their name and are immutable. When a new bundle is written to the folder it is
//! verified and served in place of the old one, without a restart.
//!
//! What is served is the same for everyone, and nothing about who asks is kept: there is no access
//! log, and no address of a client is written anywhere.
//!
//! ```no_run
//! use std::path::Path;
//!
//! // At the root of a server of its own, until Ctrl-C:
//! let router = ingle_serve::router(Path::new("bundle"))?;
//! ingle_serve::run(router, "127.0.0.1:8080".parse()?, |at| println!("http://{at}/manifest.json"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asset;
mod encoding;
mod error;
mod http;
mod server;
mod store;

pub use axum;
pub use error::ServeError;
pub use http::{BUNDLE_PATH, router, with_site};
pub use server::{Server, log_to_stderr, run, serve, stop_signal};
