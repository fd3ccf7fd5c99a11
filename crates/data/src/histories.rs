//! Clicks by user, sorted by time, while a dataset is built: three arrays that are changed in place.

use super::read::Click;

/// Puts clicks of one moment in order, by user, item and time; users have their final numbers.
pub(super) type Tie<'a> = dyn Fn(usize, u32, i64) -> u64 + 'a;

/// The clicks of all users, concatenated.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Histories {
    /// Start of each user's clicks, and the end.
    pub(super) offsets: Vec<usize>,
    pub(super) items: Vec<u32>,
    pub(super) times: Vec<i64>,
    /// Weight of each click as a target; empty if there are none.
    pub(super) weights: Vec<f32>,
}

impl Histories {
    /// Groups clicks by user; `places` gives each user's final number. Clicks of a user are sorted by time, and those
    /// of equal time by `tie`, or as they stand without one. Equal clicks are in the order of their weights.
    pub(super) fn group(
        clicks: &[Click],
        of_clicks: &[f32],
        places: &[u32],
        tie: Option<&Tie<'_>>,
    ) -> Self {
        let mut offsets = vec![0; places.len() + 1];
        for click in clicks {
            offsets[places[click.user as usize] as usize + 1] += 1;
        }
        for place in 1..offsets.len() {
            offsets[place] += offsets[place - 1];
        }
        let mut next = offsets.clone();
        let (mut items, mut times) = (vec![0; clicks.len()], vec![0; clicks.len()]);
        let mut weights = vec![0.0; of_clicks.len()];
        for (number, click) in clicks.iter().enumerate() {
            let at = &mut next[places[click.user as usize] as usize];
            (items[*at], times[*at]) = (click.item, click.time);
            if let Some(&weight) = of_clicks.get(number) {
                weights[*at] = weight;
            }
            *at += 1;
        }
        let mut histories = Self {
            offsets,
            items,
            times,
            weights,
        };
        histories.sort(tie);
        histories
    }

    fn sort(&mut self, tie: Option<&Tie<'_>>) {
        let mut clicks: Vec<(i64, u64, u32, f32)> = Vec::new();
        for (user, ends) in self.offsets.windows(2).enumerate() {
            let times = &mut self.times[ends[0]..ends[1]];
            if times.windows(2).all(|pair| pair[0] < pair[1]) {
                continue;
            }
            let items = &mut self.items[ends[0]..ends[1]];
            let weights = self.weights.get_mut(ends[0]..ends[1]).unwrap_or_default();
            let weight = |at: usize| weights.get(at).copied().unwrap_or_default();
            clicks.clear();
            clicks.extend((0..times.len()).map(|at| {
                let (time, item) = (times[at], items[at]);
                let tie = tie.map_or(0, |tie| tie(user, item, time));
                (time, tie, item, weight(at))
            }));
            if tie.is_some() {
                clicks.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.3.total_cmp(&b.3)));
            } else {
                clicks.sort_by_key(|click| click.0);
            }
            for (at, &(time, _, item, weight)) in clicks.iter().enumerate() {
                (times[at], items[at]) = (time, item);
                if let Some(place) = weights.get_mut(at) {
                    *place = weight;
                }
            }
        }
    }

    /// Makes one click of those of a user that follow each other on one item; the first stays, with the largest of
    /// their weights. Returns how many are gone.
    pub(super) fn merge(&mut self) -> usize {
        let before = self.items.len();
        let (mut last, mut kept) = (None, 0);
        let mut heaviest = Vec::with_capacity(self.weights.len());
        let weights = std::mem::take(&mut self.weights);
        self.retain(|user, item, _| {
            let new = last != Some((user, item));
            last = Some((user, item));
            match (weights.get(kept), heaviest.last_mut()) {
                (Some(&weight), Some(heaviest)) if !new => *heaviest = weight.max(*heaviest),
                (Some(&weight), _) => heaviest.push(weight),
                (None, _) => {}
            }
            kept += 1;
            new
        });
        self.weights = heaviest;
        before - self.items.len()
    }

    /// Number of clicks of each user.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.offsets.windows(2).map(|ends| ends[1] - ends[0])
    }

    /// Number of clicks of each of `items` items.
    pub(super) fn counts(&self, items: usize) -> Vec<usize> {
        let mut counts = vec![0; items];
        for &item in &self.items {
            counts[item as usize] += 1;
        }
        counts
    }

    /// Keeps the clicks for which `keep(user, item, time)` is true; it is called in order, user by user.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize, u32, i64) -> bool) {
        let (mut start, mut kept) = (0, 0);
        for user in 0..self.offsets.len().saturating_sub(1) {
            let end = self.offsets[user + 1];
            for at in start..end {
                let (item, time) = (self.items[at], self.times[at]);
                if keep(user, item, time) {
                    (self.items[kept], self.times[kept]) = (item, time);
                    if !self.weights.is_empty() {
                        self.weights[kept] = self.weights[at];
                    }
                    kept += 1;
                }
            }
            start = end;
            self.offsets[user + 1] = kept;
        }
        self.items.truncate(kept);
        self.times.truncate(kept);
        self.weights.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn grouping_is_a_stable_sort_by_user_and_time(
            clicks in prop::collection::vec((0_u32..5, 0_i64..4), 0..60),
        ) {
            let clicks: Vec<Click> = (clicks.into_iter().enumerate())
                .map(|(at, (user, time))| Click { user, item: at as u32, time })
                .collect();
            let weights: Vec<f32> = (0..clicks.len()).map(|at| at as f32).collect();
            let histories = Histories::group(&clicks, &weights, &[3, 1, 4, 0, 2], None);
            // In this test a click's weight equals its item, so that they can be compared.
            let items = histories.items.iter().map(|&item| item as f32);
            prop_assert_eq!(&histories.weights, &items.collect::<Vec<_>>());
            prop_assert!(Histories::group(&clicks, &[], &[3, 1, 4, 0, 2], None).weights.is_empty());
            let mut sorted = clicks;
            sorted.sort_by_key(|click| ([3, 1, 4, 0, 2][click.user as usize], click.time));
            prop_assert_eq!(histories.items, sorted.iter().map(|c| c.item).collect::<Vec<_>>());
            prop_assert_eq!(histories.times, sorted.iter().map(|c| c.time).collect::<Vec<_>>());
            prop_assert_eq!(histories.offsets.len(), 6);
        }

        #[test]
        fn clicks_in_any_order_are_grouped_alike_and_repeats_merged(
            rows in prop::collection::vec((0_u32..3, 0_u32..4, 0_i64..3, 0_u8..3), 0..40),
        ) {
            let tie = |user: usize, item: u32, time: i64| {
                (user as u64 + 7) * (u64::from(item ^ 2) + 3) * (time as u64 + 5) % 1009
            };
            let grouped = |rows: &[(u32, u32, i64, u8)]| {
                let click = |&(user, item, time, _): &(u32, u32, i64, u8)| Click { user, item, time };
                let clicks: Vec<Click> = rows.iter().map(click).collect();
                let weights: Vec<f32> = rows.iter().map(|row| f32::from(row.3)).collect();
                Histories::group(&clicks, &weights, &[2, 0, 1], Some(&tie))
            };
            let mut forth = grouped(&rows);
            let back: Vec<_> = rows.iter().rev().copied().collect();
            prop_assert_eq!(&forth, &grouped(&back));
            let repeats = (1..forth.items.len())
                .filter(|at| forth.items[at - 1] == forth.items[*at] && !forth.offsets.contains(at));
            let (due, all) = (repeats.count(), forth.items.len());
            let heaviest = forth.weights.iter().copied().fold(0.0, f32::max);
            prop_assert_eq!(forth.merge(), due);
            prop_assert_eq!((forth.items.len(), forth.weights.len()), (all - due, all - due));
            prop_assert_eq!(forth.weights.iter().copied().fold(0.0, f32::max), heaviest);
            prop_assert_eq!(forth.merge(), 0);
        }

        #[test]
        fn what_is_kept_stays_with_its_user(
            lengths in prop::collection::vec(0_usize..6, 0..8), modulo in 1_u32..5,
        ) {
            let mut offsets = vec![0];
            offsets.extend(lengths.iter().scan(0, |end, length| { *end += length; Some(*end) }));
            let clicks = lengths.iter().sum::<usize>() as u32;
            let owner = |item: u32| offsets.iter().filter(|&&end| end <= item as usize).count() - 1;
            let mut histories = Histories {
                offsets: offsets.clone(),
                items: (0..clicks).collect(),
                times: (0..i64::from(clicks)).collect(),
                weights: (0..clicks).map(|item| item as f32).collect(),
            };
            let mut asked = Vec::new();
            histories.retain(|user, item, _| { asked.push((user, item)); item % modulo == 0 });
            prop_assert_eq!(asked, (0..clicks).map(|item| (owner(item), item)).collect::<Vec<_>>());
            for (user, ends) in histories.offsets.windows(2).enumerate() {
                let items = &histories.items[ends[0]..ends[1]];
                prop_assert!(items.iter().all(|&item| owner(item) == user && item % modulo == 0));
            }
            prop_assert_eq!(histories.items.len(), (0..clicks).filter(|i| i % modulo == 0).count());
            prop_assert_eq!(histories.items.len(), histories.times.len());
            let items = histories.items.iter().map(|&item| item as f32);
            prop_assert_eq!(&histories.weights, &items.collect::<Vec<_>>());
        }
    }
}
