//! Runs that choose a method, and runs that learn the log without the noise that another one finds.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use serde_json::Value;

const SHORT: &str = "--set training.epochs=3 --set denoising.epochs=2 --set denoising.folds=2";

fn json(shop: &Shop, file: &str) -> Value {
    let text = std::fs::read(shop.path(file)).expect(file);
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn the_method_that_wins_most_on_held_out_users_is_taken_and_all_share_a_backbone() {
    let shop = Shop::new();
    let train = format!("train --data data --method auto --out auto {SMALL} {SHORT}");
    let printed = shop.ok(&train);
    let methods = json(&shop, "auto/methods.json");
    let tried = methods["tried"].as_array().expect("methods");
    assert_eq!(tried.len(), 3);
    let gain = |tried: &Value| tried[1]["gain"]["value"].as_f64().expect("a gain");
    let most = tried.iter().map(gain).fold(0.0, f64::max);
    let best = tried.iter().find(|tried| gain(tried) == most && most > 0.0);
    let due = best.map_or("none", |best| best[0].as_str().expect("a name"));
    assert_eq!(methods["taken"], due);
    for tried in tried {
        assert!(
            printed.contains(tried[0].as_str().expect("a name")),
            "{printed}"
        );
    }
    let backbones = ["dc4sr", "iadsr", "mgsd-wss"].map(|name| {
        let lines = shop.losses(&format!("auto/methods/{name}"));
        lines
            .into_iter()
            .filter(|line| line.0.contains("backbone"))
            .collect::<Vec<_>>()
    });
    assert_eq!(backbones[0].len(), 3);
    assert!(backbones.iter().all(|backbone| *backbone == backbones[0]));
    // It is a run like any other.
    assert_eq!(
        shop.losses("auto"),
        shop.losses(&format!("auto/methods/{due}"))
    );
    shop.ok("evaluate auto");
    shop.ok("export auto --out bundle");
    let message = shop.refused(&train);
    assert!(message.contains("holds a run already"), "{message}");
}

#[test]
fn what_is_asked_of_all_methods_must_leave_the_choice_open() {
    let shop = Shop::new();
    for (flags, told) in [
        ("--set keep=[0.5]", "leave out keep"),
        ("--set denoising.folds=0", "denoising.folds"),
        ("--resume", "the same command again"),
    ] {
        let message = shop.refused(&format!(
            "train --data data --method auto --out auto {SMALL} {flags}"
        ));
        assert!(message.contains(told), "{flags}: {message}");
        assert!(!shop.path("auto").exists(), "nothing is begun");
    }
}

#[test]
fn a_log_is_learnt_without_the_noise_that_a_run_finds_in_it() {
    let shop = Shop::new();
    shop.ok(&format!("train --data data --out first {SMALL} {SHORT}"));
    let again = format!("train --data data --drop-noise first {SMALL} {SHORT}");
    shop.ok(&format!("{again} --out scored"));
    shop.ok(&format!("{again} --drop random --out random"));
    let runs = ["first", "scored", "random"].map(|run| shop.losses(run));
    assert!(runs[0] != runs[1] && runs[1] != runs[2] && runs[0] != runs[2]);
    assert_eq!(json(&shop, "scored/run.json")["dropped"]["how"], "scored");

    // What it learns is the same however often it is stopped, and by any run that takes its backbone over.
    shop.ok(&format!("{again} --out twice"));
    assert_eq!(shop.losses("twice"), runs[1]);
    shop.ok(&format!("{again} --from scored --method none --out plain"));
    let plain = shop.losses("plain");
    assert_eq!(plain, runs[1][..plain.len()]);

    for (flags, told) in [
        (
            "--drop-noise first --from first --out no",
            "another --drop-noise",
        ),
        ("--drop-noise plain --out no", "a method that denoises"),
        ("--drop random --out no", "--drop-noise"),
    ] {
        let message = shop.refused(&format!("train --data data {SMALL} {SHORT} {flags}"));
        assert!(message.contains(told), "{flags}: {message}");
        assert!(!shop.path("no").exists(), "nothing is begun");
    }
    shop.ok("corrupt --data data --part log --rate 0.2 --out other");
    let message = shop.refused(&format!(
        "train --data other --drop-noise first --out no {SMALL} {SHORT}"
    ));
    assert!(message.contains("another dataset"), "{message}");
}

#[test]
fn what_came_of_clicks_weighs_what_is_learnt_and_tells_what_was_liked() {
    let shop = Shop::new();
    let log = std::fs::read_to_string(shop.path("log/interactions.csv")).expect("a log");
    let stars = |at: usize| match at {
        0 => "stars".to_owned(),
        at => (1 + at * 7 % 5).to_string(),
    };
    let rated = log.lines().enumerate();
    let rated: Vec<String> = rated
        .map(|(at, line)| format!("{line},{}", stars(at)))
        .collect();
    std::fs::write(shop.path("rated.csv"), rated.join("\n")).expect("writes");
    let prepare =
        "prepare --interactions rated.csv --items log/items.csv --holdout-users 0.1 --weight stars";
    let all =
        "--weight-of 5=1 --weight-of 4=1 --weight-of 3=0.4 --weight-of 2=0.05 --weight-of 1=0.05";
    shop.ok(&format!("{prepare} {all} --out rated"));
    let train = |data: &str, run: &str| {
        shop.ok(&format!(
            "train --data {data} --method none --out {run} {SMALL} {SHORT}"
        ));
        shop.losses(run)
    };
    assert_ne!(train("data", "plain"), train("rated", "weighed"));

    let found = shop.json("evaluate weighed --data rated --against plain --split unseen --json");
    let [liked, disliked] = ["liked", "disliked"].map(|what| &found["by_outcome"][what]);
    let cases = |of: &Value| of["cases"].as_u64().expect("a count");
    assert!(cases(liked) > 0 && cases(disliked) > 0);
    assert!(cases(liked) + cases(disliked) < found["cases"].as_u64().expect("a count"));
    assert!(liked["gain"]["ndcg@10"]["error"].is_f64(), "{liked}");
    assert!(
        shop.ok("evaluate weighed")
            .contains("targets that were not liked")
    );
    assert!(shop.json("evaluate plain --json")["by_outcome"].is_null());

    // Rows that have no weight are bad rows, with file and line.
    let some = all.replace("--weight-of 3=0.4 ", "");
    let output = shop.run(&format!("{prepare} {some} --out some"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && told.contains("--weight-of 3=WEIGHT"),
        "{told}"
    );
    for (flags, told) in [
        ("", "--weight-of"),
        ("--weight-of 5=2", "must be a number from 0 to 1"),
        ("--weight-of 5=1 --weight-of 5=0", "two weights"),
        (
            "--weight-of 1=0 --weight-of 2=0 --weight-of 3=0 --weight-of 4=0 --weight-of 5=0",
            "every click has weight 0",
        ),
    ] {
        let message = shop.refused(&format!("{prepare} {flags} --out no --strict"));
        assert!(message.contains(told), "{flags}: {message}");
    }
    let message = shop.refused("prepare --interactions rated.csv --weight price --out no");
    assert!(message.contains("price"), "{message}");
}
