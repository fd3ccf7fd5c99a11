//! The item ids of a bundle: arbitrary bytes under a manifest that agrees, held to what serde_json reads.

#![no_main]

use ingle_bundle::{ItemsSpec, TableType};
use ingle_fuzz::{Sealed, json, within};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use std::collections::HashMap;

fuzz_target!(|bytes: &[u8]| {
    let list: Option<Vec<String>> = serde_json::from_slice(bytes).ok();
    let count = list.as_ref().map_or(1, |list| list.len().max(1));
    let items = ItemsSpec {
        count,
        width: 1,
        dtype: TableType::F32,
        code_width: 0,
        appended: 0,
    };
    let zeros = vec![0; 4 * count];
    let block = safetensors(&[
        ("popularity", &[count], &zeros),
        ("values", &[count, 1], &zeros),
    ]);
    let sealed = Sealed::new(
        items,
        safetensors(&[]),
        vec![(count, block)],
        bytes.to_vec(),
    );
    let opened = within(bytes.len(), || sealed.open());
    let mut rows = HashMap::new();
    for (row, id) in list.iter().flatten().enumerate() {
        rows.entry(id.as_str()).or_insert(row);
    }
    let sound = list
        .as_ref()
        .is_some_and(|list| !list.is_empty() && rows.len() == list.len());
    assert_eq!(opened.is_ok(), sound, "{opened:?}");
    if let Ok(bundle) = opened {
        assert!(
            bundle
                .ids
                .iter()
                .eq(list.iter().flatten().map(String::as_str))
        );
        assert!(
            rows.iter()
                .all(|(id, &row)| bundle.ids.row(id) == Some(row))
        );
        for stranger in ["", "\u{feff}", "i1"] {
            assert_eq!(bundle.ids.row(stranger), rows.get(stranger).copied());
        }
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    json::mutate(data, size, max_size, seed)
});

fn safetensors(tensors: &[(&str, &[usize], &[u8])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape, bytes) in tensors {
        let offsets = [data.len(), data.len() + bytes.len()];
        let about = serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": offsets });
        header.insert((*name).to_owned(), about);
        data.extend_from_slice(bytes);
    }
    let header = serde_json::to_vec(&header).expect("JSON");
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], &header, &data].concat()
}
