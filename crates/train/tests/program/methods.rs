//! The table of methods, from runs that were measured before.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use serde_json::Value;
use std::fs;

const SHORT: &str = "--set training.epochs=2 --set denoising.epochs=2 --set denoising.folds=2";

#[test]
fn the_table_of_methods_is_made_of_runs_that_were_measured_once() {
    let shop = Shop::new();
    for seed in [1, 2] {
        let sets = format!("{SMALL} {SHORT} --set seed={seed}");
        shop.ok(&format!(
            "train --data data --method dc4sr --out dc4sr-{seed} {sets}"
        ));
        shop.ok(&format!(
            "train --data data --method none --from dc4sr-{seed} --out sasrec-{seed} {sets}"
        ));
    }
    let runs = "sasrec-1 dc4sr-1 sasrec-2 dc4sr-2";
    let command = format!(
        "report {runs} --by-method --out t.html --json t.json --markdown t.md --pictures p"
    );
    shop.ok(&command);
    let read = |name: &str| fs::read_to_string(shop.path(name)).expect("a file");
    let (page, table) = (read("t.html"), read("t.md"));
    assert!(page.contains("<section id=\"set-1\">") && !page.contains("NaN"));
    for part in [
        "| none, 2 seeds |",
        "| dc4sr, 2 seeds |",
        "### Ranking, unseen users",
        "### Gain of the kept clicks, unseen users, noise: 20 % inserted",
        "not measured",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let drawn = fs::read_dir(shop.path("p")).expect("a folder").count();
    assert_eq!(drawn, 3, "corruption, false drops, noise");

    // The figures are those of `ingle evaluate`, and a bundle has the bytes that are told.
    let json: Value = serde_json::from_str(&read("t.json")).expect("JSON");
    let measured = &json["sets"][0]["methods"][1]["runs"][0]["measured"];
    let ndcg = &measured["splits"]["test"]["masked"]["ndcg@10"];
    assert_eq!(*ndcg, shop.figures("dc4sr-1")["ndcg@10"]);
    let clean = &measured["splits"]["test"]["robustness"][0];
    assert_eq!(clean["model"], *ndcg, "nothing replaced");
    let gains = measured["splits"]["unseen"]["gains"]
        .as_array()
        .expect("gains");
    let names: Vec<&str> = gains
        .iter()
        .filter_map(|gain| gain["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "none",
            "20 % replaced, uniform",
            "20 % replaced, popularity",
            "20 % inserted",
            "a foreign session of three"
        ]
    );
    for gain in &gains[1..] {
        assert!(
            gain["oracle"]["value"].is_number() && gain["cost"]["error"].is_number(),
            "{gain}"
        );
    }
    shop.ok("export dc4sr-1 --out bundle");
    let files = fs::read_dir(shop.path("bundle")).expect("a bundle");
    let bytes: u64 = files
        .map(|file| file.expect("a file").metadata().expect("a size").len())
        .sum();
    assert_eq!(measured["bundle"]["bytes"], bytes);

    // Neither the data nor the time is needed again; a run that has changed is measured anew.
    fs::rename(shop.path("data"), shop.path("elsewhere")).expect("moves");
    let kept = read("dc4sr-1/measured.json");
    shop.ok(&command);
    assert_eq!((read("t.md"), read("dc4sr-1/measured.json")), (table, kept));
    let about = read("sasrec-1/run.json").replace("\"seconds\": ", "\"seconds\": 1");
    fs::write(shop.path("sasrec-1/run.json"), about).expect("writes");
    shop.refused(&command);
    fs::rename(shop.path("elsewhere"), shop.path("data")).expect("moves");
    shop.ok(&command);
}

#[test]
fn runs_that_cannot_be_in_a_table_are_named() {
    let shop = Shop::new();
    let plain = format!("--method none {SMALL} {SHORT}");
    shop.ok(&format!("train --data data --out one {plain}"));
    shop.ok(&format!("train --data data --out two {plain}"));
    let twice = shop.refused("report one two --by-method --out x");
    assert!(
        twice.contains("one and two are of the same settings"),
        "{twice}"
    );
    let about = shop.path("two/run.json");
    let text = fs::read_to_string(&about).expect("a run");
    fs::write(
        &about,
        text.replace("\"finished\": true", "\"finished\": false"),
    )
    .expect("writes");
    let unfinished = shop.refused("report one two --by-method --out x");
    assert!(
        unfinished.contains("train --resume --out two"),
        "{unfinished}"
    );
    fs::write(shop.path("one/browser.json"), "{}").expect("writes");
    let damaged = shop.refused("report one --by-method --out x");
    assert!(damaged.contains("browser.json is damaged"), "{damaged}");
    shop.refused("report one --markdown x.md --out x");
    shop.refused("report one --by-method --split unseen --out x");
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}
