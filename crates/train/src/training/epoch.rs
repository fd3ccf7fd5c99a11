//! One epoch of one phase: the steps over all training histories.

use super::batches::plan;
use super::checkpoint::State;
use super::config::Schedule;
use super::progress::Progress;
use super::samples::{Corruption, labelled, next_items};
use super::softmax::FullSoftmax;
use crate::data::Dataset;
use anyhow::{Result, bail};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use ingle_model::methods::{Learns, Objective, Phase, Step};
use ingle_model::{Model, Rng};
use std::sync::atomic::{AtomicBool, Ordering};

/// What stays the same over a whole training.
pub struct Context<'a> {
    /// The histories.
    pub data: &'a Dataset,
    /// `ln(1 + clicks)` by item.
    pub popularity: Vec<f32>,
    /// How histories are corrupted, where a denoiser is trained.
    pub corruption: Option<Corruption>,
    /// The source of all chance.
    pub seed: u64,
    /// Where gradients are recorded.
    pub device: Device,
    /// Set when the person wants to stop.
    pub stop: &'a AtomicBool,
    /// What the person sees.
    pub progress: &'a Progress,
}

impl Context<'_> {
    /// How histories are corrupted.
    ///
    /// # Panics
    /// In a training without a denoiser.
    pub fn corruption(&self) -> &Corruption {
        self.corruption
            .as_ref()
            .expect("a training with a denoiser has a corruption")
    }
}

/// How an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ended {
    /// With this mean loss over this many targets.
    Complete(f64, f64),
    /// Between two steps, because the person asked.
    Interrupted,
}

/// A loss that is not a number.
#[derive(Debug, thiserror::Error)]
#[error(
    "the loss became {loss} at step {step} of epoch {epoch}; the last good weights are kept: try a lower learning_rate"
)]
pub struct Diverged {
    loss: f32,
    step: usize,
    epoch: usize,
}

/// Runs the steps of the current epoch from `state.step` on.
pub fn run(
    context: &Context<'_>,
    phase: &Phase,
    schedule: &Schedule,
    model: &mut Model,
    optimizer: &mut ModuleOptimizer,
    state: &mut State,
) -> Result<Ended> {
    let place = [3, state.phase as u64, state.epoch as u64];
    let lengths = lengths(context, phase.learns, model.backbone.max_len());
    let batches = plan(
        &lengths,
        schedule.batch_clicks,
        &mut Rng::new(context.seed, &place),
    );
    let title = format!("{} epoch {}", phase.name, state.epoch + 1);
    context.progress.start(title, lengths.iter().sum());
    for (step, users) in batches.iter().enumerate().skip(state.step) {
        if context.stop.load(Ordering::Relaxed) {
            return Ok(Ended::Interrupted);
        }
        let mut rng = Rng::new(context.seed, &[place[0], place[1], place[2], step as u64]);
        let (loss, gradients) = gradients(context, phase, model, users, state.epoch, &mut rng);
        if !loss.is_finite() {
            let epoch = state.epoch + 1;
            bail!(Diverged {
                loss,
                step: step + 1,
                epoch
            });
        }
        let done = state.epoch as f64 + step as f64 / batches.len() as f64;
        let left = schedule.decay.factor(done / schedule.epochs as f64);
        *model = optimizer.step(schedule.learning_rate * left, model.clone(), gradients);
        let clicks: usize = users.iter().map(|&user| lengths[user]).sum();
        state.step = step + 1;
        state.loss.0 += f64::from(loss) * clicks as f64;
        state.loss.1 += clicks as f64;
        context
            .progress
            .advance(clicks, state.loss.0 / state.loss.1);
    }
    let (sum, count) = state.loss;
    Ok(Ended::Complete(sum / count.max(1.0), count))
}

/// Clicks that each user's history contributes to a step.
fn lengths(context: &Context<'_>, learns: Learns, max_len: usize) -> Vec<usize> {
    let users = 0..context.data.n_users();
    let lengths = users.map(|user| {
        let clicks = context.data.train(user).len();
        match learns {
            // The first click has nothing before it to be predicted from.
            Learns::Backbone => clicks.saturating_sub(1).min(max_len),
            // Of a single click there is nothing to agree or disagree with.
            Learns::Denoiser if clicks < 2 => 0,
            Learns::Denoiser => clicks.min(max_len),
        }
    });
    lengths.collect()
}

/// Loss and gradients of one batch of users.
fn gradients(
    context: &Context<'_>,
    phase: &Phase,
    model: &Model,
    users: &[usize],
    epoch: usize,
    rng: &mut Rng,
) -> (f32, GradientsParams) {
    let Context {
        data,
        popularity,
        device,
        ..
    } = context;
    let max_len = model.backbone.max_len();
    let mut rank = FullSoftmax::new(model.backbone.items.val());
    let loss = match phase.learns {
        Learns::Backbone => {
            let (batch, targets) = next_items(data, users, max_len, popularity, device);
            model.method.loss(
                phase,
                &mut Step {
                    backbone: &model.backbone,
                    histories: Some(batch),
                    targets: &targets,
                    labelled: None,
                    rank: &mut rank,
                    rng,
                },
            )
        }
        Learns::Denoiser => {
            let backbone = model.backbone.valid();
            let corrupted = |user, history: &[u32]| {
                context
                    .corruption()
                    .apply(history, user, context.seed, epoch as u64)
            };
            let inner = backbone.items.val().device();
            let labelled = labelled(data, users, max_len, corrupted, popularity, &inner);
            model.method.loss(
                phase,
                &mut Step {
                    backbone: &backbone,
                    histories: None,
                    targets: &[],
                    labelled: Some(labelled),
                    rank: &mut rank,
                    rng,
                },
            )
        }
    };
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    (loss.inner().into_scalar::<f32>(), gradients)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;
    use crate::training::samples::popularity;
    use burn::module::Param;
    use burn::optim::AdamConfig;
    use ingle_model::methods::MethodConfig;
    use ingle_model::{BackboneConfig, ModelConfig};

    #[test]
    fn a_loss_that_is_no_number_says_where_and_takes_no_step() {
        let data = dataset(&[&[1, 2, 3, 4, 1, 2], &[2, 3, 1, 4, 3]], &[]);
        let config = ModelConfig {
            items: data.n_items(),
            backbone: BackboneConfig {
                width: 4,
                feed_forward: 8,
                max_len: 6,
                ..Default::default()
            },
            method: MethodConfig::named("sasrec").expect("a method"),
            gate: ingle_model::gate::GateConfig::default(),
        };
        let context = Context {
            data: &data,
            popularity: popularity(&data.train_counts()),
            corruption: None,
            seed: 1,
            device: Device::flex().autodiff(),
            stop: &AtomicBool::new(false),
            progress: &Progress::new(),
        };
        let mut model = Model::new(&config, 1, &context.device);
        let spoilt = model.backbone.items.val().inner() * f32::NAN;
        let spoilt = Tensor::from_inner(spoilt).require_grad();
        model.backbone.items = Param::from_tensor(spoilt);
        let schedule = Schedule {
            batch_clicks: 1,
            ..Default::default()
        };
        let mut state = State::fresh();
        state.epoch = 2;
        state.step = 1;
        let mut optimizer = AdamConfig::new().init();
        let phase = &config.method.phases()[0];
        let ended = run(
            &context,
            phase,
            &schedule,
            &mut model,
            &mut optimizer,
            &mut state,
        );
        let error = ended.expect_err("no number").to_string();
        assert!(error.contains("at step 2 of epoch 3"), "{error}");
        assert_eq!(state.step, 1);
    }
}
