//! What is written is what is read.

use std::collections::{BTreeMap, BTreeSet};

use ingle_bundle::{Bundle, Ids, ItemTable, Tensor};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use crate::golden_bundle;
use crate::support::Files;

fn tensors() -> impl Strategy<Value = Tensor> {
    vec(0_usize..5, 0..4).prop_flat_map(|shape| {
        let count = shape.iter().product::<usize>();
        vec(-1e30_f32..1e30, count).prop_map(move |data| Tensor {
            shape: shape.clone(),
            data,
        })
    })
}

fn items(rows: usize) -> impl Strategy<Value = ItemTable> {
    (1_usize..8, 0_u8..3).prop_flat_map(move |(width, kind)| {
        vec(-60_000.0_f32..60_000.0, rows * width).prop_map(move |table| match kind {
            0 => ItemTable::quantize(&table, width),
            1 => ItemTable::f16(&table, width),
            _ => ItemTable::f32(table, width),
        })
    })
}

fn bundles() -> impl Strategy<Value = Bundle> {
    let ids = btree_set(any::<String>(), 1..30);
    ids.prop_flat_map(|ids: BTreeSet<String>| {
        let rows = ids.len();
        let ids: Vec<String> = ids.into_iter().collect();
        (
            Just(ids).prop_shuffle(),
            items(rows),
            vec(0.0_f32..40.0, rows),
            (0_usize..4).prop_flat_map(move |width| vec(any::<i8>(), width * rows)),
            btree_map(any::<String>(), tensors(), 0..4),
        )
            .prop_map(
                |(ids, items, popularity, codes, weights): (
                    Vec<String>,
                    _,
                    _,
                    _,
                    BTreeMap<_, _>,
                )| Bundle {
                    manifest: golden_bundle::bundle().manifest,
                    weights,
                    items,
                    popularity,
                    codes,
                    ids: ids.into_iter().collect(),
                },
            )
    })
}

proptest! {
    #[test]
    fn a_bundle_survives_writing_and_reading(bundle in bundles(), block_rows in 0_usize..40) {
        let files = Files::of(&bundle, block_rows);
        let read = files.open().unwrap();
        prop_assert_eq!(&read.weights, &bundle.weights);
        prop_assert_eq!(&read.items, &bundle.items);
        prop_assert_eq!(&read.popularity, &bundle.popularity);
        prop_assert_eq!(&read.codes, &bundle.codes);
        prop_assert_eq!(&read.ids, &bundle.ids);
        // Written again it is the same, byte for byte.
        prop_assert_eq!(Files::of(&read, block_rows).0, files.0);
    }
}

#[test]
fn blocks_that_are_equal_share_a_file() {
    let mut bundle = golden_bundle::bundle();
    bundle.items = ItemTable::quantize(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 3.0, 3.0], 2);
    bundle.popularity = vec![1.0; 5];
    let files = Files::of(&bundle, 2);
    // Model, ids, manifest, and three blocks of which two are one file.
    assert_eq!(files.0.len(), 5);
    let read = files.open().unwrap();
    assert_eq!(read.items, bundle.items);
    assert_eq!(read.manifest.files.len(), 5);
}

#[test]
fn refuses_to_write_what_could_not_be_read() {
    let damaged = |damage: fn(&mut Bundle)| {
        let mut bundle = golden_bundle::bundle();
        damage(&mut bundle);
        bundle.write(3).unwrap_err().code()
    };
    assert_eq!(
        damaged(|b| b.ids = b.ids.iter().take(4).collect()),
        "bundle/ids"
    );
    assert_eq!(
        damaged(|b| b.ids = [1, 1, 2, 3, 4]
            .map(|row| b.ids[row].to_owned())
            .iter()
            .collect()),
        "bundle/ids"
    );
    assert_eq!(damaged(|b| b.popularity.truncate(4)), "bundle/tensor");
    assert_eq!(damaged(|b| b.popularity[0] = f32::NAN), "bundle/tensor");
    assert_eq!(damaged(|b| b.codes = vec![1; 7]), "bundle/tensor");
    assert_eq!(damaged(|b| b.items.rows = 4), "bundle/tensor");
    assert_eq!(
        damaged(|b| b.items = ItemTable::quantize(&[f32::NAN; 5], 1)),
        "bundle/tensor"
    );
    assert_eq!(
        damaged(|b| b.weights.get_mut("norm.gamma").unwrap().shape[0] = 5),
        "bundle/tensor"
    );
    assert_eq!(
        damaged(|b| b.weights.get_mut("norm.gamma").unwrap().data[0] = f32::INFINITY),
        "bundle/tensor"
    );
    let reserved = |b: &mut Bundle| {
        let weight = b.weights["norm.gamma"].clone();
        b.weights.insert("__metadata__".to_owned(), weight);
    };
    assert_eq!(damaged(reserved), "bundle/tensor");
    assert_eq!(
        damaged(|b| b.manifest.calibration.temperature = 0.0),
        "bundle/manifest"
    );
    assert_eq!(
        damaged(|b| b.manifest.calibration.tau_low = 0.9),
        "bundle/manifest"
    );
    assert_eq!(
        damaged(|b| b.manifest.calibration.keep = Some(vec![f32::NAN])),
        "bundle/manifest"
    );
    assert_eq!(
        damaged(|b| b.manifest.name = "x".repeat(1 << 20)),
        "bundle/manifest"
    );
    let empty = |b: &mut Bundle| {
        b.items = ItemTable::quantize(&[], 4);
        b.popularity.clear();
        b.ids = Ids::default();
    };
    assert_eq!(damaged(empty), "bundle/manifest");
}
