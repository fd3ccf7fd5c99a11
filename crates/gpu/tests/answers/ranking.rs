//! Rankings by clicks that the processor has judged.

use crate::support::{assert_same, assert_same_mean, engines, invented, numbers};
use ingle_bundle::{Bundle, ItemTable, TableValues, dir};
use ingle_model::backbone::Kind;
use ingle_model::{BackboneConfig, RecommendOptions, SimilarOptions};
use pollster::block_on;
use std::path::Path;

fn golden() -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/golden");
    dir::read_dir(&folder).expect("the golden bundle")
}

/// Bundles of sizes that fit no lane and no tile, with tables of every type.
fn bundles() -> Vec<Bundle> {
    let odd = BackboneConfig {
        width: 30,
        blocks: 3,
        heads: 3,
        feed_forward: 70,
        max_len: 9,
        ..BackboneConfig::default()
    };
    let usual = BackboneConfig::default();
    let recurrent = BackboneConfig {
        kind: Kind::GRU4REC,
        ..odd.clone()
    };
    let plain = [
        golden(),
        invented(5000, &odd),
        invented(2048, &usual),
        invented(1000, &recurrent),
    ];
    let tables: [fn(&[f32], usize) -> ItemTable; 3] =
        [ItemTable::quantize, ItemTable::f16, |table, width| {
            ItemTable::f32(table.to_vec(), width)
        }];
    let kinds = plain.iter().zip(tables.iter().cycle().skip(1));
    let others = kinds.map(|(bundle, table)| Bundle {
        items: table(&bundle.items.dequantize(), bundle.items.width),
        ..bundle.clone()
    });
    let others: Vec<Bundle> = others.collect();
    // And over several histories that may be true.
    let kept = others.iter().cloned().map(|mut bundle| {
        bundle.manifest.calibration.keep = Some(vec![0.125, 0.375, 0.625, 0.875]);
        bundle
    });
    let kept: Vec<Bundle> = kept.collect();
    [plain.to_vec(), others, kept].concat()
}

/// Histories of every length up to past the model's.
fn histories(ids: &[String]) -> Vec<Vec<String>> {
    let lengths = [0, 1, 2, 5, 9, 12, 60];
    let history = |len: usize| {
        let rows = numbers(len, len as u32).map(|x| (x.abs() * ids.len() as f32) as usize);
        let mut history: Vec<String> = rows.map(|row| ids[row % ids.len()].clone()).collect();
        history.insert(len / 2, "gone".into());
        history
    };
    lengths.map(history).to_vec()
}

#[test]
fn recommends_as_the_processor_does() {
    for bundle in bundles() {
        let several = bundle.manifest.calibration.keep.is_some();
        let same = if several {
            assert_same_mean
        } else {
            assert_same
        };
        let (host, gpu) = engines(bundle);
        let ids = host.items();
        assert_eq!((host.info(), &ids), (gpu.info(), &gpu.items()));
        for (at, history) in histories(&ids).into_iter().enumerate() {
            assert_eq!(host.explain(&history), gpu.explain(&history));
            let filtered = RecommendOptions {
                k: 20,
                include_seen: true,
                exclude: vec![ids[3].clone(), "gone".into()],
                allow: Some((0..ids.len()).map(|row| (row % 3) as u8).collect()),
                boost: Some((0..ids.len()).map(|row| (row % 5) as f32 / 4.0).collect()),
                weights: Some((0..history.len()).map(|at| (at % 5) as f32 / 4.0).collect()),
                adapter: None,
            };
            let of = |k| RecommendOptions {
                k,
                ..RecommendOptions::default()
            };
            // What was barred before must be free again, and the other way round.
            for options in [
                of(10),
                filtered,
                of([0, 1, 256, 257, ids.len() + 1][at % 5]),
            ] {
                let due = block_on(host.recommend(&history, &options)).expect("answers");
                let found = block_on(gpu.recommend(&history, &options)).expect("answers");
                same(&found, &due);
            }
        }
    }
}

#[test]
fn more_histories_than_before_and_then_fewer_are_ranked_over() {
    let mut bundle = invented(3000, &BackboneConfig::default());
    let rule = (1..=16).map(|at| at as f32 / 17.0).collect();
    bundle.manifest.calibration.keep = Some(rule);
    let (host, gpu) = engines(bundle);
    let history: Vec<String> = host.items()[..20].to_vec();
    for several in [1, 2, 3, 16, 5, 1, 2] {
        // Each weight but the first is left out by one threshold more.
        let weight = |at: usize| 1.0 - (at % several) as f32 / 16.0;
        let options = RecommendOptions {
            weights: Some((0..history.len()).map(weight).collect()),
            ..RecommendOptions::default()
        };
        let due = block_on(host.recommend(&history, &options)).expect("answers");
        let found = block_on(gpu.recommend(&history, &options)).expect("answers");
        assert_same_mean(&found, &due);
    }
}

#[test]
fn finds_the_same_items_near() {
    for bundle in bundles() {
        let (host, gpu) = engines(bundle);
        let ids = host.items();
        let boost = (0..ids.len()).map(|row| (row % 7) as f32 / 10.0).collect();
        let all = SimilarOptions {
            k: ids.len(),
            boost: Some(boost),
            ..SimilarOptions::default()
        };
        for options in [SimilarOptions::default(), all] {
            for given in [&ids[..0], &ids[5..6], &ids[..40]] {
                let due = block_on(host.similar(given, &options)).expect("answers");
                let found = block_on(gpu.similar(given, &options)).expect("answers");
                assert_eq!(found.len(), due.len());
                for (found, due) in found.iter().zip(&due) {
                    assert!(
                        (found.score - due.score).abs() <= 1e-4,
                        "{found:?}, {due:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn rows_that_are_no_numbers_are_neither_recommended_nor_counted() {
    let mut bundle = invented(300, &BackboneConfig::default());
    let TableValues::Int8 { scales, .. } = &mut bundle.items.values else {
        panic!("bytes")
    };
    (scales[4], scales[5], scales[299]) = (f32::NAN, 0.0, f32::NAN);
    let width = bundle.items.width;
    let mut floats = bundle.items.dequantize();
    floats[5 * width] = f32::NAN;
    let table = ItemTable::f32(floats, width);
    let other = Bundle {
        items: table,
        ..bundle.clone()
    };
    for (bundle, bad) in [(bundle, vec![4, 299]), (other, vec![4, 5, 299])] {
        let (host, gpu) = engines(bundle);
        let history = [host.items()[1].clone()];
        let options = RecommendOptions {
            k: 250,
            ..RecommendOptions::default()
        };
        let found = block_on(gpu.recommend(&history, &options)).expect("answers");
        assert_eq!(found.len(), 250);
        let all = RecommendOptions { k: 300, ..options };
        let everything = block_on(gpu.recommend(&history, &all)).expect("answers");
        assert_eq!(everything.len(), 299 - bad.len());
        assert_same(
            &everything,
            &block_on(host.recommend(&history, &all)).expect("answers"),
        );
        for row in bad {
            let item = format!("item {row}");
            assert!(everything.iter().all(|one| one.item != item));
        }
    }
}

#[test]
fn a_history_that_is_no_number_gets_no_recommendations() {
    let mut bundle = invented(50, &BackboneConfig::default());
    let norm = bundle.weights.get_mut("backbone.norm.beta").expect("there");
    norm.data[3] = f32::NAN;
    let (host, gpu) = engines(bundle);
    let options = RecommendOptions::default();
    let history = [host.items()[1].clone()];
    for found in [
        block_on(host.recommend(&history, &options)).expect("answers"),
        block_on(gpu.recommend(&history, &options)).expect("answers"),
    ] {
        assert!(found.is_empty());
    }
}

#[test]
fn an_answer_does_not_depend_on_the_questions_before() {
    let (_, gpu) = engines(invented(300, &BackboneConfig::default()));
    let ids = gpu.items();
    let options = RecommendOptions::default();
    let first = block_on(gpu.recommend(&ids[..3], &options)).expect("answers");
    for at in 0..30 {
        block_on(gpu.recommend(&ids[at % 200..at % 200 + 50], &options)).expect("answers");
    }
    assert_eq!(
        block_on(gpu.recommend(&ids[..3], &options)).expect("answers"),
        first
    );
}
