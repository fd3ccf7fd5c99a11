//! What the titles of items say, as numbers.

pub mod meanings;

pub use ingle_data::text::{components, titles};
