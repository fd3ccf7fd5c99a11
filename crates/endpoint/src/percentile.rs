//! Scores of one history as probabilities.

/// The percentile of each score among those that are there, in (0, 1): the share of scores below it and
/// half of those equal to it, itself included. No score is no opinion: one half. The logit of a
/// percentile is finite, and those of a history without ties add up to nothing.
pub(crate) fn percentiles(scores: &[Option<f32>]) -> Vec<f32> {
    let mut sorted: Vec<f32> = scores.iter().flatten().copied().collect();
    sorted.sort_by(f32::total_cmp);
    let percentile = |score: f32| {
        let below = sorted.partition_point(|&other| other < score);
        let upto = sorted.partition_point(|&other| other <= score);
        (below + upto) as f32 / (2 * sorted.len()) as f32
    };
    let of = |score: &Option<f32>| score.map_or(0.5, percentile);
    scores.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_highest_score_is_the_most_likely_noise() {
        let scores = [-3.0, -1.0, -9.0, -2.0].map(Some);
        assert_eq!(percentiles(&scores), [0.375, 0.875, 0.125, 0.625]);
    }

    #[test]
    fn equal_scores_share_a_percentile() {
        let scores = [Some(-1.0), Some(-2.0), Some(-1.0), None];
        assert_eq!(percentiles(&scores), [2.0 / 3.0, 1.0 / 6.0, 2.0 / 3.0, 0.5]);
        assert_eq!(percentiles(&[Some(-4.0); 3]), [0.5; 3]);
    }

    #[test]
    fn one_title_or_none_has_nothing_to_be_compared_with() {
        assert_eq!(percentiles(&[Some(-4.0)]), [0.5]);
        assert_eq!(percentiles(&[None]), [0.5]);
        assert!(percentiles(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn percentiles_keep_the_order_and_are_a_half_on_average(
            scores in prop::collection::vec(-50.0_f32..0.0, 1..60),
        ) {
            let found = percentiles(&scores.iter().copied().map(Some).collect::<Vec<_>>());
            for (a, p) in scores.iter().zip(&found) {
                prop_assert!(*p > 0.0 && *p < 1.0);
                for (b, q) in scores.iter().zip(&found) {
                    prop_assert_eq!(a.partial_cmp(b), p.partial_cmp(q));
                }
            }
            let mean = found.iter().sum::<f32>() / found.len() as f32;
            prop_assert!((mean - 0.5).abs() < 1e-4);
        }
    }
}
