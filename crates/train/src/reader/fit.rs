//! Fine-tuning on training histories that are corrupted anew in each epoch, with early selection by validation; and
//! refinement by a few steps on histories with soft labels.

use super::folder::{Figures, Reader};
use super::learner::{Labelled, Learner, Sample, steps};
use super::score;
use super::settings::Settings;
use super::windows::Titles;
use crate::data::{Dataset, InputError, Split};
use crate::training::calibrate;
use crate::training::checkpoint::{self, load_module, save_module, write_atomically};
use crate::training::judge::{LabelledHistory, Verdicts, cases};
use crate::training::progress::Progress;
use crate::training::samples::{Corruption, latest};
use anyhow::{Context as _, Result};
use burn::module::Module as _;
use ingle_lm::{LanguageModel, TitleScorer};
use ingle_model::Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Streams of random draws.
const EPOCH: u64 = 21;
const STEP: u64 = 22;
const APART: u64 = 23;
const REFINE: u64 = 24;
/// Corruption of the validation histories and of a refinement; epochs are numbered from 0.
const VALID_STREAM: u64 = 1 << 40;
const REFINE_STREAM: u64 = 1 << 41;

/// The data of a fit, for training and validation.
pub struct Ground<'a> {
    data: &'a Dataset,
    lm: &'a LanguageModel,
    settings: &'a Settings,
    titles: Titles,
    corruption: Corruption,
    /// Training users.
    users: Vec<usize>,
    /// Corrupted histories of the validation users, the same in every epoch.
    valid: Vec<LabelledHistory>,
}

impl<'a> Ground<'a> {
    /// Reads the titles and holds out some users for validation. The language model must be on a device with
    /// autodiff.
    ///
    /// # Errors
    /// If no clicks can be replaced, or there are no histories of two clicks or more for training or for validation.
    pub fn new(data: &'a Dataset, lm: &'a LanguageModel, settings: &'a Settings) -> Result<Self> {
        let corruption = Corruption::new(&settings.corruption(), data)?;
        // A single click cannot be compared with others.
        let mut valid: Vec<_> = cases(data, Split::Valid);
        valid.retain(|case| case.history.len() > 1);
        valid.sort_by_key(|case| case.user);
        let count = settings.validation.min(valid.len().div_ceil(10));
        let order = Rng::new(settings.seed, &[APART]).permutation(valid.len());
        let apart: Vec<_> = order[..count].iter().map(|&at| valid[at]).collect();
        let mut known: Vec<bool> = (0..data.n_users())
            .map(|u| data.train(u).len() > 1)
            .collect();
        for case in &apart {
            known[case.user] = false;
        }
        let users: Vec<usize> = (0..data.n_users()).filter(|&user| known[user]).collect();
        if users.is_empty() || apart.is_empty() {
            let missing = "no users with two clicks to learn from, and others to validate on";
            return Err(InputError::other(missing).into());
        }
        let judged = corruption.at_rate(settings.rate);
        let corrupted = apart.iter().map(|case| {
            let history = latest(case.history, settings.window);
            judged.apply(history, case.user, settings.seed, VALID_STREAM)
        });
        Ok(Self {
            valid: corrupted.collect(),
            titles: Titles::new(lm, data, settings),
            data,
            lm,
            settings,
            corruption,
            users,
        })
    }

    /// Newly corrupted histories of `count` random users.
    fn corrupted(&self, count: usize, stream: u64, rng: &mut Rng) -> Vec<Sample> {
        let mut order = rng.permutation(self.users.len());
        order.truncate(count);
        let samples = order.into_iter().filter_map(|at| {
            let user = self.users[at];
            let history = latest(self.data.train(user), self.settings.window);
            let seed = self.settings.seed;
            let (items, noise) = self.corruption.apply(history, user, seed, stream);
            let noise = noise.into_iter().map(f32::from).collect();
            Sample::of(&Labelled { items, noise }, &self.titles)
        });
        samples.collect()
    }

    /// Noise detection figures of a judge on the validation histories.
    pub fn validate(&self, judge: &TitleScorer, epoch: usize) -> Figures {
        let scorer = judge.valid().ready(self.lm.encoder.valid());
        let histories: Vec<&[u32]> = self
            .valid
            .iter()
            .map(|(items, _)| items.as_slice())
            .collect();
        let mut verdicts = Verdicts::default();
        let rows = score::logits(&scorer, &self.titles, &histories, |_| ());
        for (row, (_, noise)) in rows.into_iter().zip(&self.valid) {
            verdicts.add(&row, noise);
        }
        let scale = calibrate::scale(&verdicts.logits, &verdicts.noisy);
        let found = verdicts.detection(scale);
        // With few histories there may be no replaced click.
        let (auc, ap, ece) = found.map_or((0.5, 0.0, 0.0), |d| (d.auc, d.ap, d.ece));
        Figures {
            epoch,
            auc,
            ap,
            ece,
            scale,
        }
    }
}

/// The progress of a fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    epoch: usize,
    step: usize,
    /// Sums over the epoch's steps: loss times titles, and titles.
    loss: (f64, f64),
    /// Tokens and seconds of the epoch so far.
    spent: (usize, f64),
    best: Option<Figures>,
    /// Lines of `metrics.jsonl` up to the last complete epoch.
    lines: usize,
}

/// Interval between checkpoints, in seconds.
const SAVE_EVERY: f64 = 30.0;

/// A running fit.
struct Fit<'a> {
    reader: &'a mut Reader,
    ground: &'a Ground<'a>,
    learner: Learner,
    state: State,
    stop: &'a AtomicBool,
    progress: &'a Progress,
    saved: Instant,
}

/// Fits a reader, from its checkpoint if there is one, until all epochs are done (`true`) or `stop` is set (`false`).
///
/// # Errors
/// If the loss diverges, files cannot be written, or the language model or the dataset differs from the reader's.
pub fn fit(
    reader: &mut Reader,
    ground: &Ground<'_>,
    stop: &AtomicBool,
    progress: &Progress,
) -> Result<bool> {
    reader.check_lm(ground.lm)?;
    reader.check_data(ground.data)?;
    let fresh = Learner::new(reader.fresh(ground.lm));
    let (learner, state) = load(&reader.dir, fresh)?;
    checkpoint::keep_lines(&reader.dir.join("metrics.jsonl"), state.lines)?;
    let mut fit = Fit {
        reader,
        ground,
        learner,
        state,
        stop,
        progress,
        saved: Instant::now(),
    };
    while fit.state.epoch < ground.settings.epochs {
        if !fit.epoch()? {
            return Ok(false);
        }
    }
    fit.reader.about.finished = true;
    fit.reader.save()?;
    Ok(true)
}

impl Fit<'_> {
    /// One epoch with validation; `false` if it was stopped.
    fn epoch(&mut self) -> Result<bool> {
        let settings = self.ground.settings;
        let epoch = self.state.epoch as u64;
        let mut rng = Rng::new(settings.seed, &[EPOCH, epoch]);
        let count = match settings.histories {
            0 => usize::MAX,
            count => count,
        };
        let samples = self.ground.corrupted(count, epoch, &mut rng);
        let steps = steps(&samples, settings.batch_tokens, &mut rng);
        let titles = samples.iter().map(|sample| sample.noise.len()).sum();
        let title = format!("epoch {} of {}", epoch + 1, settings.epochs);
        self.progress.start(title, titles);
        for (at, shards) in steps.iter().enumerate().skip(self.state.step) {
            if self.stop.load(Ordering::Relaxed) {
                self.save()?;
                return Ok(false);
            }
            let since = Instant::now();
            let mut rng = Rng::new(settings.seed, &[STEP, epoch, at as u64]);
            let done = (epoch as f64 + at as f64 / steps.len() as f64) / settings.epochs as f64;
            let rate = settings.rate_at(done);
            let learner = &mut self.learner;
            let (loss, titles) = learner.step(self.ground.lm, &samples, shards, rate, &mut rng)?;
            let state = &mut self.state;
            state.step = at + 1;
            state.loss.0 += loss * titles as f64;
            state.loss.1 += titles as f64;
            let tokens = shards.iter().flatten().map(|&i| samples[i].window.tokens());
            state.spent.0 += tokens.sum::<usize>();
            state.spent.1 += since.elapsed().as_secs_f64();
            self.progress.advance(titles, state.loss.0 / state.loss.1);
            if self.saved.elapsed().as_secs_f64() > SAVE_EVERY {
                self.save()?;
            }
        }
        self.end_epoch()?;
        Ok(true)
    }

    fn end_epoch(&mut self) -> Result<()> {
        let since = Instant::now();
        let state = &mut self.state;
        state.epoch += 1;
        let found = self.ground.validate(&self.learner.judge, state.epoch);
        let ((sum, titles), (tokens, seconds)) = (state.loss, state.spent);
        (state.step, state.loss, state.spent) = (0, (0.0, 0.0), (0, 0.0));
        let loss = sum / titles.max(1.0);
        let validation = since.elapsed().as_secs_f64();
        self.reader.about.seconds += seconds + validation;
        let best = state.best.is_none_or(|best| found.auc > best.auc);
        if best {
            state.best = Some(found);
            self.reader.save_judge(&self.learner.judge)?;
            self.reader.about.valid = Some(found);
        }
        let Figures {
            epoch,
            auc,
            ap,
            ece,
            ..
        } = found;
        let speed = tokens as f64 / seconds.max(1e-9);
        self.progress.line(&format!(
            "epoch {epoch:>3}  loss {loss:.4}  valid AUC {auc:.4}  AP {ap:.4}  {seconds:.0} s, {speed:.0} tokens/s"
        ));
        let line = json!({
            "epoch": epoch, "loss": loss, "auc": auc, "ap": ap, "ece": ece, "seconds": seconds,
            "validation_seconds": validation, "titles": titles, "tokens": tokens,
        });
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.reader.dir.join("metrics.jsonl"))?;
        writeln!(log, "{line}")?;
        self.state.lines += 1;
        self.save()?;
        self.reader.save()
    }

    fn save(&mut self) -> Result<()> {
        let (learner, state) = (&self.learner, &self.state);
        checkpoint::replace(&self.reader.dir, |dir| {
            save_module(&dir.join("judge.bpk"), &learner.judge)?;
            (learner.optimizer.save(dir.join("optimizer.bpk")))
                .context("cannot write the optimiser's state")?;
            write_atomically(&dir.join("state.json"), &serde_json::to_vec_pretty(state)?)
        })?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// Loads a checkpoint into a new learner, if there is one.
fn load(dir: &Path, fresh: Learner) -> Result<(Learner, State)> {
    let Some(dir) = checkpoint::find(dir) else {
        return Ok((fresh, State::default()));
    };
    let damaged = |file: &str| format!("{} is damaged", dir.join(file).display());
    let text = fs::read(dir.join("state.json")).with_context(|| damaged("state.json"))?;
    let state = serde_json::from_slice(&text).with_context(|| damaged("state.json"))?;
    let judge = load_module(&dir.join("judge.bpk"), fresh.judge)?;
    let optimizer = (fresh.optimizer)
        .load(dir.join("optimizer.bpk"))
        .with_context(|| damaged("optimizer.bpk"))?;
    Ok((Learner { judge, optimizer }, state))
}

/// A few more steps on disputed histories with soft labels. Each step has as many newly corrupted histories, against
/// forgetting. `None` if `stop` was set.
///
/// # Errors
/// If the loss diverges.
pub fn refine(
    ground: &Ground<'_>,
    judge: TitleScorer,
    disputed: &[Labelled],
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<TitleScorer>> {
    let settings = ground.settings;
    let disputed = disputed
        .iter()
        .filter_map(|history| Sample::of(history, &ground.titles));
    let disputed: Vec<Sample> = disputed.collect();
    let mut learner = Learner::new(judge);
    let wanted = settings.refine_steps;
    let (mut done, mut pass) = (0, 0);
    progress.start("refining".to_owned(), wanted);
    while done < wanted {
        let mut rng = Rng::new(settings.seed, &[REFINE, pass]);
        let fresh = ground.corrupted(disputed.len(), REFINE_STREAM + pass, &mut rng);
        let samples = [disputed.as_slice(), &fresh].concat();
        for shards in steps(&samples, settings.batch_tokens, &mut rng) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if done == wanted {
                break;
            }
            let rate = settings.rate_at(done as f64 / wanted as f64);
            let (loss, _) = learner.step(ground.lm, &samples, &shards, rate, &mut rng)?;
            done += 1;
            progress.advance(1, loss);
        }
        pass += 1;
    }
    Ok(Some(learner.judge))
}
