//! The data a model learns from: clicks of users on items, read from logs, filtered, ordered and
//! kept as one folder that says itself how it was made.
//!
//! [`read`] turns files into clicks and counts what cannot be read; [`build`] filters, orders and
//! numbers them, and [`windows`] does so for clicks that come with noise labels; every later step opens the folder with [`Dataset::open`] and asks it for training
//! histories and evaluation cases. Splits are not stored: they follow from positions or from two
//! moments ([`Protocol`]), so nobody can train on a test click by reading the wrong file.
//! [`corrupt`] makes noise of clicks and remembers which.

pub mod build;
pub mod corrupt;
mod dataset;
mod error;
mod folder;
mod hash;
mod histories;
mod meta;
mod names;
mod protocol;
pub mod read;
mod sequences;
mod store;
mod summary;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod windows;

pub use dataset::{Case, Dataset, Item, Parts, Relabelled, Split};
pub use error::{BadRow, InputError};
pub use meta::{Corruption, Meta, Options, Source};
pub use names::{Names, Texts};
pub use protocol::{Protocol, Shares};
pub use store::check_target;
pub use summary::{Cases, Dropped, Lengths, Summary, WindowFigures, grouped};
