//! What the titles of items say, as numbers.

pub mod components;
pub mod titles;
