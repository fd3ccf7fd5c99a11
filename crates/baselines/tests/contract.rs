//! What holds for every recommender.

use ingle_baselines::{Baseline, Error, Method, Settings, best, evaluate, tune};
use ingle_data::testing::{dataset, from_parts, parts};
use ingle_data::{Dataset, Parts, Split};
use ingle_model::Rng;
use proptest::prelude::*;

/// Users of three groups of ten items, who now and then click another one. Every fifth is held out.
fn histories(users: usize) -> (Vec<Vec<u32>>, Vec<usize>) {
    let mut rng = Rng::new(5, &[]);
    let histories = (0..users)
        .map(|user| {
            let own: Vec<usize> = rng.permutation(10);
            let clicks = own.into_iter().take(5 + user % 4);
            clicks
                .map(|at| {
                    let other = rng.below(10) == 0;
                    let group = if other { rng.below(3) } else { user % 3 };
                    (1 + group * 10 + at) as u32
                })
                .collect()
        })
        .collect();
    (histories, (0..users).step_by(5).collect())
}

fn data(users: usize) -> Dataset {
    let (histories, unseen) = histories(users);
    let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
    dataset(&histories, &unseen)
}

/// Each recommender with settings under which it can be quick.
fn settings() -> Vec<Settings> {
    let json = [
        r#"{"method":"popular","half_life":100.0}"#,
        r#"{"method":"recent","share":0.5}"#,
        r#"{"method":"itemknn","neighbours":20,"shrinkage":2.0}"#,
        r#"{"method":"ease","ridge":5.0}"#,
        r#"{"method":"ease","ridge":5.0,"dense_items":0,"neighbours":8}"#,
        r#"{"method":"bpr","factors":8,"epochs":40}"#,
    ];
    json.map(|json| serde_json::from_str(json).unwrap())
        .to_vec()
}

#[test]
fn all_scores_differ_and_are_the_same_again() {
    let data = data(60);
    for settings in settings() {
        let [one, again] = [(); 2].map(|()| Baseline::fit(&data, &settings, 3).unwrap());
        for history in [&[][..], &[1], &[4, 11, 4], &[30, 2, 5, 3]] {
            let scores = one.rank(history);
            assert_eq!(scores, again.rank(history), "{settings:?}");
            assert_eq!((scores.len(), scores[0]), (31, f32::NEG_INFINITY));
            let mut sorted = scores[1..].to_vec();
            sorted.sort_by(f32::total_cmp);
            assert!(sorted.windows(2).all(|two| two[0] < two[1]), "{settings:?}");
            assert!(sorted.iter().all(|score| score.is_finite()), "{settings:?}");
        }
    }
}

#[test]
fn items_that_the_catalogue_does_not_have_are_ignored() {
    let data = data(60);
    for settings in settings() {
        let baseline = Baseline::fit(&data, &settings, 3).unwrap();
        assert_eq!(baseline.items(), 30);
        let (plain, strange) = (
            baseline.rank(&[4, 7]),
            baseline.rank(&[0, 4, 7, 31, u32::MAX]),
        );
        assert_eq!(plain, strange, "{settings:?}");
    }
}

#[test]
fn without_a_history_the_more_popular_item_comes_first() {
    let data = data(60);
    let mut counts: Vec<(i64, u32)> = data
        .train_counts()
        .iter()
        .zip(0..)
        .map(|(&n, i)| (-i64::from(n), i))
        .collect();
    counts.remove(0);
    counts.sort_unstable();
    let due: Vec<u32> = counts.iter().map(|&(_, item)| item).collect();
    for settings in settings()
        .into_iter()
        .filter(|settings| settings.history_half_life().is_some())
    {
        let baseline = Baseline::fit(&data, &settings, 3).unwrap();
        assert_eq!(best(&baseline.rank(&[]), &[], 30), due, "{settings:?}");
    }
}

#[test]
fn the_order_of_users_makes_no_difference() {
    let (histories, _) = histories(60);
    let forward: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
    let mut parts_of = parts(&forward, &[]);
    // Clicks of one time, so that no user is later than another.
    parts_of.timestamps = vec![7; parts_of.timestamps.len()];
    let backward: Vec<&[u32]> = forward.iter().rev().copied().collect();
    let mut turned = parts(&backward, &[]);
    turned.timestamps.clone_from(&parts_of.timestamps);
    let (one, other) = (from_parts(parts_of), from_parts(turned));
    // Gradient steps have an order.
    for settings in settings()
        .into_iter()
        .filter(|of| of.method() != Method::Bpr)
    {
        let [a, b] = [&one, &other].map(|data| Baseline::fit(data, &settings, 3).unwrap());
        for history in [&[1, 2][..], &[25], &[8, 18, 28]] {
            assert_eq!(a.rank(history), b.rank(history), "{settings:?}");
        }
    }
}

#[test]
fn neighbours_ease_and_factors_know_which_group_a_held_out_user_is_of() {
    let data = data(300);
    let popular = Baseline::fit(&data, &Method::Popular.settings(), 1).unwrap();
    let of = |baseline: &Baseline| evaluate(baseline, &data, Split::Unseen, 6);
    let least = of(&popular);
    for settings in settings().into_iter().skip(2) {
        let found = of(&Baseline::fit(&data, &settings, 1).unwrap());
        assert_eq!(
            (found.users, found.ranks.len()),
            (least.users, least.ranks.len())
        );
        let (ours, theirs) = (found.masked[4], least.masked[4]);
        assert!(ours > 1.5 * theirs, "{settings:?}: {ours} and {theirs}");
        assert!(
            found.beyond.coverage >= least.beyond.coverage,
            "{settings:?}"
        );
    }
}

#[test]
fn evaluation_is_over_the_cases_of_the_dataset_with_what_was_clicked_masked() {
    // Popularity in training: item 1 twice, items 2 and 3 once.
    let data = dataset(&[&[1, 2, 4, 3], &[1, 3, 2, 1]], &[]);
    let popular = Baseline::fit(&data, &Method::Popular.settings(), 1).unwrap();
    let found = evaluate(&popular, &data, Split::Test, 6);
    // Targets 3 after 1, 2, 4, and 1 after 1, 3, 2: the latter was seen and stays in.
    let ranks: Vec<(usize, usize)> = found
        .ranks
        .iter()
        .map(|rank| (rank.masked, rank.unmasked))
        .collect();
    assert_eq!(ranks, [(1, 3), (1, 1)]);
    assert_eq!((found.users, &found.whose[..]), (2, &[0, 1][..]));
    assert_eq!(found.ndcg().value, found.masked[4]);
    assert_eq!(found.gains(), [1.0, 1.0]);
    // The lists are without what was clicked: [3], and [4].
    assert_eq!(found.beyond.coverage, 0.5);
}

#[test]
fn settings_are_chosen_on_validation_and_the_best_is_among_the_trials() {
    let data = data(120);
    for method in [
        Method::Popular,
        Method::Recent,
        Method::ItemKnn,
        Method::Ease,
    ] {
        let mut seen = 0;
        let tuned = tune(&data, method, 1, &mut |_| seen += 1).unwrap();
        assert_eq!(seen, tuned.trials.len());
        assert!(seen > 1, "{method:?}");
        let best = tuned
            .trials
            .iter()
            .map(|trial| trial.ndcg)
            .fold(0.0, f64::max);
        assert_eq!(tuned.ndcg, best);
        let baseline = Baseline::fit(&data, &tuned.settings, 1).unwrap();
        assert_eq!(
            evaluate(&baseline, &data, Split::Valid, 1).masked[4],
            best,
            "{method:?}"
        );
    }
}

#[test]
fn a_dataset_without_targets_or_training_clicks_is_refused() {
    let untrained = dataset(&[&[1, 2, 3]], &[0]);
    let error = Baseline::fit(&untrained, &Method::Ease.settings(), 1).unwrap_err();
    assert_eq!(error, Error::NoClicks);
    let one = dataset(&[&[1]], &[]);
    assert_eq!(
        tune(&one, Method::Popular, 1, &mut |_| ()),
        Err(Error::NoValidation)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_log_can_be_learnt_and_any_history_be_asked_about(
        histories in prop::collection::vec(prop::collection::vec(1_u32..8, 1..9), 1..8),
        weights in prop::collection::vec(0.0_f32..=1.0, 72),
        asked in prop::collection::vec(0_u32..12, 0..6),
    ) {
        let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
        let parts = parts(&histories, &[]);
        let weights = Some(weights[..parts.clicks.len()].to_vec());
        let data = from_parts(Parts { weights, ..parts });
        for settings in settings() {
            match Baseline::fit(&data, &settings, 1) {
                Ok(baseline) => {
                    let scores = baseline.rank(&asked);
                    prop_assert!(scores[1..].iter().all(|score| score.is_finite()));
                    prop_assert_eq!(best(&scores, &asked, 99).len() , (1..=data.n_items() as u32)
                        .filter(|item| !asked.contains(item)).count());
                }
                Err(error) => prop_assert_eq!(error, Error::NoClicks),
            }
        }
    }
}
