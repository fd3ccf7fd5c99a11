//! What every method promises, checked for all that are registered, over every encoder.

mod adapting;
mod bundles;
mod learning;
mod models;
mod ranking;
mod slices;
mod support;
