//! What a shop may ask of a ranking.

use crate::support::*;
use burn::prelude::*;
use ingle_bundle::ItemTable;
use ingle_model::{Engine, Model, RecommendOptions, SimilarOptions};

#[test]
fn filters_apply_before_the_best_are_chosen_and_boosts_move_scores_alone() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
        let ask = |options: &RecommendOptions| {
            let history = ids(&[3, 4]);
            let answer = engine.recommend(&history, options);
            pollster::block_on(answer).expect("answers")
        };
        let all = ask(&RecommendOptions {
            k: ITEMS,
            include_seen: true,
            ..Default::default()
        });
        let sum: f32 = all.iter().map(|one| one.probability).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        let even: Vec<u8> = (0..ITEMS as u8).map(|row| row % 2).collect();
        let allowed = ask(&RecommendOptions {
            k: 15,
            allow: Some(even),
            boost: Some((0..ITEMS).map(|row| row as f32).collect()),
            ..Default::default()
        });
        let found: Vec<&str> = allowed.iter().map(|one| one.item.as_str()).collect();
        assert_eq!(found.len(), 15);
        assert_eq!(found[..2], ["item 40", "item 38"]);
        for one in allowed {
            let row = one.item[5..].parse::<usize>().expect("a number") - 1;
            let plain = all.iter().find(|other| other.item == one.item);
            let plain = plain.expect("among all");
            assert_close(&[one.score - row as f32], &[plain.score], 1e-4, "boost");
            assert_close(&[one.probability], &[plain.probability], 1e-6, "boost");
            let because = one.because.map(|because| because.share);
            assert!(because.is_none_or(|share| share > 0.0 && share <= 1.0));
        }
    }
}

#[test]
fn a_click_that_the_shop_lets_count_for_nothing_is_no_reason() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
        let ask = |weights: Option<Vec<f32>>| {
            let options = RecommendOptions {
                include_seen: true,
                k: ITEMS,
                weights,
                ..Default::default()
            };
            let history = ids(&[3, 9]);
            pollster::block_on(engine.recommend(&history, &options)).expect("answers")
        };
        assert_eq!(ask(None), ask(Some(vec![1.0; 2])));
        // Of clicks that the gate keeps: a method that has learnt nothing may drop either.
        let halves = [vec![0.5, 1.0], vec![1.0, 0.5]];
        assert!(halves.into_iter().any(|half| ask(Some(half)) != ask(None)));
        let reasons = ask(Some(vec![0.0, 1.0])).into_iter();
        assert!(
            reasons
                .filter_map(|one| one.because)
                .all(|b| b.item == "item 9")
        );
        // Nothing is left: the most popular, at the share of clicks they have.
        let popular = ask(Some(vec![0.0; 2]));
        assert_eq!(popular[0].item, "item 40");
        let due = 41.0 / (2..=41).sum::<i32>() as f32;
        assert_close(&[popular[0].probability], &[due], 1e-5, "popular");
    }
}

#[test]
fn similar_items_are_the_nearest_by_cosine_and_never_those_given() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let width = config.backbone.width;
    let model = Model::new(&config, 7, &device);
    let mut bundle = bundle(&config, &model);
    let mut table = bundle.items.dequantize();
    // Items 5 and 6 point the same way, whatever their lengths; item 7 the other way.
    for at in 0..width {
        (table[5 * width + at], table[6 * width + at]) =
            (9.0 * table[4 * width + at], -table[4 * width + at]);
    }
    bundle.items = ItemTable::f32(table, width);
    let engine = Engine::new(bundle, &device).expect("opens");
    let similar = |items: &[&str], options: &SimilarOptions| {
        let items: Vec<String> = items.iter().map(|&id| id.into()).collect();
        pollster::block_on(engine.similar(&items, options)).expect("answers")
    };
    let all = similar(
        &["item 5", "gone", "item 5"],
        &SimilarOptions {
            k: ITEMS,
            ..Default::default()
        },
    );
    assert_eq!((all.len(), all[0].item.as_str()), (ITEMS - 1, "item 6"));
    assert_eq!(all.last().expect("one").item, "item 7");
    assert_close(
        &[all[0].score, all[ITEMS - 2].score],
        &[1.0, -1.0],
        1e-5,
        "cosine",
    );
    let two = similar(
        &["item 5", "item 9"],
        &SimilarOptions {
            k: 2,
            exclude: vec!["item 6".into()],
            ..Default::default()
        },
    );
    assert!(
        two.iter()
            .all(|one| !["item 5", "item 6", "item 9"].contains(&&*one.item))
    );
    assert!(similar(&["gone"], &SimilarOptions::default()).is_empty());
    assert!(similar(&[], &SimilarOptions::default()).is_empty());
}

#[test]
fn options_that_do_not_fit_the_catalogue_or_the_history_are_refused() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let model = Model::new(&config, 7, &device);
    let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
    let refused = |options: RecommendOptions| {
        let history = ids(&[3]);
        let answer = engine.recommend(&history, &options);
        let error = pollster::block_on(answer).expect_err("refused");
        assert_eq!(error.code(), "input/options");
        error.to_string()
    };
    let options = RecommendOptions::default;
    let allow = Some(vec![1; ITEMS + 1]);
    let message = refused(RecommendOptions { allow, ..options() });
    assert_eq!(
        message,
        "allow: has 41 entries for 40 items: one is due for each"
    );
    for bad in [f32::NAN, f32::INFINITY] {
        let boost = Some(vec![bad; ITEMS]);
        refused(RecommendOptions { boost, ..options() });
    }
    for weights in [
        vec![],
        vec![1.0, 1.0],
        vec![1.5],
        vec![-0.1],
        vec![f32::NAN],
    ] {
        let weights = Some(weights);
        refused(RecommendOptions {
            weights,
            ..options()
        });
    }
    let near = SimilarOptions {
        boost: Some(vec![0.0]),
        ..Default::default()
    };
    let error = pollster::block_on(engine.similar(&[], &near)).expect_err("refused");
    assert_eq!(error.code(), "input/options");
}
