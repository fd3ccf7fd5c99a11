//! Datasets: users' click sequences over one catalogue, and their split into training and evaluation.
//!
//! Sequences are stored in one array with offsets, in memory. Training reads all of them in a new order every
//! epoch, and a click takes 16 bytes or less (10 million: 160 MB). Mapping the file instead would need unsafe
//! code and would detect damage late.

mod check;

use check::{check, check_times};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::hash;
use super::meta::{Corruption, Meta};
use super::names::Texts;
use super::protocol::Protocol;

/// An item of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Id as in the logs.
    #[serde(rename = "item_id")]
    pub id: String,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// The splits of evaluation; [`Protocol`](super::Protocol) says which click of a user is the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The last click but one (or the first of the validation period): for selection.
    Valid,
    /// The last click (or the first of the test period): for reported figures.
    Test,
    /// The same, for users held out from training altogether.
    Unseen,
}

/// One case of an evaluation: a history and the item to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case<'a> {
    /// Index of the user.
    pub user: usize,
    /// The history, oldest click first, with its noise.
    pub history: &'a [u32],
    /// For each click of the history 1 if it is noise; `None` if there are no labels.
    pub noise: Option<&'a [u8]>,
    /// The history's clicks before they were replaced, 0 for inserted ones; `None` if only labels are known.
    pub original: Option<&'a [u32]>,
    /// The next item; it is never noise.
    pub target: u32,
}

impl<'a> Case<'a> {
    /// Items of the history that are not noise, as far as that is known, oldest first.
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

    /// The same case with another history, in which some of the latest clicks were replaced.
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

    /// An earlier case of the same shopper: the click at `at` is the target, the clicks before it are the
    /// history.
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

/// Least clicks before the earliest target, if a user has several.
const BEFORE: usize = 3;

/// The content of a dataset, as it is stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parts {
    /// Start of each user's clicks, and the end: one entry more than users.
    pub offsets: Vec<usize>,
    /// Item index of each click, from 1.
    pub clicks: Vec<u32>,
    /// Time of each click in the log's own unit.
    pub timestamps: Vec<i64>,
    /// Weight of each click as a target, `0.0..=1.0`; `None` if all weigh the same.
    pub weights: Option<Vec<f32>>,
    /// Whether each user is held out from training.
    pub unseen: Vec<bool>,
    /// Ids of the users.
    pub users: Texts,
    /// The catalogue; index `i` of a click is entry `i - 1`.
    pub items: Vec<Item>,
    /// Noise labels, if there are any.
    pub relabelled: Option<Relabelled>,
}

/// Labels of clicks of which some were replaced or inserted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relabelled {
    /// 1 if the click is noise.
    pub noise: Vec<u8>,
    /// The clicks before they were replaced, 0 for inserted ones; `None` if only labels are known.
    pub original: Option<Vec<u32>>,
}

/// Clicks with noise, to replace a dataset's own.
#[derive(Debug, Default)]
pub(super) struct Noisy {
    /// Start of each user's clicks, and the end.
    pub(super) offsets: Vec<usize>,
    /// Item index of each click.
    pub(super) clicks: Vec<u32>,
    /// Time of each click.
    pub(super) timestamps: Vec<i64>,
    /// 1 if a click is noise.
    pub(super) noise: Vec<u8>,
    /// The clicks before they were replaced, 0 for inserted ones.
    pub(super) original: Vec<u32>,
}

impl Parts {
    /// The item originally clicked; `None` if there was none or it is not known.
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
    /// Checks that the parts are consistent; the error says what is not.
    pub(super) fn new(parts: Parts, meta: Meta) -> Result<Self, String> {
        check(&parts)?;
        check_times(&parts, &meta)?;
        let hash = hash::content(&parts, meta.split);
        Ok(Self { parts, meta, hash })
    }

    /// The same users and items with other clicks, of which some are noise.
    pub(super) fn corrupted(&self, noisy: Noisy, corruption: Corruption) -> Result<Self, String> {
        let Noisy {
            offsets,
            clicks,
            timestamps,
            noise,
            original,
        } = noisy;
        // A replacement has the weight of the original click, an inserted click has weight 1.
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

    /// The same dataset without its noise labels. It keeps the hash of the whole.
    #[must_use]
    pub fn without_labels(self) -> Self {
        let parts = Parts {
            relabelled: None,
            ..self.parts
        };
        Self { parts, ..self }
    }

    /// Whether some user has two training clicks: one to learn from, and one to predict.
    pub fn is_trainable(&self) -> bool {
        (0..self.n_users()).any(|user| self.train(user).len() > 1)
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

    /// A user's clicks as observed (with noise), oldest first.
    pub fn clicks(&self, user: usize) -> &[u32] {
        &self.parts.clicks[self.range(user)]
    }

    /// For each of a user's clicks 1 if it is noise; `None` if there are no labels.
    pub fn noise(&self, user: usize) -> Option<&[u8]> {
        let truth = self.parts.relabelled.as_ref()?;
        Some(&truth.noise[self.range(user)])
    }

    /// A user's clicks before they were replaced, 0 for inserted ones; `None` if that is not known.
    pub fn original(&self, user: usize) -> Option<&[u32]> {
        let original = self.parts.relabelled.as_ref()?.original.as_ref()?;
        Some(&original[self.range(user)])
    }

    /// Weight of each of a user's clicks as a target, `0.0..=1.0`; `None` if all weigh the same.
    pub fn weights(&self, user: usize) -> Option<&[f32]> {
        let weights = self.parts.weights.as_ref()?;
        Some(&weights[self.range(user)])
    }

    /// The same for the user's training clicks.
    pub fn train_weights(&self, user: usize) -> Option<&[f32]> {
        let weights = self.weights(user)?;
        Some(&weights[..self.train(user).len()])
    }

    /// Weight of a case's target; `None` if all weigh the same.
    pub fn target_weight(&self, case: &Case<'_>) -> Option<f32> {
        Some(self.weights(case.user)?[case.history.len()])
    }

    /// Whether there are noise labels.
    pub fn has_labels(&self) -> bool {
        self.parts.relabelled.is_some()
    }

    /// Times of a user's clicks in the log's own unit.
    pub fn timestamps(&self, user: usize) -> &[i64] {
        &self.parts.timestamps[self.range(user)]
    }

    /// Whether the user is held out from training altogether.
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

    /// The shopper's id: several windows can belong to one shopper; any other user is a shopper of its own.
    pub fn shopper(&self, user: usize) -> &str {
        let id = self.user_id(user);
        match self.meta.split {
            Protocol::Windows { .. } => id.rsplit_once('#').map_or(id, |(shopper, _)| shopper),
            Protocol::LeaveOneOut | Protocol::Time { .. } => id,
        }
    }

    /// How the dataset was made.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// SHA-256 over the whole content, in hex.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The training clicks of a user: all but the last two, for users with at least three; all, for users with
    /// fewer, who are never evaluated. Or those before the validation period, or the whole window if it is from
    /// before it. Empty for unseen users.
    pub fn train(&self, user: usize) -> &[u32] {
        if self.is_unseen(user) {
            return &[];
        }
        let split = self.meta.split;
        let learnt = self.place(user, |times| Some(split.learnt(times)));
        &self.clicks(user)[..learnt.unwrap_or(0)]
    }

    /// The case of a user in a split, if there is one: a target that is not noise, with at least one click before
    /// it.
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

    /// The cases of a user in a split. For an unseen user these are up to `latest`: earlier clicks are targets as
    /// well, each predicted from the clicks before it, oldest first. Other users' earlier clicks are training
    /// clicks, and windows overlap, so they have one case at most.
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

    /// The cases of all users in a split, shortest history first, so that a batch of them pads little. `latest` is the
    /// most targets of an unseen user, as in [`Dataset::cases`].
    pub fn all_cases(&self, split: Split, latest: usize) -> Vec<Case<'_>> {
        let mut cases: Vec<Case<'_>> = (0..self.n_users())
            .flat_map(|user| self.cases(user, split, latest))
            .filter(|case| !case.history.is_empty())
            .collect();
        cases.sort_by_key(|case| (case.history.len(), case.user));
        cases
    }

    /// The clicks before a user's target in a split, with their labels if there are any. A user whose target is
    /// noise and whose original click is not known has a history but no [`Case`].
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

    /// The index of a click that `name` selects by time among the clicks of the original log: inserted clicks do
    /// not move the line between training and evaluation.
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

    /// Training clicks per item index, one entry more than items (entry 0 is padding).
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

    /// Range of a user's clicks in the arrays of all clicks.
    pub(super) fn range(&self, user: usize) -> Range<usize> {
        self.parts.offsets[user]..self.parts.offsets[user + 1]
    }
}

#[cfg(test)]
mod tests;
