//! What a dataset says of itself: where it came from and by which choices.
//!
//! Files are named without their folders, and users are not named at all: this part travels on
//! into runs and bundles, which are public.

use serde::{Deserialize, Serialize};

use super::corrupt::{How, Kind, Part};
use super::protocol::{Protocol, Shares};
use super::summary::Summary;

/// How a dataset came to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Name of the dataset: that of its folder unless another was given.
    pub name: String,
    /// Version of the program that made it.
    pub ingle: String,
    /// The files it was made from, in the order they were read.
    pub sources: Vec<Source>,
    /// The choices it was made by.
    pub options: Options,
    /// How its clicks divide into those to learn from and those to predict.
    #[serde(default)]
    pub split: Protocol,
    /// Its size, and what was dropped on the way.
    pub summary: Summary,
    /// Set when clicks were made noise on purpose.
    pub corruption: Option<Corruption>,
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the file, without its folder.
    pub file: String,
    /// Size of the file.
    pub bytes: u64,
    /// Rows read from it, good and bad.
    pub rows: u64,
}

/// The choices of `ingle prepare`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Users with fewer clicks are dropped; 0 and 1 keep all.
    pub min_user_clicks: usize,
    /// Items with fewer clicks are dropped; 0 and 1 keep all.
    pub min_item_clicks: usize,
    /// Whether rows equal in user, item and timestamp count once.
    pub dedup: bool,
    /// Share of users kept out of training.
    pub holdout_users: f64,
    /// Seed of the choice of those users.
    pub seed: u64,
    /// Shares of the latest clicks to be predicted; without them each user's last two are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_time: Option<Shares>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_user_clicks: 5,
            min_item_clicks: 5,
            dedup: false,
            holdout_users: 0.0,
            seed: 1,
            by_time: None,
        }
    }
}

/// How clicks became noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corruption {
    /// Whether noise took the place of clicks or came between them.
    #[serde(default)]
    pub how: How,
    /// Which clicks were at risk.
    #[serde(default)]
    pub part: Part,
    /// How the new items were drawn; none where they are clicks of other users.
    pub kind: Option<Kind>,
    /// Probability that a click is replaced, or has one put in beside it, or that a user gets a foreign session.
    pub rate: f64,
    /// Seed of every draw.
    pub seed: u64,
    /// How many of a user's latest history clicks were at risk; none for all of them.
    pub last: Option<usize>,
    /// How many clicks were at risk in all.
    pub eligible: usize,
    /// How many clicks are noise.
    #[serde(alias = "replaced")]
    pub noisy: usize,
    /// Content hash of the clean dataset.
    pub source: String,
}
