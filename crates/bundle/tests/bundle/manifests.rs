//! Manifests that are refused, and what the refusal says.

use ingle_bundle::{MANIFEST, MAX_MANIFEST_BYTES, Manifest};
use serde_json::{Value, json};

use crate::support::Files;

type Edit = fn(&mut Value);

fn refused(edit: impl FnOnce(&mut Value)) -> (&'static str, String) {
    Files::golden().edit(edit).refusal()
}

#[test]
fn rejects_another_version_saying_what_was_found_and_what_to_do() {
    for (format, found) in [
        (json!(2), "format 2"),
        (json!(0), "format 0"),
        (json!(4_294_967_297_u64), "format 4294967297"),
        (json!("1"), "format \"1\""),
        (json!(1.5), "format 1.5"),
    ] {
        let (code, message) = refused(|manifest| manifest["format"] = format);
        assert_eq!(code, "bundle/format");
        assert!(message.contains(found), "{message}");
        assert!(message.contains("reads format 1"), "{message}");
        assert!(message.contains("export the bundle again"), "{message}");
    }
}

#[test]
fn names_the_version_of_a_manifest_that_looks_like_nothing_known() {
    let error = Manifest::parse(br#"{"format": 9, "chunks": [1, 2]}"#).unwrap_err();
    assert_eq!(error.code(), "bundle/format");
    assert!(error.to_string().contains("format 9"), "{error}");
}

#[test]
fn rejects_json_that_is_no_manifest() {
    for bytes in [
        &b"{}"[..],
        b"[]",
        b"null",
        b"",
        b"<!doctype html><title>404</title>",
        b"\xff\xfe{",
        b"{\"format\": 1}",
        b"{\"format\": 1, \"format\": 1}",
    ] {
        let error = Manifest::parse(bytes).unwrap_err();
        assert_eq!(error.code(), "bundle/manifest", "{error}");
    }
    let page = Manifest::parse(b"<!doctype html>").unwrap_err().to_string();
    assert!(
        page.contains("is this the address of an Ingle bundle?"),
        "{page}"
    );
}

#[test]
fn rejects_a_manifest_cut_short_at_every_byte() {
    let whole = &Files::golden().0[MANIFEST];
    let end = whole.trim_ascii_end().len();
    for length in 1..end {
        let error = Manifest::parse(&whole[..length]).unwrap_err();
        assert_eq!(error.code(), "bundle/manifest", "{length} bytes: {error}");
        assert!(error.to_string().contains("cut short"), "{error}");
    }
}

#[test]
fn rejects_an_endless_manifest_unread() {
    let mut bytes = Files::golden().0[MANIFEST].clone();
    bytes.resize(MAX_MANIFEST_BYTES, b' ');
    Manifest::parse(&bytes).unwrap();
    bytes.push(b' ');
    let error = Manifest::parse(&bytes).unwrap_err();
    assert!(error.to_string().contains("1048577 bytes"), "{error}");
}

#[test]
fn rejects_a_manifest_nested_without_end() {
    let deep = format!("{{\"format\":1,\"backbone\":{}", "[".repeat(500_000));
    assert_eq!(
        Manifest::parse(deep.as_bytes()).unwrap_err().code(),
        "bundle/manifest"
    );
}

#[test]
fn rejects_every_missing_key() {
    let manifest: Value = serde_json::from_slice(&Files::golden().0[MANIFEST]).unwrap();
    for key in manifest.as_object().unwrap().keys() {
        let (code, message) = refused(|manifest| {
            manifest.as_object_mut().unwrap().remove(key);
        });
        assert_eq!(code, "bundle/manifest", "{key}");
        assert!(message.contains(key), "{key}: {message}");
    }
}

#[test]
fn passes_over_unknown_keys() {
    let files = Files::golden().edit(|manifest| {
        manifest["signature"] = json!({ "key": "later" });
        manifest["items"]["codes"] = json!(3);
        manifest["files"][0]["delta"] = json!([1]);
    });
    files.open().unwrap();
}

#[test]
fn passes_over_roles_of_later_versions_without_fetching_them() {
    let files = Files::golden().edit(|manifest| {
        let mut entry = manifest["files"][0].clone();
        entry["role"] = json!("codes");
        entry["name"] = json!("codes-0123456789abcdef.safetensors");
        entry["sha256"] = json!("0123456789abcdef".repeat(4));
        manifest["files"].as_array_mut().unwrap().push(entry);
    });
    // The file is not among `files`: fetching it would fail.
    assert_eq!(files.open().unwrap().manifest.files.len(), 5);
}

#[test]
fn rejects_names_that_leave_the_folder() {
    for name in [
        "../model-0123456789abcdef.safetensors",
        "..",
        "/etc/passwd",
        "C:\\bundle\\model-0123456789abcdef.safetensors",
        ".model-0123456789abcdef.safetensors",
        ".htpasswd",
        "manifest.json",
        "https://elsewhere.example/model-0123456789abcdef.safetensors",
        "",
    ] {
        let (code, message) = refused(|manifest| manifest["files"][0]["name"] = json!(name));
        assert_eq!(code, "bundle/name", "{name}");
        assert!(message.contains(&format!("{name:?}")), "{message}");
    }
}

#[test]
fn rejects_names_that_leave_the_folder_in_unknown_roles_too() {
    let (code, _) = refused(|manifest| {
        let entry = json!({"role": "codes", "name": "../x", "bytes": 1, "sha256": ""});
        manifest["files"].as_array_mut().unwrap().push(entry);
    });
    assert_eq!(code, "bundle/name");
}

#[test]
fn rejects_one_name_with_two_contents() {
    let (code, message) = refused(|manifest| {
        let mut entry = manifest["files"][0].clone();
        entry["bytes"] = json!(1);
        entry["role"] = json!("codes");
        manifest["files"].as_array_mut().unwrap().push(entry);
    });
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("named twice"), "{message}");
}

#[test]
fn rejects_a_file_larger_than_a_browser_can_hold() {
    let (code, message) = refused(|manifest| manifest["files"][0]["bytes"] = json!(u64::MAX));
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("smaller blocks"), "{message}");
}

#[test]
fn rejects_more_files_or_bytes_than_a_bundle_may_have() {
    let many = |manifest: &mut Value| {
        let files = manifest["files"].as_array_mut().unwrap();
        let later = json!({"role": "later", "name": "later-0123456789abcdef.json", "bytes": 1,
            "sha256": "0123456789abcdef".repeat(4)});
        files.extend(std::iter::repeat_n(later, 1024));
    };
    let (code, message) = refused(many);
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("1028 files"), "{message}");

    let (code, message) = refused(|manifest| {
        for file in manifest["files"].as_array_mut().unwrap() {
            file["bytes"] = json!(1_u64 << 30);
        }
    });
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("in all"), "{message}");
}

#[test]
fn rejects_counts_that_the_files_have_no_room_for() {
    let (code, message) = refused(|manifest| {
        manifest["files"][2]["rows"] = json!(1_000_000_000_u64);
        manifest["items"]["count"] = json!(1_000_000_003_u64);
        manifest["files"][3]["bytes"] = json!(1_u64 << 30);
    });
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("too few for 1000000003 ids"), "{message}");

    let (code, message) = refused(|manifest| manifest["files"][3]["bytes"] = json!(14));
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("too few for 5 ids"), "{message}");

    let (code, message) = refused(|manifest| manifest["files"][1]["bytes"] = json!(35));
    assert_eq!(code, "bundle/manifest");
    assert!(message.contains("too few for 3 rows"), "{message}");
}

#[test]
fn rejects_missing_and_doubled_roles() {
    for role in ["model", "items", "ids"] {
        let (code, message) = refused(|manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            files.retain(|file| file["role"] != role);
        });
        assert_eq!(code, "bundle/missing", "{role}");
        assert!(message.to_lowercase().contains(role), "{role}: {message}");
    }
    for role in ["model", "ids"] {
        let (code, message) = refused(|manifest| {
            let files = manifest["files"].as_array_mut().unwrap();
            let twice = files.iter().find(|file| file["role"] == role).cloned();
            files.extend(twice);
        });
        assert_eq!(code, "bundle/manifest", "{role}");
        assert!(message.contains("second file"), "{role}: {message}");
    }
}

#[test]
fn rejects_blocks_that_overlap_leave_gaps_or_have_no_place() {
    // The golden bundle's blocks are files 1 and 2: rows 0..3 and 3..5.
    let edits: [(&str, Edit); 8] = [
        ("overlap", |m| m["files"][2]["first_row"] = json!(2)),
        ("gap", |m| m["files"][2]["first_row"] = json!(4)),
        ("no start", |m| m["files"][1]["first_row"] = json!(1)),
        ("no rows", |m| m["files"][1]["rows"] = json!(0)),
        ("too many", |m| m["files"][2]["rows"] = json!(u64::MAX)),
        ("unplaced", |m| m["files"][2]["first_row"] = Value::Null),
        ("uncounted", |m| m["files"][2]["rows"] = Value::Null),
        ("missing", |m| {
            _ = m["files"].as_array_mut().unwrap().remove(2);
        }),
    ];
    for (what, edit) in edits {
        assert_eq!(refused(edit).0, "bundle/manifest", "{what}");
    }
    let (_, message) = refused(|m| m["files"][2]["first_row"] = json!(4));
    assert!(message.contains("2 rows from row 4"), "{message}");
    assert!(message.contains("from row 3 is due"), "{message}");
}

#[test]
fn accepts_blocks_in_any_order() {
    let files = Files::golden().edit(|m| m["files"].as_array_mut().unwrap().swap(1, 2));
    assert_eq!(
        files.open().unwrap().items,
        Files::golden().open().unwrap().items
    );
}

#[test]
fn rejects_counts_that_cannot_be() {
    for (count, width) in [
        (0, 4),
        (5, 0),
        (6, 4),
        (4, 4),
        (u64::MAX, 4),
        (4_294_967_295, 4),
    ] {
        let (code, message) = refused(|manifest| {
            manifest["items"]["count"] = json!(count);
            manifest["items"]["width"] = json!(width);
        });
        assert_eq!(code, "bundle/manifest", "{count} x {width}: {message}");
    }
    let (code, _) = refused(|manifest| manifest["items"]["count"] = json!(-1));
    assert_eq!(code, "bundle/manifest");
    let (code, _) = refused(|manifest| manifest["items"]["dtype"] = json!("int4"));
    assert_eq!(code, "bundle/manifest");
}

#[test]
fn rejects_a_calibration_that_cannot_be() {
    for (key, value) in [
        ("temperature", json!(0.0)),
        ("temperature", json!(-1.0)),
        ("temperature", json!(1e300)),
        ("temperature", Value::Null),
        ("tau_low", json!(0.9)),
        ("tau_high", json!("high")),
        ("keep", json!([])),
        ("keep", json!([0.5, 0.5])),
        ("keep", json!([0.7, 0.2])),
        ("keep", json!([-0.1])),
        ("keep", json!([0.5, 1.1])),
        ("keep", json!(["all"])),
        ("keep", json!(vec![0.5; 17])),
        (
            "keep",
            json!((0..17).map(|at| f64::from(at) / 20.0).collect::<Vec<_>>()),
        ),
    ] {
        let (code, message) = refused(|manifest| manifest["calibration"][key] = value);
        assert_eq!(code, "bundle/manifest", "{key}: {message}");
    }
}

/// A valid adapter.
fn adapter() -> Value {
    json!({
        "popularity": 0.25,
        "learning": {
            "bias_rate": 3.5, "weight_rate": 0.0, "steps": 8, "half_life": 20.0, "window": 100, "clicks": 5
        },
        "gain": { "value": 0.0125, "error": 0.002 }
    })
}

#[test]
fn an_adapter_is_read_with_and_without_learning_and_need_not_be_there() {
    let read = |edit: Edit| {
        let files = Files::golden().edit(edit);
        Manifest::parse(&files.0[MANIFEST]).expect("reads").adapter
    };
    assert_eq!(read(|_| ()), None);
    let whole = read(|manifest| manifest["adapter"] = adapter()).expect("an adapter");
    assert_eq!(whole.learning.expect("learning").window, 100);
    let plain = read(|manifest| {
        manifest["adapter"] =
            json!({ "popularity": -0.5, "gain": { "value": 0.01, "error": 0.0 } });
    });
    let plain = plain.expect("an adapter");
    assert_eq!((plain.popularity, plain.learning), (-0.5, None));
}

#[test]
fn rejects_an_adapter_out_of_its_ranges_and_names_the_field() {
    for (field, values) in [
        (
            "popularity",
            vec![
                json!(100.5),
                json!(-101),
                json!(1e39),
                json!(null),
                json!("much"),
            ],
        ),
        ("gain/value", vec![json!(1.5), json!(-2)]),
        ("gain/error", vec![json!(-0.1), json!(1.1)]),
        (
            "learning/bias_rate",
            vec![json!(-1.0), json!(1e7), json!(0)],
        ),
        ("learning/weight_rate", vec![json!(-0.5), json!(1e30)]),
        (
            "learning/steps",
            vec![json!(0), json!(1001), json!(1.5), json!(-1)],
        ),
        ("learning/half_life", vec![json!(0), json!(-3), json!(1e7)]),
        ("learning/window", vec![json!(0), json!(513)]),
        ("learning/clicks", vec![json!(0), json!(1)]),
    ] {
        for value in values {
            let shown = format!("{field} {value}");
            let (code, message) = refused(|manifest| {
                manifest["adapter"] = adapter();
                *manifest
                    .pointer_mut(&format!("/adapter/{field}"))
                    .expect("a field") = value;
            });
            assert_eq!(code, "bundle/manifest", "{shown}");
            assert!(
                message.contains("export the bundle again"),
                "{shown}: {message}"
            );
        }
    }
}
