//! Bundles as their users meet them: written, read back, damaged, and kept for years.

mod content;
mod folders;
mod golden;
mod golden_bundle;
mod manifests;
mod mutations;
mod round_trip;
mod support;
