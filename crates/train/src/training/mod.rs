//! Training: from a prepared dataset to a run folder with the best weights.

pub mod backbone;
pub mod batches;
pub mod calibrate;
pub mod checkpoint;
pub mod choice;
mod coder;
pub mod config;
pub mod device;
pub mod dropping;
pub mod embeddings;
pub mod epoch;
mod folds;
pub mod gradient;
pub mod inherit;
pub mod judge;
mod metrics;
pub mod newcomers;
pub mod on_device;
pub mod progress;
pub mod rounds;
pub mod run;
pub mod samples;
mod scores;
pub mod softmax;
mod stages;
pub mod warm;

pub use config::Config;
pub use device::Compute;
pub use run::Run;
