//! Simple recommenders, to find out what a model is worth.
//!
//! Each learns from the training clicks of a [`Dataset`](ingle_data::Dataset), as its split says, and scores the
//! catalogue for a history: the same clicks that a model learns from, and the same question. There is one file per
//! recommender, and [`Settings`] lists them.
//!
//! ```text
//! Baseline::fit(&data, &settings, seed)?.rank(&history)      scores by item index, entry 0 is padding
//! tune(&data, Method::Ease, seed, &mut |_| ())?              settings, chosen on the validation split
//! evaluate(&baseline, &data, Split::Test, 6)                 by the protocol of `ingle evaluate`
//! ```
//!
//! A click's weight as a target (`ingle prepare --weight`), if there is one, is its value here: a click of weight 0 is
//! not learnt from. Of a user with more than 1,000 different items the latest 1,000 count, but for popularity. Results
//! do not depend on the number of cores, and but for `bpr` not on the order of users.

mod baseline;
pub mod bpr;
mod cooccurrence;
pub mod ease;
mod error;
mod evaluate;
pub mod item_knn;
mod log;
mod order;
pub mod popular;
pub mod recency;
pub mod recent;
mod settings;
mod tune;

pub use baseline::{Baseline, Recommender};
pub use cooccurrence::Similarity;
pub use error::Error;
pub use evaluate::{Evaluation, LIST, beyond, evaluate};
pub use log::Log;
pub use order::best;
pub use settings::{Method, Settings};
pub use tune::{Trial, Tuned, tune};
