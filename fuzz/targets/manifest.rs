//! The manifest of a bundle: arbitrary bytes, and a host that has no other file.

#![no_main]

use ingle_bundle::{Bundle, BundleError, Manifest, Role, is_file_name};
use ingle_fuzz::{json, tells, within};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    if let Some(bytes) = counted(bytes) {
        read(&bytes);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    json::mutate(data, size, max_size, seed)
});

fn read(bytes: &[u8]) {
    within(bytes.len(), || {
        let parsed = Manifest::parse(bytes);
        let opened = Bundle::open(bytes, |entry| {
            assert!(parsed.is_ok(), "{} was asked for", entry.name);
            Err::<Vec<u8>, _>(BundleError::Missing {
                what: entry.name.clone(),
            })
        });
        tells(&opened.expect_err("there is no model"));
        match &parsed {
            Ok(manifest) => check(manifest),
            Err(error) => tells(error),
        }
    });
}

/// The same, counting as many items as its blocks have rows: a fuzzer seldom changes both at once.
fn counted(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut manifest: Value = serde_json::from_slice(bytes).ok()?;
    let rows = manifest["files"].as_array()?.iter();
    let count = rows
        .filter_map(|file| file["rows"].as_u64())
        .fold(0, u64::saturating_add);
    *manifest.get_mut("items")?.get_mut("count")? = count.into();
    serde_json::to_vec(&manifest).ok()
}

fn check(manifest: &Manifest) {
    for file in &manifest.files {
        assert!(is_file_name(&file.name), "{:?}", file.name);
        assert!(file.bytes <= ingle_bundle::MAX_FILE_BYTES);
    }
    let of = |role| manifest.files.iter().filter(move |file| file.role == role);
    assert_eq!((of(Role::Model).count(), of(Role::Ids).count()), (1, 1));
    let mut blocks: Vec<(usize, usize)> = of(Role::Items)
        .map(|file| (file.first_row.expect("a row"), file.rows.expect("rows")))
        .collect();
    blocks.sort_unstable();
    let end = blocks.iter().fold(0, |next, &(first, rows)| {
        assert!(first == next && rows > 0);
        next + rows
    });
    assert_eq!(end, manifest.items.count);

    let json = serde_json::to_vec(manifest).expect("a manifest is JSON");
    let mut again = Manifest::parse(&json).expect("what was read is read again");
    // Free JSON, whose numbers are read to the last bit but one.
    again.method.config.clone_from(&manifest.method.config);
    again.backbone.clone_from(&manifest.backbone);
    again.provenance.clone_from(&manifest.provenance);
    again.evaluation.clone_from(&manifest.evaluation);
    assert_eq!(&again, manifest);
}
