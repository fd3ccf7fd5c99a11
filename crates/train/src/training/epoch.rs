//! One epoch of a stage: the training steps over all training histories.

use super::backbone::Learner;
use super::batches::plan;
use super::checkpoint::State;
use super::coder::Coder;
use super::config::{Denoising, Schedule};
use super::dropping;
use super::gradient::{Found, find};
use super::on_device;
use super::progress::Progress;
use super::rounds::dynamics::Dynamics;
use super::samples::{Corruption, Lesson, latest, windows};
use crate::data::Dataset;
use anyhow::{Result, ensure};
use burn::module::{Module, Param};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use ingle_model::methods::Part;
use ingle_model::{ItemFeatures, Model, Rng};
use std::sync::atomic::{AtomicBool, Ordering};

/// What stays the same during a training.
pub struct Context<'a> {
    /// The histories.
    pub data: &'a Dataset,
    /// Training clicks by item, entry 0 for padding.
    pub counts: Vec<u32>,
    /// The fold that holds out each user.
    pub parts: Vec<usize>,
    /// Whether each user is held out from the denoiser's training; `None` if no users are.
    pub held_out: Option<Vec<bool>>,
    /// How a denoiser is trained.
    pub denoising: &'a Denoising,
    /// How histories are corrupted, where a denoiser is trained.
    pub corruption: Option<Corruption>,
    /// Noise probability of each training click by user, if clicks are dropped from the log by it.
    pub noise: Option<Vec<Vec<f32>>>,
    /// The seed of all random draws.
    pub seed: u64,
    /// The device on which gradients are computed.
    pub device: Device,
    /// Whether the backbone is trained with hand-written gradients, as on the CPU, instead of Burn's
    /// autodiff.
    pub by_hand: bool,
    /// Set when the user interrupts the training.
    pub stop: &'a AtomicBool,
    /// Progress that is printed.
    pub progress: &'a Progress,
}

impl Context<'_> {
    /// Whether the log has noise labels that may be used.
    pub fn knows_noise(&self) -> bool {
        self.data.has_labels() && self.denoising.log_labels.unwrap_or(true)
    }

    /// Whether this user is held out from the denoiser's training.
    pub fn held_out(&self, user: usize) -> bool {
        self.held_out
            .as_ref()
            .is_some_and(|held_out| held_out[user])
    }

    /// Whether a denoiser is validated on this user. On users that it was trained on, the figures would be
    /// too good.
    pub fn judges(&self, user: usize) -> bool {
        self.held_out.is_none() || self.held_out(user)
    }

    /// Training samples of these users: their next clicks after their histories. `stream` names the random draw.
    pub fn lessons(&self, users: &[usize], max_len: usize, stream: u64) -> Vec<Lesson> {
        let windows = windows(self.data, users, max_len).into_iter().zip(users);
        windows
            .map(|(window, &user)| self.lesson(window, user, stream))
            .collect()
    }

    /// The training sample of a user's latest clicks, without those dropped as noise in this draw.
    fn lesson(&self, window: &[u32], user: usize, stream: u64) -> Lesson {
        let places: Vec<usize> = match &self.noise {
            None => (0..window.len()).collect(),
            Some(noise) => {
                let draw = (self.seed, stream, user);
                dropping::staying(window.len(), &noise[user], draw)
            }
        };
        let items: Vec<u32> = places.iter().map(|&at| window[at]).collect();
        let lesson = Lesson::of(&items);
        let Some(weights) = self.data.train_weights(user) else {
            return lesson;
        };
        let weights = latest(weights, window.len());
        lesson.weighing(&places.iter().map(|&at| weights[at]).collect::<Vec<_>>())
    }

    /// Number of clicks of each user that a next-item model is trained on: the first click has no clicks before it to
    /// be predicted from.
    pub fn next_clicks(&self, max_len: usize) -> Vec<usize> {
        let clicks = (0..self.data.n_users()).map(|user| self.data.train(user).len());
        clicks
            .map(|clicks| clicks.saturating_sub(1).min(max_len))
            .collect()
    }

    /// Number of clicks of each user that a scorer is trained on: none of held-out users, and none of a single click,
    /// which has no context to be judged by.
    pub fn judged_clicks(&self, max_len: usize) -> Vec<usize> {
        let judged = |user| match self.data.train(user).len() {
            0 | 1 => 0,
            _ if self.held_out(user) => 0,
            clicks => clicks.min(max_len),
        };
        (0..self.data.n_users()).map(judged).collect()
    }

    /// How histories are corrupted.
    ///
    /// # Panics
    /// If the training has no denoiser.
    pub fn corruption(&self) -> &Corruption {
        self.corruption
            .as_ref()
            .expect("a training with a denoiser has a corruption")
    }
}

/// Users per epoch, as a share of all, who are also judged by the recommender that was trained on them, so that the
/// users of the log are judged well too.
const SEEN: f64 = 0.1;
/// Number of streams reserved for each round.
pub(super) const ROUND: u64 = 1 << 20;

/// How an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ended {
    /// All steps are done: the mean loss and the number of targets.
    Complete(f64, f64),
    /// The user interrupted it between two steps.
    Interrupted,
}

/// The loss became infinite or not a number.
#[derive(Debug, thiserror::Error)]
#[error(
    "the loss became {loss} at step {step} of epoch {epoch}; the last good weights are kept: try a lower learning_rate"
)]
pub struct Diverged {
    loss: f32,
    step: usize,
    epoch: usize,
}

/// What the steps of a stage train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learns {
    /// A next-item model.
    Items,
    /// The encoder of a next-item model, with a constant item table.
    Encoder,
    /// A part of a scorer in a round, with a constant recommender.
    Scorer(Part, usize),
}

impl Learns {
    /// Whether a next-item model is trained and not a scorer.
    pub fn ranks(self) -> bool {
        !matches!(self, Self::Scorer(..))
    }
}

/// How the epochs of a stage go.
#[derive(Clone, Debug)]
pub struct Course {
    /// Name of the stage.
    pub name: String,
    /// Number of the stage, which names its random draws.
    pub number: u64,
    /// What its steps train.
    pub learns: Learns,
    /// Its epochs.
    pub schedule: Schedule,
    /// Number of clicks that each user's history contributes to an epoch; 0 for users it is not trained on.
    pub lengths: Vec<usize>,
}

/// The state that an epoch changes.
pub struct Trained {
    /// The model. While a learner trains the backbone, these are its weights before the epoch.
    pub model: Model,
    /// Burn's optimiser, for parameters trained by autodiff.
    pub optimizer: ModuleOptimizer,
    /// The learner of the backbone, in stages that train it with hand-written gradients on the CPU.
    pub learner: Option<Learner>,
    /// The learner of semantic codes, in the stage that trains them.
    pub coder: Option<Coder>,
    /// Item features known so far.
    pub features: ItemFeatures,
    /// Item tables of the trained folds, on a device without autodiff.
    pub folds: Vec<Tensor<2>>,
    /// Learning dynamics of the log's clicks, recorded while the backbone is trained.
    pub dynamics: Option<Dynamics>,
    /// Soft labels: the noise probability of each training click by user, from the teacher of the view being
    /// trained.
    pub beliefs: Option<Vec<Vec<f32>>>,
}

impl Trained {
    fn step(&mut self, found: Found, rate: f64) {
        match found {
            Found::ByHand(gradient) => {
                let learner = self.learner.as_mut();
                learner
                    .expect("it found the gradient")
                    .step(&gradient, rate);
            }
            Found::Graph { model, coder, .. } => {
                self.model = (self.optimizer).step(rate, self.model.clone(), model);
                if let Some((own, gradients)) = self.coder.as_mut().zip(coder) {
                    own.step(rate, gradients);
                }
            }
        }
    }

    /// The model as it is validated and saved, on a device without autodiff.
    pub fn latest(&self, course: &Course) -> Model {
        let mut latest = self.model.valid();
        // A learner normalises the rows itself.
        if course.schedule.unit && course.learns.ranks() && self.learner.is_none() {
            let items = &mut latest.backbone.items;
            *items = Param::from_tensor(on_device::unit_rows(items.val()));
        }
        latest
    }

    /// Copies the learner's weights into the model.
    fn settle(&mut self) {
        if let Some(learner) = &self.learner {
            self.model = learner.write(self.model.clone());
        }
    }
}

/// The users of one step, and the item table that judges them.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The users.
    pub users: Vec<usize>,
    /// The fold whose item table is used; `None` for the backbone's own.
    pub fold: Option<usize>,
}

/// Runs the steps of the current epoch from `state.step` on.
pub fn run(
    context: &Context<'_>,
    course: &Course,
    trained: &mut Trained,
    state: &mut State,
) -> Result<Ended> {
    let (schedule, lengths) = (&course.schedule, &course.lengths);
    let place = [3, course.number, state.epoch as u64];
    let mut rng = Rng::new(context.seed, &place);
    let clicks_of = |users: &[usize]| users.iter().map(|&user| lengths[user]).sum::<usize>();
    let batches = batches(context, course, trained, &mut rng);
    let title = format!("{} epoch {}", course.name, state.epoch + 1);
    let all = batches.iter().map(|batch| clicks_of(&batch.users)).sum();
    context.progress.start(title, all);
    for (step, batch) in batches.iter().enumerate().skip(state.step) {
        if context.stop.load(Ordering::Relaxed) {
            trained.settle();
            return Ok(Ended::Interrupted);
        }
        let [purpose, number, epoch] = place;
        let mut rng = Rng::new(context.seed, &[purpose, number, epoch, step as u64]);
        let found = find(context, course, trained, batch, state.epoch, &mut rng);
        let loss = found.loss();
        let diverged = Diverged {
            loss,
            step: step + 1,
            epoch: state.epoch + 1,
        };
        ensure!(loss.is_finite(), diverged);
        if let Some(dynamics) = &mut trained.dynamics {
            let counts: Vec<usize> = batch.users.iter().map(|&user| lengths[user]).collect();
            dynamics.observe(&batch.users, &counts, found.losses());
        }
        let done = state.epoch as f64 + step as f64 / batches.len() as f64;
        trained.step(found, schedule.rate(done));
        let clicks = clicks_of(&batch.users);
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

/// The steps of an epoch in random order. With folds, each user is judged through the fold that was not
/// trained on them, and a share of the users also through the backbone's own table.
fn batches(context: &Context<'_>, course: &Course, trained: &Trained, rng: &mut Rng) -> Vec<Batch> {
    let (schedule, lengths) = (&course.schedule, &course.lengths);
    let folds = trained.folds.len();
    let planned = |kept: Vec<usize>, fold, rng: &mut Rng| {
        let batches = plan(&kept, schedule.batch_clicks, rng);
        let batches = batches.into_iter();
        batches
            .map(move |users| Batch { users, fold })
            .collect::<Vec<_>>()
    };
    if !matches!(course.learns, Learns::Scorer(Part::Scorer, _)) || folds == 0 {
        return planned(lengths.clone(), None, rng);
    }
    let users = || lengths.iter().copied().enumerate();
    let mut batches = Vec::new();
    for fold in 0..folds {
        let own = |user: usize| context.parts[user] == fold;
        let kept = users()
            .map(|(user, n)| if own(user) { n } else { 0 })
            .collect();
        batches.extend(planned(kept, Some(fold), rng));
    }
    let kept = users().map(|(_, n)| {
        if f64::from(rng.uniform()) < SEEN {
            n
        } else {
            0
        }
    });
    let kept = kept.collect();
    batches.extend(planned(kept, None, rng));
    let order = rng.permutation(batches.len());
    order.into_iter().map(|at| batches[at].clone()).collect()
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
            method: MethodConfig::named("none").expect("a method"),
            gate: ingle_model::gate::GateConfig::default(),
            keep: None,
        };
        let context = Context {
            data: &data,
            counts: data.train_counts(),
            parts: vec![0; data.n_users()],
            held_out: None,
            denoising: &Denoising::default(),
            corruption: None,
            noise: None,
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
        let course = Course {
            name: "backbone".to_owned(),
            number: 0,
            learns: Learns::Items,
            schedule: Schedule {
                batch_clicks: 1,
                ..Default::default()
            },
            lengths: context.next_clicks(6),
        };
        let schedule = &course.schedule;
        let mut state = State::fresh(&course.name);
        state.epoch = 2;
        state.step = 1;
        let by_hand = Learner::new(&model, &config.backbone, schedule, &context.counts);
        for learner in [None, Some(by_hand)] {
            let mut trained = Trained {
                model: model.clone(),
                optimizer: AdamConfig::new().init(),
                learner,
                coder: None,
                features: ItemFeatures::popularity(popularity(&data.train_counts())),
                folds: Vec::new(),
                dynamics: None,
                beliefs: None,
            };
            let ended = run(&context, &course, &mut trained, &mut state);
            let error = ended.expect_err("no number").to_string();
            assert!(error.contains("at step 2 of epoch 3"), "{error}");
            assert_eq!(state.step, 1);
        }
    }
}
