//! The weights server: serves a bundle over HTTP, for shops without a static host and for trials.
//!
//! It serves `manifest.json`, the files that the manifest lists, and files of earlier bundles that are still in the
//! folder: every file whose name is valid for a bundle's file and matches its contents, and nothing else. The bundle
//! is verified before the first request is answered, and held in memory; compressed forms, read from the folder or
//! made here, are added when they are ready. The manifest must not be cached; the other files have their hash in
//! their name and are immutable. When a new bundle is written to the folder, it is verified and replaces the old one,
//! usually within a second and without a restart.
//!
//! [`Limits`] restrict clients that are slow or idle, and their number.
//!
//! The answers are the same for all clients, and nothing about clients is kept: there is no access log, and no
//! address of a client is written anywhere.
//!
//! ```no_run
//! use std::path::Path;
//!
//! // At the root of a server of its own, until Ctrl-C:
//! let bundle = ingle_serve::Bundle::open(Path::new("bundle"))?;
//! ingle_serve::run(bundle, "127.0.0.1:8080".parse()?, None, |at| println!("http://{at}/manifest.json"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asset;
mod cli;
mod compress;
mod connections;
mod disk;
mod encoding;
mod error;
mod http;
mod memory;
mod payload;
mod range;
mod server;
mod store;
mod stream;

pub use axum;
pub use cli::ServeArgs;
pub use compress::write_compressed;
pub use error::ServeError;
pub use http::{BUNDLE_PATH, Bundle, SITE_POLICY, router, with_site};
pub use payload::Payload;
pub use server::{App, Limits, Server, log_to_stderr, run, serve, stop_signal};
