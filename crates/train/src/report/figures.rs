//! Ranking figures of a run over all users and over groups of them.

use super::bootstrap::{Bootstrap, Estimate, RESAMPLES};
use super::fifths::Fifths;
use crate::data::Case;
use crate::metrics::ranking::{FIGURES, names};
pub use crate::metrics::ranking::{HR10, NDCG10};
use crate::training::judge::Answer;
use serde::{Serialize, Serializer};

/// Shortest histories of the groups by length; each group ends where the next begins.
const LENGTHS: [usize; 6] = [1, 5, 10, 20, 50, 100];

/// All figures with their intervals, in the order of [`names`]; an object by name in JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimates(pub [Estimate; FIGURES]);

impl Serialize for Estimates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = names().into_iter().map(|name| name.to_lowercase());
        serializer.collect_map(names.zip(self.0))
    }
}

/// The figures of some of the users.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Description of the group.
    pub label: String,
    /// Number of users.
    pub users: usize,
    /// Masked HR@10.
    pub hr10: Estimate,
    /// Masked NDCG@10.
    pub ndcg10: Estimate,
}

/// Users grouped by the length of their histories, without empty groups.
pub fn by_history(cases: &[Case<'_>], answers: &[Answer], seed: u64) -> Vec<Group> {
    let number = |case: &Case<'_>| {
        let len = case.history.len();
        LENGTHS.partition_point(|&shortest| shortest <= len).max(1) - 1
    };
    groups(LENGTHS.len(), cases, answers, seed, number, |at, _| {
        let shortest = LENGTHS[at];
        match LENGTHS.get(at + 1) {
            Some(next) => format!("{shortest} to {}", next - 1),
            None => format!("{shortest} or more"),
        }
    })
}

/// Users in five groups of about equal size by how often their target was clicked in training; targets of
/// equal popularity stay together. `counts` is by item, entry 0 for padding.
pub fn by_popularity(
    cases: &[Case<'_>],
    answers: &[Answer],
    counts: &[u32],
    seed: u64,
) -> Vec<Group> {
    let clicks = |case: &Case<'_>| counts[case.target as usize];
    let fifths = Fifths::of(cases.iter().map(clicks));
    let number = |case: &Case<'_>| fifths.number(clicks(case));
    groups(5, cases, answers, seed, number, |_, members| {
        let range = members.iter().map(clicks);
        let (low, high) = (range.clone().min(), range.max());
        match (low.unwrap_or(0), high.unwrap_or(0)) {
            (low, high) if low == high => low.to_string(),
            (low, high) => format!("{low} to {high}"),
        }
    })
}

fn groups(
    count: usize,
    cases: &[Case<'_>],
    answers: &[Answer],
    seed: u64,
    number: impl Fn(&Case<'_>) -> usize,
    label: impl Fn(usize, &[Case<'_>]) -> String,
) -> Vec<Group> {
    let mut members: Vec<(Vec<Case<'_>>, Vec<usize>)> = vec![Default::default(); count];
    for (case, answer) in cases.iter().zip(answers) {
        let group = &mut members[number(case)];
        group.0.push(*case);
        group.1.push(answer.rank.masked);
    }
    let filled = members.into_iter().enumerate();
    filled
        .filter(|(_, (cases, _))| !cases.is_empty())
        .map(|(at, (cases, ranks))| {
            let estimates = Bootstrap::of(&ranks, RESAMPLES, seed).estimates();
            Group {
                label: label(at, &cases),
                users: cases.len(),
                hr10: estimates[HR10],
                ndcg10: estimates[NDCG10],
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ranking::Rank;

    /// One case per history length, whose target's index is the user's number plus one.
    fn cases<'a>(clicks: &'a [u32], lengths: &[usize]) -> (Vec<Case<'a>>, Vec<Answer>) {
        let case = |(user, &len): (usize, &usize)| Case {
            user,
            history: &clicks[..len],
            noise: None,
            original: None,
            target: user as u32 + 1,
        };
        let cases: Vec<Case<'_>> = lengths.iter().enumerate().map(case).collect();
        let rank = |case: &Case<'_>| Answer {
            rank: Rank {
                masked: case.user + 1,
                unmasked: 999,
            },
            user: case.user,
        };
        let answers = cases.iter().map(rank).collect();
        (cases, answers)
    }

    #[test]
    fn every_user_is_in_the_group_of_its_history() {
        let (cases, answers) = cases(&[1; 300], &[1, 4, 5, 19, 20, 100, 300]);
        let groups = by_history(&cases, &answers, 1);
        let shown: Vec<_> = groups.iter().map(|g| (&*g.label, g.users)).collect();
        let expected = [
            ("1 to 4", 2),
            ("5 to 9", 1),
            ("10 to 19", 1),
            ("20 to 49", 1),
        ];
        assert_eq!(shown[..4], expected);
        assert_eq!(shown[4..], [("100 or more", 2)]);
        assert_eq!(groups[0].hr10.value, 1.0);
    }

    #[test]
    fn fifths_are_of_equal_size_and_in_order_of_popularity() {
        let (cases, answers) = cases(&[1; 3], &[3; 10]);
        let counts: Vec<u32> = (0..=10).map(|item| item * 7).collect();
        let groups = by_popularity(&cases, &answers, &counts, 1);
        assert!(groups.iter().all(|group| group.users == 2), "{groups:?}");
        assert_eq!(
            (&*groups[0].label, &*groups[4].label),
            ("7 to 14", "63 to 70")
        );
    }

    #[test]
    fn targets_of_the_same_popularity_stay_together() {
        let (cases, answers) = cases(&[1; 3], &[3; 10]);
        let counts = [0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 9];
        let groups = by_popularity(&cases, &answers, &counts, 1);
        let shown: Vec<_> = groups.iter().map(|g| (&*g.label, g.users)).collect();
        assert_eq!(shown, [("4", 9), ("9", 1)]);
    }

    #[test]
    fn estimates_are_an_object_by_name() {
        let estimates = Estimates(Bootstrap::of(&[1, 30], 10, 1).estimates());
        let json = serde_json::to_value(estimates).expect("JSON");
        assert_eq!(json["hr@5"]["value"], 0.5);
        assert!(json["mrr@20"]["low"].is_number());
    }
}
