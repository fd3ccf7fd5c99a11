//! Small updates by the commands: a training that starts with the weights of an earlier one, and a bundle that follows
//! another.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use std::fs;

const EPOCHS: &str = "--set training.epochs=4";
const WARM: &str = "--set training.epochs=2 --set training.learning_rate=0.0005";

/// A shop whose log has grown: `may` has its first nine tenths and lacks the last items of the catalogue, `june` all.
fn grown() -> Shop {
    let shop = Shop::new();
    let log = fs::read_to_string(shop.path("log/interactions.csv")).expect("a log");
    let (head, rows) = log.split_once('\n').expect("a header");
    let column = |name: &str| {
        head.split(',')
            .position(|one| one == name)
            .expect("a column")
    };
    let (item, time) = (column("item_id"), column("timestamp"));
    let cell = |row: &str, at: usize| row.split(',').nth(at).expect("a cell").to_owned();
    let mut times: Vec<String> = rows.lines().map(|row| cell(row, time)).collect();
    times.sort_by_key(|time| (time.len(), time.clone()));
    let until = times[times.len() * 9 / 10].clone();
    let items = fs::read_to_string(shop.path("log/items.csv")).expect("items");
    let late: Vec<String> = (items.lines().rev().take(5))
        .map(|row| cell(row, 0))
        .collect();
    let is_early = |row: &&str| {
        let at = cell(row, time);
        (at.len(), at) < (until.len(), until.clone()) && !late.contains(&cell(row, item))
    };
    let early: Vec<&str> = rows.lines().filter(is_early).collect();
    fs::write(
        shop.path("may.csv"),
        format!("{head}\n{}\n", early.join("\n")),
    )
    .expect("writes");
    shop.ok("prepare --interactions may.csv --items log/items.csv --out may-data");
    shop.ok("prepare --interactions log/interactions.csv --items log/items.csv --out june-data");
    shop.ok(&format!(
        "train --data may-data --method none --out may {SMALL} {EPOCHS}"
    ));
    shop.ok("export may --out may-bundle");
    shop
}

fn ids(shop: &Shop, bundle: &str) -> Vec<String> {
    let found = ingle_bundle::dir::read_dir(&shop.path(bundle)).expect("a bundle");
    found.ids.iter().map(str::to_owned).collect()
}

#[test]
fn a_training_goes_on_from_an_earlier_one_and_its_update_is_small() {
    let shop = grown();
    let from = "--data june-data --method none --warm-start may";
    shop.ok(&format!("train {from} --out june {SMALL} {WARM}"));
    shop.ok(&format!(
        "train --data june-data --method none --out anew {SMALL} {WARM}"
    ));
    let first = |run: &str| shop.losses(run)[0].1;
    assert!(
        first("june") < first("anew"),
        "{} {}",
        first("june"),
        first("anew")
    );

    shop.ok("export june --out june-bundle --after may-bundle");
    shop.ok("export anew --out anew-bundle");
    let (may, june) = (ids(&shop, "may-bundle"), ids(&shop, "june-bundle"));
    assert!(
        june.len() > may.len(),
        "{} items after {}",
        june.len(),
        may.len()
    );
    assert_eq!(june[..may.len()], may[..]);
    let bytes = |new: &str| {
        let found = shop.json(&format!("diff may-bundle {new} --json"));
        (
            found["delta_bytes"].as_u64(),
            found["whole_bytes"].as_u64().expect("bytes"),
        )
    };
    let (small, whole) = bytes("june-bundle");
    let small = small.expect("a delta");
    assert!(4 * small < whole, "{small} of {whole}");
    assert!(bytes("anew-bundle").0.is_none_or(|anew| anew > 2 * small));
    let told = shop.ok("diff may-bundle june-bundle");
    assert!(
        told.contains(&format!("as a delta: {small} bytes")),
        "{told}"
    );

    // A page gets the same bundle: it opens, and what was published names the delta.
    shop.ok("keys new keys --shop shoes");
    for bundle in ["may-bundle", "june-bundle"] {
        shop.ok(&format!("sign {bundle} --keys keys"));
        shop.ok(&format!("publish www --bundle {bundle} --keys keys"));
    }
    let delta = |shop: &Shop| {
        let mut files = fs::read_dir(shop.path("www")).expect("lists").flatten();
        files.find(|file| file.file_name().to_string_lossy().starts_with("delta-"))
    };
    let path = delta(&shop).expect("a delta").path();
    shop.ok("verify www --keys keys");
    fs::write(&path, "damaged").expect("writes");
    let told = shop.refused("verify www --keys keys");
    assert!(told.contains("delivery/delta"), "{told}");
    shop.ok("publish www --keys keys");
    shop.ok("verify www --keys keys");
}

#[test]
fn equal_starts_give_equal_runs_and_a_stopped_one_goes_on_without_the_earlier_run() {
    let shop = grown();
    let from = "--data june-data --method none --warm-start may";
    for run in ["one", "two"] {
        shop.ok(&format!("train {from} --out {run} {SMALL} {WARM}"));
    }
    assert_eq!(shop.losses("one"), shop.losses("two"));
    // As if it had been stopped before its first epoch.
    let about = fs::read_to_string(shop.path("two/run.json")).expect("a run");
    let mut about: serde_json::Value = serde_json::from_str(&about).expect("JSON");
    about["stages"] = serde_json::json!([]);
    about["finished"] = serde_json::json!(false);
    fs::write(shop.path("two/run.json"), about.to_string()).expect("writes");
    fs::remove_dir_all(shop.path("two/stages")).expect("removes");
    fs::remove_dir_all(shop.path("may")).expect("removes");
    fs::remove_dir_all(shop.path("two/checkpoint")).ok();
    shop.ok("train --out two --resume");
    assert_eq!(shop.losses("one"), shop.losses("two"));
}

#[test]
fn a_start_of_another_shape_or_one_that_is_not_finished_is_refused() {
    let shop = grown();
    let from = "train --data june-data --method none --warm-start";
    let told = shop.refused(&format!(
        "{from} may --out june {SMALL} --set backbone.width=32"
    ));
    assert!(told.contains("width is 16 there and 32 here"), "{told}");
    assert!(
        !shop.path("june").exists(),
        "nothing is made by what is refused"
    );
    let told = shop.refused(&format!("{from} nowhere --out june {SMALL}"));
    assert!(told.contains("is no run"), "{told}");
    let told = shop.refused(&format!("{from} may --from may --out june {SMALL}"));
    assert!(told.contains("cannot be used with"), "{told}");
    let told = shop.refused(&format!(
        "train --data june-data --method auto --warm-start may --out june {SMALL}"
    ));
    assert!(told.contains("--warm-start"), "{told}");
    // Dropout is no shape.
    shop.ok(&format!(
        "{from} may --out june {SMALL} {WARM} --set backbone.dropout=0.3"
    ));
}

#[test]
fn a_method_that_judges_clicks_starts_from_one_that_does_not() {
    let shop = grown();
    shop.ok(&format!(
        "train --data june-data --method dc4sr --warm-start may --out june {SMALL} {WARM} --set denoising.epochs=2 --set denoising.folds=2"
    ));
    shop.ok("export june --out june-bundle --after may-bundle");
    shop.ok("recommend june-bundle --history");
}
