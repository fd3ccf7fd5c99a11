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

#[test]
fn the_tuning_set_of_a_larger_model_names_what_was_replaced() {
    let shop = Shop::new();
    let told = shop.ok("prior export-sft --data data --out tuning.jsonl --rate 0.4 --copies 2");
    let text = fs::read_to_string(shop.path("tuning.jsonl")).expect("written");
    assert!(
        told.contains(&format!("wrote {} histories", text.lines().count())),
        "{told}"
    );
    let mut named = 0;
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let [input, output] = ["input", "output"].map(|key| line[key].as_str().expect("text"));
        let titles = output.split('"').skip(1).step_by(2);
        for title in titles {
            assert!(input.contains(title), "{title} in {input}");
            named += 1;
        }
    }
    assert!(named > text.lines().count() / 2, "{named} titles are named");
    let again = shop.ok("prior export-sft --data data --out again.jsonl --rate 0.4 --copies 2");
    assert_eq!(again.lines().count(), 1);
    assert_eq!(
        fs::read_to_string(shop.path("again.jsonl")).expect("written"),
        text
    );
}

#[test]
fn an_endpoint_is_named_in_full_or_refused() {
    let shop = Shop::new();
    let score = "prior score --data data --split test --out x";
    for (arguments, part) in [
        ("", "PRIOR"),
        ("--endpoint http://127.0.0.1:1/v1", "--model"),
        ("--endpoint ftp://127.0.0.1/v1 --model m", "http://"),
        (
            "--endpoint http://127.0.0.1:1/v1 --model m --connections 0",
            "connections",
        ),
        (
            "prior --endpoint http://127.0.0.1:1/v1 --model m",
            "--endpoint",
        ),
    ] {
        let told = shop.refused(&format!("{score} {arguments}"));
        assert!(told.contains(part), "{arguments}: {told}");
    }
    let told = shop.refused("prior export-sft --data data --out x --rate 1.5");
    assert!(told.contains("--rate is 1.5"), "{told}");
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}

#[test]
fn codes_are_learnt_from_a_language_model_that_going_on_does_without() {
    let shop = Shop::new();
    ingle_lm::testing::write(&shop.path("lm"), 1);
    let small = "--set backbone.width=16 --set backbone.feed_forward=32 --set training.epochs=2 \
                 --set denoising.epochs=2 --set denoising.reader_histories=0 \
                 --set denoising.language_model";
    let told = shop.refused(&format!("train --data data --out x {small}=none"));
    assert!(told.contains("scripts/fetch-lm"), "{told}");
    assert!(!shop.path("x").exists(), "nothing is written for bad input");

    shop.ok(&format!("train --data data --out whole {small}=lm"));
    let mut command = shop.command(&format!("train --data data --out torn {small}=lm"));
    let mut training = command.spawn().expect("the program starts");
    while !shop.path("torn/titles.safetensors").exists() {
        assert!(
            training.try_wait().expect("a status").is_none(),
            "too fast to be killed"
        );
    }
    training.kill().expect("kills");
    training.wait().expect("a status");
    fs::remove_dir_all(shop.path("lm")).expect("removes");
    shop.ok("train --out torn --resume");
    assert_eq!(shop.losses("whole"), shop.losses("torn"));
}
