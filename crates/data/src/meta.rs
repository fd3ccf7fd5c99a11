//! Metadata of a dataset: its sources and the options it was made with.
//!
//! File names have no folders, and no user is named: runs and bundles, which are public, contain this part.

use serde::{Deserialize, Serialize};

use super::corrupt::{How, Kind, Part};
use super::protocol::{Protocol, Shares};
use super::summary::Summary;

/// How a dataset was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Name of the dataset; by default that of its folder.
    pub name: String,
    /// Version of the program that made it.
    pub ingle: String,
    /// The input files, in the order they were read.
    pub sources: Vec<Source>,
    /// The options of `ingle prepare`.
    pub options: Options,
    /// How clicks are split into training and evaluation.
    #[serde(default)]
    pub split: Protocol,
    /// Its size, and what was removed.
    pub summary: Summary,
    /// The noise, if some was added.
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

/// Options of `ingle prepare`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Users with fewer clicks are dropped; 0 and 1 keep all.
    pub min_user_clicks: usize,
    /// Items with fewer clicks are dropped; 0 and 1 keep all.
    pub min_item_clicks: usize,
    /// Whether rows with equal user, item and time count once.
    pub dedup: bool,
    /// Whether clicks of a user that follow each other on one item count once.
    #[serde(default)]
    pub merge_repeats: bool,
    /// The order of a user's clicks of one moment.
    #[serde(default)]
    pub ties: Ties,
    /// Share of users held out from training.
    pub holdout_users: f64,
    /// Seed of the draw of those users.
    pub seed: u64,
    /// Shares of the latest clicks that are for evaluation; without them, each user's last two are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_time: Option<Shares>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_user_clicks: 5,
            min_item_clicks: 5,
            dedup: false,
            merge_repeats: false,
            ties: Ties::Mixed,
            holdout_users: 0.0,
            seed: 1,
            by_time: None,
        }
    }
}

/// The order of a user's clicks of one moment, which the log does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Ties {
    /// By a hash of user, item and time: nothing can be learnt from it, and the order of files does not matter
    Mixed,
    /// As the rows stand in the files, which are read in the order given. Datasets of earlier versions are ordered so.
    #[default]
    AsRead,
}

/// How noise was added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corruption {
    /// Whether clicks were replaced or noise was inserted.
    #[serde(default)]
    pub how: How,
    /// Which clicks were at risk.
    #[serde(default)]
    pub part: Part,
    /// How the noise items were drawn; `None` for clicks of other users.
    pub kind: Option<Kind>,
    /// The probability that a click is replaced, or has one inserted before it, or that a user gets a foreign
    /// session.
    pub rate: f64,
    /// Seed of every draw.
    pub seed: u64,
    /// How many of a user's latest clicks were at risk; `None` for all.
    pub last: Option<usize>,
    /// Number of clicks at risk.
    pub eligible: usize,
    /// Number of noise clicks.
    #[serde(alias = "replaced")]
    pub noisy: usize,
    /// Content hash of the clean dataset.
    pub source: String,
}
