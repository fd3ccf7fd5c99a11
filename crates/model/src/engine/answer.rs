//! Answers of an engine.

use crate::config::ModelConfig;
use crate::methods::{Interest, Views};
use serde::{Deserialize, Serialize};

/// A recommended item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Its id.
    pub item: String,
    /// The score that items are sorted by: the model's logit plus the shop's boost. Comparable within one
    /// answer only. With several kept histories, it is the logit that has the mean probability in the softmax
    /// of the last history, which is the longest. Without a known click it is `ln(1 + clicks in training)`.
    pub score: f32,
    /// The model's probability that this is the next click, `0..=1`: the softmax of the logits over the whole
    /// catalogue, filtered items included and before the shop's boosts; with several kept histories, the mean
    /// of their softmaxes.
    #[serde(default)]
    pub probability: f32,
    /// The click that contributes most to the recommendation; `None` if no click does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

/// The click of a history that contributes most to a recommended item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Because {
    /// The clicked item.
    pub item: String,
    /// Its share of the contributions of all clicks, above 0 and at most 1. A click contributes the cosine of
    /// both items' embeddings, if positive, times its weight (the share of kept histories that contain it).
    /// Clicks on the same item are added up.
    pub share: f32,
}

/// A similar item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// Its id.
    pub item: String,
    /// The score that items are sorted by: the cosine, `-1..=1`, plus the shop's boost.
    pub score: f32,
}

/// The scorer's verdict on a click.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Click {
    /// The clicked item.
    pub item: String,
    /// Whether the item is in the catalogue and the click is among those that the model reads.
    pub known: bool,
    /// Noise probability of the click; 0 if it is not known.
    pub noise: f32,
    /// Weight of the click: the share of kept histories that contain it, `0..=1`, or its weight by the gate. 0
    /// if it is not known.
    pub keep: f32,
    /// Noise probability by each view, for known clicks and methods with two views.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views<f32>>,
    /// The interest of a known click, for methods with interests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest: Option<Served>,
}

/// The learnt interest that a click belongs to most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Served {
    /// Which one, counted from 0: the same number is the same interest in every history.
    pub number: usize,
    /// The click's share in the interest, `0..=1`.
    pub share: f32,
    /// Whether the method drops the whole interest.
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
    /// A click that the model does not know.
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

/// The device whose scorer judges clicks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scorer {
    /// The processor.
    Cpu,
    /// The GPU, in the same submission as the encoder and the ranking.
    Gpu,
}

impl Scorer {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

/// Description of the model that an engine runs.
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
    /// The number of clicks that the model reads.
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
