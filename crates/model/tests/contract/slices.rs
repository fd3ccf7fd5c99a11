//! The engine without tensors against the one with them, for every method.

use crate::support::*;
use burn::prelude::*;
use ingle_bundle::{Bundle, ItemTable, TableValues};
use ingle_model::{
    Engine, Model, ModelConfig, RecommendOptions, Recommendation, Rng, Similar, SimilarOptions,
    SliceEngine,
};
use pollster::block_on;

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
    for config in configs() {
        let name = config.method.name();
        for (reference, slices) in bundles(&config).into_iter().map(both) {
            assert_eq!(reference.info(), slices.info());
            assert_eq!(reference.items(), slices.items());
            for history in histories(21) {
                let mut history = ids(&history);
                history.insert(0, "gone".into());
                let weights: Vec<f32> =
                    (0..history.len()).map(|at| (at % 3) as f32 / 2.0).collect();
                let boost: Vec<f32> = (0..ITEMS).map(|row| (row % 5) as f32).collect();
                let plain = RecommendOptions::default();
                let all = RecommendOptions {
                    k: ITEMS,
                    include_seen: true,
                    exclude: vec!["item 7".into(), "gone".into()],
                    allow: Some((0..ITEMS).map(|row| (row % 3) as u8).collect()),
                    boost: Some(boost),
                    weights: Some(weights),
                };
                for options in [plain, all] {
                    let due = block_on(reference.recommend(&history, &options)).expect("answers");
                    let found = block_on(slices.recommend(&history, &options)).expect("answers");
                    assert_same(&found, &due, name);
                }
                let due = block_on(reference.explain(&history)).expect("answers");
                for (found, due) in slices.explain(&history).iter().zip(&due) {
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
