//! Files that are refused, and what the refusal says.

use ingle_bundle::{Bundle, BundleError, ItemTable, MANIFEST, TableType, TableValues};
use serde_json::json;

use crate::golden_bundle;
use crate::support::Files;

/// Overwrites a number of the tensor in the golden bundle's first block that starts with `from`.
fn overwrite(from: f32, with: f32) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| {
        let from = from.to_le_bytes();
        let at = bytes.windows(4).rposition(|window| window == from).unwrap();
        bytes[at..at + 4].copy_from_slice(&with.to_le_bytes());
    }
}

#[test]
fn rejects_a_changed_byte_in_every_file() {
    let golden = Files::golden();
    let names = golden.0.keys().filter(|name| *name != MANIFEST);
    for name in names {
        let mut files = golden.clone();
        let bytes = files.0.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let (code, message) = files.refusal();
        assert_eq!(code, "bundle/hash", "{name}");
        assert!(message.contains(name.as_str()), "{message}");
        assert!(message.contains("fetch or copy it again"), "{message}");
    }
}

#[test]
fn rejects_a_file_of_the_wrong_size() {
    let edits: [fn(&mut Vec<u8>); 3] = [|b| b.push(0), |b| b.truncate(b.len() - 1), Vec::clear];
    for edit in edits {
        let mut files = Files::golden();
        let (_, name) = files.find("model");
        let due = files.0[&name].len();
        edit(files.0.get_mut(&name).unwrap());
        let (code, message) = files.refusal();
        assert_eq!(code, "bundle/size");
        assert!(message.contains(&format!("says {due}")), "{message}");
    }
}

#[test]
fn passes_on_the_error_of_a_fetch_that_fails() {
    let golden = Files::golden();
    let error = Bundle::open(&golden.0[MANIFEST], |entry| -> Result<Vec<u8>, _> {
        Err(BundleError::Missing {
            what: entry.name.clone(),
        })
    })
    .unwrap_err();
    assert_eq!(error.code(), "bundle/missing");
    assert!(error.to_string().starts_with("model-"), "{error}");
}

#[test]
fn rejects_scales_that_are_negative_or_no_number() {
    // The largest magnitude of row 0 is 1.
    for bad in [f32::NAN, f32::INFINITY, -0.5, f32::MAX] {
        let files = Files::golden().replace("items", overwrite(1.0 / 127.0, bad));
        let (code, message) = files.refusal();
        assert_eq!(code, "bundle/tensor", "{bad}: {message}");
        assert!(message.contains("scale"), "{message}");
    }
}

#[test]
fn rejects_popularities_that_are_negative_or_no_number() {
    for bad in [f32::NAN, f32::INFINITY, -0.5] {
        let files = Files::golden().replace("items", overwrite(2.5, bad));
        let (code, message) = files.refusal();
        assert_eq!(code, "bundle/tensor", "{bad}: {message}");
        assert!(message.contains("popularity"), "{message}");
    }
}

#[test]
fn rejects_weights_that_are_no_number() {
    let files = Files::golden().replace("model", overwrite(-1.0, f32::NAN));
    let (code, message) = files.refusal();
    assert_eq!(code, "bundle/tensor");
    assert!(message.contains("\"scorer.weight\""), "{message}");
}

#[test]
fn rejects_a_file_that_holds_something_else() {
    for role in ["model", "items", "ids"] {
        let files = Files::golden().replace(role, |bytes| *bytes = b"<html>".repeat(100));
        let code = if role == "ids" {
            "bundle/ids"
        } else {
            "bundle/tensor"
        };
        assert_eq!(files.refusal().0, code, "{role}");
    }
}

#[test]
fn rejects_a_table_of_another_shape_than_the_manifest_says() {
    let (code, message) = Files::golden()
        .edit(|manifest| manifest["items"]["width"] = json!(5))
        .refusal();
    assert_eq!(code, "bundle/tensor");
    assert!(
        message.contains("[3, 4]") && message.contains("[3, 5]"),
        "{message}"
    );

    let (code, message) = Files::golden()
        .edit(|manifest| {
            manifest["files"][1]["rows"] = json!(4);
            manifest["files"][2]["first_row"] = json!(4);
            manifest["items"]["count"] = json!(6);
        })
        .refusal();
    assert_eq!(code, "bundle/tensor");
    assert!(message.contains("[4, 4]"), "{message}");
}

#[test]
fn rejects_a_table_of_another_type_than_the_manifest_says() {
    let (code, message) = Files::golden()
        .edit(|manifest| manifest["items"]["dtype"] = json!("f16"))
        .refusal();
    assert_eq!(code, "bundle/tensor");
    assert!(
        message.contains("I8") && message.contains("F16"),
        "{message}"
    );
}

#[test]
fn rejects_ids_that_are_not_one_for_each_row() {
    for (ids, says) in [
        (json!(["a", "b", "c", "d"]), "4 ids"),
        (json!(["a", "b", "c", "d", "e", "f"]), "6 ids"),
        (json!(["a", "b", "c", "d", "a"]), "\"a\" is there twice"),
        (json!(["a", "b", "c", "d", 5]), "not a JSON list"),
        (json!({"a": 1, "another": 2}), "not a JSON list"),
    ] {
        let files = Files::golden().replace("ids", |bytes| *bytes = ids.to_string().into_bytes());
        let (code, message) = files.refusal();
        assert_eq!(code, "bundle/ids", "{ids}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn keeps_ids_with_quotes_commas_and_emoji() {
    let ids = [
        "\"'`",
        "a,b;c",
        "🔥👩🏽‍🍳",
        "",
        "\0\u{7f}\u{2028}",
        "../../etc/passwd",
    ];
    let bundle = Bundle {
        ids: ids.iter().collect(),
        items: ItemTable::f32(vec![0.5; 6], 1),
        popularity: vec![0.0; 6],
        ..golden_bundle::bundle()
    };
    assert_eq!(
        Files::of(&bundle, 4)
            .open()
            .unwrap()
            .ids
            .iter()
            .collect::<Vec<_>>(),
        ids
    );
}

#[test]
fn reads_tables_of_half_and_single_precision() {
    let table: Vec<f32> = (0..20_u8).map(|i| f32::from(i) / 16.0 - 0.5).collect();
    for (items, dtype) in [
        (ItemTable::f16(&table, 4), TableType::F16),
        (ItemTable::f32(table.clone(), 4), TableType::F32),
    ] {
        let bundle = Bundle {
            items,
            ..golden_bundle::bundle()
        };
        let read = Files::of(&bundle, 2).open().unwrap();
        assert_eq!(read.manifest.items.dtype, dtype);
        // Sixteenths are exact in both.
        assert_eq!(read.items.dequantize(), table);
    }
}

#[test]
fn rejects_half_precision_values_that_are_no_number() {
    let bundle = Bundle {
        items: ItemTable::f16(&[0.5; 20], 4),
        ..golden_bundle::bundle()
    };
    let TableValues::F16(bits) = &bundle.items.values else {
        panic!("not half precision");
    };
    let half = bits[0].to_le_bytes().repeat(12);
    let files = Files::of(&bundle, 3).replace("items", |bytes| {
        let at = bytes.windows(24).position(|w| w == half).unwrap();
        bytes[at..at + 2].copy_from_slice(&0x7e00_u16.to_le_bytes());
    });
    let (code, message) = files.refusal();
    assert_eq!(code, "bundle/tensor");
    assert!(message.contains("not finite"), "{message}");
}
