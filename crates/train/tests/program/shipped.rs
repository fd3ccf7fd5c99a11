//! The figures in a manifest are those of the bundle that ships.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;

#[test]
fn the_manifests_figures_are_those_of_what_the_bundle_recommends() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method none --out run {SMALL} --set training.epochs=6"
    ));
    shop.ok("export run --out bundle");
    let manifest = fs::read(shop.path("bundle/manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let told = &manifest["evaluation"]["test"];

    let next = next_clicks(&fs::read_to_string(shop.path("log/interactions.csv")).expect("a log"));
    // Targets may be in the history, so nothing is left out.
    let answers = shop.ok("recommend bundle --data data --split test --k 10 --include-seen");
    let mut gains = Vec::new();
    for line in answers.lines() {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let history: Vec<&str> = strings(&answer["history"]).collect();
        let target = &next[&history.join(" ")];
        let items = answer["items"].as_array().expect("items").iter();
        let place = (items.map(|item| item["item"].as_str().expect("an id")))
            .position(|item| item == target);
        gains.push(place.map_or(0.0, |place| 1.0 / (place as f64 + 2.0).log2()));
    }
    assert_eq!(gains.len() as u64, told["users"].as_u64().expect("users"));
    let found = gains.iter().sum::<f64>() / gains.len() as f64;
    let told = told["unmasked"]["ndcg@10"].as_f64().expect("a figure");
    assert!((found - told).abs() < 1e-6, "{found} and not {told}");
    assert!(found > 0.0);
}

/// The click after every history in the log.
fn next_clicks(log: &str) -> HashMap<String, String> {
    let mut histories: HashMap<&str, String> = HashMap::new();
    let mut next = HashMap::new();
    let (head, rows) = log.split_once('\n').expect("a header");
    let column = |name: &str| {
        head.split(',')
            .position(|column| column == name)
            .expect("a column")
    };
    let [user, item, time] = ["user_id", "item_id", "timestamp"].map(column);
    let mut rows: Vec<Vec<&str>> = rows.lines().map(|row| row.split(',').collect()).collect();
    rows.sort_by_key(|row| row[time].parse::<u64>().expect("a time"));
    for row in rows {
        let history = histories.entry(row[user]).or_default();
        next.insert(history.clone(), row[item].to_owned());
        if !history.is_empty() {
            history.push(' ');
        }
        history.push_str(row[item]);
    }
    next
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|value| value.as_str().expect("a string"))
}
