//! `ingle prior` end to end, on a small random language model.

use super::shop::Shop;
use std::fs;

#[test]
fn a_prior_is_fitted_asked_and_refined() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    shop.ok("corrupt --data data --rate 0.2 --seed 7 --out noisy");
    shop.ok("prior fit --data data --out prior --lm lm --histories 40 --epochs 2 --adapt-layers 1");
    assert_eq!(shop.metrics("prior").len(), 2);
    shop.ok("prior score prior --data data --split train --out train.safetensors --lm lm");
    let figures = "prior score prior --data noisy --split unseen --out x.safetensors --lm lm";
    let figures = shop.json(&format!("{figures} --evaluate --json"));
    assert!(figures["auc"].is_number() && figures["ece"].is_number());
    let users = fs::read_to_string(shop.path("data/users.jsonl")).expect("users");
    let items = fs::read_to_string(shop.path("data/items.jsonl")).expect("items");
    let id = |text: &str, key: &str| {
        let line = text.lines().next().expect("a line");
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        line[key].clone()
    };
    let line = serde_json::json!({
        "user": id(&users, "user_id"), "items": [id(&items, "item_id")], "noise": [0.7],
    });
    let refresh = "prior refresh prior --data data --disputed disputed.jsonl --lm lm --out second";
    fs::write(shop.path("disputed.jsonl"), format!("{line}\nnot JSON\n")).expect("written");
    let told = shop.refused(refresh);
    assert!(told.contains("disputed.jsonl:2:"), "{told}");
    fs::write(shop.path("disputed.jsonl"), format!("{line}\n")).expect("written");
    shop.ok(refresh);
    shop.ok("prior score second --data data --split test --out test.safetensors --lm lm");
}

#[test]
fn without_weights_every_command_says_how_to_get_them() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    shop.ok("prior fit --data data --out prior --lm lm --histories 8 --epochs 1");
    fs::write(shop.path("disputed.jsonl"), "\n").expect("written");
    for command in [
        "prior fit --data data --out x --lm none",
        "prior score prior --data data --split test --out x --lm none",
    ] {
        let told = shop.refused(command);
        assert!(told.contains("scripts/fetch-lm"), "{told}");
    }
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}
