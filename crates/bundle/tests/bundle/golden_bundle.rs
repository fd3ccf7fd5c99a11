//! The golden bundle of format 1: small, and the same bytes on every machine, for its numbers are
//! fractions that need no rounding.

use std::collections::BTreeMap;

use ingle_bundle::{Bundle, Calibration, ItemTable, Manifest, MethodSpec, Tensor};
use serde_json::json;

/// Rows of a block of the golden bundle, so that it has two.
pub(crate) const BLOCK_ROWS: usize = 3;

/// Five items of width 4, a few weights, two blocks.
pub(crate) fn bundle() -> Bundle {
    Bundle {
        manifest: manifest(),
        weights: BTreeMap::from([
            ("norm.gamma".to_owned(), tensor(&[4], 0.5)),
            ("scorer.bias".to_owned(), tensor(&[], 0.25)),
            ("scorer.weight".to_owned(), tensor(&[4, 2], -1.0)),
        ]),
        items: ItemTable::quantize(&table(), 4),
        codes: Vec::new(),
        popularity: vec![2.5, 0.0, 1.75, 0.5, 3.0],
        ids: [
            "plain",
            "with \"quotes\"",
            "with, comma",
            "🔥 kettle",
            "naïve/../id",
        ]
        .iter()
        .collect(),
    }
}

fn manifest() -> Manifest {
    let method = MethodSpec {
        name: "dc4sr".to_owned(),
        config: json!({ "window": 5 }),
    };
    let calibration = Calibration {
        temperature: 1.5,
        shift: 0.0,
        views: None,
        tau_low: 0.25,
        tau_high: 0.75,
        keep: None,
    };
    let backbone = json!({ "width": 4, "blocks": 1, "heads": 1, "max_len": 8 });
    Manifest {
        provenance: json!({ "ingle": "0.1.0", "dataset": "golden", "seed": 7 }),
        evaluation: json!({ "masked": { "hr@10": 0.5, "ndcg@10": 0.25 } }),
        ..Manifest::new("golden v1", method, backbone, calibration)
    }
}

fn tensor(shape: &[usize], first: f32) -> Tensor {
    let count = shape.iter().product::<usize>() as u8;
    Tensor {
        shape: shape.to_vec(),
        data: (0..count).map(|i| first + f32::from(i) / 8.0).collect(),
    }
}

/// Row 2 is zero; the others have magnitudes of their own.
fn table() -> Vec<f32> {
    [1.0, 0.5, 0.0, 4.0, 0.125]
        .iter()
        .flat_map(|scale| [1.0, -0.5, 0.25, 0.0].map(|x| x * scale))
        .collect()
}
