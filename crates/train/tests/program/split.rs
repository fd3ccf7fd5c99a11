//! Logs of any size and splits by time, through the program.

use super::shop::Shop;
use serde_json::Value;
use std::fs;

#[test]
fn a_log_split_by_time_is_prepared_trained_on_and_evaluated() {
    let shop = Shop::empty();
    shop.ok("simulate --clicks 4000 --products 60 --format parquet --out log");
    let log = "--interactions log/interactions.parquet";
    let prepared = shop.json(&format!(
        "prepare {log} --split time --holdout-users 0.1 --out data --json"
    ));
    assert_eq!(prepared["dropped"]["rows"], 4000);
    for cases in ["train", "valid", "test", "unseen"] {
        assert!(prepared["cases"][cases].as_u64() > Some(0), "{prepared}");
    }
    assert!(prepared["seconds"].as_f64() > Some(0.0), "{prepared}");
    if cfg!(target_os = "linux") {
        assert!(
            prepared["peak_memory"].as_u64() > Some(1 << 20),
            "{prepared}"
        );
    }
    let about = fs::read_to_string(shop.path("data/dataset.json")).expect("a dataset");
    let about: Value = serde_json::from_str(&about).expect("JSON");
    assert_eq!(
        (&about["split"]["by"], &about["options"]["by_time"]["test"]),
        (&"time".into(), &0.1.into())
    );
    shop.ok(
        "train --data data --method none --out run --set training.epochs=1 --set backbone.width=16 \
         --set backbone.max_len=12",
    );
    for split in ["test", "unseen"] {
        let figures = shop.json(&format!("evaluate run --split {split} --json"));
        assert_eq!(figures["users"], prepared["cases"][split]);
        assert_eq!(figures["protocol"], about["split"]);
    }
    assert!(
        shop.ok("evaluate run")
            .contains("split by time: validation from 1")
    );
    shop.ok("corrupt --data data --rate 0.3 --seed 7 --out noisy");
    assert_eq!(
        shop.json("evaluate run --data noisy --json")["protocol"],
        about["split"]
    );
}

#[test]
fn shares_without_a_split_by_time_and_shares_of_everything_are_refused() {
    let shop = Shop::empty();
    shop.ok("simulate --clicks 100 --out log");
    for (arguments, part) in [
        ("--test-share 0.2", "--split time"),
        (
            "--split time --valid-share 0.5 --test-share 0.5",
            "together below 1",
        ),
        ("--split time --valid-share nan", "above 0"),
        (
            "--split time --min-item-clicks 1 --valid-share 0.999 --test-share 0.0001",
            "leaves no",
        ),
    ] {
        let arguments =
            format!("prepare --interactions log/interactions.csv --out data {arguments}");
        let error = shop.refused(&arguments);
        assert!(error.contains(part), "{error}");
        assert!(!shop.path("data").exists());
    }
}
