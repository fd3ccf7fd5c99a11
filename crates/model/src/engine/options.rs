//! How to recommend, and the checks of what a shop passes.

use super::error::EngineError;
use serde::Deserialize;

/// How to recommend.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecommendOptions {
    /// How many items are wanted.
    pub k: usize,
    /// Items never to recommend.
    pub exclude: Vec<String>,
    /// Whether items of the history may be recommended again.
    pub include_seen: bool,
    /// For each item in catalogue order, 0 where it may not be recommended.
    #[serde(skip)]
    pub allow: Option<Vec<u8>>,
    /// For each item in catalogue order, what is added to its logit; finite.
    #[serde(skip)]
    pub boost: Option<Vec<f32>>,
    /// For each entry of the history, how much it counts, `0..=1`: where several histories are ranked over the
    /// probability that it does, beside that it was meant; with a gate a factor of the weight that the gate lets it
    /// keep. A history of which nothing is left is answered as one without a known click.
    #[serde(skip)]
    pub weights: Option<Vec<f32>>,
}

impl Default for RecommendOptions {
    fn default() -> Self {
        Self {
            k: 10,
            exclude: Vec::new(),
            include_seen: false,
            allow: None,
            boost: None,
            weights: None,
        }
    }
}

/// How to look for items near to others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SimilarOptions {
    /// How many items are wanted.
    pub k: usize,
    /// Items never to return, beside those given.
    pub exclude: Vec<String>,
    /// As in [`RecommendOptions::allow`].
    #[serde(skip)]
    pub allow: Option<Vec<u8>>,
    /// For each item in catalogue order, what is added to its cosine; finite.
    #[serde(skip)]
    pub boost: Option<Vec<f32>>,
}

impl Default for SimilarOptions {
    fn default() -> Self {
        Self {
            k: 10,
            exclude: Vec::new(),
            allow: None,
            boost: None,
        }
    }
}

/// Checks what is given for each item of a catalogue.
pub(super) fn check_items(
    allow: Option<&[u8]>,
    boost: Option<&[f32]>,
    items: usize,
) -> Result<(), EngineError> {
    check_length("allow", allow.map(<[u8]>::len), items, "items")?;
    check_length("boost", boost.map(<[f32]>::len), items, "items")?;
    let boost = boost.unwrap_or_default();
    match boost.iter().position(|x| !x.is_finite()) {
        Some(row) => Err(refuse(
            "boost",
            format!("the number of item {row} is {}", boost[row]),
        )),
        None => Ok(()),
    }
}

/// Checks the weights of a history's entries.
pub(super) fn check_weights(weights: Option<&[f32]>, entries: usize) -> Result<(), EngineError> {
    check_length("weights", weights.map(<[f32]>::len), entries, "clicks")?;
    let weights = weights.unwrap_or_default();
    match weights.iter().position(|x| !(0.0..=1.0).contains(x)) {
        Some(at) => Err(refuse(
            "weights",
            format!("the weight of click {at} is {}, not 0 to 1", weights[at]),
        )),
        None => Ok(()),
    }
}

fn check_length(
    option: &'static str,
    found: Option<usize>,
    expected: usize,
    of: &str,
) -> Result<(), EngineError> {
    match found {
        Some(found) if found != expected => Err(refuse(
            option,
            format!("has {found} entries for {expected} {of}: one is due for each"),
        )),
        _ => Ok(()),
    }
}

fn refuse(option: &'static str, reason: String) -> EngineError {
    EngineError::Option { option, reason }
}
