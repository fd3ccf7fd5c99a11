//! What every method promises, checked for all that are registered.

use burn::prelude::*;
use ingle_bundle::{
    Bundle, Calibration, FORMAT, ItemTable, ItemsSpec, Manifest, MethodSpec, TableType,
};
use ingle_model::engine::shipped_weights;
use ingle_model::gate::GateConfig;
use ingle_model::methods::{MethodConfig, NAMES};
use ingle_model::weights::collect;
use ingle_model::{
    BackboneConfig, Batch, Codes, Engine, Known, Model, ModelConfig, RecommendOptions, Rng,
};
use std::collections::BTreeMap;

const ITEMS: usize = 40;

fn configs() -> impl Iterator<Item = ModelConfig> {
    NAMES.iter().map(|name| ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            width: 16,
            heads: 2,
            feed_forward: 32,
            max_len: 12,
            ..BackboneConfig::default()
        },
        method: MethodConfig::named(name).expect(name),
        gate: GateConfig {
            tau_low: 0.4,
            tau_high: 0.6,
            ..GateConfig::default()
        },
    })
}

/// Popularities that grow with the item's number, and a code for each item if the method wants one.
fn known(config: &ModelConfig) -> Known {
    let codes = config.method.code_width().map(|width| {
        let mut rng = Rng::new(1, &[2]);
        let values = (0..(ITEMS + 1) * width).map(|i| {
            let drawn = rng.below(255) as i8;
            if i < width { 0 } else { drawn }
        });
        Codes {
            width,
            values: values.collect(),
        }
    });
    Known {
        popularity: (0..=ITEMS).map(|item| (item as f32).ln_1p()).collect(),
        codes,
    }
}

fn batch(config: &ModelConfig, histories: &[Vec<u32>], len: usize, device: &Device) -> Batch {
    Batch::new(histories, len, &known(config), device)
}

fn histories(seed: u64) -> Vec<Vec<u32>> {
    let mut rng = Rng::new(seed, &[]);
    (1..=8)
        .map(|len| (0..len).map(|_| 1 + rng.below(ITEMS) as u32).collect())
        .collect()
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close(a: &[f32], b: &[f32], bound: f32, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= bound, "{what}: {a} and {b}");
    }
}

#[test]
fn keep_is_a_weight_and_padding_keeps_nothing() {
    let device = Device::flex();
    for config in configs() {
        let name = config.method.name();
        let model = Model::new(&config, 1, &device);
        let batch = batch(&config, &histories(1), 12, &device);
        let real = floats(batch.real.clone());
        let Some(verdict) = model.encode(batch, Some(&config.gate)).verdict else {
            continue;
        };
        let (keep, noise) = (floats(verdict.keep), floats(verdict.noise));
        assert!(keep.iter().all(|k| (0.0..=1.0).contains(k)), "{name}");
        assert!(noise.iter().all(|p| (0.0..=1.0).contains(p)), "{name}");
        for ((keep, noise), real) in keep.iter().zip(&noise).zip(&real) {
            assert!(*real == 1.0 || (*keep == 0.0 && *noise == 0.0), "{name}");
        }
        for history in keep.chunks(12) {
            assert!(
                history.iter().sum::<f32>() > 0.0,
                "{name}: a history was dropped whole"
            );
        }
    }
}

#[test]
fn more_padding_changes_nothing() {
    let device = Device::flex();
    for config in configs() {
        let name = config.method.name();
        let model = Model::new(&config, 2, &device);
        for history in histories(2) {
            let len = history.len();
            let histories = [history];
            let tight = model.encode(batch(&config, &histories, len, &device), Some(&config.gate));
            let padded = model.encode(batch(&config, &histories, 12, &device), Some(&config.gate));
            assert_close(&floats(tight.user), &floats(padded.user), 1e-4, name);
            if let (Some(tight), Some(padded)) = (tight.verdict, padded.verdict) {
                let padded = floats(padded.noise);
                assert_close(&floats(tight.noise), &padded[12 - len..], 1e-4, name);
            }
        }
    }
}

#[test]
fn later_clicks_never_reach_back_in_the_backbone() {
    let device = Device::flex();
    let config = configs().next().expect("a method");
    let model = Model::new(&config, 3, &device);
    let states = |history: Vec<u32>| {
        let batch = batch(&config, &[history], 3, &device);
        let embedded = model.backbone.embed(batch.items);
        floats(model.backbone.forward(embedded, &batch.real, None))
    };
    let (a, b) = (states(vec![1, 2, 3]), states(vec![1, 2, 30]));
    assert_close(&a[..32], &b[..32], 0.0, "prefix");
    assert!(a[32..] != b[32..], "the last click must matter");
}

#[test]
fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
    let device = Device::flex();
    for config in configs() {
        let weights = |seed| collect(&Model::new(&config, seed, &device));
        assert_eq!(weights(4), weights(4), "{}", config.method.name());
        assert_ne!(weights(4), weights(5), "{}", config.method.name());
    }
}

/// The model as `ingle export` would write it, with an exact item table.
fn bundle(config: &ModelConfig, model: &Model) -> Bundle {
    let width = config.backbone.width;
    let table: Vec<f32> = floats(model.backbone.items.val()).split_off(width);
    let mut method = serde_json::to_value(&config.method).expect("JSON");
    method.as_object_mut().expect("an object").remove("name");
    let known = known(config);
    let codes = known
        .codes
        .map_or_else(Vec::new, |codes| codes.values[codes.width..].to_vec());
    Bundle {
        manifest: Manifest {
            format: FORMAT,
            name: "contract".into(),
            method: MethodSpec {
                name: config.method.name().into(),
                config: method,
            },
            backbone: serde_json::to_value(&config.backbone).expect("JSON"),
            items: ItemsSpec {
                count: ITEMS,
                width,
                dtype: TableType::F32,
                code_width: 0,
            },
            files: Vec::new(),
            calibration: Calibration {
                temperature: config.gate.scale.temperature,
                shift: config.gate.scale.shift,
                views: None,
                tau_low: config.gate.tau_low,
                tau_high: config.gate.tau_high,
            },
            provenance: serde_json::Value::Null,
            evaluation: serde_json::Value::Null,
        },
        weights: shipped_weights(model),
        items: ItemTable::f32(table, width),
        popularity: known.popularity[1..].to_vec(),
        codes,
        ids: (1..=ITEMS).map(|item| format!("item {item}")).collect(),
    }
}

/// Through bytes, as a browser gets it.
fn reopened(bundle: &Bundle) -> Bundle {
    let files: BTreeMap<String, Vec<u8>> = bundle.write(16).expect("writes").into_iter().collect();
    Bundle::open(
        &files["manifest.json"],
        |file| Ok(files[&file.name].clone()),
    )
    .expect("opens")
}

fn ids(history: &[u32]) -> Vec<String> {
    history.iter().map(|item| format!("item {item}")).collect()
}

#[test]
fn a_bundle_scores_like_the_model_it_was_made_from() {
    let device = Device::flex();
    for config in configs() {
        let name = config.method.name();
        let model = Model::new(&config, 6, &device);
        let engine = Engine::new(reopened(&bundle(&config, &model)), &device).expect(name);
        assert_eq!(engine.info().method, name);
        let options = RecommendOptions {
            k: ITEMS,
            include_seen: true,
            ..Default::default()
        };
        for history in histories(6) {
            let encoded = model.encode(
                batch(&config, std::slice::from_ref(&history), 12, &device),
                Some(&config.gate),
            );
            let scores = floats(encoded.user.matmul(model.backbone.items.val().transpose()));
            let got = pollster::block_on(engine.recommend(&ids(&history), &options)).expect(name);
            assert_eq!(got.len(), ITEMS);
            for recommendation in got {
                let item: usize = recommendation.item[5..].parse().expect("a number");
                assert_close(&[recommendation.score], &[scores[item]], 1e-4, name);
            }
        }
    }
}

#[test]
fn odd_requests_get_sensible_answers() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 7, &device);
        let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
        let recommend = |history: &[&str], options: RecommendOptions| -> Vec<String> {
            let history: Vec<String> = history.iter().map(|&id| id.into()).collect();
            let answer = pollster::block_on(engine.recommend(&history, &options)).expect("answers");
            answer.into_iter().map(|r| r.item).collect()
        };
        let options = |k| RecommendOptions {
            k,
            ..Default::default()
        };
        // The most popular items are those of the highest number.
        assert_eq!(recommend(&[], options(2)), ["item 40", "item 39"]);
        assert_eq!(recommend(&["gone", "💥"], options(1)), ["item 40"]);
        assert_eq!(
            recommend(&["gone", "item 3"], options(5)),
            recommend(&["item 3"], options(5))
        );
        assert_eq!(recommend(&["item 3"], options(1000)).len(), ITEMS - 1);
        assert!(recommend(&["item 3"], options(0)).is_empty());
        let all: Vec<String> = ids(&(1..=ITEMS as u32).collect::<Vec<_>>());
        let everything = RecommendOptions {
            k: 5,
            exclude: all,
            include_seen: false,
        };
        assert!(recommend(&["item 3"], everything).is_empty());
        let long: Vec<&str> = std::iter::repeat_n("item 9", 500).collect();
        assert_eq!(recommend(&long, options(3)).len(), 3);
    }
}

#[test]
fn every_click_is_explained_in_its_place() {
    let device = Device::flex();
    for config in configs() {
        let model = Model::new(&config, 8, &device);
        let engine = Engine::new(bundle(&config, &model), &device).expect("opens");
        let mut history = ids(&(1..=14).collect::<Vec<_>>());
        history.insert(13, "gone".into());
        let clicks = pollster::block_on(engine.explain(&history)).expect("explains");
        let judges = config.method.denoises();
        assert!(
            clicks
                .iter()
                .all(|c| c.views.is_some() == (c.known && judges))
        );
        let items: Vec<&String> = clicks.iter().map(|click| &click.item).collect();
        assert_eq!(items, history.iter().collect::<Vec<_>>());
        // Twelve known clicks fit the model; the two oldest and the unknown one are not seen.
        let unseen: Vec<usize> = (0..15).filter(|&i| !clicks[i].known).collect();
        assert_eq!(unseen, [0, 1, 13]);
        assert!(
            clicks
                .iter()
                .all(|c| c.known || (c.noise, c.keep) == (0.0, 0.0))
        );
    }
}

#[test]
fn a_bundle_that_is_no_model_of_ours_is_refused_with_a_code() {
    let device = Device::flex();
    let config = configs().last().expect("a method");
    let model = Model::new(&config, 9, &device);
    let refused = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = bundle(&config, &model);
        change(&mut bundle);
        Engine::new(bundle, &device).expect_err("refused").code()
    };
    assert_eq!(
        refused(&|b| b.manifest.method.name = "dc5sr".into()),
        "method/unknown"
    );
    assert_eq!(
        refused(&|b| b.manifest.backbone = "wide".into()),
        "model/config"
    );
    assert_eq!(
        refused(&|b| b.manifest.backbone["heads"] = 5.into()),
        "model/config"
    );
    assert_eq!(
        refused(&|b| b.manifest.calibration.temperature = 0.0),
        "model/config"
    );
    assert_eq!(
        refused(&|b| b.manifest.backbone["blocks"] = 3.into()),
        "model/tensor"
    );
    assert_eq!(
        refused(&|b| b.manifest.backbone["max_len"] = 13.into()),
        "model/tensor"
    );
}
