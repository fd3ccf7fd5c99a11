//! Items that came in after the training: `ingle export --catalog`.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

const SHORT: &str = "--set training.epochs=2 --set denoising.epochs=1";

/// An item of the log, by id and title.
fn an_item(shop: &Shop) -> (String, String) {
    let items = fs::read_to_string(shop.path("data/items.jsonl")).expect("items");
    let first: Value = serde_json::from_str(items.lines().next().expect("a line")).expect("JSON");
    let text = |key: &str| first[key].as_str().expect("a text").to_owned();
    (text("item_id"), text("title"))
}

fn train(shop: &Shop, method: &str) {
    shop.ok(&format!(
        "train --data data --method {method} --out {method} {SMALL} {SHORT}"
    ));
}

/// Everything that a bundle is made of.
fn files(shop: &Shop, bundle: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(shop.path(bundle)).expect("a folder");
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, fs::read(entry.path()).expect("reads"))
    };
    entries.map(|entry| file(entry.expect("a file"))).collect()
}

#[test]
fn they_are_ranked_among_the_others_and_told_apart() {
    let shop = Shop::new();
    let (id, title) = an_item(&shop);
    let new = format!("new-b,\"{title}\"\n\"{id}\",\"{title}\"\nnew-c,\nnew-a,\"{title}\"\n");
    fs::write(shop.path("new.csv"), format!("item_id,title\n{new}")).expect("writes");
    fs::write(shop.path("one.csv"), format!("name,sku\n{title},one\n")).expect("writes");
    for method in ["sasrec", "iadsr"] {
        train(&shop, method);
        shop.ok(&format!("export {method} --out old"));
        let output = shop.run(&format!("export {method} --out new --catalog new.csv"));
        let [told, skipped] = [&output.stdout, &output.stderr].map(|x| String::from_utf8_lossy(x));
        assert!(output.status.success(), "{skipped}");
        assert!(told.contains("2 of 3 items"), "{told}");
        assert!(skipped.contains("skipped new.csv:4: new-c"), "{skipped}");

        let [old, new] = ["old", "new"]
            .map(|name| shop.json(&format!("inspect {name} --json"))["items"].clone());
        let count = |items: &Value| items["count"].as_u64().expect("a count");
        assert_eq!(old.get("appended"), None, "{old}");
        assert_eq!(
            (&new["appended"], count(&new)),
            (&2.into(), count(&old) + 2)
        );
        let told = shop.ok("inspect new");
        assert!(told.contains("the last 2 of them added without"), "{told}");
        assert!(told.contains("added like   new-b, new-a"), "{told}");

        let answer = shop.json(&format!("recommend new --history {id} --k 9999"));
        let items = answer["items"].as_array().expect("items");
        assert_eq!(items.len() as u64, count(&new) - 1);
        let score = |id: &str| {
            let found = items.iter().find(|item| item["item"] == id);
            found.expect("ranked")["score"].clone()
        };
        // Titles alike, places alike.
        assert_eq!(score("new-a"), score("new-b"));
        let judged = shop.json("recommend new --history new-a --explain");
        assert_eq!(judged["clicks"][0]["known"], true);

        shop.ok(&format!(
            "export {method} --out one --catalog one.csv --column item_id=sku --column title=name"
        ));
        assert_eq!(shop.json("inspect one --json")["items"]["appended"], 1);
    }
}

#[test]
fn a_catalogue_of_what_is_known_changes_no_byte() {
    let shop = Shop::new();
    train(&shop, "iadsr");
    shop.ok("export iadsr --out without --name any");
    shop.ok("export iadsr --out with --name any --catalog log/items.csv");
    assert_eq!(files(&shop, "without"), files(&shop, "with"));
}

#[test]
fn a_catalogue_that_cannot_be_used_is_refused_by_file_and_line() {
    let shop = Shop::new();
    let (_, title) = an_item(&shop);
    train(&shop, "sasrec");
    for (name, text, told) in [
        (
            "twice.csv",
            format!("item_id,title\nnew-a,\"{title}\"\nnew-a,again\n"),
            "twice.csv:3: item new-a has a row already",
        ),
        (
            "wordless.csv",
            "item_id,title\nnew-a,\nnew-b,zyzzyva\n".to_owned(),
            "wordless.csv:3: new-b has no word of a known item's title",
        ),
        (
            "titleless.csv",
            "item_id,price\nnew-a,3\n".to_owned(),
            "titleless.csv has no column \"title\"",
        ),
        (
            "nameless.csv",
            format!("sku,title\nnew-a,\"{title}\"\n"),
            "nameless.csv has no column \"item_id\"",
        ),
        (
            "ragged.csv",
            "item_id,title\nnew-a\n".to_owned(),
            "ragged.csv:2: 1 cells where the header has 2",
        ),
        ("empty.csv", String::new(), "empty.csv is not a readable"),
    ] {
        fs::write(shop.path(name), text).expect("writes");
        let message = shop.refused(&format!("export sasrec --out x --catalog {name}"));
        assert!(message.contains(told), "{message}");
    }
    shop.refused("export sasrec --out x --catalog missing.csv");
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}
