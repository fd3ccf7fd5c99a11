//! Evaluation: the ranking figures of a run, and the gain by its kept histories.
//!
//! A gain alone says little. It is given together with that of an oracle, which knows every label, and of a
//! random control, which leaves out as many clicks at random: the mean over several histories is better than
//! one history, whatever is left out.

use crate::data::{Case, Dataset, Split};
use crate::metrics::paired::Difference;
use crate::metrics::ranking::{FIGURES, Figures, NDCG10, names};
use crate::training::Run;
use crate::training::judge::{self, Answer, probabilities};
use anyhow::Result;
use burn::prelude::*;
use indicatif::ProgressBar;
use ingle_bundle::Scale;
use ingle_model::kept::{KeptHistories, Rule};
use ingle_model::{ItemFeatures, Model, Rng};
use serde::{Serialize, Serializer};
use std::collections::HashMap;

/// Default number of targets per unseen user.
pub const LATEST: usize = 6;
/// Stream of the control's random draws.
const STREAM: u64 = u64::MAX - 300;

/// Which clicks are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// All of them
    All,
    /// Those that the run keeps
    Model,
    /// As many as the run keeps, in as many histories, drawn without a scorer: the control
    Random,
    /// All but those that are known to be noise
    Oracle,
}

impl Keep {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Model => "model",
            Self::Random => "random",
            Self::Oracle => "oracle",
        }
    }
}

/// A run that is evaluated, and how.
#[derive(Debug)]
pub struct Asked<'a> {
    run: &'a Run,
    model: &'a Model,
    features: ItemFeatures,
    scale: Scale,
    rule: Rule,
    seed: u64,
}

impl<'a> Asked<'a> {
    /// A run, with other thresholds than its own if given; `seed` is that of the control.
    ///
    /// # Errors
    /// If the run's folder is damaged.
    pub fn new(run: &'a Run, model: &'a Model, rule: Option<Rule>, seed: u64) -> Result<Self> {
        let config = run.model_config();
        Ok(Self {
            run,
            model,
            features: run.features()?,
            scale: config.gate.scale,
            // A method without a scorer has no thresholds.
            rule: rule.or(config.keep).unwrap_or_else(Rule::all),
            seed,
        })
    }

    /// Whether its method has a scorer; otherwise all clicks are kept.
    pub fn judges(&self) -> bool {
        self.run.config.method.denoises()
    }

    /// The ways to evaluate it on a dataset; the first keeps every click.
    pub fn ways(&self, labelled: bool) -> Vec<Keep> {
        let all = [Keep::All, Keep::Model, Keep::Random, Keep::Oracle];
        let there = |keep: &Keep| match keep {
            Keep::All => true,
            Keep::Model | Keep::Random => self.judges(),
            Keep::Oracle => labelled,
        };
        all.into_iter().filter(there).collect()
    }

    /// Ranks the targets of cases in several ways; `draw` names the noise of the histories. Returns the answers
    /// by way.
    pub fn answers(
        &self,
        cases: &[Case<'_>],
        ways: &[Keep],
        draw: u64,
        moved: impl FnMut(usize),
    ) -> Vec<Vec<Answer>> {
        self.read(cases, ways, draw, moved, Answer::of)
    }

    /// The same, with what is read of the catalogue's scores for a case; entry 0 of the scores is padding.
    pub fn read<T: Clone + Send>(
        &self,
        cases: &[Case<'_>],
        ways: &[Keep],
        draw: u64,
        moved: impl FnMut(usize),
        read: impl Fn(&[f32], &Case<'_>) -> T + Sync,
    ) -> Vec<Vec<T>> {
        let device = Device::flex();
        let looks = |way: &Keep| matches!(way, Keep::Model | Keep::Random);
        let looks = self.judges() && ways.iter().any(looks);
        let noise = looks.then(|| self.noise(cases, &device));
        let of = |way| -> Vec<KeptHistories> {
            let histories = cases.iter().enumerate();
            let histories = histories.map(|(at, case)| {
                let noise = noise.as_ref().map(|noise| &noise[at][..]);
                self.histories(case, way, noise, draw)
            });
            histories.collect()
        };
        let kept: Vec<Vec<KeptHistories>> = ways.iter().map(|&way| of(way)).collect();
        let kept: Vec<&[KeptHistories]> = kept.iter().map(Vec::as_slice).collect();
        let (model, features) = (self.model, &self.features);
        judge::read_ways(model, cases, &kept, features, &device, moved, read)
    }

    /// Noise probabilities of the latest clicks of each case's history, as many as the model reads.
    fn noise(&self, cases: &[Case<'_>], device: &Device) -> Vec<Vec<f32>> {
        let histories: Vec<&[u32]> = cases.iter().map(|case| case.history).collect();
        let readings = judge::read(self.model, &histories, &self.features, device);
        let readings = readings.expect("a method that judges clicks");
        let noise = readings.iter();
        noise
            .map(|reading| probabilities(&reading.fused, self.scale))
            .collect()
    }

    /// The kept histories of a case in a way, given the noise probabilities of its latest clicks.
    fn histories(
        &self,
        case: &Case<'_>,
        way: Keep,
        noise: Option<&[f32]>,
        draw: u64,
    ) -> KeptHistories {
        let len = case.history.len();
        let one = |clicks: Vec<usize>| KeptHistories::of(std::iter::once(clicks));
        let kept = |noise| self.rule.histories(noise, None);
        match (way, noise) {
            (Keep::Model, Some(noise)) => kept(noise).after(len - noise.len()),
            (Keep::Random, Some(noise)) => {
                let place = [STREAM, draw, case.user as u64, len as u64];
                let mut rng = Rng::new(self.seed, &place);
                at_random(&kept(noise), noise.len(), &mut rng).after(len - noise.len())
            }
            (Keep::Oracle, _) => one(real(case)),
            (Keep::All | Keep::Model | Keep::Random, _) => one((0..len).collect()),
        }
    }
}

/// Indices of the clicks that are not known to be noise; that of the last click if all are.
fn real(case: &Case<'_>) -> Vec<usize> {
    let len = case.history.len();
    let meant = |at: &usize| case.noise.is_none_or(|noise| noise[*at] == 0);
    let real: Vec<usize> = (0..len).filter(meant).collect();
    if real.is_empty() { vec![len - 1] } else { real }
}

/// Random histories of the same number, weights and lengths, out of `len` clicks.
fn at_random(kept: &KeptHistories, len: usize, rng: &mut Rng) -> KeptHistories {
    let mut drawn = kept.clone();
    for set in &mut drawn.sets {
        let mut clicks = rng.permutation(len);
        clicks.truncate(set.clicks.len());
        clicks.sort_unstable();
        set.clicks = clicks;
    }
    drawn
}

/// Evaluation of a run on one split, of one dataset or of several draws of noise.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Which clicks are kept in `masked` and `unmasked`.
    pub keep: Keep,
    /// Figures without the items clicked before.
    pub masked: ByName<f64>,
    /// Figures over all items.
    pub unmasked: ByName<f64>,
    /// Number of users.
    pub users: usize,
    /// Number of targets, each counted once, however many draws there are.
    pub cases: usize,
    /// Number of draws of noise.
    pub draws: usize,
    /// Seed of the run.
    pub seed: u64,
    /// Figures by way; the first keeps every click.
    pub ways: Vec<Way>,
    /// Masked figures of the original clicks, all kept, if they are known.
    pub clean: Option<ByName<f64>>,
    /// The cost of noise when every click is kept, if the original clicks are known.
    pub cost: Option<ByName<Difference>>,
    /// The same evaluation of another run.
    pub against: Option<Against>,
    /// The same by the weight of the targets, if clicks have weights.
    pub by_outcome: Option<ByOutcome>,
}

/// Targets by weight: recommendations should rank liked targets high and disliked ones low.
#[derive(Clone, Debug, Serialize)]
pub struct ByOutcome {
    /// Targets with a weight of [`LIKED`] or more.
    pub liked: OfTargets,
    /// Targets with a weight below [`DISLIKED`].
    pub disliked: OfTargets,
}

/// Figures of some of the targets.
#[derive(Clone, Debug, Serialize)]
pub struct OfTargets {
    /// Number of targets, each counted once.
    pub cases: usize,
    /// Masked figures.
    pub masked: ByName<f64>,
    /// The gain over the other run, if there is one.
    pub gain: Option<ByName<Difference>>,
}

/// Least weight of a liked target.
pub const LIKED: f32 = 0.5;
/// Targets with a lower weight are disliked.
pub const DISLIKED: f32 = 0.2;

/// The figures of a way.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    /// The way.
    pub keep: Keep,
    /// Figures without the items that were clicked before.
    pub masked: ByName<f64>,
    /// Figures over all items.
    pub unmasked: ByName<f64>,
    /// Gain of its masked figures over keeping every click.
    pub gain: Option<ByName<Difference>>,
    /// Share of the cost of noise in NDCG@10 that it wins back.
    pub won_back: Option<f64>,
}

/// Gain of a run's masked figures over another's.
#[derive(Clone, Debug, Serialize)]
pub struct Against {
    /// Folder of the other run.
    pub run: String,
    /// Its figures.
    pub masked: ByName<f64>,
    /// The gain over it.
    pub gain: ByName<Difference>,
}

/// A value for each figure; in JSON an object by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByName<T>(pub [T; FIGURES]);

impl<T: Serialize> Serialize for ByName<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = names().into_iter().map(|name| name.to_lowercase());
        serializer.collect_map(names.zip(&self.0))
    }
}

/// Masked and unmasked figures of every case in every draw.
#[derive(Clone, Debug, Default)]
struct Ranks {
    masked: Vec<[f64; FIGURES]>,
    unmasked: Vec<[f64; FIGURES]>,
}

impl Ranks {
    fn add(&mut self, answers: &[Answer]) {
        let figures =
            |rank: fn(&Answer) -> usize| answers.iter().map(move |a| Figures::of_rank(rank(a)));
        self.masked.extend(figures(|answer| answer.rank.masked));
        self.unmasked.extend(figures(|answer| answer.rank.unmasked));
    }

    /// Those of the cases that match.
    fn of(&self, fits: &[bool]) -> Self {
        Self {
            masked: fitting(&self.masked, fits),
            unmasked: fitting(&self.unmasked, fits),
        }
    }

    /// The gain of each masked figure over another's.
    fn minus(&self, other: &Self, users: &[&str]) -> ByName<Difference> {
        ByName(std::array::from_fn(|at| {
            let column = |ranks: &Self| ranks.masked.iter().map(|row| row[at]).collect::<Vec<_>>();
            Difference::paired(&column(self), &column(other), users)
        }))
    }
}

fn means(rows: &[[f64; FIGURES]]) -> ByName<f64> {
    let count = rows.len().max(1) as f64;
    ByName(std::array::from_fn(|at| {
        rows.iter().map(|row| row[at]).sum::<f64>() / count
    }))
}

/// Parameters of [`evaluate`].
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The split.
    pub split: Split,
    /// Most targets per unseen user.
    pub latest: usize,
    /// Which clicks are kept.
    pub keep: Keep,
    /// Another run, evaluated in the same way, and its folder's name.
    pub against: Option<(&'a Asked<'a>, &'a str)>,
}

/// Evaluates a run on several draws of noise, or on one dataset.
pub fn evaluate(
    asked: &Asked<'_>,
    draws: &[Dataset],
    question: Question<'_>,
    bar: &ProgressBar,
) -> Evaluation {
    let labelled = draws.iter().all(Dataset::has_labels);
    // A gain is always given with the control and the oracle; there is none if every click is kept.
    let ways = match question.keep {
        Keep::All => vec![Keep::All],
        Keep::Model | Keep::Random | Keep::Oracle => asked.ways(labelled),
    };
    let mut ranks = vec![Ranks::default(); ways.len()];
    let (mut theirs, mut clean) = (Ranks::default(), Some(Ranks::default()));
    let mut as_it_was: HashMap<(usize, usize), Answer> = HashMap::new();
    let mut users: Vec<&str> = Vec::new();
    let mut weights: Vec<Option<f32>> = Vec::new();
    let (mut cases_of_one, mut users_of_one) = (0, 0);
    let all: Vec<Vec<Case<'_>>> = (draws.iter())
        .map(|data| data.all_cases(question.split, question.latest))
        .collect();
    bar.set_length(all.iter().map(|cases| cases.len() as u64).sum());
    for (draw, (data, cases)) in draws.iter().zip(&all).enumerate() {
        let found = asked.answers(cases, &ways, draw as u64, |done| bar.inc(done as u64));
        for (ranks, answers) in ranks.iter_mut().zip(&found) {
            ranks.add(answers);
        }
        if let Some((other, _)) = question.against {
            let keep = if other.judges() || question.keep == Keep::Oracle {
                question.keep
            } else {
                Keep::All
            };
            let found = other.answers(cases, &[keep], draw as u64, |_| ());
            theirs.add(&found[0]);
        }
        users.extend(cases.iter().map(|case| data.shopper(case.user)));
        weights.extend(cases.iter().map(|case| data.target_weight(case)));
        if cases.iter().any(|case| case.original.is_none()) {
            clean = None;
        }
        if let Some(clean) = &mut clean {
            clean.add(&before_noise(asked, cases, &mut as_it_was));
        }
        if draw == 0 {
            cases_of_one = cases.len();
            let mut whose: Vec<usize> = cases.iter().map(|case| case.user).collect();
            whose.sort_unstable();
            whose.dedup();
            users_of_one = whose.len();
        }
    }
    // A run without a scorer keeps every click.
    let at = ways.iter().position(|&way| way == question.keep);
    let chosen = &ranks[at.unwrap_or(0)];
    let other = question.against.map(|_| &theirs);
    let of_outcome = |fits: fn(f32) -> bool| {
        let fits = weights.iter().map(|weight| weight.is_some_and(fits));
        of_targets(
            &fits.collect::<Vec<_>>(),
            chosen,
            other,
            &users,
            draws.len(),
        )
    };
    let by_outcome = weights.iter().any(Option::is_some).then(|| ByOutcome {
        liked: of_outcome(|weight| weight >= LIKED),
        disliked: of_outcome(|weight| weight < DISLIKED),
    });
    let cost = clean.as_ref().map(|clean| clean.minus(&ranks[0], &users));
    let way = |(&keep, own): (&Keep, &Ranks)| {
        let gain = (keep != Keep::All).then(|| own.minus(&ranks[0], &users));
        Way {
            keep,
            masked: means(&own.masked),
            unmasked: means(&own.unmasked),
            won_back: (gain.as_ref().zip(cost.as_ref()))
                .filter(|(_, cost)| cost.0[NDCG10].value > 0.0)
                .map(|(gain, cost)| gain.0[NDCG10].value / cost.0[NDCG10].value),
            gain,
        }
    };
    Evaluation {
        keep: question.keep,
        masked: means(&chosen.masked),
        unmasked: means(&chosen.unmasked),
        users: users_of_one,
        cases: cases_of_one,
        draws: draws.len(),
        seed: asked.run.config.seed,
        ways: ways.iter().zip(&ranks).map(way).collect(),
        clean: clean.as_ref().map(|clean| means(&clean.masked)),
        against: question.against.map(|(_, run)| Against {
            run: run.to_owned(),
            masked: means(&theirs.masked),
            gain: chosen.minus(&theirs, &users),
        }),
        by_outcome,
        cost,
    }
}

/// Figures of the cases that match.
fn of_targets(
    fits: &[bool],
    own: &Ranks,
    other: Option<&Ranks>,
    users: &[&str],
    draws: usize,
) -> OfTargets {
    let users: Vec<&str> = fitting(users, fits);
    let own = own.of(fits);
    OfTargets {
        cases: users.len() / draws.max(1),
        masked: means(&own.masked),
        gain: other.map(|other| own.minus(&other.of(fits), &users)),
    }
}

fn fitting<T: Copy>(of: &[T], fits: &[bool]) -> Vec<T> {
    let all = of.iter().zip(fits);
    all.filter(|(_, fits)| **fits)
        .map(|(&one, _)| one)
        .collect()
}

/// Answers to the original clicks. They are the same in all draws and computed once.
fn before_noise(
    asked: &Asked<'_>,
    cases: &[Case<'_>],
    features: &mut HashMap<(usize, usize), Answer>,
) -> Vec<Answer> {
    let real: Vec<Vec<u32>> = cases.iter().map(Case::real).collect();
    let keys: Vec<(usize, usize)> = (cases.iter().zip(&real))
        .map(|(case, real)| (case.user, real.len()))
        .collect();
    let new: Vec<usize> = (0..cases.len())
        .filter(|&at| !features.contains_key(&keys[at]))
        .collect();
    let of = |&at: &usize| Case {
        history: &real[at],
        noise: None,
        original: None,
        ..cases[at]
    };
    let unasked: Vec<Case<'_>> = new.iter().map(of).collect();
    if let Some(answers) = asked.answers(&unasked, &[Keep::All], 0, |_| ()).pop() {
        features.extend(new.iter().map(|&at| keys[at]).zip(answers));
    }
    keys.iter().map(|key| features[key]).collect()
}

#[cfg(test)]
mod tests;
