//! Features of items from their titles.

pub mod meanings;

pub use ingle_data::text::{components, titles};
