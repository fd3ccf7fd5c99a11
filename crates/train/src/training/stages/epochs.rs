//! The loop over the epochs of a stage: steps, validation, the best weights, checkpoints.

use super::prior::CODER;
use super::{BACKBONE, DYNAMICS, METHOD, Outcome, Stage, Training};
use crate::training::backbone::Learner;
use crate::training::checkpoint::{self, State, Whole, save_module};
use crate::training::coder::{Coder, write_codes};
use crate::training::config::Schedule;
use crate::training::epoch::{self, Course, Ended, Learns, Trained};
use crate::training::metrics;
use crate::training::rounds::dynamics::Dynamics;
use crate::training::run::CODES;
use anyhow::{Context as _, Result};
use burn::optim::{AdamConfig, ModuleOptimizer};
use ingle_model::Model;
use serde_json::json;
use std::time::Instant;

/// A stage that is trained epoch by epoch.
pub(super) trait Epochs: Stage {
    /// The validation figure of `model`, with its name; for a stage that does not say, NDCG@10 of the next item.
    fn validate(
        &self,
        training: &Training<'_>,
        model: &Model,
        coder: Option<&Coder>,
    ) -> Result<(&'static str, f64)> {
        let _ = coder;
        Ok(("ndcg@10", training.ndcg10(model, |_| true)))
    }
}

/// What a stage starts from.
pub(super) struct Start {
    /// The weights.
    pub model: Model,
    /// The learner of semantic codes, if the stage trains them.
    pub coder: Option<Coder>,
    /// Soft labels: the noise probability of each training click by user.
    pub beliefs: Option<Vec<Vec<f32>>>,
    /// Whether the learning dynamics are recorded.
    pub watched: bool,
}

impl Start {
    /// From these weights, with nothing beside them.
    pub(super) fn of(model: Model) -> Self {
        Self {
            model,
            coder: None,
            beliefs: None,
            watched: false,
        }
    }
}

impl Training<'_> {
    /// How the epochs of the current stage go, on all users that it may be trained on.
    pub(super) fn course(&self, name: String, learns: Learns, schedule: Schedule) -> Course {
        let max_len = self.model.backbone.max_len();
        Course {
            name,
            number: self.number,
            learns,
            schedule,
            lengths: match learns {
                Learns::Items | Learns::Encoder => self.context.next_clicks(max_len),
                Learns::Scorer(..) => self.context.judged_clicks(max_len),
            },
        }
    }
}

/// Trains a stage by its course.
pub(super) fn train(
    stage: &dyn Epochs,
    course: &Course,
    start: Start,
    training: &mut Training<'_>,
) -> Result<Outcome> {
    let mut work = Work::begin(course, start, training)?;
    while !work.over() {
        if !work.epoch(stage, training)? {
            return Ok(Outcome::Interrupted);
        }
    }
    work.keep_dynamics(training)?;
    Ok(Outcome::Finished(work.state.best))
}

/// A stage that is being trained.
struct Work<'a> {
    course: &'a Course,
    trained: Trained,
    state: State,
    /// Seconds spent in training steps since the stage was entered.
    stepping: f64,
}

impl<'a> Work<'a> {
    /// Starts from the run's checkpoint if it is of this stage, else from `start`.
    fn begin(course: &'a Course, start: Start, training: &Training<'_>) -> Result<Self> {
        let (run, context) = (&training.run, training.context);
        let fresh = Whole {
            model: start.model,
            optimizer: optimizer(),
            state: State::fresh(&course.name),
            moments: None,
            dir: None,
        };
        let whole = checkpoint::load(&run.dir, fresh)?;
        let by_hand = context.by_hand && course.learns.ranks();
        let mut learner = by_hand.then(|| {
            let (backbone, how) = (&run.config.backbone, &run.config.training);
            let learner = Learner::new(&whole.model, backbone, how, &context.counts);
            match course.learns {
                Learns::Encoder => learner.encoder_only(),
                _ => learner,
            }
        });
        let mut coder = start.coder;
        let mut dynamics = start.watched.then(|| Dynamics::new(context.data));
        if let (Some(learner), Some(path)) = (&mut learner, &whole.moments) {
            learner.load(path)?;
        }
        if let (Some(coder), Some(dir)) = (&mut coder, &whole.dir) {
            coder.load(dir)?;
        }
        if let (Some(dynamics), Some(dir)) = (&mut dynamics, &whole.dir) {
            dynamics.load(&dir.join(DYNAMICS))?;
        }
        Ok(Self {
            course,
            trained: Trained {
                model: whole.model,
                optimizer: whole.optimizer,
                learner,
                coder,
                features: training.features.clone(),
                folds: training.folds.clone(),
                dynamics,
                beliefs: start.beliefs,
            },
            state: whole.state,
            stepping: 0.0,
        })
    }

    fn over(&self) -> bool {
        let best = self.state.best.map_or(0, |(_, epoch)| epoch);
        let schedule = &self.course.schedule;
        self.state.epoch >= schedule.epochs || self.state.epoch >= best + schedule.patience
    }

    /// One epoch with its validation and checkpoint; `false` if the user interrupted it.
    fn epoch(&mut self, stage: &dyn Epochs, training: &mut Training<'_>) -> Result<bool> {
        let context = training.context;
        let start = Instant::now();
        let ended = epoch::run(context, self.course, &mut self.trained, &mut self.state)?;
        let Ended::Complete(loss, clicks) = ended else {
            self.checkpoint(training)?;
            return Ok(false);
        };
        let seconds = start.elapsed().as_secs_f64();
        self.stepping += seconds;
        let latest = self.trained.latest(self.course);
        let coder = self.trained.coder.as_ref();
        let (name, figure) = stage.validate(training, &latest, coder)?;
        let state = &mut self.state;
        state.epoch += 1;
        (state.step, state.loss) = (0, (0.0, 0.0));
        if state.best.is_none_or(|(best, _)| figure > best) {
            self.keep_best(training, &latest, figure)?;
        }
        let (best, best_epoch) = self.state.best.unwrap_or((figure, self.state.epoch));
        let (phase, epoch) = (&self.course.name, self.state.epoch);
        context.progress.line(&format!(
            "{phase} {epoch:>3}  loss {loss:.4}  valid {name} {figure:.4}  best {best:.4} (epoch {best_epoch})  {seconds:.1} s, {:.0} clicks/s",
            clicks / seconds
        ));
        let line = json!({
            "phase": phase, "epoch": epoch, "loss": loss, name: figure,
            "seconds": seconds, "validation_seconds": start.elapsed().as_secs_f64() - seconds,
            "clicks": clicks,
        });
        metrics::add(&training.run.dir, &line)?;
        self.checkpoint(training)?;
        Ok(true)
    }

    /// Saves these weights as the best of the stage.
    fn keep_best(&mut self, training: &Training<'_>, model: &Model, figure: f64) -> Result<()> {
        self.state.best = Some((figure, self.state.epoch));
        let dir = training.dir(&self.course.name);
        if self.course.learns.ranks() {
            return save_module(&dir.join(BACKBONE), &model.backbone);
        }
        save_module(&dir.join(METHOD), &model.method)?;
        if let Some(coder) = &self.trained.coder {
            write_codes(&dir.join(CODES), &coder.codes())?;
            coder.keep(&dir.join(CODER))?;
        }
        Ok(())
    }

    /// Saves the learning dynamics of the log's clicks and prints the time and memory that they took.
    fn keep_dynamics(&mut self, training: &Training<'_>) -> Result<()> {
        let Some(dynamics) = &mut self.trained.dynamics else {
            return Ok(());
        };
        dynamics.save(&training.dir(&self.course.name).join(DYNAMICS))?;
        let spent = dynamics.spent().as_secs_f64();
        training.context.progress.line(&format!(
            "learning dynamics kept: {:.1} MB, {spent:.2} s of {:.0} s of training steps ({:.2} %)",
            dynamics.bytes() as f64 / 1e6,
            self.stepping,
            100.0 * spent / self.stepping.max(f64::MIN_POSITIVE)
        ));
        Ok(())
    }

    fn checkpoint(&mut self, training: &mut Training<'_>) -> Result<()> {
        training.account()?;
        let trained = &mut self.trained;
        checkpoint::save(&training.run.dir, &trained.model, &self.state, |dir| {
            (trained.optimizer.save(dir.join("optimizer.bpk")))
                .context("cannot write the optimiser's state")?;
            if let Some(learner) = &mut trained.learner {
                learner.save(&dir.join(checkpoint::MOMENTS))?;
            }
            if let Some(coder) = &trained.coder {
                coder.save(dir)?;
            }
            if let Some(dynamics) = &mut trained.dynamics {
                dynamics.save(&dir.join(DYNAMICS))?;
            }
            Ok(())
        })
    }
}

pub(in crate::training) fn optimizer() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}
