//! The order of equal scores, and the best of a list.

use std::cmp::Ordering;

/// Makes all scores different without changing their order: among equal scores the item that is clicked more often
/// comes first (`places`), and scores move by the smallest steps that a float has. Entry 0 is padding and comes last.
///
/// Without this, a recommender that knows few neighbours gives most of the catalogue the score 0, and the rank of a
/// target would depend on how ties are counted.
pub(crate) fn untie(scores: &mut [f32], places: &[u32]) {
    let key = |item: usize, score: f32| {
        // A score that is no number comes last.
        let score = if score.is_nan() {
            f32::NEG_INFINITY
        } else {
            score + 0.0
        };
        let bits = score.to_bits();
        let ordered = if bits >> 31 == 1 {
            !bits
        } else {
            bits | 1 << 31
        };
        (u64::from(ordered) << 32) | u64::from(!places[item])
    };
    let mut keys: Vec<(u64, u32)> = (1..scores.len())
        .map(|item| (key(item, scores[item]), item as u32))
        .collect();
    keys.sort_unstable();
    let mut least = f32::MIN;
    for (_, item) in keys {
        let score = &mut scores[item as usize];
        // Not `max`, which would make nothing of an infinity or of no number.
        if !(*score >= least && score.is_finite()) {
            *score = least;
        }
        least = score.next_up();
    }
    if let Some(padding) = scores.first_mut() {
        *padding = f32::NEG_INFINITY;
    }
}

/// Which of two items comes first (`Less`) by score, and by place where scores are equal. What is no number is last.
pub(crate) fn better(scores: &[f32], places: &[u32], a: u32, b: u32) -> Ordering {
    let value = |item: u32| Some(scores[item as usize]).filter(|score| !score.is_nan());
    let by_score = value(b).partial_cmp(&value(a));
    let by_place = || places[a as usize].cmp(&places[b as usize]);
    by_score.unwrap_or(Ordering::Equal).then_with(by_place)
}

/// The `most` best items by score and place, best first, without those of `hidden`.
pub(crate) fn best_by(scores: &[f32], places: &[u32], hidden: &[u32], most: usize) -> Vec<u32> {
    first_of(scores.len(), hidden, most, |&a, &b| {
        better(scores, places, a, b)
    })
}

/// The `most` best items by score, best first, without those of `hidden`; equal scores by index. Entry 0 is padding.
pub fn best(scores: &[f32], hidden: &[u32], most: usize) -> Vec<u32> {
    first_of(scores.len(), hidden, most, |&a, &b| {
        let by_score = scores[b as usize].total_cmp(&scores[a as usize]);
        by_score.then(a.cmp(&b))
    })
}

fn first_of(
    rows: usize,
    hidden: &[u32],
    most: usize,
    order: impl Fn(&u32, &u32) -> Ordering,
) -> Vec<u32> {
    let mut hidden = hidden.to_vec();
    hidden.sort_unstable();
    let shown = |item: &u32| hidden.binary_search(item).is_err();
    let mut items: Vec<u32> = (1..rows as u32).filter(shown).collect();
    if most < items.len() {
        items.select_nth_unstable_by(most, &order);
        // Not truncated: a short list would keep the room of the whole catalogue.
        items = items[..most].to_vec();
    }
    items.sort_by(order);
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_scores_are_ordered_by_place_and_others_stay() {
        let mut scores = [9.0, 0.0, 2.0, 0.0, -1.0, -0.0];
        untie(&mut scores, &[u32::MAX, 2, 4, 1, 3, 0]);
        assert_eq!(scores[0], f32::NEG_INFINITY);
        assert_eq!((scores[2], scores[4]), (2.0, -1.0));
        assert!(scores[5] > scores[3] && scores[3] > scores[1] && scores[1] > -1.0);
        assert!(scores[5] < 1e-40);
    }

    #[test]
    fn what_is_no_number_comes_last() {
        let mut scores = [0.0, f32::NAN, 1.0, f32::NEG_INFINITY, -7.0];
        untie(&mut scores, &[u32::MAX, 1, 2, 0, 3]);
        assert_eq!(best(&scores, &[], 4), [2, 4, 3, 1]);
    }

    #[test]
    fn the_best_are_without_what_is_hidden() {
        let scores = [99.0, 3.0, 5.0, 4.0, 5.0];
        assert_eq!(best(&scores, &[3, 3], 2), [2, 4]);
        assert_eq!(best(&scores, &[2], 9), [4, 3, 1]);
        assert_eq!(best(&scores, &[1, 2, 3, 4], 3), [0_u32; 0]);
        assert_eq!(best(&scores, &[], 0), [0_u32; 0]);
    }

    proptest! {
        #[test]
        fn untied_scores_are_strictly_ordered_as_value_and_place_say(
            values in prop::collection::vec(-3_i8..4, 1..60), seed in any::<u64>(),
        ) {
            let items = values.len();
            let order = ingle_model::Rng::new(seed, &[]).permutation(items);
            let mut places = vec![u32::MAX];
            places.extend(order.iter().map(|&place| place as u32));
            let before: Vec<f32> = [0.0].into_iter().chain(values.iter().map(|&v| f32::from(v))).collect();
            let mut after = before.clone();
            untie(&mut after, &places);
            for a in 1..=items {
                prop_assert!((after[a] - before[a]).abs() < 1e-4);
                for b in 1..=items {
                    let tied = before[a] == before[b] && places[a] < places[b];
                    let first = before[a] > before[b] || tied;
                    prop_assert_eq!(after[a] > after[b], first, "{} {}", a, b);
                }
            }
            prop_assert_eq!(best(&after, &[], items).len(), items);
        }
    }
}
