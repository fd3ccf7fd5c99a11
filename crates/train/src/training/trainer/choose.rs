//! Which histories are ranked over is chosen: the folds' recommenders rank for users they have never seen, whose
//! histories are judged as a stranger's.
//!
//! What costs a percent changes what few users are shown, and fewer still for whom the next click was
//! among the first ten. So each user is asked about several of his latest clicks, each after those before it:
//! neither the fold nor the denoiser has learnt from any of them.

use super::{Trainer, best_file};
use crate::data::Case;
use crate::metrics::ranking::{Figures, NDCG10};
use crate::training::checkpoint::load_module;
use crate::training::choice::{Choice, Condition, Trial, candidates};
use crate::training::judge::{self, probabilities};
use crate::training::samples::latest;
use anyhow::Result;
use burn::module::Module;
use ingle_model::Model;
use ingle_model::kept::KeptHistories;
use ingle_model::methods::Learns;

/// Clicks that are asked about, at most.
const CASES: usize = 8192;
/// The latest clicks of one user that are asked about.
const LATEST: usize = 6;
/// Clicks before the first of them.
const BEFORE: usize = 3;
/// What rules are tried on where nobody knows which clicks are noise.
const NOISE: [Condition; 6] = [
    Condition::Clean,
    Condition::Replaced(0.1),
    Condition::Replaced(0.2),
    Condition::Inserted(0.1),
    Condition::Inserted(0.2),
    Condition::Session,
];
/// The draw of noise; validation has another.
const STREAM: u64 = u64::MAX - 1;

impl Trainer<'_> {
    /// Chooses the rule where the settings leave it open and there are folds to ask.
    pub(super) fn choose(&mut self) -> Result<()> {
        if !self.run.to_choose() {
            return Ok(());
        }
        let recommenders = self.fold_recommenders()?;
        let judges = |case: &&Case<'_>| self.context.judges(case.user);
        let users: Vec<Vec<Case<'_>>> = (self.valid.iter().filter(judges))
            .map(|case| latest_clicks(&self.as_told(case)))
            .collect();
        // Evenly of all lengths of history.
        let every = users.iter().map(Vec::len).sum::<usize>().div_ceil(CASES);
        let cases: Vec<Case<'_>> = users.into_iter().step_by(every.max(1)).flatten().collect();
        let noise = if self.context.knows_noise() {
            vec![Condition::Own(noisy_share(&cases))]
        } else {
            NOISE.to_vec()
        };
        let progress = self.context.progress;
        progress.start("choosing which clicks count".to_owned(), noise.len());
        let trial = |rule| Trial {
            rule,
            histories: 0.0,
            ndcg10: Vec::new(),
        };
        let mut trials: Vec<Trial> = candidates().into_iter().map(trial).collect();
        let mut users = Vec::new();
        for &noise in &noise {
            users = self.try_rules(&recommenders, &cases, noise, &mut trials)?;
            progress.done(1);
        }
        let asked = users.len() * noise.len();
        for trial in &mut trials {
            trial.histories /= asked.max(1) as f64;
        }
        let choice = Choice::among(noise, &users, &trials);
        let taken = &choice.tried[choice.taken];
        progress.line(&format!(
            "which clicks count: without those above {:?}, {:.2} histories, NDCG@10 {:+.4} over every click",
            taken.keep.thresholds(),
            taken.histories,
            taken.gain.value
        ));
        self.run.about.keep = Some(choice);
        Ok(())
    }

    /// A case without what training is not told of it.
    fn as_told<'c>(&self, case: &Case<'c>) -> Case<'c> {
        if self.context.knows_noise() {
            return *case;
        }
        Case {
            noise: None,
            original: None,
            ..*case
        }
    }

    fn fold_recommenders(&self) -> Result<Vec<Model>> {
        let folds = (self.phases.iter()).filter(|phase| matches!(phase.learns, Learns::Fold(_)));
        let of = |fold| {
            let model = self.trained.model.valid();
            load_module(&self.run.dir.join(best_file(fold)), model)
        };
        folds.map(of).collect()
    }

    /// Adds what each rule comes to with a noise, and gives whose the cases are.
    fn try_rules(
        &self,
        recommenders: &[Model],
        cases: &[Case<'_>],
        noise: Condition,
        trials: &mut [Trial],
    ) -> Result<Vec<usize>> {
        let known = &self.trained.known;
        let mut users = Vec::new();
        for trial in &mut *trials {
            trial.ndcg10.push(Vec::new());
        }
        for (fold, model) in recommenders.iter().enumerate() {
            let own = |case: &&Case<'_>| self.context.parts[case.user] == fold;
            let mut cases: Vec<Case<'_>> = cases.iter().filter(own).copied().collect();
            let histories: Vec<Option<Vec<u32>>> =
                cases.iter().map(|case| self.noisy(case, noise)).collect();
            for (case, history) in cases.iter_mut().zip(&histories) {
                if let Some(history) = history {
                    *case = case.corrupted(history);
                }
            }
            let noise = self.noise(&cases)?;
            let kept = |trial: &Trial| -> Vec<KeptHistories> {
                let kept = noise.iter().zip(&cases).map(|(noise, case)| {
                    let before = case.history.len() - noise.len();
                    trial.rule.histories(noise, None).after(before)
                });
                kept.collect()
            };
            let ways: Vec<Vec<KeptHistories>> = trials.iter().map(kept).collect();
            let asked: Vec<&[KeptHistories]> = ways.iter().map(Vec::as_slice).collect();
            let device = model.backbone.items.val().device();
            let answers = judge::answer_ways(model, &cases, &asked, known, &device, |_| ());
            for ((trial, way), answers) in trials.iter_mut().zip(&ways).zip(answers) {
                trial.histories += way.iter().map(|kept| kept.sets.len() as f64).sum::<f64>();
                let ndcg10 = answers
                    .iter()
                    .map(|a| Figures::of_rank(a.rank.masked)[NDCG10]);
                trial
                    .ndcg10
                    .last_mut()
                    .expect("of this noise")
                    .extend(ndcg10);
            }
            users.extend(cases.iter().map(|case| case.user));
        }
        Ok(users)
    }

    /// The latest clicks of a case with noise; nothing where they are to stay as they are.
    fn noisy(&self, case: &Case<'_>, noise: Condition) -> Option<Vec<u32>> {
        let history = latest(case.history, self.trained.model.backbone.max_len());
        let draw = (self.context.seed, STREAM);
        let corruption = self.context.corruption();
        let (clicks, _) = match noise {
            Condition::Clean | Condition::Own(_) => return None,
            Condition::Replaced(rate) => {
                (corruption.at_rate(rate)).apply(history, case.user, draw.0, draw.1)
            }
            Condition::Inserted(rate) => corruption.insert_at_rate(history, case.user, draw, rate),
            Condition::Session => {
                let whose = (case.user, self.context.data.shopper(case.user));
                return (corruption.session(history, whose, draw, 1.0)).map(|(clicks, _)| clicks);
            }
        };
        Some(clicks)
    }

    /// How likely each click of cases' histories is noise, in a stranger's history.
    fn noise(&self, cases: &[Case<'_>]) -> Result<Vec<Vec<f32>>> {
        let users: Vec<usize> = cases.iter().map(|case| case.user).collect();
        let histories: Vec<&[u32]> = cases.iter().map(|case| case.history).collect();
        let readings = self.unseen_readings(&self.trained.model.valid(), &users, &histories)?;
        let scale = self.run.about.scale;
        let noise = readings.iter();
        Ok(noise
            .map(|reading| probabilities(&reading.fused, scale))
            .collect())
    }
}

/// The latest clicks of a user, each to be predicted from those before it; none that is known to be noise.
fn latest_clicks<'a>(whole: &Case<'a>) -> Vec<Case<'a>> {
    let len = whole.history.len();
    let clicks = BEFORE.max(len.saturating_sub(LATEST - 1))..len;
    let meant = clicks.filter(|&at| whole.noise.is_none_or(|noise| noise[at] == 0));
    let mut cases: Vec<Case<'a>> = meant
        .map(|at| Case {
            user: whole.user,
            history: &whole.history[..at],
            noise: whole.noise.map(|noise| &noise[..at]),
            original: whole.original.map(|original| &original[..at]),
            target: whole.history[at],
        })
        .collect();
    cases.push(*whole);
    cases
}

/// The share of clicks that are known to be noise.
fn noisy_share(cases: &[Case<'_>]) -> f64 {
    let labels: Vec<u8> = (cases.iter().filter_map(|case| case.noise).flatten())
        .copied()
        .collect();
    let noisy = labels.iter().filter(|&&label| label == 1).count();
    noisy as f64 / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_asked_about_his_latest_clicks_but_for_noise() {
        let (history, noise): (Vec<u32>, _) = ((1..=9).collect(), [0, 0, 0, 0, 0, 1, 0, 0, 0]);
        let whole = Case {
            user: 4,
            history: &history,
            noise: Some(&noise),
            original: None,
            target: 10,
        };
        let cases = latest_clicks(&whole);
        let targets: Vec<u32> = cases.iter().map(|case| case.target).collect();
        assert_eq!(targets, [5, 7, 8, 9, 10]);
        assert_eq!(cases[0].history, [1, 2, 3, 4]);
        assert_eq!(cases[1].noise, Some(&noise[..6]));
    }

    #[test]
    fn a_short_history_is_asked_about_as_it_is() {
        let whole = Case {
            user: 0,
            history: &[7, 8],
            noise: None,
            original: None,
            target: 9,
        };
        assert_eq!(latest_clicks(&whole), [whole]);
    }
}
