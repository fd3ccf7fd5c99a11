//! Users' click sequences over one catalogue, and how they divide into training and evaluation.
//!
//! Sequences lie in one array behind offsets and are held in memory: training walks over all of
//! them in a new order every epoch, and a click takes 16 bytes or less (10 million: 160 MB), while
//! mapping the file would need unsafe code and would make damage show up late.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::hash;
use super::meta::{Corruption, Meta};
use super::names::Texts;
use super::protocol::Protocol;

/// One thing that can be clicked and recommended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Id as in the logs.
    #[serde(rename = "item_id")]
    pub id: String,
    /// What the shop calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The shelf it stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// Which click of a user is to be predicted. Which one that is, [`Protocol`](super::Protocol) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The last but one click (or the first of the validation period): for choosing.
    Valid,
    /// The last click (or the first of the test period): for reporting.
    Test,
    /// The same, of users kept out of training altogether.
    Unseen,
}

/// One prediction to make: this history, then which item?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case<'a> {
    /// Index of the user.
    pub user: usize,
    /// What is known, oldest first, as observed.
    pub history: &'a [u32],
    /// For each click of the history 1 when it is noise; `None` where that is not known.
    pub noise: Option<&'a [u8]>,
    /// The clicks of the history as they were, 0 for one that was put in; `None` where nothing more is known
    /// than the labels.
    pub original: Option<&'a [u32]>,
    /// The true next item, never noise.
    pub target: u32,
}

impl<'a> Case<'a> {
    /// Items that the shopper clicked on purpose, as far as that is known, oldest first.
    pub fn real(&self) -> Vec<u32> {
        match (self.original, self.noise) {
            (Some(original), _) => original.iter().copied().filter(|&item| item != 0).collect(),
            (None, Some(noise)) => {
                let clicks = self.history.iter().zip(noise);
                clicks
                    .filter(|(_, noise)| **noise == 0)
                    .map(|(&item, _)| item)
                    .collect()
            }
            (None, None) => self.history.to_vec(),
        }
    }

    /// The same case after a history in which some of the latest clicks of this one's were replaced.
    #[must_use]
    pub fn corrupted(&self, history: &'a [u32]) -> Case<'a> {
        let original = self
            .original
            .or(self.noise.is_none().then_some(self.history));
        let noise = self
            .noise
            .map(|noise| &noise[noise.len().saturating_sub(history.len())..]);
        Case {
            history,
            noise,
            original,
            ..*self
        }
    }

    /// The same shopper earlier: what was known before the click at `at`, and that click as the target.
    fn earlier(&self, at: usize, target: u32) -> Case<'a> {
        Case {
            user: self.user,
            history: &self.history[..at],
            noise: self.noise.map(|noise| &noise[..at]),
            original: self.original.map(|original| &original[..at]),
            target,
        }
    }
}

/// Clicks before the first target of a user of whom several are asked for.
const BEFORE: usize = 3;

/// The content of a dataset, as it is stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parts {
    /// Where each user's clicks begin, and the end: one entry more than users.
    pub offsets: Vec<usize>,
    /// Item index of each click, from 1.
    pub clicks: Vec<u32>,
    /// Time of each click in the log's own unit.
    pub timestamps: Vec<i64>,
    /// How much each click counts as a target, `0.0..=1.0`; `None` where all count the same.
    pub weights: Option<Vec<f32>>,
    /// Which users are kept out of training.
    pub unseen: Vec<bool>,
    /// Ids of the users.
    pub users: Texts,
    /// The catalogue; index `i` of a click is entry `i - 1`.
    pub items: Vec<Item>,
    /// Which clicks are noise, where that is known.
    pub relabelled: Option<Relabelled>,
}

/// The truth behind clicks of which some were replaced or put in, click by click.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relabelled {
    /// 1 where the click is noise.
    pub noise: Vec<u8>,
    /// The clicks as they were, 0 for one that was put in; `None` where only the labels are known.
    pub original: Option<Vec<u32>>,
}

/// Clicks of which some are noise, in the place of a dataset's own.
#[derive(Debug, Default)]
pub(super) struct Noisy {
    /// Where each user's clicks begin, and the end.
    pub(super) offsets: Vec<usize>,
    /// Item index of each click.
    pub(super) clicks: Vec<u32>,
    /// Time of each click.
    pub(super) timestamps: Vec<i64>,
    /// 1 where a click is noise.
    pub(super) noise: Vec<u8>,
    /// The clicks as they were, 0 for one that was put in.
    pub(super) original: Vec<u32>,
}

impl Parts {
    /// The item that was clicked on purpose; `None` where there was none or it is not known.
    pub(super) fn truth(&self, click: usize) -> Option<u32> {
        match &self.relabelled {
            None => Some(self.clicks[click]),
            Some(Relabelled { noise, original }) => match original {
                Some(original) => Some(original[click]).filter(|&item| item != 0),
                None => (noise[click] == 0).then_some(self.clicks[click]),
            },
        }
    }
}

/// A checked dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    parts: Parts,
    meta: Meta,
    hash: String,
}

impl Dataset {
    /// Checks that the parts fit together; the error says what does not.
    pub(super) fn new(parts: Parts, meta: Meta) -> Result<Self, String> {
        check(&parts)?;
        check_times(&parts, &meta)?;
        let hash = hash::content(&parts, meta.split);
        Ok(Self { parts, meta, hash })
    }

    /// The same users and items with clicks of which some are noise.
    pub(super) fn corrupted(&self, noisy: Noisy, corruption: Corruption) -> Result<Self, String> {
        let Noisy {
            offsets,
            clicks,
            timestamps,
            noise,
            original,
        } = noisy;
        // A click has the weight of the one that was there, and one that was put in that of any other.
        let weights = self.parts.weights.as_ref().map(|weights| {
            let mut of_log = weights.iter().copied();
            let each = original.iter().map(|&item| match item {
                0 => 1.0,
                _ => of_log.next().unwrap_or(1.0),
            });
            each.collect()
        });
        let original = Some(original);
        let parts = Parts {
            weights,
            offsets,
            clicks,
            timestamps,
            relabelled: Some(Relabelled { noise, original }),
            unseen: self.parts.unseen.clone(),
            users: self.parts.users.clone(),
            items: self.parts.items.clone(),
        };
        let meta = Meta {
            corruption: Some(corruption),
            ..self.meta.clone()
        };
        Self::new(parts, meta)
    }

    /// The same dataset to somebody who is not told which of its clicks are noise. It is still named by the
    /// hash of the whole.
    #[must_use]
    pub fn without_labels(self) -> Self {
        let parts = Parts {
            relabelled: None,
            ..self.parts
        };
        Self { parts, ..self }
    }

    /// Number of users.
    pub fn n_users(&self) -> usize {
        self.parts.users.len()
    }

    /// Number of items; their indices are `1..=n_items`, 0 is padding.
    pub fn n_items(&self) -> usize {
        self.parts.items.len()
    }

    /// Number of clicks of all users.
    pub fn n_clicks(&self) -> usize {
        self.parts.clicks.len()
    }

    /// A user's clicks as observed (with noise where corrupted), oldest first.
    pub fn clicks(&self, user: usize) -> &[u32] {
        &self.parts.clicks[self.range(user)]
    }

    /// For each of a user's clicks 1 when it is noise; `None` where that is not known.
    pub fn noise(&self, user: usize) -> Option<&[u8]> {
        let truth = self.parts.relabelled.as_ref()?;
        Some(&truth.noise[self.range(user)])
    }

    /// A user's clicks as they were, 0 for one that was put in; `None` where that is not known.
    pub fn original(&self, user: usize) -> Option<&[u32]> {
        let original = self.parts.relabelled.as_ref()?.original.as_ref()?;
        Some(&original[self.range(user)])
    }

    /// How much each of a user's clicks counts as a target, `0.0..=1.0`; `None` where all count the same.
    pub fn weights(&self, user: usize) -> Option<&[f32]> {
        let weights = self.parts.weights.as_ref()?;
        Some(&weights[self.range(user)])
    }

    /// The same of the clicks that a model may learn from.
    pub fn train_weights(&self, user: usize) -> Option<&[f32]> {
        let weights = self.weights(user)?;
        Some(&weights[..self.train(user).len()])
    }

    /// How much the target of a case counts; `None` where all count the same.
    pub fn target_weight(&self, case: &Case<'_>) -> Option<f32> {
        Some(self.weights(case.user)?[case.history.len()])
    }

    /// Whether it is known which clicks are noise.
    pub fn has_labels(&self) -> bool {
        self.parts.relabelled.is_some()
    }

    /// Times of a user's clicks in the log's own unit.
    pub fn timestamps(&self, user: usize) -> &[i64] {
        &self.parts.timestamps[self.range(user)]
    }

    /// Whether the user is kept out of training altogether.
    pub fn is_unseen(&self, user: usize) -> bool {
        self.parts.unseen[user]
    }

    /// The catalogue, most popular first; item index `i` is entry `i - 1`.
    pub fn items(&self) -> &[Item] {
        &self.parts.items
    }

    /// Id of a user; users are sorted by it.
    pub fn user_id(&self, user: usize) -> &str {
        &self.parts.users[user]
    }

    /// Who the user is: several windows may be of one shopper, any other history is of its own.
    pub fn shopper(&self, user: usize) -> &str {
        let id = self.user_id(user);
        match self.meta.split {
            Protocol::Windows { .. } => id.rsplit_once('#').map_or(id, |(shopper, _)| shopper),
            Protocol::LeaveOneOut | Protocol::Time { .. } => id,
        }
    }

    /// How the dataset came to be.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// SHA-256 over the whole content, in hex.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The clicks of a user that a model may learn from: all but the last two, of users with at
    /// least three, and all, of users with fewer, who are never evaluated; or those before the
    /// validation period; or the window as a whole, if it is from before. None of an unseen user's.
    pub fn train(&self, user: usize) -> &[u32] {
        if self.is_unseen(user) {
            return &[];
        }
        let split = self.meta.split;
        let learnt = self.place(user, |times| Some(split.learnt(times)));
        &self.clicks(user)[..learnt.unwrap_or(0)]
    }

    /// The prediction to make for a user in a split, if the user has one there: a target, at least one
    /// click before it, and the truth about the target.
    pub fn case(&self, user: usize, split: Split) -> Option<Case<'_>> {
        let (history, noise) = self.history(user, split)?;
        let target = self.parts.truth(self.range(user).start + history.len())?;
        Some(Case {
            user,
            history,
            noise,
            original: self
                .original(user)
                .map(|original| &original[..history.len()]),
            target,
        })
    }

    /// The same, and of an unseen user his clicks before that target as well, each predicted from those before it:
    /// `latest` at most in all, oldest first, each with some clicks before it. Of other users, of whom
    /// earlier clicks were learnt, and of windows, which overlap, there is one at most.
    pub fn cases(&self, user: usize, split: Split, latest: usize) -> Vec<Case<'_>> {
        let Some(last) = self.case(user, split) else {
            return Vec::new();
        };
        let mut cases = vec![last];
        if split == Split::Unseen && !matches!(self.meta.split, Protocol::Windows { .. }) {
            let start = self.range(user).start;
            let real = (0..last.history.len()).map(|at| Some((at, self.parts.truth(start + at)?)));
            let real: Vec<(usize, u32)> = real.flatten().collect();
            let earlier = real
                .iter()
                .skip(BEFORE)
                .rev()
                .take(latest.saturating_sub(1));
            cases.extend(earlier.map(|&(at, target)| last.earlier(at, target)));
            cases.reverse();
        }
        cases
    }

    /// The clicks before a user's target in a split with their labels, where they are known. A user
    /// whose target is noise and nobody knows what he meant has a history, and no [`Case`].
    pub fn history(&self, user: usize, split: Split) -> Option<(&[u32], Option<&[u8]>)> {
        let protocol = self.meta.split;
        let target = match (split, self.is_unseen(user)) {
            (Split::Valid, false) => self.place(user, |times| protocol.valid(times)),
            (Split::Test, false) => self.place(user, |times| protocol.test(times)),
            (Split::Unseen, true) => self.place(user, |times| protocol.unseen(times)),
            _ => None,
        }?;
        let noise = self.noise(user).map(|noise| &noise[..target]);
        Some((&self.clicks(user)[..target], noise))
    }

    /// Where among a user's clicks the one is that the protocol names by the times of those that the log had:
    /// what was put in moves no line between learning and predicting.
    fn place(&self, user: usize, name: impl Fn(&[i64]) -> Option<usize>) -> Option<usize> {
        let times = self.timestamps(user);
        let Some(original) = self.original(user).filter(|clicks| clicks.contains(&0)) else {
            return name(times);
        };
        let of_log: Vec<usize> = (0..times.len()).filter(|&at| original[at] != 0).collect();
        let their_times: Vec<i64> = of_log.iter().map(|&at| times[at]).collect();
        let named = name(&their_times)?;
        Some(of_log.get(named).copied().unwrap_or(times.len()))
    }

    /// Clicks per item index in training, one entry more than items (entry 0 is padding's).
    pub fn train_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.n_items() + 1];
        for user in 0..self.n_users() {
            for &item in self.train(user) {
                counts[item as usize] += 1;
            }
        }
        counts
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Where a user's clicks lie in the arrays of all clicks.
    pub(super) fn range(&self, user: usize) -> Range<usize> {
        self.parts.offsets[user]..self.parts.offsets[user + 1]
    }
}

/// Refuses parts that would make an accessor lie or panic.
fn check(parts: &Parts) -> Result<(), String> {
    let clicks = parts.clicks.len();
    let users = parts.users.len();
    if users == 0 || parts.items.is_empty() || clicks == 0 {
        return Err("it has no users, no items or no clicks".to_owned());
    }
    let bounded = parts.offsets.first() == Some(&0) && parts.offsets.last() == Some(&clicks);
    if parts.offsets.len() != users + 1 || !bounded || !parts.offsets.is_sorted() {
        return Err(format!(
            "its offsets do not divide {clicks} clicks among {users} users"
        ));
    }
    if parts.timestamps.len() != clicks || parts.unseen.len() != users {
        return Err("its sequences differ in length".to_owned());
    }
    if let Some(weights) = &parts.weights {
        let share = |weight: &f32| (0.0..=1.0).contains(weight);
        if weights.len() != clicks || !weights.iter().all(share) {
            return Err("its weights are not one a click, from 0 to 1".to_owned());
        }
    }
    check_indices(&parts.clicks, parts.items.len())?;
    (parts.relabelled.as_ref()).map_or(Ok(()), |truth| check_labels(truth, parts))
}

/// Refuses labels that say something else than the clicks.
fn check_labels(truth: &Relabelled, parts: &Parts) -> Result<(), String> {
    let Relabelled { noise, original } = truth;
    let clicks = &parts.clicks;
    if [Some(noise.len()), original.as_ref().map(Vec::len)]
        .iter()
        .flatten()
        .any(|&length| length != clicks.len())
    {
        return Err("its noise labels differ in length from its clicks".to_owned());
    }
    if noise.iter().any(|&label| label > 1) {
        return Err("its noise labels are not all 0 or 1".to_owned());
    }
    let Some(original) = original else {
        return Ok(());
    };
    if let Some(item) = original
        .iter()
        .find(|&&item| item as usize > parts.items.len())
    {
        return Err(format!(
            "a click was on item {item}, and there are items 1 to {}",
            parts.items.len()
        ));
    }
    let replaced = clicks.iter().zip(original).map(|(a, b)| u8::from(a != b));
    if !replaced.eq(noise.iter().copied()) {
        return Err("its noise labels do not say which clicks were replaced or put in".to_owned());
    }
    Ok(())
}

/// Periods are only periods if every history is in order of time.
fn check_times(parts: &Parts, meta: &Meta) -> Result<(), String> {
    let ordered = |ends: &[usize]| parts.timestamps[ends[0]..ends[1]].is_sorted();
    if meta.split == Protocol::LeaveOneOut || parts.offsets.windows(2).all(ordered) {
        return Ok(());
    }
    Err("it is split by time, and its clicks are not in order of time".to_owned())
}

fn check_indices(clicks: &[u32], items: usize) -> Result<(), String> {
    let wrong = clicks.iter().find(|&&i| i == 0 || i as usize > items);
    match wrong {
        Some(item) => Err(format!(
            "a click is on item {item}, and there are items 1 to {items}"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
