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
    /// For each click of the history 1 when it was replaced; `None` in a clean dataset.
    pub noise: Option<&'a [u8]>,
    /// The true next item, never a replaced one.
    pub target: u32,
}

/// The content of a dataset, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// Where each user's clicks begin, and the end: one entry more than users.
    pub offsets: Vec<usize>,
    /// Item index of each click, from 1.
    pub clicks: Vec<u32>,
    /// Time of each click in the log's own unit.
    pub timestamps: Vec<i64>,
    /// Which users are kept out of training.
    pub unseen: Vec<bool>,
    /// Ids of the users.
    pub users: Texts,
    /// The catalogue; index `i` of a click is entry `i - 1`.
    pub items: Vec<Item>,
    /// What was replaced, in a corrupted dataset.
    pub relabelled: Option<Relabelled>,
}

/// The truth behind a corrupted dataset, click by click.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relabelled {
    /// 1 where the click was replaced.
    pub noise: Vec<u8>,
    /// The clicks as they were.
    pub original: Vec<u32>,
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

    /// The same users and items with replaced clicks.
    pub(super) fn corrupted(
        &self,
        clicks: Vec<u32>,
        noise: Vec<u8>,
        corruption: Corruption,
    ) -> Result<Self, String> {
        let original = self.parts.clicks.clone();
        let parts = Parts {
            clicks,
            relabelled: Some(Relabelled { noise, original }),
            ..self.parts.clone()
        };
        let meta = Meta {
            corruption: Some(corruption),
            ..self.meta.clone()
        };
        Self::new(parts, meta)
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

    /// A user's clicks as observed (replaced where corrupted), oldest first.
    pub fn clicks(&self, user: usize) -> &[u32] {
        &self.parts.clicks[self.range(user)]
    }

    /// A user's clicks before any corruption.
    pub fn original(&self, user: usize) -> &[u32] {
        match &self.parts.relabelled {
            Some(truth) => &truth.original[self.range(user)],
            None => self.clicks(user),
        }
    }

    /// For each of a user's clicks 1 when it was replaced; `None` in a clean dataset.
    pub fn noise(&self, user: usize) -> Option<&[u8]> {
        let truth = self.parts.relabelled.as_ref()?;
        Some(&truth.noise[self.range(user)])
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
    /// validation period. None of an unseen user's.
    pub fn train(&self, user: usize) -> &[u32] {
        if self.is_unseen(user) {
            return &[];
        }
        let learnt = self.meta.split.learnt(self.timestamps(user));
        &self.clicks(user)[..learnt]
    }

    /// The prediction to make for a user in a split, if the user has one there: a target, and at
    /// least one click before it.
    pub fn case(&self, user: usize, split: Split) -> Option<Case<'_>> {
        let (protocol, times) = (self.meta.split, self.timestamps(user));
        let target = match (split, self.is_unseen(user)) {
            (Split::Valid, false) => protocol.valid(times),
            (Split::Test, false) => protocol.test(times),
            (Split::Unseen, true) => protocol.unseen(times),
            _ => None,
        }?;
        Some(Case {
            user,
            history: &self.clicks(user)[..target],
            noise: self.noise(user).map(|noise| &noise[..target]),
            target: self.original(user)[target],
        })
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
    check_indices(&parts.clicks, parts.items.len())?;
    let Some(truth) = &parts.relabelled else {
        return Ok(());
    };
    if truth.noise.len() != clicks || truth.original.len() != clicks {
        return Err("its noise labels differ in length from its clicks".to_owned());
    }
    check_indices(&truth.original, parts.items.len())?;
    let replaced = parts
        .clicks
        .iter()
        .zip(&truth.original)
        .map(|(a, b)| u8::from(a != b));
    if !replaced.eq(truth.noise.iter().copied()) {
        return Err("its noise labels do not say which clicks were replaced".to_owned());
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
mod tests {
    use super::super::testing::{dataset, parts};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn leaves_the_last_two_clicks_of_a_seen_user_out_of_training() {
        let data = dataset(&[&[1, 2, 3, 4]], &[]);
        assert_eq!(data.train(0), [1, 2]);
        let valid = data.case(0, Split::Valid).unwrap();
        assert_eq!((valid.history, valid.target), (&[1, 2][..], 3));
        let test = data.case(0, Split::Test).unwrap();
        assert_eq!((test.history, test.target), (&[1, 2, 3][..], 4));
        assert_eq!(data.case(0, Split::Unseen), None);
    }

    #[test]
    fn trains_on_short_histories_and_never_evaluates_them() {
        let data = dataset(&[&[1, 2], &[2]], &[]);
        assert_eq!((data.train(0), data.train(1)), (&[1, 2][..], &[2][..]));
        for split in [Split::Valid, Split::Test, Split::Unseen] {
            assert_eq!(data.case(0, split), None);
        }
    }

    #[test]
    fn asks_unseen_users_only_for_their_last_click() {
        let data = dataset(&[&[1, 2], &[1, 2, 3]], &[0]);
        assert_eq!(data.train(0), [0_u32; 0]);
        let case = data.case(0, Split::Unseen).unwrap();
        assert_eq!((case.history, case.target), (&[1][..], 2));
        assert_eq!(data.case(0, Split::Test), None);
        assert_eq!(data.train_counts(), [0, 1, 0, 0]);
    }

    #[test]
    fn a_case_keeps_the_labels_of_its_history_and_the_true_target() {
        let mut parts = parts(&[&[1, 3, 3, 4]], &[]);
        parts.relabelled = Some(Relabelled {
            noise: vec![0, 1, 1, 0],
            original: vec![1, 2, 2, 4],
        });
        let data = Dataset::new(parts, dataset(&[&[1]], &[]).meta().clone()).unwrap();
        let case = data.case(0, Split::Valid).unwrap();
        assert_eq!(case.history, [1, 3]);
        assert_eq!(case.noise, Some(&[0, 1][..]));
        assert_eq!(
            case.target, 2,
            "the validation target is the click as it was"
        );
    }

    #[test]
    fn refuses_labels_that_contradict_the_clicks() {
        let mut parts = parts(&[&[1, 2, 3]], &[]);
        parts.relabelled = Some(Relabelled {
            noise: vec![0, 1, 0],
            original: vec![1, 2, 3],
        });
        let meta = dataset(&[&[1]], &[]).meta().clone();
        assert!(
            Dataset::new(parts, meta)
                .unwrap_err()
                .contains("noise labels")
        );
    }

    #[test]
    fn refuses_an_item_outside_the_catalogue() {
        let meta = dataset(&[&[1]], &[]).meta().clone();
        for wrong in [0, 4] {
            let mut parts = parts(&[&[1, 2, 3]], &[]);
            parts.clicks[1] = wrong;
            let error = Dataset::new(parts, meta.clone()).unwrap_err();
            assert!(error.contains(&format!("item {wrong}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn training_and_targets_never_share_a_position(
            lengths in prop::collection::vec(1_usize..9, 1..12), held in 0_usize..12,
        ) {
            // Every click is on its own item, so equal items mean equal positions.
            let mut next = 0;
            let histories: Vec<Vec<u32>> = lengths.iter().map(|&n| {
                (0..n).map(|_| { next += 1; next }).collect()
            }).collect();
            let views: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
            let data = dataset(&views, &[held % lengths.len()]);
            for (user, all) in histories.iter().enumerate() {
                let train = data.train(user);
                for split in [Split::Valid, Split::Test, Split::Unseen] {
                    let Some(case) = data.case(user, split) else { continue };
                    prop_assert!(!train.contains(&case.target));
                    prop_assert!(!case.history.contains(&case.target));
                    prop_assert_eq!(&all[..case.history.len()], case.history);
                    prop_assert_eq!(all[case.history.len()], case.target);
                }
                if data.case(user, Split::Test).is_some() {
                    prop_assert_eq!(train.len() + 2, all.len());
                }
            }
        }
    }
}
