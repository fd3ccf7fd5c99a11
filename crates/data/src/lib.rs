//! Datasets: clicks of users on items, read from logs, filtered, sorted and stored in one folder with a description of
//! how it was made.
//!
//! [`read`] turns files into clicks and counts rows that cannot be read. [`build`] filters, sorts and numbers them;
//! [`windows`] does so for clicks that come with noise labels. Later steps open the folder with [`Dataset::open`] and
//! get training histories and evaluation cases from it. Splits are not stored: they follow from positions or from two
//! moments ([`Protocol`]), so that no training can read a test click from the wrong file. [`corrupt`] adds labelled
//! noise.

pub mod build;
pub mod corrupt;
mod dataset;
mod error;
mod folder;
mod hash;
mod histories;
pub mod import;
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
pub use folder::what_is;
pub use meta::{Corruption, Meta, Options, Source, Ties};
pub use names::{Names, Texts};
pub use protocol::{Protocol, Shares};
pub use store::check_target;
pub use summary::{Cases, Dropped, Lengths, Summary, WindowFigures, grouped};
