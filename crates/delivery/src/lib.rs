//! Signed releases of bundles: which bundle a shop's pages shall use, and who says so.
//!
//! A folder with signed releases has three kinds of signed files beside a bundle's own (`docs/bundle.md` specifies
//! them):
//!
//! - `keys-<epoch>.json` names the keys and how many of them must sign what. Each one is signed by the keys of the one
//!   before, so that a page which knows an earlier one can follow.
//! - `manifest-<hash>.json` is a bundle's manifest with a self-test, signed by a key that is kept offline.
//! - `channel.json` names the manifest that pages shall use now. Its release number only rises, and it expires.
//!
//! A fourth kind is not signed: `delta-<hash>.bin` makes a bundle's files from those of the bundle before, and what it
//! makes is checked by the signed manifest.
//!
//! The rules are those of The Update Framework: thresholds, versions that only rise, expiry, rotation, recovery. A
//! payload is the exact text that was signed; it is verified before it is parsed. For any input the result is a value
//! or a [`DeliveryError`], never a panic.

#[cfg(feature = "object-stores")]
mod bucket;
mod channel;
mod delta;
mod diff;
mod envelope;
mod error;
mod folder;
mod follow;
mod gc;
mod keyring;
mod keys;
mod manifest;
mod open;
mod publish;
mod read;
mod signer;
mod store;

#[cfg(feature = "object-stores")]
pub use bucket::{Access, Bucket};
pub use channel::{CHANNEL, Channel, ManifestRef, Previous, archive_name, archived};
pub use delta::{DeltaRef, MAX_DELTAS, apply, delta};
pub use diff::{Change, diff};
pub use envelope::{Envelope, Kind, MAX_NUMBER, Signature, key_id};
pub use error::DeliveryError;
pub use folder::Folder;
pub use follow::follow;
pub use gc::{Garbage, garbage};
pub use keyring::{Keyring, unverified};
pub use keys::{ALGORITHM, Key, KeySet, Pins, Role, Roles, keys_name};
pub use manifest::{SELF_TEST_ITEMS, SelfTest, SignedManifest};
pub use open::{is_bucket, open};
pub use publish::{Move, Plan, Published, publish};
pub use read::{Release, chain, resolve};
pub use signer::{Command, SecretKey, Signer, secrets};
pub use store::{Source, Store, Stored};
