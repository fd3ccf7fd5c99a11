//! Noise of every kind, and what a run gains by the clicks it keeps.

use super::shop::Shop;
use crate::pipeline::SMALL;
use serde_json::Value;
use std::fs;

const SHORT: &str = "--set training.epochs=3 --set denoising.epochs=2 --set denoising.folds=2";

fn number(of: &Value) -> f64 {
    of.as_f64().unwrap_or_else(|| panic!("{of} is no number"))
}

/// The figures of a way that clicks may count.
fn way<'a>(evaluation: &'a Value, keep: &str) -> &'a Value {
    let ways = evaluation["ways"].as_array().expect("ways");
    let found = ways.iter().find(|way| way["keep"] == keep);
    found.unwrap_or_else(|| panic!("no {keep} in {evaluation}"))
}

#[test]
fn every_gain_stands_beside_the_control_and_the_oracle_over_all_draws() {
    let shop = Shop::new();
    for method in ["dc4sr", "sasrec"] {
        shop.ok(&format!(
            "train --data data --method {method} --out {method} {SMALL} {SHORT}"
        ));
    }
    for (how, out) in [
        ("--rate 0.3", "replaced"),
        ("--how insert --rate 0.3 --kind popularity", "inserted"),
        ("--how session --clicks 3", "sessions"),
    ] {
        let done = shop.json(&format!(
            "corrupt --data data {how} --draws 3 --seed 7 --out {out} --json"
        ));
        let seeds: Vec<&Value> = (done.as_array().expect("draws").iter())
            .map(|draw| &draw["seed"])
            .collect();
        assert_eq!(seeds, [7, 8, 9]);
        for split in ["test", "unseen"] {
            let noisy = shop.json(&format!(
                "evaluate dc4sr --data {out} --split {split} --json"
            ));
            let clean = shop.json(&format!("evaluate dc4sr --split {split} --keep all --json"));
            assert_eq!((&noisy["draws"], &clean["draws"]), (&3.into(), &1.into()));
            assert_eq!(
                (&noisy["users"], &noisy["cases"]),
                (&clean["users"], &clean["cases"])
            );
            assert_eq!(noisy["masked"], way(&noisy, "model")["masked"]);
            for keep in ["model", "random", "oracle"] {
                for figure in ["hr@5", "ndcg@10", "mrr@20"] {
                    let (all, own) = (way(&noisy, "all"), way(&noisy, keep));
                    let gain = &own["gain"][figure];
                    let due = number(&own["masked"][figure]) - number(&all["masked"][figure]);
                    assert!(
                        (number(&gain["value"]) - due).abs() < 1e-9,
                        "{gain} and {due}"
                    );
                    assert!(number(&gain["error"]) >= 0.0);
                }
            }
            // The clicks as they were are those of the dataset that was corrupted.
            let (was, is) = (
                number(&noisy["clean"]["ndcg@10"]),
                number(&clean["masked"]["ndcg@10"]),
            );
            assert!((was - is).abs() < 1e-9, "{out} {split}: {was} and {is}");
            if out != "replaced" {
                let won = number(&way(&noisy, "oracle")["masked"]["ndcg@10"]);
                assert!(
                    (won - was).abs() < 1e-9,
                    "what was put in is left out: nothing is lost"
                );
            }
        }
        let plain = shop.json(&format!("evaluate sasrec --data {out} --json"));
        assert_eq!(
            plain["masked"],
            way(&plain, "all")["masked"],
            "all clicks are kept"
        );
        assert!(number(&way(&plain, "oracle")["gain"]["ndcg@10"]["error"]) >= 0.0);
    }
    let table = shop.ok("evaluate dc4sr --data inserted --split unseen");
    for part in [
        "clicks kept",
        "random",
        "oracle",
        "without noise",
        "100 %",
        "3 draws of noise",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    // One draw is a dataset of its own, and so are several that are named.
    let one = shop.json("evaluate dc4sr --data inserted/2 --json");
    let two = shop.json("evaluate dc4sr --data inserted/1 inserted/2 --json");
    assert_eq!((&one["draws"], &two["draws"]), (&1.into(), &2.into()));
    let alike = shop.json("evaluate dc4sr --data inserted/2 --json");
    assert_eq!(one, alike, "the control is drawn from a seed");
}

#[test]
fn what_counts_is_asked_for_and_runs_are_compared_case_by_case() {
    let shop = Shop::new();
    for (method, seed) in [("dc4sr", 1), ("sasrec", 1)] {
        shop.ok(&format!(
            "train --data data --method {method} --out {method} {SMALL} {SHORT} --set seed={seed}"
        ));
    }
    let all = shop.json("evaluate dc4sr --keep all --json");
    assert_eq!(
        all["ways"].as_array().expect("ways").len(),
        1,
        "no gain, and nothing beside it"
    );
    // One threshold that nothing is above keeps every click.
    let open = shop.json("evaluate dc4sr --thresholds 1 --json");
    assert_eq!(open["masked"], all["masked"]);
    assert_eq!(
        number(&way(&open, "model")["gain"]["ndcg@10"]["value"]),
        0.0
    );
    assert_eq!(
        number(&way(&open, "random")["gain"]["ndcg@10"]["value"]),
        0.0
    );
    // A threshold that everything is above keeps the latest click.
    let last = shop.json("evaluate dc4sr --thresholds 0 --json");
    assert_ne!(last["masked"], all["masked"]);
    let against = shop.json("evaluate dc4sr --against sasrec --json");
    let (gain, other) = (
        &against["against"]["gain"]["ndcg@10"],
        shop.figures("sasrec"),
    );
    assert_eq!(against["against"]["masked"], other);
    let due = number(&against["masked"]["ndcg@10"]) - number(&other["ndcg@10"]);
    assert!((number(&gain["value"]) - due).abs() < 1e-9);
    assert!(
        shop.ok("evaluate dc4sr --against sasrec")
            .contains("above sasrec: NDCG@10")
    );
    let same = shop.json("evaluate dc4sr --against dc4sr --json");
    assert_eq!(same["against"]["gain"]["ndcg@10"]["error"], 0.0);

    let one = shop.json("evaluate sasrec --split unseen --latest 1 --json");
    let six = shop.json("evaluate sasrec --split unseen --json");
    assert_eq!((&one["users"], &one["cases"]), (&15.into(), &15.into()));
    assert_eq!(six["users"], 15);
    assert!(
        (16..=90).contains(&six["cases"].as_u64().expect("a count")),
        "{six}"
    );

    shop.ok("corrupt --data data --rate 0.2 --out noisy");
    for (arguments, part) in [
        ("evaluate dc4sr --keep oracle", "ingle corrupt"),
        ("evaluate sasrec --keep random", "judges no clicks"),
        ("evaluate sasrec --thresholds 0.5", "judges no clicks"),
        ("evaluate dc4sr --thresholds 0.5,0.5", "--thresholds"),
        ("evaluate dc4sr --thresholds 2", "--thresholds"),
        ("evaluate dc4sr --latest 0", "--latest"),
        ("evaluate dc4sr --data data noisy", "not draws of noise"),
        ("evaluate dc4sr --data nowhere", "nowhere"),
        ("evaluate dc4sr --against nowhere", "is no run"),
        ("corrupt --data data --out x", "--rate"),
        (
            "corrupt --data data --rate 0.2 --draws 0 --out x",
            "--draws",
        ),
        (
            "corrupt --data data --how session --kind hard --out x",
            "--kind",
        ),
        (
            "corrupt --data data --how session --clicks 0 --out x",
            "--clicks",
        ),
        (
            "corrupt --data data --how insert --rate 0.2 --clicks 3 --out x",
            "--clicks",
        ),
        (
            "corrupt --data noisy --how insert --rate 0.2 --out x",
            "noise already",
        ),
    ] {
        let message = shop.refused(arguments);
        assert!(message.contains(part), "ingle {arguments}: {message}");
    }
    assert!(!shop.path("x").exists(), "nothing is written for bad input");
}

#[test]
fn a_training_is_not_told_which_clicks_of_a_noisy_log_are_noise_unless_it_asks() {
    let shop = Shop::new();
    for how in ["replace", "insert"] {
        let corrupt = format!("corrupt --data data --how {how} --rate 0.3 --seed 5");
        shop.ok(&format!("{corrupt} --part log --out log-{how}"));
        let train = format!("train --data log-{how} --method dc4sr {SMALL} {SHORT}");
        shop.ok(&format!("{train} --out kept-{how}"));
        shop.ok(&format!(
            "{train} --out told-{how} --set denoising.log_labels=true"
        ));
        assert_ne!(
            shop.losses(&format!("kept-{how}")),
            shop.losses(&format!("told-{how}"))
        );
        // The labels are there for who evaluates.
        let found = shop.json(&format!("evaluate kept-{how} --json"));
        assert!(number(&way(&found, "oracle")["gain"]["ndcg@10"]["error"]) >= 0.0);
        let judged = shop.json(&format!(
            "denoise kept-{how} --split unseen --evaluate --json"
        ));
        assert!(judged["auc"].is_number(), "{judged}");
        shop.ok(&format!("export kept-{how} --out bundle-{how}"));
    }
    // With other labels on the same clicks, what is not told of them learns the same.
    let about = fs::read_to_string(shop.path("log-replace/dataset.json")).expect("a dataset");
    let about: Value = serde_json::from_str(&about).expect("JSON");
    assert_eq!(about["corruption"]["part"], "log");
    assert_eq!(about["corruption"]["last"], Value::Null);
}

#[test]
fn a_backbone_learns_by_one_item_that_was_not_clicked() {
    let shop = Shop::new();
    let train = format!("train --data data --method none {SMALL} --set training.epochs=6");
    shop.ok(&format!("{train} --set training.loss=binary --out binary"));
    let losses = shop.losses("binary");
    assert!(losses[losses.len() - 1].1 < losses[0].1, "{losses:?}");
    // Two logits of 0 cost twice ln 2.
    assert!(losses[0].1 < 1.5, "{losses:?}");
    shop.ok("evaluate binary");
    for (settings, part) in [
        (
            "--set training.loss=binary --set training.negatives=9",
            "training.loss",
        ),
        (
            "--set training.loss=binary --device wgpu",
            "needs --device cpu",
        ),
        ("--set training.loss=hinge", "hinge"),
    ] {
        let message = shop.refused(&format!("{train} {settings} --out x"));
        assert!(message.contains(part), "{settings}: {message}");
    }
}
