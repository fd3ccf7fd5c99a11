//! Tests of evaluation.

use super::*;

#[test]
fn the_control_has_as_many_histories_of_as_many_clicks_and_the_same_draw_again() {
    let kept = Rule::even(4).histories(&[0.0, 0.5, 0.9, 0.2, 0.0], None);
    let draw = |seed| at_random(&kept, 5, &mut Rng::new(seed, &[]));
    let mut different = 0;
    for seed in 0..20 {
        let drawn = draw(seed);
        assert_eq!(drawn, draw(seed));
        let shape = |of: &KeptHistories| -> Vec<(usize, f32)> {
            of.sets
                .iter()
                .map(|set| (set.clicks.len(), set.weight))
                .collect()
        };
        assert_eq!(shape(&drawn), shape(&kept));
        assert!(
            drawn
                .sets
                .iter()
                .all(|set| set.clicks.is_sorted_by(|a, b| a < b))
        );
        assert!(
            drawn
                .sets
                .iter()
                .flat_map(|set| &set.clicks)
                .all(|&at| at < 5)
        );
        different += usize::from(drawn != kept);
    }
    assert!(
        different > 15,
        "{different} draws of 20 are not the model's"
    );
}

#[test]
fn an_oracle_keeps_what_is_not_noise_and_never_nothing() {
    let case = |noise| Case {
        user: 0,
        history: &[5, 6, 7],
        noise,
        original: None,
        target: 1,
    };
    assert_eq!(real(&case(Some(&[0, 1, 0]))), [0, 2]);
    assert_eq!(real(&case(Some(&[1, 1, 1]))), [2]);
    assert_eq!(real(&case(None)), [0, 1, 2]);
}

#[test]
fn histories_of_the_latest_clicks_are_found_among_all() {
    let kept = KeptHistories::of([vec![0, 2], vec![1]].into_iter());
    let moved = kept.after(10);
    let clicks: Vec<&[usize]> = moved.sets.iter().map(|set| &set.clicks[..]).collect();
    assert_eq!(clicks, [&[10, 12][..], &[11]]);
}
