//! What training comes to, method by method and backbone by backbone, written down: losses, figures and the files of the
//! bundle. A change of layout must leave them as they are; where a better figure is meant, `INGLE_FREEZE=1` writes them anew.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use serde_json::{Map, Value, json};

const FROZEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/frozen.json");
/// Processors differ in the order in which they add up: by so much of itself may a loss differ.
const OF_LOSS: f64 = 5e-3;
/// And by so much a figure, of which one user's rank is a fifteenth.
const OF_FIGURE: f64 = 0.03;

#[test]
fn what_training_comes_to_stays_as_it_is() {
    let shop = Shop::new();
    let short = "--set training.epochs=2 --set denoising.epochs=2 --set denoising.folds=2 --set denoising.consensus_epochs=1";
    let mut found = Map::new();
    for backbone in ["sasrec", "gru4rec"] {
        for method in ["none", "dc4sr", "iadsr", "mgsd-wss"] {
            let name = format!("{method}-{backbone}");
            let parts = match method {
                "dc4sr" => "--set denoising.dynamics=0.2 --set denoising.consistency=0.1",
                _ => "",
            };
            shop.ok(&format!(
                "train --data data --method {method} --out {name} {SMALL} {short} {parts} --set backbone.kind={backbone}"
            ));
            shop.ok(&format!("export {name} --out {name}-bundle"));
            let losses: Vec<Value> = (shop.losses(&name).into_iter())
                .map(|(phase, loss)| json!([phase.trim_matches('"'), loss]))
                .collect();
            let figures = shop.json(&format!("evaluate {name} --split unseen --json"));
            let manifest = std::fs::read(shop.path(&format!("{name}-bundle/manifest.json")));
            let manifest: Value =
                serde_json::from_slice(&manifest.expect("a manifest")).expect("JSON");
            let files = manifest["files"].as_array().expect("files").iter();
            let files = files.map(|file| json!([file["role"], file["bytes"]]));
            let account = json!({
                "losses": losses,
                "figures": figures["masked"],
                "files": files.collect::<Vec<_>>(),
            });
            found.insert(name, account);
        }
    }
    let found = Value::Object(found);
    if std::env::var_os("INGLE_FREEZE").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("JSON");
        std::fs::write(FROZEN, text + "\n").expect("writes");
        return;
    }
    let frozen = std::fs::read(FROZEN).expect("INGLE_FREEZE=1 writes it");
    let frozen: Value = serde_json::from_slice(&frozen).expect("JSON");
    let mut apart = Vec::new();
    compare("", &frozen, &found, &mut apart);
    assert!(apart.is_empty(), "{}", apart.join("\n"));
}

/// Notes where two accounts differ by more than they may.
fn compare(path: &str, frozen: &Value, found: &Value, apart: &mut Vec<String>) {
    let both = || format!("{path}: {frozen} before, {found} now");
    match (frozen, found) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                compare(&format!("{path}/{key}"), value, &b[key], apart);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}/{at}"), a, b, apart);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let [a, b] = [a, b].map(|number| number.as_f64().expect("a number"));
            let most = if path.contains("/losses/") {
                OF_LOSS * a.abs()
            } else {
                OF_FIGURE
            };
            if (a - b).abs() > most {
                apart.push(both());
            }
        }
        _ if frozen == found => {}
        _ => apart.push(both()),
    }
}

#[test]
fn what_differs_is_told_with_its_place() {
    let frozen = json!({ "a": { "losses": [["backbone", 4.0]], "figures": { "ndcg@10": 0.1 }, "files": [["x", 7]] } });
    let told = |from: &str, to: &str| {
        let found = serde_json::from_str(&frozen.to_string().replace(from, to)).expect("JSON");
        let mut apart = Vec::new();
        compare("", &frozen, &found, &mut apart);
        apart
    };
    assert!(told("4.0", "4.01").is_empty() && told("0.1", "0.12").is_empty());
    for (from, to, place) in [
        ("4.0", "4.1", "/a/losses/0/1"),
        ("0.1", "0.2", "/a/figures/ndcg@10"),
        ("7", "8", "/a/files/0/1"),
        ("backbone", "encoder", "/a/losses/0/0"),
        ("\"losses\"", "\"lost\"", "/a: "),
    ] {
        let apart = told(from, to);
        assert!(
            apart.len() == 1 && apart[0].starts_with(place),
            "{from} {to}: {apart:?}"
        );
    }
}
