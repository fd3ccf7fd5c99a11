//! One epoch of one phase: the steps over all training histories.

use super::backbone::{Gradient, Learner, Pace};
use super::batches::plan;
use super::checkpoint::State;
use super::config::Schedule;
use super::on_device::{self, CatalogueSoftmax};
use super::progress::Progress;
use super::samples::{Corruption, labelled, next_items, seen, windows};
use crate::data::Dataset;
use anyhow::{Result, ensure};
use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use ingle_model::methods::{Learns, Objective, Phase, Step};
use ingle_model::{Model, Rng};
use std::sync::atomic::{AtomicBool, Ordering};

/// What stays the same over a whole training.
pub struct Context<'a> {
    /// The histories.
    pub data: &'a Dataset,
    /// Training clicks by item, entry 0 for padding.
    pub counts: Vec<u32>,
    /// `ln(1 + clicks)` by item.
    pub popularity: Vec<f32>,
    /// How histories are corrupted, where a denoiser is trained.
    pub corruption: Option<Corruption>,
    /// The source of all chance.
    pub seed: u64,
    /// Where gradients are recorded.
    pub device: Device,
    /// Whether the backbone is trained without a graph, as the CPU does.
    pub by_hand: bool,
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

/// What an epoch changes.
pub struct Trained {
    /// The model. While a learner has the backbone, its weights there are those before the epoch.
    pub model: Model,
    /// Burn's optimiser, of what trains through its graph.
    pub optimizer: ModuleOptimizer,
    /// What trains the backbone by hand, in a phase that learns it on the CPU.
    pub learner: Option<Learner>,
}

/// What one step has found out and not yet acted on.
enum Found {
    ByHand(Gradient),
    Graph(f32, GradientsParams),
}

impl Found {
    fn loss(&self) -> f32 {
        match self {
            Self::ByHand(gradient) => gradient.loss,
            Self::Graph(loss, _) => *loss,
        }
    }
}

impl Trained {
    fn step(&mut self, found: Found, pace: Pace) {
        match found {
            Found::ByHand(gradient) => {
                let learner = self.learner.as_mut();
                learner
                    .expect("it found the gradient")
                    .step(&gradient, pace);
            }
            Found::Graph(_, gradients) => {
                self.model = (self.optimizer).step(pace.rate, self.model.clone(), gradients);
            }
        }
    }

    /// The model as it is validated and kept, on no autodiff device.
    pub fn latest(&self, phase: &Phase, schedule: &Schedule) -> Model {
        let mut latest = self.model.valid();
        // A learner hands out directions by itself.
        if schedule.unit && phase.learns == Learns::Backbone && self.learner.is_none() {
            let items = &mut latest.backbone.items;
            *items = Param::from_tensor(on_device::unit_rows(items.val()));
        }
        latest
    }

    /// Hands what a learner has learnt to the model.
    fn settle(&mut self) {
        if let Some(learner) = &self.learner {
            self.model = learner.write(self.model.clone());
        }
    }
}

/// Runs the steps of the current epoch from `state.step` on.
pub fn run(
    context: &Context<'_>,
    phase: &Phase,
    schedule: &Schedule,
    trained: &mut Trained,
    state: &mut State,
) -> Result<Ended> {
    let place = [3, state.phase as u64, state.epoch as u64];
    let lengths = lengths(context, phase.learns, trained.model.backbone.max_len());
    let batches = plan(
        &lengths,
        schedule.batch_clicks,
        &mut Rng::new(context.seed, &place),
    );
    let title = format!("{} epoch {}", phase.name, state.epoch + 1);
    context.progress.start(title, lengths.iter().sum());
    for (step, users) in batches.iter().enumerate().skip(state.step) {
        if context.stop.load(Ordering::Relaxed) {
            trained.settle();
            return Ok(Ended::Interrupted);
        }
        let [purpose, phase_number, epoch] = place;
        let mut rng = Rng::new(context.seed, &[purpose, phase_number, epoch, step as u64]);
        let how = (phase, schedule);
        let found = find(context, how, trained, users, state.epoch, &mut rng);
        let loss = found.loss();
        let diverged = Diverged {
            loss,
            step: step + 1,
            epoch: state.epoch + 1,
        };
        ensure!(loss.is_finite(), diverged);
        let done = state.epoch as f64 + step as f64 / batches.len() as f64;
        trained.step(found, schedule.pace(done));
        let clicks: usize = users.iter().map(|&user| lengths[user]).sum();
        state.step = step + 1;
        state.loss.0 += f64::from(loss) * clicks as f64;
        state.loss.1 += clicks as f64;
        context
            .progress
            .advance(clicks, state.loss.0 / state.loss.1);
    }
    trained.settle();
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
fn find(
    context: &Context<'_>,
    (phase, schedule): (&Phase, &Schedule),
    trained: &mut Trained,
    users: &[usize],
    epoch: usize,
    rng: &mut Rng,
) -> Found {
    let model = &trained.model;
    let max_len = model.backbone.max_len();
    if let Some(learner) = &mut trained.learner {
        let windows = windows(context.data, users, max_len);
        Found::ByHand(learner.gradient(&windows, rng))
    } else {
        let (loss, gradients) = by_graph(context, phase, schedule, model, users, epoch, rng);
        Found::Graph(loss, gradients)
    }
}

/// The same through Burn's autodiff.
fn by_graph(
    context: &Context<'_>,
    phase: &Phase,
    schedule: &Schedule,
    model: &Model,
    users: &[usize],
    epoch: usize,
    rng: &mut Rng,
) -> (f32, GradientsParams) {
    let loss = match phase.learns {
        Learns::Backbone => recommendation_loss(context, phase, schedule, model, users, rng),
        Learns::Denoiser => denoising_loss(context, phase, model, users, epoch, rng),
    };
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    (loss.inner().into_scalar::<f32>(), gradients)
}

fn recommendation_loss(
    context: &Context<'_>,
    phase: &Phase,
    schedule: &Schedule,
    model: &Model,
    users: &[usize],
    rng: &mut Rng,
) -> Tensor<1> {
    let windows = windows(context.data, users, model.backbone.max_len());
    let (batch, targets) = next_items(&windows, &context.popularity, &context.device);
    let mut backbone = model.backbone.clone();
    if schedule.unit {
        let directions = on_device::unit_rows(backbone.items.val());
        backbone.items = Param::initialized(ParamId::new(), directions);
    }
    let barred = if schedule.mask_seen {
        seen(&windows)
    } else {
        Vec::new()
    };
    let mut rank = CatalogueSoftmax::new(backbone.items.val(), barred);
    let mut step = Step {
        backbone: &backbone,
        histories: Some(batch),
        targets: &targets,
        labelled: None,
        rank: &mut rank,
        rng,
    };
    model.method.loss(phase, &mut step)
}

fn denoising_loss(
    context: &Context<'_>,
    phase: &Phase,
    model: &Model,
    users: &[usize],
    epoch: usize,
    rng: &mut Rng,
) -> Tensor<1> {
    let (data, popularity) = (context.data, &context.popularity);
    let backbone = model.backbone.valid();
    let device = backbone.items.val().device();
    let corrupted = |user, history: &[u32]| {
        (context.corruption()).apply(history, user, context.seed, epoch as u64)
    };
    let max_len = backbone.max_len();
    let labelled = labelled(data, users, max_len, corrupted, popularity, &device);
    let mut rank = CatalogueSoftmax::new(model.backbone.items.val(), Vec::new());
    let mut step = Step {
        backbone: &backbone,
        histories: None,
        targets: &[],
        labelled: Some(labelled),
        rank: &mut rank,
        rng,
    };
    model.method.loss(phase, &mut step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;
    use crate::training::samples::popularity;
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
            counts: data.train_counts(),
            popularity: popularity(&data.train_counts()),
            corruption: None,
            seed: 1,
            device: Device::flex().autodiff(),
            by_hand: true,
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
        let phase = &config.method.phases()[0];
        let by_hand = Learner::new(&model, &config.backbone, &schedule, &context.counts);
        for learner in [None, Some(by_hand)] {
            let mut trained = Trained {
                model: model.clone(),
                optimizer: AdamConfig::new().init(),
                learner,
            };
            let ended = run(&context, phase, &schedule, &mut trained, &mut state);
            let error = ended.expect_err("no number").to_string();
            assert!(error.contains("at step 2 of epoch 3"), "{error}");
            assert_eq!(state.step, 1);
        }
    }
}
