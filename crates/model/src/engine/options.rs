//! Options of recommendations, and their checks.

use super::error::EngineError;
use crate::adapter::Adapter;
use serde::Deserialize;

/// Options of [`recommend`](super::SliceEngine::recommend).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecommendOptions {
    /// Number of items to return.
    pub k: usize,
    /// Items never to recommend.
    pub exclude: Vec<String>,
    /// Whether items of the history may be recommended again.
    pub include_seen: bool,
    /// By item in catalogue order: 0 if it may not be recommended.
    #[serde(skip)]
    pub allow: Option<Vec<u8>>,
    /// By item in catalogue order: added to its logit; finite.
    #[serde(skip)]
    pub boost: Option<Vec<f32>>,
    /// Weight of each entry of the history, `0..=1`: the probability that the entry counts, apart from noise. With
    /// a gate it multiplies the gate's weight. If all weights are 0, the answer is that of a history without known
    /// clicks.
    #[serde(skip)]
    pub weights: Option<Vec<f32>>,
    /// What was learnt from the shopper's own clicks, as [`SliceEngine::adapt`](super::SliceEngine::adapt) returned
    /// it; `None` for what the bundle gives all shoppers.
    #[serde(skip)]
    pub adapter: Option<Vec<f32>>,
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
            adapter: None,
        }
    }
}

/// Options of [`similar`](super::SliceEngine::similar).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SimilarOptions {
    /// Number of items to return.
    pub k: usize,
    /// Items never to return, in addition to the given ones.
    pub exclude: Vec<String>,
    /// As in [`RecommendOptions::allow`].
    #[serde(skip)]
    pub allow: Option<Vec<u8>>,
    /// By item in catalogue order: added to its cosine; finite.
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

/// Checks a value per item of the catalogue.
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

/// The adapter that the shopper's page has learnt, or else the one with which the bundle says all shoppers start.
pub(super) fn applied(
    spec: Option<&ingle_bundle::Adapter>,
    options: &RecommendOptions,
    width: usize,
) -> Result<Option<Adapter>, EngineError> {
    if let Some(values) = &options.adapter {
        let expected = format!("{} finite values are due", width + 1);
        let adapter = Adapter::from_values(values, width);
        return adapter.map(Some).ok_or_else(|| refuse("adapter", expected));
    }
    let weight = spec.map_or(0.0, |spec| spec.popularity);
    Ok((weight != 0.0).then(|| Adapter::of_popularity(width, weight)))
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
