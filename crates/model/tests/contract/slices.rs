//! The engine without tensors against the one with them, for every method.

use crate::support::*;
use burn::prelude::*;
use ingle_bundle::{Bundle, ItemTable, TableValues};
use ingle_model::{
    Engine, Model, ModelConfig, RecommendOptions, Recommendation, Rng, Rule, Similar,
    SimilarOptions, SliceEngine,
};
use pollster::block_on;
use std::collections::BTreeMap;

fn both(bundle: Bundle) -> (Engine, SliceEngine) {
    let reference = Engine::new(bundle.clone(), &Device::flex()).expect("opens");
    (reference, SliceEngine::new(bundle).expect("opens"))
}

/// Bundles of a method with tables of every type, of embeddings as wide apart as trained ones.
fn bundles(config: &ModelConfig) -> Vec<Bundle> {
    let model = Model::new(config, 21, &Device::flex());
    let width = config.backbone.width;
    let mut rng = Rng::new(21, &[]);
    let table: Vec<f32> = (0..ITEMS * width).map(|_| rng.normal(0.4)).collect();
    let tables = [
        ItemTable::quantize(&table, width),
        ItemTable::f16(&table, width),
        ItemTable::f32(table, width),
    ];
    let plain = bundle(config, &model);
    let tables = tables.into_iter().map(|items| Bundle {
        items,
        ..plain.clone()
    });
    tables
        .chain([Bundle {
            codes: Vec::new(),
            ..plain.clone()
        }])
        .map(|bundle| match config.keep {
            Some(_) => spread(bundle),
            None => bundle,
        })
        .collect()
}

fn assert_same(found: &[Recommendation], due: &[Recommendation], what: &str) {
    assert_eq!(found.len(), due.len(), "{what}");
    for (found, due) in found.iter().zip(due) {
        assert_close(&[found.score], &[due.score], 1e-4, what);
        assert_close(&[found.probability], &[due.probability], 1e-4, what);
        if found.item == due.item {
            let [a, b] = [found, due].map(|one| one.because.as_ref().map_or(0.0, |b| b.share));
            assert_close(&[a], &[b], 1e-4, what);
        }
    }
}

#[test]
fn recommends_and_explains_as_the_reference_does() {
    // Clicks that stand in some of several histories, by method.
    let mut between = BTreeMap::new();
    for config in configs().flat_map(|config| ways(&config)) {
        let name = config.method.name();
        let several = config
            .keep
            .as_ref()
            .is_some_and(|keep| *keep != Rule::all());
        for (reference, slices) in bundles(&config).into_iter().map(both) {
            assert_eq!(reference.info(), slices.info());
            assert_eq!(reference.items(), slices.items());
            for history in histories(21) {
                let mut history = ids(&history);
                history.insert(0, "gone".into());
                let weights: Vec<f32> =
                    (0..history.len()).map(|at| (at % 5) as f32 / 4.0).collect();
                let boost: Vec<f32> = (0..ITEMS).map(|row| (row % 5) as f32).collect();
                let plain = RecommendOptions::default();
                let all = RecommendOptions {
                    k: ITEMS,
                    include_seen: true,
                    exclude: vec!["item 7".into(), "gone".into()],
                    allow: Some((0..ITEMS).map(|row| (row % 3) as u8).collect()),
                    boost: Some(boost),
                    weights: Some(weights),
                    adapter: None,
                };
                for options in [plain, all] {
                    let due = block_on(reference.recommend(&history, &options)).expect("answers");
                    let found = block_on(slices.recommend(&history, &options)).expect("answers");
                    assert_same(&found, &due, name);
                }
                let due = block_on(reference.explain(&history)).expect("answers");
                for (found, due) in slices.explain(&history).iter().zip(&due) {
                    if several {
                        let stands = u32::from(found.keep > 0.0 && found.keep < 1.0);
                        *between.entry(name).or_insert(0) += stands;
                    }
                    assert_eq!((&found.item, found.known), (&due.item, due.known));
                    assert_close(
                        &[found.noise, found.keep],
                        &[due.noise, due.keep],
                        1e-4,
                        name,
                    );
                    assert_eq!(found.views.is_some(), due.views.is_some());
                    assert_eq!(found.interest.is_some(), due.interest.is_some());
                    if let (Some(found), Some(due)) = (found.interest, due.interest) {
                        assert_eq!((found.number, found.dropped), (due.number, due.dropped));
                        assert_close(&[found.share], &[due.share], 1e-4, name);
                    }
                }
            }
        }
    }
    for (name, clicks) in between {
        assert_eq!(clicks > 20, name != "none", "{name}: {clicks}");
    }
}

#[test]
fn one_history_of_every_click_is_answered_as_one_without_a_denoiser() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 9, &device);
        let answers = |keep: Option<Rule>, method: Option<&str>| {
            let mut bundle = bundle(&config, &model);
            bundle.manifest.calibration.keep = keep.map(Vec::from);
            if let Some(name) = method {
                bundle.manifest.method.name = name.into();
                bundle.manifest.method.config = serde_json::json!({});
                bundle.codes.clear();
                bundle.manifest.items.code_width = 0;
            }
            let engine = SliceEngine::new(bundle).expect("opens");
            let history = ids(&[3, 17, 9, 3]);
            block_on(engine.recommend(&history, &RecommendOptions::default())).expect("answers")
        };
        let every = answers(Some(Rule::all()), None);
        assert_eq!(
            every,
            answers(None, Some("none")),
            "{}",
            config.method.name()
        );
    }
}

#[test]
fn the_answer_over_several_histories_is_the_mean_of_the_answers_to_each() {
    for [_, _, config] in configs().map(|config| ways(&config)) {
        let what = config.method.name();
        for mut whole in bundles(&config) {
            let engine = SliceEngine::new(whole.clone()).expect("opens");
            whole.manifest.calibration.keep = Some(Rule::all().into());
            let one = SliceEngine::new(whole).expect("opens");
            let history = ids(&[3, 17, 9, 30, 11, 2]);
            let weights = vec![1.0, 0.5, 1.0, 0.25, 0.0, 1.0];
            let ask = |engine: &SliceEngine, history: &[String], weights| {
                let options = RecommendOptions {
                    k: ITEMS,
                    include_seen: true,
                    weights,
                    ..Default::default()
                };
                let all = block_on(engine.recommend(history, &options)).expect("answers");
                let all = all.into_iter().map(|one| (one.item, one.probability));
                all.collect::<BTreeMap<String, f32>>()
            };
            let noise: Vec<f32> = engine.explain(&history).iter().map(|c| c.noise).collect();
            let rule = config.keep.as_ref().expect("a rule");
            let kept = rule.histories(&noise, Some(&weights));
            assert!(kept.sets.len() > 1, "{what}: {kept:?}");
            let mut due = BTreeMap::new();
            for set in kept.sets {
                let clicks: Vec<String> =
                    set.clicks.iter().map(|&at| history[at].clone()).collect();
                for (item, probability) in ask(&one, &clicks, None) {
                    *due.entry(item).or_insert(0.0) += set.weight * probability;
                }
            }
            let found = ask(&engine, &history, Some(weights));
            assert!(found.keys().eq(due.keys()));
            let [found, due] = [found, due].map(|all| all.into_values().collect::<Vec<f32>>());
            assert_close(&found, &due, 1e-5, what);
        }
    }
}

#[test]
fn clicks_that_stand_nowhere_change_nothing_and_are_no_reason() {
    let device = Device::flex();
    for [_, _, config] in configs().map(|config| ways(&config)) {
        let model = Model::new(&config, 9, &device);
        let engine = SliceEngine::new(bundle(&config, &model)).expect("opens");
        let ask = |history: &[u32], weights: Vec<f32>| {
            let options = RecommendOptions {
                k: ITEMS,
                include_seen: true,
                weights: Some(weights),
                ..Default::default()
            };
            block_on(engine.recommend(&ids(history), &options)).expect("answers")
        };
        // Of a history of which one click is left the denoiser leaves that one, whatever it says.
        let alone = ask(&[5, 3, 9], vec![0.0, 1.0, 0.0]);
        assert_eq!(alone, ask(&[3], vec![1.0]), "{}", config.method.name());
        assert!((alone.iter().filter_map(|one| one.because.as_ref())).all(|b| b.item == "item 3"));
        // A history in which nothing counts is answered as none.
        let popular = ask(&[], vec![]);
        assert_eq!(ask(&[5, 3], vec![0.0; 2]), popular);
        let many: Vec<u32> = (0..10_000).map(|at| 1 + at % ITEMS as u32).collect();
        let latest = &many[many.len() - config.backbone.max_len..];
        let full = |clicks: &[u32]| ask(clicks, vec![1.0; clicks.len()]);
        assert_eq!(full(&many), full(latest));
    }
}

#[test]
fn finds_the_same_items_near() {
    let config = encoders().next().expect("an encoder");
    for (reference, slices) in bundles(&config).into_iter().map(both) {
        let options = SimilarOptions {
            k: ITEMS,
            exclude: vec!["item 3".into()],
            ..Default::default()
        };
        for given in [ids(&[]), ids(&[5]), ids(&[5, 9, 9]), vec!["gone".into()]] {
            let due = block_on(reference.similar(&given, &options)).expect("answers");
            let found = block_on(slices.similar(&given, &options)).expect("answers");
            let scores = |found: &[Similar]| found.iter().map(|s| s.score).collect::<Vec<_>>();
            assert_close(&scores(&found), &scores(&due), 1e-4, "cosines");
        }
    }
}

#[test]
fn odd_catalogues_and_requests_get_sensible_answers() {
    let device = Device::flex();
    for config in configs() {
        // A catalogue of one item, and tables with rows of nothing and of what is no number.
        let one = ModelConfig {
            items: 1,
            ..config.clone()
        };
        let whole = bundle(&config, &Model::new(&config, 3, &device));
        let width = config.backbone.width;
        let mut single = whole.clone();
        single.manifest.items.count = 1;
        single.items = ItemTable::f32(whole.items.dequantize()[..width].to_vec(), width);
        single.popularity.truncate(1);
        single.codes.truncate(one.method.code_width().unwrap_or(0));
        single.ids = single.ids.iter().take(1).collect();
        let engine = SliceEngine::new(single).expect("opens");
        let item = ids(&[1]);
        let seen = RecommendOptions {
            include_seen: true,
            ..Default::default()
        };
        let found = block_on(engine.recommend(&item, &seen)).expect("answers");
        assert_eq!((found.len(), found[0].probability), (1, 1.0));
        assert!(
            block_on(engine.recommend(&item, &RecommendOptions::default()))
                .expect("answers")
                .is_empty()
        );
        assert_eq!(
            block_on(engine.recommend(&[], &seen))
                .expect("answers")
                .len(),
            1
        );
        assert!(
            block_on(engine.similar(&item, &SimilarOptions::default()))
                .expect("answers")
                .is_empty()
        );

        let mut broken = whole.clone();
        broken.items = ItemTable::quantize(&whole.items.dequantize(), width);
        let TableValues::Int8 { scales, .. } = &mut broken.items.values else {
            panic!("bytes")
        };
        (scales[4], scales[5]) = (0.0, f32::NAN);
        let engine = SliceEngine::new(broken).expect("opens");
        let all = RecommendOptions {
            k: 1000,
            ..Default::default()
        };
        let found = block_on(engine.recommend(&ids(&[1, 1, 2, 1]), &all)).expect("answers");
        assert_eq!(found.len(), ITEMS - 3, "one is no number, two were seen");
        assert!(
            found
                .iter()
                .all(|one| one.item != "item 6" && one.score.is_finite())
        );
        let none = RecommendOptions {
            allow: Some(vec![0; ITEMS]),
            ..Default::default()
        };
        assert!(
            block_on(engine.recommend(&ids(&[1]), &none))
                .expect("answers")
                .is_empty()
        );
        let zero = RecommendOptions {
            k: 0,
            ..Default::default()
        };
        assert!(
            block_on(engine.recommend(&ids(&[1]), &zero))
                .expect("answers")
                .is_empty()
        );
    }
}
