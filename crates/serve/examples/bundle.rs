//! Writes a random bundle for the server's benchmark: `bundle FOLDER SEED ITEMS WIDTH`. The item table takes a little
//! more than ITEMS x WIDTH bytes; the model's weights are a file of 2 KB.

use std::collections::BTreeMap;
use std::path::Path;

use ingle_bundle::{Bundle, Calibration, ItemTable, Manifest, MethodSpec, Tensor, dir};
use serde_json::json;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seed, items, width] = &args[..] else {
        panic!("usage: bundle FOLDER SEED ITEMS WIDTH");
    };
    let number = |text: &str| {
        text.parse::<u64>()
            .expect("SEED, ITEMS and WIDTH are whole numbers")
    };
    let (seed, items, width) = (number(seed), number(items) as usize, number(width) as usize);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let method = MethodSpec {
        name: "sasrec".to_owned(),
        config: json!({}),
    };
    let calibration = Calibration {
        temperature: 1.0,
        shift: 0.0,
        views: None,
        tau_low: 0.5,
        tau_high: 0.9,
        keep: None,
    };
    let weight = Tensor {
        shape: vec![480],
        data: (0..480).map(|_| draw()).collect(),
    };
    let table: Vec<f32> = (0..items * width).map(|_| draw()).collect();
    let bundle = Bundle {
        manifest: Manifest::new(
            format!("bench {seed}"),
            method,
            json!({ "width": width }),
            calibration,
        ),
        weights: BTreeMap::from([("gamma".to_owned(), weight)]),
        items: ItemTable::quantize(&table, width),
        popularity: vec![1.0; items],
        codes: Vec::new(),
        ids: (0..items).map(|item| format!("{seed}-{item}")).collect(),
    };
    for name in dir::write_dir(&bundle, Path::new(folder)).expect("the folder can be written to") {
        println!("{name}");
    }
}
