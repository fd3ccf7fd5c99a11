//! The training half of a method: the loss of one step.

use super::Part;
use crate::backbone::Backbone;
use crate::batch::Batch;
use crate::rng::Rng;
use burn::prelude::*;

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
    /// The backbone; without autodiff in stages that do not train it.
    pub backbone: &'a Backbone,
    /// Clean histories, in stages that train the backbone.
    pub histories: Option<Batch>,
    /// Next item of every position of `histories`, row by row; 0 where there is none.
    pub targets: &'a [u32],
    /// Corrupted histories, in stages that train the scorer.
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
    /// The loss of one step that trains a part of the scorer, a scalar on the autodiff device.
    ///
    /// # Panics
    /// If the method has no such part, or the step has no labelled histories.
    fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1>;
}

/// Next-item cross-entropy over all clicks: the plain recommendation loss.
///
/// # Panics
/// If the step has no clean histories.
pub fn recommendation(step: &mut Step<'_>) -> Tensor<1> {
    let batch = step
        .histories
        .as_ref()
        .expect("a step of the backbone has clean histories");
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
