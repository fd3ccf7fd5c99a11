//! The trained bundle: what the trainer writes, any static host serves, and the browser reads.
//!
//! A bundle is a small `manifest.json` and a few content-hashed files that it names: model weights,
//! the item table with its popularities, and the item ids. The manifest says everything a reader has
//! to know, its format version first, so a reader can refuse what it cannot read and say why.
//! `docs/bundle.md` is the format itself; this crate is its one implementation.
//!
//! The crate knows no tensor library, and its core no files: [`Bundle::open`] asks its caller for
//! bytes, so the same code reads from a folder, a cache or the network. Whatever those bytes are,
//! the answer is a bundle or a [`BundleError`], never a panic.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let bundle = ingle_bundle::dir::read_dir(Path::new("shop-bundle"))?;
//! println!("{} items by {}", bundle.items.rows, bundle.manifest.method.name);
//! # Ok::<(), ingle_bundle::BundleError>(())
//! ```

#[cfg(not(target_arch = "wasm32"))]
pub mod dir;
mod error;
mod ids;
mod manifest;
mod naming;
mod read;
mod table;
mod tensors;
mod write;

use std::collections::BTreeMap;

pub use error::BundleError;
pub use ids::Ids;
pub use manifest::{
    Calibration, FORMAT, FileEntry, ItemsSpec, MANIFEST, MAX_BUNDLE_BYTES, MAX_FILE_BYTES,
    MAX_FILES, MAX_MANIFEST_BYTES, Manifest, MethodSpec, Role, Scale, TableType, ViewScales,
};
pub use naming::{check as check_name, is_file_name, sha256_hex, sha256_hex_of};
pub use table::{ItemTable, TableValues};
pub use write::BLOCK_ROWS;

/// A named array of the model, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Length of each axis, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// The values; as many as the product of `shape`.
    pub data: Vec<f32>,
}

/// A bundle in memory. Row `r` of `items`, `popularity` and `ids` is the item with index `r + 1` in
/// the model: index 0 is padding and never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// What the bundle says about itself.
    pub manifest: Manifest,
    /// The model's weights by name, without the item table.
    pub weights: BTreeMap<String, Tensor>,
    /// The item embeddings.
    pub items: ItemTable,
    /// `ln(1 + clicks)` of each item in training.
    pub popularity: Vec<f32>,
    /// Semantic code of each item, row after row, as many bytes each; empty where items have none.
    pub codes: Vec<i8>,
    /// The catalogue's own id of each item.
    pub ids: Ids,
}
