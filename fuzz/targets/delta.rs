//! Deltas: arbitrary bytes in a delta's place, and arbitrary contents of a file that is packed as one.

#![no_main]

use flate2::Compression;
use flate2::write::GzEncoder;
use ingle_bundle::{Manifest, sha256_hex};
use ingle_delivery::{DeliveryError, apply};
use ingle_fuzz::{tells, within};
use libfuzzer_sys::fuzz_target;
use std::io::Write as _;

const MANIFEST: &[u8] = include_bytes!("../../crates/bundle/tests/data/v1/manifest.json");

/// Any file of the bundle before: numbers that count up, as bytes and as floats.
fn before() -> Vec<u8> {
    (0..64_u8)
        .flat_map(|n| f32::from(n).to_le_bytes())
        .collect()
}

fuzz_target!(|bytes: &[u8]| {
    let manifest = Manifest::parse(MANIFEST).expect("a manifest");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("memory takes it");
    let packed = packed.finish().expect("memory takes it");
    for delta in [bytes, &packed] {
        let read = |name: &str| match name {
            "before" => Ok(before()),
            file => Err(DeliveryError::Missing {
                file: file.to_owned(),
            }),
        };
        match within(bytes.len(), || apply(delta, &manifest, read)) {
            Err(error) => tells(&error),
            Ok(made) => {
                for (name, bytes) in made {
                    let mut entries = manifest.files.iter();
                    let entry = entries
                        .find(|entry| entry.name == name)
                        .expect("it is listed");
                    assert_eq!(sha256_hex(&bytes), entry.sha256, "{name}");
                }
            }
        }
    }
});
