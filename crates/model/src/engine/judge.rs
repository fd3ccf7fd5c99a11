//! What a device needs to judge clicks and to choose the kept histories by itself.

use crate::config::ModelConfig;
use crate::gate::GateConfig;
use crate::kept::Rule;
use crate::methods::dc4sr::{self, NetworkWeights};
use crate::methods::{FIFTH, MethodConfig, SliceScorer};
use crate::rank::{Mass, Scored};
use crate::slices::Clicks;

/// The scorer of `dc4sr`, its calibration and the keep rule, for another device.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    model: &'a ModelConfig,
    sizes: &'a dc4sr::Config,
    scorer: &'a dc4sr::SliceScorer,
}

impl<'a> Judge<'a> {
    /// `None` for every other method.
    pub(super) fn of(model: &'a ModelConfig, scorer: &'a SliceScorer) -> Option<Self> {
        match (&model.method, scorer) {
            (MethodConfig::Dc4sr(sizes), SliceScorer::Dc4sr(scorer)) => Some(Self {
                model,
                sizes,
                scorer,
            }),
            _ => None,
        }
    }

    /// Sizes of the networks.
    pub fn sizes(&self) -> &'a dc4sr::Config {
        self.sizes
    }

    /// The calibration of the noise logits, and the gate.
    pub fn gate(&self) -> &'a GateConfig {
        &self.model.gate
    }

    /// The keep rule; `None` if the gate weights the clicks of a single history.
    pub fn rule(&self) -> Option<&'a Rule> {
        self.model.keep.as_ref()
    }

    /// The prior, the posterior and the fusion.
    ///
    /// They read, in this order: the stretched code and the popularity; the stretched embedding and the popularity;
    /// the hidden states of posterior and prior, their logits, the popularity, the stretched embedding and code. A
    /// stretched vector is a direction times the root of its width. The prior has the similarity of codes, the
    /// posterior that of embeddings, and the fusion that of embeddings and that of codes.
    pub fn networks(&self) -> [NetworkWeights<'a>; 3] {
        self.scorer.networks()
    }
}

/// The latest known clicks of a history, not yet judged.
#[derive(Clone, Copy, Debug)]
pub struct Unjudged<'a> {
    clicks: &'a Clicks,
    weights: Option<&'a [f32]>,
}

impl<'a> Unjudged<'a> {
    pub(super) fn new(clicks: &'a Clicks, weights: Option<&'a [f32]>) -> Self {
        Self { clicks, weights }
    }

    /// Number of clicks.
    pub fn len(&self) -> usize {
        self.clicks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Embeddings of the clicked items, oldest first, `[len, width]`.
    pub fn embedded(&self) -> &'a [f32] {
        &self.clicks.embedded
    }

    /// Unit vectors of their semantic codes, `[len, code width]`; `None` if the catalogue has no codes.
    pub fn codes(&self) -> Option<&'a [f32]> {
        self.clicks.codes.as_deref()
    }

    /// Their popularity as networks read it, `[len]`.
    pub fn popularity(&self) -> impl Iterator<Item = f32> {
        self.clicks.popularity.iter().map(|x| x * FIFTH)
    }

    /// The probability that each click counts apart from noise, `[len]`; `None` for 1.
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }
}

/// What a device has found for [`Unjudged`] clicks.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The noise probability of each click, `[len]`.
    pub noise: Vec<f32>,
    /// The share of the kept histories that contain each click, or its weight by the gate, `[len]`.
    pub keep: Vec<f32>,
    /// The best rows and the softmax in which their scores are logits; `None` if no click may be kept.
    pub best: Option<(Vec<Scored>, Mass)>,
}
