//! The gate is chosen: the folds' recommenders rank for users they have never seen, whose histories are
//! judged as a stranger's.
//!
//! A gate that costs a percent changes what few users are shown, and fewer still for whom the next click was
//! among the first ten. So each user is asked about several of his latest clicks, each after those before it:
//! neither the fold nor the denoiser has learnt from any of them.

use super::{Trainer, best_file, corrupted};
use crate::data::Case;
use crate::training::checkpoint::load_module;
use crate::training::judge::{self, Answer, probabilities};
use crate::training::thresholds::{Choice, TRIED, Tried, gate, mean};
use anyhow::Result;
use burn::module::Module;
use ingle_model::methods::Learns;
use ingle_model::{Known, Model};

/// Clicks that are asked about, at most.
const CASES: usize = 8192;
/// The latest clicks of one user that are asked about.
const LATEST: usize = 6;
/// Clicks before the first of them.
const BEFORE: usize = 3;
/// Shares of clicks that are replaced, next to none.
const RATES: [f64; 4] = [0.0, 0.1, 0.2, 0.3];
/// The draw of replaced clicks; validation has another.
const STREAM: u64 = u64::MAX - 1;

impl Trainer<'_> {
    /// Chooses the thresholds where the settings leave them open and there are folds to ask.
    pub(super) fn choose_gate(&mut self) -> Result<()> {
        if self.run.config.gate.is_some() || self.trained.folds.is_empty() {
            return Ok(());
        }
        let recommenders = self.fold_recommenders()?;
        let judges = |case: &&Case<'_>| self.context.judges(case.user);
        let users: Vec<Vec<Case<'_>>> = (self.valid.iter().filter(judges))
            .map(latest_clicks)
            .collect();
        // Evenly of all lengths of history.
        let every = users.iter().map(Vec::len).sum::<usize>().div_ceil(CASES);
        let cases: Vec<Case<'_>> = users.into_iter().step_by(every.max(1)).flatten().collect();
        let rates = if self.context.knows_noise() {
            vec![noisy_share(&cases)]
        } else {
            RATES.to_vec()
        };
        let progress = self.context.progress;
        progress.start("choosing the gate".to_owned(), rates.len());
        let (mut open, mut tried) = (Vec::new(), TRIED.map(Tried::new));
        for &rate in &rates {
            let (every_click, gated) = self.try_gates(&recommenders, &cases, rate)?;
            open.push(mean(&every_click));
            for (tried, figures) in tried.iter_mut().zip(gated) {
                tried.add(&figures, &every_click);
            }
            progress.done(1);
        }
        let choice = Choice::among(rates, open, tried.to_vec());
        let taken = choice.gate();
        progress.line(&format!(
            "gate: counts in full below {}, not at all above {}",
            taken.tau_low, taken.tau_high
        ));
        self.run.about.gate = Some(choice);
        Ok(())
    }

    fn fold_recommenders(&self) -> Result<Vec<Model>> {
        let folds = (self.phases.iter()).filter(|phase| matches!(phase.learns, Learns::Fold(_)));
        let of = |fold| {
            let model = self.trained.model.valid();
            load_module(&self.run.dir.join(best_file(fold)), model)
        };
        folds.map(of).collect()
    }

    /// NDCG@10 of each user where a share of the clicks is replaced: if every click counts, and with each gate.
    fn try_gates(
        &self,
        recommenders: &[Model],
        cases: &[Case<'_>],
        rate: f64,
    ) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
        let known = &self.trained.known;
        let max_len = self.trained.model.backbone.max_len();
        let (mut open, mut gated) = (Vec::new(), TRIED.map(|_| Vec::new()));
        let mut asked = Vec::new();
        for (fold, model) in recommenders.iter().enumerate() {
            let own = |case: &&Case<'_>| self.context.parts[case.user] == fold;
            let mut cases: Vec<Case<'_>> = cases.iter().filter(own).copied().collect();
            let histories = corrupted(self.context, &cases, (rate, STREAM), max_len);
            for (case, (history, _)) in cases.iter_mut().zip(&histories) {
                *case = case.corrupted(history);
            }
            let noise = self.noise(&cases)?;
            let device = model.backbone.items.val().device();
            let ungated = judge::answer(model, None, &cases, known, &device, |_| ());
            for (thresholds, answers) in TRIED.into_iter().zip(&mut gated) {
                let gate = gate(thresholds);
                let keep: Vec<Vec<f32>> = noise.iter().map(|noise| gate.weights(noise)).collect();
                answers.extend(regated(model, &cases, &ungated, &keep, known));
            }
            open.extend(ungated);
            asked.extend(cases.iter().map(|case| case.user));
        }
        let ndcg10 = |answers: &Vec<Answer>| by_user(&asked, answers);
        Ok((ndcg10(&open), gated.iter().map(ndcg10).collect()))
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

/// NDCG@10 of each user, whose answers follow one another.
fn by_user(users: &[usize], answers: &[Answer]) -> Vec<f64> {
    let mut rest = answers;
    let of = |same: &[usize]| {
        let (theirs, others) = rest.split_at(same.len());
        rest = others;
        judge::masked(theirs).ndcg10()
    };
    users.chunk_by(|a, b| a == b).map(of).collect()
}

/// Answers with a gate, where only those change of whose history not all is kept.
fn regated(
    model: &Model,
    cases: &[Case<'_>],
    ungated: &[Answer],
    keep: &[Vec<f32>],
    known: &Known,
) -> Vec<Answer> {
    let changed: Vec<usize> = (0..cases.len())
        .filter(|&at| keep[at].iter().any(|&kept| kept < 1.0))
        .collect();
    let theirs: Vec<Case<'_>> = changed.iter().map(|&at| cases[at]).collect();
    let kept: Vec<Vec<f32>> = changed.iter().map(|&at| keep[at].clone()).collect();
    let mut answers = ungated.to_vec();
    for (at, answer) in changed
        .into_iter()
        .zip(judge::answer_kept(model, &theirs, &kept, known))
    {
        answers[at] = answer;
    }
    answers
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
