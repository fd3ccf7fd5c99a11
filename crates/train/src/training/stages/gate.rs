//! The gate: the calibration of noise logits to probabilities, the choice of the keep rule, and the figures of the round.

use super::{Inputs, Outcome, Stage, Training, reader};
use crate::metrics::detection::Detection;
use crate::reader::Reader;
use crate::training::calibrate;
use crate::training::checkpoint::write_atomically;
use crate::training::choice::Choice;
use crate::training::judge::{HistoryLogits, Verdicts, calibrated};
use crate::training::rounds::account::{self, Account, rank_correlation};
use crate::training::rounds::disputes::{self, Dispute, SHOWN, mean_divergence};
use crate::training::samples::latest;
use anyhow::{Context as _, Result};
use burn::module::Module;
use ingle_bundle::Scale;
use ingle_model::Model;
use ingle_model::methods::Views;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Its name, but for the round.
pub(super) const NAME: &str = "gate";
const FILE: &str = "gate.json";
/// The histories on which the views disagree most, by which the language model of the next round is refined.
const DISPUTED: &str = "disputed.jsonl";
/// Most disputed histories, on which the language model is refined.
const MOST_DISPUTED: usize = 500;

/// Calibrates the scorer of a round and, in the last round, chooses the keep rule.
pub(super) struct Gate {
    /// Name of the stage.
    pub name: String,
    /// The round, counted from 1.
    pub round: usize,
}

/// Contents of `gate.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    scale: Scale,
    views: Option<Views<Scale>>,
    keep: Option<Choice>,
    account: Option<Account>,
}

impl Stage for Gate {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn reads(&self, inputs: &Inputs<'_>) -> Value {
        let config = inputs.config;
        let refines = config.reads() && self.round < config.denoising.rounds;
        json!({
            "stage": NAME,
            "denoising": inputs.denoising(&[]),
            "round": self.round,
            "last": self.round == config.denoising.rounds,
            "keep": config.keep,
            "disputed": refines,
        })
    }

    fn draws(&self) -> bool {
        false
    }

    fn run(&self, training: &mut Training<'_>) -> Result<Outcome> {
        let model = training.model.valid();
        let unseen = training.unseen_verdicts(&model)?;
        let (scale, views) = calibrate::scales(&unseen);
        let seen = training.verdicts(&model, &training.features)?;
        say(training, scale, [&unseen, &seen]);
        let about = &mut training.run.about;
        (about.scale, about.views) = (scale, views);
        if self.round == training.run.config.denoising.rounds {
            training.run.about.keep = training.choose(scale)?;
        }
        let account = self.account(training, &model, &unseen)?;
        let about = &training.run.about;
        let made = Made {
            scale,
            views,
            keep: about.keep.clone(),
            account,
        };
        let path = training.dir(&self.name).join(FILE);
        write_atomically(&path, &serde_json::to_vec_pretty(&made)?)?;
        Ok(Outcome::Finished(None))
    }

    fn load(&self, dir: &Path, training: &mut Training<'_>) -> Result<()> {
        let path = dir.join(FILE);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let made: Made = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        let about = &mut training.run.about;
        (about.scale, about.views, about.keep) = (made.scale, made.views, made.keep);
        match made.account {
            Some(account) => account::add(&training.run.dir, account),
            None => Ok(()),
        }
    }
}

/// File of the disputed histories of a round.
pub(super) fn disputed_file(training: &Training<'_>, round: usize) -> PathBuf {
    let stage = training.in_round(NAME, round);
    training.dir(&stage).join(DISPUTED)
}

/// Prints the figures of the same users judged as unseen, as in a shop, and as seen.
fn say(training: &Training<'_>, scale: Scale, verdicts: [&Verdicts; 2]) {
    for (whose, verdicts) in ["unseen users", "users of the log"].iter().zip(verdicts) {
        if let Some(found) = verdicts.detection(scale) {
            training.context.progress.line(&format!(
                "validation, {whose}: AUC {:.4}  AP {:.4}  ECE {:.4}",
                found.auc, found.ap, found.ece
            ));
        }
    }
}

impl Gate {
    /// The round's figures. For the language model of the next round, also writes the histories on which the views
    /// disagree most. `verdicts` are those on validation histories, judged as of unseen users. `None` for a method with
    /// one view.
    fn account(
        &self,
        training: &Training<'_>,
        model: &Model,
        verdicts: &Verdicts,
    ) -> Result<Option<Account>> {
        let Some(judged) = &verdicts.views else {
            return Ok(None);
        };
        let (about, config) = (&training.run.about, &training.run.config);
        let (scale, scales) = (about.scale, about.views.unwrap_or_default());
        let auc = |found: Option<Detection>| found.map_or(0.0, |found| found.auc);
        let ece = |scale| verdicts.detection(scale).map_or(0.0, |found| found.ece);
        let views = verdicts.by_view(scales);
        // Without a language model to compare with or to refine, the report alone shows some of the histories.
        let context = training.context;
        let users: Vec<usize> = (0..context.data.n_users())
            .filter(|&user| config.reads() || context.judges(user))
            .collect();
        let (logits, disputes) = ranked(training, model, &users)?;
        let (reader_auc, similarity) = self.against_reader(training, &logits)?;
        let account = Account {
            round: self.round,
            reader_auc,
            similarity,
            prior_auc: views.map_or(0.0, |views| views.prior.auc),
            posterior_auc: views.map_or(0.0, |views| views.posterior.auc),
            fused_auc: auc(verdicts.detection(scale)),
            ece: [ece(Scale::default()), ece(scale)],
            disagreement: mean_divergence(&calibrated(judged, scales)),
            ndcg10: training.kept_ndcg10(model)?,
            disputed: (disputes.iter().take(SHOWN))
                .map(|dispute| dispute.shown(context.data))
                .collect(),
        };
        context.progress.line(&format!(
            "round {}: AUC prior {:.4}  posterior {:.4}  fused {:.4}  disagreement {:.4}  NDCG@10 {:.4} clean, {:.4} corrupted",
            account.round,
            account.prior_auc,
            account.posterior_auc,
            account.fused_auc,
            account.disagreement,
            account.ndcg10[0],
            account.ndcg10[1],
        ));
        if config.reads() && self.round < config.denoising.rounds {
            let kept = MOST_DISPUTED.min(disputes.len());
            let file = disputed_file(training, self.round);
            disputes::write(&file, &disputes[..kept], context.data)?;
        }
        Ok(Some(account))
    }

    /// AUC of the round's language model, and the rank correlation of the prior with it over the log's clicks.
    fn against_reader(
        &self,
        training: &Training<'_>,
        logits: &[HistoryLogits],
    ) -> Result<(Option<f64>, Option<f64>)> {
        if !training.run.config.reads() {
            return Ok((None, None));
        }
        let dir = reader::folder(training, self.round);
        let about = Reader::finished(&dir)?.about;
        let beliefs = reader::beliefs(training, self.round)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for (scored, belief) in logits.iter().zip(&beliefs) {
            let prior = scored.views.as_ref().map_or(&[][..], |views| &views.prior);
            let count = prior.len().min(training.run.config.denoising.last);
            ours.extend(latest(prior, count));
            theirs.extend(latest(belief, count));
        }
        let auc = about.valid.map(|figures| figures.auc);
        Ok((auc, rank_correlation(&ours, &theirs)))
    }
}

/// Logits of the training histories of these users, and those of two clicks or more, sorted by how much the views
/// disagree.
fn ranked(
    training: &Training<'_>,
    model: &Model,
    users: &[usize],
) -> Result<(Vec<HistoryLogits>, Vec<Dispute>)> {
    let data = training.context.data;
    let histories: Vec<&[u32]> = users.iter().map(|&user| data.train(user)).collect();
    let logits = training.logits_as_unseen(model, users, &histories)?;
    let about = &training.run.about;
    let scales = (about.scale, about.views.unwrap_or_default());
    let (users, read): (Vec<usize>, Vec<HistoryLogits>) = (users.iter().zip(&logits))
        .filter(|(user, _)| data.train(**user).len() > 1)
        .map(|(&user, scored)| (user, scored.clone()))
        .unzip();
    let last = training.run.config.denoising.last;
    Ok((logits, disputes::ranked(&users, &read, last, scales)))
}
