//! Ranking figures: the target's rank among all items, and HR, NDCG and MRR cut at 5, 10 and 20.
//!
//! Every item of the catalogue is ranked. `masked` leaves out the items that were clicked before (on purpose, where
//! it is known which clicks are noise; the target stays in even if it was seen), `unmasked` leaves out nothing. The target ranks after
//! every item of equal score.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Cut-offs of all figures.
pub const CUTS: [usize; 3] = [5, 10, 20];

/// How many figures there are: three kinds at each of [`CUTS`].
pub const FIGURES: usize = 3 * CUTS.len();

/// Position of HR@10 among the figures.
pub const HR10: usize = 1;
/// Position of NDCG@10 among the figures.
pub const NDCG10: usize = 4;

/// Names of all figures, in the order of [`Figures::values`]: `HR@5`, `HR@10`, ..., `MRR@20`.
pub fn names() -> [String; FIGURES] {
    const KINDS: [&str; 3] = ["HR", "NDCG", "MRR"];
    std::array::from_fn(|at| format!("{}@{}", KINDS[at / CUTS.len()], CUTS[at % CUTS.len()]))
}

/// The rank of a target, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// Among items that were not clicked before.
    pub masked: usize,
    /// Among all items.
    pub unmasked: usize,
}

/// Ranks `target` by `scores` (by item; entry 0 is padding and ignored), given the items that were clicked before.
pub fn rank(scores: &[f32], target: u32, clicked: &[u32]) -> Rank {
    // A target without a score ranks last.
    let at_target = Some(scores[target as usize])
        .filter(|s| !s.is_nan())
        .unwrap_or(f32::NEG_INFINITY);
    let ahead = |score: f32| usize::from(score >= at_target || score.is_nan());
    let unmasked = scores[1..].iter().map(|&s| ahead(s)).sum::<usize>();
    let mut seen: Vec<u32> = clicked.iter().copied().filter(|&i| i != target).collect();
    seen.sort_unstable();
    seen.dedup();
    let hidden = seen
        .iter()
        .map(|&i| ahead(scores[i as usize]))
        .sum::<usize>();
    // The target itself is counted, which makes the count its rank.
    Rank {
        masked: unmasked - hidden,
        unmasked,
    }
}

/// Mean HR, NDCG and MRR of some ranks.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// `(hr, ndcg, mrr)` at each of [`CUTS`].
    pub at: [(f64, f64, f64); CUTS.len()],
}

impl Figures {
    /// Means over `ranks`; zeros if there are none.
    pub fn of(ranks: &(impl Iterator<Item = usize> + Clone)) -> Self {
        let count = ranks.clone().count().max(1) as f64;
        let at = CUTS.map(|cut| {
            let (mut hr, mut ndcg, mut mrr) = (0.0, 0.0, 0.0);
            for rank in ranks.clone().filter(|&rank| rank <= cut) {
                hr += 1.0;
                ndcg += 1.0 / ((rank + 1) as f64).log2();
                mrr += 1.0 / rank as f64;
            }
            (hr / count, ndcg / count, mrr / count)
        });
        Self { at }
    }

    /// All figures of a single rank, in the order of [`names`].
    pub fn of_rank(rank: usize) -> [f64; FIGURES] {
        Self::of(&std::iter::once(rank)).values()
    }

    /// All figures, in the order of [`names`].
    pub fn values(&self) -> [f64; FIGURES] {
        std::array::from_fn(|at| {
            let (hr, ndcg, mrr) = self.at[at % CUTS.len()];
            [hr, ndcg, mrr][at / CUTS.len()]
        })
    }

    /// NDCG@10, by which backbones are selected.
    pub fn ndcg10(&self) -> f64 {
        self.at[1].1
    }

    /// `{"hr@5": ..., "ndcg@5": ..., "mrr@5": ..., "hr@10": ...}`
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        for (cut, (hr, ndcg, mrr)) in CUTS.iter().zip(self.at) {
            map.insert(format!("hr@{cut}"), json!(hr));
            map.insert(format!("ndcg@{cut}"), json!(ndcg));
            map.insert(format!("mrr@{cut}"), json!(mrr));
        }
        Value::Object(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_ranks_after_equal_scores() {
        assert_eq!(rank(&[9.0, 1.0, 1.0, 1.0, 0.0], 2, &[]).unmasked, 3);
        assert_eq!(rank(&[9.0, 1.0, 2.0, 1.0], 2, &[]).unmasked, 1);
    }

    #[test]
    fn seen_items_are_left_out_only_when_masked() {
        let scores = [0.0, 3.0, 2.0, 1.0, 4.0];
        let r = rank(&scores, 3, &[1, 1, 4]);
        assert_eq!((r.masked, r.unmasked), (2, 4));
        // A target seen before can still be found.
        assert_eq!(rank(&scores, 3, &[3]).masked, 4);
    }

    #[test]
    fn a_score_that_is_no_number_never_flatters() {
        assert_eq!(rank(&[0.0, f32::NAN, 1.0], 2, &[]).unmasked, 2);
        assert_eq!(rank(&[0.0, 0.5, f32::NAN], 2, &[]).unmasked, 2);
    }

    #[test]
    fn figures_are_the_textbook_ones() {
        let figures = Figures::of(&[1usize, 3, 11, 100].into_iter());
        let (hr, ndcg, mrr) = figures.at[1];
        assert!((hr - 0.5).abs() < 1e-12);
        assert!((ndcg - (1.0 + 0.5) / 4.0).abs() < 1e-12);
        assert!((mrr - (1.0 + 1.0 / 3.0) / 4.0).abs() < 1e-12);
        assert_eq!(figures.at[0].0, 0.5);
        assert_eq!(figures.at[2].0, 0.75);
        assert_eq!(Figures::of(&std::iter::empty()).ndcg10(), 0.0);
    }

    #[test]
    fn the_positions_are_those_of_the_names() {
        assert_eq!((&*names()[HR10], &*names()[NDCG10]), ("HR@10", "NDCG@10"));
        assert_eq!(Figures::of_rank(2)[NDCG10], 1.0 / 3f64.log2());
    }

    #[test]
    fn names_and_values_are_in_the_same_order() {
        let figures = Figures::of(&[1usize, 3, 11, 100].into_iter());
        let json = figures.to_json();
        for (name, value) in names().iter().zip(figures.values()) {
            assert_eq!(json[name.to_lowercase()], value, "{name}");
        }
    }

    /// The upper 24 bits of a `SplitMix64` finaliser: what `scripts/parity/ranking_metrics.py` draws.
    fn bits(user: usize, item: u32, draw: u32) -> u32 {
        let key = (user as u64 * 1000 + u64::from(item)) * 1000 + u64::from(draw);
        let mut word = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 40) as u32
    }

    #[test]
    fn figures_equal_those_of_ranx() {
        const ITEMS: u32 = 120;
        let golden: Value =
            serde_json::from_str(include_str!("golden_ranking.json")).expect("JSON");
        let users = golden["users"].as_u64().expect("a number") as usize;
        let mut targets_seen = 0;
        let ranks: Vec<Rank> = (0..users)
            .map(|user| {
                let target = 1 + bits(user, 0, 0) % ITEMS;
                let history: Vec<u32> = (1..=15)
                    .map(|draw| 1 + bits(user, 0, draw) % ITEMS)
                    .collect();
                targets_seen += usize::from(history.contains(&target));
                let score = |item| {
                    let draws = if item == target { 8 } else { 1 };
                    (0..draws).map(|draw| bits(user, item, draw)).max()
                };
                let scores: Vec<f32> = (0..=ITEMS)
                    .map(|item| score(item).expect("a draw") as f32)
                    .collect();
                rank(&scores, target, &history)
            })
            .collect();
        assert_eq!(golden["targets_seen"], targets_seen);
        let masked = Figures::of(&ranks.iter().map(|rank| rank.masked));
        let unmasked = Figures::of(&ranks.iter().map(|rank| rank.unmasked));
        for (view, figures) in [("masked", masked), ("unmasked", unmasked)] {
            for (name, value) in names().iter().zip(figures.values()) {
                let expected = golden[view][name.to_lowercase()]
                    .as_f64()
                    .expect("a number");
                assert!(
                    (value - expected).abs() < 1e-9,
                    "{view} {name}: {value} and {expected}"
                );
            }
        }
    }
}
