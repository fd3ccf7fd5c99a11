//! Windows of known noise, through the program.

use super::shop::Shop;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const COLUMNS: &str = "user_id,item_ids,noise,timestamp\n";
const SMALL: &str = "--set backbone.width=16 --set backbone.feed_forward=32 --set backbone.max_len=12 \
    --set training.batch_clicks=256 --set denoising.batch_clicks=512 --set training.epochs=1 \
    --set denoising.epochs=1";
const FILES: &str = "--windows train.csv --windows-unseen valid.csv --items items.csv";

/// Writes windows of shoppers who walk through the items in order; every seventh click is replaced.
fn write_windows(file: &Path, windows: usize, first: usize) {
    let mut text = COLUMNS.to_owned();
    for window in first..first + windows {
        let (mut items, mut labels) = (Vec::new(), Vec::new());
        for click in 0..4 + window % 6 {
            let noise = (window * 5 + click * 3) % 7 == 0;
            let jump = if noise { 17 } else { 0 };
            items.push(((window * 3 + click + jump) % 40).to_string());
            labels.push(u8::from(noise).to_string());
        }
        let (items, labels) = (items.join(" "), labels.join(" "));
        writeln!(text, "{},{items},{labels},{}", window % 30, 1000 + window).expect("a line");
    }
    fs::write(file, text).expect("writes");
}

fn shop() -> Shop {
    let shop = Shop::empty();
    write_windows(&shop.path("train.csv"), 90, 0);
    write_windows(&shop.path("valid.csv"), 20, 90);
    let titles = (0..35).map(|item| format!("{item},Toy number {item}\n"));
    let items = format!("item_id,title\n{}", titles.collect::<String>());
    fs::write(shop.path("items.csv"), items).expect("writes");
    shop
}

#[test]
fn windows_are_prepared_trained_on_evaluated_and_judged() {
    let shop = shop();
    let prepared = shop.json(&format!("prepare {FILES} --out data --json"));
    assert_eq!(
        (&prepared["users"], &prepared["unseen_users"]),
        (&110.into(), &20.into())
    );
    assert_eq!(
        (&prepared["items"], &prepared["items_without_title"]),
        (&40.into(), &5.into())
    );
    let cases = |name: &str| prepared["cases"][name].as_u64().expect("a count");
    let noisy = prepared["windows"]["noisy_targets"]
        .as_u64()
        .expect("a count");
    assert_eq!(cases("train"), 72);
    assert_eq!(cases("valid") + cases("test") + cases("unseen") + noisy, 38);
    assert!(noisy > 0 && prepared["windows"]["shoppers"] == 30);

    shop.ok(&format!(
        "train --data data --method dc4sr --out run {SMALL}"
    ));
    for split in ["valid", "test", "unseen"] {
        let figures = shop.json(&format!("evaluate run --split {split} --json"));
        assert_eq!(figures["users"], cases(split), "{split}");
        assert_eq!(figures["protocol"]["by"], "windows");
    }
    assert!(shop.ok("evaluate run").contains("split by windows"));

    let judged = shop.json("denoise run --split unseen --evaluate --json");
    let directly = shop.json("denoise run --windows valid.csv --evaluate --json");
    assert_eq!(judged, directly, "the same windows either way");
    assert!(judged["auc"].is_number() && judged["ap"].is_number() && judged["ece"].is_number());
    let verdicts = shop.ok("denoise run --windows valid.csv");
    assert_eq!(verdicts.lines().count(), 20);
    let first: Value =
        serde_json::from_str(verdicts.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["clicks"].as_array().expect("clicks").len(), 3);
    assert!(first["user_id"].as_str().expect("an id").contains('#'));

    shop.ok("export run --out bundle");
    let bundle = shop.json("inspect bundle --json");
    assert_eq!(bundle["evaluation"]["unseen"]["users"], cases("unseen"));
}

#[test]
fn items_that_a_run_does_not_know_are_passed_over_and_told() {
    let shop = shop();
    shop.ok(&format!("prepare {FILES} --out data"));
    shop.ok(&format!(
        "train --data data --method dc4sr --out run {SMALL}"
    ));
    let windows = format!("{COLUMNS}a,1 new 2 3 4,1 1 0 0 0,5\nb,newer new,0 1,6\n");
    fs::write(
        shop.path("other.csv"),
        windows.replace("item_ids", "clicks"),
    )
    .expect("writes");
    let arguments = "denoise run --windows other.csv --column item_ids=clicks --evaluate --json";
    let output = shop.run(arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected =
        "passed over 2 clicks on items that the run does not know; nothing is left of 1 windows";
    assert!(told.contains(expected), "{told}");
    let figures: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&figures["clicks"], &figures["noisy"]),
        (&3.into(), &1.into())
    );

    fs::write(
        shop.path("strange.csv"),
        format!("{COLUMNS}b,newer new,0 1,6\n"),
    )
    .expect("writes");
    let error = shop.refused("denoise run --windows strange.csv --evaluate");
    assert!(error.contains("nothing usable"), "{error}");
}

#[test]
fn bad_rows_are_shown_with_file_and_line_and_stop_a_strict_reader() {
    let shop = shop();
    let good = fs::read_to_string(shop.path("train.csv")).expect("a file");
    let bad = format!("{good}a,1 2,0,5\na,1 2,0 x,5\na,,,5\na,1,0,5\na,1 2,0 0,never\n");
    fs::write(shop.path("train.csv"), bad).expect("writes");
    let output = shop.run("prepare --windows train.csv --out data --json");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in [
        "skipped train.csv:92: 2 item_ids and 1 noise labels",
        "skipped train.csv:93: noise label \"x\" is neither 0 nor 1",
        "skipped train.csv:94: item_ids is empty",
        "skipped train.csv:95: a window of one click",
        "skipped train.csv:96: timestamp \"never\"",
    ] {
        assert!(told.contains(part), "{part} not in {told}");
    }
    let prepared: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let dropped = &prepared["dropped"];
    assert_eq!(
        (&dropped["rows"], &dropped["bad_rows"]),
        (&95.into(), &5.into())
    );
    let error = shop.refused("prepare --windows train.csv --strict --out strict");
    assert!(error.contains("train.csv:92"), "{error}");
}

#[test]
fn files_without_windows_and_options_of_logs_are_refused() {
    let shop = shop();
    for (name, text) in [
        ("empty.csv", ""),
        ("header.csv", COLUMNS),
        ("bad.csv", &format!("{COLUMNS}a,1,0,5\n")),
        ("unlabelled.csv", "user_id,item_ids,timestamp\na,1 2,5\n"),
    ] {
        fs::write(shop.path(name), text).expect("writes");
    }
    for (arguments, part) in [
        ("--windows empty.csv", "it is empty"),
        ("--windows header.csv", "0 rows read"),
        ("--windows bad.csv", "1 rows read, 1 could not be used"),
        ("--windows unlabelled.csv", "no column \"noise\""),
        ("--windows nowhere.csv", "nowhere.csv"),
        ("--windows train.csv --valid-share 0", "--valid-share is 0"),
        (
            "--windows train.csv --holdout-users 0.1",
            "cannot be used with",
        ),
        ("--windows train.csv --split time", "cannot be used with"),
        (
            "--windows train.csv --interactions valid.csv",
            "cannot be used with",
        ),
        ("--windows-unseen valid.csv", "--windows"),
        ("--items items.csv", "--interactions"),
    ] {
        let error = shop.refused(&format!("prepare {arguments} --out data"));
        assert!(error.contains(part), "{arguments}: {error}");
        assert!(!shop.path("data").exists());
    }
}
