//! Old formats stay readable for ever, and the present one is written the same everywhere.

use std::path::{Path, PathBuf};

use ingle_bundle::{Bundle, dir};
use serde_json::Value;

use crate::golden_bundle;

fn data(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(version)
}

fn assert_same_contents(found: &Bundle, due: &Bundle) {
    assert_eq!(found.weights, due.weights);
    assert_eq!(found.items, due.items);
    assert_eq!(found.popularity, due.popularity);
    assert_eq!(found.ids, due.ids);
}

#[test]
fn opens_the_committed_bundle_of_format_1() {
    let bundle = dir::read_dir(&data("v1")).unwrap();
    assert_same_contents(&bundle, &golden_bundle::bundle());
    assert_eq!(bundle.manifest.name, "golden v1");
    assert_eq!(bundle.manifest.method.config["window"], 5);
    assert_eq!(bundle.manifest.backbone["max_len"], 8);
    assert_eq!(
        bundle.manifest.calibration,
        golden_bundle::bundle().manifest.calibration
    );
    assert_eq!(bundle.manifest.provenance["seed"], 7);
    assert_eq!(bundle.manifest.evaluation["masked"]["hr@10"], 0.5);
}

#[test]
fn writes_the_committed_bundle_byte_for_byte() {
    let written = tempfile::tempdir().unwrap();
    let files = golden_bundle::bundle()
        .write(golden_bundle::BLOCK_ROWS)
        .unwrap();
    dir::write_files(written.path(), &files).unwrap();
    let names = |dir: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(written.path()), names(&data("v1")));
    for name in names(written.path()) {
        let new = std::fs::read(written.path().join(&name)).unwrap();
        assert!(
            new == std::fs::read(data("v1").join(&name)).unwrap(),
            "{name:?} differs"
        );
    }
}

#[test]
fn states_the_format_before_anything_else() {
    let text = std::fs::read_to_string(data("v1").join("manifest.json")).unwrap();
    assert!(text.starts_with("{\n  \"format\": 1,"), "{text}");
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        manifest["items"],
        serde_json::json!({"count": 5, "width": 4, "dtype": "int8"})
    );
}
