//! What an engine answers.

use crate::config::ModelConfig;
use crate::methods::{Interest, Views};
use serde::{Deserialize, Serialize};

/// A recommended item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Its id.
    pub item: String,
    /// What it was ranked by: the model's logit and what the shop added to it. Comparable within one
    /// answer only. Over several histories it is the logit that has the mean probability in the last of them,
    /// which is the longest. Without a known click it is `ln(1 + clicks in training)`.
    pub score: f32,
    /// The model's probability that this is the next click, `0..=1`: the softmax of its logits, before
    /// the shop's boosts, over the whole catalogue, what was filtered out included; over several histories
    /// the mean of theirs.
    #[serde(default)]
    pub probability: f32,
    /// The click that speaks for it most; none where no click does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

/// The click of a history that speaks most for a recommended item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Because {
    /// The clicked item.
    pub item: String,
    /// Its part of what all clicks say for the recommended item, above 0 and at most 1. What a click
    /// says is the cosine of both items' embeddings, where above 0, times the share of
    /// histories in which the click stands, or the weight it kept;
    /// clicks on the same item count together.
    pub share: f32,
}

/// An item near to others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// Its id.
    pub item: String,
    /// What it was ranked by: the cosine, `-1..=1`, and what the shop added to it.
    pub score: f32,
}

/// A click as the denoiser sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Click {
    /// The clicked item.
    pub item: String,
    /// Whether the catalogue has it and the model looks back that far.
    pub known: bool,
    /// Probability that the click is noise; 0 if it is not known.
    pub noise: f32,
    /// In what share of the histories that are ranked over it stands, `0..=1`; with a gate, the weight that it
    /// keeps. 0 if it is not known.
    pub keep: f32,
    /// The probability of noise by each view alone, in a method that has two, of a known click.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views<f32>>,
    /// The interest that a known click serves, in a method that tells interests apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest: Option<Served>,
}

/// The learnt interest that a click serves most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Served {
    /// Which one, counted from 0: the same number is the same interest in every history.
    pub number: usize,
    /// How much of the click serves it, `0..=1`.
    pub share: f32,
    /// Whether the method drops the interest as a whole.
    pub dropped: bool,
}

impl Served {
    /// From a method's numbers.
    pub(super) fn of(interest: Interest<f32>) -> Self {
        Self {
            number: interest.number as usize,
            share: interest.share,
            dropped: interest.dropped > 0.5,
        }
    }
}

impl Click {
    /// A click that no model has seen.
    pub(super) fn unseen(item: &str) -> Self {
        Self {
            item: item.to_owned(),
            known: false,
            noise: 0.0,
            keep: 0.0,
            views: None,
            interest: None,
        }
    }
}

/// What an engine runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// The bundle's name.
    pub name: String,
    /// The denoising method.
    pub method: String,
    /// Items of the catalogue.
    pub items: usize,
    /// Width of an embedding.
    pub width: usize,
    /// Clicks the model looks back on.
    pub max_len: usize,
}

impl Info {
    pub(super) fn of(name: &str, config: &ModelConfig) -> Self {
        Self {
            name: name.to_owned(),
            method: config.method.name().to_owned(),
            items: config.items,
            width: config.backbone.width,
            max_len: config.backbone.max_len,
        }
    }
}
