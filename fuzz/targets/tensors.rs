//! The safetensors of a bundle: an arbitrary model or block of the item table, under a manifest that agrees.
//!
//! The input is which of both it is, the type of the table, its width, its rows and the bytes of a code, one byte
//! each, and then the file.

#![no_main]

use ingle_bundle::{Bundle, ItemTable, ItemsSpec, Manifest, TableType};
use ingle_fuzz::{Sealed, json, judging, within};
use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
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

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match changed(&data[..size], seed).filter(|file| file.len() <= max_size) {
        Some(file) => {
            data[..file.len()].copy_from_slice(&file);
            file.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});

/// One value of the header changed, and its length with it, or one number of the data.
fn changed(input: &[u8], seed: u32) -> Option<Vec<u8>> {
    let (before, file) = input.split_at_checked(5)?;
    let (length, rest) = file.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (header, data) = rest.split_at_checked(length)?;
    let (mut header, mut data) = (header.to_vec(), data.to_vec());
    let (words, _) = data.as_chunks_mut::<4>();
    if seed % 4 == 0 && !words.is_empty() {
        let mut chance = json::Chance(u64::from(seed));
        let strange = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -0.0,
            -1.0,
            f32::MAX,
            1e-45,
        ];
        words[chance.below(words.len())] = strange[chance.below(strange.len())].to_le_bytes();
    } else {
        header = json::changed(&header, seed)?;
    }
    let length = (header.len() as u64).to_le_bytes();
    Some([before, &length, &header, &data].concat())
}

/// The model, the one block and the ids of a bundle that is sound.
fn sound(items: ItemsSpec) -> [Vec<u8>; 3] {
    let ItemsSpec { count, width, .. } = items;
    let table = vec![0.5; count * width];
    let (method, calibration) = judging();
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
