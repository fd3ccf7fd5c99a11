//! Chooses the keep rule: which kept histories of a user are ranked over.
//!
//! Each rule is tried with the recommenders of the folds, on users that the fold was not trained on. The noise
//! probabilities of their clicks are computed as for unseen users. A rule whose effect is about one percent
//! changes the top 10 of few users, so each user gives several cases: each of the latest clicks is a target,
//! predicted from the clicks before it. Neither the fold nor the denoiser has learnt from these targets.

use super::{Training, fold};
use crate::data::Case;
use crate::metrics::ranking::{Figures, NDCG10};
use crate::training::choice::{Choice, Condition, Trial, candidates};
use crate::training::judge::{self, probabilities};
use crate::training::samples::latest;
use anyhow::Result;
use burn::module::Module;
use ingle_bundle::Scale;
use ingle_model::Model;
use ingle_model::kept::KeptHistories;

/// Most target clicks in all.
const CASES: usize = 8192;
/// Most target clicks of one user, the latest ones.
const LATEST: usize = 6;
/// Least clicks before the earliest target.
const BEFORE: usize = 3;
/// The noise that rules are tried on when the log's own noise is unknown.
const NOISE: [Condition; 6] = [
    Condition::Clean,
    Condition::Replaced(0.1),
    Condition::Replaced(0.2),
    Condition::Inserted(0.1),
    Condition::Inserted(0.2),
    Condition::Session,
];
/// The random stream of the noise drawn here; validation uses another one.
const STREAM: u64 = u64::MAX - 1;

impl Training<'_> {
    /// Chooses the rule, if the settings leave it open and there are folds. `scale` calibrates the noise logits.
    pub(super) fn choose(&self, scale: Scale) -> Result<Option<Choice>> {
        if self.run.config.keep.is_some() || self.folds.is_empty() {
            return Ok(None);
        }
        let recommenders = fold::recommenders(self)?;
        let judges = |case: &&Case<'_>| self.context.judges(case.user);
        let users: Vec<Vec<Case<'_>>> = (self.valid.iter().filter(judges))
            .map(|case| latest_clicks(&self.as_told(case)))
            .collect();
        // Take every n-th user; users are sorted by the length of their histories.
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
            users = self.try_rules(&recommenders, &cases, (noise, scale), &mut trials)?;
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
        Ok(Some(choice))
    }

    /// The case without the labels that training must not see.
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

    /// Evaluates every rule under one noise condition and adds the results to `trials`. Returns the user of each
    /// case.
    fn try_rules(
        &self,
        recommenders: &[Model],
        cases: &[Case<'_>],
        (noise, scale): (Condition, Scale),
        trials: &mut [Trial],
    ) -> Result<Vec<usize>> {
        let known = &self.features;
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
            let noise = self.noise(&cases, scale)?;
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

    /// The latest clicks of a case, corrupted; `None` if the condition leaves them unchanged.
    fn noisy(&self, case: &Case<'_>, noise: Condition) -> Option<Vec<u32>> {
        let history = latest(case.history, self.model.backbone.max_len());
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

    /// Noise probabilities of the clicks of each case's history, computed as for an unseen user.
    fn noise(&self, cases: &[Case<'_>], scale: Scale) -> Result<Vec<Vec<f32>>> {
        let users: Vec<usize> = cases.iter().map(|case| case.user).collect();
        let histories: Vec<&[u32]> = cases.iter().map(|case| case.history).collect();
        let logits = self.logits_as_unseen(&self.model.valid(), &users, &histories)?;
        let noise = logits.iter();
        Ok(noise
            .map(|reading| probabilities(&reading.fused, scale))
            .collect())
    }
}

/// The latest clicks of a user as cases, each predicted from the clicks before it. Clicks labelled as noise are
/// no targets.
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

/// The share of labelled clicks that are noise.
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
