//! How clicks are split into training and evaluation.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The split between training and evaluation. A user's clicks are given by position, oldest first, and their
/// times ascend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Protocol {
    /// In every history, the last click is the test target and the one before it the validation target.
    #[default]
    LeaveOneOut,
    /// At the same two moments in all histories, as if a model was trained at the first one and used from
    /// then on.
    Time {
        /// Clicks before this moment are for training; the first click from it on is the validation target.
        valid_from: i64,
        /// The first click from this moment on is the test target.
        test_from: i64,
    },
    /// Each history is a window of clicks with one time, that of its last click. Windows before the first
    /// moment are for training. Of the others only the last click is a target and nothing is for training,
    /// because windows of one shopper overlap: the last click of one can be inside the next.
    Windows {
        /// Windows before this moment are for training, those from it on for validation.
        valid_from: i64,
        /// Windows from this moment on are for testing.
        test_from: i64,
    },
}

impl Protocol {
    /// The two moments such that the latest clicks have these shares. Clicks of equal time are not separated,
    /// so a period can hold a few more than its share.
    pub(super) fn by_time(times: &[i64], shares: Shares) -> Self {
        let mut times = times.to_vec();
        let mut moment = |share: f64| {
            let after = (share * times.len() as f64).round() as usize;
            let at = (times.len() - after.min(times.len())).min(times.len() - 1);
            *times.select_nth_unstable(at).1
        };
        Self::Time {
            valid_from: moment(shares.valid + shares.test),
            test_from: moment(shares.test),
        }
    }

    /// The same for windows, by the time of each. A share of 0 gives a moment after all windows.
    pub(super) fn by_window(times: &[i64], shares: Shares) -> Self {
        let mut times = times.to_vec();
        times.sort_unstable();
        let moment = |share: f64| {
            let after = (share * times.len() as f64).round() as usize;
            let at = times.len() - after.min(times.len());
            let last = times.last().copied().unwrap_or_default();
            times.get(at).copied().unwrap_or(last.saturating_add(1))
        };
        Self::Windows {
            valid_from: moment(shares.valid + shares.test),
            test_from: moment(shares.test),
        }
    }

    /// How many of a user's first clicks are for training.
    pub(super) fn learnt(self, times: &[i64]) -> usize {
        match self {
            Self::LeaveOneOut if times.len() < 3 => times.len(),
            Self::LeaveOneOut => times.len() - 2,
            Self::Time { valid_from, .. } => times.partition_point(|&time| time < valid_from),
            Self::Windows { valid_from, .. } => match times.last() {
                Some(&time) if time < valid_from => times.len(),
                _ => 0,
            },
        }
    }

    /// Position of the validation target; the clicks before it are the history.
    pub(super) fn valid(self, times: &[i64]) -> Option<usize> {
        match self {
            Self::LeaveOneOut => times.len().checked_sub(2).filter(|&at| at > 0),
            Self::Time { test_from, .. } => {
                let at = self.learnt(times);
                (at > 0 && at < times.len() && times[at] < test_from).then_some(at)
            }
            Self::Windows {
                valid_from,
                test_from,
            } => last_of_window(times, valid_from..test_from),
        }
    }

    /// Position of the test target.
    pub(super) fn test(self, times: &[i64]) -> Option<usize> {
        match self {
            Self::LeaveOneOut => times.len().checked_sub(1).filter(|&at| at > 1),
            Self::Time { .. } => self.unseen(times),
            Self::Windows { test_from, .. } => last_of_window(times, test_from..i64::MAX),
        }
    }

    /// Position of the target of an unseen user.
    pub(super) fn unseen(self, times: &[i64]) -> Option<usize> {
        let at = match self {
            Self::LeaveOneOut | Self::Windows { .. } => times.len().saturating_sub(1),
            Self::Time { test_from, .. } => times.partition_point(|&time| time < test_from),
        };
        (at > 0 && at < times.len()).then_some(at)
    }

    /// Position of the latest click that is a target in some split; for a user without one, the last click.
    pub(super) fn last_target(self, times: &[i64]) -> usize {
        let last = times.len().saturating_sub(1);
        match self {
            Self::LeaveOneOut | Self::Windows { .. } => last,
            Self::Time { .. } => self.test(times).or(self.valid(times)).unwrap_or(last),
        }
    }

    /// The split's name, as in `ingle prepare --split`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeaveOneOut => "leave-one-out",
            Self::Time { .. } => "time",
            Self::Windows { .. } => "windows",
        }
    }
}

/// The last click of a window of some period, if there is a click before it.
fn last_of_window(times: &[i64], period: Range<i64>) -> Option<usize> {
    let at = times.len().checked_sub(1)?;
    (at > 0 && period.contains(&times[at])).then_some(at)
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaveOneOut => write!(f, "leave-one-out"),
            Self::Time {
                valid_from,
                test_from,
            } => {
                write!(
                    f,
                    "by time: validation from {valid_from}, test from {test_from}"
                )
            }
            Self::Windows {
                valid_from,
                test_from,
            } => {
                write!(
                    f,
                    "by windows: validation from {valid_from}, test from {test_from}"
                )
            }
        }
    }
}

/// Shares of all clicks (or windows), the latest ones, that are for evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Share for validation.
    pub valid: f64,
    /// Share for testing, the latest.
    pub test: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TIME: Protocol = Protocol::Time {
        valid_from: 10,
        test_from: 20,
    };

    fn positions(protocol: Protocol, times: &[i64]) -> (usize, [Option<usize>; 3]) {
        let targets = [
            protocol.valid(times),
            protocol.test(times),
            protocol.unseen(times),
        ];
        (protocol.learnt(times), targets)
    }

    #[test]
    fn leave_one_out_needs_three_clicks_and_two_of_an_unseen_user() {
        let at = |clicks: usize| positions(Protocol::LeaveOneOut, &vec![7; clicks]);
        assert_eq!(at(0), (0, [None; 3]));
        assert_eq!(at(1), (1, [None; 3]));
        assert_eq!(at(2), (2, [None, None, Some(1)]));
        assert_eq!(at(5), (3, [Some(3), Some(4), Some(4)]));
    }

    #[test]
    fn by_time_the_first_click_of_each_period_is_predicted_from_all_before_it() {
        for (times, learnt, valid, test) in [
            (&[1, 9, 10, 15, 20, 25][..], 2, Some(2), Some(4)),
            (&[1, 9], 2, None, None),
            (&[1, 9, 22], 2, None, Some(2)),
            (&[1, 12], 1, Some(1), None),
            // No training click, so no validation, but a test target if there is a history.
            (&[12, 13, 30], 0, None, Some(2)),
            (&[30, 31], 0, None, None),
        ] {
            assert_eq!(
                positions(TIME, times),
                (learnt, [valid, test, test]),
                "{times:?}"
            );
        }
    }

    #[test]
    fn the_last_target_is_what_a_figure_is_reported_of() {
        let times = [1, 9, 10, 15, 20, 25];
        assert_eq!(Protocol::LeaveOneOut.last_target(&times), 5);
        let last = [6, 4, 2].map(|clicks| TIME.last_target(&times[..clicks]));
        assert_eq!(last, [4, 2, 1]);
        assert_eq!(TIME.last_target(&[]), 0);
    }

    #[test]
    fn moments_leave_the_asked_shares_after_them() {
        let times: Vec<i64> = (0..100).rev().collect();
        let shares = Shares {
            valid: 0.1,
            test: 0.2,
        };
        let expected = Protocol::Time {
            valid_from: 70,
            test_from: 80,
        };
        assert_eq!(Protocol::by_time(&times, shares), expected);
        let same = Protocol::Time {
            valid_from: 5,
            test_from: 5,
        };
        assert_eq!(Protocol::by_time(&[5; 9], shares), same);
    }

    const WINDOWS: Protocol = Protocol::Windows {
        valid_from: 10,
        test_from: 20,
    };

    #[test]
    fn a_window_is_learnt_whole_or_its_last_click_is_predicted() {
        for (time, learnt, valid, test) in [
            (9, 4, None, None),
            (10, 0, Some(3), None),
            (19, 0, Some(3), None),
            (20, 0, None, Some(3)),
        ] {
            let found = positions(WINDOWS, &[time; 4]);
            assert_eq!(found, (learnt, [valid, test, Some(3)]), "{time}");
            assert_eq!(WINDOWS.last_target(&[time; 4]), 3);
        }
        for time in [9, 15, 25] {
            assert_eq!(positions(WINDOWS, &[time]).1, [None; 3], "{time}");
        }
        assert_eq!(positions(WINDOWS, &[]), (0, [None; 3]));
    }

    #[test]
    fn a_share_of_no_windows_leaves_none_after_its_moment() {
        let times: Vec<i64> = (0..10).rev().collect();
        let of = |valid, test| Protocol::by_window(&times, Shares { valid, test });
        let windows = |valid_from, test_from| Protocol::Windows {
            valid_from,
            test_from,
        };
        assert_eq!(of(0.2, 0.1), windows(7, 9));
        assert_eq!(of(0.2, 0.0), windows(8, 10));
    }

    #[test]
    fn it_is_written_as_people_would() {
        let json = |protocol: Protocol| serde_json::to_string(&protocol).unwrap();
        assert_eq!(json(Protocol::LeaveOneOut), r#"{"by":"leave-one-out"}"#);
        assert_eq!(
            json(TIME),
            r#"{"by":"time","valid_from":10,"test_from":20}"#
        );
        assert_eq!(
            json(WINDOWS),
            r#"{"by":"windows","valid_from":10,"test_from":20}"#
        );
    }

    proptest! {
        #[test]
        fn nothing_learnt_is_from_after_the_line_and_no_target_from_before_its_history(
            mut times in prop::collection::vec(0_i64..30, 1..12),
        ) {
            times.sort_unstable();
            let (learnt, [valid, test, unseen]) = positions(TIME, &times);
            prop_assert!(times[..learnt].iter().all(|&time| time < 10));
            prop_assert!(times[learnt..].iter().all(|&time| time >= 10));
            if let Some(at) = valid {
                prop_assert_eq!(at, learnt);
                prop_assert!((10..20).contains(&times[at]) && times[at - 1] < 10);
            }
            if let Some(at) = test {
                prop_assert!(at >= learnt && times[at] >= 20 && times[at - 1] < 20);
            }
            prop_assert_eq!(test, unseen);
        }
    }
}
