//! `Bundle::open` over arbitrary bytes: a bundle or a refusal, never a panic.
//!
//! ```text
//! cargo install cargo-fuzz
//! cargo +nightly fuzz run bundle
//! ```
//!
//! A fuzzer does not guess a SHA-256, so most inputs are sealed: their files are arbitrary, and a
//! manifest is made that agrees with them.

#![no_main]

use arbitrary::Arbitrary;
use ingle_bundle::{
    Bundle, BundleError, Calibration, FileEntry, ItemsSpec, Manifest, MethodSpec, Role, TableType,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[derive(Arbitrary, Debug)]
enum Input {
    /// Arbitrary bytes for the manifest, and for whichever file is asked for.
    Raw { manifest: Vec<u8>, file: Vec<u8> },
    /// Arbitrary files, with a manifest that agrees.
    Sealed {
        model: Vec<u8>,
        blocks: Vec<(u16, Vec<u8>)>,
        ids: Vec<u8>,
        count: Option<u32>,
        width: u16,
        dtype: u8,
    },
}

fuzz_target!(|input: Input| {
    let opened = match input {
        Input::Raw { manifest, file } => Bundle::open(&manifest, |_| Ok(&file)),
        Input::Sealed {
            model,
            blocks,
            ids,
            count,
            width,
            dtype,
        } => {
            let mut files = vec![(FileEntry::for_bytes(Role::Model, &model), model)];
            let mut next = 0;
            for (rows, bytes) in blocks {
                let rows = usize::from(rows);
                let mut entry = FileEntry::for_bytes(Role::Items, &bytes);
                entry.first_row = Some(next);
                entry.rows = Some(rows);
                files.push((entry, bytes));
                next += rows;
            }
            files.push((FileEntry::for_bytes(Role::Ids, &ids), ids));
            let manifest = manifest(
                files.iter().map(|(entry, _)| entry.clone()).collect(),
                ItemsSpec {
                    count: count.map_or(next, |count| count as usize),
                    width: usize::from(width),
                    dtype: [TableType::Int8, TableType::F16, TableType::F32]
                        [usize::from(dtype % 3)],
                },
            );
            Bundle::open(&manifest, |entry| {
                let file = files.iter().find(|(file, _)| file.name == entry.name);
                file.map(|(_, bytes)| bytes)
                    .ok_or_else(|| BundleError::Missing {
                        what: entry.name.clone(),
                    })
            })
        }
    };
    match opened {
        Ok(bundle) => check(&bundle),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn manifest(files: Vec<FileEntry>, items: ItemsSpec) -> Vec<u8> {
    let method = MethodSpec {
        name: "dc4sr".to_owned(),
        config: Value::Null,
    };
    let calibration = Calibration {
        temperature: 1.0,
        tau_low: 0.5,
        tau_high: 0.5,
    };
    let manifest = Manifest {
        items,
        files,
        ..Manifest::new("fuzz", method, Value::Null, calibration)
    };
    serde_json::to_vec(&manifest).expect("a manifest is JSON")
}

/// What a bundle that was not refused promises to those who use it.
fn check(bundle: &Bundle) {
    assert_eq!(bundle.items.rows, bundle.manifest.items.count);
    assert_eq!(bundle.ids.len(), bundle.items.rows);
    assert_eq!(bundle.popularity.len(), bundle.items.rows);
    let code_width = bundle.manifest.items.code_width;
    assert_eq!(bundle.codes.len(), bundle.items.rows * code_width);
    let mut row = vec![0.0; bundle.items.width];
    for r in 0..bundle.items.rows {
        bundle.items.row(r, &mut row);
        assert!(row.iter().all(|x| x.is_finite()));
    }
}
