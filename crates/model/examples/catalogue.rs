//! Writes the bundle of an invented catalogue, for benchmarks: `catalogue ITEMS FOLDER [METHOD]`.
//!
//! Weights are random and the item table is as wide apart as a trained one, so answers take as long as
//! those of a trained bundle and mean nothing.

use burn::prelude::Device;
use ingle_bundle::{Bundle, Calibration, ItemTable, Manifest, MethodSpec, dir};
use ingle_model::engine::shipped_weights;
use ingle_model::methods::MethodConfig;
use ingle_model::{BackboneConfig, Model, ModelConfig, Rng};
use std::path::Path;

const WIDTH: usize = 64;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [items, folder, method @ ..] = &args[..] else {
        panic!("catalogue ITEMS FOLDER [METHOD]");
    };
    let items: usize = items.parse().expect("a number of items");
    let method = method.first().map_or("none", String::as_str);
    let method = MethodConfig::named(method).expect("a registered method");
    let bundle = bundle(items, method);
    dir::write_dir(&bundle, Path::new(folder)).expect("writes");
}

fn bundle(items: usize, method: MethodConfig) -> Bundle {
    let config = ModelConfig {
        // The weights beside the table do not depend on the catalogue.
        items: 1,
        backbone: BackboneConfig {
            width: WIDTH,
            ..BackboneConfig::default()
        },
        method,
        gate: ingle_model::gate::GateConfig::default(),
        keep: None,
    };
    let model = Model::new(&config, 1, &Device::flex());
    let mut rng = Rng::new(1, &[7]);
    let table: Vec<f32> = (0..items * WIDTH).map(|_| rng.normal(0.2)).collect();
    let mut settings = serde_json::to_value(&config.method).expect("JSON");
    settings.as_object_mut().expect("an object").remove("name");
    let method = MethodSpec {
        name: config.method.name().into(),
        config: settings,
    };
    let gate = config.gate;
    let calibration = Calibration {
        temperature: gate.scale.temperature,
        shift: gate.scale.shift,
        tau_low: gate.tau_low,
        tau_high: gate.tau_high,
        keep: None,
        views: None,
    };
    let backbone = serde_json::to_value(&config.backbone).expect("JSON");
    let codes = items * config.method.code_width().unwrap_or(0);
    Bundle {
        manifest: Manifest::new(format!("{items} items"), method, backbone, calibration),
        weights: shipped_weights(&model),
        items: ItemTable::quantize(&table, WIDTH),
        popularity: (0..items).map(|item| (item as f32).ln_1p()).collect(),
        codes: (0..codes).map(|_| rng.below(255) as i8).collect(),
        ids: (0..items).map(|item| format!("item-{item}")).collect(),
    }
}
