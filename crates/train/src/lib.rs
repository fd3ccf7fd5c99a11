//! The `ingle` program: prepares interaction logs, trains a model on them, evaluates it, exports it as a bundle and
//! serves the bundle. It is a library, so that each step can be tested and reused.
//!
//! `logs -> prepare -> train -> export -> bundle`: each step reads the format that the step before writes, and can be
//! run alone.
#![recursion_limit = "256"]

pub mod adapting;
pub mod cli;
pub mod commands;
pub mod evaluation;
pub mod reader;
pub mod report;
mod say;
pub mod simulate;
pub mod text;
pub mod training;

pub use ingle_data as data;
pub use ingle_metrics as metrics;
