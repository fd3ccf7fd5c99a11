//! Figures of a dataset: its size, and what was removed.

use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};
use std::fmt;

use super::dataset::Parts;
use super::protocol::Protocol;

/// Size and shape of a dataset, and what was removed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Number of users.
    pub users: usize,
    /// Number of items.
    pub items: usize,
    /// Number of clicks.
    pub clicks: usize,
    /// The share of the pairs of a user and an item that have a click.
    pub density: f64,
    /// Clicks that share their moment with another click of their user: the log does not tell their order.
    #[serde(default)]
    pub tied_clicks: usize,
    /// Test targets that are on the item of the click before them.
    #[serde(default)]
    pub repeated_targets: usize,
    /// Lengths of histories.
    pub history: Lengths,
    /// Users held out from training.
    pub unseen_users: usize,
    /// Number of users by split.
    #[serde(default)]
    pub cases: Cases,
    /// Items without a title.
    pub items_without_title: usize,
    /// Items without a category.
    pub items_without_category: usize,
    /// Items that occur in no training history.
    pub items_without_training: usize,
    /// Figures of windows, if every user is a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowFigures>,
    /// What was removed.
    pub dropped: Dropped,
}

/// Figures of windows, in addition to those of histories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowFigures {
    /// Number of shoppers; some have several windows.
    pub shoppers: usize,
    /// Clicks labelled as noise.
    pub noisy_clicks: usize,
    /// Windows whose last click is noise and therefore not a target.
    pub noisy_targets: usize,
    /// Held-out windows of a shopper of whom another window is trained on.
    pub familiar: usize,
    /// Targets that are also in a training window of the same shopper.
    pub learnt_targets: usize,
}

/// Number of users by split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cases {
    /// Users with a training click.
    pub train: usize,
    /// Users with a validation target.
    pub valid: usize,
    /// Users with a test target.
    pub test: usize,
    /// Users with a test target but no training click.
    pub unseen: usize,
}

/// Quantiles of the number of clicks per user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// The minimum.
    pub min: usize,
    /// The first quartile.
    pub p25: usize,
    /// The median.
    pub median: usize,
    /// The third quartile.
    pub p75: usize,
    /// The 95th percentile.
    pub p95: usize,
    /// The maximum.
    pub max: usize,
    /// The mean.
    pub mean: f64,
}

/// What was removed, in the order of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Rows of clicks read, good and bad.
    pub rows: u64,
    /// Rows that could not be read, of clicks and of items.
    pub bad_rows: u64,
    /// Rows equal to an earlier one, if repeated rows count once.
    pub duplicates: usize,
    /// Clicks on the item of the click before, if such count once.
    #[serde(default)]
    pub repeats: usize,
    /// Number of passes of the k-core filter.
    pub core_rounds: usize,
    /// Users with too few clicks.
    pub core_users: usize,
    /// Items with too few clicks.
    pub core_items: usize,
    /// Clicks of those users or on those items.
    pub core_clicks: usize,
    /// Items of the items file without a click.
    pub unclicked_items: usize,
    /// Repeated rows for an item in the items file.
    pub repeated_items: usize,
}

impl Lengths {
    /// From lengths in any order. A quantile is an observed length (the nearest rank).
    fn of(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        let Some(last) = lengths.len().checked_sub(1) else {
            return Self::default();
        };
        let at = |share: f64| lengths[(share * last as f64).round() as usize];
        Self {
            min: lengths[0],
            p25: at(0.25),
            median: at(0.5),
            p75: at(0.75),
            p95: at(0.95),
            max: lengths[last],
            mean: lengths.iter().sum::<usize>() as f64 / lengths.len() as f64,
        }
    }
}

impl Summary {
    pub(super) fn of(parts: &Parts, split: Protocol, dropped: Dropped) -> Self {
        let (cases, trained) = cases(parts, split);
        let (users, items, clicks) = (parts.users.len(), parts.items.len(), parts.clicks.len());
        let lengths = parts.offsets.windows(2).map(|w| w[1] - w[0]).collect();
        Self {
            users,
            items,
            clicks,
            density: pairs(parts) as f64 / (users as f64 * items as f64).max(1.0),
            tied_clicks: tied(parts, split),
            repeated_targets: repeated(parts, split),
            history: Lengths::of(lengths),
            unseen_users: parts.unseen.iter().filter(|&&unseen| unseen).count(),
            cases,
            items_without_title: parts.items.iter().filter(|i| i.title.is_none()).count(),
            items_without_category: parts.items.iter().filter(|i| i.category.is_none()).count(),
            items_without_training: items - trained,
            windows: None,
            dropped,
        }
    }

    /// The figures as a table.
    pub fn table(&self) -> Table {
        let mut table = plain_table();
        for (what, figure) in self.rows() {
            table.add_row([what, figure]);
        }
        table
    }

    /// Names and formatted figures.
    pub fn rows(&self) -> Vec<(String, String)> {
        let n = |n: usize| grouped(n as u64);
        let mut rows = vec![
            ("users", n(self.users)),
            ("items", n(self.items)),
            ("clicks", n(self.clicks)),
            ("density", format!("{:.4} %", 100.0 * self.density)),
            ("clicks per user", self.history.to_string()),
            ("users held out", n(self.unseen_users)),
            ("users by use", self.cases.line()),
            ("items without title", n(self.items_without_title)),
            ("items without category", n(self.items_without_category)),
        ];
        if self.tied_clicks > 0 {
            let share = 100.0 * self.tied_clicks as f64 / self.clicks as f64;
            let tied = format!("{} ({share:.1} %)", n(self.tied_clicks));
            rows.push(("clicks of one moment, in no order", tied));
        }
        if self.repeated_targets > 0 {
            let asked = n(self.cases.test + self.cases.unseen);
            let repeated = format!("{} of {asked}", n(self.repeated_targets));
            rows.push(("targets that repeat the click before", repeated));
        }
        if self.items_without_training > 0 {
            let untrained = n(self.items_without_training);
            rows.push(("items without a training click", untrained));
        }
        rows.extend(self.windows.iter().flat_map(WindowFigures::rows));
        let named = rows
            .into_iter()
            .map(|(what, figure)| (what.to_owned(), figure));
        let dropped = self.dropped.lines().into_iter();
        named
            .chain(dropped.map(|(what, figure)| (format!("dropped: {what}"), figure)))
            .collect()
    }
}

impl WindowFigures {
    fn rows(&self) -> [(&'static str, String); 5] {
        let n = |n: usize| grouped(n as u64);
        [
            ("shoppers behind the users", n(self.shoppers)),
            ("clicks labelled noise", n(self.noisy_clicks)),
            (
                "targets that are noise, not predicted",
                n(self.noisy_targets),
            ),
            ("users held out of learnt shoppers", n(self.familiar)),
            ("targets in learnt windows", n(self.learnt_targets)),
        ]
    }
}

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = |n: usize| grouped(n as u64);
        write!(
            f,
            "min {}, quartiles {} {} {}, 95 % {}, max {}, mean {:.1}",
            n(self.min),
            n(self.p25),
            n(self.median),
            n(self.p75),
            n(self.p95),
            n(self.max),
            self.mean
        )
    }
}

impl Cases {
    fn line(&self) -> String {
        let figures = [self.train, self.valid, self.test, self.unseen];
        let [train, valid, test, unseen] = figures.map(|n| grouped(n as u64));
        format!("train {train}, valid {valid}, test {test}, unseen {unseen}")
    }
}

/// Number of pairs of a user and an item that have a click.
fn pairs(parts: &Parts) -> usize {
    let mut seen = vec![usize::MAX; parts.items.len() + 1];
    let mut pairs = 0;
    for (user, ends) in parts.offsets.windows(2).enumerate() {
        for &item in &parts.clicks[ends[0]..ends[1]] {
            let last = std::mem::replace(&mut seen[item as usize], user);
            pairs += usize::from(last != user);
        }
    }
    pairs
}

/// Number of clicks that share their moment with another of their user. Those of a window have its time by design.
fn tied(parts: &Parts, split: Protocol) -> usize {
    if matches!(split, Protocol::Windows { .. }) {
        return 0;
    }
    let times = |ends: &[usize]| &parts.timestamps[ends[0]..ends[1]];
    let moments = parts.offsets.windows(2).map(times);
    let moments = moments.flat_map(|times| times.chunk_by(|a, b| a == b));
    moments.map(<[i64]>::len).filter(|&clicks| clicks > 1).sum()
}

/// Number of test targets on the item of the click before.
fn repeated(parts: &Parts, split: Protocol) -> usize {
    let repeats = |(user, ends): (usize, &[usize])| {
        let times = &parts.timestamps[ends[0]..ends[1]];
        let target = if parts.unseen[user] {
            split.unseen(times)
        } else {
            split.test(times)
        };
        let at = target
            .filter(|&target| target > 0)
            .map(|target| ends[0] + target);
        at.is_some_and(|at| parts.truth(at) == Some(parts.clicks[at - 1]))
    };
    parts
        .offsets
        .windows(2)
        .enumerate()
        .filter(|user| repeats(*user))
        .count()
}

/// Users by split, and the number of items that occur in a training history.
fn cases(parts: &Parts, split: Protocol) -> (Cases, usize) {
    let mut cases = Cases::default();
    let mut trained = vec![false; parts.items.len()];
    for (user, ends) in parts.offsets.windows(2).enumerate() {
        let times = &parts.timestamps[ends[0]..ends[1]];
        let counts = |target: Option<usize>| {
            let truth = target.and_then(|target| parts.truth(ends[0] + target));
            usize::from(truth.is_some())
        };
        if parts.unseen[user] {
            cases.unseen += counts(split.unseen(times));
            continue;
        }
        let learnt = split.learnt(times);
        for &item in &parts.clicks[ends[0]..ends[0] + learnt] {
            trained[item as usize - 1] = true;
        }
        cases.train += usize::from(learnt > 0);
        cases.valid += counts(split.valid(times));
        cases.test += counts(split.test(times));
    }
    (
        cases,
        trained.into_iter().filter(|&trained| trained).count(),
    )
}

impl Dropped {
    /// What was removed, with counts; steps that removed nothing are left out.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let mut line = |what, count: u64, figure: String| {
            if count > 0 {
                lines.push((what, figure));
            }
        };
        let rows = format!("{} of {} read", grouped(self.bad_rows), grouped(self.rows));
        line("bad rows", self.bad_rows, rows);
        let n = |n: usize| grouped(n as u64);
        line("duplicate rows", self.duplicates as u64, n(self.duplicates));
        line(
            "repeats of the click before",
            self.repeats as u64,
            n(self.repeats),
        );
        let core = format!(
            "{} clicks of {} users and on {} items, {} rounds",
            n(self.core_clicks),
            n(self.core_users),
            n(self.core_items),
            self.core_rounds
        );
        line("too few clicks", self.core_clicks as u64, core);
        line(
            "items nobody clicked",
            self.unclicked_items as u64,
            n(self.unclicked_items),
        );
        line(
            "repeated item rows",
            self.repeated_items as u64,
            n(self.repeated_items),
        );
        lines
    }
}

/// An empty table of names and figures.
pub(crate) fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    if let Some(names) = table.column_mut(0) {
        names.set_cell_alignment(CellAlignment::Left);
    }
    table
}

/// A number with commas between groups of three digits.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::super::Relabelled;
    use super::super::testing::parts;
    use super::*;

    #[test]
    fn counts_what_is_there() {
        let parts = parts(&[&[1, 2, 3, 4], &[1, 2], &[4]], &[1]);
        let summary = Summary::of(&parts, Protocol::LeaveOneOut, Dropped::default());
        assert_eq!((summary.users, summary.items, summary.clicks), (3, 4, 7));
        assert!((summary.density - 7.0 / 12.0).abs() < 1e-12);
        assert_eq!(
            (summary.unseen_users, summary.items_without_training),
            (1, 1)
        );
        let cases = Cases {
            train: 2,
            valid: 1,
            test: 1,
            unseen: 1,
        };
        assert_eq!((summary.items_without_title, summary.cases), (4, cases));
        let lengths = summary.history;
        assert_eq!((lengths.min, lengths.median, lengths.max), (1, 2, 4));
        assert!((lengths.mean - 7.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_target_that_is_noise_is_no_case() {
        let mut parts = parts(&[&[1, 2, 3], &[1, 2, 3], &[3, 2, 1]], &[2]);
        let times = [1, 2, 3].map(|time| [time; 3]);
        parts.timestamps = times.concat();
        parts.relabelled = Some(Relabelled {
            noise: vec![1, 0, 1, 0, 0, 1, 0, 0, 0],
            original: None,
        });
        let split = Protocol::Windows {
            valid_from: 2,
            test_from: 3,
        };
        let cases = Summary::of(&parts, split, Dropped::default()).cases;
        assert_eq!((cases.train, cases.valid, cases.unseen), (1, 0, 1));
    }

    #[test]
    fn shows_only_what_was_dropped() {
        let parts = parts(&[&[1, 2]], &[]);
        let clean = Summary::of(&parts, Protocol::LeaveOneOut, Dropped::default());
        assert!(!clean.table().to_string().contains("dropped"));
        let dropped = Dropped {
            rows: 12_345,
            bad_rows: 2,
            ..Dropped::default()
        };
        let table = Summary::of(&parts, Protocol::LeaveOneOut, dropped);
        let table = table.table().to_string();
        assert!(table.contains("2 of 12,345 read"), "{table}");
        assert!(!table.contains("duplicate"), "{table}");
    }

    #[test]
    fn groups_thousands() {
        let shown = [0, 999, 1_000, 198_502, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "198,502", "1,234,567"]);
    }
}
