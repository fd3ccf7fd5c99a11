//! What is done at the end of each phase.

use super::{DYNAMICS, FRESH, Trainer, best_file, optimizer};
use crate::metrics::detection::Detection;
use crate::prior::Prior;
use crate::training::calibrate;
use crate::training::checkpoint::load_module;
use crate::training::judge::{Reading, Verdicts, calibrated};
use crate::training::rounds::account::{self, Account, rank_correlation};
use crate::training::rounds::disputes::{self, Dispute, SHOWN, mean_divergence};
use crate::training::rounds::reader;
use crate::training::run::BestOf;
use crate::training::samples::latest;
use anyhow::{Context as _, Result};
use burn::module::Module;
use ingle_bundle::Scale;
use ingle_model::methods::{Learns, Phase};

impl Trainer<'_> {
    /// Loads the phase's best weights, saves its results and prepares the next phase.
    pub(super) fn end_phase(&mut self, phase: &Phase) -> Result<()> {
        let (value, epoch) = self.state.best.context("a phase has at least one epoch")?;
        if phase.learns != Learns::Reader {
            let best = self.run.dir.join(best_file(phase));
            self.trained.model = load_module(&best, self.trained.model.clone())?;
        }
        let figure = match phase.learns {
            Learns::Backbone | Learns::Encoder => "validation ndcg@10",
            Learns::Fold(_) => "validation ndcg@10 of users new to a fold",
            Learns::Reader => "validation noise auc of the language model",
            Learns::Prior => "validation noise auc of the prior",
            Learns::Denoiser => "validation noise auc",
            Learns::Recommender => {
                "validation ndcg@10 of what is kept of histories, clean and corrupted"
            }
        };
        let phases = &mut self.run.about.phases;
        phases.retain(|done| done.phase != phase.name);
        phases.push(BestOf {
            phase: phase.name.clone(),
            figure: figure.to_owned(),
            value,
            epoch,
        });
        match phase.learns {
            Learns::Backbone => self.keep_dynamics()?,
            Learns::Fold(_) => self.keep_fold(phase)?,
            Learns::Denoiser => {
                let unseen = self.unseen_verdicts(&self.trained.model.valid())?;
                self.calibrate(&unseen)?;
                if phase.round == self.run.config.denoising.rounds {
                    self.choose()?;
                }
                self.account_for(phase, &unseen)?;
            }
            Learns::Encoder | Learns::Reader | Learns::Prior | Learns::Recommender => {}
        }
        self.state.next_phase();
        if let Some(Learns::Fold(_)) = self.phases.get(self.state.phase).map(|p| p.learns) {
            let fresh = load_module(&self.run.dir.join(FRESH), self.trained.model.clone())?;
            self.trained.model.backbone = fresh.backbone;
        }
        self.trained.optimizer = optimizer();
        self.average = self.trained.model.valid();
        self.equip()?;
        self.checkpoint()
    }

    /// Saves the learning dynamics of the log's clicks and prints the time and memory that they took.
    fn keep_dynamics(&mut self) -> Result<()> {
        let Some(dynamics) = &mut self.trained.dynamics else {
            return Ok(());
        };
        dynamics.save(&self.run.dir.join(DYNAMICS))?;
        let spent = dynamics.spent().as_secs_f64();
        self.context.progress.line(&format!(
            "learning dynamics kept: {:.1} MB, {spent:.2} s of {:.0} s of training steps ({:.2} %)",
            dynamics.bytes() as f64 / 1e6,
            self.stepping,
            100.0 * spent / self.stepping.max(f64::MIN_POSITIVE)
        ));
        Ok(())
    }

    /// Fits the calibration from logits to probabilities. The verdicts are those on validation users judged
    /// as unseen, as in a shop. Also prints the figures for the same users judged as seen.
    fn calibrate(&mut self, strangers: &Verdicts) -> Result<()> {
        let model = self.trained.model.valid();
        let users = self.verdicts(&model, &self.trained.known)?;
        let about = &mut self.run.about;
        (about.scale, about.views) = calibrate::scales(strangers);
        for (whose, verdicts) in [("strangers", strangers), ("users of the log", &users)] {
            let Some(found) = verdicts.detection(about.scale) else {
                continue;
            };
            self.context.progress.line(&format!(
                "validation, {whose}: AUC {:.4}  AP {:.4}  ECE {:.4}",
                found.auc, found.ap, found.ece
            ));
        }
        Ok(())
    }

    /// Writes the round's figures, and for the language model of the next round the histories on which the views
    /// disagree most. `verdicts` are those on validation histories, judged as of unseen users. Does nothing for a
    /// method with one view.
    fn account_for(&mut self, phase: &Phase, verdicts: &Verdicts) -> Result<()> {
        if verdicts.views.is_none() {
            return Ok(());
        }
        let model = self.trained.model.valid();
        let about = &self.run.about;
        let (scale, scales) = (about.scale, about.views.unwrap_or_default());
        let auc = |found: Option<Detection>| found.map_or(0.0, |found| found.auc);
        let ece = |scale| verdicts.detection(scale).map_or(0.0, |found| found.ece);
        let views = verdicts.by_view(scales);
        // Without a language model to compare with or to refine, the report alone shows some of the histories.
        let users: Vec<usize> = (0..self.context.data.n_users())
            .filter(|&user| self.reads() || self.context.judges(user))
            .collect();
        let (readings, disputes) = self.disputes(&users)?;
        let (reader_auc, likeness) = self.against_reader(phase, &readings)?;
        let account = Account {
            round: phase.round,
            reader_auc,
            likeness,
            prior_auc: views.map_or(0.0, |views| views.prior.auc),
            posterior_auc: views.map_or(0.0, |views| views.posterior.auc),
            fused_auc: auc(verdicts.detection(scale)),
            ece: [ece(Scale::default()), ece(scale)],
            disagreement: (verdicts.views.as_ref())
                .map_or(0.0, |views| mean_divergence(&calibrated(views, scales))),
            ndcg10: self.kept_ndcg10(&model)?,
            disputed: (disputes.iter().take(SHOWN))
                .map(|dispute| dispute.shown(self.context.data))
                .collect(),
        };
        self.context.progress.line(&format!(
            "round {}: AUC prior {:.4}  posterior {:.4}  fused {:.4}  disagreement {:.4}  NDCG@10 {:.4} clean, {:.4} corrupted",
            account.round,
            account.prior_auc,
            account.posterior_auc,
            account.fused_auc,
            account.disagreement,
            account.ndcg10[0],
            account.ndcg10[1],
        ));
        let denoising = &self.run.config.denoising;
        if self.reads() && phase.round < denoising.rounds {
            let kept = denoising.disputed.min(disputes.len());
            let file = reader::disputed_file(&self.run.dir, phase.round);
            disputes::write(&file, &disputes[..kept], self.context.data)?;
        }
        account::add(&self.run.dir, account)
    }

    /// Readings of the training histories of these users, and those of two clicks or more, sorted by how much the
    /// views disagree.
    fn disputes(&self, users: &[usize]) -> Result<(Vec<Reading>, Vec<Dispute>)> {
        let data = self.context.data;
        let histories: Vec<&[u32]> = users.iter().map(|&user| data.train(user)).collect();
        let model = self.trained.model.valid();
        let readings = self.unseen_readings(&model, users, &histories)?;
        let about = &self.run.about;
        let scales = (about.scale, about.views.unwrap_or_default());
        let (users, read): (Vec<usize>, Vec<Reading>) = (users.iter().zip(&readings))
            .filter(|(user, _)| data.train(**user).len() > 1)
            .map(|(&user, reading)| (user, reading.clone()))
            .unzip();
        let last = self.run.config.denoising.last;
        Ok((readings, disputes::ranked(&users, &read, last, scales)))
    }

    /// AUC of the round's language model, and the rank correlation of the prior with it over the log's
    /// clicks.
    fn against_reader(
        &self,
        phase: &Phase,
        readings: &[Reading],
    ) -> Result<(Option<f64>, Option<f64>)> {
        let dir = reader::folder(&self.run.dir, phase.round);
        if !self.reads() {
            return Ok((None, None));
        }
        let auc = Prior::finished(&dir)?
            .about
            .valid
            .map(|figures| figures.auc);
        let beliefs = reader::beliefs(&self.run.dir, self.context.data, phase.round)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for (reading, belief) in readings.iter().zip(&beliefs) {
            let prior = reading.views.as_ref().map_or(&[][..], |views| &views.prior);
            let count = prior.len().min(self.run.config.denoising.last);
            ours.extend(latest(prior, count));
            theirs.extend(latest(belief, count));
        }
        Ok((auc, rank_correlation(&ours, &theirs)))
    }
}
