//! Features of items from the words of their titles.

pub mod components;
pub mod titles;
