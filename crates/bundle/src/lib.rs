//! The trained bundle: `ingle export` writes it, any static host can serve it, and the browser reads it.
//!
//! A bundle is a small `manifest.json` and a few files with content hashes in their names: model weights, the item
//! table with its popularities, and the item ids. The manifest states the format version and everything else that a
//! reader needs, so that a reader can reject what it does not support and say why. `docs/bundle.md` specifies the
//! format; this crate is its only implementation.
//!
//! The crate depends on no tensor library, and its core on no file system: [`Bundle::open`] asks its caller for
//! bytes, so that the same code reads from a folder, a cache or the network. For any input, the result is a bundle or
//! a [`BundleError`], never a panic.
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
    Adapter, Calibration, FORMAT, FileEntry, Gain, ItemsSpec, Learning, MANIFEST, MAX_BUNDLE_BYTES,
    MAX_FILE_BYTES, MAX_FILES, MAX_MANIFEST_BYTES, Manifest, MethodSpec, Role, Scale, TableType,
    ViewScales,
};
pub use naming::{
    check as check_name, delta_name, is_delta_name, is_file_name, sha256_hex, sha256_hex_of,
};
pub use table::{ItemTable, TableValues};
pub use write::BLOCK_ROWS;

/// A named array of the model, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Length of each axis, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, as many as the product of `shape`.
    pub data: Vec<f32>,
}

/// A bundle in memory. Row `r` of `items`, `popularity` and `ids` is the item with index `r + 1` in the model; index
/// 0 is padding and is not stored.
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
    /// Semantic codes, `[rows, code_width]`; empty if items have none.
    pub codes: Vec<i8>,
    /// The id of each item in the catalogue.
    pub ids: Ids,
}
