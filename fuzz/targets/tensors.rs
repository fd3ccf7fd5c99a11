//! The safetensors of a bundle: an arbitrary model or block of the item table, under a manifest that agrees.
//!
//! The input is which of both it is, the type of the table, its width, its rows and the bytes of a code, one byte
//! each, and then the file.

#![no_main]

use ingle_bundle::{Bundle, Calibration, ItemTable, ItemsSpec, Manifest, MethodSpec, TableType};
use ingle_fuzz::{Sealed, within};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;
use std::collections::BTreeMap;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((&[which, dtype, width, rows, code_width], file)) = bytes.split_first_chunk::<5>()
    else {
        return Corpus::Reject;
    };
    let items = ItemsSpec {
        count: usize::from(rows % 8) + 1,
        width: usize::from(width % 16) + 1,
        dtype: [TableType::Int8, TableType::F16, TableType::F32][usize::from(dtype % 3)],
        code_width: usize::from(code_width % 4),
        appended: 0,
    };
    let [mut model, mut block, ids] = sound(items);
    if which % 2 == 0 {
        model = file.to_vec();
    } else {
        block = file.to_vec();
    }
    let sealed = Sealed::new(items, model, vec![(items.count, block)], ids);
    within(file.len(), || drop(sealed.open()));
    Corpus::Keep
});

/// The model, the one block and the ids of a bundle that is sound.
fn sound(items: ItemsSpec) -> [Vec<u8>; 3] {
    let ItemsSpec { count, width, .. } = items;
    let table = vec![0.5; count * width];
    let method = MethodSpec {
        name: "dc4sr".to_owned(),
        config: Value::Null,
    };
    let calibration = Calibration {
        temperature: 1.0,
        shift: 0.0,
        tau_low: 0.5,
        tau_high: 0.5,
        keep: None,
        views: None,
    };
    let bundle = Bundle {
        manifest: Manifest::new("fuzz", method, Value::Null, calibration),
        weights: BTreeMap::new(),
        items: match items.dtype {
            TableType::Int8 => ItemTable::quantize(&table, width),
            TableType::F16 => ItemTable::f16(&table, width),
            TableType::F32 => ItemTable::f32(table, width),
        },
        popularity: vec![0.0; count],
        codes: vec![0; count * items.code_width],
        ids: (0..count).map(|row| format!("i{row}")).collect(),
    };
    let files = bundle.write(count).expect("a sound bundle");
    ["model", "items", "ids"].map(|kind| {
        let mut found = files.iter().filter(|(name, _)| name.starts_with(kind));
        found.next().expect("a file of each kind").1.clone()
    })
}
