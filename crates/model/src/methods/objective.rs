//! The training half of a method: its phases, and the loss of one step.

use crate::backbone::Backbone;
use crate::batch::Batch;
use crate::rng::Rng;
use burn::prelude::*;

/// Which parameters a phase trains, and by which validation figure its best epoch is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learns {
    /// The backbone; selected by NDCG@10 of the next item.
    Backbone,
    /// A fold: a backbone trained without this part of the users, which judges these users as if they were
    /// unseen. It starts from the initial weights and does not change the backbone.
    Fold(usize),
    /// The backbone's encoder, with the mean of the backbone's and the folds' item tables; selected by
    /// NDCG@10 of the next item.
    Encoder,
    /// The reader: a language model that gives soft labels of the log's clicks to the prior.
    Reader,
    /// The prior and the semantic codes, on labelled corruption; selected by AUC.
    Prior,
    /// The rest of the method, on labelled corruption; selected by AUC.
    Denoiser,
    /// The backbone's encoder on kept histories, with a constant item table; selected by NDCG@10 of the next
    /// item after unchanged and after corrupted histories.
    Recommender,
}

impl Learns {
    /// Whether the phase trains a next-item model and not a scorer.
    pub fn ranks(self) -> bool {
        matches!(self, Self::Backbone | Self::Fold(_)) || self.holds_items()
    }

    /// Whether the phase trains a next-item model with a constant item table.
    pub fn holds_items(self) -> bool {
        matches!(self, Self::Encoder | Self::Recommender)
    }
}

/// The parts of a method's training that are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number of folds.
    pub folds: usize,
    /// Whether the item table is replaced by the mean of the backbone's and the folds'.
    pub consensus: bool,
    /// Number of rounds, each using the histories disputed in the round before.
    pub rounds: usize,
    /// Whether a language model scores the log.
    pub reader: bool,
    /// Whether the recommender is trained on kept histories at the end.
    pub recommender: bool,
}

impl Plan {
    /// The phases before any scorer is trained.
    pub fn backbones(&self) -> Vec<Phase> {
        let folds = (0..self.folds).map(|k| Phase::new(format!("fold-{}", k + 1), Learns::Fold(k)));
        let mut phases = vec![Phase::new("backbone", Learns::Backbone)];
        phases.extend(folds);
        if self.consensus && self.folds > 0 {
            phases.push(Phase::new("encoder", Learns::Encoder));
        }
        phases
    }
}

/// A part of training with one objective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Name for messages and logs, unique in a training.
    pub name: String,
    /// The parameters it trains.
    pub learns: Learns,
    /// The round it belongs to, counted from 1; 0 before the first.
    pub round: usize,
}

impl Phase {
    /// A phase outside the rounds.
    pub fn new(name: impl Into<String>, learns: Learns) -> Self {
        Self {
            name: name.into(),
            learns,
            round: 0,
        }
    }
}

/// Corrupted histories with labels.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The histories as a recommender would see them.
    pub batch: Batch,
    /// 1 where a click was replaced, `[batch, len]`.
    pub labels: Tensor<2>,
    /// 1 for clicks that can be noise, over which losses are computed, `[batch, len]`.
    pub judged: Tensor<2>,
    /// Soft labels of clicks that were not replaced: the noise probability by the view's teacher, `0..=1`,
    /// `[batch, len]`; `None` without a teacher.
    pub beliefs: Option<Tensor<2>>,
}

/// The loss of ranking the target among all items. The trainer implements it, because the fast way depends on
/// the device.
pub trait RankLoss {
    /// Mean full cross-entropy over the catalogue. `backward` on the result reaches `hidden`; the trainer
    /// adds the item table's gradient itself.
    ///
    /// # Shapes
    /// - `hidden`: `[tokens, width]`
    /// - `targets`: `tokens` item indices, none of them padding
    fn cross_entropy(&mut self, hidden: Tensor<2>, targets: &[u32]) -> Tensor<1>;
}

/// Inputs of one training step.
pub struct Step<'a> {
    /// The backbone; without autodiff in phases that do not train it.
    pub backbone: &'a Backbone,
    /// Clean histories, in phases that train the backbone.
    pub histories: Option<Batch>,
    /// Next item of every position of `histories`, row by row; 0 where there is none.
    pub targets: &'a [u32],
    /// Corrupted histories, in phases that train the scorer.
    pub labelled: Option<Labelled>,
    /// Weight of the views' agreement, for losses that use it.
    pub consistency: f32,
    /// Cross-entropy over the catalogue.
    pub rank: &'a mut dyn RankLoss,
    /// Generator of dropout and other draws.
    pub rng: &'a mut Rng,
}

/// The training half of a method.
pub trait Objective {
    /// The loss of one step, a scalar on the autodiff device.
    fn loss(&self, phase: &Phase, step: &mut Step<'_>) -> Tensor<1>;
}

/// Next-item cross-entropy over all clicks: the plain recommendation loss.
///
/// # Panics
/// If the step has no clean histories.
pub fn recommendation(step: &mut Step<'_>) -> Tensor<1> {
    let batch = step
        .histories
        .as_ref()
        .expect("a backbone phase has clean histories");
    let [rows, len] = batch.dims();
    let device = batch.real.device();
    let embedded = step.backbone.embed(batch.items.clone());
    let hidden = step.backbone.forward(embedded, &batch.real, Some(step.rng));
    let [_, _, width] = hidden.dims();
    let (positions, targets): (Vec<i32>, Vec<u32>) = step
        .targets
        .iter()
        .enumerate()
        .filter(|(_, target)| **target != 0)
        .map(|(position, &target)| (position as i32, target))
        .unzip();
    let positions = Tensor::from_data(
        TensorData::new(positions.clone(), [positions.len()]),
        &device,
    );
    let hidden = hidden.reshape([rows * len, width]).select(0, positions);
    step.rank.cross_entropy(hidden, &targets)
}
