//! What every method promises, checked for all that are registered.

mod bundles;
mod models;
mod ranking;
mod slices;
mod support;
