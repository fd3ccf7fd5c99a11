//! What a method's training half is made of: phases, and the loss of one step.

use crate::backbone::Backbone;
use crate::batch::Batch;
use crate::rng::Rng;
use burn::prelude::*;

/// Which parameters a phase changes, and what it is judged by on the validation split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learns {
    /// The backbone, by NDCG@10 of the next item.
    Backbone,
    /// A backbone of all users but those of this part, which is then only used to judge those, as
    /// they are then judged like shoppers that no log holds. It begins anew and leaves the backbone as
    /// it was.
    Fold(usize),
    /// The backbone's encoder, for item embeddings that are the mean of the backbone's and the folds', by
    /// NDCG@10 of the next item.
    Encoder,
    /// The language model whose opinion of the log's clicks the prior also learns from.
    Reader,
    /// The prior and the semantic codes it reads, on labelled corruption, by the AUC of finding it.
    Prior,
    /// The rest of the method, on labelled corruption, by the AUC of finding it.
    Denoiser,
    /// The backbone's encoder on gated histories, its item embeddings held fixed, by NDCG@10 of the next
    /// item after histories as they are and corrupted ones.
    Recommender,
}

impl Learns {
    /// Whether a next-item model is trained, and not what judges clicks.
    pub fn ranks(self) -> bool {
        matches!(self, Self::Backbone | Self::Fold(_)) || self.holds_items()
    }

    /// Whether a next-item model is trained whose item embeddings stay as they are.
    pub fn holds_items(self) -> bool {
        matches!(self, Self::Encoder | Self::Recommender)
    }
}

/// What a training is to go through, of that which a method offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Parts that the users are split into.
    pub folds: usize,
    /// Whether item embeddings become the mean of the backbone's and the folds'.
    pub consensus: bool,
    /// How often the views are trained, each time with what was disputed the time before.
    pub rounds: usize,
    /// Whether a language model reads the log.
    pub reader: bool,
    /// Whether the recommender goes on with gated histories.
    pub recommender: bool,
}

impl Plan {
    /// All that is learnt before anything that judges clicks is.
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

/// A stretch of training with one goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// For people and logs, unique in a training.
    pub name: String,
    /// What it changes.
    pub learns: Learns,
    /// The round it belongs to, counted from 1; 0 before the first.
    pub round: usize,
}

impl Phase {
    /// A phase of no round.
    pub fn new(name: impl Into<String>, learns: Learns) -> Self {
        Self {
            name: name.into(),
            learns,
            round: 0,
        }
    }
}

/// Corrupted histories with known labels.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The histories as a recommender would see them.
    pub batch: Batch,
    /// 1 where a click was replaced, `[batch, len]`.
    pub labels: Tensor<2>,
    /// 1 where a click could have been replaced, and so is learnt from, `[batch, len]`.
    pub judged: Tensor<2>,
    /// How likely clicks that were not replaced are noise all the same, as whoever teaches the view says,
    /// `0..=1`, `[batch, len]`; `None` if nobody does.
    pub beliefs: Option<Tensor<2>>,
}

/// The loss of ranking one item above all others. The trainer brings it, because how to compute
/// it fast is the machine's business.
pub trait RankLoss {
    /// Mean full cross-entropy over the catalogue. `backward` on the result reaches `hidden`; the
    /// trainer adds the table's own gradient.
    ///
    /// # Shapes
    /// - `hidden`: `[tokens, width]`
    /// - `targets`: `tokens` item indices, none of them padding
    fn cross_entropy(&mut self, hidden: Tensor<2>, targets: &[u32]) -> Tensor<1>;
}

/// All that one optimisation step has at hand.
pub struct Step<'a> {
    /// The backbone; without autodiff where the phase does not change it.
    pub backbone: &'a Backbone,
    /// Clean histories, in phases that learn the backbone.
    pub histories: Option<Batch>,
    /// Next item of every position of `histories`, row by row; 0 where there is none.
    pub targets: &'a [u32],
    /// Corrupted histories, in phases that learn the denoiser.
    pub labelled: Option<Labelled>,
    /// Weight of the views' agreement in a loss that has it.
    pub consistency: f32,
    /// Cross-entropy over the catalogue.
    pub rank: &'a mut dyn RankLoss,
    /// Dropout.
    pub rng: &'a mut Rng,
}

/// The half of a method that stays in the trainer.
pub trait Objective {
    /// The loss of one step, a scalar on the autodiff device.
    fn loss(&self, phase: &Phase, step: &mut Step<'_>) -> Tensor<1>;
}

/// Next-item cross-entropy over every real position: the plain recommendation loss.
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
