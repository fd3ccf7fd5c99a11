//! Adapters in both engines, and learning one from a history.

use crate::support::*;
use burn::prelude::*;
use ingle_bundle::{Adapter, Bundle, Gain, ItemTable, Learning};
use ingle_model::{Engine, Model, RecommendOptions, Recommendation, Rule, SliceEngine};

pub(crate) fn learning() -> Learning {
    Learning {
        bias_rate: 20.0,
        weight_rate: 0.5,
        steps: 5,
        half_life: 10.0,
        window: 30,
        clicks: 3,
    }
}

pub(crate) fn adapter(popularity: f32, learning: Option<Learning>) -> Adapter {
    let gain = Gain {
        value: 0.01,
        error: 0.001,
    };
    Adapter {
        popularity,
        learning,
        gain,
    }
}

pub(crate) fn with(bundle: &Bundle, adapter: impl Into<Option<Adapter>>) -> Bundle {
    let mut bundle = bundle.clone();
    bundle.manifest.adapter = adapter.into();
    bundle
}

pub(crate) fn ask(
    engine: &SliceEngine,
    history: &[String],
    adapter: Option<Vec<f32>>,
) -> Vec<Recommendation> {
    let options = RecommendOptions {
        k: ITEMS,
        include_seen: true,
        adapter,
        ..Default::default()
    };
    pollster::block_on(engine.recommend(history, &options)).expect("answers")
}

pub(crate) fn learn(
    engine: &SliceEngine,
    history: &[String],
    previous: Option<&[f32]>,
) -> Vec<f32> {
    pollster::block_on(engine.adapt(history, previous, &async || Ok(()))).expect("learns")
}

/// A walk over the catalogue of any length.
pub(crate) fn walk(len: usize) -> Vec<String> {
    let items: Vec<u32> = (0..len)
        .map(|at| 1 + (at * at * 3 % ITEMS) as u32)
        .collect();
    ids(&items)
}

#[test]
fn both_engines_add_an_adapter_to_the_scores_in_the_same_way() {
    let device = Device::flex();
    for mut config in configs() {
        for keep in [None, Some(Rule::even(4))] {
            config.keep = keep;
            let model = Model::new(&config, 7, &device);
            let bundle = with(&bundle(&config, &model), adapter(0.4, None));
            let (slices, tensors) = (
                SliceEngine::new(bundle.clone()).expect("opens"),
                Engine::new(bundle, &device).expect("opens"),
            );
            let width = config.backbone.width;
            let learnt: Vec<f32> = (0..=width).map(|at| 0.3 - (at % 5) as f32 * 0.2).collect();
            for adapter in [None, Some(learnt)] {
                let options = RecommendOptions {
                    k: ITEMS,
                    include_seen: true,
                    adapter: adapter.clone(),
                    ..Default::default()
                };
                let history = walk(6);
                let one = ask(&slices, &history, adapter.clone());
                let other = pollster::block_on(tensors.recommend(&history, &options));
                for one in &one {
                    let other = other.as_ref().expect("answers");
                    let other = other.iter().find(|other| other.item == one.item);
                    let other = other.expect("every item");
                    assert_close(&[one.score], &[other.score], 1e-4, "score");
                    assert_close(
                        &[one.probability],
                        &[other.probability],
                        1e-5,
                        "probability",
                    );
                }
                let sum: f32 = one.iter().map(|one| one.probability).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{sum}");
            }
        }
    }
}

#[test]
fn a_weight_of_popularity_moves_popular_items_up_and_nothing_else() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let model = Model::new(&config, 7, &device);
    let plain = bundle(&config, &model);
    let weighed = with(&plain, adapter(0.5, None));
    let [plain, weighed] = [plain, weighed].map(|bundle| SliceEngine::new(bundle).expect("opens"));
    let history = walk(5);
    let before = ask(&plain, &history, None);
    for one in ask(&weighed, &history, None) {
        let before = before.iter().find(|other| other.item == one.item);
        let item: f32 = one.item[5..].parse().expect("a number");
        let due = before.expect("every item").score + 0.5 * item.ln_1p();
        assert_close(&[one.score], &[due], 1e-4, &one.item);
    }
}

#[test]
fn what_is_learnt_makes_the_own_clicks_likelier_and_is_the_same_every_time() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let engine = with(&bundle(&config, &model), adapter(0.1, Some(learning())));
        let engine = SliceEngine::new(engine).expect("opens");
        let history = ids(&[3, 9, 3, 9, 3, 9, 3]);
        let learnt = learn(&engine, &history, None);
        assert_eq!(learnt.len(), config.backbone.width + 1);
        assert_eq!(learnt, learn(&engine, &history, None));
        // What was learnt before makes no difference.
        assert_eq!(
            learnt,
            learn(&engine, &history, Some(&vec![5.0; learnt.len()]))
        );
        let of = |answer: Vec<Recommendation>| {
            let own = answer
                .into_iter()
                .filter(|one| ["item 3", "item 9"].contains(&&*one.item));
            own.map(|one| one.probability).sum::<f32>()
        };
        let before = of(ask(&engine, &history, None));
        let after = of(ask(&engine, &history, Some(learnt)));
        assert!(after > before, "{}: {before} {after}", config.method.name());
    }
}

#[test]
fn too_few_clicks_unknown_items_and_bundles_without_an_adapter_teach_nothing() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let model = Model::new(&config, 7, &device);
    let plain = bundle(&config, &model);
    let of = |adapter: Option<Adapter>, history: &[String]| {
        let engine = SliceEngine::new(with(&plain, adapter)).expect("opens");
        learn(&engine, history, None)
    };
    let some = || Some(adapter(0.1, Some(learning())));
    assert!(of(some(), &[]).is_empty());
    assert!(of(some(), &ids(&[3, 4])).is_empty());
    assert!(of(some(), &["who".into(), "knows".into(), "item 3".into()]).is_empty());
    assert!(of(None, &walk(9)).is_empty());
    assert!(of(Some(adapter(0.1, None)), &walk(9)).is_empty());
    assert!(!of(some(), &ids(&[3, 4, 5])).is_empty());
}

#[test]
fn one_item_repeated_and_ten_thousand_clicks_are_learnt_from() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let engine = with(&bundle(&config, &model), adapter(0.0, Some(learning())));
        let engine = SliceEngine::new(engine).expect("opens");
        for history in [vec!["item 5".to_owned(); 40], walk(10_000)] {
            let learnt = learn(&engine, &history, None);
            assert_eq!(learnt.len(), config.backbone.width + 1);
            assert!(learnt.iter().all(|x| x.is_finite()));
            assert_eq!(ask(&engine, &history, Some(learnt)).len(), ITEMS);
        }
        // Clicks before the window make no difference to a long history.
        let long = walk(10_000);
        let latest = &long[long.len() - 200..];
        let [a, b] = [&long[..], latest].map(|history| learn(&engine, history, None));
        assert_close(&a, &b, 1e-6, config.method.name());
    }
}

#[test]
fn what_is_set_aside_as_noise_is_not_learnt_from() {
    let device = Device::flex();
    let mut set_aside = 0;
    for mut config in configs() {
        for keep in [None, Some(Rule::even(4))] {
            config.keep = keep;
            let model = Model::new(&config, 7, &device);
            let bundle = with(&bundle(&config, &model), adapter(0.0, Some(learning())));
            let engine = SliceEngine::new(bundle).expect("opens");
            for history in (0..20).map(|at| walk(9)[at % 5..].to_vec()) {
                let rows: Vec<usize> = (history.iter())
                    .map(|item| item[5..].parse::<usize>().expect("a number") - 1)
                    .collect();
                let learning = learning();
                let lesson = engine.lesson(&rows, &learning, &async || Ok::<(), ()>(()));
                let learnt = pollster::block_on(lesson).expect("rests").len();
                let clicks = engine.explain(&history);
                let aside = clicks.iter().filter(|click| click.keep < 0.5).count();
                set_aside += aside;
                // What nothing comes before is not predicted: with a gate the first click, else the first that counts.
                let first = usize::from(config.keep.is_some() || clicks[0].keep >= 0.5);
                assert_eq!(learnt, (clicks.len() - aside).saturating_sub(first));
            }
        }
    }
    assert!(set_aside > 0, "some clicks are set aside");
}

#[test]
fn where_learning_fails_the_adapter_from_before_stays() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let model = Model::new(&config, 7, &device);
    let mut broken = with(&bundle(&config, &model), adapter(0.1, Some(learning())));
    let width = config.backbone.width;
    let mut table = broken.items.dequantize();
    table[3 * width] = f32::NAN;
    broken.items = ItemTable::f32(table, width);
    let engine = SliceEngine::new(broken).expect("opens");
    let before = vec![0.25; width + 1];
    assert_eq!(learn(&engine, &walk(9), Some(&before)), before);
    assert!(learn(&engine, &walk(9), None).is_empty());
    let damaged = vec![f32::NAN; width + 1];
    assert!(learn(&engine, &walk(9), Some(&damaged)).is_empty());
}

#[test]
fn a_vector_of_another_model_is_refused() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let model = Model::new(&config, 7, &device);
    let engine = SliceEngine::new(bundle(&config, &model)).expect("opens");
    let width = config.backbone.width;
    for bad in [vec![], vec![0.0; width], vec![f32::NAN; width + 1]] {
        let options = RecommendOptions {
            adapter: Some(bad),
            ..Default::default()
        };
        let error = pollster::block_on(engine.recommend(&walk(3), &options)).expect_err("refused");
        assert_eq!(error.code(), "input/options");
        assert!(error.to_string().contains("adapter"), "{error}");
    }
}
