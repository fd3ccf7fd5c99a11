//! A model of each registered method over each encoder, and its bundle.

use burn::prelude::*;
use ingle_bundle::{
    Bundle, Calibration, FORMAT, ItemTable, ItemsSpec, Manifest, MethodSpec, TableType,
};
use ingle_model::backbone::Kind;
use ingle_model::engine::shipped_weights;
use ingle_model::gate::GateConfig;
use ingle_model::methods::{MethodConfig, NAMES};
use ingle_model::{
    BackboneConfig, Batch, Codes, ItemFeatures, Model, ModelConfig, Rng, Rule, SliceEngine,
};
use std::collections::BTreeMap;

pub(crate) const ITEMS: usize = 40;

/// Every method over every encoder.
pub(crate) fn configs() -> impl Iterator<Item = ModelConfig> {
    (Kind::ALL.iter()).flat_map(|&kind| NAMES.iter().map(move |name| config(kind, name)))
}

/// The first method over every encoder, for what methods have no part in.
pub(crate) fn encoders() -> impl Iterator<Item = ModelConfig> {
    Kind::ALL.iter().map(|&kind| config(kind, NAMES[0]))
}

/// The model with one history and a gate, and with histories that may be true: all clicks, and several.
pub(crate) fn ways(config: &ModelConfig) -> [ModelConfig; 3] {
    [None, Some(Rule::all()), Some(Rule::even(4))].map(|keep| ModelConfig {
        keep,
        ..config.clone()
    })
}

/// The bundle with a scale that spreads its probabilities of noise: what has learnt nothing says nearly the same of
/// every click.
pub(crate) fn spread(mut bundle: Bundle) -> Bundle {
    let calibration = &mut bundle.manifest.calibration;
    (calibration.temperature, calibration.shift) = (1.0, 0.0);
    let engine = SliceEngine::new(bundle.clone()).expect("opens");
    let clicks = (histories(5).into_iter()).flat_map(|history| engine.explain(&ids(&history)));
    let logits: Vec<f32> = clicks.map(|c| (c.noise / (1.0 - c.noise)).ln()).collect();
    let mean = logits.iter().sum::<f32>() / logits.len() as f32;
    let squares: f32 = logits.iter().map(|x| (x - mean).powi(2)).sum();
    let deviation = (squares / logits.len() as f32).sqrt();
    if deviation > 0.0 && deviation.is_finite() {
        let calibration = &mut bundle.manifest.calibration;
        (calibration.temperature, calibration.shift) = (deviation / 2.0, mean);
    }
    bundle
}

fn config(kind: Kind, method: &str) -> ModelConfig {
    ModelConfig {
        items: ITEMS,
        backbone: BackboneConfig {
            kind,
            width: 16,
            heads: 2,
            feed_forward: 32,
            max_len: 12,
            ..BackboneConfig::default()
        },
        method: MethodConfig::named(method).expect(method),
        gate: GateConfig {
            tau_low: 0.4,
            tau_high: 0.6,
            ..GateConfig::default()
        },
        keep: None,
    }
}

/// Popularities that grow with the item's number, and a code for each item if the method wants one.
pub(crate) fn features(config: &ModelConfig) -> ItemFeatures {
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
    ItemFeatures {
        popularity: (0..=ITEMS).map(|item| (item as f32).ln_1p()).collect(),
        codes,
    }
}

pub(crate) fn batch(
    config: &ModelConfig,
    histories: &[Vec<u32>],
    len: usize,
    device: &Device,
) -> Batch {
    Batch::new(histories, len, &features(config), device)
}

pub(crate) fn histories(seed: u64) -> Vec<Vec<u32>> {
    let mut rng = Rng::new(seed, &[]);
    (1..=8)
        .map(|len| (0..len).map(|_| 1 + rng.below(ITEMS) as u32).collect())
        .collect()
}

pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

pub(crate) fn assert_close(a: &[f32], b: &[f32], bound: f32, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= bound, "{what}: {a} and {b}");
    }
}

/// The model as `ingle export` would write it, with an exact item table.
pub(crate) fn bundle(config: &ModelConfig, model: &Model) -> Bundle {
    let width = config.backbone.width;
    let table: Vec<f32> = floats(model.backbone.items.val()).split_off(width);
    let mut method = serde_json::to_value(&config.method).expect("JSON");
    method.as_object_mut().expect("an object").remove("name");
    let features = features(config);
    let codes = features
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
                appended: 0,
            },
            files: Vec::new(),
            calibration: Calibration {
                temperature: config.gate.scale.temperature,
                shift: config.gate.scale.shift,
                views: None,
                tau_low: config.gate.tau_low,
                tau_high: config.gate.tau_high,
                keep: config.keep.clone().map(Vec::from),
            },
            adapter: None,
            provenance: serde_json::Value::Null,
            evaluation: serde_json::Value::Null,
        },
        weights: shipped_weights(model),
        items: ItemTable::f32(table, width),
        popularity: features.popularity[1..].to_vec(),
        codes,
        ids: (1..=ITEMS).map(|item| format!("item {item}")).collect(),
    }
}

/// Through bytes, as a browser gets it.
pub(crate) fn reopened(bundle: &Bundle) -> Bundle {
    let files: BTreeMap<String, Vec<u8>> = bundle.write(16).expect("writes").into_iter().collect();
    Bundle::open(
        &files["manifest.json"],
        |file| Ok(files[&file.name].clone()),
    )
    .expect("opens")
}

pub(crate) fn ids(history: &[u32]) -> Vec<String> {
    history.iter().map(|item| format!("item {item}")).collect()
}
