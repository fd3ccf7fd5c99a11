//! The program end to end on a small simulated shop, and what it says to bad input.

use super::shop::Shop;
use serde_json::Value;
use std::fs;

pub(crate) const SMALL: &str = "--set backbone.width=16 --set backbone.feed_forward=32 --set backbone.max_len=12 \
    --set training.batch_clicks=256 --set denoising.batch_clicks=512 --set backbone.dropout=0.1 \
    --set training.learning_rate=0.005";

#[test]
fn from_a_log_to_a_bundle_for_every_method() {
    let shop = Shop::new();
    shop.ok("corrupt --data data --rate 0.2 --seed 7 --out noisy");
    for method in ingle_model::methods::NAMES {
        shop.ok(&format!(
            "train --data data --method {method} --out {method} {SMALL} \
             --set training.epochs=4 --set denoising.epochs=2"
        ));
        for epochs in shop.losses(method).chunk_by(|a, b| a.0 == b.0) {
            assert!(epochs[epochs.len() - 1].1 < epochs[0].1, "{epochs:?}");
        }
        let figures = shop.json(&format!("evaluate {method} --json"));
        for view in ["masked", "unmasked"] {
            for figure in ["hr@5", "hr@10", "hr@20", "ndcg@10", "mrr@10"] {
                let value = figures[view][figure].as_f64().expect(figure);
                assert!(
                    (0.0..=1.0).contains(&value),
                    "{method} {view} {figure} {value}"
                );
            }
        }
        assert_eq!(figures["seed"], 1);
        let unseen = shop.json(&format!("evaluate {method} --split unseen --json"));
        assert_eq!(unseen["users"], 15);
        shop.ok(&format!("export {method} --out bundle-{method}"));
        let bundle = shop.json(&format!("inspect bundle-{method} --json"));
        assert_eq!(bundle["method"]["name"], *method);
        assert_eq!(bundle["evaluation"]["test"]["users"], figures["users"]);
        assert!(
            shop.ok(&format!("inspect bundle-{method}"))
                .contains("every hash checked")
        );
        recommends_from_a_bundle(&shop, &format!("bundle-{method}"));
    }
    let found = shop.json("denoise dc4sr --data noisy --split unseen --evaluate --json");
    for figure in ["auc", "ap", "ece"] {
        assert!(
            (0.0..=1.0).contains(&found[figure].as_f64().expect(figure)),
            "{found}"
        );
    }
    let verdicts = shop.ok("denoise dc4sr --split unseen");
    let first: Value =
        serde_json::from_str(verdicts.lines().next().expect("a line")).expect("JSON");
    assert!(first["clicks"][0]["noise"].is_number(), "{first}");
}

/// What a page would get, asked for in each of the three ways.
pub(crate) fn recommends_from_a_bundle(shop: &Shop, bundle: &str) {
    let answers = shop.ok(&format!(
        "recommend {bundle} --data data --users 3 --explain"
    ));
    let lines: Vec<&str> = answers.lines().collect();
    assert_eq!(lines.len(), 3);
    let answer: Value = serde_json::from_str(lines[0]).expect("JSON");
    assert_eq!(answer["items"].as_array().expect("items").len(), 10);
    let history = answer["history"].as_array().expect("a history");
    assert_eq!(
        answer["clicks"].as_array().expect("clicks").len(),
        history.len()
    );

    fs::write(shop.path("asked.jsonl"), format!("{}\n", lines[0])).expect("writes");
    let again = shop.json(&format!(
        "recommend {bundle} --histories asked.jsonl --k 999"
    ));
    // A dataset has titles, a file of histories none.
    let mut due = answer["items"][0].clone();
    assert!(due["title"].is_string(), "{due}");
    due.as_object_mut().expect("an item").remove("title");
    assert_eq!(again["items"][0], due);
    let distinct: std::collections::BTreeSet<&str> = history
        .iter()
        .map(|id| id.as_str().expect("an id"))
        .collect();
    let left = again["items"].as_array().expect("items").len();
    let catalogue = shop.json(&format!("inspect {bundle} --json"))["items"]["count"].clone();
    assert_eq!(
        left + distinct.len(),
        catalogue.as_u64().expect("a count") as usize
    );

    let popular = shop.json(&format!("recommend {bundle} --history"));
    let unknown = shop.json(&format!("recommend {bundle} --history no-such-item"));
    assert_eq!(popular["items"], unknown["items"]);
    let told = shop.run(&format!("recommend {bundle} --history no-such-item"));
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        told.contains("are not in the bundle") && told.contains("no-such-item"),
        "{told}"
    );
}

#[test]
fn bad_input_is_told_from_failure_and_says_what_to_do() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method none --out run {SMALL} --set training.epochs=1"
    ));
    for (arguments, part) in [
        ("prepare --interactions nowhere.csv --out x", "nowhere.csv"),
        (
            "prepare --interactions log/items.csv --out x",
            "--column user_id=THEIRS",
        ),
        (
            "prepare --interactions log/interactions.csv --column who=x --out x",
            "OURS is one of",
        ),
        (
            "prepare --interactions log/interactions.csv --min-user-clicks 9999 --out x",
            "--min-user-clicks",
        ),
        (
            "prepare --interactions log/interactions.csv --holdout-users 1.5 --out x",
            "--holdout-users",
        ),
        (
            "prepare --interactions log/interactions.csv --out log",
            "not a dataset",
        ),
        ("train --data log --out x", "ingle prepare"),
        ("train --data data --out x --set backbone.widht=3", "widht"),
        ("train --data data --out x --method dc5sr", "dc5sr"),
        (
            "train --data data --out x --set backbone.kind=gru5rec",
            "expected one of sasrec, gru4rec",
        ),
        (
            "train --data data --out x --set backbone.kidn=gru4rec",
            "did you mean backbone.kind",
        ),
        (
            "train --data data --out x --config nowhere.toml",
            "nowhere.toml",
        ),
        ("train --data data --out run", "--resume"),
        ("train --out run --resume --device wgpu", "--device cpu"),
        (
            "train --data data --out x --set training.weight_decay=0.1",
            "no training.weight_decay any more",
        ),
        (
            "train --data data --out x --device wgpu --set training.negatives=9",
            "needs --device cpu",
        ),
        ("train --out data --resume", "it is a dataset"),
        ("evaluate data", "it is a dataset"),
        ("corrupt --data data --rate 2 --out x", "--rate"),
        ("denoise run --evaluate", "ingle corrupt"),
        ("report data --out x", "is no run"),
        (
            "report run --split unseen --data log --out x",
            "ingle prepare",
        ),
        (
            "train --data data --out x --sweep nowhere.toml",
            "nowhere.toml",
        ),
        ("inspect log", "manifest.json"),
        ("recommend log --history x", "manifest.json"),
    ] {
        let message = shop.refused(arguments);
        assert!(message.contains(part), "ingle {arguments}: {message}");
    }
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}

#[test]
fn a_report_stands_alone_and_compares_runs_user_by_user() {
    let shop = Shop::new();
    let small = format!("{SMALL} --set training.epochs=2 --set denoising.epochs=2");
    shop.ok(&format!("train --data data --out dc4sr {small}"));
    shop.ok(&format!(
        "train --data data --out sasrec --method none {small}"
    ));
    shop.ok("report sasrec dc4sr --out both.html --json both.json");
    shop.ok("report dc4sr --split unseen --baselines default --out alone.html --json alone.json");
    let read = |name: &str| fs::read_to_string(shop.path(name)).expect("a file");
    for page in ["both.html", "alone.html"] {
        let html = read(page);
        for loads in ["://", " src=", "<script", "<link", "@import", "url("] {
            assert!(!html.contains(loads), "{page}: {loads}");
        }
        for id in [
            "short",
            "ranking",
            "simple",
            "groups",
            "noise",
            "kept",
            "learning",
            "data",
            "cost",
            "configuration",
            "method",
        ] {
            assert!(
                html.contains(&format!("<section id=\"{id}\">")),
                "{page}: {id}"
            );
        }
        assert!(!html.contains("NaN") && !html.contains(&*shop.0.path().to_string_lossy()));
    }
    assert!(read("both.html").contains("<section id=\"comparison\">"));
    assert!(!read("alone.html").contains("<section id=\"comparison\">"));

    let both: Value = serde_json::from_str(&read("both.json")).expect("JSON");
    let value = |run: usize| both["runs"][run]["masked"]["ndcg@10"]["value"].as_f64();
    let (sasrec, dc4sr) = (value(0).expect("a figure"), value(1).expect("a figure"));
    assert_eq!(
        shop.figures("sasrec")["ndcg@10"],
        sasrec,
        "as `evaluate` says"
    );
    assert_eq!(shop.figures("dc4sr")["ndcg@10"], dc4sr);
    let difference = &both["comparisons"][0]["masked"]["ndcg@10"];
    let gained = difference["value"].as_f64().expect("a difference");
    assert!((gained - (dc4sr - sasrec)).abs() < 1e-12, "{difference}");
    assert!(both["runs"][0]["noise"].is_null() && both["runs"][1]["noise"].is_object());
    let groups = both["runs"][0]["by_popularity"].as_array().expect("groups");
    let users: u64 = groups
        .iter()
        .filter_map(|group| group["users"].as_u64())
        .sum();
    assert_eq!(both["dataset"]["users_judged"], users);

    let best = sasrec.max(dc4sr);
    let simple = both["baselines"].as_array().expect("baselines");
    let names: Vec<&str> = simple
        .iter()
        .filter_map(|one| one["method"].as_str())
        .collect();
    assert_eq!(names, ["popular", "recent", "itemknn", "ease", "bpr"]);
    for one in simple {
        let [own, less] =
            ["masked", "best_run_less"].map(|of| one[of]["ndcg@10"]["value"].as_f64());
        let sum = own.expect("a figure") + less.expect("a difference");
        assert!((sum - best).abs() < 1e-12, "{one}");
    }
    for lists in simple.iter().chain(both["runs"].as_array().expect("runs")) {
        for share in ["coverage", "diversity", "head", "gini"] {
            let value = lists["beyond"][share].as_f64().expect(share);
            assert!((0.0..=1.0).contains(&value), "{share} {value}");
        }
        assert!(lists["beyond"]["novelty"].as_f64() > Some(0.0));
    }
    shop.ok("report sasrec --baselines none --out plain.html");
    assert!(!read("plain.html").contains("<section id=\"simple\">"));

    shop.ok("corrupt --data data --rate 0.5 --out other");
    shop.ok(&format!(
        "train --data other --out odd --method none {small}"
    ));
    let message = shop.refused("report sasrec odd --out x");
    assert!(message.contains("different datasets"), "{message}");
    let message = shop.refused("report sasrec sasrec --out x");
    assert!(message.contains("named twice"), "{message}");
    assert!(!shop.path("x").exists());
}

#[test]
fn a_sweep_trains_every_combination_once_and_keeps_what_is_done() {
    let shop = Shop::new();
    let grid = "[grid]\nseed = [1, 2]\n\"training.learning_rate\" = [0.001, 0.01]\n";
    fs::write(shop.path("sweep.toml"), grid).expect("writes");
    let sweep = format!(
        "train --data data --method none --sweep sweep.toml --out runs {SMALL} --set training.epochs=2"
    )
    .replace("--set training.learning_rate=0.005", "");
    let table = shop.ok(&sweep);
    assert!(table.contains("learning_rate-0.01_seed-2"), "{table}");
    let written = fs::read(shop.path("runs/sweep.json")).expect("a file");
    let result: Value = serde_json::from_slice(&written).expect("JSON");
    let runs = result["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 4);
    let figures: Vec<f64> = (runs.iter())
        .map(|run| run["figures"][0][1].as_f64().expect("a figure"))
        .collect();
    assert!(figures.is_sorted_by(|a, b| a >= b), "{figures:?}");
    let groups = result["over_seeds"].as_array().expect("groups");
    assert_eq!((groups.len(), &groups[0]["seeds"]), (2, &Value::from(2)));

    let best = runs[0]["run"].as_str().expect("a name");
    fs::remove_dir_all(shop.path("runs").join(best)).expect("removes");
    let kept = runs[1]["run"].as_str().expect("a name");
    let before = fs::read(shop.path("runs").join(kept).join("run.json")).expect("a run");
    let again: Value = shop.json(&format!("{sweep} --json"));
    assert_eq!(again["runs"][0]["run"], best);
    assert_eq!(again["runs"][0]["figures"], runs[0]["figures"]);
    let after = fs::read(shop.path("runs").join(kept).join("run.json")).expect("a run");
    assert_eq!(before, after, "a finished run is not touched");
    let message = shop.refused(&sweep.replace("training.epochs=2", "training.epochs=3"));
    assert!(message.contains("other settings"), "{message}");
}

#[test]
fn a_damaged_bundle_is_not_inspected() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method none --out run {SMALL} --set training.epochs=1"
    ));
    shop.ok("export run --out bundle");
    let mut files = fs::read_dir(shop.path("bundle"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let items = files
        .find(|path| path.to_string_lossy().contains("items-"))
        .expect("an items file");
    let mut bytes = fs::read(&items).expect("reads");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(&items, bytes).expect("writes");
    let message = shop.refused("inspect bundle");
    assert!(message.contains("items-"), "{message}");
}

#[test]
fn one_item_one_user_and_long_histories_are_answered() {
    let shop = Shop::empty();
    let log = |name: &str, rows: &str| {
        let text = format!("user_id,item_id,timestamp\n{rows}");
        fs::write(shop.path(name), text).expect("writes");
    };
    let times = 0..300;
    log(
        "one.csv",
        &times
            .clone()
            .map(|t| format!("u,x,{t}\n"))
            .collect::<String>(),
    );
    log(
        "long.csv",
        &times
            .map(|t| format!("u,a{},{t}\nv,a{},{t}\n", t % 7, t % 5))
            .collect::<String>(),
    );
    log("click.csv", "u,x,1\n");
    let all = "--min-user-clicks 0 --min-item-clicks 0";
    for name in ["one", "long"] {
        shop.ok(&format!(
            "prepare --interactions {name}.csv {all} --out {name}"
        ));
        shop.ok(&format!(
            "train --data {name} --method none --out run-{name} {SMALL} --set training.epochs=1"
        ));
        shop.ok(&format!("evaluate run-{name}"));
        shop.ok(&format!("export run-{name} --out bundle-{name}"));
    }
    shop.ok(&format!(
        "prepare --interactions click.csv {all} --out click"
    ));
    let message = shop.refused("train --data click --method none --out x");
    assert!(message.contains("two clicks"), "{message}");
    for method in ["dc4sr", "iadsr", "mgsd-wss"] {
        let message = shop.refused(&format!("train --data one --method {method} --out x"));
        assert!(message.contains("two items"), "{message}");
    }
    assert!(!shop.path("x").exists());
}

#[test]
fn interests_may_outnumber_clicks() {
    let shop = Shop::empty();
    let rows: String = (0..60)
        .flat_map(|user| [7, 5, 3, 1].map(|n| format!("u{user},a{},{}\n", user % n, 9 - n)))
        .collect();
    let text = format!("user_id,item_id,timestamp\n{rows}");
    fs::write(shop.path("short.csv"), text).expect("writes");
    shop.ok("prepare --interactions short.csv --min-user-clicks 0 --min-item-clicks 0 --out short");
    shop.ok(&format!(
        "train --data short --method mgsd-wss --out run {SMALL} --set training.epochs=1 \
         --set denoising.epochs=1 --set denoising.folds=2 --set method.interests=200"
    ));
    shop.ok("export run --out bundle");
    let answer = shop.json("recommend bundle --history a1 --explain");
    let interest = &answer["clicks"][0]["interest"];
    let share = interest["share"].as_f64().expect("a share");
    assert!((1.0 / 200.0..=1.0).contains(&share), "{answer}");
    assert!(interest["number"].as_u64().expect("one of them") < 200);
}
