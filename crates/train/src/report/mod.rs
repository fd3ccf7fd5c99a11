//! `ingle report`: figures of one or several runs, as a page and as JSON.
//!
//! [`collect`] evaluates the runs and gathers all figures into a [`Report`]; [`page::html`] draws it. Drawing
//! computes nothing, so the page and the JSON agree.

pub mod bootstrap;
pub mod curves;
pub mod fifths;
pub mod figures;
pub mod measured;
pub mod methods;
pub mod noise;
pub mod page;
pub mod robustness;
mod settings;
pub mod simple;
pub mod words;

use crate::data::{Case, Corruption, Dataset, InputError, Split, Summary};
use crate::evaluation::{Asked, Keep};
use crate::metrics::beyond::Beyond;
use crate::training::choice::Choice;
use crate::training::judge::{self, Answer};
use crate::training::rounds::account::{self, Account};
use crate::training::{Config, Run};
use anyhow::Result;
use bootstrap::{Bootstrap, LEVEL, RESAMPLES};
use curves::Curve;
use figures::{Estimates, Group, NDCG10};
use indicatif::ProgressBar;
use ingle_baselines::{LIST, Method};
use ingle_model::Model;
use noise::Noise;
use robustness::{RATES, Robustness, robustness};
use serde::Serialize;
use simple::{SimpleFigures, Wanted};

/// All figures of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of the program.
    pub ingle: String,
    /// Which clicks were predicted.
    pub split: &'static str,
    /// Parameters of the intervals.
    pub bootstrap: Resampling,
    /// The data.
    pub dataset: DatasetFigures,
    /// The runs, in the order they were named.
    pub runs: Vec<RunFigures>,
    /// Each run but the first against the first.
    pub comparisons: Vec<Comparison>,
    /// Simple recommenders on the same users.
    pub baselines: Vec<SimpleFigures>,
}

impl Report {
    /// The run with the highest masked NDCG@10; of equal ones the first.
    fn best(&self) -> &RunFigures {
        &self.runs[best(&self.runs)]
    }
}

/// The place of the run with the highest masked NDCG@10; of equal ones the first.
fn best(runs: &[RunFigures]) -> usize {
    let ndcg10 = |at: usize| runs[at].masked.0[NDCG10].value;
    (1..runs.len()).fold(
        0,
        |best, at| if ndcg10(at) > ndcg10(best) { at } else { best },
    )
}

/// Parameters of the intervals.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Resampling {
    /// Number of resamples of the users.
    pub resamples: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Coverage of the intervals.
    pub level: f64,
}

/// Figures of the dataset.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetFigures {
    /// Its name.
    pub name: String,
    /// Hash of its content.
    pub hash: String,
    /// Whether it is the dataset on which the runs were trained.
    pub trained_on: bool,
    /// Number of evaluated users.
    pub users_judged: usize,
    /// Its size, and what was removed in preparation.
    pub summary: Summary,
    /// Set if clicks were replaced or inserted.
    pub corruption: Option<Corruption>,
    /// Histogram of the users' numbers of clicks.
    pub lengths: Vec<Bar>,
}

/// A bar of the histogram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Smallest number of clicks; the next bar begins where this one ends.
    pub from: usize,
    /// Number of users.
    pub count: usize,
}

/// Figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunFigures {
    /// Its name in the report.
    pub name: String,
    /// Name of its method.
    pub method: &'static str,
    /// Its resolved configuration.
    pub config: Config,
    /// Seconds of training.
    pub seconds: f64,
    /// Peak memory of training, in bytes.
    pub peak_memory: Option<u64>,
    /// Its training curves by phase.
    pub curves: Vec<Curve>,
    /// Figures without the items of the history.
    pub masked: Estimates,
    /// Figures over all items.
    pub unmasked: Estimates,
    /// What its lists are worth beyond accuracy, without the items of the history.
    pub beyond: Beyond,
    /// Masked figures by length of the history.
    pub by_history: Vec<Group>,
    /// Masked figures by popularity of the target.
    pub by_popularity: Vec<Group>,
    /// Noise detection, if it has a scorer.
    pub noise: Option<Noise>,
    /// Cost of corruption, if it has a scorer and clicks can be replaced.
    pub robustness: Vec<Robustness>,
    /// The choice of its keep rule, if there was one.
    pub keep: Option<Choice>,
    /// Its training rounds, if the method has rounds.
    pub rounds: Vec<Account>,
}

/// Comparison of a run with the first one, on the same users.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The run.
    pub run: String,
    /// The first one.
    pub base: String,
    /// Difference of each masked figure to the first run's.
    pub masked: Estimates,
}

/// A run with its name in the report.
#[derive(Debug)]
pub struct Subject {
    /// Unique among the runs of a report.
    pub name: String,
    /// The run.
    pub run: Run,
    /// Its best weights.
    pub model: Model,
}

/// Evaluates the runs on a split of `data` and gathers the figures. `bar` advances by one per user.
///
/// # Errors
/// An input error if the runs were trained on different datasets or there are no users.
pub fn collect(
    subjects: &[Subject],
    data: &Dataset,
    split: Split,
    (seed, wanted): (u64, Wanted),
    bar: &ProgressBar,
) -> Result<Report> {
    same_dataset(subjects)?;
    let cases = judge::cases(data, split);
    if cases.is_empty() {
        return Err(InputError::Nobody.into());
    }
    let passes: usize = subjects
        .iter()
        .map(|s| {
            let judges = s.run.config.method.denoises();
            if judges { 1 + RATES.len() } else { 1 }
        })
        .sum();
    let simple_ones = match wanted {
        Wanted::None => 0,
        Wanted::Tuned | Wanted::Default => Method::ALL.len(),
    };
    bar.set_length(((passes + simple_ones) * cases.len()) as u64);
    let mut runs = Vec::new();
    let mut ranked: Vec<Bootstrap> = Vec::new();
    for subject in subjects {
        let (figures, bootstrap) = judged(subject, data, &cases, seed, bar)?;
        runs.push(figures);
        ranked.push(bootstrap);
    }
    let baselines = simple::simple(data, split, (wanted, seed), &ranked[best(&runs)], bar)?;
    Ok(Report {
        ingle: env!("CARGO_PKG_VERSION").to_owned(),
        split: match split {
            Split::Valid => "valid",
            Split::Test => "test",
            Split::Unseen => "unseen",
        },
        bootstrap: Resampling {
            resamples: RESAMPLES,
            seed,
            level: LEVEL,
        },
        dataset: dataset(data, &subjects[0].run, cases.len()),
        comparisons: against_first(&runs, &ranked),
        baselines,
        runs,
    })
}

/// Compares every run with the first.
fn against_first(runs: &[RunFigures], ranked: &[Bootstrap]) -> Vec<Comparison> {
    let others = runs.iter().zip(ranked).skip(1);
    let comparisons = others.map(|(run, bootstrap)| Comparison {
        run: run.name.clone(),
        base: runs[0].name.clone(),
        masked: Estimates(bootstrap.minus(&ranked[0])),
    });
    comparisons.collect()
}

/// Rejects runs that were trained on different datasets, since their figures cannot be compared.
fn same_dataset(subjects: &[Subject]) -> Result<(), InputError> {
    let Some(first) = subjects.first() else {
        return Err(InputError::other("name at least one run"));
    };
    let hash = |subject: &Subject| subject.run.about.data_hash.clone();
    let other = subjects.iter().find(|subject| hash(subject) != hash(first));
    other.map_or(Ok(()), |other| {
        Err(InputError::other(format!(
            "{} and {} were trained on different datasets (hashes {:.12} and {:.12}): report on each alone",
            first.name,
            other.name,
            hash(first),
            hash(other)
        )))
    })
}

fn judged(
    subject: &Subject,
    data: &Dataset,
    cases: &[Case<'_>],
    seed: u64,
    bar: &ProgressBar,
) -> Result<(RunFigures, Bootstrap)> {
    let Subject { name, run, model } = subject;
    bar.set_message(name.clone());
    let asked = Asked::new(run, model, None, seed)?;
    let moved = |done| bar.inc(done as u64);
    let judges = asked.judges();
    let ways: &[Keep] = if judges {
        &[Keep::All, Keep::Model]
    } else {
        &[Keep::All]
    };
    let read = |scores: &[f32], case: &Case<'_>| {
        let list = ingle_baselines::best(scores, &case.real(), LIST);
        (Answer::of(scores, case), list)
    };
    let found = asked.read(cases, ways, 0, moved, read).into_iter();
    let mut answers: Vec<(Vec<Answer>, Vec<Vec<u32>>)> =
        found.map(|way| way.into_iter().unzip()).collect();
    let (kept, lists) = answers.pop().unwrap_or_default();
    let masked = resampled(&kept, seed, |answer| answer.rank.masked);
    let (noise, robustness) = if judges {
        let (open, _) = answers.pop().unwrap_or_default();
        let open = resampled(&open, seed, |answer| answer.rank.masked);
        let gained = masked.minus(&open)[NDCG10];
        // Corrupted histories must not be corrupted again.
        let curve = if data.has_labels() {
            Vec::new()
        } else {
            let draws = (&run.config.denoising, run.config.seed);
            robustness(&asked, draws, data, cases, moved)?
        };
        (noise::noise(run, data, model, cases, gained)?, curve)
    } else {
        (None, Vec::new())
    };
    let figures = RunFigures {
        name: name.clone(),
        method: run.config.method.name(),
        config: run.config.clone(),
        seconds: run.about.seconds,
        peak_memory: run.about.peak_memory,
        curves: curves::read(&run.dir)?,
        masked: Estimates(masked.estimates()),
        unmasked: Estimates(resampled(&kept, seed, |answer| answer.rank.unmasked).estimates()),
        beyond: ingle_baselines::beyond(data, &lists),
        by_history: figures::by_history(cases, &kept, seed),
        by_popularity: figures::by_popularity(cases, &kept, &data.train_counts(), seed),
        noise,
        robustness,
        keep: run.about.keep.clone(),
        rounds: account::read(&run.dir)?,
    };
    Ok((figures, masked))
}

fn resampled(answers: &[Answer], seed: u64, rank: fn(&Answer) -> usize) -> Bootstrap {
    let ranks: Vec<usize> = answers.iter().map(rank).collect();
    Bootstrap::of(&ranks, RESAMPLES, seed)
}

fn dataset(data: &Dataset, run: &Run, users_judged: usize) -> DatasetFigures {
    let meta = data.meta();
    DatasetFigures {
        name: meta.name.clone(),
        hash: data.hash().to_owned(),
        trained_on: data.hash() == run.about.data_hash,
        users_judged,
        summary: meta.summary.clone(),
        corruption: meta.corruption.clone(),
        lengths: lengths((0..data.n_users()).map(|user| data.clicks(user).len())),
    }
}

/// Counts lengths in ranges of doubling width: 1, 2 to 3, 4 to 7 and so on, from the first range
/// that occurs to the last.
fn lengths(lengths: impl Iterator<Item = usize>) -> Vec<Bar> {
    let mut counts: Vec<usize> = Vec::new();
    for length in lengths {
        let at = length.max(1).ilog2() as usize;
        counts.resize(counts.len().max(at + 1), 0);
        counts[at] += 1;
    }
    let empty = counts.iter().take_while(|&&count| count == 0).count();
    let bars = counts.iter().enumerate().skip(empty);
    bars.map(|(at, &count)| Bar {
        from: 1 << at,
        count,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_doubling_ranges() {
        let bars = lengths([2, 3, 4, 7, 7, 17].into_iter());
        let shown: Vec<_> = bars.iter().map(|bar| (bar.from, bar.count)).collect();
        assert_eq!(shown, [(2, 2), (4, 3), (8, 0), (16, 1)]);
        assert_eq!(lengths([1].into_iter())[0].from, 1);
        assert_eq!(lengths(std::iter::empty()), []);
    }
}
