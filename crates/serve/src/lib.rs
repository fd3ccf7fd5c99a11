//! The weights server: a bundle over HTTP, for shops without a static host and for trying things out.
//!
//! It serves `manifest.json`, the files that the manifest lists, and files of earlier bundles that still lie in the
//! folder: whatever has the name of a bundle's file and the contents that the name stands for, and nothing else. The
//! bundle is verified before the first request is answered, and kept in memory; its compressed forms, made at the export
//! or here, follow as they are ready. The manifest is kept by no cache; the other files carry their hash in their name
//! and are immutable. When a new bundle is written to the folder it is verified and served in place of the old one, within
//! a second as a rule and without a restart.
//!
//! Clients that are slow, or silent, or many, are given [`Limits`].
//!
//! What is served is the same for everyone, and nothing about who asks is kept: there is no access
//! log, and no address of a client is written anywhere.
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
