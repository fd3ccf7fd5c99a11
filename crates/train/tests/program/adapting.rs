//! What an adapter gains, and the one that a bundle is given.

use super::shop::Shop;
use crate::pipeline::SMALL;
use serde_json::Value;
use std::fs;

/// A shop a third of whose users are held out of training, and a run on it.
fn shop() -> Shop {
    let shop = Shop::empty();
    shop.ok("simulate --out log --products 60 --shoppers 240 --seed 5");
    let logs = "--interactions log/interactions.csv --items log/items.csv";
    shop.ok(&format!("prepare {logs} --holdout-users 0.33 --out data"));
    shop.ok(&format!(
        "train --data data --method none --out run {SMALL} --set training.epochs=3"
    ));
    shop
}

fn manifest(shop: &Shop, bundle: &str) -> Value {
    let bytes = fs::read(shop.path(bundle).join("manifest.json")).expect("a manifest");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn a_bundle_has_the_adapter_that_wins_on_users_held_out_and_says_by_how_much() {
    let shop = shop();
    let found = shop.json("evaluate run --adapt --json");
    assert_eq!(
        found,
        shop.json("evaluate run --adapt --json"),
        "the same again"
    );
    let kinds = found["kinds"].as_array().expect("kinds");
    let names: Vec<&str> = kinds.iter().filter_map(|of| of["kind"].as_str()).collect();
    assert_eq!(
        names,
        [
            "none",
            "popularity",
            "bias",
            "weight",
            "both",
            "start",
            "another"
        ]
    );
    let number = |of: &Value| of.as_f64().expect("a number");
    let none = number(&kinds[0]["masked"]["ndcg@10"]);
    for of in kinds {
        let gain = &of["gain"]["ndcg@10"];
        let due = number(&of["masked"]["ndcg@10"]) - none;
        assert!((number(&gain["value"]) - due).abs() < 1e-9, "{of}");
        assert!(number(&gain["error"]) >= 0.0, "{of}");
    }
    // Without an adapter the figures are those of the bundle without one.
    let plain = shop.json("evaluate run --split unseen --json");
    assert_eq!(plain["cases"], found["cases"]);
    let exact = number(&plain["masked"]["ndcg@10"]);
    assert!((exact - none).abs() < 0.01, "{exact} and {none}");

    let said = shop.ok("export run --out bundle");
    let written = &manifest(&shop, "bundle")["adapter"];
    let beyond = |of: &Value| {
        number(&of["gain"]["ndcg@10"]["value"]) > number(&of["gain"]["ndcg@10"]["error"])
    };
    let wins = kinds[1..5].iter().any(beyond);
    assert_eq!(written.is_object(), wins, "{written} {said}");
    if wins {
        let gains = kinds[1..5]
            .iter()
            .map(|of| number(&of["gain"]["ndcg@10"]["value"]));
        let gain = number(&written["gain"]["value"]);
        assert!(
            gains.into_iter().any(|own| (own - gain).abs() < 1e-6),
            "{written}"
        );
        assert!(said.contains("± "), "{said}");
    }
    assert!(shop.ok("inspect bundle").contains("adapter "));

    shop.ok("export run --out without --adapter none");
    assert_eq!(manifest(&shop, "without")["adapter"], Value::Null);
    let table = shop.ok("evaluate run --adapt");
    for part in ["another's", "over popularity", "export would write"] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn where_too_few_users_are_held_out_nothing_is_measured_and_nothing_written() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method none --out run {SMALL} --set training.epochs=1"
    ));
    let said = shop.ok("export run --out bundle");
    assert!(said.contains("fewer than 40 users were held out"), "{said}");
    assert_eq!(manifest(&shop, "bundle")["adapter"], Value::Null);
    let message = shop.refused("evaluate run --adapt");
    assert!(message.contains("40 users"), "{message}");
    shop.refused("evaluate run --adapt --split valid");
}
