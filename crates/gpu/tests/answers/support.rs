//! Bundles with invented weights, and engines on both devices.

use ingle_bundle::{Bundle, Calibration, ItemTable, Manifest, MethodSpec, Tensor};
use ingle_gpu::Gpu;
use ingle_model::backbone::Kind;
use ingle_model::methods::dc4sr;
use ingle_model::{BackboneConfig, Recommendation, SliceEngine};
use pollster::block_on;
use std::collections::BTreeMap;

/// Numbers between -1 and 1 that look drawn.
pub(crate) fn numbers(count: usize, seed: u32) -> impl Iterator<Item = f32> {
    (0..count as u32).map(move |at| {
        let mixed = (at.wrapping_mul(0x9e37_79b9) ^ seed.wrapping_mul(0x85eb_ca6b))
            .wrapping_mul(0xc2b2_ae35);
        ((mixed ^ (mixed >> 15)).wrapping_mul(0x27d4_eb2f) >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
}

/// A bundle of `sasrec` with invented weights.
pub(crate) fn invented(items: usize, backbone: &BackboneConfig) -> Bundle {
    let BackboneConfig {
        width,
        feed_forward,
        max_len,
        ..
    } = *backbone;
    let mut weights = BTreeMap::new();
    let mut put = |name: String, shape: &[usize]| {
        let count = shape.iter().product();
        let scale = 1.5 / (shape[0] as f32).sqrt();
        let seed = weights.len() as u32;
        let around = if name.ends_with("gamma") { 1.0 } else { 0.0 };
        let data = numbers(count, seed).map(|x| around + x * scale).collect();
        let shape = shape.to_vec();
        weights.insert(name, Tensor { shape, data });
    };
    if backbone.kind == Kind::GRU4REC {
        for layer in (0..backbone.blocks).map(|layer| format!("backbone.layers.{layer}")) {
            for part in ["input", "hidden"] {
                put(format!("{layer}.{part}.weight"), &[width, 3 * width]);
                put(format!("{layer}.{part}.bias"), &[3 * width]);
            }
        }
    } else {
        put("backbone.positions".into(), &[max_len, width]);
    }
    let transformer = backbone.kind == Kind::SASREC;
    for block in 0..if transformer { backbone.blocks } else { 0 } {
        let path = format!("backbone.blocks.{block}");
        for norm in ["attention_norm", "feed_norm"] {
            put(format!("{path}.{norm}.gamma"), &[width]);
            put(format!("{path}.{norm}.beta"), &[width]);
        }
        let square = ["query", "key", "value", "output"];
        let square = square.map(|name| (format!("attention.{name}"), [width, width]));
        let layers = [
            ("widen".to_owned(), [width, feed_forward]),
            ("narrow".to_owned(), [feed_forward, width]),
        ];
        for (layer, shape) in square.into_iter().chain(layers) {
            put(format!("{path}.{layer}.weight"), &shape);
            put(format!("{path}.{layer}.bias"), &shape[1..]);
        }
    }
    put("backbone.norm.gamma".into(), &[width]);
    put("backbone.norm.beta".into(), &[width]);
    let method = MethodSpec {
        name: "sasrec".into(),
        config: serde_json::json!({}),
    };
    let calibration = Calibration {
        temperature: 1.0,
        shift: 0.0,
        tau_low: 0.5,
        tau_high: 0.9,
        keep: None,
        views: None,
    };
    let settings = serde_json::to_value(backbone).expect("JSON");
    let table: Vec<f32> = numbers(items * width, 99).map(|x| x * 0.5).collect();
    let mut manifest = Manifest::new("invented", method, settings, calibration);
    (manifest.items.count, manifest.items.width) = (items, width);
    Bundle {
        manifest,
        weights,
        items: ItemTable::quantize(&table, width),
        popularity: (0..items).map(|item| (item as f32).ln_1p()).collect(),
        codes: Vec::new(),
        ids: (0..items).map(|item| format!("item {item}")).collect(),
    }
}

/// A bundle of `dc4sr` with invented weights: noise logits are of the order of 1.
pub(crate) fn invented_dc4sr(
    items: usize,
    backbone: &BackboneConfig,
    config: &dc4sr::Config,
) -> Bundle {
    let mut bundle = invented(items, backbone);
    let dc4sr::Config {
        scorer_width: wide,
        scorer_heads: heads,
        code_width,
        ..
    } = *config;
    let inputs = [
        code_width + 1,
        backbone.width + 1,
        2 * wide + backbone.width + code_width + 3,
    ];
    for (net, name) in ["prior", "posterior", "fusion"].into_iter().enumerate() {
        let path = format!("method.Dc4sr.{name}");
        let weights = &mut bundle.weights;
        let mut put = |name: String, shape: &[usize]| {
            let scale = if name.contains("pulls") {
                2.0
            } else {
                1.5 / (shape[0] as f32).sqrt()
            };
            let around = if name.ends_with("gamma") { 1.0 } else { 0.0 };
            let seed = 1000 + weights.len() as u32;
            let data = numbers(shape.iter().product(), seed)
                .map(|x| around + x * scale)
                .collect();
            let shape = shape.to_vec();
            weights.insert(format!("{path}.{name}"), Tensor { shape, data });
        };
        let (kinds, blocks) = if net == 2 {
            (2, config.fusion_blocks)
        } else {
            (1, config.view_blocks)
        };
        let mut layer = |name: String, shape: [usize; 2]| {
            put(format!("{name}.weight"), &shape);
            put(format!("{name}.bias"), &shape[1..]);
        };
        layer("input".into(), [inputs[net], wide]);
        layer("merge".into(), [wide + 4 * kinds, wide]);
        layer("output".into(), [wide, 1]);
        for block in (0..blocks).map(|block| format!("blocks.{block}")) {
            for name in ["query", "key", "value", "output"] {
                layer(format!("{block}.attention.{name}"), [wide; 2]);
            }
            layer(format!("{block}.widen"), [wide, 2 * wide]);
            layer(format!("{block}.narrow"), [2 * wide, wide]);
        }
        for block in 0..blocks {
            put(format!("pulls.{block}"), &[kinds, heads]);
            for norm in ["attention_norm", "feed_norm"] {
                put(format!("blocks.{block}.{norm}.gamma"), &[wide]);
                put(format!("blocks.{block}.{norm}.beta"), &[wide]);
            }
        }
        put("positions".into(), &[backbone.max_len, wide]);
        put("norm.gamma".into(), &[wide]);
        put("norm.beta".into(), &[wide]);
    }
    let mut settings = serde_json::to_value(config).expect("JSON");
    settings.as_object_mut().expect("an object").remove("name");
    bundle.manifest.method = MethodSpec {
        name: "dc4sr".into(),
        config: settings,
    };
    bundle.manifest.items.code_width = code_width;
    bundle.codes = numbers(items * code_width, 55)
        .map(|x| (x * 127.0) as i8)
        .collect();
    bundle
}

pub(crate) fn engines(bundle: Bundle) -> (SliceEngine, SliceEngine<Gpu>) {
    let host = SliceEngine::new(bundle.clone()).expect("opens");
    let engine = SliceEngine::new(bundle).expect("opens");
    let gpu = block_on(Gpu::open(engine.parts(), engine.judge_parts())).expect("a GPU");
    (host, engine.with(gpu))
}

#[track_caller]
pub(crate) fn assert_same(found: &[Recommendation], due: &[Recommendation]) {
    assert_within(found, due, [1e-4, 2e-5]);
}

/// Over several histories each has a sum of its own, and of logits of 28 both passes know five digits of it.
#[track_caller]
pub(crate) fn assert_same_mean(found: &[Recommendation], due: &[Recommendation]) {
    assert_within(found, due, [4e-4, 4e-4]);
}

/// Scores may be as far apart as the first bound, and items as far as the second change places.
#[track_caller]
pub(crate) fn assert_within(
    found: &[Recommendation],
    due: &[Recommendation],
    [bound, swap]: [f32; 2],
) {
    assert_eq!(found.len(), due.len());
    for (found, due) in found.iter().zip(due) {
        assert!(
            (found.score - due.score).abs() <= bound,
            "{found:?}, {due:?}"
        );
        // Of the sum below it both passes know logits of 28 to five digits.
        assert!(
            (found.probability - due.probability).abs() <= 2e-4,
            "{found:?}, {due:?}"
        );
    }
    let apart = found.iter().zip(due).filter(|(a, b)| a.item != b.item);
    // Only items of nearly equal scores may change places.
    for (found, due) in apart {
        assert!(
            (found.score - due.score).abs() <= swap,
            "{found:?}, {due:?}"
        );
    }
}
